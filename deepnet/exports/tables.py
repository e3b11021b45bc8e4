"""Tables in NumPy alone: these functions, as they stand here, read them in a predictor file.

Those of mixed columns do what `data.columns` and `data.fields` do. A field is (name, kind, values, fill), a unit (the
place of its field, what of it), as `nn.fields.places` has them.
"""

import csv
import sys

import numpy as np


def numbers(lines, columns):
    """float32 (cases, columns) of a CSV file; where its header has the columns of the training data, those."""
    rows = [row for row in csv.reader(lines) if row]
    if rows and not all(is_number(cell) for cell in rows[0]):
        header, rows = [name.strip() for name in rows[0]], rows[1:]
        if columns and set(columns) <= set(header):
            places = [header.index(name) for name in columns]
            rows = [[row[place] for place in places] for row in rows]
    return np.array(rows, np.float32)


def is_number(text):
    """Whether a cell holds a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def encoded(lines, fields, units):
    """float32 (cases, units) of a CSV file, whose columns are found by name, or without names by their order."""
    rows = [row for row in csv.reader(lines) if row]
    names, found = [name for name, *_ in fields], [cell.strip() for cell in rows[0]] if rows else []
    if all(names):
        lacking = [name for name in names if name not in found]
        if lacking:
            sys.exit(f"the table has no column {', '.join(lacking)}; add it, empty where nothing is known")
        places, rows = [found.index(name) for name in names], rows[1:]
    elif len(found) == len(names):
        places = list(range(len(names)))
    else:
        sys.exit(f"the table has {len(found)} columns; give {len(names)}, those of the training data in their order")
    cases = [[unit_of(row[places[n]], fields[n], what) for n, what in units] for row in rows]
    return np.array(cases, np.float32).reshape(len(rows), len(units))


def unit_of(cell, field, what):
    """What a unit is of a cell; a text that training did not see is missing."""
    _, kind, values, fill = field
    absent = cell.strip().lower() in ("", "na", "n/a", "nan", "null", "?")
    absent = absent or (kind != "number" and same(cell) not in values)
    if what == "missing":
        return absent
    if absent:
        return fill if what == "value" else 0
    if what == "value":
        return float(cell) if kind == "number" else values.index(same(cell))
    return values[what] == same(cell)


def same(cell):
    """One text for what is the same: 1, 1.0 and 01; True and true."""
    text = cell.strip()
    try:
        number = float(text.replace("_", "x"))
    except ValueError:
        return text.lower() if text.lower() in ("true", "false") else text
    return str(int(number)) if abs(number) < 1e15 and number == int(number) else repr(number)

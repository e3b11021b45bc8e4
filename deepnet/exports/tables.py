"""Tables in NumPy alone: these functions, as they stand here, read them in a predictor file.

They do what `data.columns`, `data.fields` and `data.readers.dialects` do. A field is (name, kind, values, fill), a unit
(the place of its field, what of it), as `nn.fields.places` has them.
"""

import csv

import numpy as np


def numbers(lines, columns):
    """float32 (cases, columns) of a CSV file whose columns are numbers."""
    return np.array(chosen([row for row in csv.reader(lines) if row], columns, ()), np.float32)


def encoded(lines, fields, units):
    """float32 (cases, units) of a CSV file of mixed columns."""
    rows, values = [row for row in csv.reader(lines) if row], {value for field in fields for value in field[2]}
    rows = chosen(rows, [name for name, *_ in fields], values)
    cases = [[unit_of(row[n], fields[n], what) for n, what in units] for row in rows]
    return np.array(cases, np.float32).reshape(len(rows), len(units))


def chosen(rows, names, values):
    """The cases: by the names of the columns, or, where no header tells these apart, in the order of the training."""
    header = [cell.strip() for cell in rows[0]] if rows and is_header(rows, names, values) else []
    rows = rows[1:] if header else rows
    if header and names and all(names) and len(set(names)) == len(names):
        wrong = [name for name in names if header.count(name) != 1]
        if wrong:
            raise ValueError(f"it has no column {', '.join(wrong)}, or several; give the columns of the training data")
        places = [header.index(name) for name in names]
        return [[row[place] for place in places] for row in rows]
    due = "of the training data in their order"
    wrong = [len(row) for row in rows if len(row) != len(names)] if names else []
    if wrong:
        raise ValueError(f"it has {wrong[0]} columns; give the {len(names)} {due}")
    if any(name and name != own for name, own in zip(names, header, strict=False)):
        raise ValueError(f"its columns are {', '.join(header)}; give {', '.join(names)}, the columns {due}")
    return rows


def is_header(rows, names, values):
    """Whether the first row is names: it has one that is known and no value, or a text above a number."""
    first = [cell.strip() for cell in rows[0]]
    known = [name for name in names if name and not is_number(name)]
    if any(name in first and name not in values for name in known) or (known and set(known) <= set(first)):
        return True
    below = rows[1] if len(rows) > 1 else []
    return any(is_number(b) and not is_number(a) and not is_missing(a) for a, b in zip(first, below, strict=False))


def is_number(text):
    """Whether a cell holds a number."""
    try:
        return float(text) == float(text) and "_" not in text
    except ValueError:
        return False


def is_missing(cell):
    """Whether a cell stands for no value."""
    return cell.strip().lower() in ("", "na", "n/a", "nan", "null", "?")


def unit_of(cell, field, what):
    """What a unit is of a cell; a text that training did not see is missing."""
    _, kind, values, fill = field
    text, truths = same(cell), {"0": "false", "1": "true", "false": "0", "true": "1"}
    if text not in values and set(values) <= set(truths):
        text = truths.get(text)
    absent = is_missing(cell) or (kind != "number" and text not in values)
    if what == "missing":
        return absent
    if absent:
        return fill if what == "value" else 0
    if what == "value":
        return float(cell) if kind == "number" else values.index(text)
    return values[what] == text


def same(cell):
    """One text for what is the same: 1, 1.0 and 01; True and true."""
    text = cell.strip()
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 39:
        return str(int(text))
    if is_number(text) and abs(float(text)) <= float(np.finfo(np.float32).max):
        number = float(text)
        return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
    return text.lower() if text.lower() in ("true", "false") else text

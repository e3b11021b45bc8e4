"""Reader of JSON lines, a case a line, plain or gzipped: rewritten as lines of CSV, which are read as all CSV is.

A line is an array of the case's values, or an object: then the names of the first line are those of the columns. A list
within counts as its members, in an object `x` as x1, x2 ...; true and false are 1 and 0, null is an empty cell. Strings
are what they would be in CSV: numbers where they are due.
"""

import io
import itertools
import json
import re
from collections import Counter
from csv import writer
from dataclasses import replace
from functools import partial

from ...errors import DataError
from ...files import shown
from . import csv
from .faults import before_fault, halves
from .table import read_table

_AS_TEXT = {"parse_int": str, "parse_float": str, "parse_constant": str}  # a number stays as it is written
_NO_TEXT = re.compile("[\ud800-\udfff]")  # what an escape can say and UTF-8 cannot
MISSING = "null"  # the only cell of a case, since an empty line is none
_PLAIN = {None: "", True: "1", False: "0"}


def read(source, options):
    """Dataset of JSON lines: numbers as inputs, text or numbers of the label columns as labels."""
    return csv.read(replace(source, front=_front), options)


def stream(source, options, flow):
    """(None, the cases of JSON lines without their labels, a Dataset a piece of the bytes that flow)."""
    return csv.stream(replace(source, front=_front), options, flow)


def _front(source, blocks):
    """(what makes the plan of the table, blocks of CSV text, names and all) of blocks of JSON lines."""
    first = next((block for block in blocks if block[1].strip()), None)
    if first is None:
        return read_table, iter(())
    row, text = first[0] + _blank_lines(first[1]), first[1].lstrip()
    names = _parsed(source, text.partition("\n")[0], row)[0]
    if names is not None and len(set(names)) < len(names):
        name, count = Counter(names).most_common(1)[0]
        raise DataError(f"{source}: row {row} has {count} values of the name '{shown(name)}'; rename what is no list")
    rewrite = partial(_rewritten, source, names)
    texts = (
        piece
        for block in itertools.chain([(row, text)], blocks)
        for piece in before_fault(rewrite, partial(halves, quoted=False), block[1], block[0])
    )
    if names is not None:
        texts = itertools.chain([(row - 1, _line(names))], texts)
    return partial(read_table, delimiter=",", named=names is not None), texts


def _blank_lines(text):
    """How many lines come before the first that is not empty."""
    return text.count("\n", 0, len(text) - len(text.lstrip()))


def _rewritten(source, names, text, row):
    """(number of the first line, CSV text) of JSON lines."""
    lines = text.removesuffix("\n").split("\n")
    return row, "".join(
        _line(_cells(source, names, line, row + n)) if line.strip() else "\n" for n, line in enumerate(lines)
    )


def _line(cells):
    """A line of CSV."""
    out = io.StringIO()
    alone = len(cells) == 1 and not cells[0].strip()
    writer(out, lineterminator="\n").writerow([MISSING] if alone else cells)
    return out.getvalue()


def _cells(source, names, line, row):
    """The cells of a line, in the order of the names where there are such."""
    found, cells = _parsed(source, line, row)
    if found == names:
        return cells
    if found is None or names is None:
        held, due = ("an array", "an object") if found is None else ("an object", "an array")
        raise DataError(f"{source}: row {row} holds {held}, the first row {due}; write all in the same way")
    known = dict(zip(found, cells, strict=True))
    if more := known.keys() - set(names):
        unknown = next(name for name in found if name in more)
        raise DataError(f"{source}: row {row} has '{shown(unknown)}', which the first row has not; mend that row")
    return [known.get(name, "") for name in names]


def _parsed(source, line, row):
    """(names or None, cells) of the object or array of a line."""
    try:
        value = json.loads(line, **_AS_TEXT)
        if "\\u" in line and _NO_TEXT.search(json.dumps(value, ensure_ascii=False)):
            raise DataError(f"{source}: row {row} holds half a character (\\ud800 to \\udfff); write it as UTF-8 text")
        if isinstance(value, list):
            return None, list(_flat(value))
        if isinstance(value, dict):
            pairs = [pair for item in value.items() for pair in _members(*item)]
            return [name for name, _ in pairs], [cell for _, cell in pairs]
    except TypeError:
        raise DataError(f"{source}: row {row} holds an object within; give numbers, text or lists") from None
    except (ValueError, RecursionError):
        pass
    raise DataError(f"{source}: row {row} is no JSON array or object; write one a line (`jq -c '.[]'`)")


def _members(name, value):
    """(name, cell) of a member of an object, or of each value of a list."""
    if isinstance(value, list):
        return [(f"{name}{n}", cell) for n, cell in enumerate(_flat(value), 1)]
    return [(name, cell) for cell in _flat([value])]


def _flat(values):
    """The cells of a list, those of lists within it in their place; TypeError for an object."""
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        elif isinstance(value, str):
            yield " ".join(value.splitlines()) if "\n" in value or "\r" in value else value
        else:
            yield _PLAIN[value]

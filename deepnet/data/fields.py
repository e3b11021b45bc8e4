"""From the columns of a table to fields, learned once, and from columns and fields to inputs.

Axes: N cases, D visible units.
"""

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np

from ..errors import DataError, UsageError
from ..files import shown
from ..nn.fields import Field, named, places, units
from .checks import check_size
from .columns import MISSING, UNSEEN, Column, NoCategories, canonical, over, refuse_amounts

FEW = 10  # different texts that a column may have however few its cells are
LONGEST = 4 << 20  # bytes that names and texts may take in a model file
SEEN_NOT = "has texts that training did not see, taken as missing"
LACKING = "lacks values where training lacked none, taken as the mean"


def learn(source, columns, category=()):
    """The Field of each Column; numbers of those whose position is in `category` are names.

    DataError for a column without values, or of too many texts.
    """
    items = [(source, column, column.position in category) for column in columns]
    fields = tuple(over(source, items, _field))
    count = sum(100 + 6 * (len(field.name) + sum(map(len, field.values))) for field in fields)  # as JSON
    if count > LONGEST:
        raise DataError(f"{source} has columns of too many names and texts; leave some out with --ignore")
    return fields


def _field(source, column, by_hand):
    """What one column is."""
    numbers = column.values is None
    missing = np.isnan(column.cells) if numbers else column.cells < 0
    if missing.all():
        raise DataError(f"{source}: {column} has no values; leave it out with --ignore '{column.word}'")
    if numbers and not by_hand and not _is_flag(column.cells[~missing]):
        return Field(column.name, "number", (), _mean(column.cells, missing), bool(missing.any()))
    if not numbers and not by_hand:
        refuse_amounts(source, column, column.values)
    column = _as_texts(column) if numbers else column
    values = tuple(sorted(column.values, key=_order))
    if len(values) > FEW and 2 * len(values) > (~missing).sum() and not by_hand:
        raise NoCategories(source, (column, f"{len(values)} different texts in {(~missing).sum()} rows"))
    if len(values) > 2:
        return Field(column.name, "category", values)
    field = Field(column.name, "flag", values)
    cells = _settled(field, column).astype(np.float32)
    return replace(field, fill=_mean(cells, missing), missing=bool(missing.any()))


def _is_flag(numbers):
    """Whether these are the numbers 0 and 1."""
    return bool(((numbers == 0) | (numbers == 1)).all() and numbers.min() < numbers.max())


def _mean(cells, missing):
    """The mean of what is not missing, as float32 has it."""
    given = cells[~missing]
    return float(np.float32(given.sum(dtype=np.float64) / len(given))) if len(given) else 0.0


def _order(value):
    """Numbers by size before texts."""
    try:
        return 0, float(value), value
    except ValueError:
        return 1, 0.0, value


def _as_texts(column):
    """A Column of numbers as one of texts."""
    found, where = np.unique(column.cells, return_inverse=True)  # NaN once, at the end
    values = tuple(canonical(repr(float(number))) for number in found[~np.isnan(found)])
    cells = np.where(where < len(values), where, MISSING).astype(np.int32)
    return Column(column.name, column.position, cells, values)


def _settled(field, column):
    """Cells (N,) as a field has them: float32 with NaN, or int32 places among its values, MISSING or UNSEEN."""
    if field.kind == "number":
        return column.cells
    column = _as_texts(column) if column.values is None else column
    known = {value: n for n, value in enumerate(field.values)}
    table = np.array([*(known.get(value, UNSEEN) for value in column.values), UNSEEN, MISSING], np.int32)
    return table[column.cells]  # UNSEEN and MISSING count from the end


def encode(source, fields, columns):
    """float32 (N, D): the units that `fields` make of as many Columns."""
    cases, width = len(columns[0].cells), sum(count for _, count in units(fields))
    check_size(source, 4 * cases * width)
    inputs = np.zeros((cases, width), np.float32)
    settled = [_settled(field, column) for field, column in zip(fields, columns, strict=True)]
    for unit, (n, what) in enumerate(places(fields)):
        field, cells = fields[n], settled[n]
        none = np.isnan(cells) if field.kind == "number" else cells < 0
        if what == "missing":
            inputs[:, unit] = none
        elif what == "value":
            inputs[:, unit] = np.where(none, np.float32(field.fill), cells)
        else:
            inputs[:, unit] = cells == what
    return inputs


def fingerprint(fields, columns, targets):
    """SHA-256 hex of kinds, values, cells and labels, whatever stands for missing ones."""
    digest = hashlib.sha256(b"" if targets is None else repr((targets.dtype.str, targets.shape)).encode())
    digest.update(b"" if targets is None else targets.tobytes())
    for field, column in zip(fields, columns, strict=True):
        digest.update(repr(replace(field, fill=0.0)).encode())
        digest.update(_settled(field, column).tobytes())
    return digest.hexdigest()


def strange(fields, columns):
    """Counter of (what is strange, the column's place, its name): cells that training had none like.

    Texts that it did not see, numbers that are missing.
    """
    found = Counter()
    for n, (field, column) in enumerate(zip(fields, columns, strict=True)):
        cells = _settled(field, column)
        if field.kind != "number":
            found[SEEN_NOT, n, named(fields, n)] = int((cells == UNSEEN).sum())
        if field.kind != "category" and not field.missing:
            lacks = np.isnan(cells) if field.kind == "number" else cells == MISSING
            found[LACKING, n, named(fields, n)] = int(lacks.sum())
    return +found


def notes(source, counts):
    """Sentences on what `strange` counted: `... colour (3 cells), size (1 cell)`, five columns at most."""
    told = []
    for words in (SEEN_NOT, LACKING):
        found = [f"{shown(name)} ({n:,} cell{'s' * (n > 1)})" for (what, _, name), n in counts.items() if what == words]
        more = f" and {len(found) - 5} columns more" if len(found) > 5 else ""
        told += [f"{source} {words}: {', '.join(found[:5])}{more}"] if found else []
    return tuple(told)


def matched(source, fields, header, inputs, category):
    """The position of each field's column: by name where there is a header, else in their order.

    `inputs` are the positions from 0 that may be inputs, `category` those that a user called names. DataError for a
    field that has no column.
    """
    wanted = {field.name: n for n, field in enumerate(fields)}
    if header and len(wanted) == len(fields) and "" not in wanted:
        found = _by_name(source, wanted, header, inputs)
    elif len(inputs) != len(fields):
        raise DataError(
            f"{source} has {len(inputs)} input columns without names and the model takes {len(fields)}; give those, or "
            "leave columns out with --ignore"
        )
    else:
        found = inputs
        _check_order(source, fields, header, inputs)
    for n, position in enumerate(found):
        if position in category and fields[n].kind == "number":
            raise UsageError(f"--category: {named(fields, n)} is a column of numbers in the model; leave it out")
    return tuple(found)


def _check_order(source, fields, header, inputs):
    """DataError where names that cannot tell all columns apart, one being empty or twice there, are others."""
    some = any(field.name for field in fields)
    for n, (field, position) in enumerate(zip(fields, inputs, strict=True)):
        if header and some and header[position] != field.name:
            raise DataError(
                f"{source}: column {position + 1} is '{shown(header[position])}' where the model takes "
                f"'{shown(field.name)}' as input {n + 1}; bring the columns into that order"
            )


def _by_name(source, wanted, header, inputs):
    """Positions of the columns of these names."""
    place = {}
    for n in inputs:
        if header[n] in wanted and place.setdefault(header[n], n) != n:
            raise DataError(f"{source}: 2 columns are named '{shown(header[n])}'; rename one")
    absent = [f"'{shown(name)}'" for name in wanted if name not in place]
    if absent:
        few = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        word, it = ("columns", "them") if len(absent) > 1 else ("column", "it")
        raise DataError(f"{source} has no {word} {few}, which the model takes; add {it}, empty where nothing is known")
    return [place[name] for name in wanted]


def refilled(dataset, known=None):
    """The data set with the mean of its training cases, rather than of all, in place of what is missing.

    Where fields are `known`, with what these have.
    """
    unit = {place: n for n, place in enumerate(places(dataset.fields))}
    train, fields = dataset.splits["train"].inputs, list(known or dataset.fields)
    for n, field in enumerate(fields):
        if field.missing and not known:
            fill = _mean(train[:, unit[n, "value"]], train[:, unit[n, "missing"]] == 1)
            fields[n] = replace(field, fill=fill)
    changed = [n for n, field in enumerate(fields) if field.missing and field != dataset.fields[n]]
    if not changed:
        return dataset
    splits = {name: replace(cases, inputs=cases.inputs.copy()) for name, cases in dataset.splits.items()}
    for n in changed:
        for cases in splits.values():
            cases.inputs[cases.inputs[:, unit[n, "missing"]] == 1, unit[n, "value"]] = fields[n].fill
    return replace(dataset, splits=splits, fields=tuple(fields))

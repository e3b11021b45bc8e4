"""A table of mixed columns: numbers, flags and categories, with cells that are missing."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np

from ...errors import DataError
from ...files import shown
from ...nn.fields import names
from .. import fields as kinds
from ..checks import assemble, check_size
from ..columns import Builder, is_missing, over
from .cells import label, number
from .lines import blocks_of, records

CELLS = 1 << 18  # that are held as texts at a time


def read(source, options):
    """Dataset of the units that stand for the columns of a CSV table."""
    table, columns, numbers, labels, weights, first = None, [], [], [], [], None
    for table, row, text in blocks_of(source, options):
        first = first or row
        columns = columns or builders(source, table)
        found = records(source, table, text, row)
        while part := list(islice(found, max(1, CELLS // table.width))):
            rows, cells = ([*column] for column in zip(*part, strict=True))
            labels += [label(source, table, c[n], row, n) for row, c in part for n in table.texts]
            if table.numeric:
                numbers += [[number(source, table, c[n], row, n) for n in table.labels] for row, c in part]
            weights += [number(source, table, c[n], row, n) for row, c in part for n in table.weights]
            cells = list(zip(*cells, strict=True))
            add(source, table, columns, cells, rows)
        check_size(source, sum(column.size for column in columns))
    check_rows(source, table, sum(map(len, columns[0].pieces)) if columns else 0)
    targets = np.array(numbers, np.float32) if numbers else label_array(source, labels)
    weights = np.array(weights, np.float32) if table.weights else None
    found = [column.finish() for column in columns]
    return dataset_of(source, table, found, targets, weights, first)


def dataset_in(source, table, text, row):
    """The Dataset of a block of text without its labels, by the table's fields; None where it has no cases."""
    found = list(records(source, table, text, row))
    if not found:
        return None
    columns = builders(source, table)
    rows, cells = (list(part) for part in zip(*found, strict=True))
    add(source, table, columns, list(zip(*cells, strict=True)), rows)
    return dataset_of(source, table, [column.finish() for column in columns], None, None, row)


def add(source, table, columns, cells, rows, use=Builder.add):
    """The cells of some rows, by the file's columns, to the Builders of the inputs, as use(builder, cells, rows)."""
    over(source, [(column, cells[n], rows) for n, column in zip(table.inputs, columns, strict=True)], use)


def builders(source, table):
    """An empty Builder for each input column."""
    fields, found = table.fields, []
    for place, n in enumerate(table.inputs):
        name, kind, known = table.header[n] if table.header else "", "text" if n in table.category else None, None
        if fields:
            kind, known = ("number", None) if fields[place].kind == "number" else ("text", fields[place].values)
        found.append(Builder(source, name, n + 1, kind, known))
    return found


def dataset_of(source, table, columns, targets, weights, first):
    """The Dataset of Columns, by the table's fields, or by those that are learned from them, unless all are numbers.

    `first` is the row of the first case.
    """
    if not table.fields and not table.category and (plain := _plain(source, table, columns)) is not None:
        return assemble(source, {"train": (plain, targets, str(source))}, table.names, weights, first)
    fields = table.fields or kinds.learn(source, columns, {n + 1 for n in table.category})
    inputs = kinds.encode(source, fields, columns)
    dataset = assemble(source, {"train": (inputs, targets, str(source))}, names(fields), weights, first)
    strange, digest = kinds.strange(fields, columns), kinds.fingerprint(fields, columns, targets)
    return replace(dataset, fields=fields, notes=table.notes(source), strange=strange, fingerprint=digest)


def _plain(source, table, columns):
    """float32 (N, D) where all is numbers, else None; DataError where it must be."""
    odd = next((c for c in columns if c.values is not None or np.isnan(c.cells).any()), None)
    if odd is None:
        check_size(source, 4 * len(columns) * len(columns[0].cells))
        return np.stack([column.cells for column in columns], axis=1)
    if not table.learns:
        raise DataError(f"{source}: {odd} has texts or missing cells and the model takes numbers alone; mend it")
    return None


def check_rows(source, table, count):
    """DataError for a table without cases."""
    if not count:
        raise DataError(f"{source} has {'a header but no rows' if table and table.header else 'no rows'}; give cases")


def label_array(source, labels):
    """Labels as an array of text, None for none, if they fit into memory."""
    check_size(source, 4 * len(labels) * max(map(len, labels), default=0))
    return np.array(labels) if labels else None


def whole(source, dataset):
    """The Dataset of a table that was read to its end: notes tell what is strange.

    Labels that are words for no value, as missing cells of inputs are, become empty; a note tells of these too.
    """
    notes, train = (*dataset.notes, *kinds.notes(source, dataset.strange)), dataset.splits["train"]
    if train.targets is not None and train.targets.dtype.kind == "U":
        names, places = np.unique(train.targets, return_inverse=True)
        absent = np.array([name != "" and is_missing(name) for name in names])
        if absent.any():
            few, count = " or ".join(f"'{shown(name)}'" for name in names[absent]), int(absent[places].sum())
            cases = f"{count:,} case{'s' * (count > 1)}"
            notes += (f"{source}: the label {few} counts as none, in {cases}; a class needs another name",)
            train = replace(train, targets=np.where(absent, "", names)[places])
    return replace(dataset, splits=dataset.splits | {"train": train}, notes=notes, strange=Counter())

"""Reader of CSV and TSV, plain or gzipped, a block of lines at a time.

A block without quotes goes to pyarrow, if it is there, or to np.loadtxt (measured 20 to 45 MB/s; splitting in Python
gave 6 to 30); both give the same. Whatever they refuse goes through the csv module, cell by cell, which reads what is
merely unusual and names the row and column of what is wrong. A table with other inputs than numbers is read again, as
one of mixed columns.
"""

import re
from functools import partial

import numpy as np

from ...files import pieces
from ..checks import LONGEST_LABEL, assemble, check_size
from . import arrow, mixed
from .cells import Mixed, label, number
from .faults import before_fault, halves
from .formats import STREAMED, check_unpacked, reading
from .lines import blocks_of, records

_BLANK = re.compile(r"\n[ \n]*\n")


def read(source, options):
    """Dataset of one table: numbers as inputs, or the units of mixed columns; text or numbers as labels."""
    with reading(source):
        check_unpacked(source)
        if not (options.fields or options.category):
            try:
                return mixed.whole(source, _read_numbers(source, options))
            except Mixed:
                pass
        return mixed.whole(source, mixed.read(source, options))


def _read_numbers(source, options):
    """A table whose inputs are all numbers; Mixed for another where its fields may be learned."""
    table, numbers, labels, first = None, [], [], None
    for table, row, text in blocks_of(source, options):
        first = first or row
        block, names = parse(source, table, text, row)
        numbers.append(block)
        check_size(source, sum(part.nbytes for part in numbers))  # it will be one piece
        labels += names
    mixed.check_rows(source, table, sum(map(len, numbers)))
    whole = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
    weights = None
    if table.weights:
        whole, weights = np.ascontiguousarray(whole[:, :-1]), whole[:, -1]
    inputs, width = whole, len(table.inputs)
    targets = mixed.label_array(source, labels)
    if table.labels and table.numeric:
        inputs, targets = np.ascontiguousarray(whole[:, :width]), whole[:, width:]
    return assemble(source, {"train": (inputs, targets, str(source))}, table.names, weights, first)


def stream(source, options, flow):
    """(None, the cases of one table without their labels, a Dataset a piece of the bytes that flow).

    What lies before a fault comes before its error. A table that comes in time is read as soon as a line of numbers, or
    two lines, are there.
    """
    return None, _stream(source, options, flow)


def _stream(source, options, flow):
    table, count = None, 0
    with reading(source):
        for table, row, text in blocks_of(source, options, pieces(flow, STREAMED)):
            for dataset in before_fault(partial(_dataset, source, table), halves, text, row):
                if dataset is not None:
                    count += len(dataset.splits["train"])
                    yield dataset
    mixed.check_rows(source, table, count)


def _dataset(source, table, text, row):
    """The Dataset of a block of text, None where it has no cases."""
    if table.fields:
        return mixed.dataset_in(source, table, text, row)
    numbers, _ = parse(source, table, text, row)
    inputs = np.ascontiguousarray(numbers[:, : len(table.inputs)])
    return assemble(source, {"train": (inputs, None, str(source))}, table.names, first=row) if len(inputs) else None


def parse(source, table, text, row):
    """float32 (N, D) of the columns that hold numbers, and the list of labels; `row` is the first line's number."""
    fast = None if '"' in text else _parse_lines(table, text)
    return fast if fast is not None else _parse_cells(source, table, text, row)


def _parse_lines(table, text):
    """The same by pyarrow or np.loadtxt for lines that are all plain, or None."""
    split = table.dialect["delimiter"]
    if "\n\n" in text or "\n " in text:
        text = _BLANK.sub("\n", text)
    lines = [line for line in text.split("\n") if line.strip(" ")]
    if split == " ":
        lines = [" ".join(line.split(" ")).strip() if "  " not in line else " ".join(line.split()) for line in lines]
    if any(line.count(split) != table.width - 1 for line in lines):
        return None
    if not lines:
        return np.empty((0, len(table.numbers)), np.float32), []
    found = arrow.parse(table, lines) or _loaded(table, lines)
    if found is None or not np.isfinite(found[0]).all() or any(len(label) > LONGEST_LABEL for label in found[1]):
        return None
    return found


def _loaded(table, lines):
    """The same by np.loadtxt alone, or None."""
    options = {"delimiter": table.dialect["delimiter"], "comments": None, "ndmin": 2}
    try:
        columns = None if table.numbers == tuple(range(table.width)) else table.numbers
        numbers = np.loadtxt(lines, np.float32, usecols=columns, **options)
        labels = np.loadtxt(lines, object, usecols=table.texts[0], **options)[:, 0] if table.texts else []
    except ValueError:
        return None
    return numbers, [label.strip() for label in labels]


def _parse_cells(source, table, text, row):
    """The same cell by cell; raises the DataError that names what is wrong."""
    numbers, labels = [], []
    for line, cells in records(source, table, text, row):
        numbers.append([number(source, table, cells[n], line, n) for n in table.numbers])
        labels += [label(source, table, cells[n], line, n) for n in table.texts]
    return np.array(numbers, np.float32).reshape(len(numbers), len(table.numbers)), labels

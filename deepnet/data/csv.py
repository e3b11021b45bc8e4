"""Reader of CSV and TSV, plain or gzipped, a block of lines at a time.

A block without quotes goes to np.loadtxt (measured 20 to 45 MB/s; splitting in Python gave 6 to 30). Whatever that
refuses goes through the csv module, cell by cell, which reads what is merely unusual and names the row and column of
what is wrong. Rows count from 1 as in the file, its header and empty lines included.
"""

import csv
import re
from functools import partial

import numpy as np

from ..errors import DataError
from ..files import pieces, shown
from .dataset import LONGEST_LABEL, assemble
from .formats import STREAMED, check_size, check_unpacked, reading, unpacked
from .lines import BLOCK, before_fault, halves, text_blocks
from .table import is_blank, lines_of, read_table

LARGEST = float(np.finfo(np.float32).max)
_BLANK = re.compile(r"\n[ \n]*\n")
_LEADING = re.compile(r"[ \n]*")
_NUMBERS = re.compile(r"[\d\s.,;|+-]*([eE][\d\s.,;|+-]+)*")  # a line that is no header


def plain(source, blocks):
    """(what makes the plan of a table, blocks of its text), as its lines are."""
    return read_table, blocks


def read(source, options, front=plain):
    """Dataset of one table: numbers as inputs, text or numbers of the label columns as labels.

    `front` makes such text of lines that are of another form.
    """
    table, numbers, labels = None, [], []
    with reading(source):
        check_unpacked(source)
        blocks = text_blocks(source, pieces(unpacked(source), BLOCK))
        for table, *piece in _planned(source, options, *front(source, blocks)):
            block, names = parse(source, table, *piece)
            numbers.append(block)
            check_size(source, sum(part.nbytes for part in numbers))  # it will be one piece
            labels += names
    _check_rows(source, table, sum(map(len, numbers)))
    whole = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
    inputs, width = whole, len(table.inputs)
    check_size(source, 4 * len(labels) * max(map(len, labels), default=0))
    targets = np.array(labels) if labels else None
    if table.labels and table.numeric:
        inputs, targets = np.ascontiguousarray(whole[:, :width]), whole[:, width:]
    return assemble(source, {"train": (inputs, targets, str(source))}, table.columns)


def stream(source, options, flow, front=plain):
    """(None, the cases of one table without their labels, a Dataset a piece of the bytes that flow).

    What lies before a fault comes before its error. A table that comes in time is read as soon as a line of numbers, or
    two lines, are there.
    """
    return None, _stream(source, options, flow, front)


def _stream(source, options, flow, front):
    table, count = None, 0
    with reading(source):
        blocks = text_blocks(source, pieces(flow, STREAMED))
        for table, *piece in _planned(source, options, *front(source, blocks)):
            for block, _ in before_fault(partial(parse, source, table), halves, *piece):
                if len(block):
                    count += len(block)
                    inputs = np.ascontiguousarray(block[:, : len(table.inputs)])
                    yield assemble(source, {"train": (inputs, None, str(source))}, table.columns)
    _check_rows(source, table, count)


def _planned(source, options, plan, blocks):
    """(plan, text, number of its first line) of blocks of text, the header left out."""
    table = None
    for row, text in _begun(blocks):
        if table is None:
            table = plan(source, text, options)
            lines, text = _without_header(text, table)
            row += lines
        yield table, text, row


def _begun(blocks):
    """The same blocks, of which the first is enough for a plan: a line of numbers, or two; what is empty before is not.

    Perhaps that is a million lines of nothing.
    """
    first, held = 1, ""
    for row, text in blocks:
        if not held:
            blank = text.rfind("\n", 0, _LEADING.match(text).end()) + 1
            first, text = row + text.count("\n", 0, blank), text[blank:]
        held += text
        if _LEADING.fullmatch(held, held.find("\n") + 1) is None or _NUMBERS.fullmatch(held):
            yield first, held
            break
    else:
        if _LEADING.fullmatch(held) is None:
            yield first, held
    yield from blocks


def _check_rows(source, table, count):
    """DataError for a table without cases."""
    if not count:
        raise DataError(f"{source} has {'a header but no rows' if table and table.header else 'no rows'}; give cases")


def _without_header(text, table):
    """How many lines the header takes with the empty ones before it, and the text after them."""
    if not table.header:
        return 0, text
    rows = csv.reader(lines_of(text, table.dialect["delimiter"]), **table.dialect)
    next(row for row in rows if not is_blank(row))
    lines = rows.line_num
    start = 0
    for _ in range(lines):
        start = text.find("\n", start) + 1 or len(text)
    return lines, text[start:]


def parse(source, table, text, row):
    """float32 (N, D) of the columns that hold numbers, and the list of labels; `row` is the first line's number."""
    fast = None if '"' in text else _parse_lines(table, text)
    return fast if fast is not None else _parse_cells(source, table, text, row)


def _parse_lines(table, text):
    """The same by np.loadtxt for lines that are all plain, or None."""
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
    options = {"delimiter": split, "comments": None, "ndmin": 2}
    try:
        columns = None if table.numbers == tuple(range(table.width)) else table.numbers
        numbers = np.loadtxt(lines, np.float32, usecols=columns, **options)
        if not np.isfinite(numbers).all():
            return None
        labels = []
        if table.texts:
            labels = np.loadtxt(lines, object, usecols=table.texts[0], **options)[:, 0].tolist()
            labels = [label.strip() for label in labels]
    except ValueError:
        return None
    return None if any(len(label) > LONGEST_LABEL for label in labels) else (numbers, labels)


def _parse_cells(source, table, text, row):
    """The same cell by cell; raises the DataError that names what is wrong."""
    numbers, labels = [], []
    rows = csv.reader(lines_of(text, table.dialect["delimiter"]), strict=True, **table.dialect)
    line = row
    try:
        for cells in rows:
            if not is_blank(cells):
                if len(cells) != table.width:
                    raise DataError(
                        f"{source}: row {line} has {len(cells)} columns, the first row has {table.width}; mend that row"
                    )
                numbers.append([_number(source, table, cells[n], line, n) for n in table.numbers])
                labels += [_label(source, table, cells[n], line, n) for n in table.texts]
            line = row + rows.line_num
    except csv.Error as problem:
        raise DataError(f"{source}: row {line} cannot be read as CSV ({problem}); check its quotes") from None
    return np.array(numbers, np.float32).reshape(len(numbers), len(table.numbers)), labels


def _number(source, table, cell, row, column):
    """The finite number in a cell; NaN in an empty one of the labels."""
    if column in table.labels and not cell.strip():
        return np.nan
    try:
        value = float(cell) if "_" not in cell else None
    except ValueError:
        value = None
    if value is not None and abs(value) <= LARGEST:
        return value
    named = table.named(column)
    if not cell.strip():
        raise DataError(f"{source}: row {row}, {named} is empty; fill it in or leave the column out with --ignore")
    if value is not None:
        raise DataError(f"{source}: row {row}, {named} holds {shown(cell)}, not a finite float32; mend or remove it")
    if table.labels == (column,):
        held = f"{source}: row {row}, {named} holds '{shown(cell)}' where a number is due"
        raise DataError(f"{held}; mend it, or for classes give --task classify")
    position = shown(table.header[column]) if table.header and table.header[column] else column + 1
    choice = "" if table.labels else f"--label '{position}' if that is the label, "
    raise DataError(
        f"{source}: row {row}, {named} holds '{shown(cell)}' where a number is due; mend it, or give "
        f"{choice}--ignore '{position}' to leave the column out"
    )


def _label(source, table, cell, row, column):
    """The text of a label, empty for none, not too long."""
    if len(cell.strip()) <= LONGEST_LABEL:
        return cell.strip()
    fault = f"has a label of more than {LONGEST_LABEL} characters"
    raise DataError(f"{source}: row {row}, {table.named(column)} {fault}; mend or remove that row")

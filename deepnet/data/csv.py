"""Reader of CSV and TSV, plain or gzipped, a block of lines at a time.

A block without quotes goes to np.loadtxt (measured 20 to 45 MB/s; splitting in Python gave 6 to 30). Whatever that
refuses goes through the csv module, cell by cell, which reads what is merely unusual and names the row and column of
what is wrong. Rows count from 1 as in the file, its header and empty lines included.
"""

import csv
import re

import numpy as np

from ..errors import DataError
from ..files import shown
from .dataset import LONGEST_LABEL, assemble
from .formats import check_size, check_unpacked, reading, unpacked
from .table import is_blank, lines_of, read_table

BLOCK = 16 << 20  # bytes; no line may be longer
LARGEST = float(np.finfo(np.float32).max)
_BLANK = re.compile(r"\n[ \n]*\n")
_LEADING = re.compile(r"[ \n]*")
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def read(source, options):
    """Dataset of one table: numbers as inputs, text or numbers of the label columns as labels."""
    with reading(source):
        check_unpacked(source)
        table, numbers, labels = None, [], []
        for row, text in _text_blocks(source, unpacked(source)):
            if table is None:
                blank = text.rfind("\n", 0, _LEADING.match(text).end()) + 1  # perhaps a million lines of nothing
                row, text = row + text.count("\n", 0, blank), text[blank:]
                if not text:
                    continue
                table = read_table(source, text, options)
                lines, text = _without_header(text, table)
                row += lines
            block, names = parse(source, table, text, row)
            numbers.append(block)
            check_size(source, sum(part.nbytes for part in numbers))  # it will be one piece
            labels += names
    if not sum(len(block) for block in numbers):
        raise DataError(f"{source} has {'a header but no rows' if table and table.header else 'no rows'}; give cases")
    whole = numbers[0] if len(numbers) == 1 else np.concatenate(numbers)
    weights = None
    if table.weights:
        whole, weights = np.ascontiguousarray(whole[:, :-1]), whole[:, -1]
    inputs, width = whole, len(table.inputs)
    check_size(source, 4 * len(labels) * max(map(len, labels), default=0))
    targets = np.array(labels) if labels else None
    if table.labels and table.numeric:
        inputs, targets = np.ascontiguousarray(whole[:, :width]), whole[:, width:]
    columns = [table.header[n] for n in table.inputs] if table.header else ()
    return assemble(source, {"train": (inputs, targets, str(source))}, columns, weights)


def _text_blocks(source, stream):
    """(number of the first line, text of whole lines) of about BLOCK bytes each, lines ended by line feeds."""
    row, rest, first = 1, b"", True
    while True:
        data = stream.read(BLOCK)
        last = not data
        data = rest + data
        if first and data[:2] in _WIDE:
            raise DataError(f"{source} is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
        data, first = data.removeprefix(b"\xef\xbb\xbf") if first else data, False
        cut = len(data) if last else _end_of_lines(data)
        block, rest = data[:cut].replace(b"\r\n", b"\n").replace(b"\r", b"\n"), data[cut:]
        if len(rest) > BLOCK:
            where = row + block.count(b"\n")
            raise DataError(f"{source}: row {where} has a line or a quoted cell of more than 16 MB; check its quotes")
        if b"\0" in block or b"\0" in rest:
            where = row + (block + rest).split(b"\0", 1)[0].count(b"\n")
            raise DataError(f"{source}: row {where} holds a NUL byte; save the table as plain UTF-8 text")
        if block:
            yield row, _decoded(source, block, row)
        row += block.count(b"\n")
        if last:
            return


def _end_of_lines(data):
    """Where the last whole line ends that leaves no quote open; 0 if there is none."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        start = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', start, end)
        end = start
    return end


def _decoded(source, block, row):
    """The text of UTF-8 bytes."""
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError as problem:
        where = row + block.count(b"\n", 0, problem.start)
        raise DataError(f"{source}: row {where} is not UTF-8; convert it (`iconv -f LATIN1 -t UTF-8`)") from None


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

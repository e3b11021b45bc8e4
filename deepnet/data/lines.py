"""The text of a table in blocks of whole lines, and its records.

Rows count from 1 as in the file, its header and empty lines included.
"""

import csv
import re

from ..errors import DataError
from .formats import unpacked
from .sniffing import is_blank, lines_of
from .table import read_table

BLOCK = 16 << 20  # bytes; no line may be longer
_LEADING = re.compile(r"[ \n]*")
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def blocks_of(source, options):
    """(the Table, number of the first line, text) of each block, without the header."""
    table = None
    for row, text in _text_blocks(source, unpacked(source)):
        if table is None:
            blank = text.rfind("\n", 0, _LEADING.match(text).end()) + 1  # perhaps a million lines of nothing
            row, text = row + text.count("\n", 0, blank), text[blank:]
            if not text:
                continue
            table = read_table(source, text, options)
            lines, text = _without_header(text, table)
            row += lines
        yield table, row, text


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


def records(source, table, text, row):
    """(number of the line, cells) of each record; `row` is the first line's. DataError for one of another width."""
    rows = csv.reader(lines_of(text, table.dialect["delimiter"]), strict=True, **table.dialect)
    line = row
    try:
        for cells in rows:
            if not is_blank(cells):
                if len(cells) != table.width:
                    raise DataError(
                        f"{source}: row {line} has {len(cells)} columns, the first row has {table.width}; mend that row"
                    )
                yield line, cells
            line = row + rows.line_num
    except csv.Error as problem:
        raise DataError(f"{source}: row {line} cannot be read as CSV ({problem}); check its quotes") from None

"""The text of a table in blocks of whole lines, and its records.

Rows count from 1 as in the file, its header and empty lines included.
"""

import csv
import itertools
import re

from ...errors import DataError
from ...files import pieces
from .dialects import is_blank, lines_of
from .formats import unpacked
from .table import read_table

BLOCK = 16 << 20  # bytes; no line may be longer
_LEADING = re.compile(r"[ \n]*")
_NUMBERS = re.compile(r"[\d\s.,;|+-]*([eE][\d\s.,;|+-]+)*")  # a line that is no header
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"  # of UTF-8


def blocks_of(source, options, given=None):
    """(the Table, number of the first line, text) of each block, without the header.

    Of the bytes `given` piece by piece, or else of all of the file.
    """
    given = pieces(unpacked(source), BLOCK) if given is None else given
    table, text_blocks = None, _text_blocks(source, given, quoted=source.front is None)
    plan, blocks = source.front(source, text_blocks) if source.front else (read_table, text_blocks)
    for row, text in _begun(blocks):
        if table is None:
            table = plan(source, text, options)
            lines, text = _without_header(text, table)
            row += lines
        yield table, row, text


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
        if held and (_LEADING.fullmatch(held, held.find("\n") + 1) is None or _NUMBERS.fullmatch(held)):
            yield first, held
            break
    else:
        if held and _LEADING.fullmatch(held) is None:
            yield first, held
    yield from blocks


def _text_blocks(source, pieces, quoted):
    """(number of the first line, text of whole lines) of about a piece each, lines ended by line feeds.

    What lies before a fault comes before the DataError that names its row.
    """
    row, rest, begun = 1, b"", False
    for piece in itertools.chain(pieces, [b""]):
        data = rest + piece
        if not begun and piece and _MARK.startswith(data):
            rest = data
            continue
        if not begun and data[:2] in _WIDE:
            raise DataError(f"{source} is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
        data, begun = data if begun else data.removeprefix(_MARK), True
        cut = _end_of_lines(data, quoted) if piece else len(data)
        block, rest = data[:cut].replace(b"\r\n", b"\n").replace(b"\r", b"\n"), data[cut:]
        text, fault = _checked(block, rest)
        if text:
            yield row, text
        if fault:
            where = row + text.count("\n")
            raise DataError(f"{source}: row {where} {fault}")
        row += block.count(b"\n")


def _end_of_lines(data, quoted):
    """Where the last whole line ends that leaves no quote of CSV open; 0 if there is none."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
    quotes = data.count(b'"', 0, end) if quoted else 0
    while end and quotes % 2:
        start = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', start, end)
        end = start
    return end


def _checked(block, rest):
    """(the text of a block of lines up to the first that has a fault, the fault in words or None)."""
    fault = "has a line or a quoted cell of more than 16 MB; check its quotes" if len(rest) > BLOCK else None
    zero = block.find(b"\0")
    if zero >= 0 or b"\0" in rest:
        fault = "holds a NUL byte; save the table as plain UTF-8 text"
        block = block[: block.rfind(b"\n", 0, zero) + 1] if zero >= 0 else block
    try:
        return block.decode("utf-8"), fault
    except UnicodeDecodeError as problem:
        good = block[: block.rfind(b"\n", 0, problem.start) + 1]
        return good.decode("utf-8"), "is not UTF-8; convert it (`iconv -f LATIN1 -t UTF-8`)"


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

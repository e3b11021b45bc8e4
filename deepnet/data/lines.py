"""From bytes as they come to text of whole lines; rows count from 1 as in the file, empty lines included."""

import itertools

import numpy as np

from ..errors import DataError

BLOCK = 16 << 20  # bytes; no line may be longer
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"  # of UTF-8


def text_blocks(source, pieces):
    """(number of the first line, text of whole lines) of about a piece each, lines ended by line feeds.

    What lies before a fault comes before the DataError that names its row.
    """
    row, rest, begun = 1, b"", False
    for piece in itertools.chain(pieces, [b""]):
        data = rest + piece
        if not begun and piece and len(data) < len(_MARK):
            rest = data
            continue
        if not begun and data[:2] in _WIDE:
            raise DataError(f"{source} is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
        data, begun = data if begun else data.removeprefix(_MARK), True
        cut = _end_of_lines(data) if piece else len(data)
        block, rest = data[:cut].replace(b"\r\n", b"\n").replace(b"\r", b"\n"), data[cut:]
        text, fault = _checked(block, rest)
        if text:
            yield row, text
        if fault:
            where = row + text.count("\n")
            raise DataError(f"{source}: row {where} {fault}")
        row += block.count(b"\n")


def _end_of_lines(data):
    """Where the last whole line ends that leaves no quote open; 0 if there is none."""
    end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
    quotes = data.count(b'"', 0, end)
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


def halves(text, row, quoted=True):
    """[(text, number of its first line)] of the lines before and after about the middle, where no quote is open.

    Quotes may be of another kind than those of CSV (not `quoted`): then any line may be the last.
    """
    lines = text.split("\n")
    lines = [line + "\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])
    closed = np.cumsum([quoted and line.count('"') for line in lines[:-1]], dtype=np.int64) % 2 == 0
    ends = np.flatnonzero(closed) + 1
    if not len(ends):
        return []
    cut = int(ends[np.abs(ends - len(lines) / 2).argmin()])
    return [("".join(lines[:cut]), row), ("".join(lines[cut:]), row + cut)]


def before_fault(parse, halves, *piece):
    """What `parse` makes of a piece; of one with a fault what it makes of all before it, then its DataError.

    `halves` cuts a piece into two, and gives none of what cannot be cut.
    """
    try:
        found = parse(*piece)
    except DataError:
        parts = halves(*piece)
        if not parts:
            raise
        for part in parts:
            yield from before_fault(parse, halves, *part)
    else:
        yield found

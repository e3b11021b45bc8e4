"""What comes before a fault in data that are read as they come."""

import numpy as np

from ...errors import DataError


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

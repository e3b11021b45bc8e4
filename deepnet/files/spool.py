"""What is held back until all of it is known."""

import tempfile

from ..errors import OutputError
from .names import reason

SMALL = 16 << 20  # bytes that are kept in memory
PIECE = 1 << 20  # bytes that are read at a time


def spooled(pieces):
    """(number of bytes, the same bytes piece by piece) once all have come; many lie in a temporary file meanwhile.

    OutputError where there is no room for it.
    """
    file = tempfile.SpooledTemporaryFile(SMALL)
    try:
        for piece in pieces:
            _write(file, piece)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    return size, _read(file)


def _write(file, piece):
    try:
        file.write(piece)
    except OSError as problem:
        raise OutputError(f"cannot write temporary data: {reason(problem)}; TMPDIR names their folder") from None


def _read(file):
    """Its bytes, then it is gone."""
    with file:
        while piece := file.read(PIECE):
            yield piece

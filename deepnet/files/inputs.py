"""The guarded open of what comes in: a regular file, since a pipe could hang us and a device has no end.

Standard input may be either; it is read once, whole within a bound, or piece by piece as it comes.
"""

import os
import select
import stat
import sys

from ..errors import DataError
from .names import missing, reason, shown

PIECE = 1 << 20  # bytes that are read at a time
PAUSE = 0.05  # seconds without a byte, after which what has come is handed on


def open_input(path, error=DataError):
    """A regular file, opened for reading bytes; anything else raises `error` with one sentence."""
    path = os.fspath(path)
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without a writer must not hang us
    except FileNotFoundError:
        raise error(missing(path)) from None
    except (OSError, ValueError) as problem:
        raise error(f"cannot read {shown(path)}: {reason(problem)}") from None
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(number, "rb")
    os.close(number)
    kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
    raise error(f"{shown(path)} is {kind}; give a regular file")


def read_input(path, error=DataError, most=None):
    """All bytes of a regular file, where there are at most so many."""
    with open_input(path, error) as file:
        try:
            data = file.read(-1 if most is None else most + 1)
        except OSError as problem:
            raise error(f"cannot read {shown(path)}: {reason(problem)}") from None
    if most is not None and len(data) > most:
        raise error(f"{shown(path)} holds more than {most} bytes; give a smaller file")
    return data


def open_stdin(error=DataError):
    """Standard input as a stream of bytes."""
    if sys.stdin is None:
        raise error("standard input is closed; give a file")
    return sys.stdin.buffer


def pieces(stream, most):
    """The bytes of a stream as they come: `most` at a time, fewer where it pauses, and at its end."""
    data = bytearray()
    while part := stream.read1(most - len(data)):
        data += part
        if len(data) == most or not _has_more(stream):
            yield bytes(data)
            data.clear()
    if data:
        yield bytes(data)


def _has_more(stream):
    """Whether a byte or the end comes before a pause; what is no file has them already."""
    try:
        number = stream.fileno()
    except OSError:
        return True
    waiting = select.poll()
    waiting.register(number, select.POLLIN)
    return bool(waiting.poll(1000 * PAUSE))


def read_stdin(most, error=DataError):
    """All bytes of standard input, where there are at most so many: what comes by a pipe may have no end."""
    stream, data = open_stdin(error), bytearray()
    try:
        while piece := stream.read(PIECE):
            data += piece
            if len(data) > most:
                raise error(f"standard input holds more than {most} bytes; give a file")
    except OSError as problem:
        raise error(f"cannot read standard input: {reason(problem)}") from None
    return data

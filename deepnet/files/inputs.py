"""The guarded open of what comes in: a regular file, since a pipe could hang us and a device has no end."""

import os
import stat
import sys

from ..errors import DataError
from .names import missing, reason, shown

PIECE = 1 << 20  # bytes that are read at a time


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


def read_stdin(most, error=DataError):
    """All bytes of standard input, where there are at most so many: what comes by a pipe may have no end."""
    if sys.stdin is None:
        raise error("standard input is closed; give a file")
    data = bytearray()
    try:
        while piece := sys.stdin.buffer.read(PIECE):
            data += piece
            if len(data) > most:
                raise error(f"standard input holds more than {most} bytes; give a file")
    except OSError as problem:
        raise error(f"cannot read standard input: {reason(problem)}") from None
    return data

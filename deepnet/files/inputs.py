"""The guarded open of what comes in: a regular file, since a pipe could hang us and a device has no end."""

import os
import stat

from ..errors import DataError
from .names import missing, reason, shown


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


def read_input(path, error=DataError):
    """All bytes of a regular file."""
    with open_input(path, error) as file:
        try:
            return file.read()
        except OSError as problem:
            raise error(f"cannot read {shown(path)}: {reason(problem)}") from None

"""What is to be read, and how: an open file, and what a user or a model says of its data."""

import re
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..errors import DataError, UsageError
from ..files import shown

_SIZE = re.compile(r"[1-9]\d{0,5}(?:[xX][1-9]\d{0,5})?", re.ASCII)


@dataclass(frozen=True)
class Options:
    """How to read: the label column (or array), columns to leave out, and the task they are read for.

    `spare` names columns that are left out too where there are such. `size` is what a user says of the shape of a case,
    `like` has the `shape` and `columns` of cases, such as a model's, that are to be matched where the format leaves
    them open.
    """

    label: str | None = None
    ignore: tuple[str, ...] = ()
    task: str | None = None
    spare: tuple[str, ...] = ()
    size: str | None = None
    like: Any = None

    def shape(self):
        """The shape that a case is to have, () where nothing says it; UsageError for a size that is none."""
        if self.size is None:
            return tuple(self.like.shape) if self.like is not None else ()
        if _SIZE.fullmatch(self.size) is None:
            raise UsageError(f"--size {shown(self.size)}: write HEIGHTxWIDTH of pictures, as in 28x28, or columns, 784")
        return tuple(map(int, self.size.lower().split("x")))


@dataclass(frozen=True)
class Source:
    """An open file: its name for messages and neighbours, its bytes, their number, what follows a colon in its name.

    A folder has no stream.
    """

    path: str
    stream: BinaryIO | None
    size: int
    key: str | None = None

    def __str__(self):
        return shown(self.path)


def refuse_ignore(source, options):
    """DataError where columns are to be left out of a format that has none with names."""
    if options.ignore:
        raise DataError(f"{source}: --ignore {shown(','.join(options.ignore))} is for columns of CSV and TSV; drop it")


def refuse_label(source, options):
    """DataError where a label is named in a format that has one place for it."""
    if options.label is not None:
        raise DataError(f"{source}: --label {shown(options.label)} is for tables and files of arrays; drop it")

"""The calls by which the writer changes a disk, as one object: tests give it disks that fail or lose their power."""

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Disk:
    """System calls by their names in `os`; they raise OSError."""

    open: Callable = os.open
    write: Callable = os.write
    fsync: Callable = os.fsync
    close: Callable = os.close
    link: Callable = os.link
    rename: Callable = os.replace
    unlink: Callable = os.unlink


DISK = Disk()

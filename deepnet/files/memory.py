"""How much memory there is, and arrays that go to a temporary file where they would take too much of it."""

import contextlib
import os

from ..errors import OutputError
from .names import reason


def free_memory():
    """Bytes that a program may still take: what the kernel would give without swapping, else the pages free."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("MemAvailable:"))
        return 1024 * int(line.split()[1])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def scratch(shape):
    """An uninitialised float32 array.

    In a temporary file, gone with the program, where it would take half of the free memory.
    """
    import tempfile

    import numpy as np

    size = 4 * int(np.prod(shape))
    if size <= free_memory() // 2:
        return np.empty(shape, np.float32)
    try:
        with tempfile.TemporaryFile() as file:
            return np.memmap(file, np.float32, "w+", shape=shape)
    except OSError as problem:
        raise OutputError(
            f"no room for {size >> 20} MB of activations: {reason(problem)} (TMPDIR names the folder)"
        ) from None

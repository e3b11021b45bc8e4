"""The guarded open of what comes in, the atomic write of what goes out; knows no model."""

from .disk import DISK, Disk
from .inputs import open_input, read_input
from .locks import hold
from .memory import free_memory, scratch
from .names import LONGEST, shown
from .outputs import check_output, is_one_of, previous, restore_previous, temporary, tidy, write_output

__all__ = [
    "DISK",
    "LONGEST",
    "Disk",
    "check_output",
    "free_memory",
    "hold",
    "is_one_of",
    "open_input",
    "previous",
    "read_input",
    "restore_previous",
    "scratch",
    "shown",
    "temporary",
    "tidy",
    "write_output",
]

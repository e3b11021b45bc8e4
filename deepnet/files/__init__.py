"""The guarded open of what comes in, the atomic write of what goes out; knows no model."""

from .inputs import open_input, read_input, read_stdin
from .memory import free_memory, scratch
from .names import LONGEST, shown
from .outputs import check_output, is_one_of, temporary, write_output

__all__ = [
    "LONGEST",
    "check_output",
    "free_memory",
    "is_one_of",
    "open_input",
    "read_input",
    "read_stdin",
    "scratch",
    "shown",
    "temporary",
    "write_output",
]

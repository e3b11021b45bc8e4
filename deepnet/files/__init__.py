"""The guarded open of what comes in, the atomic write of what goes out; knows no model."""

from .inputs import open_input, read_input, read_stdin
from .memory import check_disk, check_memory, free_disk, free_memory, is_large, resident, spare_memory
from .names import LONGEST, shown
from .outputs import check_output, is_one_of, temporary, write_output
from .probing import probe

__all__ = [
    "LONGEST",
    "check_disk",
    "check_memory",
    "check_output",
    "free_disk",
    "free_memory",
    "is_large",
    "is_one_of",
    "open_input",
    "probe",
    "read_input",
    "read_stdin",
    "resident",
    "shown",
    "spare_memory",
    "temporary",
    "write_output",
]

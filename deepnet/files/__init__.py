"""The guarded open of what comes in, the atomic write of what goes out; knows no model."""

from .disk import DISK, Disk
from .inputs import open_input, open_stdin, pieces, read_input, read_stdin
from .locks import hold, write_alone, writing_alone
from .memory import check_disk, check_memory, free_disk, free_memory, is_large, resident, spare_memory
from .names import LONGEST, as_cell, is_float, shown
from .outputs import check_output, is_one_of, previous, restore_previous, temporary, tidy, write_output
from .probing import probe
from .spool import spooled

__all__ = [
    "DISK",
    "LONGEST",
    "Disk",
    "as_cell",
    "check_disk",
    "check_memory",
    "check_output",
    "free_disk",
    "free_memory",
    "hold",
    "is_float",
    "is_large",
    "is_one_of",
    "open_input",
    "open_stdin",
    "pieces",
    "previous",
    "probe",
    "read_input",
    "read_stdin",
    "resident",
    "restore_previous",
    "shown",
    "spare_memory",
    "spooled",
    "temporary",
    "tidy",
    "write_alone",
    "write_output",
    "writing_alone",
]

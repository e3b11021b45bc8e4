"""One HDF5 file a model.

Architecture, parameters, preparation of the data, history, lineage, and what a cut run needs to go on.

The file is built in memory, closed by a trailer of 64 bytes (magic, version, body length, SHA-256 of the body) and
written whole. It holds no clock, thread count or path, so one run gives one file, byte for byte. Nothing in it is
imported or evaluated: names are looked up in tables, arrays are checked against the shapes that the architecture
implies. Who can make a seal can still write nonsense, so what the seal has passed is checked as if there were none.
"""

import io
import os

os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")  # an unknown filter must not make HDF5 load libraries

import h5py

from ..errors import ModelError
from ..files import DISK, previous, probe, read_input, shown, write_output
from .contents import KINDS, NUMERICS, PROJECTIONS, Checkpoint, Preparation, Projection, kind_of
from .decoding import decode
from .encoding import encode
from .sealing import MAGIC, VERSION, DamagedError, seal, unseal
from .tree import tree

__all__ = ["KINDS", "MAGIC", "NUMERICS", "PROJECTIONS", "VERSION", "Checkpoint", "DamagedError", "Preparation",
           "Projection", "encode", "is_whole", "kind_of", "load", "load_last", "save", "seal", "unseal"]  # fmt: skip

# What a crafted file makes h5py, json and NumPy raise, and our own look-ups where a part is missing or of another kind.
_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, ArithmeticError)


def save(path: str, checkpoint: Checkpoint, keep: bool = False, disk=DISK) -> str:
    """Write the file, whole or not at all; returns its SHA-256. OutputError when it cannot be written.

    With `keep` the file that was there stays under the name `files.previous(path)`.
    """
    body = encode(checkpoint)
    trailer = seal(body)
    write_output(path, body + trailer, keep, disk)
    return trailer[-32:].hex()


def load(path: str) -> Checkpoint:
    """Read and check a model file; ModelError with one sentence, DamagedError for one that was whole once."""
    if path == "-":
        raise ModelError("a model cannot come from standard input; give its file")
    name = shown(os.path.basename(path))
    data = read_input(path, ModelError)
    try:
        size = len(unseal(data, name))
    except DamagedError as problem:
        raise DamagedError(f"{problem}{_way_out(path)}") from None

    def walk():
        with h5py.File(io.BytesIO(data), "r") as file:  # the seal behind it does no harm, a copy would take memory
            return tree(file, name, size)

    probe(walk, size, name, ModelError)
    try:
        checkpoint = decode(walk(), name)
    except _DAMAGE as problem:
        reason = shown(str(problem).splitlines()[0] if str(problem) else type(problem).__name__)
        raise ModelError(f"{name} is not a whole deepnet model ({reason}); make it again") from problem
    checkpoint.digest = data[-32:].hex()
    return checkpoint


def is_whole(path: str) -> bool:
    """Whether there is a file whose bytes agree with its seal."""
    try:
        unseal(read_input(path, ModelError), "")
    except ModelError:
        return False
    return True


def load_last(path: str) -> tuple[Checkpoint, str | None]:
    """What a run goes on from: the file, or where that is damaged or gone the save before it, and a warning of that."""
    before = previous(path)
    name, kept = (shown(os.path.basename(p)) for p in (path, before))
    found = "is gone"
    try:
        if os.path.exists(path) or not os.path.exists(before):
            return load(path), None
    except DamagedError:
        if not os.path.exists(before):
            raise
        found = "is damaged"
    try:
        return load(before), f"{name} {found}: the run goes on from {kept}, the save before it"
    except DamagedError:
        raise DamagedError(f"{name} {found} and {kept} is damaged; use --force to start anew") from None


def _way_out(path: str) -> str:
    """What is left of a run whose file is damaged, in words."""
    before = previous(path)
    if not os.path.exists(before):
        return ""
    return f"; {shown(os.path.basename(before))} is the save before it, from which the run goes on with --resume"

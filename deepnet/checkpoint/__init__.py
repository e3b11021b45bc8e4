"""One HDF5 file a model.

Architecture, parameters, preparation of the data, history, lineage, and what a cut run needs to go on.

The file is built in memory, closed by a trailer of 64 bytes (magic, version, body length, SHA-256 of the body) and
written whole. It holds no clock, thread count or path, so one run gives one file, byte for byte. Nothing in it is
imported or evaluated: names are looked up in tables, arrays are checked against the shapes that the architecture
implies. Who can make a seal can still write nonsense, so what the seal has passed is checked as if there were none.
"""

import hashlib
import io
import os

os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")  # an unknown filter must not make HDF5 load libraries

import h5py

from ..errors import ModelError
from ..files import probe, read_input, shown, write_output
from .contents import KINDS, NUMERICS, PROJECTIONS, Checkpoint, Preparation, Projection, kind_of
from .decoding import decode
from .encoding import encode
from .sealing import MAGIC, VERSION, seal, unseal
from .tree import tree

__all__ = ["KINDS", "MAGIC", "NUMERICS", "PROJECTIONS", "VERSION", "Checkpoint", "Preparation", "Projection", "encode",
           "kind_of", "load", "save", "seal", "unseal"]  # fmt: skip

# What a crafted file makes h5py, json and NumPy raise, and our own look-ups where a part is missing or of another kind.
_DAMAGE = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, ArithmeticError)


def save(path: str, checkpoint: Checkpoint) -> str:
    """Write the file, whole or not at all; returns its SHA-256. OutputError when it cannot be written."""
    body = encode(checkpoint)
    write_output(path, body + seal(body))
    return hashlib.sha256(body).hexdigest()


def load(path: str) -> Checkpoint:
    """Read and check a model file; ModelError with one sentence."""
    name = shown(os.path.basename(path))
    data = read_input(path, ModelError)
    size = len(unseal(data, name))

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

"""An HDF5 file as nested dicts: hard links only, plain types only, no more data than the file has bytes."""

import h5py
import numpy as np

from ..errors import ModelError
from ..files import shown

DEEPEST, MOST_IN_A_GROUP, MOST_OBJECTS, MOST_ATTRIBUTES = 4, 10_000, 100_000, 64
TYPES = ("float32", "float64", "int32", "int64", "uint32", "uint64", "uint8")  # in the machine's byte order
FOREIGN = "it was not written by deepnet"


def tree(file: h5py.File, name: str, size: int) -> dict:
    """{key: array or dict} of a file of `size` bytes, at "" each group's attributes; ModelError for all else."""
    left = {"bytes": size, "objects": MOST_OBJECTS}

    def visit(group, depth):
        left["objects"] -= len(group)
        if depth > DEEPEST or len(group) > MOST_IN_A_GROUP or left["objects"] < 0:
            raise ModelError(f"{name} is nested or filled beyond what a model is; {FOREIGN}")
        out = {"": _attributes(group, name)}
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ModelError(f"{name}: {shown(key)} is a link; a model holds its data itself")
            kind = group.get(key, getclass=True)
            if kind not in (h5py.Group, h5py.Dataset):
                raise ModelError(f"{name}: {shown(key)} is neither a group nor an array; {FOREIGN}")
            out[key] = visit(group[key], depth + 1) if kind is h5py.Group else _array(group[key], key, name, left)
        return out

    return visit(file, 0)


def _attributes(thing, name: str) -> dict:
    """A group's attributes as text and numbers."""
    if len(thing.attrs) > MOST_ATTRIBUTES:
        raise ModelError(f"{name} has {len(thing.attrs)} attributes in one place; {FOREIGN}")
    found = {}
    for key in thing.attrs:
        kind = thing.attrs.get_id(key)
        if kind.shape != () or kind.dtype.kind not in "Sif":
            raise ModelError(f"{name}: attribute {shown(key)} has an unexpected type; {FOREIGN}")
        value = thing.attrs[key]
        found[key] = value.decode() if isinstance(value, bytes) else value.item()
    return found


def _array(data, key: str, name: str, left: dict) -> np.ndarray:
    """A dataset's values, if they are plain, in the file itself, in one piece, and each byte of them is there."""
    plist = data.id.get_create_plist()
    plain = data.dtype in TYPES or data.dtype.kind == "S"
    whole = plist.get_layout() == h5py.h5d.CONTIGUOUS and not plist.get_external_count() and data.shape is not None
    left["bytes"] -= data.nbytes if whole else 0
    if not plain or not whole or data.id.get_storage_size() != data.nbytes or left["bytes"] < 0:
        raise ModelError(f"{name}: dataset {shown(key)} has an unexpected type or size; {FOREIGN}")
    return data[()]

"""Reader of HDF5, which believes nothing that the file says of itself.

libhdf5 follows a file wherever it points, so each object is looked at before it is read: hard links, plain numbers or
fixed-length text, storage in the file itself, filters we know, and no more values than the stored bytes can stand for.
"""

import io
import math
import os
from dataclasses import replace

import numpy as np

from ...errors import DataError
from ...files import is_large, probe, shown
from ...files.rows import Rows, scratch
from ..checks import assemble, check_numbers, check_rows, refuse_columns
from ..conventions import NAMES, choose
from ..dataset import with_shape
from .attributes import refuse_matlab, shape_attribute, text_attribute
from .chunks import Chunks, chunks_of
from .formats import RATIO, kept_place

MOST_NAMES = 10_000
BLOCK = 16 << 20
TOUCHED = 64 << 20  # bytes of chunks that a probe fetches


def read(source, options, load=None):
    """Dataset of the arrays of an HDF5 file, or of one of its groups, that are named as inputs and labels.

    `load` makes it, as `_load` does, of arrays that were checked.
    """
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # before HDF5 starts: an unknown filter must not load a library
    import h5py  # noqa: F401 here, not above: 0.2 s that other formats need not wait for; before a child needs it

    refuse_columns(source, options)
    with kept_place(source.stream):
        probe(lambda: _open(source, options, _touch), source.size, str(source))
    try:
        return _open(source, options, load or _load)
    except (OSError, RuntimeError, KeyError, ValueError) as problem:
        raise DataError(f"{source} is a damaged HDF5 file ({shown(problem)}); fetch or save it again") from None


def _open(source, options, do):
    """Choose the arrays by name, check them, and `do(source, parts, shape)` something with them while the file is open.

    parts: {split: (inputs, labels or None, weights or None, where)}; an array gives rows, `[first:last]`. shape: of a
    case, from an attribute, or None.
    """
    import h5py

    with h5py.File(source.stream, "r") as file:
        _refuse_model(source, file)
        group, key = file, None
        if source.key:
            found = _walk(source, file, source.key)
            if _is_group(found):
                group = found
            else:
                path = source.key.strip("/")
                group, key = (_walk(source, file, os.path.dirname(path)), os.path.basename(path))
        bare = {name: (getattr(options, name) or "").strip("/") or None for name in ("label", "weight")}
        own, parts, shape = replace(options, **bare, spare=tuple(s.strip("/") for s in options.spare)), {}, None
        for split, (x, y) in choose(source, _names(source, group), own, key).items():
            where, w = f"{source}:{shown(x)}", bare["weight"] if split == "train" else None
            inputs, labels, weights = (
                None if name is None else _checked(_walk(source, group, name), f"{source}:{shown(name)}", source.size)
                for name in (x, y, w)
            )
            check_rows(inputs.shape, where)
            check_numbers(inputs.dtype, where)
            parts[split] = (inputs, labels, weights, where)
            shape = shape or shape_attribute(_walk(source, group, x))
        return do(source, parts, shape)


def _touch(source, parts, shape):
    """Have libhdf5 find what `_load` reads."""
    for values in (array for *arrays, _ in parts.values() for array in arrays if array is not None):
        if isinstance(values, Chunks):
            values.touch(TOUCHED)
        else:
            values[:1], values[-1:]


def _load(source, parts, shape):
    """The Dataset: inputs as uint8 or float32, labels in their own type."""
    found = {n: (_rows(source, x), None if y is None else y[:], where) for n, (x, y, _, where) in parts.items()}
    weights = parts["train"][2]
    dataset = assemble(source, found, (), None if weights is None else weights[:])
    return with_shape(dataset, shape) if shape and len(dataset.shape) == 1 else dataset


def _refuse_model(source, file):
    """DataError where the file is a model of ours, which says so in an attribute."""
    if text_attribute(file, b"format") == b"deepnet":
        raise DataError(f"{source} is a deepnet model, not data; look at it with `deepnet inspect`, or give data")


def _is_group(thing):
    """Whether this is a group, not a dataset."""
    import h5py

    return isinstance(thing, h5py.Group)


def _names(source, group):
    """The datasets of a group, hard links only, in the order of their names."""
    import h5py

    if len(group) > MOST_NAMES:
        raise DataError(f"{source} has {len(group)} names in one group; give one dataset as {source}:/PATH")
    hard = [name for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]
    names = [name for name in hard if group.get(name, getclass=True) is h5py.Dataset]
    for name in group:
        if name not in hard and name.lower() in NAMES:
            _walk(source, group, name)
    return names


def _walk(source, group, path):
    """The object at a path whose every step is a hard link."""
    import h5py

    here = group
    for step in (part for part in path.split("/") if part):
        link = here.get(step, getlink=True) if _is_group(here) else None
        if link is None:
            raise DataError(f"{source}: nothing is at {shown(path)}; look with `h5dump -n` and give {source}:/PATH")
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{source}: {shown(path)} is a soft or external link; copy the data into the file")
        here = here[step]
    return here


def _checked(data, where, size):
    """The array, if libhdf5 can read it from this file alone, into as much memory as it may take; else DataError."""
    refuse_matlab(data, where)
    if _is_group(data):
        raise DataError(f"{where} is a group; give the path of a dataset in it")
    from h5py import h5d, h5t

    plist, kind = data.id.get_create_plist(), data.id.get_type()
    if plist.get_external_count() or plist.get_layout() == h5d.VIRTUAL:
        raise DataError(f"{where} takes its values from another file; copy them into this one")
    plain = kind.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM)
    text = kind.get_class() == h5t.STRING and not kind.is_variable_str()
    if not (plain or text):
        raise DataError(f"{where} holds values of variable length, references or records; store numbers or fixed text")
    if data.shape is None or len(data.shape) == 0:
        raise DataError(f"{where} holds no array; give a dataset of rank 1 to 4")
    chunks = chunks_of(data, where, size) if plist.get_layout() == h5d.CHUNKED else None
    declared, stored = math.prod(data.shape) * kind.get_size(), data.id.get_storage_size()
    if stored > size or declared > stored * (RATIO if chunks is not None and chunks.packed else 1):
        raise DataError(f"{where} says shape {data.shape}, {declared} bytes, but stores {stored}; save it again")
    return data if chunks is None else chunks


def _rows(source, data):
    """Inputs as uint8 or float32, converted some rows at a time.

    Those that are large stay in the file; where they are packed or of another type they go to a temporary one.
    """
    dtype = np.dtype(np.uint8 if data.dtype == np.uint8 else np.float32)
    plain = not isinstance(data, Chunks) and data.dtype == dtype and not isinstance(source.stream, io.BytesIO)
    if plain and data.id.get_offset() is not None and is_large(dtype.itemsize * math.prod(data.shape)):
        return Rows.of(source.stream.fileno(), data.id.get_offset(), data.shape, dtype)
    out = scratch(data.shape, dtype, "the data")
    step = data.chunks[0] if data.chunks else 1
    rows = step * max(1, BLOCK // (step * math.prod(data.shape[1:]) * data.dtype.itemsize))
    with np.errstate(over="ignore"):
        for first in range(0, len(out), rows):
            out[first : first + rows] = data[first : first + rows]
    return out

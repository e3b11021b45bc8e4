"""Reader of HDF5, which believes nothing that the file says of itself.

libhdf5 follows a file wherever it points, so each object is looked at before it is read: hard links, plain numbers or
fixed-length text, storage in the file itself, filters we know, and no more values than the stored bytes can stand for.
"""

import io
import math
import os

import numpy as np

from ..errors import DataError
from ..files import is_large, shown
from ..files.rows import Rows, scratch
from .conventions import NAMES, choose
from .dataset import RATIO, assemble, check_numbers, check_rows, refuse_ignore, with_shape

LARGEST_CHUNK = 64 << 20
MOST_NAMES = 10_000
BLOCK = 16 << 20


def read(source, options):
    """Dataset of the arrays of an HDF5 file, or of one of its groups, that are named as inputs and labels."""
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # before HDF5 starts: an unknown filter must not load a library
    import h5py  # here, not above: 0.2 s that other formats need not wait for

    refuse_ignore(source, options)
    try:
        with h5py.File(source.stream, "r") as file:
            _refuse_model(source, file)
            return _dataset(source, options, file)
    except (OSError, RuntimeError, KeyError, ValueError) as problem:
        raise DataError(f"{source} is a damaged HDF5 file ({shown(problem)}); fetch or save it again") from None


def _dataset(source, options, file):
    """Choose the arrays by name, read them, and take the shape of a case from an attribute where there is one."""
    group, key = file, None
    if source.key:
        found = _walk(source, file, source.key)
        if _is_group(found):
            group = found
        else:
            path = source.key.strip("/")
            group, key = (_walk(source, file, os.path.dirname(path)), os.path.basename(path))
    label = options.label.strip("/") if options.label else None
    chosen = choose(source, _names(source, group), label, key)
    parts, shape = {}, None
    for split, (x, y) in chosen.items():
        inputs = _walk(source, group, x)
        shape = shape or _shape_attribute(inputs)
        labels = None if y is None else _read(_walk(source, group, y), f"{source}:{shown(y)}", source)
        where = f"{source}:{shown(x)}"
        parts[split] = (_read(inputs, where, source, inputs=True), labels, where)
    dataset = assemble(source, parts)
    return with_shape(dataset, shape) if shape and len(dataset.shape) == 1 else dataset


def _refuse_model(source, file):
    """DataError where the file is a model of ours, which says so in an attribute."""
    from h5py import h5a, h5t

    if h5a.exists(file.id, b"format"):
        kind = h5a.open(file.id, b"format").get_type()
        if kind.get_class() == h5t.STRING and not kind.is_variable_str() and file.attrs["format"] == b"deepnet":
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


def _check(data, where, size):
    """DataError unless libhdf5 can read this dataset from this file alone, into as much memory as it may take."""
    from h5py import h5d, h5t, h5z

    plist, kind = data.id.get_create_plist(), data.id.get_type()
    known = {h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE, h5z.FILTER_LZF, h5z.FILTER_FLETCHER32}
    if plist.get_external_count() or plist.get_layout() == h5d.VIRTUAL:
        raise DataError(f"{where} takes its values from another file; copy them into this one")
    plain = kind.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM)
    text = kind.get_class() == h5t.STRING and not kind.is_variable_str()
    if not (plain or text):
        raise DataError(f"{where} holds values of variable length, references or records; store numbers or fixed text")
    filters = [plist.get_filter(n)[0] for n in range(plist.get_nfilters())]
    if not set(filters) <= known:
        raise DataError(f"{where} is packed with filter {filters}; repack it with gzip (`h5repack -f GZIP=4`)")
    if data.shape is None or len(data.shape) == 0:
        raise DataError(f"{where} holds no array; give a dataset of rank 1 to 4")
    declared, stored = math.prod(data.shape) * kind.get_size(), data.id.get_storage_size()
    packed = bool(set(filters) & {h5z.FILTER_DEFLATE, h5z.FILTER_LZF})
    if stored > size or declared > stored * (RATIO if packed else 1):
        raise DataError(f"{where} says shape {data.shape}, {declared} bytes, but stores {stored}; save it again")
    if data.chunks and math.prod(data.chunks) * kind.get_size() > LARGEST_CHUNK:
        raise DataError(f"{where} has chunks of {data.chunks}, more than 64 MiB each; repack it with smaller ones")


def _read(data, where, source, inputs=False):
    """The values: inputs as uint8 or float32, converted some rows at a time; labels in their own type.

    Inputs that are large stay in the file, those that are packed or of another type in a temporary one.
    """
    if _is_group(data):
        raise DataError(f"{where} is a group; give the path of a dataset in it")
    _check(data, where, source.size)
    if not inputs:
        return data[()]
    check_rows(data.shape, where)
    check_numbers(data.dtype, where)
    dtype = np.dtype(np.uint8 if data.dtype == np.uint8 else np.float32)
    plain = data.dtype == dtype and data.id.get_offset() is not None and not isinstance(source.stream, io.BytesIO)
    if plain and is_large(dtype.itemsize * math.prod(data.shape)):
        return Rows.of(source.stream.fileno(), data.id.get_offset(), data.shape, dtype)
    out = scratch(data.shape, dtype, "the data")
    step = data.chunks[0] if data.chunks else 1
    rows = step * max(1, BLOCK // (step * math.prod(data.shape[1:]) * data.dtype.itemsize))
    with np.errstate(over="ignore"):
        for first in range(0, len(out), rows):
            out[first : first + rows] = data[first : first + rows]
    return out


def _shape_attribute(data):
    """The attribute `shape` of a dataset as a tuple, if it is a few plain integers."""
    from h5py import h5a, h5t

    if not h5a.exists(data.id, b"shape"):
        return None
    attribute = h5a.open(data.id, b"shape")
    if attribute.get_type().get_class() != h5t.INTEGER or len(attribute.shape) != 1 or attribute.shape[0] > 3:
        return None
    return tuple(int(n) for n in data.attrs["shape"])

"""Readers of MATLAB files: those of version 7.3 are HDF5, those of versions 5 to 7 are read by SciPy, an extra.

MATLAB stores arrays column by column, so that HDF5 has their axes in reverse; here they are as MATLAB shows them. Cases
lie along the first axis, or along the last where the labels are as many as that is long and not as the first.
Source: The MathWorks, "MAT-File Format" (R2019b).
"""

import math
import struct
import warnings
import zlib

import numpy as np

from ...errors import DataError, DeepnetError
from ...extras import extra
from ...files import probe, shown
from ..checks import assemble, check_size, refuse_columns
from ..conventions import NAMES, choose
from . import hdf5
from .attributes import NUMERIC, refuse_class
from .formats import PIECE, kept_place, most_unpacked

PACKED = 15  # the type of an element that is packed by zlib
_DAMAGED = (ValueError, TypeError, LookupError, ArithmeticError, OSError, EOFError, NotImplementedError, MemoryError,
            AttributeError, Warning, struct.error, zlib.error)  # fmt: skip


def read_73(source, options):
    """Dataset of the arrays of a file of version 7.3 that are named as inputs and labels."""
    return hdf5.read(source, options, _turned)


def read_5(source, options):
    """Dataset of the arrays of a file of version 5 to 7 that are named as inputs and labels."""
    matlab = extra("scipy.io.matlab", "mat")
    refuse_columns(source, options)
    work = most_unpacked(source.size)
    with kept_place(source.stream):
        probe(lambda: _arrays(matlab, source, options, work), source.size, str(source), work=work)
    return _assembled(source, _arrays(matlab, source, options, work))


def _turned(source, parts, shape):
    """The Dataset of arrays in an HDF5 file, whose axes are turned; `shape` is an attribute that MATLAB has not."""
    found = {}
    for name, (*arrays, where) in parts.items():
        check_size(where, sum(math.prod(a.shape) * (a.dtype.itemsize + 4) for a in arrays if a is not None))
        found[name] = (*(None if a is None else a[:].T for a in arrays), where)
    return _assembled(source, found)


def _arrays(matlab, source, options, most):
    """{split: (inputs, labels, weights, where)} by SciPy, of variables of numbers that come to `most` bytes at most."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of variables that come twice or cannot be read
            return _chosen(matlab, source, options, most)
    except DeepnetError:
        raise
    except (*_DAMAGED, matlab.MatReadError) as problem:
        raise DataError(f"{source} is a damaged MATLAB file ({shown(problem)}); save it again") from None


def _chosen(matlab, source, options, most):
    _check_unpacked(source, most)
    source.stream.seek(0)
    known = {name: (shape, kind) for name, shape, kind in matlab.whosmat(source.stream)}
    key = source.key.strip("/") if source.key else None
    wanted = NAMES | {key, options.label, options.weight}
    names = [name for name, (_, kind) in known.items() if kind in NUMERIC or name in wanted or name.lower() in wanted]
    chosen = choose(source, names, options, key)
    names = {name for pair in chosen.values() for name in (*pair, options.weight) if name is not None}
    for name in names:
        (shape, kind), where = known[name], f"{source}:{shown(name)}"
        refuse_class(kind, where)
        if (declared := NUMERIC[kind] * math.prod(shape)) > most or min(shape) < 0:
            found = f"says shape {shown(shape)}, {declared} bytes in a file of {source.size}"
            raise DataError(f"{where} {found}; save it with -v7.3 if that is right")
        check_size(where, declared + 4 * math.prod(shape))
    source.stream.seek(0)
    found = matlab.loadmat(source.stream, variable_names=names)
    return {
        split: (found[x], found.get(y), found.get(options.weight) if split == "train" else None, f"{source}:{shown(x)}")
        for split, (x, y) in chosen.items()
    }


def _check_unpacked(source, most):
    """DataError where what is packed comes to more than `most` bytes: SciPy takes some 100 MB of it at once."""
    stream, count = source.stream, 0
    stream.seek(126)
    order = "<" if stream.read(2) == b"IM" else ">"
    while len(tag := stream.read(8)) == 8:
        kind, size = struct.unpack(f"{order}II", tag)
        end, unpacker = stream.tell() + size, zlib.decompressobj()
        while kind == PACKED and (rest := end - stream.tell()) > 0 and (piece := stream.read(min(rest, PIECE))):
            while piece:
                count += len(unpacker.decompress(piece, PIECE))
                piece = unpacker.unconsumed_tail
                if count > most:
                    raise DataError(f"{source} unpacks to more than {most} bytes; save it with -v7.3 if that is right")
        stream.seek(end)


def _assembled(source, parts):
    """The Dataset, cases along the first axis, labels and weights in a row."""
    found = {name: (*_cases_first(x, _in_row(y)), where) for name, (x, y, _, where) in parts.items()}
    return assemble(source, found, (), _in_row(parts["train"][2]))


def _in_row(array):
    """What MATLAB shows as a row or a column as (N,)."""
    return array.reshape(-1) if array is not None and max(array.shape) == array.size else array


def _cases_first(x, y):
    """Inputs as MATLAB shows them, brought to one case a row, and labels."""
    return (np.moveaxis(x, -1, 0) if y is not None and len(x) != len(y) == x.shape[-1] else x), y

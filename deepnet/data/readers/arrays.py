"""Reader of NPY and NPZ. Nothing is unpickled, and a header is believed only if as many bytes follow as it says.

A header is searched for its three facts: NumPy's own reader evaluates it as Python, which has warnings and moods.

Source: NumPy enhancement proposal 1, "A simple file format for NumPy arrays"; an NPZ is a zip of such files.
"""

import math
import re
import zipfile
import zlib
from functools import partial

import numpy as np

from ...errors import DataError
from ...files import pieces, shown
from ..checks import assemble, check_numbers, check_rows, check_size, refuse_columns
from ..conventions import choose
from .faults import before_fault
from .formats import STREAMED, empty, fill, most_unpacked, reading

MOST_DIRECTORY = 1 << 20  # bytes of a zip's list of members: some ten thousand
LONGEST_HEADER = 10_000  # NumPy's own limit for files that are not trusted
_WIDTHS = {b"\1\0": 2, b"\2\0": 4}  # version of the format: bytes that give the length of its header
_TYPE = re.compile(r"""['"]descr['"]\s*:\s*['"]([<>|=]?[biufSU]\d{1,9})['"]""")
_ORDER = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)""")
_SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([\dL,\s]*)\)""")


def read_npy(source, options):
    """Dataset of the one array of an NPY file, without labels."""
    _refuse_words(source, options)
    with reading(source):
        return assemble(source, {"train": (read_array(source.stream, source.size, source), None, str(source))})


def _refuse_words(source, options):
    """DataError for columns to leave out and labels, which one array has not."""
    refuse_columns(source, options)
    if options.label is not None:
        raise DataError(f"{source} holds one array; keep --label {shown(options.label)} in an NPZ file beside it")


def read_npz(source, options):
    """Dataset of the arrays of an NPZ file that are named as inputs and labels."""
    refuse_columns(source, options)
    try:
        with zipfile.ZipFile(_Bounded(source)) as archive:
            members = _members(source, archive)
            chosen = choose(source, list(members), options, source.key)
            parts = {}
            for split, (x, y) in chosen.items():
                labels = None if y is None else _member(source, archive, members[y], y)
                parts[split] = (_member(source, archive, members[x], x), labels, f"{source}:{shown(x)}")
            name = options.weight
            return assemble(source, parts, (), name and _member(source, archive, members[name], name))
    except (zipfile.BadZipFile, RuntimeError, zlib.error, EOFError, OSError) as problem:
        raise DataError(f"{source} is a damaged or encrypted NPZ file ({shown(problem)}); save it again") from None


class _Bounded:
    """The stream of a zip, where no one read may be larger than the list of its members may be."""

    def __init__(self, source):
        self.source, stream = source, source.stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size=-1):
        """As many bytes, or all that are left."""
        if size > MOST_DIRECTORY:
            raise DataError(f"{self.source} says that its list of members has {size} bytes; save fewer arrays in it")
        return self.source.stream.read(size)


def _members(source, archive):
    """{array name: entry} of a zip, after a look at the names."""
    members = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name in members or name.startswith("/") or ".." in name.split("/"):
            raise DataError(f"{source} has a member {shown(entry.filename)} twice or outside; save it again")
        if entry.filename.endswith(".npy"):
            members[name] = entry
    return members


def _member(source, archive, entry, name):
    """One array of a zip, which must not unpack to more than deflate can pack."""
    where = f"{source}:{shown(name)}"
    if entry.flag_bits & 1:
        raise DataError(f"{where} is encrypted; save it without a password")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{where} is packed in a way that numpy does not use; save it with numpy.savez")
    if entry.file_size > most_unpacked(entry.compress_size):
        raise DataError(
            f"{where} says {entry.file_size} bytes in {entry.compress_size}; save it with numpy.savez if that is right"
        )
    with archive.open(entry) as stream:
        return read_array(stream, entry.file_size, where)


def _facts(header, where):
    """(shape, Fortran order, type) of an NPY header, which is the text of a Python dict."""
    kind, order, shape = (pattern.search(header) for pattern in (_TYPE, _ORDER, _SHAPE))
    if kind is None and "descr" in header:
        raise DataError(f"{where} holds no plain numbers or text ({shown(header[:80])}); save an array of numbers")
    try:
        dtype = np.dtype(kind[1]) if kind and order and shape else None
    except TypeError:
        dtype = None
    sizes = re.findall(r"\d+", shape[1]) if shape else []
    if dtype is None or any(len(size) > 20 for size in sizes):
        raise DataError(f"{where} has an NPY header that cannot be read; save it again with numpy.save")
    return tuple(map(int, sizes)), order[1] == "True", dtype


def header(stream, size, where):
    """(shape, Fortran order, type, bytes that follow) of an NPY stream of `size` bytes, None where that is not known.

    DataError unless as many follow as it says, where that is known.
    """
    start = stream.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in _WIDTHS:
        raise DataError(f"{where} is not an NPY file of version 1 or 2; save it with numpy.save")
    width = _WIDTHS[start[6:]]
    count = stream.read(width)
    length = int.from_bytes(count, "little")
    if len(count) < width or length > min(LONGEST_HEADER, LONGEST_HEADER if size is None else size):
        raise DataError(f"{where} has a header of {length} bytes; save it again with numpy.save")
    shape, fortran, dtype = _facts(stream.read(length).decode("latin-1"), where)
    declared = math.prod(shape) * dtype.itemsize
    found = declared if size is None else size - 8 - width - length
    if declared != found or max(shape, default=0) >= 1 << 62 or len(shape) > 32:
        raise DataError(f"{where} says shape {shown(shape)}, {shown(declared)} bytes, but holds {found}; save it again")
    return shape, fortran, dtype, declared


def read_array(stream, size, where):
    """The array of an NPY stream of `size` bytes, in its own type."""
    shape, fortran, dtype, declared = header(stream, size, where)
    array = empty(where, shape[::-1] if fortran else shape, dtype)
    if fill(stream, array) != declared or stream.read(1):
        raise DataError(f"{where} does not hold the {declared} bytes that it says; save it again")
    return array.T if fortran else array


def stream_npy(source, options, flow):
    """(number of cases, a Dataset a piece of the bytes that flow) of an NPY file; what lies before a fault comes first.

    (None, None) for a file in Fortran order, where a case's numbers do not lie together.
    """
    _refuse_words(source, options)
    with reading(source):
        shape, fortran, dtype, _ = header(flow, source.size, source)
    check_rows(shape, source)
    check_numbers(dtype, source)
    check_size(source, 8 * math.prod(shape[1:]))
    if not fortran:
        return shape[0], _cases(source, flow, shape, dtype)
    if source.size is None:
        raise DataError(f"{source} is in Fortran order, not case by case; save numpy.ascontiguousarray of it")
    return None, None


def _cases(source, flow, shape, dtype):
    """Datasets of the cases of this shape; DataError unless there are as many as it says."""
    width, rest, done = dtype.itemsize * math.prod(shape[1:]), b"", 0
    with reading(source):
        for piece in pieces(flow, max(STREAMED, width)):
            data = rest + piece
            count = min(len(data) // width, shape[0] - done)
            rest = data[count * width :]
            array = np.frombuffer(data, dtype, count * math.prod(shape[1:])).reshape(count, *shape[1:])
            if count:
                yield from before_fault(partial(_dataset, source), _halves, array, done + 1)
            done += count
            if rest and done == shape[0]:
                break
    if done < shape[0] or rest:
        found = "more follow" if done == shape[0] else f"holds only {done}"
        raise DataError(f"{source} says that it has {shape[0]} cases, but {found}; save it again")


def _dataset(source, array, row):
    """The Dataset of these cases, of which the first is in a row."""
    return assemble(source, {"train": (array, None, str(source))}, first=row)


def _halves(array, row):
    """[(cases, row of the first)] of the first half and the other."""
    middle = len(array) // 2
    return [(array[:middle], row), (array[middle:], row + middle)] if middle else []

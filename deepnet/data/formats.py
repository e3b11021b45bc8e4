"""Which format a file has: by its first bytes, then by its name; and its bytes, unpacked if gzipped, within bounds."""

import contextlib
import gzip
import math
import os
import re
import zlib

import numpy as np

from ..errors import DataError
from ..files import check_memory, shown
from .dataset import RATIO

HEAD = 4096
PIECE = 1 << 20  # bytes that are read at a time
SMALL = 64 << 20  # bytes that a packed file may unpack to, however small it is
LIKELY = 100  # times the packed size that larger ones may unpack to; MNIST has 5, what comes near RATIO is all zeros
KNOWN = "deepnet reads IDX, NPY, NPZ, HDF5, CSV, TSV and Parquet"
_MAGIC = (  # first bytes, format
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PAR1", "parquet"),
)
_FOREIGN = (  # first bytes of what we do not read, its name
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"RIFF", "a WebP picture"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"PARE", "an encrypted Parquet table"),
    (b"ORC\3", "an ORC table"),
    (b"ARROW1", "an Arrow table"),
    (b"MATLAB 5.0", "a MATLAB 5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x7fELF", "a program"),
)
_SUFFIXES = {".npy": "npy", ".npz": "npz", ".h5": "hdf5", ".hdf5": "hdf5", ".hdf": "hdf5", ".idx": "idx",
             ".parquet": "parquet"}  # fmt: skip
_PICTURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".bmp": "BMP", ".tif": "TIFF"}
_PICTURES |= {".tiff": "TIFF", ".webp": "WebP"}
_TEXT = (".csv", ".tsv", ".txt", ".tab", ".data", ".dat")
_IDX_NAME = re.compile(r"idx\d-(u?byte|int|float|double|short)$")


@contextlib.contextmanager
def reading(source):
    """Turn what a damaged file makes the libraries raise into a DataError that names the file."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise DataError(f"{source} is a damaged gzip file ({shown(problem)}); fetch or pack it again") from None
    except OSError as problem:
        raise DataError(f"cannot read {source}: {shown(problem.strerror or problem)}; check the file") from None


def head(source):
    """The first bytes of the file, unpacked if gzipped, and whether they were."""
    source.stream.seek(0)
    first = source.stream.read(HEAD)
    source.stream.seek(0)
    if first[:2] != b"\x1f\x8b":
        return first, False
    with reading(source):
        found = gzip.GzipFile(fileobj=source.stream, mode="rb").read(HEAD)
    source.stream.seek(0)
    return found, True


def unpacked(source):
    """The stream from its beginning, unpacked on the way if it is gzipped."""
    packed = head(source)[1]
    return gzip.GzipFile(fileobj=source.stream, mode="rb") if packed else source.stream


def most_unpacked(packed):
    """How many bytes a packed file or member of so many is allowed to unpack to."""
    return min(RATIO * packed, max(SMALL, LIKELY * packed))


def check_unpacked(source):
    """DataError where a gzipped file unpacks to more than it may, before it is parsed, which takes longer."""
    stream, most, count = unpacked(source), most_unpacked(source.size), 0
    while stream is not source.stream and (piece := stream.read(PIECE)):
        count += len(piece)
        if count > most:
            raise DataError(f"{source} unpacks to more than {most} bytes; if that is right, unpack it with `gunzip`")


def check_size(where, size):
    """OutputError where so many bytes beside those that the program has do not fit into the memory."""
    check_memory(size, f"{where}, read at once,", "save it as HDF5, which may be larger than memory")


def empty(where, shape, dtype):
    """An array to be filled, if it and the float32 form of it fit into the free memory."""
    as_it_is = dtype.kind in "SU" or dtype in (np.uint8, np.float32)
    check_size(where, math.prod(shape) * (dtype.itemsize + (0 if as_it_is else 4)))
    return np.empty(shape, dtype)


def fill(stream, array):
    """Read the bytes of a contiguous array; returns how many were there."""
    rest = memoryview(array.reshape(-1).view(np.uint8)) if array.size else memoryview(b"")
    done = 0
    while done < len(rest):
        count = stream.readinto(rest[done : done + PIECE])
        if not count:
            break
        done += count
    return done


def sniff(source):
    """The name of the format: "idx", "npy", "npz", "hdf5", "parquet" or "csv"; DataError for all else."""
    first, packed = head(source)
    name = os.path.basename(source.path).lower()
    name = name.removesuffix(".gz") if packed else name
    suffix = os.path.splitext(name)[1]
    claimed = "idx" if _IDX_NAME.search(name) else _SUFFIXES.get(suffix)
    if not first:
        raise DataError(f"{source} is empty; give a file with data")
    _refuse_foreign(source, first, suffix)
    found = next((format_ for magic, format_ in _MAGIC if first.startswith(magic)), None)
    if found is None and _has_hdf5_block(source, packed):
        found = "hdf5"
    if found is None and first[:2] == b"\0\0" and suffix not in _TEXT:
        found = "idx"
    if found in ("npy", "npz", "hdf5", "parquet") and packed:
        raise DataError(f"{source} is a gzipped {found.upper()} file; unpack it first with `gunzip`")
    return found or _text(source, first, suffix, claimed)


def _refuse_foreign(source, first, suffix):
    """DataError for what is of a format that we know and do not read, or named as a picture."""
    foreign = next((words for magic, words in _FOREIGN if first.startswith(magic)), None)
    if foreign is None and suffix in _PICTURES:
        raise DataError(f"{source} is named as a {_PICTURES[suffix]} picture and is none; {KNOWN}")
    # A table may begin with these two letters.
    if foreign is None or (foreign == "a BMP picture" and b"\0" not in first):
        return
    remedy = "; save the pictures as one array, cases x height x width, with numpy.save" if "picture" in foreign else ""
    raise DataError(f"{source} is {foreign}; {KNOWN}{remedy}")


def _has_hdf5_block(source, packed):
    """HDF5 may begin after a block of 512, 1024 ... bytes that belongs to the user, as MATLAB's files do."""
    if packed:
        return False
    places = [512 << n for n in range(6) if 512 << n < source.size]
    found = False
    for place in places:
        source.stream.seek(place)
        found = found or source.stream.read(8) == b"\x89HDF\r\n\x1a\n"
    source.stream.seek(0)
    return found


def _text(source, first, suffix, claimed):
    """The answer "csv" when it may be a table of text, else a DataError that says what it is."""
    wide = first[:2] in (b"\xff\xfe", b"\xfe\xff")
    binary = b"\0" in first and not wide
    if claimed is not None:
        found = "binary data of another kind" if binary else "text"
        raise DataError(f"{source} is {found}, not {claimed.upper()} as its name says; {KNOWN}, by content")
    if binary and suffix not in _TEXT:
        raise DataError(f"{source} is of a format unknown here (it starts with {first[:8]!r}); {KNOWN}")
    return "csv"

"""The bytes of a file: its first ones, unpacked if gzipped, and into arrays, all within bounds."""

import contextlib
import gzip
import math
import os
import zlib

import numpy as np

from ...errors import DataError
from ...files import shown
from ..checks import check_size

HEAD = 4096
PIECE = 1 << 20  # bytes that are read at a time
STREAMED = 4 << 20  # the same of what is worked on as it comes
RATIO = 1100  # most bytes that one stored byte may stand for; deflate reaches 1032
SMALL = 64 << 20  # bytes that a packed file may unpack to, however small it is
LIKELY = 100  # times the packed size that larger ones may unpack to; MNIST has 5, what comes near RATIO is all zeros


@contextlib.contextmanager
def reading(source):
    """Turn what a damaged file makes the libraries raise into a DataError that names the file."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise DataError(f"{source} is a damaged gzip file ({shown(problem)}); fetch or pack it again") from None
    except OSError as problem:
        raise DataError(f"cannot read {source}: {shown(problem.strerror or problem)}; check the file") from None


@contextlib.contextmanager
def kept_place(stream):
    """Put a file back to its place, which a child shares; what lies in memory is not shared."""
    try:
        number = stream.fileno()
    except OSError:
        yield
        return
    place = os.lseek(number, 0, os.SEEK_CUR)
    yield
    os.lseek(number, place, os.SEEK_SET)


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
    with reading(source):
        while count <= most and stream is not source.stream and (piece := stream.read(PIECE)):
            count += len(piece)
    if count > most:
        raise DataError(f"{source} unpacks to more than {most} bytes; if that is right, unpack it with `gunzip`")


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

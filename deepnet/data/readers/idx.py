"""Reader of IDX, the format of MNIST: images and labels in files of their own, plain or gzipped.

A file is two zero bytes, a type, the rank, the sizes as big-endian 32-bit integers, then the values. Given the images
of the training cases, a prefix of their name or their folder, the labels and the test pair are found beside them.
Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "File formats".
"""

import math
import os
import re
import struct

import numpy as np

from ...errors import DataError
from ...files import open_input, shown
from ..checks import assemble, check_rows, refuse_columns
from ..dataset import Source
from .formats import empty, fill, most_unpacked, reading, unpacked

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
IMAGES = tuple(f"train-images{mark}idx3-ubyte{suffix}" for mark in "-." for suffix in ("", ".gz"))


def images_at(path):
    """The file of training images in this folder or behind this prefix, or None."""
    stems = [os.path.join(path, "")] if os.path.isdir(path) else [path, path + "-"]
    return next((stem + name for stem in stems for name in IMAGES if os.path.exists(stem + name)), None)


def read(source, options):
    """Dataset of one file of images, its labels and its test pair where they lie beside it."""
    refuse_columns(source, options)
    parts = {"train": _pair(source, options.label)}
    test = _beside(source.path, ("t10k", "test"))
    if test is not None and os.path.basename(test) != os.path.basename(source.path):
        with open_input(test) as stream:
            parts["test"] = _pair(Source(test, stream, os.fstat(stream.fileno()).st_size), None)
    return assemble(source, parts)


def _pair(source, labels):
    """(images, labels or None, name for messages)."""
    images = read_array(source)
    if images.ndim == 1:
        raise DataError(f"{source} has rank 1: it holds labels; give the file of images")
    check_rows(images.shape, source)
    path = labels or _labels_of(source.path)
    if path is None:
        return images, None, str(source)
    with open_input(path) as stream:
        found = read_array(Source(path, stream, os.fstat(stream.fileno()).st_size))
    if found.ndim != 1 or found.dtype.kind == "f":
        raise DataError(f"{shown(path)} has shape {found.shape} and type {found.dtype}; labels are integers of rank 1")
    return images, found, str(source)


def _existing(paths):
    """The first of these that is there, gzipped or not."""
    both = (variant for path in paths for variant in (path, path + ".gz", path.removesuffix(".gz")))
    return next((variant for variant in both if os.path.exists(variant)), None)


def _labels_of(path):
    """The file of labels beside a file of images, or None."""
    folder, name = os.path.split(path)
    other = re.sub(r"idx\d", "idx1", name.replace("images", "labels").replace("imgs", "labels"))
    return _existing([os.path.join(folder, other)]) if other != name else None


def _beside(path, words):
    """The test images beside the training images, or None."""
    folder, name = os.path.split(path)
    return _existing([os.path.join(folder, name.replace("train", word)) for word in words if "train" in name])


def read_array(source):
    """The array of one IDX file, in its own type; DataError for a wrong header, size or gzip stream."""
    with reading(source):
        stream = unpacked(source)
        start = stream.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
            raise DataError(f"{source} starts with {start!r}, not with an IDX header; give an IDX file")
        rank = start[3]
        if not 1 <= rank <= 4:
            raise DataError(f"{source} has rank {rank}; IDX data here have rank 1 (labels) to 4")
        sizes = stream.read(4 * rank)
        if len(sizes) < 4 * rank:
            raise DataError(f"{source} ends within its header; fetch it again")
        return _values(source, stream, np.dtype(TYPES[start[2]]), struct.unpack(f">{rank}I", sizes))


def _values(source, stream, dtype, shape):
    """The values after the header, exactly as many as it says."""
    declared, packed = math.prod(shape) * dtype.itemsize, stream is not source.stream
    most = most_unpacked(source.size) if packed else source.size - 4 - 4 * len(shape)
    if declared > most:
        remedy = " or, if that is right, unpack it with `gunzip`" if packed else ""
        raise DataError(
            f"{source} says shape {shape}, {declared} bytes, but holds at most {most}; fetch it again{remedy}"
        )
    array = empty(source, shape, dtype)
    found = fill(stream, array)
    if found < declared:
        raise DataError(f"{source} says shape {shape}, {declared} bytes, but holds {found}; fetch it again")
    if stream.read(1):
        raise DataError(f"{source} says shape {shape}, {declared} bytes, but more follow; fetch it again")
    return array

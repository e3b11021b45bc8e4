"""Rows of an array that lie in a file and are read as they are asked for, so that data may be larger than memory.

They are read by `pread` and never mapped: mapped pages count as the program's own.
"""

import math
import os
import tempfile
import weakref

import numpy as np

from ..errors import DataError, OutputError
from .memory import check_disk, is_large
from .names import reason


class _File:
    """A descriptor of our own of an open file, closed when nobody needs it any more."""

    def __init__(self, number):
        self.number = os.dup(number)
        weakref.finalize(self, os.close, self.number)


class Rows:
    """(N, ...) numbers of one type, in C order from some byte of a file on.

    A slice, indices or a mask of rows give a new array; `at` the same rows unread. Whole blocks of rows may be written.
    """

    def __init__(self, file, offset, shape, dtype, places=None):
        self._file, self._offset, self._places = file, offset, places
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._width = self.dtype.itemsize * math.prod(self.shape[1:])

    @staticmethod
    def of(number, offset, shape, dtype):
        """Those of the file with this descriptor, which may be closed afterwards."""
        return Rows(_File(number), offset, shape, dtype)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        places = self._of(rows)
        found = bytearray().join(self._read(places)) if len(places) else bytearray()
        return np.frombuffer(found, self.dtype).reshape(len(places), *self.shape[1:])

    def __setitem__(self, rows, values):
        first = int(self._of(rows)[0])
        rest = memoryview(np.ascontiguousarray(values, self.dtype).reshape(-1).view(np.uint8))
        at = self._offset + first * self._width
        try:
            while rest:
                done = os.pwrite(self._file.number, rest, at)
                rest, at = rest[done:], at + done
        except OSError as problem:
            raise OutputError(f"cannot write temporary data: {reason(problem)}; TMPDIR names their folder") from None

    def at(self, rows):
        """The rows of a slice, of indices or a mask, unread."""
        places = self._of(rows)
        return Rows(self._file, self._offset, (len(places), *self.shape[1:]), self.dtype, places)

    def reshape(self, *shape):
        """The same rows as (N, D); only `reshape(N, -1)` is known."""
        if shape != (len(self), -1):
            raise ValueError(f"rows of {self.shape} have no shape {shape}")
        flat = (len(self), math.prod(self.shape[1:]))
        return Rows(self._file, self._offset, flat, self.dtype, self._places)

    def _of(self, rows):
        """int64 (n,): places in the file of a slice, of indices or a mask."""
        rows = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64, copy=False)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
        return rows if self._places is None else self._places[rows]

    def _read(self, places):
        """The bytes of the rows at these places, neighbours at once.

        Where they are scattered all are announced first, so that a disk works on them together.
        """
        firsts = np.concatenate([[0], np.flatnonzero(np.diff(places) != 1) + 1])
        counts = np.diff(firsts, append=len(places))
        offsets, sizes = (self._offset + places[firsts] * self._width).tolist(), (counts * self._width).tolist()
        number = self._file.number
        if len(sizes) > 1:
            for offset, size in zip(offsets, sizes, strict=True):
                os.posix_fadvise(number, offset, size, os.POSIX_FADV_WILLNEED)
        try:
            found = [os.pread(number, size, offset) for offset, size in zip(offsets, sizes, strict=True)]
        except OSError as problem:
            raise DataError(f"cannot read the data any more: {reason(problem)}") from None
        if list(map(len, found)) != sizes:
            raise DataError("the data were cut while they were read; leave their file as it is")
        return found


def taken(inputs, rows):
    """These rows of an array as an array, of Rows unread."""
    return inputs.at(rows) if isinstance(inputs, Rows) else inputs[rows]


def block(inputs, rows):
    """An array that holds these rows, and their places in it."""
    return (inputs[rows], np.arange(len(rows))) if isinstance(inputs, Rows) else (inputs, rows)


def scratch(shape, dtype=np.float32, what="activations"):
    """An uninitialised array; Rows of a temporary file, gone with the program, where it would be large."""
    size = np.dtype(dtype).itemsize * math.prod(shape)
    if not is_large(size):
        return np.empty(shape, dtype)
    remedy = "TMPDIR names a folder with more room"
    try:
        check_disk(tempfile.gettempdir(), size, what, remedy)
        with tempfile.TemporaryFile(buffering=0) as file:
            return Rows.of(file.fileno(), 0, shape, dtype)
    except OSError as problem:
        said = "no folder for it is there" if isinstance(problem, FileNotFoundError) else reason(problem)
        raise OutputError(f"{what} of {size >> 20:,} MB need a temporary file: {said}; {remedy}") from None

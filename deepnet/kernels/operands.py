"""What products multiply: how matrices lie in memory, which steps of a minibatch are not zero, and bfloat16.

Axes: R rows, C columns; B cases, M inputs.
"""

import contextlib
from typing import NamedTuple

import numpy as np
from numba import prange

from . import bfloat16
from .exp import ZERO
from .jit import compiled, njit, row_of
from .microkernel import AHEAD
from .tiles import panels_of

FEW = 1 << 14  # elements of a minibatch below which no list pays
SPARSE = 0.9  # share of a product's steps from which on leaving out the others does not pay


def stride(columns):
    """Elements from row to row for rows of `columns` elements.

    An odd number of 64-byte lines with at least one element over.

    The one padding rule, the same on every CPU: an odd number of lines spreads rows over all sets of a cache
    (a stride of 4096 bytes costs `down` a third of its speed).
    """
    return 16 * ((columns // 16 + 1) | 1)


def vector(count, dtype=np.float32):
    """Zeros (count,) that begin at a cache line."""
    size = np.dtype(dtype).itemsize
    raw = np.zeros(count * size + 64, np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + count * size].view(dtype)


def matrix(rows, columns, dtype=np.float32):
    """Zeros (rows, columns), each row padded by the one rule."""
    return vector(rows * stride(columns), dtype).reshape(rows, stride(columns))[:, :columns]


@njit(parallel=True)
def _list_steps(x, index, counts):
    rows, steps = x.shape
    panels = counts.size
    for p in prange(panels):
        used = np.zeros(steps, np.uint8)
        for i in range(rows * p // panels, rows * (p + 1) // panels):
            row = row_of(x, i, 0, steps)
            for k in range(steps):
                used[k] |= row[k] != ZERO
        n = 0
        for k in range(steps):
            index[p, n] = k
            n += used[k]
        counts[p] = n


@njit(parallel=True)
def _list_cases(x, index, counts):
    cases, rows = x.shape
    panels = counts.size
    for p in prange(panels):
        i0, i1 = rows * p // panels, rows * (p + 1) // panels
        n = 0
        for k in range(cases):
            row = row_of(x, k, i0, i1)
            some = np.uint8(0)
            for i in range(row.size):
                some |= row[i] != ZERO
            index[p, n] = k
            n += some
        counts[p] = n


class Rounding:
    """While it is entered, every product of float32 arrays rounds its operands to bfloat16; it owns the room for them.

    A run's precision, as `np.errstate` is its care for overflow. Products of other types are left as they are.
    """

    active: "Rounding | None" = None

    def __init__(self):
        self._rooms: dict[str, np.ndarray] = {}
        self._words: dict[tuple, np.ndarray] = {}
        self._outer: list[Rounding | None] = []
        self._weights: dict[int, tuple] = {}

    def __enter__(self):
        self._weights.clear()
        self._outer.append(Rounding.active)
        Rounding.active = self

    def __exit__(self, *problem):
        Rounding.active = self._outer.pop()

    def along(self, place, x):
        """The words of x (R, C) along its rows, (R, C/2), in the room of that name, until it is used again."""
        if x.strides[1] != x.itemsize:
            return self.across(place, x.T).T
        words = self._room(place, x.shape[0], (x.shape[1] + 1) // 2)
        bfloat16.along(x, words)
        return words

    def across(self, place, x):
        """The words of x (R, C) across its rows, (R/2, C)."""
        if x.strides[1] != x.itemsize:
            return self.along(place, x.T).T
        words = self._room(place, (x.shape[0] + 1) // 2, x.shape[1])
        bfloat16.across(x, words)
        return words

    def weights(self, W):
        """The words of W along and across its rows; this array must stay as it is until its last product in `with`."""
        known = self._weights.get(id(W))
        if known is None:
            place, (rows, columns) = len(self._weights), W.shape
            words = (
                self._room(f"weights {place}", rows, (columns + 1) // 2),
                self._room(f"weights' {place}", (rows + 1) // 2, columns),
            )
            bfloat16.both(W, *words)
            known = self._weights[id(W)] = W, *words
        return known[1:]

    def _room(self, place, rows, columns):
        known = self._words.get((place, rows, columns))
        if known is None:
            size, room = rows * stride(columns), self._rooms.get(place)
            if room is None or room.size < size:
                room = self._rooms[place] = vector(size)
                self._words = {key: words for key, words in self._words.items() if key[0] != place}
            known = room[:size].reshape(rows, -1)[:, :columns]
            self._words[place, rows, columns] = known
        return known


PRECISIONS = {"float32": contextlib.nullcontext, "bfloat16": Rounding}


@contextlib.contextmanager
def unrounded():
    """While it is entered, no product rounds its operands: data are prepared alike at every precision."""
    outer, Rounding.active = Rounding.active, None
    try:
        yield
    finally:
        Rounding.active = outer


class Listed(NamedTuple):
    """A minibatch x (B, M) with the steps that are not zero throughout a panel; products take it where they take x.

    Panels are of its rows for `up` (`steps`), of its columns for `outer` (`cases`). `along` and `across` are what these
    two multiply: x itself, or its words in bfloat16.
    """

    x: np.ndarray
    steps: tuple[np.ndarray, np.ndarray]
    cases: tuple[np.ndarray, np.ndarray]
    worth: list[bool]
    along: np.ndarray
    across: np.ndarray

    @staticmethod
    def room(cases, inputs, dtype):
        """A Listed for minibatches of at most so many cases, to be filled by `listed`."""
        lists = [
            (np.zeros((panels_of(rows), steps + AHEAD), np.int32), np.zeros(panels_of(rows), np.int32))
            for rows, steps in ((cases, inputs), (inputs, cases))
        ]
        x = matrix(cases, inputs, dtype)
        return Listed(x, *lists, [True], x, x)

    def listed(self, count):
        """The first `count` cases with lists of what they hold now; the bare array once there were few zeros."""
        panels = panels_of(count)
        x, (index, counts) = self.x[:count], self.steps
        if not (compiled(x) and self.worth[0] and x.size >= FEW):
            return x
        along, across = x, x
        if Rounding.active is not None:
            along, across = Rounding.active.along("x", x), Rounding.active.across("x'", x)
        lists = Listed(x, (index[:panels], counts[:panels]), self.cases, self.worth, along, across)
        _list_steps(along, *lists.steps)
        _list_cases(across, *lists.cases)
        self.worth[0] = int(lists.steps[1].sum()) < SPARSE * panels * along.shape[1]
        return lists


_WHOLE: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def whole(steps):
    """The list of a product that skips nothing."""
    if steps not in _WHOLE:
        _WHOLE[steps] = np.arange(steps + AHEAD, dtype=np.int32)[None, :], np.array([steps], np.int32)
    return _WHOLE[steps]

"""What products multiply: how matrices lie in memory, what is not zero in them, and bfloat16.

Axes: R rows, C columns; B cases, M inputs.
"""

import contextlib
from typing import NamedTuple

import numpy as np
from numba import prange

from . import bfloat16
from .exp import ZERO
from .jit import compiled, inner, njit, row_of
from .microkernel import AHEAD
from .tiles import PIECE

FEW = 1 << 14  # elements of a minibatch below which no list pays
SPARSE = 0.45  # share of a minibatch that is not zero from which on lists do not pay
BROAD = 128  # outputs from which on lists of the inputs pay
EVERY, REST = 8, 63  # rows of which one is counted to know; minibatches until the next try


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


@inner
def _list_row(x, i, values, index, starts):
    row, own, places = row_of(x, i, 0, x.shape[1]), row_of(values, i, 0, x.shape[1]), index[i]
    n = np.uint64(0)
    for piece in range(starts.shape[1] - 1):
        starts[i, piece] = n
        for k in range(piece * PIECE, min((piece + 1) * PIECE, row.size)):
            own[n] = row[k]
            places[n] = k
            n += np.uint64(row[k] != ZERO)
    starts[i, starts.shape[1] - 1] = n


@njit(parallel=True)
def _list_rows(x, values, index, starts):
    """What is not zero in each row of x (R, K), its steps, and where each PIECE of steps begins."""
    for i in prange(x.shape[0]):
        _list_row(x, i, values, index, starts)


@inner
def _turn_piece(piece, cases, values, index, starts, values_t, index_t, starts_t):
    first, last = piece * PIECE, min((piece + 1) * PIECE, values_t.shape[0])
    ends = np.zeros(PIECE, np.int64)
    for k in range(cases):
        if k % PIECE == 0:
            for j in range(first, last):
                starts_t[j, k // PIECE] = ends[j - first]
        for t in range(starts[k, piece], starts[k, piece + 1]):
            j = np.int64(index[k, t])
            n = ends[j - first]
            values_t[j, n] = values[k, t]
            index_t[j, n] = k
            ends[j - first] = n + 1
    for j in range(first, last):
        starts_t[j, starts_t.shape[1] - 1] = ends[j - first]


@njit(parallel=True)
def _turn_lists(cases, values, index, starts, values_t, index_t, starts_t):
    """The lists of x's columns from those of its rows."""
    for piece in prange(starts.shape[1] - 1):
        _turn_piece(piece, cases, values, index, starts, values_t, index_t, starts_t)


@njit
def _some(x, every):
    """Elements of every so many rows of x that are not zero."""
    n = 0
    for i in range(0, x.shape[0], every):
        row = row_of(x, i, 0, x.shape[1])
        for k in range(row.size):
            n += row[k] != ZERO
    return n


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


class Lists(NamedTuple):
    """What is not zero in the rows of a matrix (R, K): values and their steps (R, K), and where each PIECE begins."""

    values: np.ndarray
    index: np.ndarray
    starts: np.ndarray


class Listed(NamedTuple):
    """A matrix x (B, M), mostly zeros, that products take where they take x; `lister` has what is not zero."""

    x: np.ndarray
    lister: "Lister"
    steps: Lists

    @property
    def cases(self):
        """The lists of x's columns, for `outer`."""
        return self.lister.columns(self)


class Lister:
    """Lists what is not zero in one minibatch after another.

    Where too little is zero, the next REST minibatches are not looked at.
    """

    def __init__(self):
        self._rooms: dict[tuple, Lists] = {}
        self._rest, self._turned, self._last = 0, None, (None, None)

    def again(self, x):
        """What `of` gave for x, if x was the last one it was given and is still the same."""
        return self._last[1] if self._last[0] is x else self.of(x)

    def of(self, x):
        """x (B, M) with its lists, until this is called again; x alone where they do not pay."""
        self._last = x, self._listed(x)
        return self._last[1]

    def _listed(self, x):
        self._turned = None
        if self._rest or not compiled(x) or x.size < FEW:
            self._rest = max(0, self._rest - 1)
            return x
        along = x if Rounding.active is None else Rounding.active.along(f"x {id(self)}", x)
        if _some(along, EVERY) > SPARSE * -(-len(x) // EVERY) * along.shape[1]:
            self._rest = REST
            return x
        steps = self._room("steps", *along.shape)
        _list_rows(along, *steps)
        return Listed(x, self, steps)

    def columns(self, listed):
        """The lists of the columns of what was listed last."""
        if self._turned is None:
            x, rows = listed.x, listed.steps
            if Rounding.active is not None:
                x = Rounding.active.across(f"x' {id(self)}", x)
                rows = self._room("cases", *x.shape)
                _list_rows(x, *rows)
            self._turned = self._room("columns", *x.shape[::-1])
            _turn_lists(len(x), *rows, *self._turned)
        return self._turned

    def _room(self, name, rows, steps):
        key = name, rows, steps
        if key not in self._rooms:
            pieces = max(1, -(-steps // PIECE))
            values, index = (np.zeros((rows, steps), kind) for kind in (np.float32, np.int32))
            self._rooms[key] = Lists(values, index, np.zeros((rows, pieces + 1), np.int32))
        return self._rooms[key]


_WHOLE: dict[int, tuple[np.ndarray, np.ndarray]] = {}
_NO_STARTS = np.zeros((1, 1), np.int32)


def whole(steps):
    """The list of a product that skips nothing."""
    if steps not in _WHOLE:
        _WHOLE[steps] = np.arange(steps + AHEAD, dtype=np.int32)[None, :], _NO_STARTS
    return _WHOLE[steps]

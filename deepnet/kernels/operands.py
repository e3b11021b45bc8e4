"""What products multiply: how matrices lie in memory, what is not zero in them, and bfloat16.

Axes: R rows, C columns; B cases, M inputs.
"""

import contextlib
from typing import NamedTuple

import numpy as np

from . import bfloat16
from .jit import compiled
from .lists import Lists, list_columns, list_rows, some
from .microkernel import target

FEW = 1 << 14  # elements of a minibatch below which no list pays
SPARSE = 0.45 if target()[0] == 16 else 0.35  # share of a minibatch that is not zero from which on lists do not pay
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
    """A matrix x (B, M), mostly zeros, that products take where they take x; `lister` has what is not zero."""

    x: np.ndarray
    lister: "Lister"
    steps: Lists

    @property
    def cases(self):
        """The lists of x's columns, for `outer`."""
        return self.lister.columns(self.x)


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
        if some(along, EVERY) > SPARSE * -(-len(x) // EVERY) * along.shape[1]:
            self._rest = REST
            return x
        steps = self._room("steps", *along.shape)
        list_rows(along, *steps)
        return Listed(x, self, steps)

    def columns(self, x):
        """The lists of the columns of x, which was listed last."""
        if self._turned is None:
            across = x if Rounding.active is None else Rounding.active.across(f"x' {id(self)}", x)
            self._turned = self._room("columns", *across.shape[::-1])
            list_columns(across, *self._turned)
        return self._turned

    def _room(self, name, rows, steps):
        key = name, rows, steps
        if key not in self._rooms:
            self._rooms[key] = Lists.room(rows, steps)
        return self._rooms[key]

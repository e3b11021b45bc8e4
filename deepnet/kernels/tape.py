"""Kernels cut in parts that threads share, and calls of them that are recorded to be made again without Python.

The next minibatch of as many cases makes the same calls with the same arrays. Each costs Python and Numba some
microseconds, several times as many where a product has just swept the caches: a step of 64-100-10 with 32 cases took
59 us on one core of Zen 4 by Python and 37 from a tape, of which 23 are within the kernels.
"""

import numpy as np
from numba import prange

from .jit import ENABLED, call, inner, njit

MOST = 8  # tapes that are remembered: arrays come and go
AGAIN = 256  # plays after which a tape is made anew: what it took for zeros may have changed


@inner
def work(numbers):
    """The numbers of a call as `launch` takes them: the address of a native, its parts, and what it reads."""
    row = np.empty((1, len(numbers)), np.int64)
    for k in range(len(numbers)):
        row[0, k] = numbers[k]
    return row


@njit(parallel=True)
def _run(calls):
    for n in range(calls.shape[0]):
        address, parts, at = calls[n, 0], calls[n, 1], np.int64(calls.ctypes.data) + n * calls.strides[0] + 16
        if parts == 1:  # not worth a region of threads
            call(address, (0, at))
        else:
            for part in prange(parts):
                call(address, (part, at))


class Tape:
    """Calls that are made while it is entered, to be made again by `repeat`; the arrays in them are kept.

    Only kernels that are launched are on it; whoever records knows that no others are at work.
    """

    active: "Tape | None" = None

    def __init__(self):
        self.left = AGAIN
        self._calls: list[np.ndarray] = []
        self._kept: list[tuple] = []
        self._table: np.ndarray | None = None

    def __enter__(self):
        Tape.active = self

    def __exit__(self, *problem):
        Tape.active = None

    def add(self, row, arrays):
        """A call by its numbers (1, K), and the arrays whose addresses are among them."""
        self._calls.append(row)
        self._kept.append(arrays)

    def repeat(self):
        """Make the calls again, in order."""
        self.left -= 1
        if self._table is None:
            self._table = np.zeros((len(self._calls), max(row.size for row in self._calls)), np.int64)
            for there, row in zip(self._table, self._calls, strict=True):
                there[: row.size] = row[0]
        _run(self._table)


def launch(row, arrays):
    """Make a call, its parts on all threads, and tell it to a tape that is recording: numbers (1, K) as of `work`.

    A native that is launched takes the number of a part and the address of what follows its parts in the row; `arrays`
    are those whose addresses are there.
    """
    _run(row)
    if Tape.active is not None:
        Tape.active.add(row, arrays)


class Tapes:
    """A tape for each set of arrays that acts are played on."""

    def __init__(self):
        self._known: dict[tuple[int, ...], tuple[Tape, tuple]] = {}

    def play(self, given, act, *arguments):
        """act(*arguments), repeated from a tape where the same `given` objects have been there before."""
        place = tuple(map(id, given))
        known = self._known.get(place)
        if known is not None and known[0].left:
            known[0].repeat()
            return
        tape = Tape()
        with tape:
            act(*arguments)
        if len(self._known) >= MOST:
            self._known.clear()
        if ENABLED:
            self._known[place] = tape, given

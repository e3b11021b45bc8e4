"""Calls of natives, recorded once and made again by one compiled function: what spares a small net Python.

The next minibatch of as many cases makes the same calls with the same arrays. Each costs Python and Numba 1 to 2 us: on
one core of Zen 4 a step of 64-100-10 with 32 cases took 59 us, and takes 37, of which 23 are within the natives.
"""

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from .jit import call, njit

MOST = 8  # tapes that are remembered: arrays come and go
# What a native may take, integers and floats, to be on a tape.
TAKEN = (34, 0), (29, 1), (18, 1), (8, 0)


class Tape:
    """Calls that are made while it is entered, to be made again by `repeat`; the arrays in them are kept.

    Only calls that one thread makes alone can be. `whole` says whether all could, of kernels that tell a tape at all;
    whoever records knows that no others are at work.
    """

    active: "Tape | None" = None

    def __init__(self):
        self.whole = True
        self._calls: list[tuple] = []
        self._kept: list[tuple] = []
        self._rows: tuple | None = None

    def __enter__(self):
        Tape.active = self

    def __exit__(self, *problem):
        Tape.active = None

    def add(self, native, integers, scale=1.0, *, arrays, alone):
        """A call of `native` and the arrays whose addresses are in it; `alone` if one thread makes it alone."""
        self.whole &= alone
        if self.whole:
            self._calls.append((TAKEN.index(native.takes), native.address, integers, scale))
            self._kept.append(arrays)

    def repeat(self):
        """Make the calls again, in order."""
        if self._rows is None:
            kinds, addresses, integers, scales = zip(*self._calls, strict=True)
            table = np.zeros((len(kinds), max(map(len, integers))), np.int64)
            for row, numbers in zip(table, integers, strict=True):
                row[: len(numbers)] = numbers
            self._rows = np.array(kinds), np.array(addresses), table, np.array(scales, np.float32)
        _repeat(*self._rows)


class Tapes:
    """A tape for each set of arrays that acts are played on."""

    def __init__(self):
        self._known: dict[tuple[int, ...], tuple[Tape, tuple]] = {}

    def play(self, given, act, *arguments):
        """act(*arguments), repeated from a tape where the same `given` objects have been there before."""
        place = tuple(map(id, given))
        known = self._known.get(place)
        if known is None:
            tape = Tape()
            with tape:
                act(*arguments)
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[place] = tape, given
        elif known[0].whole:
            known[0].repeat()
        else:
            act(*arguments)


@njit
def _repeat(kinds, addresses, integers, scales):
    for n in range(kinds.size):
        address, row = addresses[n], integers[n]
        if kinds[n] == 0:
            call(address, to_fixed_tuple(row, 34))
        elif kinds[n] == 1:
            call(address, (*to_fixed_tuple(row, 29), scales[n]))
        elif kinds[n] == 2:
            call(address, (*to_fixed_tuple(row, 18), scales[n]))
        else:
            call(address, to_fixed_tuple(row, 8))

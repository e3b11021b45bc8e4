"""The largest of a unit's linear pieces, and its way back.

Axes: B cases, N units, K pieces; piece k of unit j stands in column k N + j of arrays (B, K N), so that all loops run
along units. `which` (B, N) holds the number of the largest piece, as a float like the others. Source: Goodfellow et al.
2013, section 3.
"""

import numpy as np

from .exp import ZERO
from .jit import compiled, njit, row_of


@njit
def _largest(z, a, which):
    units = a.shape[1]
    for i in range(a.shape[0]):
        best, number, first = row_of(a, i, 0, units), row_of(which, i, 0, units), row_of(z, i, 0, units)
        for j in range(units):
            best[j] = first[j]
            number[j] = ZERO
        for k in range(1, z.shape[1] // units):
            piece, this = row_of(z, i, k * units, (k + 1) * units), np.float32(k)
            for j in range(units):
                keep = (best[j] >= piece[j]) | (best[j] != best[j])  # NaN is larger than all
                number[j] = number[j] if keep else this
                best[j] = best[j] if keep else piece[j]


@njit
def _scatter(which, d, out):
    units = d.shape[1]
    for i in range(d.shape[0]):
        number, slope = row_of(which, i, 0, units), row_of(d, i, 0, units)
        for k in range(out.shape[1] // units):
            piece, this = row_of(out, i, k * units, (k + 1) * units), np.float32(k)
            for j in range(units):
                piece[j] = slope[j] if number[j] == this else ZERO


@njit
def _gather(which, r, out):
    units = out.shape[1]
    for i in range(out.shape[0]):
        number, row = row_of(which, i, 0, units), row_of(out, i, 0, units)
        for k in range(r.shape[1] // units):
            piece, this = row_of(r, i, k * units, (k + 1) * units), np.float32(k)
            for j in range(units):
                row[j] = piece[j] if number[j] == this else row[j]


def _pieces(wide, units):
    """(B, K N) as (B, K, N)."""
    return wide.reshape(len(wide), wide.shape[1] // units, units)


def _index(which):
    return which.real.astype(np.int64)[:, None, :]


def largest(z, a, which):
    """a (B, N) <- the largest piece of z (B, K N), which (B, N) <- its number, the first one of several."""
    if compiled(a):
        _largest(z, a, which)
    else:
        pieces = _pieces(z, a.shape[1])
        which[...] = pieces.real.argmax(axis=1)
        a[...] = np.take_along_axis(pieces, _index(which), axis=1)[:, 0]


def scatter(which, d, out):
    """out (B, K N) <- d (B, N) at the largest piece of each unit, 0 at the others."""
    if compiled(out):
        _scatter(which, d, out)
    else:
        pieces = np.zeros_like(_pieces(out, d.shape[1]))
        np.put_along_axis(pieces, _index(which), d[:, None], axis=1)
        out[...] = pieces.reshape(out.shape)


def gather(which, r, out):
    """out (B, N) <- r (B, K N) at the largest piece of each unit."""
    if compiled(out):
        _gather(which, r, out)
    else:
        out[...] = np.take_along_axis(_pieces(r, out.shape[1]), _index(which), axis=1)[:, 0]

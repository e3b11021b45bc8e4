"""Norms of weights: the limit on every unit's incoming weights, and the sum of magnitudes.

Axes: M inputs, N units. W (M, N) is worked through in blocks of ROWS rows, along which columns lie side by side; the
blocks' sums are added in their order, so threads change nothing. Beside a step at 784-898-1532-10 with batches of 100
the limit takes 2 to 5 %.
"""

import numpy as np
from numba import prange

from .jit import compiled, fma, inner, njit, row_of

ROWS, FEW = 64, 1 << 16  # rows of a block; weights below which the calling thread does it
LANES = 16
ONE, ZERO, INFINITE = np.float32(1), np.float32(0), np.float32(np.inf)


@inner
def _squares_of_block(W, block, sums):
    """Four rows at a time, so that sums are fetched and put back once for four."""
    first, last = block * ROWS, min((block + 1) * ROWS, W.shape[0])
    fours = (last - first) // 4
    sums[:] = ZERO
    for k in range(fours):
        i = first + 4 * k
        a, b = row_of(W, i, 0, W.shape[1]), row_of(W, i + 1, 0, W.shape[1])
        c, d = row_of(W, i + 2, 0, W.shape[1]), row_of(W, i + 3, 0, W.shape[1])
        for j in range(sums.size):
            sums[j] = fma(d[j], d[j], fma(c[j], c[j], fma(b[j], b[j], fma(a[j], a[j], sums[j]))))
    for i in range(first + 4 * fours, last):
        a = row_of(W, i, 0, W.shape[1])
        for j in range(sums.size):
            sums[j] = fma(a[j], a[j], sums[j])


@inner
def _scale_block(W, block, factors):
    for i in range(block * ROWS, min((block + 1) * ROWS, W.shape[0])):
        row = row_of(W, i, 0, W.shape[1])
        for j in range(row.size):
            row[j] *= factors[j]


@njit
def _factors(parts, most, factors):
    """most / norm where a column's norm is above `most` and finite, else 1; whether there are such."""
    total, limit, above = np.zeros(factors.size, np.float32), most * most, False
    for block in range(parts.shape[0]):
        part = parts[block]
        for j in range(total.size):
            total[j] += part[j]
    for j in range(total.size):
        long = limit < total[j] < INFINITE
        factors[j] = most / np.sqrt(total[j]) if long else ONE
        above = above or long
    return above


@njit(parallel=True)
def _limit_columns(W, most):
    blocks, columns = (W.shape[0] + ROWS - 1) // ROWS, W.shape[1]
    parts, factors = np.empty((blocks, columns), np.float32), np.empty(columns, np.float32)
    if W.size < FEW:
        for block in range(blocks):
            _squares_of_block(W, block, parts[block])
        if _factors(parts, most, factors):
            for block in range(blocks):
                _scale_block(W, block, factors)
        return
    for block in prange(blocks):
        _squares_of_block(W, block, parts[block])
    if _factors(parts, most, factors):
        for block in prange(blocks):
            _scale_block(W, block, factors)


@njit
def _sum_magnitudes(x):
    sums = np.zeros(LANES, np.float64)
    whole = x.size // LANES
    for k in range(whole):
        part = x[k * LANES : k * LANES + LANES]
        for j in range(LANES):
            sums[j] += np.float64(abs(part[j]))
    for j in range(x.size - LANES * whole):
        sums[j] += np.float64(abs(x[LANES * whole + j]))
    total = 0.0
    for j in range(LANES):
        total += sums[j]
    return total


def limit_columns(W, most):
    """Scale each column of W (M, N) that is longer than `most` back to that norm (Srivastava et al. 2014, section 5.1).

    A column whose norm is not finite stays as it is, to be seen.
    """
    if compiled(W):
        _limit_columns(W, np.float32(most))
    else:
        with np.errstate(over="ignore"):
            norms = np.sqrt((np.abs(W) ** 2).sum(axis=0))
        W *= np.where((norms > most) & np.isfinite(norms), most / np.where(norms > 0, norms, 1), 1)


def sum_magnitudes(x):
    """The sum of |x| of a vector, in float64 and sixteen interleaved chains, as a Python number."""
    return float(_sum_magnitudes(x)) if compiled(x) else float(np.sum(np.abs(x), dtype=np.float64))

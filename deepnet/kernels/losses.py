"""Losses case by case, the step back from them, and sums in a fixed order.

Axes: B cases, N outputs. z is the input of the output units, t the target (B, N), `value` (B,) the loss of each case.
A long sum runs in blocks of BLOCK terms whose partial sums are added in index order.
"""

import numpy as np
from numba import prange

from .exp import ZERO, exp, log, softplus
from .jit import ENABLED, call, compiled, doubles_at, fma, inner, lane_sum, native, njit, row_of, vector_at
from .products import NO_RULE
from .tape import Tape
from .transpose import transpose_at, transpose_matrix, transpose_tile
from .updates import momentum_part

BLOCK = 256
WIDE, FEW = 64, 1 << 16  # columns that a thread sums at once; elements below which the calling thread does it
HALF = np.float32(0.5)


@njit
def _softmax_entropy(z, t, value):
    for i in range(z.shape[0]):
        row, target = row_of(z, i, 0, z.shape[1]), row_of(t, i, 0, z.shape[1])
        top = row[0]
        for j in range(row.size):
            top = row[j] if row[j] > top else top
        total, weight, inner = ZERO, ZERO, ZERO
        for j in range(row.size):
            total += exp(row[j] - top)
            weight += target[j]
            inner += target[j] * (row[j] - top)
        value[i] = weight * log(total) - inner


@njit
def _logistic_entropy(z, t, value):
    for i in range(z.shape[0]):
        row, target = row_of(z, i, 0, z.shape[1]), row_of(t, i, 0, z.shape[1])
        terms = np.empty(row.size, np.float32)
        for j in range(row.size):
            terms[j] = softplus(row[j]) - target[j] * row[j]
        value[i] = lane_sum(terms)


@njit
def _squared_error(z, t, value):
    for i in range(z.shape[0]):
        row, target = row_of(z, i, 0, z.shape[1]), row_of(t, i, 0, z.shape[1])
        terms = np.empty(row.size, np.float32)
        for j in range(row.size):
            terms[j] = (row[j] - target[j]) * (row[j] - target[j])
        value[i] = HALF * lane_sum(terms)


@njit
def _scaled(transpose, a, scale, d, d_t):
    for i in range(a.shape[0]):
        given, row = row_of(a, i, 0, a.shape[1]), row_of(d, i, 0, a.shape[1])
        for j in range(row.size):
            row[j] = given[j] * scale
    transpose_tile(transpose, d, 0, d.shape[0], 0, d.shape[1], d_t)


@native(8)
def _columns(d, d_row, cases, j0, j1, out, velocity, rule):
    """Sums of columns j0..j1 of d, into `out` or, where there is a rule, a step of `out` along them."""
    part, sums = np.empty(j1 - j0, np.float32), np.zeros(j1 - j0, np.float32)
    for first in range(0, cases, BLOCK):
        part[:] = ZERO
        for i in range(first, min(first + BLOCK, cases)):
            row = vector_at(d + (i * d_row + j0) * 4, j1 - j0)
            for j in range(row.size):
                part[j] += row[j]
        for j in range(part.size):
            sums[j] += part[j]
    here = vector_at(out + j0 * 4, j1 - j0)
    if rule == 0:
        for j in range(sums.size):  # Numba takes 1.8 s to compile `here[:] = sums`
            here[j] = sums[j]
        return
    speed, numbers = vector_at(velocity + j0 * 4, j1 - j0), doubles_at(rule, 2)
    rate, mu = np.float32(numbers[0]), np.float32(numbers[1])
    momentum_part(here, speed, sums, rate, mu)


@inner
def _numbers(j0, j1, d, out, velocity, rule):
    return (
        np.int64(d.ctypes.data), d.strides[0] // 4, d.shape[0], j0, j1, np.int64(out.ctypes.data),
        np.int64(velocity.ctypes.data), np.int64(rule.ctypes.data) if rule.size else 0,
    )  # fmt: skip


@njit(parallel=True)
def _column_sums(address, d, out, velocity, rule):
    """Whether the calling thread did it."""
    if d.size < FEW:
        call(address, _numbers(0, d.shape[1], d, out, velocity, rule))
        return True
    for b in prange((d.shape[1] + WIDE - 1) // WIDE):
        last = min((b + 1) * WIDE, d.shape[1])
        call(address, _numbers(b * WIDE, last, d, out, velocity, rule))
    return False


@njit
def _dots(v, c, out):
    terms = np.empty(v.shape[1], np.float32)
    for i in range(v.shape[0]):
        row = row_of(v, i, 0, v.shape[1])
        for j in range(row.size):
            terms[j] = row[j] * c[j]
        out[i] = lane_sum(terms)


@njit(parallel=True)
def _contrast_sums(v, y, difference, distance):
    for block in prange((v.shape[1] + WIDE - 1) // WIDE):
        j0, j1 = block * WIDE, min((block + 1) * WIDE, v.shape[1])
        once, squared = difference[j0:j1], distance[j0:j1]
        once[:] = ZERO
        squared[:] = ZERO
        for i in range(v.shape[0]):
            one, other = row_of(v, i, j0, j1), row_of(y, i, j0, j1)
            for j in range(one.size):
                off = one[j] - other[j]
                once[j] += off
                squared[j] = fma(off, off, squared[j])


@njit
def _logarithm(x):
    for i in range(x.size):
        x[i] = log(x[i])


@njit
def _total(values):
    total = 0.0
    for first in range(0, values.size, BLOCK):
        part = 0.0
        for i in range(first, min(first + BLOCK, values.size)):
            part += values[i]
        total += part
    return total


def softmax_entropy(z, t, value):
    """value <- -sum_j t_j log softmax(z)_j."""
    if compiled(z):
        _softmax_entropy(z, t, value)
    else:
        shifted = z - z.real.max(axis=1, keepdims=True)
        value[...] = t.sum(axis=1) * np.log(np.exp(shifted).sum(axis=1)) - (t * shifted).sum(axis=1)


def logistic_entropy(z, t, value):
    """value <- -sum_j [t_j log a_j + (1 - t_j) log(1 - a_j)] with a = sigmoid(z), written softplus(z) - t z."""
    if compiled(z):
        _logistic_entropy(z, t, value)
    else:
        big = np.where(z.real > 0, z, 0)
        value[...] = (big + np.log1p(np.exp(z - 2 * big)) - t * z).sum(axis=1)


def squared_error(z, t, value):
    """value <- 1/2 sum_j (z_j - t_j)^2."""
    if compiled(z):
        _squared_error(z, t, value)
    else:
        value[...] = 0.5 * ((z - t) ** 2).sum(axis=1)


def scaled(a, scale, d, d_t):
    """d (B, N) and d_t (N, B) <- scale a."""
    if compiled(d):
        _scaled(transpose_at.address, a, np.float32(scale), d, d_t)
    else:
        d[...] = scale * a
        d_t[...] = d.T


def transpose(a, out):
    """out (N, B) <- a' (B, N)."""
    if compiled(a):
        transpose_matrix(a, out)
    else:
        out[...] = a.T


def column_sums(d, out):
    """out (N,) <- the sum over cases of d (B, N)."""
    if compiled(d):
        _column_sums(_columns.address, d, out, out, NO_RULE)
    else:
        out[...] = d.sum(axis=0)


def sums_step(d, rule, b, velocity):
    """One step of `rule` (`products.descent`) along the sum over cases of d (B, N), without decay: b, velocity (N,)."""
    if compiled(d):
        given = d, b, velocity, rule
        alone = _column_sums(_columns.address, *given)
        if Tape.active is not None:
            Tape.active.add(_columns, _numbers(0, d.shape[1], *given), arrays=given, alone=alone)
    else:
        rate, mu = rule.tolist()[:2]
        velocity *= mu
        velocity -= rate * d.sum(axis=0)
        b += velocity


def dots(v, c, out):
    """out (B,) <- v c for v (B, M) and c (M,)."""
    if compiled(v):
        _dots(v, c, out)
    else:
        out[...] = v @ c


def contrast_sums(v, y, difference, distance):
    """difference (M,) <- sum over cases of v - y, distance (M,) <- of (v - y)^2: v and y (B, M)."""
    if compiled(v):
        _contrast_sums(v, y, difference, distance)
    else:
        difference[...] = (v - y).sum(axis=0)
        distance[...] = ((v - y) ** 2).sum(axis=0)


def logarithm(x):
    """x <- log x for a vector of positive numbers, the same bits on every CPU."""
    if compiled(x):
        _logarithm(x)
    else:
        x[...] = np.log(x)


def total(values):
    """The sum of a vector of any float type, in float64, as a Python number."""
    return float(_total(values)) if ENABLED else float(np.sum(values, dtype=np.float64))

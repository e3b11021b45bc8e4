"""Losses case by case, the step back from them, and sums in a fixed order.

Axes: B cases, N outputs. z is the input of the output units, t the target (B, N), `value` (B,) the loss of each case.
A long sum runs in blocks of BLOCK terms whose partial sums are added in index order.
"""

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import ZERO, exp, log, softplus
from .jit import (
    ENABLED,
    bits_of,
    compiled,
    doubles_at,
    float_of,
    fma,
    lane_sum,
    native,
    njit,
    numbers_at,
    row_of,
    vector_at,
)
from .products import NO_RULE, RULE
from .tape import launch, work
from .transpose import transpose_at, transpose_matrix, transpose_tile
from .updates import momentum, momentum_part

BLOCK = 256
WIDE, FEW = 64, 1 << 16  # columns that a thread sums at once; elements below which the calling thread does it
HALF = np.float32(0.5)
NOTHING = np.zeros(0, np.float32)  # in the place of what is added to a sum


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


@native(2)
def _some_columns(part, at):
    """Sums of `wide` columns of d, into `out` or, where there is a rule, a step of `out`: the numbers of `_columns`."""
    wide, d, d_row, cases, columns, more, bits, out, velocity, rule = to_fixed_tuple(numbers_at(at, 10), 10)
    j0, scale = part * wide, float_of(bits)
    size = min(wide, columns - j0)
    block, total = np.empty(size, np.float32), np.zeros(size, np.float32)
    for first in range(0, cases, BLOCK):
        block[:] = ZERO
        for i in range(first, min(first + BLOCK, cases)):
            row = vector_at(d + (i * d_row + j0) * 4, size)
            for j in range(row.size):
                block[j] += row[j]
        for j in range(block.size):
            total[j] += block[j]
    if more:
        row = vector_at(more + j0 * 4, size)
        for j in range(row.size):
            total[j] += row[j]
    for j in range(total.size):
        total[j] *= scale
    here = vector_at(out + j0 * 4, size)
    if rule == 0:
        for j in range(total.size):  # Numba takes 1.8 s to compile `here[:] = total`
            here[j] = total[j]
        return
    speed, numbers = vector_at(velocity + j0 * 4, size), doubles_at(rule, RULE)
    momentum_part(here, speed, total, np.float32(numbers[0]), np.float32(numbers[1]), numbers[4] != 0)


@njit
def _columns(address, d, more, scale, out, velocity, rule):
    """The numbers of sums of columns."""
    parts = 1 if d.size < FEW else (d.shape[1] + WIDE - 1) // WIDE
    return work(
        (
            address, parts, d.shape[1] if parts == 1 else WIDE,
            np.int64(d.ctypes.data), d.strides[0] // 4, d.shape[0], d.shape[1],
            np.int64(more.ctypes.data) if more.size else 0, bits_of(scale), np.int64(out.ctypes.data),
            np.int64(velocity.ctypes.data), np.int64(rule.ctypes.data) if rule.size else 0,
        )
    )  # fmt: skip


@njit
def _dots(v, c, out):
    terms = np.empty(v.shape[1], np.float32)
    for i in range(v.shape[0]):
        row = row_of(v, i, 0, v.shape[1])
        for j in range(row.size):
            terms[j] = row[j] * c[j]
        out[i] = lane_sum(terms)


@native(2)
def _some_differences(part, at):
    """Sums of WIDE columns, by the numbers of `_differences`."""
    v, v_row, y, y_row, cases, columns, difference, distance = to_fixed_tuple(numbers_at(at, 8), 8)
    j0 = part * WIDE
    size = min(WIDE, columns - j0)
    once, squared = vector_at(difference + j0 * 4, size), vector_at(distance + j0 * 4, size)
    for j in range(size):
        once[j] = ZERO
        squared[j] = ZERO
    for i in range(cases):
        one, other = vector_at(v + (i * v_row + j0) * 4, size), vector_at(y + (i * y_row + j0) * 4, size)
        for j in range(one.size):
            off = one[j] - other[j]
            once[j] += off
            squared[j] = fma(off, off, squared[j])


@njit
def _differences(address, v, y, difference, distance):
    """The numbers of sums over differences."""
    return work(
        (
            address, (v.shape[1] + WIDE - 1) // WIDE, np.int64(v.ctypes.data), v.strides[0] // 4,
            np.int64(y.ctypes.data), y.strides[0] // 4, v.shape[0], v.shape[1],
            np.int64(difference.ctypes.data), np.int64(distance.ctypes.data),
        )
    )  # fmt: skip


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


def column_sums(d, out, scale=1.0, more=NOTHING):
    """out (N,) <- scale times the sum over cases of d (B, N), `more` (N,) added to it."""
    if compiled(d):
        given = d, more, np.float32(scale), out, out, NO_RULE
        launch(_columns(_some_columns.address, *given), given)
    else:
        out[...] = scale * (d.sum(axis=0) + (more if more.size else 0))


def sums_step(d, rule, b, velocity, scale=1.0, more=NOTHING):
    """One step of `rule` (`products.descent`), without decay, along what `column_sums` gives: b, velocity (N,)."""
    if compiled(d):
        given = d, more, np.float32(scale), b, velocity, rule
        launch(_columns(_some_columns.address, *given), given)
    else:
        rate, mu, _, _, ahead = rule.tolist()
        momentum(b, velocity, scale * (d.sum(axis=0) + (more if more.size else 0)), rate, mu, ahead)


def dots(v, c, out):
    """out (B,) <- v c for v (B, M) and c (M,)."""
    if compiled(v):
        _dots(v, c, out)
    else:
        out[...] = v @ c


def contrast_sums(v, y, difference, distance):
    """difference (M,) <- sum over cases of v - y, distance (M,) <- of (v - y)^2: v and y (B, M)."""
    if compiled(v):
        given = v, y, difference, distance
        launch(_differences(_some_differences.address, *given), given)
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

"""What happens at the output units of a minibatch, all in one pass: activation, loss, errors, and the step back.

Axes: B cases, N outputs; `_t` marks an array stored transposed. z is the units' input, t the target. A loss with its
matching unit has the gradient a - t at z (Bishop 1995, section 6.9). The hinges have linear units, a = z, and see a
target as y = 2 t - 1, so that one of 1 and 0 is +1 and -1 (Tang 2013). Work is cut in blocks of ROWS cases.
"""

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import HALF, ONE, ZERO, exp, log, sigmoid, softplus
from .jit import (
    bits_of,
    compiled,
    float_of,
    flush,
    fma,
    inner,
    lane_sum,
    matrix_at,
    native,
    njit,
    numbers_at,
    restore,
    row_of,
    vector_at,
)
from .losses import logistic_entropy, softmax_entropy, squared_error
from .tape import launch, work
from .transpose import SIDE, copy_rows, transpose_at, transpose_tile
from .units import LOGISTIC, activate_twin, softmax

SOFTMAX_ENTROPY, LOGISTIC_ENTROPY, SQUARED_ERROR, SQUARED_HINGE, HINGE = range(5)
HINGES = SQUARED_HINGE, HINGE
ROWS = 16
TINY = 1e-30  # the least variance that is divided by
FEW = 1024  # outputs of a minibatch below which the calling thread does it


@njit
def _largest(z, t):
    """Where z and t are largest; the first of those that are equal."""
    best, aim = 0, 0
    for j in range(z.size):
        if z[j] > z[best]:
            best = j
        if t[j] > t[aim]:
            aim = j
    return best, aim


@inner
def _softmax(transpose, z, t, scale, a, d, d_t, value, error):
    """(loss, wrong) of each case of a block and what follows: sums run over the outputs, lanes over the cases."""
    cases, outputs = z.shape
    wide = (outputs + SIDE - 1) // SIDE * SIDE
    given, target = np.empty((wide, ROWS), np.float32), np.empty((wide, ROWS), np.float32)
    room, rows = np.zeros((ROWS, wide), np.float32), np.zeros((7, ROWS), np.float32)
    best, aim, top, high, weight, part, total = rows
    copy_rows(z, room)
    transpose_tile(transpose, room, 0, ROWS, 0, wide, given)
    copy_rows(t, room)
    transpose_tile(transpose, room, 0, ROWS, 0, wide, target)
    for j in range(outputs):
        x, y = row_of(given, j, 0, ROWS), row_of(target, j, 0, ROWS)
        if j == 0:
            for i in range(x.size):
                top[i], high[i] = x[i], y[i]
        for i in range(x.size):
            best[i] = j if x[i] > top[i] else best[i]
            top[i] = x[i] if x[i] > top[i] else top[i]
            aim[i] = j if y[i] > high[i] else aim[i]
            high[i] = y[i] if y[i] > high[i] else high[i]
    for j in range(outputs):
        x, y = row_of(given, j, 0, ROWS), row_of(target, j, 0, ROWS)
        for i in range(x.size):
            below = x[i] - top[i]
            part[i] = fma(y[i], below, part[i])
            weight[i] += y[i]
            x[i] = exp(below)
            total[i] += x[i]
    for j in range(outputs):
        x, y = row_of(given, j, 0, ROWS), row_of(target, j, 0, ROWS)
        for i in range(x.size):
            x[i] = x[i] / total[i]
            y[i] = (x[i] - y[i]) * scale
    for i in range(cases):
        value[i] = fma(weight[i], log(total[i]), -part[i])
        error[i] = ONE if best[i] != aim[i] else ZERO
    transpose_tile(transpose, given, 0, wide, 0, ROWS, room)
    copy_rows(room[:cases, :outputs], a)
    transpose_tile(transpose, target, 0, wide, 0, ROWS, room)
    copy_rows(room[:cases, :outputs], d)
    copy_rows(target[:outputs, :cases], d_t)


@inner
def _others(kind, z, t, a, terms, squares):
    """(loss, squared error) of a case; a <- f(z)."""
    if kind == LOGISTIC_ENTROPY:
        for j in range(z.size):
            terms[j] = softplus(z[j]) - t[j] * z[j]
        for j in range(z.size):
            a[j] = sigmoid(z[j])
    else:
        for j in range(z.size):
            a[j] = z[j]
    for j in range(z.size):
        squares[j] = (a[j] - t[j]) * (a[j] - t[j])
    error = lane_sum(squares)
    return (lane_sum(terms) if kind == LOGISTIC_ENTROPY else HALF * error), error


@inner
def _hinge(kind, z, t, a, back, terms):
    """(loss, wrong) of a case; a <- z, back <- the gradient at z."""
    for j in range(z.size):
        a[j] = z[j]
        y = t[j] + t[j] - ONE
        slack = ONE - y * z[j]
        short = ZERO * slack if slack <= ZERO else slack  # what is not finite stays so
        if kind == SQUARED_HINGE:
            terms[j] = short * short
            back[j] = -(y + y) * short
        else:
            terms[j] = short
            back[j] = -y if short > ZERO else ZERO * short
    best, aim = _largest(z, t)
    return lane_sum(terms), ONE if best != aim else ZERO


@native(2)
def _block(part, at):
    """A part of the cases, `each` blocks of them, by the numbers of `_finish`."""
    (
        each, transpose, kind, z, z_row, t, t_row, a, a_row, d, d_row, d_t, d_t_row, value, error, cases, outputs, bits,
    ) = to_fixed_tuple(numbers_at(at, 18), 18)  # fmt: skip
    first, last, scale = part * each, (part + 1) * each, float_of(bits)
    mode = flush()
    for i0 in range(first * ROWS, min(last * ROWS, cases), ROWS):
        n = min(ROWS, cases - i0)
        part = (
            matrix_at(z + i0 * z_row * 4, n, z_row, outputs),
            matrix_at(t + i0 * t_row * 4, n, t_row, outputs),
            scale,
            matrix_at(a + i0 * a_row * 4, n, a_row, outputs),
            matrix_at(d + i0 * d_row * 4, n, d_row, outputs),
            matrix_at(d_t + i0 * 4, outputs, d_t_row, n),
            vector_at(value + i0 * 4, n),
            vector_at(error + i0 * 4, n),
        )
        if kind == SOFTMAX_ENTROPY:
            _softmax(transpose, *part)
        else:
            _by_case(transpose, kind, *part)
    restore(mode)


@inner
def _by_case(transpose, kind, z, t, scale, a, d, d_t, value, error):
    cases, outputs = z.shape
    terms, squares = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for i in range(cases):
        given, target = row_of(z, i, 0, outputs), row_of(t, i, 0, outputs)
        out, back = row_of(a, i, 0, outputs), row_of(d, i, 0, outputs)
        if kind in HINGES:
            value[i], error[i] = _hinge(kind, given, target, out, back, terms)
            for j in range(outputs):
                back[j] = back[j] * scale
            continue
        value[i], error[i] = _others(kind, given, target, out, terms, squares)
        for j in range(outputs):
            back[j] = (out[j] - target[j]) * scale
    transpose_tile(transpose, d, 0, cases, 0, outputs, d_t)


@njit
def _finish(address, transpose, kind, z, t, scale, a, d, d_t, value, error):
    """The numbers of a minibatch."""
    blocks = (z.shape[0] + ROWS - 1) // ROWS
    parts = 1 if z.size < FEW else blocks
    return work(
        (
            address, parts, blocks // parts, transpose, kind,
            np.int64(z.ctypes.data), z.strides[0] // 4, np.int64(t.ctypes.data), t.strides[0] // 4,
            np.int64(a.ctypes.data), a.strides[0] // 4, np.int64(d.ctypes.data), d.strides[0] // 4,
            np.int64(d_t.ctypes.data), d_t.strides[0] // 4, np.int64(value.ctypes.data), np.int64(error.ctypes.data),
            z.shape[0], z.shape[1], bits_of(scale),
        )
    )  # fmt: skip


def finish(kind, z, t, scale, a, d, d_t, value, error):
    """From z and t (B, N): a <- f(z); d, d_t (N, B) <- scale dloss/dz; value, error (B,) <- each case's loss, error.

    The error is 1 where the largest output is not the target's (softmax, hinges), else the squared distance of a and t.
    """
    if compiled(z):
        given = z, t, np.float32(scale), a, d, d_t, value, error
        launch(_finish(_block.address, transpose_at.address, kind, *given), given)
        return
    if kind in HINGES:
        _hinge_twin(kind, z, t, a, d, value)
        d *= scale
    elif kind == SOFTMAX_ENTROPY:
        softmax(z, a)
        softmax_entropy(z, t, value)
    else:
        a[...] = activate_twin(LOGISTIC, z) if kind == LOGISTIC_ENTROPY else z
        (logistic_entropy if kind == LOGISTIC_ENTROPY else squared_error)(z, t, value)
    if kind not in HINGES:
        d[...] = scale * (a - t)
    if kind in HINGES or kind == SOFTMAX_ENTROPY:
        error[...] = z.real.argmax(axis=1) != t.real.argmax(axis=1)
    else:
        error[...] = ((a - t) ** 2).sum(axis=1)
    d_t[...] = d.T


def _hinge_twin(kind, z, t, a, d, value):
    y = 2 * t - 1
    slack = 1 - y * z
    short = np.where(slack.real <= 0, 0 * slack, slack)
    a[...] = z
    value[...] = (short**2 if kind == SQUARED_HINGE else short).sum(axis=1)
    d[...] = -2 * y * short if kind == SQUARED_HINGE else np.where(short.real > 0, -y, 0 * short)


@njit
def _squared_hinge_chain(z, t, rz):
    for i in range(z.shape[0]):
        given, target = row_of(z, i, 0, z.shape[1]), row_of(t, i, 0, z.shape[1])
        row = row_of(rz, i, 0, z.shape[1])
        for j in range(row.size):
            y = target[j] + target[j] - ONE
            row[j] = (y + y) * y * row[j] if y * given[j] < ONE else ZERO


def squared_hinge_chain(z, t, rz):
    """rz (B, N) <- H rz, H the generalised Hessian of the squared hinge at z: 2 y^2 where y z < 1, else 0.

    Source: Keerthi and DeCoste 2005, section 3.
    """
    if compiled(z):
        _squared_hinge_chain(z, t, rz)
    else:
        y = 2 * t - 1
        rz *= np.where((y * z).real < 1, 2 * y**2, 0)


def hinge_chain(z, t, rz):
    """rz (B, N) <- 0: the hinge is made of straight pieces, and its Gauss-Newton matrix is 0."""
    rz[...] = 0


def root(variances):
    """The square root of each, above 0: what is divided by it has the factor 0 there."""
    return np.sqrt(np.maximum(variances, TINY))

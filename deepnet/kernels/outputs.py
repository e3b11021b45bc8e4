"""What happens at the output units of a minibatch, all in one pass: activation, loss, errors, and the step back.

Axes: B cases, N outputs; `_t` marks an array stored transposed. z is the units' input, t the target. Each loss comes
with its matching unit, so that its gradient at z is a - t (Bishop 1995, section 6.9). Work is cut in blocks of ROWS
cases.
"""

import numpy as np
from numba import prange

from .exp import HALF, ONE, ZERO, exp, log, sigmoid, softplus
from .jit import compiled, flush, lane_sum, njit, restore, row_of
from .losses import logistic_entropy, softmax_entropy, squared_error
from .transpose import transpose_tile
from .units import LOGISTIC, activate_twin, softmax

SOFTMAX_ENTROPY, LOGISTIC_ENTROPY, SQUARED_ERROR = range(3)
ROWS = 16
FEW = 1024  # outputs of a minibatch below which the calling thread does it


@njit
def _softmax(z, t, a):
    """(loss, wrong) of a case; a <- softmax z."""
    top, best, aim = z[0], 0, 0
    for j in range(z.size):
        if z[j] > top:
            top, best = z[j], j
        if t[j] > t[aim]:
            aim = j
    total, weight, inner = ZERO, ZERO, ZERO
    for j in range(z.size):
        a[j] = exp(z[j] - top)
        inner += t[j] * (z[j] - top)
        weight += t[j]
    for j in range(z.size):
        total += a[j]
    for j in range(z.size):
        a[j] = a[j] / total
    return weight * log(total) - inner, ONE if best != aim else ZERO


@njit
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


@njit
def _finish_block(block, kind, z, t, scale, a, d, d_t, value, error):
    cases, outputs = z.shape
    mode = flush()
    first, last = block * ROWS, min((block + 1) * ROWS, cases)
    terms, squares = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for i in range(first, last):
        given, target = row_of(z, i, 0, outputs), row_of(t, i, 0, outputs)
        out, back = row_of(a, i, 0, outputs), row_of(d, i, 0, outputs)
        if kind == SOFTMAX_ENTROPY:
            value[i], error[i] = _softmax(given, target, out)
        else:
            value[i], error[i] = _others(kind, given, target, out, terms, squares)
        for j in range(outputs):
            back[j] = (out[j] - target[j]) * scale
    transpose_tile(d, first, last, 0, outputs, d_t)
    restore(mode)


@njit(parallel=True)
def _finish(kind, z, t, scale, a, d, d_t, value, error):
    blocks = (z.shape[0] + ROWS - 1) // ROWS
    if z.size < FEW:
        for block in range(blocks):
            _finish_block(block, kind, z, t, scale, a, d, d_t, value, error)
        return
    for block in prange(blocks):
        _finish_block(block, kind, z, t, scale, a, d, d_t, value, error)


def finish(kind, z, t, scale, a, d, d_t, value, error):
    """From z and t (B, N): a <- f(z); d and d_t (N, B) <- scale (a - t); value, error (B,) <- each case's loss, error.

    The error is 1 where the largest output is not the target's (softmax), else the squared distance of a and t.
    """
    if compiled(z):
        _finish(kind, z, t, np.float32(scale), a, d, d_t, value, error)
        return
    if kind == SOFTMAX_ENTROPY:
        softmax(z, a)
        softmax_entropy(z, t, value)
        error[...] = z.real.argmax(axis=1) != t.real.argmax(axis=1)
    else:
        a[...] = activate_twin(LOGISTIC, z) if kind == LOGISTIC_ENTROPY else z
        (logistic_entropy if kind == LOGISTIC_ENTROPY else squared_error)(z, t, value)
        error[...] = ((a - t) ** 2).sum(axis=1)
    d[...] = scale * (a - t)
    d_t[...] = d.T

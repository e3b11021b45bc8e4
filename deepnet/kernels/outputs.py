"""What happens at the output units of a minibatch, all in one pass: activation, loss, errors, and the step back.

Axes: B cases, N outputs; `_t` marks an array stored transposed. z is the units' input, t the target. A loss with its
matching unit has the gradient a - t at z (Bishop 1995, section 6.9). The hinges have linear units, a = z, and see a
target as y = 2 t - 1, so that one of 1 and 0 is +1 and -1 (Tang 2013). Work is cut in blocks of ROWS cases.
"""

import numpy as np
from numba import prange

from .exp import HALF, ONE, ZERO, exp, log, sigmoid, softplus
from .jit import compiled, flush, inner, lane_sum, njit, restore, row_of
from .losses import logistic_entropy, softmax_entropy, squared_error
from .transpose import transpose_tile
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


@njit
def _softmax(z, t, a):
    """(loss, wrong) of a case; a <- softmax z."""
    best, aim = _largest(z, t)
    top = z[best]
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


@inner
def _finish_block(block, kind, z, t, scale, a, d, d_t, value, error):
    cases, outputs = z.shape
    mode = flush()
    first, last = block * ROWS, min((block + 1) * ROWS, cases)
    terms, squares = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for i in range(first, last):
        given, target = row_of(z, i, 0, outputs), row_of(t, i, 0, outputs)
        out, back = row_of(a, i, 0, outputs), row_of(d, i, 0, outputs)
        if kind in HINGES:
            value[i], error[i] = _hinge(kind, given, target, out, back, terms)
            for j in range(outputs):
                back[j] = back[j] * scale
            continue
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
    """From z and t (B, N): a <- f(z); d, d_t (N, B) <- scale dloss/dz; value, error (B,) <- each case's loss, error.

    The error is 1 where the largest output is not the target's (softmax, hinges), else the squared distance of a and t.
    """
    if compiled(z):
        _finish(kind, z, t, np.float32(scale), a, d, d_t, value, error)
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

"""What happens at the output units of a minibatch that learns from a teacher, all in one pass: loss and step back.

Axes: B cases, N outputs; `_t` marks an array stored transposed. z is the units' input and, since they are linear, their
activation. t (B, N + 1) has the teacher's logits v and, in its last column, the class that a label gives, or -1. With
p = softmax(v / T) and q = softmax(z / T) a case's loss is T^2 sum_j p_j log(p_j / q_j) (SOFT_TARGETS; Hinton, Vinyals
and Dean 2015, section 2: their cross-entropy less the entropy of p, which no z changes, so that it is 0 where both are
alike) or 1/2 sum_j (z_j - v_j)^2 (LOGITS; Ba and Caruana 2014, equation 1), and in both `hard` times the cross-entropy
of softmax(z) and the class. Work is cut in blocks of ROWS cases.
"""

import numpy as np
from numba import prange

from .exp import HALF, ONE, ZERO, exp, log
from .jit import compiled, flush, inner, njit, restore, row_of
from .outputs import FEW, ROWS, root
from .transpose import transpose_at, transpose_tile
from .units import softmax, softmax_chain

SOFT_TARGETS, LOGITS = range(2)


@njit
def _shares(z, inverse, out):
    """(place of the largest z, log of the sum of e^((z - largest) / T)); out <- softmax(z / T)."""
    best = 0
    for j in range(out.size):
        if z[j] > z[best]:
            best = j
    for j in range(out.size):
        out[j] = exp((z[j] - z[best]) * inverse)
    total = ZERO
    for j in range(out.size):
        total += out[j]
    for j in range(out.size):
        out[j] = out[j] / total
    return best, log(total)


@inner
def _case(kind, temperature, hard, z, t, back, p, q):
    """(loss, whether the largest of z and v are apart) of a case; back <- dloss/dz; p and q are room."""
    inverse = ONE / temperature
    aim, below = _shares(t, inverse, p)
    best, above = _shares(z, inverse, q)
    loss = ZERO
    if kind == SOFT_TARGETS:
        for j in range(z.size):
            loss += p[j] * ((t[j] - t[aim]) - (z[j] - z[best])) * inverse
            back[j] = temperature * (q[j] - p[j])
        loss = temperature * temperature * (loss + (above - below))
    else:
        for j in range(z.size):
            back[j] = z[j] - t[j]
            loss += back[j] * back[j]
        loss = HALF * loss
    label = int(t[z.size])
    if hard > ZERO and label >= 0:
        best, above = _shares(z, ONE, q)
        loss += hard * (above - (z[label] - z[best]))
        for j in range(z.size):
            back[j] += hard * (q[j] - (ONE if j == label else ZERO))
    return loss, ONE if best != aim else ZERO


@inner
def _finish_block(transpose, block, kind, temperature, hard, z, t, scale, a, d, d_t, value, apart):
    cases, outputs = z.shape
    mode = flush()
    first, last = block * ROWS, min((block + 1) * ROWS, cases)
    p, q = np.empty(outputs, np.float32), np.empty(outputs, np.float32)
    for i in range(first, last):
        given, target = row_of(z, i, 0, outputs), row_of(t, i, 0, outputs + 1)
        out, back = row_of(a, i, 0, outputs), row_of(d, i, 0, outputs)
        value[i], apart[i] = _case(kind, temperature, hard, given, target, back, p, q)
        for j in range(outputs):
            out[j] = given[j]
            back[j] = back[j] * scale
    transpose_tile(transpose, d, first, last, 0, outputs, d_t)
    restore(mode)


@njit(parallel=True)
def _finish(transpose, kind, temperature, hard, z, t, scale, a, d, d_t, value, apart):
    blocks = (z.shape[0] + ROWS - 1) // ROWS
    if z.size < FEW:
        for block in range(blocks):
            _finish_block(transpose, block, kind, temperature, hard, z, t, scale, a, d, d_t, value, apart)
        return
    for block in prange(blocks):
        _finish_block(transpose, block, kind, temperature, hard, z, t, scale, a, d, d_t, value, apart)


def finish(kind, temperature, hard, z, t, scale, a, d, d_t, value, apart):
    """From z (B, N) and t (B, N + 1): a <- z; d and d_t (N, B) <- scale dloss/dz; value (B,) <- each case's loss.

    apart (B,) <- 1 where the largest of z is not the largest of the teacher's.
    """
    if compiled(z):
        numbers = np.float32(temperature), np.float32(hard)
        _finish(transpose_at.address, kind, *numbers, z, t, np.float32(scale), a, d, d_t, value, apart)
        return
    v, label = t[:, :-1], t[:, -1].real.astype(np.int64)
    if kind == SOFT_TARGETS:
        p, q = _logs(v / temperature), _logs(z / temperature)
        value[...] = temperature**2 * (np.exp(p) * (p - q)).sum(axis=1)
        d[...] = temperature * (np.exp(q) - np.exp(p))
    else:
        value[...] = 0.5 * ((z - v) ** 2).sum(axis=1)
        d[...] = z - v
    shares, one = _logs(z), label[:, None] == np.arange(z.shape[1])
    value -= hard * (one * shares).sum(axis=1)
    d += hard * (label >= 0)[:, None] * (np.exp(shares) - one)
    apart[...] = z.real.argmax(axis=1) != v.real.argmax(axis=1)
    a[...] = z
    d *= scale
    d_t[...] = d.T


def _logs(z):
    """log softmax of each row."""
    shifted = z - z.real.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def curvature(kind, temperature, hard, a, t, rz):
    """rz (B, N) <- H rz, H the Hessian of a case's loss at z = a.

    Of soft targets diag(q) - q q', of logits the identity, and `hard` times diag(s) - s s', s = softmax(z), where t has
    a class.
    """
    known = t[:, -1].real >= 0
    second = rz.copy() if hard and known.any() else None
    if kind == SOFT_TARGETS:
        softmax_chain(_shares_of(a, temperature), rz)
    if second is not None:
        softmax_chain(_shares_of(a, 1.0), second)
        rz += (hard * known).astype(rz.dtype)[:, None] * second


def spread(kind, temperature, hard, a, t, signs):
    """H^1/2 e (B, N) for e the first N columns of `signs` (B, N + 1), H as in `curvature`.

    The last column sets the signs of the second term against the first, so that their products vanish in the mean.
    """
    first, side, known = signs[:, :-1].copy(), signs[:, -1:], t[:, -1:].real >= 0
    second = first.copy()
    for out, heat in ((first, temperature), (second, 1.0)) if kind == SOFT_TARGETS else ((second, 1.0),):
        shares = _shares_of(a, heat)
        out /= root(shares)
        softmax_chain(shares, out)
    return first + np.sqrt(hard * known).astype(first.dtype) * side * second


def _shares_of(z, temperature):
    """Softmax of each row over the temperature, in a new array that kernels take."""
    out = np.empty_like(z)
    np.multiply(z, out.dtype.type(1 / temperature), out=out)
    softmax(out, out)
    return out

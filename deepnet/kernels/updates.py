"""One step of each first-order rule, in one pass over the parameter vector; and norms.

theta, velocity, gradient ... are contiguous vectors of P parameters. Every element is computed alone, so threads
change nothing. A rule is launched in chunks: its numbers are the vectors' size and addresses, then the bits of its
settings.
"""

import numpy as np
from numba import prange
from numba.np.unsafe.ndarray import to_fixed_tuple

from .jit import bits_of, compiled, float_of, fma, inner, native, njit, numbers_at, vector_at
from .tape import launch

CHUNK = 16384
_f = np.float32
ONE = _f(1)


@inner(inline=True)
def _span(c, size):
    return c * CHUNK, min((c + 1) * CHUNK, size)


@inner(inline=True)
def _chunk(part, size, address):
    return vector_at(address + part * CHUNK * 4, min(CHUNK, size - part * CHUNK))


@native(2)
def _sgd(part, at):
    size, theta, g, rate = to_fixed_tuple(numbers_at(at, 4), 4)
    w, d, rate = _chunk(part, size, theta), _chunk(part, size, g), float_of(rate)
    for i in range(w.size):
        w[i] -= rate * d[i]


@inner
def momentum_part(w, v, d, rate, mu, ahead):
    """`momentum` of three vectors, as a part of kernels."""
    if ahead:
        for i in range(w.size):
            v[i] = fma(mu, v[i], -(rate * d[i]))
            w[i] = fma(-rate, d[i], w[i])
    else:
        for i in range(w.size):
            v[i] = fma(mu, v[i], -(rate * d[i]))
            w[i] += v[i]


@native(2)
def _momentum(part, at):
    size, theta, velocity, g, rate, mu, ahead = to_fixed_tuple(numbers_at(at, 7), 7)
    w, v, d = _chunk(part, size, theta), _chunk(part, size, velocity), _chunk(part, size, g)
    momentum_part(w, v, d, float_of(rate), float_of(mu), ahead != 0)


@native(2)
def _add(part, at):
    size, x, y, scale = to_fixed_tuple(numbers_at(at, 4), 4)
    w, v, scale = _chunk(part, size, x), _chunk(part, size, y), float_of(scale)
    for i in range(w.size):
        w[i] += scale * v[i]


@native(2)
def _approach(part, at):
    size, mean, theta, share = to_fixed_tuple(numbers_at(at, 4), 4)
    m, w, share = _chunk(part, size, mean), _chunk(part, size, theta), float_of(share)
    for i in range(m.size):
        m[i] = fma(share, w[i] - m[i], m[i])


@native(2)
def _rprop(part, at):
    size, theta, last, width, g, rise, fall, first, least, most = to_fixed_tuple(numbers_at(at, 10), 10)
    w, p = _chunk(part, size, theta), _chunk(part, size, last)
    d, slope = _chunk(part, size, width), _chunk(part, size, g)
    rise, fall, first, least, most = float_of(rise), float_of(fall), float_of(first), float_of(least), float_of(most)
    for i in range(w.size):
        same = slope[i] * p[i]
        step = first if d[i] == _f(0) and slope[i] != _f(0) else d[i]
        step = min(step * rise, most) if same > _f(0) else (max(step * fall, least) if same < _f(0) else step)
        now = _f(0) if same < _f(0) else slope[i]
        w[i] -= step if now > _f(0) else (-step if now < _f(0) else now)
        d[i], p[i] = step, now


@native(2)
def _scaled_step(part, at):
    size, theta, square, g, rate, keep, take, epsilon = to_fixed_tuple(numbers_at(at, 8), 8)
    w, s, d = _chunk(part, size, theta), _chunk(part, size, square), _chunk(part, size, g)
    rate, keep, take, epsilon = float_of(rate), float_of(keep), float_of(take), float_of(epsilon)
    for i in range(w.size):
        s[i] = fma(keep, s[i], take * d[i] * d[i])
        w[i] -= rate * d[i] / (np.sqrt(s[i]) + epsilon)


@native(2)
def _adam(part, at):
    size, theta, mean, square, g, rate, beta1, beta2, epsilon = to_fixed_tuple(numbers_at(at, 9), 9)
    w, m = _chunk(part, size, theta), _chunk(part, size, mean)
    s, d = _chunk(part, size, square), _chunk(part, size, g)
    rate, beta1, beta2, epsilon = float_of(rate), float_of(beta1), float_of(beta2), float_of(epsilon)
    for i in range(w.size):
        m[i] = fma(beta1, m[i], (ONE - beta1) * d[i])
        s[i] = fma(beta2, s[i], (ONE - beta2) * d[i] * d[i])
        w[i] -= rate * m[i] / (np.sqrt(s[i]) + epsilon)


@njit
def _numbers(address, vectors, settings):
    """The numbers of a rule's call."""
    size, count = vectors[0].size, len(vectors)
    row = np.empty((1, 3 + count + len(settings)), np.int64)
    row[0, 0], row[0, 1], row[0, 2] = address, (size + CHUNK - 1) // CHUNK, size
    for k in range(count):
        row[0, 3 + k] = vectors[k].ctypes.data
    for k in range(len(settings)):
        row[0, 3 + count + k] = bits_of(settings[k])
    return row


def _step(rule, vectors, *settings):
    """One step of a rule."""
    launch(_numbers(rule.address, vectors, tuple(map(float, settings))), vectors)


@inner
def _dot_part(x, y):
    lanes = np.zeros(16, np.float64)
    whole = x.size // 16
    for k in range(whole):
        one, other = x[k * 16 : k * 16 + 16], y[k * 16 : k * 16 + 16]
        for j in range(16):
            lanes[j] += np.float64(one[j]) * np.float64(other[j])
    for j in range(x.size - 16 * whole):
        lanes[j] += np.float64(x[16 * whole + j]) * np.float64(y[16 * whole + j])
    total = 0.0
    for j in range(16):
        total += lanes[j]
    return total


@njit(parallel=True)
def _dot(x, y):
    parts = np.empty((x.size + CHUNK - 1) // CHUNK)
    for c in prange(parts.size):
        first, last = _span(c, x.size)
        parts[c] = _dot_part(x[first:last], y[first:last])
    total = 0.0
    for c in range(parts.size):
        total += parts[c]
    return total


@njit
def _sum_squares(x):
    lanes = np.zeros(16, np.float64)
    whole = x.size // 16
    for k in range(whole):
        part = x[k * 16 : k * 16 + 16]
        for j in range(16):
            lanes[j] += np.float64(part[j]) * np.float64(part[j])
    for j in range(x.size - 16 * whole):
        lanes[j] += np.float64(x[16 * whole + j]) * np.float64(x[16 * whole + j])
    total = 0.0
    for j in range(16):
        total += lanes[j]
    return total


def sgd(theta, g, rate):
    """theta <- theta - rate g."""
    if compiled(theta):
        _step(_sgd, (theta, g), rate)
    else:
        theta -= rate * g


def momentum(theta, velocity, g, rate, mu, ahead=False):
    """velocity <- mu velocity - rate g; theta <- theta + velocity (Polyak 1964).

    Of that sum theta has mu velocity already where it has been moved `ahead` (Sutskever et al. 2013, eqs. 3-4).
    """
    if compiled(theta):
        _step(_momentum, (theta, velocity, g), rate, mu, ahead)
    else:
        velocity *= mu
        velocity -= rate * g
        theta += -rate * g if ahead else velocity


def add(x, y, scale):
    """x <- x + scale y."""
    if compiled(x):
        _step(_add, (x, y), scale)
    else:
        x += scale * y


def approach(mean, theta, share):
    """mean <- mean + share (theta - mean), a step of a running mean (Polyak and Juditsky 1992)."""
    if compiled(mean):
        _step(_approach, (mean, theta), share)
    else:
        mean += share * (theta - mean)


def dot(x, y):
    """The inner product of two vectors in float64, in blocks whose sums are added in order, as a Python number."""
    if compiled(x):
        return float(_dot(x, y))
    return float(np.dot(x.astype(np.float64), y.astype(np.float64)))


def adam(theta, mean, square, g, rate, beta1, beta2, epsilon):
    """mean, square <- running moments of g; theta <- theta - rate mean / (sqrt(square) + epsilon) (Kingma and Ba 2015).

    The bias corrections are within rate and epsilon.
    """
    if compiled(theta):
        _step(_adam, (theta, mean, square, g), rate, beta1, beta2, epsilon)
    else:
        mean += (1 - beta1) * (g - mean)
        square += (1 - beta2) * (g * g - square)
        theta -= rate * mean / (np.sqrt(square) + epsilon)


def rprop(theta, last, width, g, rise, fall, first, least, most):
    """One step of iRprop-: theta <- theta - sign(g) width, in place; `last` holds the gradient of the step before.

    width grows by `rise` up to `most` where g kept its sign, shrinks by `fall` down to `least` where it changed, and
    that element rests; a width of 0 is one not used yet and becomes `first`. Source: Igel and Huesken 2003, table 4.
    """
    if compiled(theta):
        _step(_rprop, (theta, last, width, g), rise, fall, first, least, most)
    else:
        same = g * last
        size = np.where((width == 0) & (g != 0), first, width)
        size = np.where(
            same > 0, np.minimum(size * rise, most), np.where(same < 0, np.maximum(size * fall, least), size)
        )
        now = np.where(same < 0, 0, g)
        theta -= np.where(np.isnan(now), now, np.sign(now) * size)
        width[...], last[...] = size, now


def scaled_step(theta, square, g, rate, keep, take, epsilon):
    """square <- keep square + take g^2; theta <- theta - rate g / (sqrt(square) + epsilon)."""
    if compiled(theta):
        _step(_scaled_step, (theta, square, g), rate, keep, take, epsilon)
    else:
        square *= keep
        square += take * g * g
        theta -= rate * g / (np.sqrt(square) + epsilon)


def sum_squares(x):
    """The sum of squares of a vector, in float64 and sixteen interleaved chains, as a Python number."""
    return float(_sum_squares(x)) if compiled(x) else float(np.sum(np.square(np.abs(x), dtype=np.float64)))


@njit
def _decay(theta, l2, l1, g):
    for i in range(theta.size):
        sign = ONE if theta[i] > 0 else (-ONE if theta[i] < 0 else _f(0))
        g[i] += fma(l2, theta[i], l1 * sign)


def decay(theta, l2, l1, g):
    """g <- g + l2 theta + l1 sign(theta), the gradient of l2 / 2 |theta|^2 + l1 |theta|_1."""
    if compiled(theta):
        _decay(theta, _f(l2), _f(l1), g)
    else:
        g += l2 * theta + l1 * np.sign(theta.real)

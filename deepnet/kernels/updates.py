"""One step of each first-order rule, in one pass over the parameter vector; and norms.

theta, velocity, gradient ... are contiguous vectors of P parameters. Every element is computed alone, so threads
change nothing.
"""

import numpy as np
from numba import prange

from .jit import compiled, fma, inner, njit

CHUNK = 16384
_f = np.float32
ONE = _f(1)


@inner(inline=True)
def _span(c, size):
    return c * CHUNK, min((c + 1) * CHUNK, size)


@njit(parallel=True)
def _sgd(theta, g, rate):
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, theta.size)
        w, d = theta[first:last], g[first:last]
        for i in range(w.size):
            w[i] -= rate * d[i]


@inner
def momentum_part(w, v, d, rate, mu):
    """`momentum` of three vectors, as a part of kernels."""
    for i in range(w.size):
        v[i] = fma(mu, v[i], -(rate * d[i]))
        w[i] += v[i]


@njit(parallel=True)
def _momentum(theta, velocity, g, rate, mu):
    if theta.size <= CHUNK:  # not worth a region of threads
        momentum_part(theta, velocity, g, rate, mu)
        return
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, theta.size)
        momentum_part(theta[first:last], velocity[first:last], g[first:last], rate, mu)


@njit(parallel=True)
def _add(x, y, scale):
    for c in prange((x.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, x.size)
        w, v = x[first:last], y[first:last]
        for i in range(w.size):
            w[i] += scale * v[i]


@njit(parallel=True)
def _approach(mean, theta, share):
    for c in prange((mean.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, mean.size)
        m, w = mean[first:last], theta[first:last]
        for i in range(m.size):
            m[i] = fma(share, w[i] - m[i], m[i])


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


@njit(parallel=True)
def _rprop(theta, last, width, g, rise, fall, first, least, most):
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        i0, i1 = _span(c, theta.size)
        w, p, d, slope = theta[i0:i1], last[i0:i1], width[i0:i1], g[i0:i1]
        for i in range(w.size):
            same = slope[i] * p[i]
            size = first if d[i] == _f(0) and slope[i] != _f(0) else d[i]
            size = min(size * rise, most) if same > _f(0) else (max(size * fall, least) if same < _f(0) else size)
            now = _f(0) if same < _f(0) else slope[i]
            w[i] -= size if now > _f(0) else (-size if now < _f(0) else now)
            d[i], p[i] = size, now


@njit(parallel=True)
def _scaled_step(theta, square, g, rate, keep, take, epsilon):
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, theta.size)
        w, s, d = theta[first:last], square[first:last], g[first:last]
        for i in range(w.size):
            s[i] = fma(keep, s[i], take * d[i] * d[i])
            w[i] -= rate * d[i] / (np.sqrt(s[i]) + epsilon)


@njit(parallel=True)
def _nesterov(theta, velocity, g, rate, mu):
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, theta.size)
        w, v, d = theta[first:last], velocity[first:last], g[first:last]
        for i in range(w.size):
            v[i] = fma(mu, v[i], -(rate * d[i]))
            w[i] = fma(-rate, d[i], w[i])


@njit(parallel=True)
def _adam(theta, mean, square, g, rate, beta1, beta2, epsilon):
    for c in prange((theta.size + CHUNK - 1) // CHUNK):
        first, last = _span(c, theta.size)
        w, m, s, d = theta[first:last], mean[first:last], square[first:last], g[first:last]
        for i in range(w.size):
            m[i] = fma(beta1, m[i], (ONE - beta1) * d[i])
            s[i] = fma(beta2, s[i], (ONE - beta2) * d[i] * d[i])
            w[i] -= rate * m[i] / (np.sqrt(s[i]) + epsilon)


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
        _sgd(theta, g, _f(rate))
    else:
        theta -= rate * g


def momentum(theta, velocity, g, rate, mu):
    """velocity <- mu velocity - rate g; theta <- theta + velocity (Polyak 1964)."""
    if compiled(theta):
        _momentum(theta, velocity, g, _f(rate), _f(mu))
    else:
        velocity *= mu
        velocity -= rate * g
        theta += velocity


def add(x, y, scale):
    """x <- x + scale y."""
    if compiled(x):
        _add(x, y, _f(scale))
    else:
        x += scale * y


def approach(mean, theta, share):
    """mean <- mean + share (theta - mean), a step of a running mean (Polyak and Juditsky 1992)."""
    if compiled(mean):
        _approach(mean, theta, _f(share))
    else:
        mean += share * (theta - mean)


def dot(x, y):
    """The inner product of two vectors in float64, in blocks whose sums are added in order, as a Python number."""
    if compiled(x):
        return float(_dot(x, y))
    return float(np.dot(x.astype(np.float64), y.astype(np.float64)))


def nesterov(theta, velocity, g, rate, mu):
    """velocity <- mu velocity - rate g; theta <- theta - rate g, where theta has been moved `ahead`.

    Source: Sutskever et al. 2013, eqs. 3-4.
    """
    if compiled(theta):
        _nesterov(theta, velocity, g, _f(rate), _f(mu))
    else:
        velocity *= mu
        velocity -= rate * g
        theta -= rate * g


def adam(theta, mean, square, g, rate, beta1, beta2, epsilon):
    """mean, square <- running moments of g; theta <- theta - rate mean / (sqrt(square) + epsilon) (Kingma and Ba 2015).

    The bias corrections are within rate and epsilon.
    """
    if compiled(theta):
        _adam(theta, mean, square, g, _f(rate), _f(beta1), _f(beta2), _f(epsilon))
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
        _rprop(theta, last, width, g, *map(_f, (rise, fall, first, least, most)))
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
        _scaled_step(theta, square, g, *map(_f, (rate, keep, take, epsilon)))
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

"""Normalising the units of a minibatch, and the way through it in both directions.

Axes: B cases, N units; `scale` (1, N) is 1 / sqrt(variance + EPSILON) of each unit. Work is cut in blocks of WIDE
units, of which a thread adds up the cases in their order, so threads change nothing. Source: Ioffe and Szegedy 2015,
algorithm 1.
"""

import numpy as np
from numba import prange

from .exp import ONE, ZERO
from .jit import compiled, fma, inner, njit, row_of

WIDE, FEW = 64, 1 << 13  # units of a block; elements below which the calling thread does it
EPSILON = 1e-5
_EPSILON = np.float32(EPSILON)


@inner
def _moments_block(z, j0, j1, mean, scale):
    cases, center, width = np.float32(z.shape[0]), row_of(mean, 0, j0, j1), row_of(scale, 0, j0, j1)
    center[:] = ZERO
    width[:] = ZERO
    for i in range(z.shape[0]):
        row = row_of(z, i, j0, j1)
        for j in range(row.size):
            center[j] += row[j]
    for j in range(center.size):
        center[j] /= cases
    for i in range(z.shape[0]):
        row = row_of(z, i, j0, j1)
        for j in range(row.size):
            off = row[j] - center[j]
            width[j] = fma(off, off, width[j])
    for j in range(width.size):
        width[j] = ONE / np.sqrt(width[j] / cases + _EPSILON)


@inner
def _project_block(d, n, share, factor, j0, j1, sums, dots, out):
    total, along = row_of(sums, 0, j0, j1), row_of(dots, 0, j0, j1)
    total[:] = ZERO
    along[:] = ZERO
    for i in range(d.shape[0]):
        row, place = row_of(d, i, j0, j1), row_of(n, i, j0, j1)
        for j in range(row.size):
            total[j] += row[j]
            along[j] = fma(row[j], place[j], along[j])
    widths = row_of(factor, 0, j0, j1)
    for i in range(d.shape[0]):
        row, place, back = row_of(d, i, j0, j1), row_of(n, i, j0, j1), row_of(out, i, j0, j1)
        for j in range(row.size):
            back[j] = widths[j] * fma(-share, fma(place[j], along[j], total[j]), row[j])


@njit(parallel=True)
def _moments(z, mean, scale):
    if z.size < FEW:
        _moments_block(z, 0, z.shape[1], mean, scale)
        return
    for b in prange((z.shape[1] + WIDE - 1) // WIDE):
        _moments_block(z, b * WIDE, min((b + 1) * WIDE, z.shape[1]), mean, scale)


@njit(parallel=True)
def _project(d, n, share, factor, sums, dots, out):
    if d.size < FEW:
        _project_block(d, n, share, factor, 0, d.shape[1], sums, dots, out)
        return
    for b in prange((d.shape[1] + WIDE - 1) // WIDE):
        _project_block(d, n, share, factor, b * WIDE, min((b + 1) * WIDE, d.shape[1]), sums, dots, out)


@njit
def _normalize(mean, scale, gamma, beta, n, y):
    center, width = row_of(mean, 0, 0, n.shape[1]), row_of(scale, 0, 0, n.shape[1])
    for i in range(n.shape[0]):
        row, out = row_of(n, i, 0, n.shape[1]), row_of(y, i, 0, n.shape[1])
        for j in range(row.size):
            row[j] = (row[j] - center[j]) * width[j]
            out[j] = fma(gamma[j], row[j], beta[j])


def moments(z, mean, scale):
    """mean (1, N) of each unit's z (B, N), and scale (1, N)."""
    if compiled(z):
        _moments(z, mean, scale)
    else:
        mean[...] = z.mean(axis=0)
        scale[...] = 1 / np.sqrt(((z - mean) ** 2).mean(axis=0) + EPSILON)


def normalize(mean, scale, gamma, beta, n, y):
    """n (B, N) <- (n - mean) scale, y (B, N) <- gamma n + beta, with gamma and beta (N,)."""
    if compiled(n):
        _normalize(mean, scale, gamma, beta, n, y)
    else:
        n -= mean
        n *= scale
        y[...] = gamma * n + beta


def project(d, n, share, factor, sums, dots, out):
    """out (B, N) <- factor (d - share (sums + n dots)); sums (1, N) of d over the cases, dots (1, N) of d n.

    With a share of 1 / B and factor `scale` it is the derivative of n in the direction d of z, and, a symmetric matrix
    of each unit's cases, the way back of a gradient d too; with a share of 0 mean and scale are constants.
    """
    if compiled(d):
        _project(d, n, np.float32(share), factor, sums, dots, out)
    else:
        sums[...], dots[...] = d.sum(axis=0), (d * n).sum(axis=0)
        out[...] = factor * (d - share * (sums + n * dots))

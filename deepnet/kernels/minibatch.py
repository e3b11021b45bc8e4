"""The data's way into a minibatch: rows are gathered, shifted, scaled, and brought to one contrast.

Every case is worked on alone, so threads change nothing. Axes: B cases of a minibatch, M columns; an image has H rows
of W pixels of C channels, M = H W C.
"""

import math

import numpy as np
from numba import prange

from .jit import compiled, inner, njit, row_of

SMALL = 16384  # elements up to which no threads pay
_f = np.float32
# What a centred case is divided by: the mean of its magnitudes, or the root of its mean square.
CONTRASTS = {"l1": 0, "l2": 1}


@inner
def _gather_row(i, inputs, rows, offset, scale, out):
    given = inputs[rows[i]]
    row = row_of(out, i, 0, out.shape[1])
    for j in range(row.size):
        row[j] = (_f(given[j]) - offset[j]) / scale[j]


@njit(parallel=True)
def _gather(inputs, rows, offset, scale, out):
    if out.size <= SMALL:
        for i in range(rows.size):
            _gather_row(i, inputs, rows, offset, scale, out)
        return
    for i in prange(rows.size):
        _gather_row(i, inputs, rows, offset, scale, out)


def gather(inputs, rows, offset, scale, out):
    """out (B, M) <- (inputs[rows] - offset) / scale.

    A minibatch of uint8 or float data (cases, M), scaled column by column.
    """
    if compiled(out):
        _gather(inputs, rows, offset, scale, out)
    else:
        out[...] = (inputs[rows] - offset) / scale


@inner
def _shift_row(i, inputs, rows, shifts, wide, channels, offset, scale, out):
    given = inputs[rows[i]]
    row = row_of(out, i, 0, out.shape[1])
    down, right, height = shifts[i, 0], shifts[i, 1] * channels, row.size // wide
    for r in range(height):
        there = 0 <= r - down < height
        for c in range(wide):
            k, inside = r * wide + c, there and 0 <= c - right < wide
            value = _f(given[k - down * wide - right]) if inside else _f(0)
            row[k] = (value - offset[k]) / scale[k]


@njit(parallel=True)
def _gather_shifted(inputs, rows, shifts, wide, channels, offset, scale, out):
    if out.size <= SMALL:
        for i in range(rows.size):
            _shift_row(i, inputs, rows, shifts, wide, channels, offset, scale, out)
        return
    for i in prange(rows.size):
        _shift_row(i, inputs, rows, shifts, wide, channels, offset, scale, out)


def gather_shifted(inputs, rows, shifts, shape, offset, scale, out):
    """out (B, M) <- (inputs[rows] moved by `shifts` - offset) / scale, zeros moved in.

    inputs are images of `shape` (H, W, C), row by row; shifts int64 (B, 2): pixels downwards and to the right.
    """
    height, width, channels = shape
    if compiled(out):
        _gather_shifted(inputs, rows, shifts, width * channels, channels, offset, scale, out)
        return
    for i, (down, right) in enumerate(shifts):
        moved, image = np.zeros(shape, inputs.dtype), inputs[rows[i]].reshape(shape)
        moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = image[
            max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
        ]
        out[i] = (moved.reshape(-1) - offset) / scale


@inner
def _contrast_row(i, code, x):
    row, total = row_of(x, i, 0, x.shape[1]), 0.0
    for j in range(row.size):
        total += row[j]
    mean, total = _f(total / row.size), 0.0
    for j in range(row.size):
        row[j] -= mean
        total += abs(np.float64(row[j])) if code == 0 else np.float64(row[j]) * np.float64(row[j])
    total /= row.size
    size = _f(total if code == 0 else math.sqrt(total))
    if size > 0:
        for j in range(row.size):
            row[j] /= size


@njit(parallel=True)
def _contrast(code, x):
    if x.size <= SMALL:
        for i in range(x.shape[0]):
            _contrast_row(i, code, x)
        return
    for i in prange(x.shape[0]):
        _contrast_row(i, code, x)


def contrast(name, x):
    """Each case of x (B, M) less its mean, divided by the size that CONTRASTS names; a constant case becomes 0.

    Source: global contrast normalisation as in Coates, Ng and Lee 2011, section 3.1 (l2), and Ruff et al. 2018,
    section 4.2 (l1).
    """
    if compiled(x):
        _contrast(CONTRASTS[name], x)
        return
    x -= x.mean(axis=1, keepdims=True, dtype=np.float64).astype(x.dtype)
    size = np.abs(x).mean(axis=1) if name == "l1" else np.sqrt(np.square(x).mean(axis=1))
    x /= np.where(size > 0, size, 1)[:, None]

"""The three matrix products of every net and every RBM, with what follows them element by element.

    up     (B, M) x (M, N)      v -> h, forward            broadcasts x,  vectors along the rows of W
    down   (M, N) x (N, B)      h -> v, backward           broadcasts W,  vectors along d_t; the result is transposed
    outer  (M, B) x (B, N)      statistics, gradient of W  broadcasts x,  vectors along d

Axes: B cases, M inputs, N outputs. `_t` marks an array stored transposed, (units, cases): `down` reads and writes such
arrays, so that W is never transposed or copied; `x` may have any strides, so a transposed array serves as it is.
All other arrays need unit inner stride. Work is cut into tiles, shared among threads; each tile runs the register block
of `microkernel` and then its epilogue while it lies in the first cache. Each element is one chain over the inner index,
so no bit depends on tiles, threads or vector width. Twins are the NumPy lines in each public function.
"""

import numpy as np
from numba import prange

from .exp import ZERO
from .jit import compiled, njit, row_of
from .microkernel import block_address, call_block, target
from .random import GROUP, halves
from .units import LINEAR, activate_row, activate_twin, sample_row, sample_twin, slope, slope_twin

LANES, _SHAPES = target()
MOST = np.array([_SHAPES.get(v, 0) for v in range(4)])
TALL = 112  # rows of a tile: eight blocks of fourteen


def stride(columns):
    """Elements from row to row for rows of `columns` elements.

    An odd number of 64-byte lines with at least one element over.

    The one padding rule, the same on every CPU: an odd number of lines spreads rows over all sets of a cache
    (a stride of 4096 bytes costs `down` a third of its speed).
    """
    return 16 * ((columns // 16 + 1) | 1)


def vector(count, dtype=np.float32):
    """Zeros (count,) that begin at a cache line."""
    size = np.dtype(dtype).itemsize
    raw = np.zeros(count * size + 64, np.uint8)
    first = -raw.ctypes.data % 64
    return raw[first : first + count * size].view(dtype)


def matrix(rows, columns, dtype=np.float32):
    """Zeros (rows, columns), each row padded by the one rule."""
    return vector(rows * stride(columns), dtype).reshape(rows, stride(columns))[:, :columns]


@njit
def _fill_tile(address, a, b, c, keep, i0, i1, j0, j1):
    """C[i0:i1, j0:j1] = (C if keep) + A B over the whole inner index; the block itself makes at least one step."""
    vectors = (j1 - j0 + LANES - 1) // LANES
    steps = a.shape[1]
    if steps == 0:
        if keep == 0:
            c[i0:i1, j0:j1] = ZERO
        return
    j = j0
    while vectors > 0:
        wide = 3 if vectors == 3 else min(vectors, 2)
        tail = min(LANES, j1 - j - (wide - 1) * LANES)
        parts = (i1 - i0 + MOST[wide] - 1) // MOST[wide]
        for p in range(parts):
            i = i0 + (i1 - i0) * p // parts
            rows = i0 + (i1 - i0) * (p + 1) // parts - i
            call_block(
                address,
                (
                    a.ctypes.data + i * a.strides[0],
                    a.strides[0] // 4,
                    a.strides[1] // 4,
                    b.ctypes.data + j * 4,
                    b.strides[0] // 4,
                    c.ctypes.data + i * c.strides[0] + j * 4,
                    c.strides[0] // 4,
                    steps,
                    tail,
                    keep,
                    rows,
                    wide,
                ),
            )
        j += wide * LANES
        vectors -= wide


@njit
def _add(bias, row):
    for j in range(row.size):
        row[j] += bias[j]


@njit(inline=True)
def _cut(rows, columns):
    """Tiles down and across: of at most TALL rows, and GROUP columns; the last takes what is under a GROUP."""
    return (rows + TALL - 1) // TALL, max(1, columns // GROUP)


@njit(inline=True)
def _edges(t, down, across, rows, columns):
    i, j = t % down, t // down
    return rows * i // down, rows * (i + 1) // down, j * GROUP, columns if j == across - 1 else (j + 1) * GROUP


@njit(parallel=True)
def _up(address, x, W, bias, code, keep, out):
    down, across = _cut(out.shape[0], out.shape[1])
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, out.shape[0], out.shape[1])
        _fill_tile(address, x, W, out, keep, i0, i1, j0, j1)
        if keep == 0:
            for i in range(i0, i1):
                row = row_of(out, i, j0, j1)
                _add(bias[j0:j1], row)
                activate_row(code, row)


@njit(parallel=True)
def _up_sample(address, x, W, bias, code, k0, k1, draw, mean, states_t):
    down, across = _cut(mean.shape[0], mean.shape[1])
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, mean.shape[0], mean.shape[1])
        _fill_tile(address, x, W, mean, 0, i0, i1, j0, j1)
        for i in range(i0, i1):
            row = row_of(mean, i, j0, j1)
            _add(bias[j0:j1], row)
            sample_row(code, row, k0, k1, draw, i, j0, states_t)


@njit(parallel=True)
def _down(address, W, d_t, bias, code, out_t):
    down, across = _cut(out_t.shape[0], out_t.shape[1])
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, out_t.shape[0], out_t.shape[1])
        _fill_tile(address, W, d_t, out_t, 0, i0, i1, j0, j1)
        for i in range(i0, i1):
            row = row_of(out_t, i, j0, j1)
            for j in range(row.size):
                row[j] += bias[i]
            activate_row(code, row)


@njit(parallel=True)
def _down_chain(address, W, d_t, code, a, out, out_t):
    down, across = _cut(out_t.shape[0], out_t.shape[1])
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, out_t.shape[0], out_t.shape[1])
        _fill_tile(address, W, d_t, out_t, 0, i0, i1, j0, j1)
        for j in range(j0, j1):
            for i in range(i0, i1):
                value = out_t[i, j] * slope(code, a[j, i])
                out[j, i] = value
                out_t[i, j] = value


@njit(parallel=True)
def _outer(address, x, d, keep, out):
    down, across = _cut(out.shape[0], out.shape[1])
    x_t = x.T
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, out.shape[0], out.shape[1])
        _fill_tile(address, x_t, d, out, keep, i0, i1, j0, j1)


@njit(parallel=True)
def _contrast(address, x, d, y_t, e, scale, out):
    down, across = _cut(out.shape[0], out.shape[1])
    x_t = x.T
    for t in prange(down * across):
        i0, i1, j0, j1 = _edges(t, down, across, out.shape[0], out.shape[1])
        _fill_tile(address, x_t, d, out, 0, i0, i1, j0, j1)
        _fill_tile(address, y_t, e, out, 1, i0, i1, j0, j1)
        for i in range(i0, i1):
            row = row_of(out, i, j0, j1)
            for j in range(row.size):
                row[j] *= scale


def up(x, W, bias, code, out):
    """out (B, N) <- f(x W + bias): x (B, M), W (M, N), bias (N,), `code` a unit of `kernels.units`."""
    if compiled(out):
        _up(block_address(), x, W, bias, code, 0, out)
    else:
        out[...] = activate_twin(code, x @ W + bias)


def up_add(x, W, out):
    """out (B, N) <- out + x W."""
    if compiled(out):
        _up(block_address(), x, W, W[0], LINEAR, 1, out)
    else:
        out += x @ W


def up_sample(x, W, bias, code, key, draw, mean, states_t):
    """mean (B, N) of the units whose input is x W + bias, states_t (N, B) drawn from them (see `units.sample_row`)."""
    if compiled(mean):
        _up_sample(block_address(), x, W, bias, code, *halves(key), draw, mean, states_t)
    else:
        mean[...], states = sample_twin(code, x @ W + bias, key, draw)
        states_t[...] = states.T


def down(W, d_t, bias, code, out_t):
    """out_t (M, B) <- f(W d_t + bias): W (M, N), d_t (N, B), bias (M,)."""
    if compiled(out_t):
        _down(block_address(), W, d_t, bias, code, out_t)
    else:
        out_t[...] = activate_twin(code, W @ d_t + bias[:, None])


def down_chain(W, d_t, code, a, out, out_t):
    """out (B, M) and out_t (M, B) <- (W d_t) * f'(z), with a (B, M) = f(z) the activations of the layer below."""
    if compiled(out_t):
        _down_chain(block_address(), W, d_t, code, a, out, out_t)
    else:
        out[...] = (W @ d_t).T * slope_twin(code, a)
        out_t[...] = out.T


def outer(x, d, out):
    """out (M, N) <- x' d: x (B, M), d (B, N)."""
    if compiled(out):
        _outer(block_address(), x, d, 0, out)
    else:
        out[...] = x.T @ d


def contrast(x, d, y_t, e, scale, out):
    """out (M, N) <- scale (x' d + y_t e), one chain over the cases of both.

    X (B, M), d (B, N), y_t (M, C), e (C, N).
    """
    if compiled(out):
        _contrast(block_address(), x, d, y_t, e, np.float32(scale), out)
    else:
        out[...] = scale * (x.T @ d + y_t @ e)

"""The three matrix products of every net and every RBM, with what follows them element by element.

    up     (B, M) x (M, N)      v -> h, forward            broadcasts x,  vectors along the rows of W
    down   (M, N) x (N, B)      h -> v, backward           broadcasts W,  vectors along d_t; the result is transposed
    outer  (M, B) x (B, N)      statistics, gradient of W  broadcasts x,  vectors along d

Axes: B cases, M inputs, N outputs. `_t` marks an array stored transposed, (units, cases): `down` reads and writes such
arrays, so that W is never transposed or copied; `x` may have any strides, so a transposed array serves as it is.
All other arrays need unit inner stride. Work is cut into tiles, shared among threads; each tile runs the register block
of `microkernel` and then its epilogue while it lies in the first cache. Each element is one chain over the inner index,
so no bit depends on tiles, threads or vector width. Twins are the NumPy lines in each public function.

Where x is mostly zeros, as pixels are, steps whose PANEL rows are all zero are left out: `Listed` finds them once a
minibatch for `up` and `outer`. fma(0, b, c) is c for finite b, so no bit changes (a weight that is no longer finite
shows in the products that skip nothing). On MNIST half of the steps of both products go.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from .exp import ZERO
from .jit import compiled, njit, row_of
from .microkernel import block_address, call_block, target
from .random import GROUP, halves
from .transpose import transpose_tile
from .units import LINEAR, activate_row, activate_twin, chain_row, sample_row, sample_twin, slope_twin

LANES, _SHAPES = target()
MOST = np.array([_SHAPES.get(v, 0) for v in range(4)])
PANEL = _SHAPES[2]  # rows of a block, and of a list of the steps that are not zero throughout
HIGH = 4  # panels of a tile
SPARSE = 0.9  # share of a product's steps from which on leaving out the others does not pay


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
def _fill_tile(address, a, b, c, index, counts, keep, first, last, panels, j0, j1):
    """Panels first..last of C, columns j0..j1: C = (C if keep) + A B over the steps that `index` lists for a panel."""
    rows = c.shape[0]
    for p in range(first, last):
        i0, i1 = rows * p // panels, rows * (p + 1) // panels
        own = min(p, counts.size - 1)
        steps = np.int64(counts[own])
        if steps == 0:
            if keep == 0:
                for i in range(i0, i1):
                    row_of(c, i, j0, j1)[:] = ZERO
            continue
        vectors = (j1 - j0 + LANES - 1) // LANES
        j = j0
        while vectors > 0:
            wide = 3 if vectors == 3 else min(vectors, 2)
            tail = min(LANES, j1 - j - (wide - 1) * LANES)
            parts = (i1 - i0 + MOST[wide] - 1) // MOST[wide]
            for q in range(parts):
                i = i0 + (i1 - i0) * q // parts
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
                        index.ctypes.data + own * index.strides[0],
                        steps,
                        tail,
                        keep,
                        i0 + (i1 - i0) * (q + 1) // parts - i,
                        wide,
                    ),
                )
            j += wide * LANES
            vectors -= wide


@njit
def _add(bias, row):
    for j in range(row.size):
        row[j] += bias[j]


@njit
def _finish_up(code, bias, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        _add(bias[j0:j1], row)
        activate_row(code, row)


@njit
def _finish_sample(code, bias, c, k0, k1, draw, states_t, i0, i1, j0, j1):
    states = np.empty((i1 - i0, j1 - j0), np.float32)
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        _add(bias[j0:j1], row)
        sample_row(code, row, k0, k1, draw, i, j0, states[i - i0])
    transpose_tile(states, 0, i1 - i0, 0, j1 - j0, states_t[j0:j1, i0:i1])


@njit
def _finish_down(code, bias, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        for j in range(row.size):
            row[j] += bias[i]
        activate_row(code, row)


@njit
def _finish_chain(code, a, c, out, i0, i1, j0, j1):
    transpose_tile(c, i0, i1, j0, j1, out)
    for j in range(j0, j1):
        chain_row(code, row_of(a, j, i0, i1), row_of(out, j, i0, i1))
    if code != LINEAR:
        transpose_tile(out, j0, j1, i0, i1, c)


@njit
def _finish_scale(scale, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        for j in range(row.size):
            row[j] *= scale


# What follows a product, tile by tile.
NOTHING, UP, SAMPLE, DOWN, CHAIN = range(5)


@njit(parallel=True)
def _product(address, a, b, c, index, counts, keep, end, code, bias, k0, k1, draw, other, other_t):
    rows, columns = c.shape
    panels = (rows + PANEL - 1) // PANEL
    down, across = (panels + HIGH - 1) // HIGH, max(1, columns // GROUP)
    for t in prange(down * across):
        first, last = panels * (t % down) // down, panels * (t % down + 1) // down
        i0, i1 = rows * first // panels, rows * last // panels
        j0 = t // down * GROUP
        j1 = columns if t // down == across - 1 else j0 + GROUP
        _fill_tile(address, a, b, c, index, counts, keep, first, last, panels, j0, j1)
        if end == UP:
            _finish_up(code, bias, c, i0, i1, j0, j1)
        elif end == SAMPLE:
            _finish_sample(code, bias, c, k0, k1, draw, other, i0, i1, j0, j1)
        elif end == DOWN:
            _finish_down(code, bias, c, i0, i1, j0, j1)
        elif end == CHAIN:
            _finish_chain(code, other, c, other_t, i0, i1, j0, j1)


@njit(parallel=True)
def _contrast(address, x_t, d, index, counts, y_t, e, every, whole, scale, c):
    rows, columns = c.shape
    panels = (rows + PANEL - 1) // PANEL
    down, across = (panels + HIGH - 1) // HIGH, max(1, columns // GROUP)
    for t in prange(down * across):
        first, last = panels * (t % down) // down, panels * (t % down + 1) // down
        j0 = t // down * GROUP
        j1 = columns if t // down == across - 1 else j0 + GROUP
        _fill_tile(address, x_t, d, c, index, counts, 0, first, last, panels, j0, j1)
        _fill_tile(address, y_t, e, c, every, whole, 1, first, last, panels, j0, j1)
        _finish_scale(scale, c, rows * first // panels, rows * last // panels, j0, j1)


@njit(parallel=True)
def _list_steps(x, index, counts):
    rows, steps = x.shape
    panels = counts.size
    for p in prange(panels):
        used = np.zeros(steps, np.uint8)
        for i in range(rows * p // panels, rows * (p + 1) // panels):
            row = row_of(x, i, 0, steps)
            for k in range(steps):
                used[k] |= row[k] != ZERO
        n = 0
        for k in range(steps):
            index[p, n] = k
            n += used[k]
        counts[p] = n


@njit(parallel=True)
def _list_cases(x, index, counts):
    cases, rows = x.shape
    panels = counts.size
    for p in prange(panels):
        i0, i1 = rows * p // panels, rows * (p + 1) // panels
        n = 0
        for k in range(cases):
            row = row_of(x, k, i0, i1)
            some = np.uint8(0)
            for i in range(row.size):
                some |= row[i] != ZERO
            index[p, n] = k
            n += some
        counts[p] = n


class Listed(NamedTuple):
    """A minibatch x (B, M) with the steps that are not zero throughout a panel; products take it where they take x.

    Panels are of its rows for `up` (`steps`), of its columns for `outer` (`cases`).
    """

    x: np.ndarray
    steps: tuple[np.ndarray, np.ndarray]
    cases: tuple[np.ndarray, np.ndarray]
    worth: list[bool]

    @staticmethod
    def room(cases, inputs, dtype):
        """A Listed for minibatches of at most so many cases, to be filled by `listed`."""
        lists = [
            (np.zeros((panels_of(rows), steps + 1), np.int32), np.zeros(panels_of(rows), np.int32))
            for rows, steps in ((cases, inputs), (inputs, cases))
        ]
        return Listed(matrix(cases, inputs, dtype), *lists, [True])

    def listed(self, count):
        """The first `count` cases with lists of what they hold now; the bare array once there were few zeros."""
        panels = panels_of(count)
        x, (index, counts) = self.x[:count], self.steps
        if not (compiled(x) and self.worth[0]):
            return x
        lists = Listed(x, (index[:panels], counts[:panels]), self.cases, self.worth)
        _list_steps(x, *lists.steps)
        _list_cases(x, *lists.cases)
        self.worth[0] = int(lists.steps[1].sum()) < SPARSE * panels * x.shape[1]
        return lists


def panels_of(rows):
    """Panels of a product's result of so many rows."""
    return -(-rows // PANEL)


_WHOLE: dict[int, np.ndarray] = {}


def _all(steps):
    """The list of a product that skips nothing."""
    if steps not in _WHOLE:
        _WHOLE[steps] = np.arange(steps + 1, dtype=np.int32)[None, :], np.array([steps], np.int32)
    return _WHOLE[steps]


_ROW, _COLUMN = np.zeros(1, np.float32), np.zeros((2, 32), np.float32)[:, :1]
_NO_KEY = (np.uint32(0), np.uint32(0), 0)


def _split(x, axis):
    """(array, index, counts) of x or a Listed, for a product whose inner index is this axis of x."""
    if isinstance(x, Listed):
        return (x.x, *(x.steps if axis else x.cases))
    return (x, *_all(x.shape[axis]))


def up(x, W, bias, code, out):
    """out (B, N) <- f(x W + bias): x (B, M), W (M, N), bias (N,), `code` a unit of `kernels.units`."""
    x, index, counts = _split(x, 1)
    if compiled(out):
        _product(block_address(), x, W, out, index, counts, 0, UP, code, bias, *_NO_KEY, _COLUMN, _COLUMN)
    else:
        out[...] = activate_twin(code, x @ W + bias)


def up_add(x, W, out):
    """out (B, N) <- out + x W."""
    x, index, counts = _split(x, 1)
    if compiled(out):
        _product(block_address(), x, W, out, index, counts, 1, NOTHING, LINEAR, _ROW, *_NO_KEY, _COLUMN, _COLUMN)
    else:
        out += x @ W


def up_sample(x, W, bias, code, key, draw, mean, states_t):
    """mean (B, N) of the units whose input is x W + bias, states_t (N, B) drawn from them (see `units.sample_row`)."""
    x, index, counts = _split(x, 1)
    if compiled(mean):
        place = (*halves(key), draw)
        _product(block_address(), x, W, mean, index, counts, 0, SAMPLE, code, bias, *place, states_t, _COLUMN)
    else:
        mean[...], states = sample_twin(code, x @ W + bias, key, draw)
        states_t[...] = states.T


def down(W, d_t, bias, code, out_t):
    """out_t (M, B) <- f(W d_t + bias): W (M, N), d_t (N, B), bias (M,)."""
    if compiled(out_t):
        whole = _all(W.shape[1])
        _product(block_address(), W, d_t, out_t, *whole, 0, DOWN, code, bias, *_NO_KEY, _COLUMN, _COLUMN)
    else:
        out_t[...] = activate_twin(code, W @ d_t + bias[:, None])


def down_chain(W, d_t, code, a, out, out_t):
    """out (B, M) and out_t (M, B) <- (W d_t) * f'(z), with a (B, M) = f(z) the activations of the layer below."""
    if compiled(out_t):
        whole = _all(W.shape[1])
        _product(block_address(), W, d_t, out_t, *whole, 0, CHAIN, code, _ROW, *_NO_KEY, a, out)
    else:
        out[...] = (W @ d_t).T * slope_twin(code, a)
        out_t[...] = out.T


def outer(x, d, out):
    """out (M, N) <- x' d: x (B, M), d (B, N)."""
    x, index, counts = _split(x, 0)
    if compiled(out):
        _product(block_address(), x.T, d, out, index, counts, 0, NOTHING, LINEAR, _ROW, *_NO_KEY, _COLUMN, _COLUMN)
    else:
        out[...] = x.T @ d


def contrast(x, d, y_t, e, scale, out):
    """out (M, N) <- scale (x' d + y_t e), one chain over the cases of both.

    x (B, M), d (B, N), y_t (M, C), e (C, N).
    """
    x, index, counts = _split(x, 0)
    if compiled(out):
        _contrast(block_address(), x.T, d, index, counts, y_t, e, *_all(len(e)), np.float32(scale), out)
    else:
        out[...] = scale * (x.T @ d + y_t @ e)

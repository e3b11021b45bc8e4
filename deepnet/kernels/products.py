"""The three matrix products of every net and every RBM, with what follows them element by element.

    up     (B, M) x (M, N)      v -> h, forward            broadcasts x,  vectors along the rows of W
    down   (M, N) x (N, B)      h -> v, backward           broadcasts W,  vectors along d_t; the result is transposed
    outer  (M, B) x (B, N)      statistics, gradient of W  broadcasts x,  vectors along d

Axes: B cases, M inputs, N outputs. `_t` marks an array stored transposed, (units, cases): `down` reads and writes such
arrays, so that W is never transposed or copied; `x` may have any strides, so a transposed array serves as it is.
All other arrays need unit inner stride. Work is cut into tiles, shared among threads; each tile runs the register block
of `microkernel` and then its epilogue while it lies in the first cache. Each element is one chain over the inner index,
so no bit depends on tiles, threads or vector width. Twins are the NumPy lines in each public function.

Where x is mostly zeros, as pixels are and what rectifiers and dropout leave, they are left out: a `Lister` lists what
is not zero, row by row for `up` and column by column for `outer`. fma(0, b, c) is c for finite b, so no bit changes (a
weight that is no longer finite shows in the products that skip nothing). Measured on one core of Zen 4, listed and
not: 100 cases of MNIST, 0.19 not zero, 784 x 512, `up` 0.27 and 0.73 ms, `outer` 0.23 and 0.79, the lists themselves
0.02 and 0.05; rectifiers with dropout, 0.25 not zero, 1024 x 1024, 0.94 and 1.9, 0.81 and 2.1, 0.02 and 0.06.

Within `with Rounding():` operands are rounded to bfloat16 on their way in, and the same tiles run over words of two.
"""

import functools

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import ONE, ZERO
from .jit import (
    bits_of,
    call,
    compiled,
    doubles_at,
    float_of,
    flush,
    fma,
    hold,
    inner,
    matrix_at,
    native,
    njit,
    numbers_at,
    restore,
    row_of,
    vector_at,
    words_at,
)
from .microkernel import block, block_bfloat16, strip, strip_bfloat16
from .operands import Listed, Rounding
from .tape import launch, work
from .tiles import FLAT, TALL, THIN, edges, fill, fill_listed, grid, row_edge
from .transpose import transpose_at, transpose_tile
from .units import LINEAR, activate_at, activate_twin, chain_at, sample_at, sample_twin, slope_twin
from .updates import momentum

AT_ONCE = 64  # cases of a tile that `_finish_chain` works on while they are in the first cache
RULE = 5  # numbers of a `descent`
LONG = 400  # cases from which on the product outweighs the step


@inner
def _add(bias, row):
    for j in range(row.size):
        row[j] += bias[j]


@inner
def _activate(apply, code, row):
    if code != LINEAR:
        call(apply, (code, np.int64(row.ctypes.data), row.size))


@inner
def _finish_up(apply, code, bias, negative, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        _add(bias[j0:j1], row)
        _activate(apply, code, row)
        if negative:
            for j in range(row.size):
                row[j] = -row[j]


@inner
def _finish_sample(transpose, apply, code, bias, c, k0, k1, draw, states_t, i0, i1, j0, j1):
    wide = j1 - j0
    states = np.empty((i1 - i0, wide), np.float32)
    there = np.int64(states.ctypes.data)
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        _add(bias[j0:j1], row)
        call(apply, (code, np.int64(row.ctypes.data), wide, k0, k1, draw, i, j0, there + (i - i0) * wide * 4))
    transpose_tile(transpose, states, 0, i1 - i0, 0, wide, states_t[j0:j1, i0:i1])


@inner
def _finish_down(apply, code, bias, c, i0, i1, j0, j1):
    for i in range(i0, i1):
        row = row_of(c, i, j0, j1)
        for j in range(row.size):
            row[j] += bias[i]
        _activate(apply, code, row)


@inner
def _finish_chain(transpose, apply, code, a, masked, mask, c, out, i0, i1, j0, j1):
    room = np.empty((i1 - i0, AT_ONCE), np.float32)
    for first in range(j0, j1, AT_ONCE):
        last = min(first + AT_ONCE, j1)
        if masked:
            transpose_tile(transpose, mask[first:last, i0:i1], 0, last - first, 0, i1 - i0, room)
            for i in range(i0, i1):
                kept, row = row_of(room, i - i0, 0, last - first), row_of(c, i, first, last)
                for j in range(row.size):
                    row[j] *= kept[j]
        if code != LINEAR:
            transpose_tile(transpose, a[first:last, i0:i1], 0, last - first, 0, i1 - i0, room)
            for i in range(i0, i1):
                value, row = row_of(room, i - i0, 0, last - first), row_of(c, i, first, last)
                call(apply, (code, np.int64(value.ctypes.data), np.int64(row.ctypes.data), last - first))
        transpose_tile(transpose, c, i0, i1, first, last, out)
    hold(room)


@inner
def _finish_scale(scale, c):
    for i in range(c.shape[0]):
        row = row_of(c, i, 0, c.shape[1])
        for j in range(row.size):
            row[j] *= scale


# What follows a product, tile by tile.
NOTHING, UP, NEGATIVE, SAMPLE, DOWN, TURNED, CHAIN, MASKED = range(8)


@native(2)
def _tile(t, at):
    """Tile t of a product and what follows it, by the numbers of `_product`."""
    (
        down, across, apply, fill, block, transpose,
        a, a_row, a_k, steps, b, b_row, index, starts, starts_row, keep, c, c_row,
        rows, columns, end, code, bias, key, draw, other, other_row, other_t, other_t_row, mask, mask_row,
    ) = to_fixed_tuple(numbers_at(at, 31), 31)  # fmt: skip
    first, last, j0, j1 = edges(t, down, across, rows, columns)
    i0, i1 = row_edge(first, rows), row_edge(last, rows)
    mode = flush()
    call(
        fill,
        (block, a, a_row, a_k, steps, b, b_row, index, starts, starts_row, keep, first, last, j0, j1, rows,
         c + (i0 * c_row + j0) * 4, c_row),
    )  # fmt: skip
    out = matrix_at(c, rows, c_row, columns)
    if end in (UP, NEGATIVE):
        _finish_up(apply, code, vector_at(bias, columns), end == NEGATIVE, out, i0, i1, j0, j1)
    elif end == SAMPLE:
        states_t, bias_row = matrix_at(other, columns, other_row, rows), vector_at(bias, columns)
        k0, k1 = words_at(key, 2)
        _finish_sample(transpose, apply, code, bias_row, out, k0, k1, draw, states_t, i0, i1, j0, j1)
    elif end in (DOWN, TURNED):
        _finish_down(apply, code, vector_at(bias, rows), out, i0, i1, j0, j1)
        if end == TURNED:
            transpose_tile(transpose, out, i0, i1, j0, j1, matrix_at(other, columns, other_row, rows))
    elif end in (CHAIN, MASKED):
        below, straight = matrix_at(other, columns, other_row, rows), matrix_at(other_t, columns, other_t_row, rows)
        kept = matrix_at(mask, columns, mask_row, rows)
        _finish_chain(transpose, apply, code, below, end == MASKED, kept, out, straight, i0, i1, j0, j1)
    restore(mode)


@njit
def _product(
    tile, apply, fill, block, transpose,
    end, a, b, index, starts, c, keep, code, bias, key, draw, other, other_t, mask,
):  # fmt: skip
    """The numbers of a product."""
    high, wide = THIN if starts.size > 1 else TALL
    down, across = grid(c.shape[0], c.shape[1], a.shape[1], high, wide)
    return work(
        (
            tile, down * across, down, across, apply, fill, block, transpose,
            np.int64(a.ctypes.data), a.strides[0] // 4, a.strides[1] // 4, a.shape[1],
            np.int64(b.ctypes.data), b.strides[0] // 4,
            np.int64(index.ctypes.data), np.int64(starts.ctypes.data), starts.strides[0] // 4, keep,
            np.int64(c.ctypes.data), c.strides[0] // 4, c.shape[0], c.shape[1],
            end, code, np.int64(bias.ctypes.data), np.int64(key.ctypes.data), draw,
            np.int64(other.ctypes.data), other.strides[0] // 4,
            np.int64(other_t.ctypes.data), other_t.strides[0] // 4, np.int64(mask.ctypes.data), mask.strides[0] // 4,
        )
    )  # fmt: skip


@native(2)
def _pair(t, at):
    """Tile t of scale (x' d + y_t e), stored or, where there is a rule, stepped along: the numbers of `_contrast`."""
    (
        down, across, fill, block, fill_e, block_e, x_t, x_row, x_k, cases, d, d_row, index, starts, starts_row,
        y_t, y_row, y_k, chains, e, e_row, rows, columns, out, out_row, velocity, velocity_row, rule, bits,
    ) = to_fixed_tuple(numbers_at(at, 29), 29)  # fmt: skip
    scale = float_of(bits)
    first, last, j0, j1 = edges(t, down, across, rows, columns)
    i0, i1 = row_edge(first, rows), row_edge(last, rows)
    mode = flush()
    room = np.empty((i1 - i0, (j1 - j0 + 31) // 16 * 16) if rule else (0, 0), np.float32)
    here, there = out + (i0 * out_row + j0) * 4, velocity + (i0 * velocity_row + j0) * 4 if rule else 0
    place, row = (np.int64(room.ctypes.data), room.shape[1]) if rule else (here, out_row)
    for part in range(2 if chains > 0 else 1):
        call(
            fill_e if part else fill,
            (
                block_e if part else block, y_t if part else x_t, y_row if part else x_row, y_k if part else x_k,
                chains if part else cases, e if part else d, e_row if part else d_row, index,
                starts, starts_row, part, first, last, j0, j1, rows, place, row,
            ),
        )  # fmt: skip
    g = matrix_at(place, i1 - i0, row, j1 - j0)
    if rule:
        w, v = matrix_at(here, i1 - i0, out_row, j1 - j0), matrix_at(there, i1 - i0, velocity_row, j1 - j0)
        _step(g, scale, w, v, doubles_at(rule, RULE))
    elif scale != ONE:
        _finish_scale(scale, g)
    hold(room)
    restore(mode)


@inner
def _step(g, scale, w, v, rule):
    rate, mu, l2, l1 = np.float32(rule[0]), np.float32(rule[1]), np.float32(rule[2]), np.float32(rule[3])
    for i in range(g.shape[0]):
        slope, row, speed = row_of(g, i, 0, g.shape[1]), row_of(w, i, 0, g.shape[1]), row_of(v, i, 0, g.shape[1])
        if l1 != ZERO:
            for j in range(slope.size):
                sign = ONE if row[j] > ZERO else (-ONE if row[j] < ZERO else ZERO)
                slope[j] = fma(slope[j], scale, l1 * sign)
        elif scale != ONE:
            for j in range(slope.size):
                slope[j] *= scale
        if rule[4] != 0:  # ahead; `momentum_part` after a pass for l2 takes a step 5 % longer
            for j in range(slope.size):
                d = fma(l2, row[j], slope[j])
                speed[j] = fma(mu, speed[j], -(rate * d))
                row[j] = fma(-rate, d, row[j])
        else:
            for j in range(slope.size):
                speed[j] = fma(mu, speed[j], -(rate * fma(l2, row[j], slope[j])))
                row[j] += speed[j]


@njit
def _contrast(pair, fill, block, fill_e, block_e, x_t, d, index, starts, y_t, e, out, velocity, rule, scale):
    """The numbers of the sum of two products."""
    cases = d.shape[0] + e.shape[0]
    high, wide = FLAT if rule.size and cases <= LONG else (THIN if starts.size > 1 else TALL)
    down, across = grid(out.shape[0], out.shape[1], cases, high, wide)
    stepped = np.int64(rule.ctypes.data) if rule.size else 0
    return work(
        (
            pair, down * across, down, across, fill, block, fill_e, block_e,
            np.int64(x_t.ctypes.data), x_t.strides[0] // 4, x_t.strides[1] // 4, d.shape[0],
            np.int64(d.ctypes.data), d.strides[0] // 4,
            np.int64(index.ctypes.data), np.int64(starts.ctypes.data), starts.strides[0] // 4,
            np.int64(y_t.ctypes.data), y_t.strides[0] // 4, y_t.strides[1] // 4, e.shape[0],
            np.int64(e.ctypes.data), e.strides[0] // 4,
            out.shape[0], out.shape[1], np.int64(out.ctypes.data), out.strides[0] // 4,
            np.int64(velocity.ctypes.data), velocity.strides[0] // 4, stepped, bits_of(scale),
        )
    )  # fmt: skip


_ROW, _COLUMN = np.zeros(1, np.float32), np.zeros((2, 32), np.float32)[:, :1]
_NO_CASES, _NO_CASES_T = np.zeros((0, 32), np.float32), np.zeros((32, 0), np.float32)
_NO_LISTS = np.zeros((1, 1), np.int32), np.zeros((1, 1), np.int32)
_NO_KEY = np.zeros(1, np.uint64), 0
_NOTHING = (_COLUMN, _COLUMN, _COLUMN)


def _filling(listed, rounded):
    """The functions that fill a tile and its blocks."""
    if listed:
        return fill_listed.address, (strip_bfloat16 if rounded else strip).address
    return fill.address, (block_bfloat16 if rounded else block).address


@functools.cache
def _code(end, listed, rounded):
    """The functions of a product that ends so."""
    apply = sample_at if end == SAMPLE else chain_at if end in (CHAIN, MASKED) else activate_at
    return _tile.address, apply.address, *_filling(listed, rounded), transpose_at.address


@functools.cache
def _pair_code(listed, rounded):
    """The functions of a sum of two products, of which the first may be listed."""
    return _pair.address, *_filling(listed, rounded), *_filling(False, rounded)


def _factors(x, W):
    """Whether listed and rounded, and the operands of x W, with x (B, M) and weights W (M, N)."""
    rounding, listed = Rounding.active, isinstance(x, Listed)
    if rounding is not None:
        W = rounding.weights(W)[1]
        x = x if listed else rounding.along("left", x)
    if listed:
        return True, rounding is not None, x.steps.values, W, x.steps.index, x.steps.starts
    return False, rounding is not None, x, W, *_NO_LISTS


def _turned_factors(W, d_t):
    """The same of W d_t, with weights W (M, N) and d_t (N, B)."""
    rounding = Rounding.active
    if rounding is not None:
        W, d_t = rounding.weights(W)[0], rounding.across("right", d_t)
    return False, rounding is not None, W, d_t, *_NO_LISTS


def _pairs(x, d, y_t, e):
    """Code and operands of x' d + y_t e, of which x may be Listed and y_t and e None."""
    rounding, listed, alone = Rounding.active, isinstance(x, Listed), e is None
    if rounding is not None:
        d = rounding.across("right", d)
        if not alone:
            y_t, e = rounding.along("left", y_t), rounding.across("other right", e)
    if alone:
        y_t, e = _NO_CASES_T, _NO_CASES
    if listed:
        x_t, index, starts = x.cases
    else:
        cases = x if rounding is None else rounding.across("x'", x)
        x_t, (index, starts) = cases.T, _NO_LISTS
    return *_pair_code(listed, rounding is not None), x_t, d, index, starts, y_t, e


def _multiply(end, listed, rounded, *given):
    """One product."""
    launch(_product(*_code(end, listed, rounded), end, *given), given)


def _sum_of_two(*given):
    """The sum of two products."""
    launch(_contrast(*given), given)


def up(x, W, bias, code, out):
    """out (B, N) <- f(x W + bias): x (B, M), W (M, N), bias (N,), `code` a unit of `kernels.units`."""
    if compiled(out):
        _multiply(UP, *_factors(x, W), out, 0, code, bias, *_NO_KEY, *_NOTHING)
    else:
        out[...] = activate_twin(code, _array(x) @ W + bias)


def up_negative(x, W, bias, code, out):
    """out (B, N) <- -f(x W + bias)."""
    if compiled(out):
        _multiply(NEGATIVE, *_factors(x, W), out, 0, code, bias, *_NO_KEY, *_NOTHING)
    else:
        out[...] = -activate_twin(code, _array(x) @ W + bias)


def up_add(x, W, out):
    """out (B, N) <- out + x W."""
    if compiled(out):
        _multiply(NOTHING, *_factors(x, W), out, 1, LINEAR, _ROW, *_NO_KEY, *_NOTHING)
    else:
        out += _array(x) @ W


def up_sample(x, W, bias, code, key, draw, mean, states_t):
    """mean (B, N) of the units whose input is x W + bias, states_t (N, B) drawn from them (see `units.sample_row`).

    The key is a number, or an array () of one uint64, which may have changed when a tape makes the call again.
    """
    if compiled(mean):
        key = np.asarray(key, np.uint64).reshape(1)
        _multiply(SAMPLE, *_factors(x, W), mean, 0, code, bias, key, draw, states_t, _COLUMN, _COLUMN)
    else:
        mean[...], states = sample_twin(code, _array(x) @ W + bias, int(key), draw)
        states_t[...] = states.T


def down(W, d_t, bias, code, out_t, out=None):
    """out_t (M, B), and its transpose out where one is given, <- f(W d_t + bias): W (M, N), d_t (N, B), bias (M,)."""
    if compiled(out_t):
        end, straight = (DOWN, _COLUMN) if out is None else (TURNED, out)
        _multiply(end, *_turned_factors(W, d_t), out_t, 0, code, bias, *_NO_KEY, straight, _COLUMN, _COLUMN)
        return
    out_t[...] = activate_twin(code, W @ d_t + bias[:, None])
    if out is not None:
        out[...] = out_t.T


def down_chain(W, d_t, mask, code, a, out, out_t):
    """out (B, M) and out_t (M, B) <- (W d_t) * mask * f'(z), with a (B, M) what `units.chain` takes of the layer below.

    mask (B, M) is that of dropout between the two layers, or None.
    """
    if compiled(out_t):
        end, kept = (CHAIN, _COLUMN) if mask is None else (MASKED, mask)
        _multiply(end, *_turned_factors(W, d_t), out_t, 0, code, _ROW, *_NO_KEY, a, out, kept)
    else:
        out[...] = (W @ d_t).T * (1 if mask is None else mask) * slope_twin(code, a)
        out_t[...] = out.T


def outer(x, d, out):
    """out (M, N) <- x' d: x (B, M), d (B, N)."""
    if compiled(out):
        _sum_of_two(*_pairs(x, d, None, None), out, out, NO_RULE, ONE)
    else:
        out[...] = _array(x).T @ d


def contrast(x, d, y_t, e, scale, out):
    """out (M, N) <- scale (x' d + y_t e), one chain over the cases of both.

    x (B, M), d (B, N), y_t (M, C), e (C, N).
    """
    if compiled(out):
        _sum_of_two(*_pairs(x, d, y_t, e), out, out, NO_RULE, np.float32(scale))
    else:
        out[...] = scale * (_array(x).T @ d + y_t @ e)


def descent(rate, mu, l2=0.0, l1=0.0, ahead=False):
    """The rule (RULE,) of a step that is taken where the gradient is made: momentum, with the weights' decay.

    velocity <- mu velocity - rate g, W <- W + velocity, where g gains l2 W + l1 sign(W) first. Where W has been moved
    `ahead` it has mu velocity already (`updates.momentum`).
    """
    return np.array([rate, mu, l2, l1, ahead])


def outer_step(x, d, rule, W, velocity):
    """One step of `rule` along the gradient x' d, which is never stored: W, velocity (M, N) change in place."""
    contrast_step(x, d, None, None, 1, rule, W, velocity)


def contrast_step(x, d, y_t, e, scale, rule, W, velocity):
    """One step of `rule` along scale (x' d + y_t e), which is never stored."""
    if compiled(W):
        _sum_of_two(*_pairs(x, d, y_t, e), W, velocity, rule, np.float32(scale))
    else:
        both = _array(x).T @ d + (0 if e is None else y_t @ e)
        rate, mu, l2, l1, ahead = rule.tolist()
        momentum(W, velocity, scale * both + l2 * W + l1 * np.sign(W.real), rate, mu, ahead)


NO_RULE = np.zeros(0)  # in the place of a rule where nothing is stepped along


def _array(x):
    return x.x if isinstance(x, Listed) else x

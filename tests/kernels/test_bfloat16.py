"""Rounding to bfloat16, and products of rounded operands, against NumPy on operands rounded by the twin."""

import numpy as np
import pytest

from deepnet.kernels import bfloat16, operands, products, units
from deepnet.kernels.jit import ENABLED
from tests.kernels.arrays import Guarded, close, draw, inside, shapes

ULP = 2.0**-24
multiplies = pytest.mark.skipif(not bfloat16.available(), reason="this CPU does not multiply bfloat16")


def mostly_zero(seed, *shape):
    """Values of which nine in ten are 0."""
    values = draw(seed, *shape)
    values[np.random.default_rng(seed).random(shape) < 0.9] = 0
    return values


def rounded(*arrays):
    """Float64 copies of what the products multiply."""
    return [bfloat16.twin(a).astype(np.float64) for a in arrays]


def reach(x, W):
    """What sums of exact products may differ by in float32, with what is flushed to 0."""
    return 8 * (W.shape[0] + 1) * ULP * (np.abs(x) @ np.abs(W)) + 1e-35


def test_twin_rounds_to_the_nearest_of_two_neighbours():
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    x = bits.view(np.float32)
    x = x[np.isfinite(x) & (np.abs(x) < 3e38)]
    below = (x.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    above = (below.view(np.uint32) + np.uint32(0x10000)).view(np.float32)
    wide, near = x.astype(np.float64), bfloat16.twin(x).astype(np.float64)
    assert (np.abs(near - wide) == np.minimum(np.abs(wide - below), np.abs(wide - above.astype(np.float64)))).all()
    ties = (np.uint32(0x3F800000) + np.arange(8, dtype=np.uint32) * 0x10000 + 0x8000).view(np.float32)
    assert (bfloat16.twin(ties).view(np.uint32) >> 16 & 1 == 0).all()
    assert bfloat16.twin(np.float32(3.4e38)) == np.inf


@pytest.mark.skipif(not ENABLED, reason="words are made by compiled code only")
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (7, 64), (64, 7), (33, 129), (200, 131)])
def test_words_are_the_twin_s(shape):
    x = draw(1, *shape)
    x.ravel()[:: max(1, x.size // 7)] = (np.nan, -0.0, np.inf, -np.inf, 1e-42, 3.4e38, 0.0, 1.0)[
        : len(x.ravel()[:: max(1, x.size // 7)])
    ]
    x.ravel()[-1] = np.uint32(0x7F800001).view(np.float32)  # a NaN whose upper half is infinity
    rows, columns = shape

    def half(k):
        """One of the two results of `both`."""
        other = np.zeros((rows, (columns + 1) // 2) if k else ((rows + 1) // 2, columns), np.float32)
        return lambda x, out: bfloat16.both(x, *((other, out) if k else (out, other)))

    for turn, function in (False, bfloat16.along), (True, bfloat16.across), (False, half(0)), (True, half(1)):
        size = ((rows + 1) // 2, columns) if turn else (rows, (columns + 1) // 2)
        guard = Guarded(*size)
        function(inside(x), guard.out)
        low, high = bfloat16.halves(np.ascontiguousarray(guard.out))
        expected = bfloat16.twin(x)
        found = np.zeros((2 * size[0], columns) if turn else (rows, 2 * size[1]), np.float32)
        if turn:
            found[::2], found[1::2] = low, high
        else:
            found[:, ::2], found[:, 1::2] = low, high
        np.testing.assert_array_equal(found[:rows, :columns], expected)
        assert (np.signbit(found[:rows, :columns]) == np.signbit(expected)).all()
        assert not found[rows:].any()
        assert not found[:, columns:].any()
        assert guard.untouched


@multiplies
@pytest.mark.parametrize("sparse", [False, True])
def test_products(sparse):
    """Every product within `Rounding`, of plain and of listed minibatches, against rounded operands."""
    rounding = operands.Rounding()
    zero = np.zeros(1000, np.float32)
    for B, M, N in [*shapes(), (100, 784, 130)]:
        if not B:
            continue
        x, W, d = (mostly_zero if sparse else draw)(0, B, M), draw(1, M, N), draw(2, B, N)
        wx, wW, wd = rounded(x, W, d)
        kept = inside(x)
        up, down, outer, both = Guarded(B, N), Guarded(M, B), Guarded(M, N), Guarded(M, N)
        with rounding:
            listed = operands.Lister().of(kept)
            products.up(listed, inside(W), zero[:N], units.LINEAR, up.out)
            products.down(inside(W), inside(np.ascontiguousarray(d.T)), zero[:M], units.LINEAR, down.out)
            products.outer(listed, inside(d), outer.out)
            products.contrast(listed, inside(d), inside(np.ascontiguousarray(x.T)), inside(-d), 0.5, both.out)
        close(up.out, wx @ wW, reach(wx, wW))
        close(down.out, wW @ wd.T, reach(wW, wd.T))
        close(outer.out, wx.T @ wd, reach(wx.T, wd))
        close(both.out, 0 * both.out, reach(wx.T, wd))
        with rounding:
            products.up(inside(np.ascontiguousarray(x.T)).T, inside(W), zero[:N], units.LINEAR, up.out)
        close(up.out, wx @ wW, reach(wx, wW))
        assert all(guard.untouched for guard in (up, down, outer, both)), (B, M, N)


@multiplies
def test_skipping_zeros_changes_no_bit():
    x, W, zero = mostly_zero(0, 100, 784), draw(1, 784, 130), np.zeros(130, np.float32)
    with operands.Rounding():
        listed = operands.Lister().of(x)
        assert isinstance(listed, operands.Listed)
        one, two = np.zeros((100, 130), np.float32), np.zeros((100, 130), np.float32)
        products.up(listed, W, zero, units.LINEAR, one)
        products.up(x, W, zero, units.LINEAR, two)
    np.testing.assert_array_equal(one, two)


@multiplies
def test_sums_are_kept_in_float32():
    """The instruction adds the later product of a pair first, each with one rounding."""
    x, W = draw(0, 20, 200), draw(1, 200, 33)
    out, zero = np.zeros((20, 33), np.float32), np.zeros(33, np.float32)
    with operands.Rounding():
        products.up(x, W, zero, units.LINEAR, out)
    wx, wW = rounded(x, W)
    total = np.zeros((20, 33), np.float32)
    for k in range(0, 200, 2):
        for j in (k + 1, k):
            total = (total + np.outer(wx[:, j], wW[j])).astype(np.float32)
    np.testing.assert_array_equal(out, total)


@multiplies
def test_not_a_number_and_infinity_come_through():
    x, W, zero = draw(0, 30, 40), draw(1, 40, 50), np.zeros(50, np.float32)
    x[3, 7], x[20, 0] = np.nan, np.inf
    out = np.zeros((30, 50), np.float32)
    with operands.Rounding():
        products.up(x, W, zero, units.LINEAR, out)
    assert np.isnan(out[3]).all()
    assert np.isinf(out[20]).all()
    assert np.isfinite(np.delete(out, [3, 20], axis=0)).all()


def test_float64_is_left_as_it_is():
    x, W = draw(0, 5, 6).astype(np.float64), draw(1, 6, 7).astype(np.float64)
    out = np.zeros((5, 7))
    with operands.Rounding():
        products.up(x, W, np.zeros(7), units.LINEAR, out)
    np.testing.assert_array_equal(out, x @ W)


def test_rounding_ends_where_it_began():
    outer, inner = operands.Rounding(), operands.Rounding()
    with outer:
        with inner, outer:
            assert operands.Rounding.active is outer
        assert operands.Rounding.active is outer
    assert operands.Rounding.active is None

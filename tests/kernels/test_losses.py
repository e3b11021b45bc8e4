"""Losses, differences and sums: float32 against the twin that float64 goes to, and the fixed order of long sums."""

import numpy as np
import pytest

from deepnet.kernels import losses, updates
from deepnet.kernels.jit import ENABLED, lane_sum
from deepnet.kernels.products import descent
from tests.kernels.arrays import Guarded, close, draw, inside

SIZES = [(0, 5), (1, 1), (1, 300), (3, 17), (5, 64), (70, 129), (257, 5), (600, 3)]
ULP = 2.0**-24
LOSSES = {
    "softmax_entropy": losses.softmax_entropy,
    "logistic_entropy": losses.logistic_entropy,
    "squared_error": losses.squared_error,
}


def targets(name, rows, columns):
    """Probabilities for the entropies, anything for the squared error."""
    t = np.random.default_rng(4).random((rows, columns)).astype(np.float32)
    return t / t.sum(axis=1, keepdims=True) if name == "softmax_entropy" else t


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    for rows, columns in SIZES:
        z, t = 4 * draw(1, rows, columns), targets(name, rows, columns)
        found, exact = np.full(rows + 2, 7, np.float32), np.zeros(rows)
        LOSSES[name](inside(z), inside(t), found[1:-1])
        LOSSES[name](z.astype(float), t.astype(float), exact)
        close(found[1:-1], exact, 8 * (columns + 4) * ULP * (4 + np.abs(exact)))
        assert (found[[0, -1]] == 7).all()


def test_losses_are_the_textbook_s():
    z = draw(1, 5, 4).astype(float)
    value, a = np.zeros(5), 1 / (1 + np.exp(-z))
    t = targets("", 5, 4).astype(float)
    losses.logistic_entropy(z, t, value)
    np.testing.assert_allclose(value, -(t * np.log(a) + (1 - t) * np.log(1 - a)).sum(axis=1), rtol=1e-12)
    a = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    losses.softmax_entropy(z, t, value)
    np.testing.assert_allclose(value, -(t * np.log(a)).sum(axis=1), rtol=1e-12)
    losses.squared_error(z, t, value)
    np.testing.assert_allclose(value, 0.5 * ((z - t) ** 2).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_sure_outputs_cost_what_they_should(name):
    """Inputs far out neither overflow nor lose the loss."""
    z = np.array([[80.0, -80.0], [-80.0, 80.0]], np.float32)
    t = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    value, exact = np.zeros(2, np.float32), np.zeros(2)
    LOSSES[name](z, t, value)
    LOSSES[name](z.astype(float), t.astype(float), exact)
    close(value, exact, 1e-6 * np.abs(exact) + 1e-30)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_inputs_spoil_their_case_alone(name, bad):
    z, t = draw(1, 7, 30), targets(name, 7, 30)
    z[2, 19] = bad
    value = np.zeros(7, np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        LOSSES[name](z, t, value)
    assert np.isfinite(np.delete(value, 2)).all()
    assert not np.isfinite(value[2])


def test_scaled_and_transpose():
    for rows, columns in SIZES:
        a = draw(1, rows, columns)
        d, d_t, turned = Guarded(rows, columns), Guarded(columns, rows), Guarded(columns, rows)
        losses.scaled(inside(a), 0.125, d.out, d_t.out)
        np.testing.assert_array_equal(d.out, a * np.float32(0.125))
        np.testing.assert_array_equal(d.out, d_t.out.T)
        losses.transpose(inside(a), turned.out)
        np.testing.assert_array_equal(turned.out, a.T)
        assert d.untouched
        assert d_t.untouched
        assert turned.untouched
        wide, wide_t = np.zeros((rows, columns)), np.zeros((columns, rows))
        losses.scaled(a.astype(float), 0.125, wide, wide_t)
        np.testing.assert_allclose(d.out, wide, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(wide_t, wide.T)


def test_sums():
    for rows, columns in SIZES:
        d, size = draw(1, rows, columns), 8 * (rows + columns + 1) * ULP
        columns_out, dots_out = (np.full(n + 2, 7, np.float32) for n in (columns, rows))
        losses.column_sums(inside(d), columns_out[1:-1])
        c = draw(2, columns)
        losses.dots(inside(d), c, dots_out[1:-1])
        wide = d.astype(float)
        close(columns_out[1:-1], wide.sum(axis=0), size * np.abs(wide).sum(axis=0))
        close(dots_out[1:-1], wide @ c, size * (np.abs(wide) @ np.abs(c)))
        for out in (columns_out, dots_out):
            assert (out[[0, -1]] == 7).all()


def test_sums_with_more_and_a_scale():
    for rows, columns in SIZES:
        d, more, size = draw(1, rows, columns), draw(2, columns), 8 * (rows + columns + 2) * ULP
        out, exact = np.full(columns + 2, 7, np.float32), np.zeros(columns)
        losses.column_sums(inside(d), out[1:-1], -0.3, more)
        losses.column_sums(d.astype(float), exact, -0.3, more.astype(float))
        np.testing.assert_allclose(exact, -0.3 * (d.astype(float).sum(axis=0) + more), rtol=1e-12, atol=1e-12)
        close(out[1:-1], exact, size * (np.abs(d.astype(float)).sum(axis=0) + np.abs(more)))
        assert (out[[0, -1]] == 7).all()


@pytest.mark.parametrize("scaled", [(), (-0.3, 2.5)])
@pytest.mark.parametrize("ahead", [False, True])
def test_a_step_along_the_sums_is_sums_and_momentum(scaled, ahead):
    for rows, columns in (*SIZES, (1100, 70)):
        d, rule = draw(1, rows, columns), descent(0.1, 0.9, 5.0, 5.0, ahead)  # without decay
        scale = (scaled[0], np.full(columns, scaled[1], np.float32)) if scaled else ()
        found = [np.full(columns + 2, 7, np.float32) for _ in range(2)]
        expected, g = [a.copy() for a in found], np.zeros(columns, np.float32)
        exact = [np.full(columns, 7.0) for _ in range(2)]
        losses.sums_step(inside(d), rule, *(a[1:-1] for a in found), *scale)
        losses.column_sums(inside(d), g, *scale)
        updates.momentum(*(a[1:-1] for a in expected), g, 0.1, 0.9, ahead)
        losses.sums_step(d.astype(float), rule, *exact, *scale)
        for a, b, wide in zip(found, expected, exact, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_allclose(a[1:-1], wide, rtol=1e-4, atol=1e-4)


def test_contrast_sums():
    for rows, columns in SIZES:
        v, y = draw(1, rows, columns), draw(2, rows, columns)
        once, squared = (np.full(columns + 2, 7, np.float32) for _ in range(2))
        losses.contrast_sums(inside(v), inside(y), once[1:-1], squared[1:-1])
        exact = np.zeros(columns), np.zeros(columns)
        losses.contrast_sums(v.astype(float), y.astype(float), *exact)
        close(once[1:-1], exact[0], 8 * (rows + 2) * ULP * np.abs(v - y).sum(axis=0))
        close(squared[1:-1], exact[1], 8 * (rows + 2) * ULP * exact[1])
        assert (once[[0, -1]] == 7).all()
        assert (squared[[0, -1]] == 7).all()


def test_nan_stays_in_its_sum():
    d = draw(1, 300, 20)
    d[280, 13] = np.nan
    out, other = np.zeros(20, np.float32), np.zeros(20, np.float32)
    for sums in (
        lambda: losses.column_sums(d, out),
        lambda: losses.contrast_sums(d, np.zeros((300, 20), np.float32), out, other),
        lambda: losses.contrast_sums(d, np.zeros((300, 20), np.float32), other, out),
    ):
        sums()
        assert np.flatnonzero(np.isnan(out)).tolist() == [13]


def test_total():
    for count in (0, 1, 255, 256, 257, 70_000):
        values = draw(1, count)
        assert losses.total(values) == pytest.approx(float(values.sum(dtype=float)), rel=1e-12, abs=1e-10)
        assert losses.total(values.astype(float)) == losses.total(values)
    assert isinstance(losses.total(np.ones(3, np.float32)), float)
    assert np.isnan(losses.total(np.array([1, np.nan, 2], np.float32)))
    assert losses.total(np.full(1_000_000, 0.1, np.float32)) == pytest.approx(1e6 * float(np.float32(0.1)), rel=1e-12)


def test_logarithm():
    x = np.array([1e-30, 1e-3, 1.0, 2.5, 1e30], np.float32)
    exact = np.log(x.astype(float))
    losses.logarithm(x)
    close(x, exact, 4 * ULP * np.abs(exact))


@pytest.mark.skipif(not ENABLED, reason="the order is that of the compiled form")
def test_order_of_long_sums():
    """Blocks of 256 cases added in order; sixteen chains a row: the bits of a plain emulation."""
    d = draw(1, 1000, 19)
    out, expected = np.zeros(19, np.float32), np.zeros(19, np.float32)
    losses.column_sums(d, out)
    for first in range(0, 1000, losses.BLOCK):
        part = np.zeros(19, np.float32)
        for row in d[first : first + losses.BLOCK]:
            part += row
        expected += part
    np.testing.assert_array_equal(out, expected)

    for count in (0, 1, 15, 16, 17, 1000):
        row, lanes, whole = draw(2, count), np.zeros(16, np.float32), count // 16 * 16
        for k in range(0, whole, 16):
            lanes += row[k : k + 16]
        lanes[: count - whole] += row[whole:]
        total = np.float32(0)
        for lane in lanes:
            total += lane
        assert lane_sum(row) == total

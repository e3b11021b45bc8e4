"""The output units beside a teacher: float32 against the twin, the twin against the formula, as the papers have it."""

import numpy as np
import pytest

from deepnet.kernels import mimicry
from tests.kernels.arrays import Guarded, draw, inside

KINDS = {"soft targets": mimicry.SOFT_TARGETS, "logits": mimicry.LOGITS}
SIZES = [(0, 5), (1, 2), (1, 300), (3, 17), (16, 16), (17, 64), (130, 10)]
NUMBERS = [(1.0, 0.0), (20.0, 0.1), (0.5, 2.0)]


def targets(rows, columns):
    """A teacher's logits, and a class or none."""
    labels = np.arange(rows) % (columns + 1) - 1
    return np.column_stack([4 * draw(4, rows, columns), labels]).astype(np.float32)


def run(kind, numbers, z, t, dtype, scale=0.25):
    """a, d, d_t, value, apart of one pass."""
    rows, columns = z.shape
    made = [np.zeros(shape, dtype) for shape in (z.shape, z.shape, (columns, rows), (rows,), (rows,))]
    mimicry.finish(KINDS[kind], *numbers, z.astype(dtype), t.astype(dtype), scale, *made)
    return made


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("kind", KINDS)
def test_compiled_is_the_twin(kind, numbers):
    T, hard = numbers
    for rows, columns in SIZES:
        z, t = 3 * draw(1, rows, columns), targets(rows, columns)
        found, exact = run(kind, numbers, z, t, np.float32), run(kind, numbers, z, t, float)
        for name, one, other in zip(("a", "d", "d_t", "value", "apart"), found, exact, strict=True):
            large = max(1.0, T * T if name == "value" else T) + hard
            np.testing.assert_allclose(one, other, rtol=5e-6, atol=2e-6 * large, err_msg=name)


def test_the_twin_is_the_formula():
    """T^2 of the cross-entropy at T less the teacher's own entropy, and the cross-entropy of the labels there are."""
    z, t, T, hard = 3.0 * draw(1, 9, 4), targets(9, 4).astype(float), 3.0, 0.7
    assert {-1, 0} < {*t[:, -1]}
    a, d, d_t, value, apart = run("soft targets", (T, hard), z, t, float, 1.0)
    for i, (row, target) in enumerate(zip(z.astype(float), t, strict=True)):
        v, label = target[:-1], int(target[-1])
        p, q, s = (np.exp(x) / sum(np.exp(x)) for x in (v / T, row / T, row))
        expected = T**2 * (-sum(p * np.log(q)) + sum(p * np.log(p)))
        step = T * (q - p)
        if label >= 0:
            expected -= hard * np.log(s[label])
            step += hard * (s - np.eye(4)[label])
        assert value[i] == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(d[i], step, rtol=1e-12)
        assert apart[i] == (row.argmax() != v.argmax())
    np.testing.assert_array_equal(d_t, d.T)
    np.testing.assert_array_equal(a, z)
    _, d, _, value, _ = run("logits", (1.0, 0.0), z, t, float, 1.0)
    np.testing.assert_allclose(value, 0.5 * ((z - t[:, :-1]) ** 2).sum(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(d, z - t[:, :-1])


def test_high_temperatures_match_logits():
    """The gradient at a high T is that of centred logits over N (Hinton, Vinyals and Dean 2015, section 2.1)."""
    z, t = draw(1, 6, 5).astype(float), targets(6, 5).astype(float)
    z -= z.mean(axis=1, keepdims=True)
    t[:, :-1] -= t[:, :-1].mean(axis=1, keepdims=True)
    _, d, _, _, _ = run("soft targets", (1e4, 0.0), z, t, float, 1.0)
    np.testing.assert_allclose(d, (z - t[:, :-1]) / 5, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, float])
@pytest.mark.parametrize("kind", KINDS)
def test_alike_is_zero(kind, dtype):
    """A student that is its teacher has nothing to learn."""
    t = targets(40, 10)
    _, d, _, value, apart = run(kind, (20.0, 0.0), t[:, :-1], t, dtype)
    assert np.abs(value).max() <= 1e-12
    assert not d.any()
    assert not apart.any()


@pytest.mark.parametrize("kind", KINDS)
def test_finish_writes_nothing_else(kind):
    z, t = draw(1, 33, 21), targets(33, 21)
    a, d, d_t = Guarded(33, 21), Guarded(33, 21), Guarded(21, 33)
    value, apart = np.full(35, 7, np.float32), np.full(35, 7, np.float32)
    mimicry.finish(KINDS[kind], 2.0, 0.5, inside(z), inside(t), 1.0, a.out, d.out, d_t.out, value[1:-1], apart[1:-1])
    assert a.untouched
    assert d.untouched
    assert d_t.untouched
    assert value[0] == value[-1] == apart[0] == apart[-1] == 7
    np.testing.assert_array_equal(d.out, d_t.out.T)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_inputs_spoil_their_case_alone(kind, bad):
    z, t = draw(1, 7, 30), targets(7, 30)
    z[2, 19] = bad
    with np.errstate(invalid="ignore", over="ignore"):
        value = run(kind, (2.0, 0.5), z, t, np.float32)[3]
    assert np.isfinite(np.delete(value, 2)).all()
    assert not np.isfinite(value[2])


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("kind", KINDS)
def test_curvature(kind, numbers):
    """The derivative of the gradient, by complex steps; compiled beside it."""
    z, t, rz = draw(1, 17, 6), targets(17, 6), draw(2, 17, 6)
    stepped = z.astype(complex) + 1e-30j * rz.astype(float)
    made = [np.zeros(shape, complex) for shape in (z.shape, z.shape, z.shape[::-1], (17,), (17,))]
    mimicry.finish(KINDS[kind], *numbers, stepped, t.astype(complex), 1.0, *made)
    expected = made[1].imag / 1e-30
    wide, narrow = rz.astype(float), rz.copy()
    mimicry.curvature(KINDS[kind], *numbers, z.astype(float), t.astype(float), wide)
    np.testing.assert_allclose(wide, expected, rtol=1e-10, atol=1e-12)
    view = inside(narrow)
    mimicry.curvature(KINDS[kind], *numbers, inside(z), inside(t), view)
    np.testing.assert_allclose(view, expected, rtol=1e-4, atol=1e-5)

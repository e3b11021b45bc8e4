"""The output units' one pass: float32 against the twin that float64 goes to; bad cases spoil themselves alone."""

import numpy as np
import pytest

from deepnet.kernels import outputs
from tests.kernels.arrays import Guarded, draw, inside

KINDS = {
    "softmax": outputs.SOFTMAX_ENTROPY,
    "logistic": outputs.LOGISTIC_ENTROPY,
    "linear": outputs.SQUARED_ERROR,
    "squared hinge": outputs.SQUARED_HINGE,
    "hinge": outputs.HINGE,
}
SIZES = [(0, 5), (1, 1), (1, 300), (3, 17), (16, 16), (17, 64), (70, 129)]


def targets(name, rows, columns):
    """Probabilities for softmax, values in [0, 1] for the others."""
    t = np.random.default_rng(4).random((rows, columns)).astype(np.float32)
    return t / t.sum(axis=1, keepdims=True) if name == "softmax" else t


def run(kind, z, t, dtype):
    """a, d, d_t, value, error of one pass."""
    rows, columns = z.shape
    made = [np.zeros(shape, dtype) for shape in (z.shape, z.shape, (columns, rows), (rows,), (rows,))]
    outputs.finish(kind, z.astype(dtype), t.astype(dtype), 0.25, *made)
    return made


@pytest.mark.parametrize("name", KINDS)
def test_finish(name):
    for rows, columns in SIZES:
        z, t = 3 * draw(1, rows, columns), targets(name, rows, columns)
        for found, exact in zip(run(KINDS[name], z, t, np.float32), run(KINDS[name], z, t, float), strict=True):
            np.testing.assert_allclose(found, exact, rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize("name", KINDS)
def test_finish_writes_nothing_else(name):
    z, t = draw(1, 33, 21), targets(name, 33, 21)
    a, d, d_t = Guarded(33, 21), Guarded(33, 21), Guarded(21, 33)
    value, error = np.full(35, 7, np.float32), np.full(35, 7, np.float32)
    outputs.finish(KINDS[name], inside(z), inside(t), 1.0, a.out, d.out, d_t.out, value[1:-1], error[1:-1])
    assert a.untouched
    assert d.untouched
    assert d_t.untouched
    assert value[0] == value[-1] == error[0] == error[-1] == 7
    np.testing.assert_array_equal(d.out, d_t.out.T)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_inputs_spoil_their_case_alone(name, bad):
    z, t = draw(1, 7, 30), targets(name, 7, 30)
    z[2, 19] = bad
    with np.errstate(invalid="ignore", over="ignore"):
        made = run(KINDS[name], z, t, np.float32)
    assert np.isfinite(np.delete(made[3], 2)).all()
    assert not np.isfinite(made[3][2])


@pytest.mark.parametrize("power", [1, 2])
def test_hinges_are_their_formula(power):
    """Sum over outputs of max(1 - y z, 0) or its square, and its derivative; at the corner the derivative is 0."""
    z = np.array([[2.0, -2.0, 0.25], [0.5, 1.0, -1.0], [-1.0, 0.0, 3.0]], np.float32)
    t = np.eye(3, dtype=np.float32)
    y, kind = 2 * t - 1, outputs.HINGE if power == 1 else outputs.SQUARED_HINGE
    short = np.maximum(1 - y * z, 0)
    slopes = -y * (short > 0) if power == 1 else -2 * y * short
    for dtype in (np.float32, np.float64):
        a, d, d_t, value, error = run(kind, z, t, dtype)
        np.testing.assert_array_equal(a, z)
        np.testing.assert_array_equal(value, (short**power).sum(axis=1))
        np.testing.assert_array_equal(d, 0.25 * slopes)
        np.testing.assert_array_equal(d_t, d.T)
        np.testing.assert_array_equal(error, [0, 0, 0])
        assert run(kind, -z, t, dtype)[4].tolist() == [1, 1, 1]


def test_curvature_of_hinges():
    """2 y^2 where the margin is short, else 0, for both types; of the straight hinge 0."""
    z, t, v = 3 * draw(1, 17, 33), targets("hinge", 17, 33), draw(2, 17, 33)
    t[:4] = np.eye(33, dtype=np.float32)[:4]
    y = 2 * t - 1
    short = y * z < 1
    assert 0.1 < short.mean() < 0.9
    for dtype in (np.float32, np.float64):
        rz = v.astype(dtype)
        outputs.squared_hinge_chain(z.astype(dtype), t.astype(dtype), rz)
        np.testing.assert_allclose(rz, 2 * y**2 * v * short, rtol=1e-6, atol=1e-7)
        outputs.hinge_chain(z.astype(dtype), t.astype(dtype), rz)
        assert not rz.any()

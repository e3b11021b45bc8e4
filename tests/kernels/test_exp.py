"""Accuracy of the elementary functions in units of the last place, against float64; NaN, infinity and the far ends."""

from statistics import NormalDist

import numba
import numpy as np
import pytest

from deepnet.kernels import exp as page
from deepnet.kernels.jit import ENABLED, njit

pytestmark = pytest.mark.skipif(not ENABLED, reason="the polynomials work on bits and exist in compiled form only")


def mapped(function):
    """The scalar function over a vector."""

    @numba.njit(error_model="numpy", fastmath={"nsz", "contract"})
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    def apply(x):
        x = np.asarray(x)
        out = np.empty(x.size, np.float32)
        loop(x.ravel(), out)
        return out.reshape(x.shape)

    return apply


def ulps(found, exact):
    """Errors in units of the last place of the exact value rounded to float32."""
    return np.abs(found.astype(float) - exact) / np.spacing(np.abs(exact).astype(np.float32)).astype(float)


def dense(low, high, count=400_000):
    """Many float32 numbers from low to high, both included."""
    return np.linspace(low, high, count).astype(np.float32)


POWERS = np.float32(2) ** dense(-125, 126)


# Name, the numbers it is tried on, the exact function, units in the last place allowed.
TABLE = [
    ("exp", dense(-87.2, 88.3), np.exp, 1.6),
    ("exp", dense(-1e-3, 1e-3), np.exp, 1.0),
    ("expm1", dense(-87.2, 88.3), np.expm1, 3.5),
    ("expm1", np.float32(2) ** dense(-100, 0), np.expm1, 3.5),
    ("expm1", -(np.float32(2) ** dense(-100, 0)), np.expm1, 3.5),
    ("log", POWERS, np.log, 1.6),
    ("log", dense(0.5, 2.0), np.log, 2.0),
    ("log1p", dense(0, 1), np.log1p, 2.0),
    ("log1p", np.float32(2) ** dense(-120, 90), np.log1p, 2.0),
    ("sigmoid", dense(-85, 30), lambda x: 1 / (1 + np.exp(-x)), 3.0),
    ("softplus", dense(-85, 85), lambda x: np.logaddexp(0, x), 3.0),
    ("tanh", dense(-12, 12), np.tanh, 2.5),
    ("tanh", np.float32(2) ** dense(-100, 0), np.tanh, 2.5),
]


@pytest.mark.parametrize(("name", "x", "exact", "most"), TABLE, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(TABLE)])
def test_accuracy(name, x, exact, most):
    expected = exact(x.astype(float))
    errors = ulps(mapped(getattr(page, name))(x), expected)
    assert errors.max() <= most, f"{errors.max()} at {x[errors.argmax()]!r}"


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sigmoid", "softplus", "tanh"])
def test_nan_stays(name):
    assert np.isnan(mapped(getattr(page, name))(np.array([np.nan, -np.nan], np.float32))).all()


def test_far_ends():
    ends = np.array([-np.inf, -1e30, 1e30, np.inf], np.float32)
    np.testing.assert_allclose(mapped(page.exp)(ends), [0, 0, 2.4e38, 2.4e38], rtol=0.05, atol=1.3e-38)
    np.testing.assert_allclose(mapped(page.expm1)(ends), [-1, -1, 2.4e38, 2.4e38], rtol=0.05)
    np.testing.assert_allclose(mapped(page.sigmoid)(ends), [0, 0, 1, 1], atol=1e-37)
    np.testing.assert_allclose(mapped(page.softplus)(ends), [0, 0, 1e30, np.inf], rtol=1e-6, atol=1e-37)
    np.testing.assert_array_equal(mapped(page.tanh)(ends), [-1, -1, 1, 1])
    small = np.array([0, -1, 1e-45, page.TINY], np.float32)
    np.testing.assert_allclose(mapped(page.log)(small), np.log(float(page.TINY)), rtol=1e-6)
    assert mapped(page.log)(np.ones(1, np.float32))[0] == 0
    assert mapped(page.exp)(np.zeros(1, np.float32))[0] == 1


def test_functions_never_fall_where_they_should_rise():
    """Within the rounding of one step, so that a probability never leaves [0, 1]."""
    for name, low, high in (
        ("exp", -90, 90),
        ("expm1", -90, 90),
        ("sigmoid", -100, 100),
        ("softplus", -100, 100),
        ("tanh", -12, 12),
    ):
        values = mapped(getattr(page, name))(dense(low, high)).astype(float)
        falls = np.diff(values) / np.spacing(np.abs(values[1:]).astype(np.float32)).astype(float)
        assert falls.min() >= -3, name
    probabilities = mapped(page.sigmoid)(dense(-200, 200))
    assert probabilities.min() >= 0
    assert probabilities.max() == 1


def test_normal_quantile():
    steps = np.unique(np.concatenate([np.arange(0, 2**24, 997), np.arange(300), 2**24 - 1 - np.arange(300)]))
    found = mapped(page.normal_quantile)(steps.astype(np.uint32) << np.uint32(8))
    exact = np.array([NormalDist().inv_cdf((step + 0.5) / 2**24) for step in steps])
    assert (np.abs(found - exact) <= 3e-6 * (1 + np.abs(exact))).all()
    assert np.abs(found).max() < 5.5
    np.testing.assert_array_equal(found[:300], -found[-300:][::-1])
    low_bits = mapped(page.normal_quantile)(np.array([77 << 8, 77 << 8 | 255], np.uint32))
    assert low_bits[0] == low_bits[1]


def test_inlined_functions_vectorise():
    """A loop over a row is compiled to vector instructions, or the kernels are several times too slow."""
    from deepnet.kernels.jit import row_of

    @njit
    def loop(c):
        for i in range(c.shape[0]):
            row = row_of(c, i, 0, c.shape[1])
            for j in range(row.size):
                row[j] = page.sigmoid(row[j])

    fresh = numba.njit(loop.py_func, error_model="numpy", fastmath={"nsz", "contract"})
    fresh(np.zeros((2, 40), np.float32))
    code = next(iter(fresh.inspect_asm().values()))
    assert "divps" in code, "no packed division"

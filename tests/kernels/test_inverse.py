"""The inverse against that of double precision; the same bits on any number of threads."""

import numpy as np
import pytest

from deepnet.kernels import jit
from deepnet.kernels.inverse import LEAF, invert
from deepnet.kernels.operands import matrix
from tests.kernels.arrays import draw

SIZES = [1, 2, 17, LEAF - 1, LEAF, LEAF + 1, 2 * LEAF + 3, 301]


def positive(size, damping, dtype=np.float32):
    """A second moment of fewer cases than columns that have a mean, damped: condition about size / damping."""
    x = draw(4, (size // 2 + 1) * size).reshape(-1, size).astype(float) + 1
    a = matrix(size, size, dtype)
    a[...] = x.T @ x / len(x) + damping * np.eye(size)
    return a


def inverse(a):
    out = matrix(*a.shape, a.dtype)
    invert(a.copy(), out)
    return out


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("damping", [1.0, 1e-2])
def test_against_double_precision(size, damping):
    """Within single precision times the condition number, and symmetric to the bit."""
    a = positive(size, damping)
    found, expected = inverse(a), np.linalg.inv(a.astype(float))
    condition = np.linalg.cond(a.astype(float))
    assert np.abs(found - expected).max() <= 1e-6 * max(condition, 2) * np.abs(expected).max()
    if jit.ENABLED:
        np.testing.assert_array_equal(found, found.T)
    assert np.linalg.eigvalsh(found.astype(float)).min() > 0


def test_twin():
    a = positive(90, 0.1, np.float64)
    np.testing.assert_allclose(inverse(a) @ a, np.eye(90), atol=1e-10)


@pytest.mark.skipif(not jit.ENABLED, reason="the twin is NumPy's inverse, which takes any matrix")
@pytest.mark.parametrize("size", [40, 150])
def test_what_is_not_positive_definite_is_not_finite(size):
    for place in (0, size // 2, size - 1):
        a = positive(size, 1.0)
        a[place, place] = -1
        assert not np.isfinite(inverse(a)).all()


def test_threads_change_nothing():
    a, found, before = positive(301, 0.1), [], jit.threads()
    try:
        for count in (1, before):
            jit.set_threads(count)
            found.append(inverse(a))
    finally:
        jit.set_threads(before)
    np.testing.assert_array_equal(*found)

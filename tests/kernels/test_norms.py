"""Norms against their twins, on every shape and with values that are no numbers; the same bits on any threads."""

import numpy as np
import pytest

from deepnet.kernels import jit, norms
from tests.kernels.arrays import close, draw

SHAPES = [(1, 1), (3, 5), (64, 16), (65, 17), (200, 33), (131, 100), (0, 4), (4, 0)]


def framed(values):
    """The values as a view within a wider array, whose rest must stay."""
    whole = np.full((values.shape[0], values.shape[1] + 3), 7, np.float32)
    whole[:, : values.shape[1]] = values
    return whole, whole[:, : values.shape[1]]


@pytest.mark.parametrize("shape", SHAPES)
def test_limit_columns(shape):
    """Long columns get the norm of the limit and keep their direction, the others keep their bits."""
    given = draw(3, shape[0] * shape[1]).reshape(shape) * np.linspace(0.1, 3, shape[1], dtype=np.float32)
    wide = given.astype(float)
    lengths = np.sqrt((wide**2).sum(axis=0))
    most = float(np.median(lengths)) * 1.01 if lengths.size else 1.0
    whole, narrow = framed(given)
    norms.limit_columns(narrow, most)
    norms.limit_columns(wide, most)
    close(narrow, wide, 2e-6 * (1e-3 + np.abs(wide)))
    np.testing.assert_allclose(np.sqrt((wide**2).sum(axis=0)), np.minimum(lengths, most), rtol=1e-12)
    np.testing.assert_array_equal(narrow[:, lengths < most], given[:, lengths < most])
    assert (whole[:, shape[1] :] == 7).all()


def test_what_is_not_finite_stays_to_be_seen():
    for bad in (np.nan, np.inf, 1e30):
        W = np.full((70, 20), 0.1, np.float32)
        W[50, 7] = bad
        before = W.copy()
        norms.limit_columns(W, 0.5)
        np.testing.assert_array_equal(W[:, 7], before[:, 7])
        np.testing.assert_allclose(np.sqrt((W[:, :7] ** 2).sum(axis=0)), 0.5, rtol=1e-6)


def test_threads_change_nothing():
    given, found, before = draw(5, 300 * 90).reshape(300, 90), [], jit.threads()
    try:
        for count in (1, before):
            jit.set_threads(count)
            found.append(given.copy())
            norms.limit_columns(found[-1], 10.0)
    finally:
        jit.set_threads(before)
    np.testing.assert_array_equal(*found)
    assert not np.array_equal(found[0], given)


@pytest.mark.parametrize("size", [0, 1, 15, 17, 1000])
def test_sum_magnitudes(size):
    x = draw(2, size)
    exact = float(np.abs(x.astype(float)).sum())
    assert norms.sum_magnitudes(x) == pytest.approx(exact, rel=1e-13)
    assert norms.sum_magnitudes(x.astype(float)) == pytest.approx(exact, rel=1e-13)

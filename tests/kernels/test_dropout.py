"""The pass that draws a mask and multiplies by it, bit for bit the plain NumPy lines."""

import numpy as np
import pytest

from deepnet.kernels import dropout, random
from deepnet.kernels.jit import set_threads, threads
from tests.kernels.arrays import Guarded, draw, inside

SIZES = [(0, 5), (1, 1), (3, 63), (5, 64), (17, 65), (16, 128), (100, 129), (33, 784)]


@pytest.mark.parametrize("rate", [0.2, 0.5, 1 / 3, 0.99])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_what_numpy_gives(size, rate):
    x, key = draw(3, *size), 0xFEDCBA9876543210
    kept = random.uniform(key, 0, *size) >= np.float32(rate)
    expected = kept * np.float32(1 / (1 - rate))
    for dtype in (np.float32, np.float64, np.complex128):
        mask, a = Guarded(*size, dtype), Guarded(*size, dtype)
        dropout.drop(np.array(key, np.uint64), inside(x.astype(dtype)), rate, mask.out, a.out)
        if dtype == np.float32:
            np.testing.assert_array_equal(mask.out, expected)
            np.testing.assert_array_equal(a.out, x * expected)
        np.testing.assert_allclose(mask.out, kept / (1 - rate), rtol=1e-6 if dtype == np.float32 else 1e-15)
        np.testing.assert_array_equal(a.out, x * mask.out)
        assert mask.untouched
        assert a.untouched


@pytest.mark.parametrize("size", SIZES)
def test_two_masks_are_multiplied(size):
    one, other, out = draw(3, *size), draw(4, *size), Guarded(*size, np.float32)
    dropout.both(inside(one), inside(other), out.out)
    np.testing.assert_array_equal(out.out, one * other)
    assert out.untouched


def test_what_is_not_finite_shows_itself():
    """NaN and infinity times 0 are NaN, so that a diverged run is seen even where units are left out."""
    x = np.full((40, 300), np.inf, np.float32)
    x[::2] = np.nan
    mask, a = np.zeros_like(x), np.zeros_like(x)
    with np.errstate(invalid="ignore"):  # the twin tells of it
        dropout.drop(1, x, 0.5, mask, a)
    assert np.isnan(a[::2]).all()
    np.testing.assert_array_equal(np.isnan(a[1::2]), mask[1::2] == 0)


def test_threads_change_nothing():
    x, count, found = draw(5, 200, 300), threads(), []
    try:
        for number in (1, count):
            set_threads(number)
            mask, a = np.zeros_like(x), np.zeros_like(x)
            dropout.drop(9, x, 0.3, mask, a)
            found.append(a)
    finally:
        set_threads(count)
    np.testing.assert_array_equal(*found)

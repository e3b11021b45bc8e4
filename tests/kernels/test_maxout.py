"""The largest piece, and the ways back to it: both forms against plain loops."""

import numpy as np
import pytest

from deepnet.kernels import maxout
from tests.kernels.arrays import Guarded, draw, inside

SIZES = [(0, 5, 2), (1, 1, 2), (3, 17, 5), (5, 64, 3), (70, 129, 2), (4, 3, 100)]


@pytest.mark.parametrize("size", SIZES)
def test_they_are_what_loops_give(size):
    cases, units, count = size
    z, d, r = draw(1, cases, count * units), draw(2, cases, units), draw(3, cases, count * units)
    for dtype in (np.float32, np.float64):
        a, which, gathered = (Guarded(cases, units, dtype) for _ in range(3))
        wide = Guarded(cases, count * units, dtype)
        maxout.largest(inside(z.astype(dtype)), a.out, which.out)
        maxout.scatter(which.out, inside(d.astype(dtype)), wide.out)
        maxout.gather(which.out, inside(r.astype(dtype)), gathered.out)
        for i in range(cases):
            for j in range(units):
                own = z[i, j::units]
                best = int(own.argmax())
                assert (a.out[i, j], which.out[i, j], gathered.out[i, j]) == (own[best], best, r[i, best * units + j])
                assert wide.out[i, j::units].tolist() == [d[i, j] if k == best else 0 for k in range(count)]
        assert all(guard.untouched for guard in (a, which, gathered, wide))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_of_equals_and_nan(dtype):
    """Of two equal pieces the first; NaN wherever there is one, so that a diverged run shows itself."""
    pieces = [[1, 1, 0], [np.nan, 1, 2], [1, np.nan, 2], [1, 2, np.nan], [-np.inf, np.inf, np.inf], [-np.inf] * 3]
    a, which = np.zeros((1, 6), dtype), np.zeros((1, 6), dtype)
    maxout.largest(np.array(pieces, dtype).T.reshape(1, -1), a, which)
    np.testing.assert_array_equal(a, [[1, np.nan, np.nan, np.nan, np.inf, -np.inf]])
    assert which.tolist() == [[0, 0, 1, 2, 1, 0]]


def test_a_complex_step_follows_the_largest():
    z = draw(4, 5, 6).astype(float)
    a, which = np.zeros((5, 3), complex), np.zeros((5, 3), complex)
    maxout.largest(z + 1e-30j * np.arange(6), a, which)
    np.testing.assert_array_equal(a.real, np.maximum(z[:, :3], z[:, 3:]))
    np.testing.assert_allclose(a.imag / 1e-30, np.arange(3) + 3 * (z[:, 3:] > z[:, :3]), rtol=1e-14)

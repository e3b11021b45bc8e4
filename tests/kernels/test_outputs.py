"""The output units' one pass: float32 against the twin that float64 goes to; bad cases spoil themselves alone."""

import numpy as np
import pytest

from deepnet.kernels import outputs
from tests.kernels.arrays import Guarded, draw, inside

KINDS = {
    "softmax": outputs.SOFTMAX_ENTROPY,
    "logistic": outputs.LOGISTIC_ENTROPY,
    "linear": outputs.SQUARED_ERROR,
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

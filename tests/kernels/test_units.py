"""Activation, slope, sampling and partition of units: float32 against the twin that float64 goes to."""

from itertools import pairwise

import numpy as np
import pytest

from deepnet.kernels import products, random, units
from deepnet.nn.units import UNITS
from tests.kernels.arrays import Guarded, close, draw, inside

CODES = {name: unit.code for name, unit in UNITS.items() if not unit.rowwise}
SIZES = [(0, 5), (1, 1), (3, 17), (5, 64), (70, 129)]
ULP = 2.0**-24


def needed(unit, z, a):
    """What the unit's slope is made from."""
    return a if UNITS[unit].needs == "a" else z


def test_codes():
    assert sorted(CODES.values()) == list(range(units.SOFTMAX))


@pytest.mark.parametrize("unit", CODES)
def test_activate_and_chain(unit):
    code = CODES[unit]
    for rows, columns in SIZES:
        z, d = 3 * draw(1, rows, columns), draw(2, rows, columns)
        guard, wide = Guarded(rows, columns, values=z), z.astype(float)
        units.activate(code, guard.out)
        units.activate(code, wide)
        close(guard.out, wide, 8 * ULP * (1 + np.abs(wide)))
        assert guard.untouched
        slopes, exact = Guarded(rows, columns, values=d), d.astype(float)
        units.chain(code, inside(needed(unit, z, guard.out)), slopes.out)
        units.chain(code, needed(unit, z, guard.out).astype(float), exact)
        close(slopes.out, exact, 16 * ULP * (1 + np.abs(exact)))
        assert slopes.untouched


@pytest.mark.parametrize("unit", CODES)
def test_slope_is_the_derivative(unit):
    z = np.linspace(-6, 6, 101) + 0.01 + 0j
    value = units.activate_twin(CODES[unit], z + 1e-30j)
    given = needed(unit, z.real, value.real + 0.0)
    np.testing.assert_allclose(units.slope_twin(CODES[unit], given), value.imag / 1e-30, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("unit", CODES)
def test_activate_at_the_ends(unit):
    ends = np.array([[np.nan, np.inf, -np.inf, 1e4, -1e4, 0.0]], np.float32)
    found, wide = ends.copy(), ends.astype(float)
    units.activate(CODES[unit], found)
    units.activate(CODES[unit], wide)
    close(found, wide, 1e-30 + ULP * np.abs(np.nan_to_num(wide, posinf=0, neginf=0)))


DEFINED = {
    "softplus": ([0.0, 100.0, -100.0], [np.log(2), 100.0, 0.0]),
    "leaky_relu": ([-2.0, 0.0, 3.0], [-0.02, 0.0, 3.0]),
    "elu": ([-100.0, -1.0, -1e-6, 0.0, 2.0], [-1.0, np.exp(-1) - 1, np.expm1(-1e-6), 0.0, 2.0]),
    "hard_tanh": ([-5.0, -0.5, 0.25, 1.0, 7.0], [-1.0, -0.5, 0.25, 1.0, 1.0]),
    "square": ([-3.0, 0.0, 0.5], [9.0, 0.0, 0.25]),
}


@pytest.mark.parametrize("unit", DEFINED)
def test_values_of_their_definitions(unit):
    z, expected = DEFINED[unit]
    found = np.array([z], np.float32)
    units.activate(CODES[unit], found)
    np.testing.assert_allclose(found[0], expected, rtol=3e-7, atol=1e-37)
    np.testing.assert_allclose(units.activate_twin(CODES[unit], np.array(z)), expected, rtol=1e-15, atol=1e-37)


def test_softmax():
    for rows, columns in SIZES:
        z = 5 * draw(3, rows, columns)
        guard, wide = Guarded(rows, columns), np.zeros((rows, columns))
        units.softmax(inside(z), guard.out)
        units.softmax(z.astype(float), wide)
        close(guard.out, wide, 8 * columns * ULP * (wide + 1e-30) + 1e-37)
        np.testing.assert_allclose(guard.out.sum(axis=1), 1, rtol=1e-5)
        assert guard.untouched
        again = z.copy()
        units.softmax(again, again)
        np.testing.assert_array_equal(again, guard.out)
        d = draw(4, rows, columns)
        slopes, exact = Guarded(rows, columns, values=d), d.astype(float)
        units.softmax_chain(inside(guard.out), slopes.out)
        units.softmax_chain(guard.out.astype(float), exact)
        close(slopes.out, exact, 8 * columns * ULP)
        assert slopes.untouched


def test_softmax_is_its_derivative():
    z, d = draw(5, 4, 6).astype(float), draw(6, 4, 6).astype(float)
    a, step = np.zeros((4, 6)), np.zeros((4, 6), complex)
    units.softmax(z, a)
    units.softmax(z + 1e-30j * d, step)
    units.softmax_chain(a, d)
    np.testing.assert_allclose(d, step.imag / 1e-30, rtol=1e-12, atol=1e-14)


def test_softmax_of_bad_rows():
    z = draw(5, 6, 20)
    z[1, 0], z[2, 7], z[3, 4], z[4] = np.nan, np.nan, np.inf, 1e30
    out = np.zeros_like(z)
    with np.errstate(invalid="ignore"):
        units.softmax(z, out)
    assert np.isnan(out[1:4]).all(axis=1).tolist() == [True, True, not np.isfinite(out[3]).any()]
    np.testing.assert_allclose(out[4], 0.05, rtol=1e-6)
    assert np.isfinite(out[[0, 4, 5]]).all()


def test_sample_softmax():
    for rows, columns in [(0, 3), (1, 1), (50, 3), (40, 200)]:
        z = draw(8, rows, columns)
        units.softmax(z, z)
        states = Guarded(columns, rows)
        units.sample_softmax(inside(z), 77, 2, states.out)
        assert states.untouched
        assert set(np.unique(states.out)) <= {0.0, 1.0}
        np.testing.assert_array_equal(states.out.sum(axis=0), 1)
        u = random.uniform(77, 2, rows, 1)
        expected = np.minimum((np.cumsum(z, axis=1, dtype=np.float32) <= u).sum(axis=1), columns - 1)
        np.testing.assert_array_equal(states.out.argmax(axis=0), expected)
        twin = np.zeros((columns, rows))
        units.sample_softmax(z.astype(float), 77, 2, twin)
        assert np.count_nonzero((twin != states.out).any(axis=0)) <= 1


def test_sample_softmax_has_its_law():
    law = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625], np.float32)
    states = np.zeros((5, 40_000), np.float32)
    units.sample_softmax(np.tile(law, (40_000, 1)), 5, 0, states)
    found = states.sum(axis=1)
    assert (np.abs(found - 40_000 * law) < 5 * np.sqrt(40_000 * law * (1 - law))).all()


def rectified(z):
    """Mean and second moment of max(0, x) for x of N(z, sigmoid(z)): the formulas of the rectified normal law."""
    from statistics import NormalDist

    s, law = np.sqrt(1 / (1 + np.exp(-z))), NormalDist()
    up, at = law.cdf(z / s), law.pdf(z / s)
    return z * up + s * at, (z * z + s * s) * up + z * s * at


@pytest.mark.parametrize("z", [-1.0, -0.5, 0.0, 0.7, 3.0])
def test_rectified_samples_have_their_law(z):
    """Nair and Hinton 2010: max(0, z + N(0, sigmoid(z))). Its mean is up to 0.42 below softplus(z), the mean given."""
    rows, columns = 400, 100
    mean, states = np.zeros((rows, columns), np.float32), np.zeros((columns, rows), np.float32)
    bias = np.full(columns, z, np.float32)
    products.up_sample(
        np.zeros((rows, 1), np.float32), np.zeros((1, columns), np.float32), bias, units.RELU, 9, 0, mean, states
    )
    first, second = rectified(z)
    wide = states.astype(float)
    deviation = np.sqrt(second - first**2)
    assert wide.min() >= 0
    assert abs(wide.mean() - first) < 5 * deviation / np.sqrt(wide.size)
    assert abs((wide**2).mean() - second) < 5 * (wide**2).std() / np.sqrt(wide.size)
    np.testing.assert_allclose(mean, np.logaddexp(0, z), rtol=1e-6)
    assert 0 < np.logaddexp(0, z) - first < 0.42


PARTITIONS = {"logistic": units.LOGISTIC, "linear": units.LINEAR, "relu": units.RELU, "softmax": units.SOFTMAX}


@pytest.mark.parametrize("unit", PARTITIONS)
def test_log_partition(unit):
    for rows, columns in SIZES:
        z = 4 * draw(9, rows, columns)
        found, exact = np.zeros(rows, np.float32), np.zeros(rows)
        units.log_partition(PARTITIONS[unit], inside(z), found)
        units.log_partition(PARTITIONS[unit], z.astype(float), exact)
        close(found, exact, 8 * (columns + 8) * ULP * (1 + np.abs(exact)))


def test_partition_of_relu_is_the_integral_of_softplus():
    """Sum over the copies of an NReLU: the integral of log(1 + e^y) from -inf to x, here by quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    for x in (-30.0, -3.0, -0.1, 0.0, 0.1, 1.0, 5.0, 20.0, 90.0):
        exact, edges = 0.0, np.linspace(-45 + min(x, 0), x, 60)
        for a, b in pairwise(edges):
            y = (a + b) / 2 + (b - a) / 2 * nodes
            exact += (b - a) / 2 * (weights * np.logaddexp(0, y)).sum()
        assert units.dilog_twin(np.array([x]))[0] == pytest.approx(exact, rel=1e-12)
        found = np.zeros(1, np.float32)
        units.log_partition(units.RELU, np.full((1, 1), x, np.float32), found)
        assert found[0] == pytest.approx(exact, rel=5e-7)
    # and its derivative is the mean, softplus
    for x in (-4.0, -1.0, 0.0, 0.5, 6.0):
        slope = np.diff(units.dilog_twin(np.array([x - 1e-5, x + 1e-5])))[0] / 2e-5
        assert slope == pytest.approx(np.logaddexp(0, x), abs=1e-8)


@pytest.mark.parametrize("unit", PARTITIONS)
def test_log_partition_of_nan(unit):
    z = draw(9, 5, 20)
    z[3, 13] = np.nan
    out = np.zeros(5, np.float32)
    units.log_partition(PARTITIONS[unit], z, out)
    assert np.isnan(out).tolist() == [False, False, False, True, False]

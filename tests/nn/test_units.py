"""UNITS and LOSSES: one record for a unit's life in a net and in a machine."""

import numpy as np
import pytest

from deepnet.nn.losses import LOSSES, loss_of
from deepnet.nn.mixed import unit_of
from deepnet.nn.units import UNITS

MIXED = "linear:1 logistic:1 softmax:3"
Z = np.random.default_rng(1).normal(size=(6, 5)) + 0.01


@pytest.mark.promise("gradients")
@pytest.mark.parametrize("name", [*UNITS, MIXED])
def test_chain_is_the_derivative(name):
    """Forward in the direction d, by the complex step, is the chain: for softmax the matrix is symmetric."""
    unit, d = unit_of(name), np.random.default_rng(2).normal(size=Z.shape)
    step, a = Z + 1e-30j * d, Z.copy()
    unit.activate(step)
    unit.activate(a)
    np.testing.assert_allclose(step.real, a, rtol=1e-14)
    unit.chain(a if unit.needs == "a" else Z, d)
    np.testing.assert_allclose(d, step.imag / 1e-30, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [*UNITS, MIXED])
def test_mean(name):
    mean, a = Z.copy(), Z.copy()
    unit_of(name).mean(mean)
    unit_of(name).activate(a)
    np.testing.assert_allclose(mean, np.logaddexp(0, Z) if name == "relu" else a, rtol=1e-13)


@pytest.mark.parametrize("name", UNITS)
def test_bounded_values(name):
    a = (20 * Z).astype(np.float32)
    UNITS[name].activate(a)
    assert not UNITS[name].bounded or (a.min() >= 0 and a.max() <= 1)
    if name == "softmax":
        np.testing.assert_allclose(a.sum(axis=1), 1, rtol=1e-6)


MATCHING = [name for name, loss in LOSSES.items() if loss.curve is None and not loss.mimics]


@pytest.mark.parametrize("name", [*MATCHING, MIXED])
def test_losses_match_their_unit(name):
    """The gradient of a loss at the output unit's input is a - t, its Hessian the unit's own derivative."""
    loss, rng = loss_of(name), np.random.default_rng(3)
    t = rng.random(Z.shape)
    for columns in (slice(0, 2), slice(2, 5)) if name == MIXED else (slice(0, 5),):
        t[:, columns] /= t[:, columns].sum(axis=1, keepdims=True)
    a = Z.copy()
    loss.output.activate(a)
    d = rng.normal(size=Z.shape)
    step, value = Z + 1e-30j * d, np.zeros(len(Z), complex)
    back, unused = np.zeros_like(step), np.zeros(Z.shape[::-1], complex)
    loss.finish(step, t, 0.5, np.zeros_like(step), back, unused, value, np.zeros_like(value))
    np.testing.assert_allclose(back.real, (a - t) / 2, rtol=1e-12)
    np.testing.assert_allclose(value.imag / 1e-30, ((a - t) * d).sum(axis=1), rtol=1e-11)
    product, moved = d.copy(), Z + 1e-30j * d
    loss.curvature(a, t, product)
    loss.output.activate(moved)
    np.testing.assert_allclose(product, moved.imag / 1e-30, rtol=1e-12, atol=1e-14)

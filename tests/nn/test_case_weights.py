"""An objective whose cases have weights, against the objectives of its cases alone, for every loss."""

import numpy as np
import pytest

from deepnet.nn import pieces as pieces_page
from deepnet.nn.losses import LOSSES
from tests.nn.nets import CASES, NETWORKS, case, objective, places

WEIGHTS = np.array([0.5, 2.0, 1.0, 0.25, 3.0, 0.1])
OF_EACH = [f"{unit}-{loss}-{body}" for loss in LOSSES for unit, body in (("tanh", "deep"), ("logistic", "plain"))]


@pytest.fixture(params=OF_EACH)
def name(request):
    """A network of every loss."""
    return request.param


def alone(name, what):
    """What (a function of objective and theta) of each case without weights: an array (cases, ...)."""
    made, theta = objective(NETWORKS[name], np.float64, weight_decay=0, key=None)
    found = []
    for row in range(CASES):
        made.at(np.array([row]), None)
        found.append(np.copy(what(made, theta)))
    return np.array(found)


def weighted(name, dtype=np.float64, **more):
    """The objective with weights, and theta."""
    return objective(NETWORKS[name], dtype, weight_decay=0, key=None, weights=WEIGHTS, **more)


def mean(parts, weights=WEIGHTS):
    """Over cases, each times its weight."""
    return np.tensordot(weights, parts, 1) / CASES


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_value_and_gradient(name):
    made, theta = weighted(name)
    close(made.value(theta), mean(alone(name, lambda o, at: o.value(at))))
    close(made.gradient(theta), mean(alone(name, lambda o, at: o.gradient(at))))


def test_gradient_by_differences(name):
    made, theta = weighted(name)
    gradient, step, inner = made.gradient(theta).copy(), 1e-5, places(made.layout)
    for i in inner[:: max(1, len(inner) // 12)]:
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        assert gradient[i] == pytest.approx((made.value(up) - made.value(down)) / (2 * step), rel=1e-6, abs=1e-8)


def test_curvature_and_squares(name):
    made, theta = weighted(name)
    v = np.zeros_like(theta)
    v[places(made.layout)] = np.random.default_rng(3).normal(size=len(places(made.layout)))
    close(made.curvature(theta)(v), mean(alone(name, lambda o, at: o.curvature(at)(v))))
    close(made.gradient_squares(theta), mean(alone(name, lambda o, at: o.gradient(at)) ** 2, WEIGHTS**2))


def test_pieces_the_whole_and_a_step(name, monkeypatch):
    one, theta = weighted(name)
    value, gradient = one.value(theta), one.gradient(theta).copy()
    monkeypatch.setattr(pieces_page, "PIECE", 4)
    many, _ = weighted(name)
    for made in (many, many.whole, one.whole):
        assert made.value(theta) == pytest.approx(value, rel=1e-12)
        close(made.gradient(theta), gradient)
    velocity, moved = np.zeros_like(theta), theta.copy()
    one.descend(moved, velocity, 0.1, 0.9)
    close(velocity, -0.1 * gradient)


def test_minibatches_take_the_weights_of_their_rows(name):
    made, theta = weighted(name)
    whole, parts = made.gradient(theta).copy(), 0
    for rows in (np.array([5, 0, 3]), np.array([1, 4, 2])):
        made.at(rows, None)
        parts = parts + made.gradient(theta) / 2
    close(parts, whole)


def test_float32_is_float64(name):
    narrow, theta = weighted(name, np.float32)
    wide, at = weighted(name)
    at[...] = theta
    for found, expected in (
        (narrow.gradient(theta), wide.gradient(at)),
        (narrow.curvature(theta)(theta), wide.curvature(at)(at)),
        (narrow.gradient_squares(theta), wide.gradient_squares(at)),
    ):
        assert np.abs(found - expected).max() <= 2e-5 * max(1e-6, np.abs(expected).max())


def test_weights_of_one_change_no_bit(name):
    plain, theta = objective(NETWORKS[name], np.float32)
    made, _ = objective(NETWORKS[name], np.float32, weights=np.ones(CASES))
    np.testing.assert_array_equal(made.gradient(theta), plain.gradient(theta))
    np.testing.assert_array_equal(made.curvature(theta)(theta), plain.curvature(theta)(theta))
    assert made.tally == plain.tally


@pytest.mark.parametrize("loss", LOSSES)
def test_tally(loss):
    """Losses and errors by weight; cases are counted as they are."""
    name = f"tanh-{loss}-plain"
    made, theta = weighted(name)
    made.gradient(theta)
    losses = alone(name, lambda o, at: o.value(at))
    errors = alone(name, lambda o, at: (o.value(at), o._pieces[0].errors[0])[1])
    assert made.tally["cases"][0] == CASES
    assert made.tally["loss"][0] == pytest.approx(WEIGHTS @ losses, rel=1e-12)
    assert made.tally[LOSSES[loss].counts][0] == pytest.approx(WEIGHTS @ errors, rel=1e-12)
    if LOSSES[loss].mimics:
        labels = case(made.network)[1][:, -1]
        called = alone(name, lambda o, at: (o.value(at), o.outputs.argmax())[1])
        assert made.tally["labelled"][0] == pytest.approx(WEIGHTS @ (labels >= 0))
        assert made.tally["wrong"][0] == pytest.approx(WEIGHTS @ ((labels >= 0) & (labels != called)))

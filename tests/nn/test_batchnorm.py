"""Batch normalisation: what it is, with statistics given, in pieces, and the parts of single cases."""

import numpy as np
import pytest

from deepnet.nn.layers import BatchNorm, Dense, Dropout
from deepnet.nn.network import Network
from deepnet.nn.population import statistics
from tests.nn.nets import CASES, objective, places

NETWORK = Network((BatchNorm(5, 6, "tanh"), Dropout(6, 0.2), BatchNorm(6, 4, "logistic"), Dense(4, 3, "softmax")),
                  "cross_entropy")  # fmt: skip


def population(made, theta, block=4):
    """The statistics over all cases."""
    blocks = [np.arange(i, min(i + block, CASES)) for i in range(0, CASES, block)]
    return statistics(made.network, theta, made._feed, blocks, block)


def plain(p, z, mean, variance, activate):
    """The layer in one line."""
    return activate(p["gamma"] * (z - mean) / np.sqrt(variance + 1e-5) + p["beta"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_formula(dtype):
    layer, rng = BatchNorm(5, 70, "tanh"), np.random.default_rng(0)
    p = {name: rng.normal(size=shape).astype(dtype) for name, shape in layer.shapes().items()}
    x = rng.normal(2, 3, (130, 5)).astype(dtype)
    z = x.astype(float) @ p["W"]
    a = layer.forward(p, layer.workspace(130, np.dtype(dtype)), x, None)
    bound = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(a, plain(p, z, z.mean(axis=0), z.var(axis=0), np.tanh), rtol=bound, atol=bound)
    p |= {"mean": np.full(70, 0.5, dtype), "variance": np.full(70, 2, dtype)}
    a = layer.forward(p, layer.workspace(130, np.dtype(dtype)), x, None)
    np.testing.assert_allclose(a, plain(p, z, 0.5, 2, np.tanh), rtol=bound, atol=bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_case_alone_teaches_its_bias_only(dtype):
    """A last minibatch of one case, whose n is 0, stays finite and leaves W alone."""
    made, theta = objective(NETWORK, dtype, weight_decay=0)
    made.at(np.arange(1), 3)
    views = NETWORK.layout.views(made.gradient(theta))
    assert np.isfinite(made.value(theta))
    assert all(not views[name].any() for name in ("0.W", "0.gamma", "2.W", "2.gamma"))
    assert views["2.beta"].any()


def test_given_statistics_are_constants():
    """Cases do not depend on each other then, and the gradient is that of the function with these constants."""
    made, theta = objective(NETWORK, np.float64, key=None)
    found = population(made, theta)
    fixed, _ = objective(NETWORK, np.float64, key=None, statistics=found)
    fixed.value(theta)
    whole = fixed.outputs.copy()
    for row in range(CASES):
        fixed.at(np.array([row]), None)
        fixed.value(theta)
        np.testing.assert_allclose(fixed.outputs[0], whole[row], rtol=1e-13)
    fixed.at(np.arange(CASES), 12)
    gradient = fixed.gradient(theta).copy()
    for i in places(NETWORK.layout):
        moved = [theta.copy(), theta.copy()]
        moved[0][i] += 1e-5
        moved[1][i] -= 1e-5
        difference = (fixed.value(moved[0]) - fixed.value(moved[1])) / 2e-5
        assert abs(difference - gradient[i]) <= 1e-8 * max(1, abs(difference))


def test_the_population_is_that_of_one_large_minibatch():
    """Where a minibatch holds all cases both are the same; blocks change nothing but the last bits."""
    made, theta = objective(NETWORK, np.float64, key=None)
    value = made.value(theta)
    for block in (1, 4, CASES):
        fixed, _ = objective(NETWORK, np.float64, key=None, statistics=population(made, theta, block=block))
        assert fixed.value(theta) == pytest.approx(value, rel=1e-12)


def test_pieces_have_statistics_of_their_own(monkeypatch):
    """A minibatch in two pieces is the mean of both alone; all methods speak of it, however often they are asked."""
    from deepnet.nn import pieces

    made, theta = objective(NETWORK, np.float64, weight_decay=0, key=None, cases=12)
    each, gradient = [], 0
    for rows in (np.arange(6), np.arange(6, 12)):
        made.at(rows, None)
        each.append(made.value(theta))
        gradient = gradient + made.gradient(theta) / 2
    for kept in (0, 1 << 20):
        monkeypatch.setattr(pieces, "PIECE", 6)
        monkeypatch.setattr(pieces, "KEPT", kept)
        many, _ = objective(NETWORK, np.float64, weight_decay=0, key=None, cases=12)
        assert len(many._pieces) == 2
        assert many.value(theta) == pytest.approx(np.mean(each), rel=1e-13)
        np.testing.assert_allclose(many.gradient(theta), gradient, rtol=1e-11, atol=1e-15)
        v = np.zeros_like(theta)
        v[places(NETWORK.layout)] = np.random.default_rng(3).normal(size=len(places(NETWORK.layout)))
        product = many.curvature(theta)
        first = product(v).copy()
        np.testing.assert_array_equal(product(v), first)
        np.testing.assert_array_equal(many.curvature(theta)(v), first)


def test_squares_are_those_of_the_cases_parts():
    """Each case with parameters of its own, all of the same value: its part is the gradient with respect to them."""
    network = Network((BatchNorm(5, 4, "tanh"), Dense(4, 3, "linear")), "squared_error")
    made, theta = objective(network, np.float64, weight_decay=0, key=None)
    x, t = made._pieces[0].x, made._pieces[0].t
    p = {name: np.repeat(view[None], CASES, axis=0) for name, view in network.layout.views(theta).items()}

    def value(p):
        z = np.einsum("bm,bmn->bn", x, p["0.W"])
        n = (z - z.mean(axis=0)) / np.sqrt(((z - z.mean(axis=0)) ** 2).mean(axis=0) + 1e-5)
        a = np.tanh(p["0.gamma"] * n + p["0.beta"])
        return (0.5 * (np.einsum("bm,bmn->bn", a, p["1.W"]) + p["1.b"] - t) ** 2).sum() / CASES

    found = network.layout.views(made.gradient_squares(theta))
    for name, own in p.items():
        parts = np.zeros(own.shape)
        for at in np.ndindex(own.shape):
            moved = own.astype(complex)
            moved[at] += 1e-30j
            parts[at] = value(p | {name: moved}).imag / 1e-30
        np.testing.assert_allclose(found[name], CASES * (parts**2).sum(axis=0), rtol=1e-10, atol=1e-14)


def test_steps_within_the_product_are_those_along_the_gradient():
    for dtype in (np.float32, np.float64):
        made, theta = objective(NETWORK, dtype)
        gradient, moved, velocity = made.gradient(theta).copy(), theta.copy(), np.zeros_like(theta)
        made.descend(moved, velocity, 0.1, 0.9)
        np.testing.assert_allclose(velocity, -0.1 * gradient, rtol=1e-4, atol=1e-7)

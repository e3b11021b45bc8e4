"""Contrastive divergence against a naive twin given the same random numbers; penalties; first parameters."""

import numpy as np
import pytest

from deepnet.kernels import bfloat16, operands, updates
from deepnet.kernels.jit import ENABLED
from deepnet.kernels.tape import Tapes
from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties, start
from tests.nn.machines import KINDS, PAIRS, data, divergence, naive, parameters


def close(found, expected, name=""):
    """Equal within float32's rounding of sums."""
    assert np.abs(found - expected).max() <= 3e-6 * max(1, np.abs(expected).max()), name


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(("visible", "hidden"), PAIRS)
def test_gradient_is_the_naive_one(visible, hidden, steps):
    for inputs, outputs, cases in ((19, 70, 33), (3, 2, 1)):
        machine = RBM(inputs, outputs, visible, hidden)
        v, theta = data(machine, cases), parameters(machine, size=0.3)
        made = divergence(machine, v, steps)
        found = machine.layout.views(made.gradient(theta))
        expected, error = naive(machine, machine.layout.views(theta), v.astype(float), 99, steps)
        for name, gradient in expected.items():
            close(found[name], gradient, name)
        assert made.tally["loss"][0] == pytest.approx(error, rel=1e-5)
        assert made.tally["cases"][0] == cases


def test_padding_of_the_gradient_is_zero():
    machine = RBM(19, 33, "logistic", "logistic")
    made = divergence(machine, data(machine, 7), 2, Penalties(0.1, 0.1, 0.1, 0.1))
    gradient = made.gradient(parameters(machine)).copy()
    for view in machine.layout.views(gradient).values():
        assert view.any()
        view[...] = 0
    assert not gradient.any()


def test_smaller_minibatch_and_other_keys():
    """Of the same arrays, the first rows: the same as an objective made for that size."""
    machine = RBM(19, 33, "logistic", "logistic")
    v, theta = data(machine, 20), parameters(machine)
    made, small = divergence(machine, v, 2), divergence(machine, v[:6], 2)
    other = made.gradient(theta).copy()
    made.at(np.arange(6), 99)
    np.testing.assert_array_equal(made.gradient(theta), small.gradient(theta))
    made.at(np.arange(20), 98)
    assert not np.array_equal(made.gradient(theta), other)
    made.at(np.arange(20), 99)
    np.testing.assert_array_equal(made.gradient(theta), other)


@pytest.mark.parametrize(("visible", "hidden"), PAIRS)
def test_steps_one_after_the_other(visible, hidden):
    """Of minibatches of two sizes, with rates and keys that change: gradient and momentum."""
    machine, rules = RBM(19, 33, visible, hidden), Penalties(0.1, 0.01)
    v = data(machine, 20)
    one, other = divergence(machine, v, 2, rules), divergence(machine, v, 2, rules)
    theta = parameters(machine, size=0.3)
    moved, velocity, speed = theta.copy(), np.zeros_like(theta), np.zeros_like(theta)
    rounding = 1e-5 if ENABLED else 1e-4
    for i in range(6):
        rate = 0.02 / (1 + i // 3)
        for made in (one, other):
            made.at(np.arange(20)[i % 2 :], 50 + i)
        one.descend(theta, velocity, rate, 0.9, ahead=i % 2 == 1)
        updates.momentum(moved, speed, other.gradient(moved), rate, 0.9, i % 2 == 1)
        np.testing.assert_allclose(theta, moved, rtol=rounding, atol=rounding / 10)
        moved[...], speed[...] = theta, velocity  # a state that is drawn otherwise is no rounding any more
    assert bool(one._tapes._known) == (one._bare and ENABLED)
    for count in one.tally:
        np.testing.assert_allclose(one.tally[count], other.tally[count], rtol=rounding)


@pytest.mark.parametrize("precision", operands.PRECISIONS)
def test_steps_from_a_tape_have_the_bits_of_steps(precision, monkeypatch):
    """Of machines too large for one thread, on inputs whose zeros are listed, at every precision."""
    if precision == "bfloat16" and not bfloat16.available():
        pytest.skip("this CPU does not multiply bfloat16")
    machine, cases, rng = RBM(300, 200, "logistic", "logistic"), 90, np.random.default_rng(0)
    v = rng.random((5 * cases, 300)) * (rng.random((5 * cases, 300)) < 0.2)

    def trained():
        made = ContrastiveDivergence(
            machine, lambda rows, out: out.__setitem__(..., v[rows]), cases, 1, Penalties(0.01), precision=precision
        )
        theta, velocity = parameters(machine, size=0.3), np.zeros(machine.layout.size, np.float32)
        for i in range(5):
            made.at(np.arange(i * cases, (i + 1) * cases), i)
            made.descend(theta, velocity, 0.1, 0.9)
        return theta, velocity, made.tally["loss"][0], made.tally["hidden"]

    taped = trained()
    monkeypatch.setattr(Tapes, "play", lambda self, given, act, *arguments: act(*arguments))
    for found, expected in zip(taped, trained(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("hidden", KINDS)
def test_float64_is_the_float32_one(hidden):
    machine = RBM(19, 33, "logistic", hidden)
    v, theta = data(machine, 20), parameters(machine, size=0.3)
    wide = divergence(machine, v, 2, dtype=np.float64).gradient(theta.astype(float))
    assert wide.dtype == np.float64
    close(divergence(machine, v, 2).gradient(theta), wide)


PLAIN = RBM(19, 33, "logistic", "logistic")


def difference(penalties, theta, v=None):
    """What penalties add to the gradient, as named arrays; and the objective."""
    v = data(PLAIN, 20) if v is None else v
    held = divergence(PLAIN, v, 1, penalties)
    with_, without = held.gradient(theta).astype(float), divergence(PLAIN, v, 1).gradient(theta)
    return PLAIN.layout.views(with_ - without), held


def test_weight_decay_and_l1():
    """l2 W + l1 sign(W), for the weights alone."""
    theta = parameters(PLAIN)
    W = PLAIN.layout.views(theta)["W"]
    W[3, 5] = 0
    for l2, l1 in ((0.2, 0.0), (0.0, 0.3), (0.2, 0.3)):
        added, _ = difference(Penalties(l2, l1), theta)
        close(added["W"], l2 * W.astype(float) + l1 * np.sign(W))
        assert added["W"][3, 5] == 0
        assert not added["b"].any()
        assert not added["c"].any()


def test_sparsity():
    """q <- 0.9 q + 0.1 mean; cost (q - target) on b, times the mean visible on W (Hinton 2010, section 11)."""
    theta, v, cost, target = parameters(PLAIN), data(PLAIN, 20), 0.5, 0.1
    p = {name: a.astype(float) for name, a in PLAIN.layout.views(theta).items()}
    activity = (1 / (1 + np.exp(-(v @ p["W"] + p["b"])))).mean(axis=0)
    added, held = difference(Penalties(sparsity_target=target, sparsity_cost=cost), theta, v)
    q = 0.1 * activity
    close(held.state["activity"], q)
    close(added["b"], cost * (q - target))
    close(added["W"], np.outer(v.mean(axis=0), cost * (q - target)))
    assert not added["c"].any()
    held.gradient(theta)
    close(held.state["activity"], 0.9 * q + 0.1 * activity)


def test_sparsity_pulls_towards_its_target():
    theta, v = parameters(PLAIN), data(PLAIN, 20)
    made = divergence(PLAIN, v, 1, Penalties(sparsity_target=0.1, sparsity_cost=5.0))
    made.state["activity"][:] = 0.5
    for _ in range(300):
        theta -= np.float32(0.1) * made.gradient(theta)
    assert np.abs(made.state["activity"] - 0.1).max() < 0.05


def test_tally_of_hidden_units():
    theta, v = parameters(PLAIN), data(PLAIN, 20)
    made = divergence(PLAIN, v)
    made.gradient(theta)
    made.gradient(theta)
    p = PLAIN.layout.views(theta)
    activity = 1 / (1 + np.exp(-(v.astype(float) @ p["W"] + p["b"])))
    np.testing.assert_allclose(made.tally["hidden"], 2 * activity.sum(axis=0), rtol=1e-5)


@pytest.mark.parametrize("visible", KINDS)
def test_start(visible):
    machine = RBM(5, 3, visible, "logistic")
    weights, means = np.arange(15, dtype=np.float32).reshape(5, 3), np.array([0, 0.2, 0.5, 0.9, 1], np.float32)
    p = machine.layout.unpack(start(machine, weights, means))
    np.testing.assert_array_equal(p["W"], weights)
    assert not p["b"].any()
    if visible == "logistic":
        held = np.clip(means.astype(float), 1e-3, 1 - 1e-3)
        np.testing.assert_allclose(p["c"], np.log(held / (1 - held)), rtol=1e-4, atol=1e-6)
    elif visible == "softmax":
        np.testing.assert_allclose(p["c"], np.log(np.clip(means.astype(float), 1e-3, 1 - 1e-3)), rtol=1e-4)
    else:
        np.testing.assert_array_equal(p["c"], means)
    assert not machine.layout.unpack(start(machine, weights, None))["c"].any()


def test_learning_lowers_the_error():
    """Two patterns are learned by heart: a machine that could not would have a wrong sign somewhere."""
    machine = RBM(20, 10, "logistic", "logistic")
    v = np.zeros((20, 20), np.float32)
    v[::2, ::2], v[1::2, 1::2] = 1, 1
    made, theta = divergence(machine, v), parameters(machine, size=0.1)
    errors = []
    for epoch in range(200):
        made.at(np.arange(20), epoch)
        made.tally["loss"][0] = 0
        theta -= np.float32(0.2) * made.gradient(theta)
        errors.append(made.tally["loss"][0] / 20)
    assert errors[0] > 4
    assert errors[-1] < 0.1


@pytest.mark.parametrize(("visible", "hidden"), PAIRS)
def test_parameters_out_of_range_are_no_word_of_numpy_s(visible, hidden):
    """Infinite statistics are for the divergence check; a warning would be a line on stderr."""
    machine = RBM(5, 20, visible, hidden)
    made = divergence(machine, data(machine, 9), 2, Penalties(1e-3, 1e-3, 0.1, 0.1))
    signs = np.sign(parameters(machine))
    for size in (1e20, 3e38, np.inf):
        made.gradient(np.where(signs == 0, 0, signs * np.float32(size) if size < np.inf else np.copysign(size, signs)))

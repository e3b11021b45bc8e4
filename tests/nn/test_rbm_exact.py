"""Machines so small that everything can be enumerated: laws, free energies, log Z, likelihoods, CD-1's expectation."""

import numpy as np
import pytest

from deepnet.kernels import random, units
from deepnet.nn.rbm import RBM, Chain, free_energy
from tests.nn.machines import KINDS, SMALL, data, divergence, joint, mean, parameters, partition, states, states_of

V, H = states(SMALL.inputs), states(SMALL.outputs)


def law(p):
    """P(v, h) of all states, from the energies."""
    weight = np.exp(joint(p, V, H) - joint(p, V, H).max())
    return weight / weight.sum()


@pytest.fixture(scope="module")
def theta():
    return parameters(SMALL, np.float64, size=1.5)


@pytest.mark.promise("enumeration")
def test_free_energy(theta):
    """e^-F(v) is the sum of e^-E(v, h) over h."""
    p = SMALL.layout.views(theta)
    exact = -np.log(np.exp(joint(p, V, H)).sum(axis=1))
    np.testing.assert_allclose(free_energy(SMALL, p, V), exact, rtol=1e-12)
    narrow = SMALL.layout.views(theta.astype(np.float32))
    np.testing.assert_allclose(free_energy(SMALL, narrow, V.astype(np.float32)), exact, rtol=2e-6, atol=2e-6)


@pytest.mark.promise("enumeration")
@pytest.mark.parametrize("hidden", ["logistic", "linear", "softmax", "relu"])
@pytest.mark.parametrize("visible", ["logistic", "linear"])
def test_free_energy_of_every_pair(visible, hidden):
    """The sum or integral of e^-E over the hidden states, by brute force, up to one constant for all v."""
    machine = RBM(3, 2, visible, hidden)
    p = machine.layout.views(parameters(machine, np.float64))
    v = np.random.default_rng(3).normal(size=(7, 3)) if visible == "linear" else states(3)
    z = v @ p["W"] + p["b"]
    if hidden == "linear":  # density of h: N(0, 1) times e^(z h)
        grid = np.linspace(-25, 25, 20_001)
        inner = np.exp(z[..., None] * grid - grid**2 / 2).sum(axis=-1)
        term = np.log(inner).sum(axis=1)
    elif hidden == "softmax":
        term = np.log(sum(np.exp(z @ one) for one in np.eye(2)))
    elif hidden == "logistic":
        term = np.log(sum(np.exp(z @ one) for one in states(2)))
    else:  # copies with biases -1/2, -3/2, ... have the integral of softplus from -inf to z as their limit
        grid = np.linspace(-40, 0, 400_001)
        term = sum(np.trapezoid(np.logaddexp(0, column[:, None] + grid), grid) for column in z.T)
    bias = (v @ p["c"]) if visible == "logistic" else -((v - p["c"]) ** 2).sum(axis=1) / 2
    difference = free_energy(machine, p, v) + bias + term
    np.testing.assert_allclose(difference, difference[0], atol=1e-7)
    narrow = {name: a.astype(np.float32) for name, a in p.items()}
    np.testing.assert_allclose(
        free_energy(machine, narrow, v.astype(np.float32)), free_energy(machine, p, v), rtol=1e-5, atol=1e-5
    )


def test_free_energy_of_nreluss_is_that_of_their_copies():
    """A sum over many copies i of log(1 + e^(x - i + 1/2)) differs from our integral by its midpoint error alone."""
    x, copies = np.linspace(-3, 6, 10), np.arange(1, 80)
    found = units.dilog_twin(x)
    summed = np.logaddexp(0, x[:, None] - copies + 0.5).sum(axis=1)
    assert np.abs(found - summed).max() < 0.045


@pytest.mark.promise("enumeration")
def test_conditional_laws(theta):
    """E[h | v] and E[v | h] from the joint law."""
    p, P = SMALL.layout.views(theta), law(SMALL.layout.views(theta))
    chain = Chain(SMALL, max(len(V), len(H)), np.float64)
    found = np.zeros((len(V), SMALL.outputs))
    chain.hidden_mean(p, V, found)
    np.testing.assert_allclose(found, P @ H / P.sum(axis=1, keepdims=True), rtol=1e-11)
    _, visible = chain.visible_mean(p, H.T)
    np.testing.assert_allclose(visible.T, P.T @ V / P.sum(axis=0)[:, None], rtol=1e-11)


@pytest.mark.promise("enumeration")
def test_conditional_law_of_linear_visibles():
    """E[v | h] = c + W h, from the joint density on a grid."""
    machine = RBM(1, 3, "linear", "logistic")
    p = machine.layout.views(parameters(machine, np.float64))
    grid, h = np.linspace(-15, 15, 6001), states(3)
    density = np.exp(-((grid[:, None] - p["c"]) ** 2) / 2 + grid[:, None] * (p["W"] @ h.T) + h @ p["b"])
    exact = (grid[:, None] * density).sum(axis=0) / density.sum(axis=0)
    found = Chain(machine, len(h), np.float64).visible_mean(p, h.T)[1]
    np.testing.assert_allclose(found[0], exact, rtol=1e-9)


# Pairs of which one side can be enumerated, and the sum or integral over the other one is known.
ENUMERABLE = [(visible, hidden) for visible in ("logistic", "softmax") for hidden in KINDS]
ENUMERABLE += [("linear", hidden) for hidden in ("logistic", "softmax")]


def model(machine, p):
    """log Z, and (weights, visible means, hidden means) of the states of one side, so that <v h> is their sum."""
    if machine.visible == "linear":  # integrals over v of e^(-(v - c)^2 / 2 + v W h)
        h = states_of(machine.hidden, machine.outputs)
        push = h @ p["W"].T
        logs = h @ p["b"] + (push * p["c"] + push**2 / 2).sum(axis=1) + machine.inputs / 2 * np.log(2 * np.pi)
        sides = push + p["c"], h
    else:
        v = states_of(machine.visible, machine.inputs)
        z = v @ p["W"] + p["b"]
        logs = v @ p["c"] + partition(machine.hidden, z)
        sides = v, mean(machine.hidden, z)
    top = logs.max()
    log_z = top + np.log(np.exp(logs - top).sum())
    return log_z, np.exp(logs - log_z), *sides


@pytest.mark.promise("enumeration")
@pytest.mark.parametrize(("visible", "hidden"), ENUMERABLE)
def test_log_z(visible, hidden, size, promise):
    """The sum of e^-F over all v, F that of the machine; with linear visibles its integral, on a grid."""
    worst = 0.0
    for seed in range(size(3, 30)):
        machine = RBM(2, 4, visible, hidden) if visible == "linear" else RBM(6, 4, visible, hidden)
        p = machine.layout.views(parameters(machine, np.float64, seed=seed))
        if visible == "linear":
            line = np.linspace(-25, 25, 801)
            v = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
            found = np.log(np.exp(-free_energy(machine, p, v)).sum() * (line[1] - line[0]) ** 2)
        else:
            found = np.logaddexp.reduce(-free_energy(machine, p, states_of(visible, machine.inputs)))
        worst = max(worst, abs(found - model(machine, p)[0]))
    promise(f"log Z within {worst:.1g}", worst)
    assert worst <= 1e-10


@pytest.mark.promise("enumeration")
@pytest.mark.parametrize(("visible", "hidden"), ENUMERABLE)
def test_likelihood_gradient(visible, hidden, promise):
    """<v h>_data - <v h>_model by enumeration is the difference quotient of the log-likelihood."""
    machine = RBM(4, 3, visible, hidden)
    theta = parameters(machine, np.float64)
    v = data(machine, 7).astype(float)

    def likelihood(theta):
        p = machine.layout.views(theta)
        return (-free_energy(machine, p, v)).mean() - model(machine, p)[0]

    p = machine.layout.views(theta)
    _, P, v_model, h_model = model(machine, p)
    h = mean(hidden, v @ p["W"] + p["b"])
    exact = {
        "W": v.T @ h / len(v) - v_model.T @ (P[:, None] * h_model),
        "b": h.mean(axis=0) - P @ h_model,
        "c": v.mean(axis=0) - P @ v_model,
    }
    packed = machine.layout.pack(exact, np.float64)
    marks = machine.layout.pack({name: np.ones(a.shape) for name, a in exact.items()}, np.float64)
    worst = 0.0
    for i in np.flatnonzero(marks):
        up, down = theta.copy(), theta.copy()
        up[i] += 1e-5
        down[i] -= 1e-5
        worst = max(worst, abs((likelihood(up) - likelihood(down)) / 2e-5 - packed[i]))
    promise(f"gradient within {worst:.1g}", worst)
    assert worst <= 1e-8
    assert np.abs(packed).max() > 0.1


def drawn(machine, p, v):
    """Hidden states (K, N) of one case and the chance of each; normal draws on a grid of the trapezoid rule."""
    z = v @ p["W"] + p["b"]
    if machine.hidden == "logistic":
        h, up = states(machine.outputs), mean("logistic", z)
        return h, np.prod(np.where(h > 0, up, 1 - up), axis=1)
    if machine.hidden == "softmax":
        return np.eye(machine.outputs), mean("softmax", z[None])[0]
    line = np.linspace(-7, 7, 281)
    weight = np.exp(-(line**2) / 2)
    noise = np.stack(np.meshgrid(*[line] * machine.outputs), axis=-1).reshape(-1, machine.outputs)
    chances = np.prod(np.meshgrid(*[weight / weight.sum()] * machine.outputs), axis=0).reshape(-1)
    if machine.hidden == "linear":
        return z + noise, chances
    return np.maximum(0, z + np.sqrt(mean("logistic", z)) * noise), chances


def step_laws(machine, p, v):
    """For each hidden state that v may draw: its chance, and the statistics of CD-1 that follow from it."""
    h, chances = drawn(machine, p, v)
    h0 = mean(machine.hidden, (v @ p["W"] + p["b"])[None])[0]
    v1 = mean(machine.visible, h @ p["W"].T + p["c"])
    h1 = mean(machine.hidden, v1 @ p["W"] + p["b"])
    weights = np.multiply.outer(v, h0)[None] - v1[:, :, None] * h1[:, None, :]
    return chances, np.concatenate([weights.reshape(len(h), -1), h0 - h1, v - v1], axis=1)


@pytest.mark.promise("enumeration")
@pytest.mark.parametrize("hidden", KINDS)
@pytest.mark.parametrize("visible", KINDS)
def test_expected_gradient(visible, hidden, size, promise):
    """The mean of the CD-1 gradient over many draws, against its expectation by enumeration: a z-test."""
    machine = RBM(5, 2 if hidden in ("linear", "relu") else 4, visible, hidden)
    theta = parameters(machine, np.float64, size=0.8)
    cases, copies, keys = data(machine, 4), 1000, size(10, 100)
    v, p, narrow = np.repeat(cases, copies, axis=0), machine.layout.views(theta), theta.astype(np.float32)
    made, total = divergence(machine, v), np.zeros(machine.layout.size)
    for key in range(keys):
        made.at(np.arange(len(v)), random.fold(5, key))
        total += made.gradient(narrow)
    found = machine.layout.views(-total / keys)
    found = np.concatenate([found["W"].ravel(), found["b"], found["c"]])
    expected, variance = np.zeros(found.size), np.zeros(found.size)
    for case in cases.astype(float):
        chances, statistic = step_laws(machine, p, case)
        expected += chances @ statistic / len(cases)
        variance += (chances @ statistic**2 - (chances @ statistic) ** 2) / len(cases)
    z = (found - expected) / (np.sqrt(np.maximum(variance, 0) / (len(v) * keys)) + 1e-6)
    promise(f"at most {np.abs(z).max():.1f} standard errors", np.abs(z).max())
    assert np.abs(z).max() < 5
    assert np.abs(expected).max() > 0.1

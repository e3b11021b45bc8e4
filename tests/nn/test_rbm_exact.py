"""Machines so small that everything can be enumerated: laws, free energies, likelihoods, and the sampler's law."""

import numpy as np
import pytest

from deepnet.kernels import products, random, units
from deepnet.nn.rbm import RBM, Chain, free_energy
from tests.nn.machines import SMALL, divergence, joint, parameters, states

V, H = states(SMALL.inputs), states(SMALL.outputs)


def law(p):
    """P(v, h) of all states, from the energies."""
    weight = np.exp(joint(p, V, H) - joint(p, V, H).max())
    return weight / weight.sum()


@pytest.fixture(scope="module")
def theta():
    return parameters(SMALL, np.float64, size=1.5)


def test_free_energy(theta):
    """e^-F(v) is the sum of e^-E(v, h) over h."""
    p = SMALL.layout.views(theta)
    exact = -np.log(np.exp(joint(p, V, H)).sum(axis=1))
    np.testing.assert_allclose(free_energy(SMALL, p, V), exact, rtol=1e-12)
    narrow = SMALL.layout.views(theta.astype(np.float32))
    np.testing.assert_allclose(free_energy(SMALL, narrow, V.astype(np.float32)), exact, rtol=2e-6, atol=2e-6)


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


def test_conditional_laws(theta):
    """E[h | v] and E[v | h] from the joint law."""
    p, P = SMALL.layout.views(theta), law(SMALL.layout.views(theta))
    chain = Chain(SMALL, max(len(V), len(H)), np.float64)
    found = np.zeros((len(V), SMALL.outputs))
    chain.hidden_mean(p, V, found)
    np.testing.assert_allclose(found, P @ H / P.sum(axis=1, keepdims=True), rtol=1e-11)
    visible = chain.visible_mean(p, H.T)
    np.testing.assert_allclose(visible.T, P.T @ V / P.sum(axis=0)[:, None], rtol=1e-11)


def test_conditional_law_of_linear_visibles():
    """E[v | h] = c + W h, from the joint density on a grid."""
    machine = RBM(1, 3, "linear", "logistic")
    p = machine.layout.views(parameters(machine, np.float64))
    grid, h = np.linspace(-15, 15, 6001), states(3)
    density = np.exp(-((grid[:, None] - p["c"]) ** 2) / 2 + grid[:, None] * (p["W"] @ h.T) + h @ p["b"])
    exact = (grid[:, None] * density).sum(axis=0) / density.sum(axis=0)
    found = Chain(machine, len(h), np.float64).visible_mean(p, h.T)
    np.testing.assert_allclose(found[0], exact, rtol=1e-9)


def mean_log_likelihood(theta, v):
    """Mean log P(v) with log Z from the free energies of all visible states."""
    p = SMALL.layout.views(theta)
    energies = -free_energy(SMALL, p, V)
    top = energies.max()
    return (-free_energy(SMALL, p, v)).mean() - top - np.log(np.exp(energies - top).sum())


def test_likelihood_gradient(theta):
    """<v h>_data - <v h>_model by enumeration is the difference quotient of the log-likelihood."""
    v = V[[3, 9, 9, 40, 61]]
    p, P = SMALL.layout.views(theta), law(SMALL.layout.views(theta))
    hidden = 1 / (1 + np.exp(-(v @ p["W"] + p["b"])))
    exact = {
        "W": v.T @ hidden / len(v) - V.T @ P @ H,
        "b": hidden.mean(axis=0) - P.sum(axis=0) @ H,
        "c": v.mean(axis=0) - P.sum(axis=1) @ V,
    }
    packed = SMALL.layout.pack(exact, np.float64)
    marks = SMALL.layout.pack({name: np.ones(a.shape) for name, a in exact.items()}, np.float64)
    for i in np.flatnonzero(marks):
        up, down = theta.copy(), theta.copy()
        up[i] += 1e-5
        down[i] -= 1e-5
        slope = (mean_log_likelihood(up, v) - mean_log_likelihood(down, v)) / 2e-5
        assert slope == pytest.approx(packed[i], abs=1e-9)
    assert np.abs(packed).max() > 0.1


def step_laws(p, v):
    """For each hidden state h drawn from v: its probability, and the statistics of CD-1 that follow from it."""
    up = 1 / (1 + np.exp(-(v @ p["W"] + p["b"])))
    chances = np.prod(np.where(H > 0, up, 1 - up), axis=1)
    v1 = 1 / (1 + np.exp(-(H @ p["W"].T + p["c"])))
    h1 = 1 / (1 + np.exp(-(v1 @ p["W"] + p["b"])))
    weights = np.einsum("m,n->mn", v, up)[None] - np.einsum("km,kn->kmn", v1, h1)
    return chances, np.concatenate([weights.reshape(len(H), -1), up - h1, v - v1], axis=1)


def test_expected_gradient(theta):
    """The mean of the CD-1 gradient over 120,000 draws, against its expectation by enumeration: a z-test."""
    chosen, copies = V[[3, 17, 40, 62]], 2000
    v = np.repeat(chosen, copies, axis=0).astype(np.float32)
    made, p = divergence(SMALL, v), SMALL.layout.views(theta)
    narrow, keys = theta.astype(np.float32), 15
    total = np.zeros(SMALL.layout.size)
    for key in range(keys):
        made.at(np.arange(len(v)), random.fold(5, key))
        total += made.gradient(narrow)
    found = SMALL.layout.views(-total / keys)
    found = np.concatenate([found["W"].ravel(), found["b"], found["c"]])
    mean, variance = np.zeros(found.size), np.zeros(found.size)
    for case in chosen:
        chances, statistic = step_laws(p, case)
        mean += chances @ statistic / len(chosen)
        variance += (chances @ statistic**2 - (chances @ statistic) ** 2) / len(chosen)
    error = np.sqrt(variance / (len(v) * keys))
    z = (found - mean) / (error + 1e-7)
    assert np.abs(z).max() < 5
    assert 0.4 < z.std() < 1.8  # few of them are independent
    assert np.abs(mean).min() < 0.2 < np.abs(mean).max()


CHAINS, SWEEPS = 200_000, 5


def gibbs(p, key, hidden_bias=None, sampled=True, shared=False, coarse=False):
    """Cell counts of v after sweeps of block Gibbs sampling that begin at the enumerated law.

    Visibles are drawn by the machine turned over, W' in the place of W. The last arguments plant bugs.
    """
    rng = np.random.default_rng(key)
    P = law({name: a.astype(float) for name, a in p.items()}).sum(axis=1)
    v = V[rng.choice(len(V), size=CHAINS, p=P)].astype(np.float32)
    b, turned = p["b"] if hidden_bias is None else hidden_bias, np.ascontiguousarray(p["W"].T)
    for sweep in range(SWEEPS):
        for side, (W, bias) in enumerate(((p["W"], b), (turned, p["c"]))):
            mean = np.zeros((CHAINS, W.shape[1]), np.float32)
            drawn = np.zeros((W.shape[1], CHAINS), np.float32)
            draw = 0 if shared else 2 * sweep + side
            products.up_sample(v, np.ascontiguousarray(W), bias, units.LOGISTIC, random.fold(key), draw, mean, drawn)
            if coarse:
                u = random.uniform(random.fold(key), draw, *mean.shape)
                drawn = np.ascontiguousarray((np.floor(u * 64) / 64 < mean).T.astype(np.float32))
            v = np.ascontiguousarray(drawn.T) if sampled or side else mean
    return np.bincount((v @ 2 ** np.arange(SMALL.inputs)[::-1]).astype(int), minlength=64), CHAINS * P


def surprise(counts, expected):
    """The chi-square statistic of 63 degrees as a normal deviate (Wilson and Hilferty 1931)."""
    chi, k = ((counts - expected) ** 2 / expected).sum(), len(counts) - 1
    return ((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / np.sqrt(2 / (9 * k))


@pytest.fixture(scope="module")
def narrow():
    views = SMALL.layout.views(parameters(SMALL, np.float64, size=1.5))
    return {name: a.astype(np.float32) for name, a in views.items()}


@pytest.mark.parametrize("key", [1, 2, 3])
def test_gibbs_sampling_keeps_the_law(narrow, key):
    """p > 1e-6, that is a deviate below 4.75."""
    assert surprise(*gibbs(narrow, key)) < 4.75


@pytest.mark.parametrize(
    "bug",
    [
        {"hidden_bias": np.zeros(4, np.float32)},
        {"hidden_bias": SMALL.layout.views(parameters(SMALL, size=1.5))["b"][::-1].copy()},
        {"sampled": False},
        {"shared": True},
        {"coarse": True},
    ],
    ids=["lost bias", "swapped bias", "mean instead of sample", "shared uniforms", "6-bit uniforms"],
)
def test_the_test_of_the_sampler_sees_bugs(narrow, bug):
    """p < 1e-20, that is a deviate above 9.3."""
    assert surprise(*gibbs(narrow, 1, **bug)) > 9.3

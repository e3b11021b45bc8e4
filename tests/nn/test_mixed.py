"""Mixed units: their names, and machines of them against all that can be enumerated, beside the numbers' integrals."""

from itertools import product

import numpy as np
import pytest

from deepnet.kernels import random
from deepnet.nn.gibbs import Gibbs
from deepnet.nn.losses import loss_for, loss_of
from deepnet.nn.mixed import MOST_RUNS, Mixed, mixed_of, spell, unit_of, word_of
from deepnet.nn.rbm import RBM, Chain, free_energy, start
from deepnet.nn.units import UNITS
from tests.nn.machines import MIXED, data, divergence, mean, naive, parameters, partition, runs_of, states
from tests.nn.test_sampler import LAW, log_p

WIDTH = sum(width for _, width in runs_of(MIXED))
FEW = "linear:1 logistic:2 softmax:3"  # 12 states beside its number


def discrete(name):
    """All states of flags and categories, with 0 in the numbers' columns."""
    parts = [{"linear": np.zeros((1, w)), "logistic": states(w), "softmax": np.eye(w)}[n] for n, w in runs_of(name)]
    return np.array([np.concatenate(rows) for rows in product(*parts)])


def numbers(name):
    """Which columns are numbers."""
    return np.concatenate([np.full(width, kind == "linear") for kind, width in runs_of(name)])


def test_names():
    runs = (("linear", 1), ("linear", 2), ("logistic", 1), ("softmax", 2), ("softmax", 2))
    assert spell(runs) == "linear:3 logistic:1 softmax:2 softmax:2"
    assert unit_of(spell(runs)) == Mixed((("linear", 3), *runs[2:]))
    assert unit_of(spell(runs)).width == 8
    assert unit_of("relu") is UNITS["relu"]
    assert loss_of(loss_for(MIXED)).unit == MIXED
    assert [word_of(name) for name in (MIXED, "relu", "maxout:3", "svdd")] == ["mixed", "relu", "maxout:3", "svdd"]


BAD = ["", "linear", "linear:0", "linear:01", "relu:3", "linear:3 ", "linear:3  logistic:1", "softmax:-1", "linear:1.5",
       "softmax:1000000 linear:1", "linear:99999999", "softmax:2 " * MOST_RUNS + "softmax:2", "linear:1\n"]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_name_of_mixed_units(name):
    assert mixed_of(name) is None


def test_the_longest_name_is_one():
    name = spell([("softmax", 500)] * MOST_RUNS)
    assert mixed_of(name).width == 500 * MOST_RUNS
    assert len(name) < 60_000


def test_default_rate():
    assert UNITS["linear"].rate < unit_of("linear:1 logistic:1").rate < UNITS["logistic"].rate
    assert unit_of("logistic:3 softmax:2").rate == UNITS["logistic"].rate


@pytest.mark.promise("enumeration")
@pytest.mark.parametrize("hidden", ["logistic", "softmax", "linear"])
def test_free_energy(hidden):
    """E(v, h) written out column by column and summed, or integrated, over h; up to one constant for all v."""
    machine = RBM(WIDTH, 2, MIXED, hidden)
    p = machine.layout.views(parameters(machine, np.float64))
    v, own = data(machine, 9).astype(float), numbers(MIXED)
    bias = v[:, ~own] @ p["c"][~own] - ((v - p["c"])[:, own] ** 2).sum(axis=1) / 2
    z = v @ p["W"] + p["b"]
    if hidden == "linear":
        grid = np.linspace(-25, 25, 20_001)
        term = np.log(np.exp(z[..., None] * grid - grid**2 / 2).sum(axis=-1)).sum(axis=1)
    else:
        term = np.log(sum(np.exp(z @ one) for one in (states(2) if hidden == "logistic" else np.eye(2))))
    difference = free_energy(machine, p, v) + bias + term
    np.testing.assert_allclose(difference, difference[0], atol=1e-9)
    narrow = {name: a.astype(np.float32) for name, a in p.items()}
    found = free_energy(machine, narrow, v.astype(np.float32))
    np.testing.assert_allclose(found, free_energy(machine, p, v), rtol=1e-5, atol=1e-5)


def model(machine, p):
    """log Z, and of each state of h: its chance, E[v | h] and itself. Numbers are integrated, the rest is summed."""
    h, own = states(machine.outputs), numbers(machine.visible)
    push = h @ p["W"].T
    logs = h @ p["b"] + (push * p["c"] + push**2 / 2)[:, own].sum(axis=1) + own.sum() / 2 * np.log(2 * np.pi)
    v = discrete(machine.visible)[:, ~own]
    logs = logs + np.logaddexp.reduce(((push + p["c"])[:, ~own]) @ v.T, axis=1)
    log_z = np.logaddexp.reduce(logs)
    return log_z, np.exp(logs - log_z), mean(machine.visible, push + p["c"]), h


@pytest.mark.promise("enumeration")
def test_log_z(size):
    """The sum over flags and categories, and the integral over a number on a grid, of e^-F."""
    for seed in range(size(3, 20)):
        machine = RBM(6, 4, FEW, "logistic")
        p = machine.layout.views(parameters(machine, np.float64, seed=seed))
        line, found = np.linspace(-25, 25, 4001), []
        for row in discrete(FEW):
            v = np.tile(row, (len(line), 1))
            v[:, numbers(FEW)] = line[:, None]
            found.append(np.logaddexp.reduce(-free_energy(machine, p, v)) + np.log(line[1] - line[0]))
        assert abs(np.logaddexp.reduce(found) - model(machine, p)[0]) <= 1e-10


@pytest.mark.promise("enumeration")
def test_conditional_law_of_the_visibles():
    """E[v | h] from the joint law: a grid for the number, all states of the rest."""
    machine = RBM(6, 3, FEW, "logistic")
    p, h, own = machine.layout.views(parameters(machine, np.float64)), states(3), numbers(FEW)
    grid, found = np.linspace(-15, 15, 3001), []
    for hidden in h:
        z = p["W"] @ hidden + p["c"]
        law = np.exp(discrete(FEW)[:, ~own] @ z[~own])
        density = np.exp(-((grid - p["c"][own]) ** 2) / 2 + grid * (p["W"] @ hidden)[own])
        row = (law[:, None] * discrete(FEW)).sum(axis=0) / law.sum()
        row[own] = (grid * density).sum() / density.sum()
        found.append(row)
    np.testing.assert_allclose(Chain(machine, len(h), np.float64).visible_mean(p, h.T)[0], found, rtol=1e-9)
    narrow = {name: a.astype(np.float32) for name, a in p.items()}
    h_t = np.ascontiguousarray(h.T, np.float32)
    np.testing.assert_allclose(Chain(machine, len(h)).visible_mean(narrow, h_t)[0], found, rtol=2e-6, atol=2e-6)


@pytest.mark.promise("enumeration")
def test_likelihood_gradient():
    """<v h>_data - <v h>_model is the difference quotient of the log-likelihood, log Z as above."""
    machine = RBM(6, 3, FEW, "logistic")
    theta, v = parameters(machine, np.float64), data(machine, 7).astype(float)

    def likelihood(theta):
        p = machine.layout.views(theta)
        return (-free_energy(machine, p, v)).mean() - model(machine, p)[0]

    p = machine.layout.views(theta)
    _, P, v_model, h_model = model(machine, p)
    h, own = mean("logistic", v @ p["W"] + p["b"]), numbers(FEW)
    exact = {"W": v.T @ h / len(v) - v_model.T @ (P[:, None] * h_model), "b": h.mean(axis=0) - P @ h_model}
    exact["c"] = v.mean(axis=0) - P @ v_model
    packed = machine.layout.pack(exact, np.float64)
    for i in np.flatnonzero(machine.layout.pack({name: np.ones(a.shape) for name, a in exact.items()}, np.float64)):
        up, down = theta.copy(), theta.copy()
        up[i] += 1e-5
        down[i] -= 1e-5
        assert abs((likelihood(up) - likelihood(down)) / 2e-5 - packed[i]) <= 1e-8
    assert np.abs(packed).max() > 0.1
    assert own.any()


@pytest.mark.parametrize("hidden", ["logistic", "linear", "relu", "softmax"])
@pytest.mark.parametrize("steps", [1, 3])
def test_gradient_is_the_naive_one(hidden, steps):
    """Contrastive divergence given the same random numbers, in float32 and float64; with a category missing in some."""
    machine = RBM(WIDTH, 70, MIXED, hidden)
    v, theta = data(machine, 33), parameters(machine, size=0.3)
    for missing in (False, True):
        if missing:
            v[::3, -3:] = 0
        made = divergence(machine, v, steps)
        found = machine.layout.views(made.gradient(theta))
        expected, error = naive(machine, machine.layout.views(theta), v.astype(float), 99, steps)
        for name, gradient in expected.items():
            assert np.abs(found[name] - gradient).max() <= 3e-6 * max(1, np.abs(gradient).max()), name
        assert made.tally["loss"][0] == pytest.approx(error, rel=1e-5)
        wide = divergence(machine, v.astype(float), steps, dtype=np.float64)
        np.testing.assert_allclose(wide.gradient(theta.astype(float)), made.gradient(theta), rtol=0, atol=3e-5)


@pytest.mark.promise("enumeration")
def test_expected_gradient(size):
    """The mean of CD-1's gradient over many draws, against the sum over all hidden states: a z-test."""
    machine, copies, keys = RBM(WIDTH, 4, MIXED, "logistic"), 1000, size(10, 100)
    theta = parameters(machine, np.float64, size=0.8)
    cases, p, h = data(machine, 4), machine.layout.views(theta), states(4)
    v, total = np.repeat(cases, copies, axis=0), np.zeros(machine.layout.size)
    made = divergence(machine, v)
    for key in range(keys):
        made.at(np.arange(len(v)), random.fold(5, key))
        total += made.gradient(theta.astype(np.float32))
    found = machine.layout.views(-total / keys)
    expected, variance = 0.0, 0.0
    for case in cases.astype(float):
        up = mean("logistic", (case @ p["W"] + p["b"])[None])[0]
        chances = np.prod(np.where(h > 0, up, 1 - up), axis=1)
        v1 = mean(MIXED, h @ p["W"].T + p["c"])
        h1 = mean("logistic", v1 @ p["W"] + p["b"])
        statistic = (np.multiply.outer(case, up)[None] - v1[:, :, None] * h1[:, None, :]).reshape(len(h), -1)
        expected = expected + chances @ statistic / 4
        variance = variance + (chances @ statistic**2 - (chances @ statistic) ** 2) / 4
    z = (found["W"].ravel() - expected) / (np.sqrt(variance / (len(v) * keys)) + 1e-6)
    assert np.abs(z).max() < 5
    assert np.abs(expected).max() > 0.1


@pytest.mark.promise("sampler")
def test_gibbs_chains_keep_the_law(size):
    """Chi-square of the chains' visible states, the number in eight cells, against the enumerated joint law."""
    machine, chains = RBM(6, 3, FEW, "logistic"), 100_000
    wide = machine.layout.views(parameters(machine, np.float64, size=1.2))
    p = {name: a.astype(np.float32) for name, a in wide.items()}
    _, P, _, h = model(machine, wide)
    own, rows = numbers(FEW), discrete(FEW)
    z = h @ wide["W"].T + wide["c"]
    edges = np.linspace(-2, 2, 7)
    logs = z[:, ~own] @ rows[:, ~own].T
    flags = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    cut = np.array([[LAW.cdf(edge - centre) for edge in edges] for centre in z[:, own][:, 0]])
    cells = np.diff(np.column_stack([np.zeros(len(h)), cut, np.ones(len(h))]), axis=1)
    law = np.einsum("h,hr,hc->rc", P, flags, cells).ravel()
    for key in range(1, 1 + size(2, 20)):
        gibbs, v = Gibbs(machine, p, chains, key), np.zeros((chains, 6), np.float32)
        for _ in range(60):
            v = gibbs.step(v)
        place = (v[:, None, ~own] == rows[None][:, :, ~own]).all(axis=2)
        assert place.sum(axis=1).tolist() == [1] * chains
        found = place.argmax(axis=1) * 8 + np.searchsorted(edges, v[:, own][:, 0])
        counts = np.bincount(found, minlength=len(law))
        assert log_p(counts, chains * law) > -6
        assert log_p(np.roll(counts, 8), chains * law) < -20, "other states are seen"
        shifted = place.argmax(axis=1) * 8 + np.searchsorted(edges, v[:, own][:, 0] + 0.1)
        assert log_p(np.bincount(shifted, minlength=len(law)), chains * law) < -6, "a shift by a tenth is seen"


def test_runs_draw_by_keys_of_their_own():
    """Two groups, or two numbers, with the same input do not draw the same."""
    name, cases = "linear:1 softmax:4 softmax:4 logistic:1", 4000
    z, states_t = np.zeros((cases, 10), np.float32), np.zeros((10, cases), np.float32)
    unit_of(name).sample(z, 7, 3, states_t)
    same = (states_t[1:5].argmax(axis=0) == states_t[5:9].argmax(axis=0)).mean()
    assert abs(same - 0.25) < 5 * np.sqrt(0.25 * 0.75 / cases)
    assert abs(np.corrcoef(states_t[0], states_t[9])[0, 1]) < 5 / np.sqrt(cases)
    wide, twin = np.zeros((cases, 10)), np.zeros((10, cases))
    unit_of(name).sample(wide, 7, 3, twin)
    np.testing.assert_allclose(states_t, twin, atol=2e-6)
    np.testing.assert_allclose(z, wide, atol=1e-7)


def test_log_partition():
    z = np.random.default_rng(2).normal(size=(5, WIDTH))
    found, stops = np.zeros(5), np.cumsum([width for _, width in runs_of(MIXED)])
    unit_of(MIXED).log_partition(z, found)
    expected = sum(partition(n, z[:, stop - w : stop]) for (n, w), stop in zip(runs_of(MIXED), stops, strict=True))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_start():
    """Where nothing else is put in, the means are those of the data."""
    machine = RBM(WIDTH, 2, MIXED, "logistic")
    means = data(machine, 400).mean(axis=0)
    c = machine.layout.unpack(start(machine, np.zeros((WIDTH, 2), np.float32), means))["c"].astype(float)
    np.testing.assert_allclose(mean(MIXED, c[None])[0], means, rtol=1e-3, atol=1e-3)


def test_hide():
    """Zeros where a category has none of its values, nowhere else."""
    like, x = data(RBM(WIDTH, 1, MIXED, "logistic"), 6), np.ones((6, WIDTH), np.float32)
    like[2, -3:] = 0
    unit_of(MIXED).hide(like, x)
    assert not x[2, -3:].any()
    x[2, -3:] = 1
    assert (x == 1).all()

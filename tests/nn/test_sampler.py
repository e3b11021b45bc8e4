"""The sampler's law: Gibbs chains that begin at the enumerated law keep it, planted bugs do not; laws of single draws.

Visibles are drawn by the machine turned over, W' in the place of W and its units exchanged, so that all is drawn by
the code that training draws with.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest

from deepnet.kernels import random
from deepnet.nn.rbm import RBM, Chain
from tests.nn.machines import mean, parameters, partition, states_of

CHAINS, SWEEPS = 200_000, 5
# All with 64 visible states; what stands on the other side may be anything whose conditional law is exact.
MACHINES = {
    "logistic": RBM(6, 4, "logistic", "logistic"),
    "softmax": RBM(6, 5, "logistic", "softmax"),
    "linear": RBM(6, 3, "logistic", "linear"),
    "softmax visibles": RBM(64, 4, "softmax", "logistic"),
}


def made(machine):
    """Float32 parameters, large enough that each part of them matters."""
    theta = parameters(machine, np.float64, size={"linear": 0.7}.get(machine.hidden, 1.5))
    views = {name: a.astype(np.float32) for name, a in machine.layout.views(theta).items()}
    if machine.visible == "softmax":  # of 64 units one is on: weights as large as those of six
        views["W"] *= 3
        views["c"] /= 2
    return views


def visible_law(machine, p):
    """P(v) of all 64 states, from the energies."""
    v = states_of(machine.visible, machine.inputs)
    wide = {name: a.astype(float) for name, a in p.items()}
    logs = v @ wide["c"] + partition(machine.hidden, v @ wide["W"] + wide["b"])
    weight = np.exp(logs - logs.max())
    return v.astype(np.float32), weight / weight.sum()


def coarsely(unit, at, u):
    """States drawn with uniforms of 6 bits."""
    u = np.floor(u * 64) / 64
    if unit == "softmax":
        return np.eye(at.shape[1], dtype=np.float32)[np.minimum((np.cumsum(at, axis=1) <= u[:, :1]).sum(axis=1),
                                                               at.shape[1] - 1)]  # fmt: skip
    return (u < at).astype(np.float32)


def gibbs(machine, p, key, hidden_bias=None, sampled=True, shared=False, coarse=False):
    """Counts of the visible states after sweeps of block Gibbs sampling, and the expected ones.

    The last arguments plant bugs.
    """
    states, P = visible_law(machine, p)
    rng, folded = np.random.default_rng(key), random.fold(key)
    start = rng.choice(len(states), size=CHAINS, p=P)
    side = states[start]
    up = {"W": p["W"], "b": p["b"] if hidden_bias is None else hidden_bias, "c": p["c"]}
    down = {"W": np.ascontiguousarray(p["W"].T), "b": p["c"], "c": p["b"]}
    halves = [(machine, up), (RBM(machine.outputs, machine.inputs, machine.hidden, machine.visible), down)]
    chains = [Chain(half, CHAINS) for half, _ in halves]
    for sweep in range(SWEEPS):
        for k, (half, own) in enumerate(halves):
            draw, at = 0 if shared else 2 * sweep + k, np.zeros((CHAINS, half.outputs), np.float32)
            drawn = np.ascontiguousarray(chains[k].hidden_states(own, side, folded, draw, at).T)
            if coarse and half.hidden != "linear":
                drawn = coarsely(half.hidden, at, random.uniform(folded, draw, *at.shape))
            side = drawn if sampled or k else at
    codes = side.argmax(axis=1) if machine.visible == "softmax" else side @ 2 ** np.arange(machine.inputs)[::-1]
    return np.bincount(codes.astype(int), minlength=64), CHAINS * P


def log_p(counts, expected):
    """log10 of the p of a chi-square test, by the deviate of Wilson and Hilferty 1931; a few cells may be rare."""
    rare = expected < 5
    if rare.any():
        counts, expected = (np.append(a[~rare], a[rare].sum()) for a in (counts, expected))
    chi, k = ((counts - expected) ** 2 / expected).sum(), len(counts) - 1
    deviate = ((chi / k) ** (1 / 3) - (1 - 2 / (9 * k))) / math.sqrt(2 / (9 * k))
    p = math.erfc(deviate / math.sqrt(2)) / 2
    tail = -(deviate**2) / 2 - math.log(max(deviate, 1) * math.sqrt(2 * math.pi))  # where erfc is below all numbers
    return math.log10(p) if p > 0 else tail / math.log(10)


@pytest.mark.promise("sampler")
@pytest.mark.parametrize("name", MACHINES)
def test_gibbs_sampling_keeps_the_law(name, size, promise):
    machine = MACHINES[name]
    p, keys = made(machine), range(1, 1 + size(3, 60))
    found = [log_p(*gibbs(machine, p, key)) for key in keys]
    promise(f"p = {10 ** min(found):.2g}, the least of {len(found)} seeds ({name})", -min(found))
    assert min(found) > -6


BUGS = {
    "lost bias": lambda p: {"hidden_bias": np.zeros_like(p["b"])},
    "swapped bias": lambda p: {"hidden_bias": p["b"][::-1].copy()},
    "mean instead of sample": lambda p: {"sampled": False},
    "shared uniforms": lambda p: {"shared": True},
    "6-bit uniforms": lambda p: {"coarse": True},
}


@pytest.mark.promise("sampler")
@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("name", MACHINES)
def test_the_test_of_the_sampler_sees_bugs(name, bug, size, promise):
    machine = MACHINES[name]
    p = made(machine)
    found = [log_p(*gibbs(machine, p, key, **BUGS[bug](p))) for key in range(1, 1 + size(1, 5))]
    promise(f"{bug} ({name}): p = 1e{math.ceil(max(found))}", max(found))
    assert max(found) < -20


LAW = NormalDist()


def cells(unit, z, count):
    """Edges of `count` cells of equal chance, and the chances, for one unit of input z: those of relu lie above 0."""
    s = 1.0 if unit == "linear" else math.sqrt(mean("logistic", np.array(z)))
    least = 0.0 if unit == "linear" else LAW.cdf(-z / s)
    chances = np.append([least] if least else [], np.full(count, (1 - least) / count))
    edges = np.array([z + s * LAW.inv_cdf(q) for q in np.cumsum(chances)[:-1]])
    return np.maximum(edges, 0) if unit == "relu" else edges, chances


@pytest.mark.promise("sampler")
@pytest.mark.parametrize("unit", ["linear", "relu"])
def test_single_draws_have_their_law(unit, size, promise):
    """Chi-square on 64 cells of equal chance: N(z, 1), and max(0, z + N(0, sigmoid(z))) with its zeros beside them."""
    found = []
    for key in range(size(3, 60)):
        for z in (-1.5, 0.0, 2.0):
            half = RBM(1, 100, "logistic", unit)
            own = half.layout.views(half.layout.zeros())
            own["b"][...] = z
            at = np.zeros((2000, 100), np.float32)
            drawn = Chain(half, 2000).hidden_states(own, np.zeros((2000, 1), np.float32), random.fold(key, 7), 0, at)
            edges, chances = cells(unit, z, 64)
            counts = np.bincount(np.searchsorted(edges, drawn.ravel()), minlength=len(chances))
            found.append(log_p(counts, drawn.size * chances))
    promise(f"p = {10 ** min(found):.2g}, the least of {len(found)} draws of {unit} units", -min(found))
    assert min(found) > -6
    other = np.bincount(np.searchsorted(edges, drawn.ravel() + np.float32(0.05)), minlength=len(chances))
    assert log_p(other, drawn.size * chances) < -6, "a shift by a twentieth is seen"

"""Machines for tests: the naive twin of contrastive divergence, and small ones that can be enumerated."""

from itertools import product

import numpy as np

from deepnet.kernels import random, units
from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties
from deepnet.nn.units import UNITS

# Every pair that makes sense: unit types that have a place in a machine.
KINDS = [name for name, unit in UNITS.items() if unit.rate is not None]
PAIRS = [(visible, hidden) for visible in KINDS for hidden in KINDS]

MIXED = "linear:2 logistic:3 softmax:2 softmax:3"


def runs_of(name):
    """(type, columns) of each run of mixed units."""
    return [(kind, int(width)) for kind, width in (word.split(":") for word in name.split())]


def by_runs(name, *arrays):
    """(type, number of the run, the arrays' columns) run by run."""
    first = 0
    for run, (kind, width) in enumerate(runs_of(name)):
        yield kind, run, *(a[:, first : first + width] for a in arrays)
        first += width


def mean(unit, z):
    """The expected state, written out once more."""
    if ":" in unit:
        return np.hstack([mean(kind, part) for kind, _, part in by_runs(unit, z)])
    if unit == "logistic":
        return 1 / (1 + np.exp(-z))
    if unit == "softmax":
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return np.log(1 + np.exp(z)) if unit == "relu" else z


def sample(unit, z, key, draw):
    """States from the raw draws: Hinton 2010, sections 3 and 13."""
    if unit == "softmax":
        u = random.uniform(key, draw, len(z), 1).astype(float)
        states = np.zeros(z.shape)
        for case, row in enumerate(mean(unit, z)):
            states[case, min(np.searchsorted(np.cumsum(row), u[case, 0], side="right"), len(row) - 1)] = 1
        return states
    if unit == "logistic":
        return (random.uniform(key, draw, *z.shape) < mean(unit, z)).astype(float)
    noise = random.normal_twin(random.bits(key, draw, *z.shape))
    return z + noise if unit == "linear" else np.maximum(0, z + np.sqrt(mean("logistic", z)) * noise)


def naive(machine, p, v, key, steps):
    """-(<v h>_data - <v h>_k) for W, b, c and the squared error of the reconstruction, in float64, case by case."""
    W, b, c = (p[name].astype(float) for name in ("W", "b", "c"))
    h0 = h1 = mean(machine.hidden, v @ W + b)
    states = sample(machine.hidden, v @ W + b, key, 0)
    for step in range(1, steps + 1):
        v1 = mean(machine.visible, states @ W.T + c)
        if ":" in machine.visible:  # a category that is missing is not restored
            groups = by_runs(machine.visible, v, v1)
            v1 = np.hstack([y * (x.any(axis=1, keepdims=True) | (kind != "softmax")) for kind, _, x, y in groups])
        h1 = mean(machine.hidden, v1 @ W + b)
        states = sample(machine.hidden, v1 @ W + b, key, step)
    gradient = {"W": np.zeros(W.shape), "b": np.zeros(b.shape), "c": np.zeros(c.shape)}
    for case in range(len(v)):
        gradient["W"] -= np.outer(v[case], h0[case]) - np.outer(v1[case], h1[case])
        gradient["b"] -= h0[case] - h1[case]
        gradient["c"] -= v[case] - v1[case]
    return {name: g / len(v) for name, g in gradient.items()}, ((v - v1) ** 2).sum()


def data(machine, cases, seed=0):
    """Visible values that the units can have."""
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(cases, machine.inputs))
    if ":" in machine.visible:
        sides = [RBM(width, 1, kind, "logistic") for kind, width in runs_of(machine.visible)]
        values = [data(side, cases, seed + i) for i, side in enumerate(sides)]
        return np.hstack([np.round(a) if s.visible == "logistic" else a for a, s in zip(values, sides, strict=True)])
    if machine.visible == "logistic":
        v = 1 / (1 + np.exp(-2 * v))
    if machine.visible == "softmax":
        v = np.eye(machine.inputs)[rng.integers(machine.inputs, size=cases)]
    return np.abs(v).astype(np.float32) if machine.visible == "relu" else v.astype(np.float32)


def parameters(machine, dtype=np.float32, size=1.0, seed=1):
    """A theta of normal numbers, weights scaled by the number of inputs."""
    rng = np.random.default_rng(seed)
    arrays = {s.name: size * rng.normal(size=s.shape) for s in machine.layout.segments}
    arrays["W"] /= np.sqrt(machine.inputs)
    return machine.layout.pack(arrays, dtype)


def divergence(machine, v, steps=1, penalties=None, dtype=np.float32):
    """The objective on fixed cases."""
    made = ContrastiveDivergence(
        machine, lambda rows, out: out.__setitem__(..., v[rows]), len(v), steps, penalties or Penalties(), dtype
    )
    made.at(np.arange(len(v)), 99)
    return made


def states(units):
    """All binary states (2^units, units)."""
    return np.array(list(product((0.0, 1.0), repeat=units)))


def states_of(unit, width):
    """All states of a side whose states can be counted."""
    return np.eye(width) if unit == "softmax" else states(width)


def partition(unit, z):
    """Log of the sum or integral over a row's states, less constants: written out, but for relu."""
    if unit == "softmax":
        return np.logaddexp.reduce(z, axis=1)
    if unit == "relu":
        return units.dilog_twin(z).sum(axis=1)
    return (np.logaddexp(0, z) if unit == "logistic" else z**2 / 2).sum(axis=1)


SMALL = RBM(6, 4, "logistic", "logistic")


def joint(p, v, h):
    """-E(v, h) of logistic units for all pairs: (V, H)."""
    return v @ p["W"] @ h.T + (v @ p["c"])[:, None] + (h @ p["b"])[None, :]

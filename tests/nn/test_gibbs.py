"""Gibbs sampling: chains of a small machine have the law that all its states, written out, give it."""

import itertools

import numpy as np

from deepnet.nn.gibbs import Gibbs
from deepnet.nn.rbm import RBM, free_energy


def test_chains_have_the_exact_law_of_the_visible_states():
    draw, cases = np.random.default_rng(3), 20_000
    machine = RBM(3, 2, "logistic", "logistic")
    p = {"W": draw.normal(0, 1.5, (3, 2)), "b": draw.normal(0, 1, 2), "c": draw.normal(0, 1, 3)}
    p = {name: array.astype(np.float32) for name, array in p.items()}
    states = np.array(list(itertools.product((0, 1), repeat=3)), np.float32)
    exact = np.exp(-free_energy(machine, p, states).astype(np.float64))
    exact /= exact.sum()
    chains, v = Gibbs(machine, p, cases, 7), np.zeros((cases, 3), np.float32)
    for _ in range(60):
        v = chains.step(v)
    counts = np.bincount((v @ [4, 2, 1]).astype(int), minlength=8)
    gaps = np.abs(counts / cases - exact) / np.sqrt(exact * (1 - exact) / cases)
    assert gaps.max() < 4
    again, w = Gibbs(machine, p, cases, 7), np.zeros((cases, 3), np.float32)
    for _ in range(60):
        w = again.step(w)
    np.testing.assert_array_equal(v, w)

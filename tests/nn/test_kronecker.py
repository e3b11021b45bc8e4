"""Kronecker factors against the gradients of single cases, and what they make of vectors against the whole matrix."""

import itertools
import math

import numpy as np
import pytest

from deepnet.nn.kronecker import Block
from deepnet.nn.layers import BatchNorm
from tests.nn.nets import NETWORKS, objective
from tests.nn.test_objective import hessians

DAMPING = 0.03
ALONE = [name for name, network in NETWORKS.items() if not network.mixes]


def drawn(layout, dtype, seed):
    """A vector of theta's layout with a number everywhere but in the padding."""
    rng = np.random.default_rng(seed)
    return layout.pack({s.name: rng.normal(size=s.shape) for s in layout.segments}, dtype)


def applied(made, theta, v, *more):
    out = np.zeros_like(v)
    made.kronecker(theta, DAMPING, *more)(v, out)
    return out


@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_make_the_gradient(name):
    made, theta = objective(NETWORKS[name], np.float64, weight_decay=0)
    gradient = made.network.split(made.gradient(theta))
    parts, (piece,), left = made._parts(theta), made._pieces, made.layout.count
    for i, layer in made._weighted.items():
        for pair in layer.pairs(parts[i], piece.work[i], piece.input_of(i)):
            for key, found in ((pair.W, pair.given.T @ pair.d), (pair.b, pair.d.sum(axis=0))):
                if key is not None:
                    np.testing.assert_allclose(found, gradient[i][key], rtol=1e-10, atol=1e-14)
                    left -= found.size
    assert not left


def watched(monkeypatch):
    """(A, S) of each block as it is inverted."""
    seen, invert = [], Block.invert

    def look(block, cases, damping):
        seen.append((block._A / cases, block._S / cases))
        invert(block, cases, damping)

    monkeypatch.setattr(Block, "invert", look)
    return seen


@pytest.mark.parametrize("name", NETWORKS)
def test_spread_has_the_curvature_in_the_mean(name):
    """Over all signs, against the Hessian written out."""
    network = NETWORKS[name]
    made, theta = objective(network, np.float64)
    made.value(theta)
    a, t = made.outputs, made._pieces[0].t
    total, every = 0.0, list(itertools.product((1.0, -1.0), repeat=t.shape[1]))
    for signs in every:
        drawn = made.loss.spread(a, t, np.tile(signs, (len(t), 1)))
        total = total + np.einsum("ci,cj->cij", drawn, drawn) / len(every)
    np.testing.assert_allclose(total, hessians(network.loss, a, t), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ALONE)
def test_factors_are_those_of_the_gauss_newton_matrix(name, monkeypatch):
    """Of one case the part of a layer in that matrix is A (x) S, S in the mean over all signs."""
    network = NETWORKS[name]
    made, theta = objective(network, np.float64, weight_decay=0)
    every = list(itertools.product((1.0, -1.0), repeat=made._pieces[0].t.shape[1]))
    made.at(np.array([1]), 12)
    seen, means = watched(monkeypatch), {}
    for signs in every:
        monkeypatch.setattr("deepnet.kernels.random.signs", lambda *_, s=signs: np.array([s]))
        made.kronecker(theta, DAMPING)
        for k, (A, S) in enumerate(seen):
            means[k] = A, means.get(k, (0, 0.0))[1] + S / len(every)
        seen.clear()
    product = made.curvature(theta)
    for (A, S), i in zip(means.values(), sorted(made._weighted, reverse=True), strict=True):
        given = [np.eye(1, made.layout.size, place)[0] for place in of_layer(made.layout, i)]
        whole = np.array([product(v)[of_layer(made.layout, i)] for v in given])
        np.testing.assert_allclose(np.kron(A, S), whole, rtol=1e-8, atol=1e-11)


def of_layer(layout, i):
    """Places of layer i's parameters in theta, W row by row, then b."""
    numbers = np.arange(layout.size)
    return np.concatenate([v.ravel() for n, v in layout.views(numbers).items() if n.partition(".")[0] == str(i)])


@pytest.mark.parametrize("name", NETWORKS)
def test_the_inverse_against_the_whole_matrix(name, monkeypatch):
    """(A + damping) (x) (S + damping) as one matrix, solved for a vector."""
    made, theta = objective(NETWORKS[name], np.float64)
    seen, v = watched(monkeypatch), drawn(made.layout, np.float64, 2)
    found, expected = applied(made, theta, v), np.zeros_like(v)
    places = []
    for i in sorted(made._weighted, reverse=True):
        own = of_layer(made.layout, i)
        if isinstance(made.network.layers[i], BatchNorm):
            width = made.network.layers[i].outputs
            places += np.split(own, [len(own) - 2 * width, len(own) - width])
        else:
            places.append(own)
    for (A, S), own in zip(seen, places, strict=True):
        ratio = math.sqrt(max(np.trace(A) / len(A), 1e-12) / max(np.trace(S) / len(S), 1e-12))
        root = math.sqrt(DAMPING)
        M = np.kron(A + root * ratio * np.eye(len(A)), S + root / ratio * np.eye(len(S)))
        expected[own] = np.linalg.solve(M, v[own])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("name", NETWORKS)
def test_symmetric_positive_and_within_layers(name):
    made, theta = objective(NETWORKS[name], np.float64)
    u, v = (drawn(made.layout, np.float64, seed) for seed in (3, 4))
    left, right = u @ applied(made, theta, v), v @ applied(made, theta, u)
    assert left == pytest.approx(right, rel=1e-9)
    assert v @ applied(made, theta, v) > 0
    for own in made.network.split(v)[1:]:
        for part in own.values():
            part[...] = 0
    assert not any(part.any() for own in made.network.split(applied(made, theta, v))[1:] for part in own.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_in_single_precision(name):
    narrow, theta = objective(NETWORKS[name], np.float32)
    wide, wide_theta = objective(NETWORKS[name], np.float64)
    v = drawn(narrow.layout, np.float32, 5)
    found, expected = applied(narrow, theta, v), applied(wide, wide_theta, v.astype(float))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert not np.delete(found, np.flatnonzero(drawn(narrow.layout, np.float32, 6))).any(), "padding has a direction"


def test_pieces_and_shares(monkeypatch):
    """In pieces the same factors; of a share the factors of its cases alone."""
    monkeypatch.setattr("deepnet.kernels.random.signs", lambda key, draw, rows, units: np.ones((rows, units)))
    network = NETWORKS["tanh-squared_error-plain"]
    whole, theta = objective(network, np.float64, key=None, cases=11)
    v = drawn(whole.layout, np.float64, 7)
    monkeypatch.setattr("deepnet.nn.pieces.PIECE", 3)
    pieces, _ = objective(network, np.float64, key=None, cases=11)
    assert len(pieces._pieces) == 4
    np.testing.assert_allclose(applied(pieces, theta, v), applied(whole, theta, v), rtol=1e-9)
    few, _ = objective(network, np.float64, key=None, cases=11)
    few.at(np.arange(5), None)
    np.testing.assert_allclose(applied(pieces, theta, v, 0.5), applied(few, theta, v), rtol=1e-9)


def test_a_net_that_says_nothing():
    """Units whose gradients are zero have a finite inverse."""
    network = NETWORKS["relu-squared_error-plain"]
    made, theta = objective(network, np.float32)
    theta[:] = 0
    assert np.isfinite(applied(made, theta, drawn(made.layout, np.float32, 8))).all()

"""Kronecker factors against the Gauss-Newton matrix, and what they make of vectors against their whole product."""

import itertools
import math

import numpy as np
import pytest

from tests.nn.nets import CASES, NETWORKS, objective
from tests.nn.test_objective import hessians

DAMPING = 0.03
ALONE = [name for name, network in NETWORKS.items() if not network.mixes]


def drawn(layout, dtype, seed):
    """A vector of theta's layout with a number everywhere but in the padding."""
    rng = np.random.default_rng(seed)
    return layout.pack({s.name: rng.normal(size=s.shape) for s in layout.segments}, dtype)


def applied(made, theta, v, *more):
    out = np.zeros_like(v)
    made.kronecker(theta, DAMPING, 0.95, *more)(v, out)
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


def of_layer(layout, i):
    """Places of layer i's parameters in theta, W row by row, then the others."""
    numbers = np.arange(layout.size)
    return np.concatenate([v.ravel() for n, v in layout.views(numbers).items() if n.partition(".")[0] == str(i)])


def factors(made):
    """[(layer, A, S)] in the order of theta."""
    state, words = made.state, [name[:-2] for name in made.state if name.endswith(".A")]
    return [(int(w.partition("/")[2].partition(".")[0]), state[w + ".A"], state[w + ".S"]) for w in words]


@pytest.mark.promise("curvature")
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


@pytest.mark.promise("curvature")
@pytest.mark.parametrize("name", ALONE)
def test_factors_are_those_of_the_gauss_newton_matrix(name, monkeypatch):
    """Of one case the part of a layer in that matrix is A (x) S, S in the mean over all signs."""
    network, means = NETWORKS[name], {}
    columns = objective(network, np.float64)[0]._pieces[0].t.shape[1]
    for signs in (every := list(itertools.product((1.0, -1.0), repeat=columns))):
        monkeypatch.setattr("deepnet.kernels.random.signs", lambda *_, s=signs: np.array([s]))
        made, theta = objective(network, np.float64, weight_decay=0)
        made.at(np.array([1]), 12)
        made.kronecker(theta, DAMPING, 0.95)
        for i, A, S in factors(made):
            means[i] = A, means.get(i, (0, 0.0))[1] + S / len(every)
    product = made.curvature(theta)
    assert list(means) == list(made._weighted)
    for i, (A, S) in means.items():
        own = of_layer(made.layout, i)
        whole = np.array([product(np.eye(1, made.layout.size, place)[0])[own] for place in own])
        np.testing.assert_allclose(np.kron(A, S), whole, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_inverse_against_the_whole_matrix(name):
    """(A + damping) (x) (S + damping) as one matrix, solved for a vector."""
    made, theta = objective(NETWORKS[name], np.float64)
    v = drawn(made.layout, np.float64, 2)
    found, expected = applied(made, theta, v), np.zeros_like(v)
    begun = {i: list(of_layer(made.layout, i)) for i in made._weighted}
    for i, A, S in factors(made):
        own = [begun[i].pop(0) for _ in range(len(A) * len(S))]
        ratio = math.sqrt(max(np.trace(A) / len(A), 1e-12) / max(np.trace(S) / len(S), 1e-12))
        root = math.sqrt(DAMPING)
        M = np.kron(A + root * ratio * np.eye(len(A)), S + root / ratio * np.eye(len(S)))
        expected[own] = np.linalg.solve(M, v[own])
    assert not any(begun.values())
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


def test_running_means():
    """Of k updates the mean, later 0.95 of what was; they go on where their arrays are taken."""
    network = NETWORKS["tanh-cross_entropy-plain"]
    alone, theta = [], None
    for key in range(23):
        made, theta = objective(network, np.float64)
        made.at(np.arange(CASES), key)
        made.kronecker(theta, DAMPING, 0.95)
        alone.append(factors(made))
    one, _ = objective(network, np.float64, kronecker=True)
    assert one.state["factors/updates"] == 0
    assert not any(A.any() or S.any() for _, A, S in factors(one))
    for key in range(23):
        if key == 11:
            one, before = objective(network, np.float64, kronecker=True)[0], one.state
            one.state = before
        one.at(np.arange(CASES), key)
        one.kronecker(theta, DAMPING, 0.95)
        for k, (_, *found) in enumerate(factors(one)):
            for j in (0, 1):
                expected = np.mean([alone[i][k][1 + j] for i in range(min(key + 1, 20))], axis=0)
                for i in range(20, key + 1):
                    expected = 0.95 * expected + 0.05 * alone[i][k][1 + j]
                np.testing.assert_allclose(found[j], expected, rtol=1e-10, atol=1e-14)


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
    pieces, _ = objective(network, np.float64, key=None, cases=11)
    np.testing.assert_allclose(applied(pieces, theta, v, 0.5), applied(few, theta, v), rtol=1e-9)


def test_a_net_that_says_nothing():
    """Units whose gradients are zero have a finite inverse."""
    network = NETWORKS["relu-squared_error-plain"]
    made, theta = objective(network, np.float32)
    theta[:] = 0
    assert np.isfinite(applied(made, theta, drawn(made.layout, np.float32, 8))).all()

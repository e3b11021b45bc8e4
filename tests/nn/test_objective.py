"""Gradients and Gauss-Newton products of every network against differences, complex steps and explicit matrices."""

import numpy as np
import pytest
from scipy.linalg import block_diag

from deepnet.kernels import bfloat16, operands, updates
from deepnet.kernels.jit import ENABLED
from deepnet.kernels.tape import Tapes
from deepnet.nn import pieces as pieces_page
from deepnet.nn.layers import LAYERS, BatchNorm, Dense, Dropout, Maxout, Noise
from deepnet.nn.losses import LOSSES, loss_of
from deepnet.nn.mixed import unit_of, word_of
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.pieces import rows_of
from tests.nn.machines import MIXED, by_runs
from tests.nn.nets import CASES, NETWORKS, case, objective, places

KINKS = {"relu": (0,), "leaky_relu": (0,), "elu": (0,), "hard_tanh": (-1, 1)}  # where the first two derivatives jump


def kink_free(made, theta):
    """Whether no unit stands so near a corner that a difference would step over it."""
    made.value(theta)
    inputs = [made._pieces[0].x, *(w["a"] for w in made._pieces[0].work)]
    parts, away = made.network.split(theta), [1.0]
    work = made._pieces[0].work
    for x, p, layer, w in zip(inputs, parts, made.network.layers, work, strict=False):
        if isinstance(layer, Maxout):
            pieces = np.sort((x @ p["W"] + p["b"]).reshape(len(x), layer.pieces, -1), axis=1)
            away.append((pieces[:, -1] - pieces[:, -2]).min())
        elif isinstance(layer, Dense | BatchNorm):
            z = x @ p["W"] + p.get("b", 0) if isinstance(layer, Dense) else w["z"]
            away += [np.abs(z - kink).min() for kink in KINKS.get(layer.unit, ())]
    if made.network.loss == "hinge":
        away.append(np.abs(1 - (2 * made._pieces[0].t - 1) * made.outputs).min())
    return min(away) > 1e-4


def test_every_layer_is_tried():
    tried = {type(layer) for network in NETWORKS.values() for layer in network.layers}
    assert tried == set(LAYERS.values())


@pytest.mark.promise("gradients")
@pytest.mark.parametrize("name", NETWORKS)
def test_gradient(name, promise):
    """Central differences in float64, through the twins."""
    made, theta = objective(NETWORKS[name], np.float64)
    assert kink_free(made, theta), "choose another seed"
    gradient = made.gradient(theta).copy()
    step, inner, worst = 1e-5, places(made.layout), 0.0
    for i in inner:
        up, down = theta.copy(), theta.copy()
        up[i] += step
        down[i] -= step
        difference = (made.value(up) - made.value(down)) / (2 * step)
        worst = max(worst, abs(difference - gradient[i]) / max(1.0, abs(difference)))
    promise(f"within {worst:.1g} of central differences", worst)
    assert worst <= 1e-6
    assert np.abs(gradient[inner]).max() > 1e-3
    assert not np.delete(gradient, inner).any(), "padding has a gradient"


def spread_of(z):
    """diag(s) - s s' of s = softmax(z)."""
    s = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return np.diag(s) - np.outer(s, s)


def hessians(loss, a, t):
    """The Hessian of each case's loss at z, written out; of mixed units run by run, none where nothing is wanted."""
    if loss == MIXED:
        match = {"linear": "squared_error", "logistic": "binary_cross_entropy", "softmax": "cross_entropy"}
        runs = []
        for kind, _, own, aim in by_runs(MIXED, a, t):
            known = aim.any(axis=1) | (kind != "softmax")
            runs.append([H * some for H, some in zip(hessians(match[kind], own, aim), known, strict=True)])
        return [block_diag(*parts) for parts in zip(*runs, strict=True)]
    if LOSSES[loss].mimics:
        T, hard = LOSSES[loss].temperature, LOSSES[loss].hard_weight
        first = [np.eye(a.shape[1]) if loss == "logits" else spread_of(row / T) for row in a]
        return [H + hard * (row[-1] >= 0) * spread_of(z) for H, row, z in zip(first, t, a, strict=True)]
    if loss in ("squared_error", "svdd"):
        return [np.eye(a.shape[1]) for _ in a]
    if loss == "squared_hinge":
        return [np.diag(2 * (2 * aim - 1) ** 2 * ((2 * aim - 1) * row < 1)) for row, aim in zip(a, t, strict=True)]
    if loss == "hinge":
        return [np.zeros((a.shape[1],) * 2) for _ in a]
    if loss == "binary_cross_entropy":
        return [np.diag(row * (1 - row)) for row in a]
    return [np.diag(row) - np.outer(row, row) for row in a]


@pytest.mark.promise("gradients")
@pytest.mark.parametrize("name", NETWORKS)
def test_gradient_is_that_of_complex_steps(name, promise):
    """Of the loss of each case at theta + i step, through the twins in complex arithmetic."""
    network = NETWORKS[name]
    made, theta = objective(network, np.float64, weight_decay=0)
    assert kink_free(made, theta), "choose another seed"
    gradient = made.gradient(theta).copy()
    stepped, moved = objective(network, np.complex128, weight_decay=0)
    worst = 0.0
    for i in places(made.layout):
        moved[i] += 1e-30j
        stepped._forward(network.split(moved), stepped._pieces[0])
        worst = max(worst, abs(stepped._pieces[0].values.imag.mean() / 1e-30 - gradient[i]))
        moved[i] = moved[i].real
    worst /= max(1, np.abs(gradient).max())
    promise(f"within {worst:.1g} of complex steps", worst)
    assert worst <= 1e-12


@pytest.mark.promise("curvature")
@pytest.mark.parametrize("name", NETWORKS)
def test_curvature_product(name, promise):
    """G = mean of J'HJ, J by complex steps, plus the weight decay's diagonal."""
    network = NETWORKS[name]
    made, theta = objective(network, np.float64, weight_decay=0.05)
    inner = places(made.layout)
    stepped, complex_theta = objective(network, np.complex128, weight_decay=0.05)
    J = np.zeros((CASES, network.outputs, len(inner)))
    for n, i in enumerate(inner):
        moved = complex_theta.copy()
        moved[i] += 1e-30j
        stepped._forward(network.split(moved), stepped._pieces[0])
        J[:, :, n] = stepped._pieces[0].work[-1]["z"].imag / 1e-30
    made.value(theta)
    H = hessians(network.loss, made.outputs, made._pieces[0].t)
    G = sum(J[b].T @ H[b] @ J[b] for b in range(CASES)) / CASES
    decay = made.layout.zeros(np.float64)
    for view in made.layout.views(decay).values():
        view[...] = 0.05 if view.ndim == 2 else 0
    G += np.diag(decay[inner])
    rng = np.random.default_rng(4)
    products, worst = {}, 0.0
    for trial in range(4):
        v = np.zeros_like(theta)
        v[inner] = rng.normal(size=len(inner))
        found = made.curvature(theta)(v).copy()
        expected = G @ v[inner]
        worst = max(worst, np.abs(found[inner] - expected).max() / max(1, np.abs(expected).max()))
        assert not np.delete(found, inner).any()
        assert v @ found >= 0
        products[trial] = v, found
    promise(f"within {worst:.1g} of J'HJ", worst)
    assert worst <= 1e-10
    v, u = products[0], products[1]
    assert u[0] @ v[1] == pytest.approx(v[0] @ u[1], rel=1e-10), "not symmetric"
    assert np.abs(G).max() > 1e-3


@pytest.mark.parametrize("body", ["dropout", "noise"])
def test_gradient_and_curvature_share_what_is_drawn(body):
    """All methods speak of the same function while the key stays; another key is another function."""
    made, theta = objective(NETWORKS[f"tanh-squared_error-{body}"], np.float64)
    first, gradient = made.value(theta), made.gradient(theta).copy()
    made.curvature(theta)(theta)
    assert made.value(theta) == first
    np.testing.assert_array_equal(made.gradient(theta), gradient)
    made.at(np.arange(CASES), 13)
    assert made.value(theta) != first
    made.at(np.arange(CASES), 12)
    assert made.value(theta) == first


def test_dropout_keeps_the_mean():
    """Units are dropped at the rate, kept ones are scaled up; without a key everything passes."""
    layer, x = Dropout(200, 0.3), np.ones((500, 200), np.float32)
    work = layer.workspace(500, np.dtype(np.float32))
    a = layer.forward({}, work, x, 5)
    assert set(np.unique(a)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((a == 0).mean() - 0.3) < 5 * np.sqrt(0.21 / a.size)
    assert not np.array_equal(a.copy(), layer.forward({}, work, x, 6))
    np.testing.assert_array_equal(layer.forward({}, work, x, None), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_of_a_share(dtype):
    """What a layer adds is so many times what it adds by itself, in every piece of a minibatch."""
    network = Network((Noise(4, 0.5), Dense(4, 4, "linear")), "squared_error")
    theta = network.layout.pack({"1.W": np.eye(4), "1.b": np.zeros(4)}, dtype)
    objective = NetworkObjective(network, lambda rows, x, t, key: (x.fill(0), t.fill(0)), 1500, dtype=dtype)
    found = {}
    for share in (1.0, 0.25, 0.0):
        objective.set_noise(share)
        objective.at(np.arange(1500), 7)
        objective.value(theta)
        found[share] = np.vstack([piece.work[-1]["a"] for piece in objective._pieces])
    assert len(objective._pieces) == 2
    assert found[1.0].std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(found[0.25], found[1.0] * 0.25, rtol=1e-6)
    assert not found[0.0].any()


def test_noise_has_its_deviation():
    """Around x, normal, another with another key; without a key everything passes."""
    layer, x = Noise(200, 0.3), np.full((500, 200), 2, np.float32)
    work = layer.workspace(500, np.dtype(np.float32))
    n = layer.forward({}, work, x, 5).astype(float) - 2
    assert abs(n.mean()) < 5 * 0.3 / np.sqrt(n.size)
    assert n.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * n.size))
    assert (n**4).mean() / 0.3**4 == pytest.approx(3, rel=0.05)
    assert not np.array_equal(work["a"].copy(), layer.forward({}, work, x, 6))
    np.testing.assert_array_equal(layer.forward({}, work, x, None), x)


def test_dropout_layers_draw_their_own_masks():
    network = Network((Dropout(80, 0.5), Dropout(80, 0.5), Dense(80, 2, "linear")), "squared_error")
    made, theta = objective(network, np.float64, cases=20)
    made.value(theta)
    assert not np.array_equal(made._pieces[0].work[0]["mask"], made._pieces[0].work[1]["mask"])


def test_zeros_are_left_out_above_dropout_too(monkeypatch):
    """What dropout and rectifiers leave zero is skipped by the layers above, and no bit changes."""
    layers = (
        Dropout(300, 0.2),
        Dense(300, 200, "relu"),
        Dropout(200, 0.5),
        Dense(200, 130, "relu"),
        Dense(130, 3, "softmax"),
    )
    network = Network(layers, "cross_entropy")
    _, theta = objective(network, np.float32, cases=100)
    found, taken = [], []

    def feed(rows, x, t, key):
        x[...], t[...] = np.arange(300) % 4 == 0, 1 / 3

    for listed in (True, False):
        own = NetworkObjective(network, feed, 100)
        if not listed:
            monkeypatch.setattr(operands.Lister, "_listed", lambda own, x: x)
        own.at(np.arange(100), 5)
        velocity, moved = np.zeros_like(theta), theta.copy()
        own.descend(moved, velocity, 0.1, 0.9)
        found.append([own.gradient(theta).copy(), own.curvature(theta)(theta).copy(), moved])
        taken.append([type(own._pieces[0].input_of(i)) for i in (1, 3)])
    assert taken == [[operands.Listed if ENABLED else np.ndarray] * 2, [np.ndarray] * 2]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(not (ENABLED and bfloat16.available()), reason="this CPU does not multiply bfloat16")
def test_pieces_keep_their_own_rounded_inputs():
    network = Network((Dense(100, 40, "tanh"), Dense(40, 3, "softmax")), "cross_entropy")
    inputs = np.random.default_rng(0).random((2000, 100)).astype(np.float32)
    inputs[:, ::2] = 0  # so that steps are listed

    def feed(rows, x, t, key):
        x[...], t[...] = inputs[rows], 1 / 3

    made, theta = NetworkObjective(network, feed, 2000, precision="bfloat16"), objective(network, np.float32)[1]
    made.at(np.arange(2000), None)
    both, each = made.value(theta), []
    for rows in (np.arange(1000), np.arange(1000, 2000)):
        made.at(rows, None)
        each.append(made.value(theta))
    assert both == pytest.approx(np.mean(each), rel=1e-7)


WIDE = {
    loss: Network(
        (
            Dense(70, 100, "logistic"),
            Dropout(100, 0.2),
            Maxout(100, 33, 3),
            Dense(33, 33, "relu", False),
            BatchNorm(33, 33, "tanh"),
            Dense(33, 10, LOSSES[loss].unit),
        ),
        loss,
    )
    for loss in LOSSES
}


@pytest.mark.parametrize("loss", WIDE)
def test_float32_network_is_the_float64_one(loss):
    narrow, theta = objective(WIDE[loss], np.float32, cases=130)
    wide, wide_theta = objective(WIDE[loss], np.float64, cases=130)
    wide_theta[...] = theta
    assert narrow.value(theta) == pytest.approx(wide.value(wide_theta), rel=1e-5)
    pairs = (
        (narrow.gradient(theta), wide.gradient(wide_theta)),
        (narrow.curvature(theta)(theta), wide.curvature(wide_theta)(wide_theta)),
        (narrow.gradient_squares(theta), wide.gradient_squares(wide_theta)),
    )
    for found, expected in pairs:
        assert found.dtype == np.float32
        assert np.abs(found - expected).max() <= 2e-5 * np.abs(expected).max()


def room_of(network):
    """Bytes that the activations of a piece of four cases take."""
    return 4 * 8 * (network.inputs + sum(layer.outputs for layer in network.layers))


@pytest.mark.parametrize("kept", [0, 1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_pieces_add_up(name, kept, monkeypatch):
    """A minibatch worked through in pieces, kept or read again, is the one of a single piece."""
    one, theta = objective(NETWORKS[name], np.float64, weight_decay=0.1, key=None, cases=11)
    monkeypatch.setattr(pieces_page, "PIECE", 4)
    monkeypatch.setattr(pieces_page, "KEPT", kept * room_of(NETWORKS[name]))
    many, _ = objective(NETWORKS[name], np.float64, weight_decay=0.1, key=None, cases=11)
    v = np.random.default_rng(7).normal(size=theta.size)
    v[np.setdiff1d(np.arange(theta.size), places(one.layout))] = 0
    for made in () if one.network.mixes else (many, many.whole):
        assert made.value(theta) == pytest.approx(one.value(theta), rel=1e-12)
        for a, b in (
            (made.gradient(theta), one.gradient(theta)),
            (made.curvature(theta)(v), one.curvature(theta)(v)),
            (made.gradient_squares(theta), one.gradient_squares(theta)),
        ):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14)
    assert len(many._pieces) == 3
    many.at(np.arange(11), 5)
    value, gradient = many.value(theta), many.gradient(theta).copy()
    product = many.curvature(theta)
    first = product(v).copy()
    np.testing.assert_array_equal(product(v), first)
    assert many.value(theta) == value
    np.testing.assert_array_equal(many.gradient(theta), gradient)
    velocity, moved = np.zeros_like(theta), theta.copy()
    many.descend(moved, velocity, 0.1, 0.9)
    np.testing.assert_allclose(velocity, -0.1 * gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_one_after_the_other(name):
    """Of minibatches of two sizes, with rates that change and layers that rest: gradient and momentum."""
    one, theta = objective(NETWORKS[name], np.float32, weight_decay=0.1)
    other, moved = objective(NETWORKS[name], np.float32, weight_decay=0.1)
    other._bare = False
    lowest, last = one.layout.segments[0].name.partition(".")[0], theta.size
    first = max(s.stop for s in one.layout.segments if s.name.startswith(f"{lowest}."))
    velocity, speed = np.zeros_like(theta), np.zeros_like(theta)
    rounding = 1e-5 if ENABLED else 1e-4  # the twins of a step and of a gradient with momentum round at other places
    for i in range(8):
        rows, rate = np.arange(CASES)[i % 2 :], 0.02 / (1 + i // 3)
        if i in (0, 4):
            one.spans = other.spans = [(first, last, 0.5)] if i else [(0, first, 1.0), (first, last, 0.5)]
        for made in (one, other):
            made.at(rows, i)
        one.descend(theta, velocity, rate, 0.9, ahead=i % 4 == 3)
        g = other.gradient(moved)
        for a, b, factor in other.spans:
            updates.momentum(moved[a:b], speed[a:b], g[a:b], factor * rate, 0.9, i % 4 == 3)
        np.testing.assert_allclose(theta, moved, rtol=rounding, atol=rounding / 10)
    assert bool(one._tapes._known) == (one._bare and ENABLED)
    assert not other._tapes._known
    for count in one.tally:
        np.testing.assert_allclose(one.tally[count], other.tally[count], rtol=rounding)


def test_plain_nets_are_repeated():
    """Those whose slopes come from what units give, and dropout; not where anything else happens."""

    def plain(network):
        dense = [type(layer) is Dense and layer.unit not in ("square", "softmax") for layer in network.layers[:-1]]
        own = [given or type(layer) is Dropout for given, layer in zip(dense, network.layers, strict=False)]
        return all(own) and network.loss != MIXED and not loss_of(network.loss).mimics

    found = {name for name, network in NETWORKS.items() if objective(network, np.float32)[0]._bare}
    assert found == {name for name, network in NETWORKS.items() if plain(network)}
    assert not objective(NETWORKS[next(iter(NETWORKS))], np.float64)[0]._bare


@pytest.mark.parametrize("precision", operands.PRECISIONS)
@pytest.mark.parametrize("between", [(), (Dropout(200, 0.5),)])
def test_steps_from_a_tape_have_the_bits_of_steps(precision, between, monkeypatch):
    """Of nets too large for one thread, on inputs whose zeros are listed, at every precision; once none draws."""
    if precision == "bfloat16" and not bfloat16.available():
        pytest.skip("this CPU does not multiply bfloat16")
    layers = Dense(300, 200, "logistic"), *between, Dense(200, 10, "softmax")
    network, cases = Network(layers, "cross_entropy"), 90
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(5 * cases, 300)) * (rng.random((5 * cases, 300)) < 0.2)
    targets, weights = np.eye(10)[rng.integers(10, size=5 * cases)], rng.normal(size=network.layout.size) / 20

    def feed(rows, x, t, key):
        x[...], t[...] = inputs[rows], targets[rows]

    def trained():
        made = NetworkObjective(network, feed, cases, 0.01, precision=precision)
        theta, velocity = weights.astype(np.float32), np.zeros(network.layout.size, np.float32)
        for first in range(0, 5 * cases, cases):
            made.at(np.arange(first, first + cases), None if first == 3 * cases else first)
            made.descend(theta, velocity, 0.1, 0.9)
            value, gradient = made.value_and_gradient(theta)
        return theta, velocity, gradient, value, made.tally["loss"][0]

    taped = trained()
    monkeypatch.setattr(Tapes, "play", lambda self, given, act, *arguments: act(*arguments))
    for found, expected in zip(taped, trained(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_share_of_the_pieces(kept, monkeypatch):
    """The first pieces of a minibatch, as if there were no others; the gradient stays that of all."""
    name = next(name for name, network in NETWORKS.items() if not network.mixes)
    few, theta = objective(NETWORKS[name], np.float64, weight_decay=0.1, key=None, cases=11)
    monkeypatch.setattr(pieces_page, "PIECE", 4)
    monkeypatch.setattr(pieces_page, "KEPT", kept * room_of(NETWORKS[name]))
    made, _ = objective(NETWORKS[name], np.float64, weight_decay=0.1, key=None, cases=11)
    rows, v, before = np.arange(11), np.zeros_like(theta), made.gradient(theta).copy()
    v[places(made.layout)] = 1
    for share, cases in ((0.01, 3), (0.4, 3), (0.6, 7), (1.0, 11)):
        few.at(rows[:cases], None)
        made.tally["curvature_products"][0] = 0
        assert made.value(theta, share) == pytest.approx(few.value(theta), rel=1e-12)
        for found, expected in (
            (made.curvature(theta, share)(v), few.curvature(theta)(v)),
            (made.gradient_squares(theta, share), few.gradient_squares(theta)),
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)
        assert made.tally["curvature_products"][0] == cases
    np.testing.assert_array_equal(made.gradient(theta), before)


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if not network.mixes])
def test_gradient_squares(name):
    """Against the gradient of each case alone."""
    made, theta = objective(NETWORKS[name], np.float64, weight_decay=0, key=None)
    found, expected = made.gradient_squares(theta).copy(), np.zeros_like(theta)
    for row in range(CASES):
        made.at(np.array([row]), None)
        expected += made.gradient(theta) ** 2 / CASES
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


def test_smaller_minibatches():
    """The workspace of a smaller minibatch is a view, and the mean is over its own cases."""
    network = NETWORKS["tanh-squared_error-plain"]
    made, theta = objective(network, np.float64, weight_decay=0, key=None)
    whole = made.gradient(theta).copy()
    parts = np.zeros_like(whole)
    for rows in (np.arange(4), np.arange(4, 6)):
        made.at(rows, None)
        parts += made.gradient(theta) * len(rows) / CASES
        assert made.outputs.shape == (len(rows), network.outputs)
        assert made.case_losses.shape == (len(rows),)
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-15)
    work = network.workspace(6, np.dtype(np.float32))
    assert all(np.shares_memory(a, work[0][n]) for n, a in rows_of(work, 2)[0].items())


@pytest.mark.parametrize("loss", [*LOSSES, MIXED])
def test_tally(loss):
    """Cases, summed loss, and wrong cases or squared error, over several minibatches."""
    made, theta = objective(NETWORKS[f"tanh-{word_of(loss)}-plain"], np.float64, key=None)
    cases = [np.arange(4), np.arange(4, 6)]
    losses, wrong, apart, error = 0.0, 0, 0, 0.0
    for rows in cases:
        made.at(rows, None)
        made.gradient(theta)
        a, t = made.outputs.copy(), made._pieces[0].t.copy()
        if loss == MIXED:
            unit_of(MIXED).hide(t, a)
        elif LOSSES[loss].mimics:
            labels, t = t[:, -1], t[:, :-1]
            apart += np.count_nonzero(a.argmax(axis=1) != t.argmax(axis=1))
            wrong += np.count_nonzero((a.argmax(axis=1) != labels) & (labels >= 0))
        else:
            wrong += np.count_nonzero(a.argmax(axis=1) != t.argmax(axis=1))
        error += ((a - t) ** 2).sum()
        made.value(theta)
        losses += made.case_losses.sum()
    assert made.tally["cases"][0] == CASES
    assert made.tally["loss"][0] == pytest.approx(losses, rel=1e-13)
    if loss_of(loss).counts == "wrong":
        assert made.tally["wrong"][0] == wrong
    elif loss_of(loss).mimics:
        assert made.tally["labelled"][0] == np.count_nonzero(case(made.network)[1][:, -1] >= 0) < CASES
        assert made.tally["apart"][0] == apart
        assert made.tally["wrong"][0] == wrong
    else:
        assert made.tally["squared_error"][0] == pytest.approx(error, rel=1e-13)


def test_weight_decay_leaves_biases_alone():
    network = NETWORKS["tanh-squared_error-plain"]
    free, theta = objective(network, np.float64, weight_decay=0.0)
    held, _ = objective(network, np.float64, weight_decay=0.3)
    difference = network.layout.views(held.gradient(theta) - free.gradient(theta))
    for name, view in network.layout.views(theta).items():
        np.testing.assert_allclose(difference[name], 0.3 * view if view.ndim == 2 else 0 * view, rtol=1e-9, atol=1e-15)
    squares = sum((view**2).sum() for view in network.layout.views(theta).values() if view.ndim == 2)
    assert held.value(theta) - free.value(theta) == pytest.approx(0.15 * squares, rel=1e-12)


@pytest.mark.parametrize("loss", ["squared_hinge", "cross_entropy"])
def test_decay_of_the_output_layer(loss):
    """Its value, gradient and curvature, in the whole too; a step within the product is the one along the gradient."""
    network = NETWORKS[f"tanh-{loss}-deep"]
    free, theta = objective(network, np.float64)
    held, _ = objective(network, np.float64, output_decay=0.5)
    top = f"{len(network.layers) - 1}.W"
    expected = network.layout.zeros(np.float64)
    network.layout.views(expected)[top][...] = 0.5 * network.layout.views(theta)[top]
    for one, other in ((held, free), (held.whole, free.whole)):
        assert one.value(theta) - other.value(theta) == pytest.approx(0.5 * expected @ theta, rel=1e-10)
        np.testing.assert_allclose(one.gradient(theta) - other.gradient(theta), expected, rtol=1e-8, atol=1e-14)
        found = one.curvature(theta)(theta) - other.curvature(theta)(theta)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-14)
    for dtype in (np.float64, np.float32):
        made, theta = objective(network, dtype, output_decay=0.5)
        moved, velocity = theta.copy(), np.zeros_like(theta)
        made.descend(moved, velocity, 0.1, 0.9)
        np.testing.assert_allclose(velocity, -0.1 * made.gradient(theta), rtol=1e-4, atol=1e-7)


def test_l1_leaves_biases_alone():
    """Its value and gradient; curvature has none of it; a step within the product is the one along the gradient."""
    network = NETWORKS["tanh-squared_error-dropout"]
    free, theta = objective(network, np.float64)
    held, _ = objective(network, np.float64, l1=0.3)
    difference = network.layout.views(held.gradient(theta) - free.gradient(theta))
    views = network.layout.views(theta)
    for name, view in views.items():
        np.testing.assert_allclose(difference[name], 0.3 * np.sign(view) * (view.ndim == 2), rtol=1e-9, atol=1e-15)
    magnitudes = sum(np.abs(view).sum() for view in views.values() if view.ndim == 2)
    for one, other in ((held, free), (held.whole, free.whole)):
        assert one.value(theta) - other.value(theta) == pytest.approx(0.3 * magnitudes, rel=1e-12)
    np.testing.assert_array_equal(held.curvature(theta)(theta), free.curvature(theta)(theta))
    for dtype in (np.float64, np.float32):
        made, theta = objective(network, dtype, l1=0.3)
        made.at(np.arange(CASES), 12)
        moved, velocity = theta.copy(), np.zeros_like(theta)
        made.descend(moved, velocity, 0.1, 0.9)
        np.testing.assert_allclose(velocity, -0.1 * made.gradient(theta), rtol=1e-4, atol=1e-7)


def test_project_limits_the_layers_that_move():
    network = NETWORKS["tanh-squared_error-dropout"]
    for dtype in (np.float64, np.float32):
        made, theta = objective(network, dtype, max_norm=(0.5, 0.7, 0.2))
        before, segments = theta.copy(), {s.name: s for s in network.layout.segments}
        made.spans = [(segments["4.W"].start, theta.size, 0.5)]
        made.project(theta)
        views, old = network.layout.views(theta), network.layout.views(before)
        for name, most in (("4.W", 0.7), ("6.W", 0.2)):
            lengths = np.sqrt((old[name] ** 2).sum(axis=0))
            assert (lengths > most).any()
            np.testing.assert_allclose(
                views[name], old[name] * np.minimum(1, most / lengths), rtol=1e-5 if dtype == np.float32 else 1e-12
            )
        for name in set(views) - {"4.W", "6.W"}:
            np.testing.assert_array_equal(views[name], old[name])
    made, theta = objective(network, np.float64)
    before = theta.copy()
    made.project(theta)
    np.testing.assert_array_equal(theta, before)


def test_the_objective_s_outputs_are_the_network_s():
    for name in ("relu-cross_entropy-deep", "softmax-binary_cross_entropy-plain"):
        network = NETWORKS[name]
        made, theta = objective(network, np.float64, key=None)
        made.value(theta)
        work = network.workspace(CASES, np.dtype(np.float64))
        np.testing.assert_allclose(
            made.outputs, network.forward(network.split(theta), work, made._pieces[0].x), rtol=1e-14
        )


def test_nothing_is_allocated_for_gradients():
    """The gradient lies in one array, which the next call overwrites; so does the product."""
    made, theta = objective(NETWORKS["tanh-squared_error-plain"], np.float32)
    assert made.gradient(theta) is made.gradient(theta)
    assert made.curvature(theta)(theta) is made.curvature(theta)(theta)
    assert not np.shares_memory(made.gradient(theta), made.curvature(theta)(theta))


def test_widths():
    network = NETWORKS["relu-cross_entropy-dropout"]
    assert network.widths == (5, 6, 4, 3)
    assert (network.inputs, network.outputs) == (5, 3)
    assert isinstance(NetworkObjective(network, lambda rows, x, t, key: None, 2).name, str)

"""Autoencoders of a stack: their gradient against differences of the cost written out, their steps, their noise."""

from dataclasses import replace

import numpy as np
import pytest

from deepnet.errors import UsageError
from deepnet.kernels import updates
from deepnet.nn.autoencoder import CURVED, HIDDEN, VISIBLE, Autoencoder, Restoration, Restoring, start
from deepnet.nn.corruptions import CORRUPTIONS, parse
from deepnet.nn.mixed import mixed_of
from deepnet.nn.rbm import RBM
from tests.nn import machines

KEY = 99
RULES = {
    "plain": Restoring(),
    "masking": Restoring("masking", 0.3),
    "emphasis": Restoring("salt_pepper", 0.4, whole=0.5),
    "gaussian": Restoring("gaussian", 0.2, weight_decay=0.1, l1=0.01),
    "sparse": Restoring(sparsity_target=0.1, sparsity_cost=0.5),
    "few": Restoring(sparsity_cost=0.5),
    "contractive": Restoring(contraction=0.3),
}
SHAPES = [(19, 7, 33), (3, 2, 1), (40, 17, 5)]


def units_of(visible, inputs):
    """Mixed units of that width, or the name itself."""
    if visible != "mixed":
        return visible
    return f"linear:{inputs - 7} logistic:2 softmax:3 softmax:2" if inputs > 7 else f"linear:1 softmax:{inputs - 1}"


def fits(hidden, name):
    """Whether the rule makes sense for these units."""
    return (name != "contractive" or hidden in CURVED) and (name != "sparse" or hidden == "logistic")


CASES = [(v, h, t, n) for v in (*VISIBLE, "mixed") for h in HIDDEN for t in (True, False) for n in RULES if fits(h, n)]


def made(model, rule, x, dtype=np.float32):
    objective = Restoration(model, lambda rows, out: out.__setitem__(..., x[rows]), len(x), rule, dtype)
    objective.at(np.arange(len(x)), KEY)
    return objective


def data(model, cases, seed=0):
    x = np.random.default_rng(seed).normal(size=(cases, model.inputs))
    if mixed := mixed_of(model.visible):  # a number, flags, and the rest a category
        own = [machines.data(RBM(width, 1, kind, "logistic"), cases, seed) for kind, width in mixed.runs]
        return np.hstack(own)
    return (1 / (1 + np.exp(-x)) if model.visible == "logistic" else x).astype(np.float32)


def parameters(model, dtype=np.float32, seed=1):
    rng = np.random.default_rng(seed)
    return model.layout.pack({s.name: 0.4 * rng.normal(size=s.shape) for s in model.layout.segments}, dtype)


def f(unit, z):
    return {"logistic": lambda: 1 / (1 + np.exp(-z)), "linear": lambda: z, "relu": lambda: np.maximum(z, 0),
            "tanh": lambda: np.tanh(z), "softplus": lambda: np.logaddexp(0, z), "hard_tanh": lambda: np.clip(z, -1, 1),
            "leaky_relu": lambda: np.maximum(z, 0.01 * z),
            "elu": lambda: np.where(z > 0, z, np.expm1(np.minimum(z, 0)))}[unit]()  # fmt: skip


def losses_of(visible, z, x):
    """Each element's, that of a category at its value."""
    if mixed := mixed_of(visible):
        pairs = zip(mixed.runs, mixed.spans, strict=True)
        return np.hstack([losses_of(kind, z[:, own], x[:, own]) for (kind, _), (_, own) in pairs])
    if visible == "softmax":
        return x * (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)
    return np.log1p(np.exp(z)) - x * z if visible == "logistic" else 0.5 * (z - x) ** 2


def cost(model, rule, theta, x):
    """All that is asked, case by case and written out: Vincent et al. 2010, Ng 2011, Rifai et al. 2011."""
    p = model.layout.views(theta)
    W, V = p["W"], p["W"].T if model.tied else p["V"]
    spoilt, touched = x.copy(), np.ones_like(x)
    if rule.corruption:
        CORRUPTIONS[rule.corruption][0](KEY, x, rule.level, spoilt, touched)
    z1 = spoilt @ W + p["b"]
    h = f(model.hidden, z1)
    z = h @ V + p["c"]
    for unit, own in mixed.spans if (mixed := mixed_of(model.visible)) else ():
        if unit.rowwise:  # a category is one thing
            touched[:, own] = touched[:, own].max(axis=1, keepdims=True)
    losses = losses_of(model.visible, z, x)
    total = (np.where(touched > 0, 1, rule.whole) * losses).sum() / len(x)
    for weights in (W,) if model.tied else (W, V):
        total += 0.5 * rule.weight_decay * (weights**2).sum() + rule.l1 * np.abs(weights).sum()
    if rule.sparsity_target is not None:
        t, m = rule.sparsity_target, h.mean(axis=0)
        total += rule.sparsity_cost * (t * np.log(t / m) + (1 - t) * np.log((1 - t) / (1 - m))).sum()
    else:
        total += rule.sparsity_cost * np.abs(h).sum() / len(x)
    if rule.contraction:
        slope = h * (1 - h) if model.hidden == "logistic" else 1 - h * h
        total += rule.contraction * sum(((slope[i] * W) ** 2).sum() for i in range(len(x))) / len(x)
    return total


@pytest.mark.promise("gradients")
@pytest.mark.parametrize(("visible", "hidden", "tied", "name"), CASES)
def test_gradient_is_that_of_the_cost(visible, hidden, tied, name):
    rule = RULES[name]
    for inputs, outputs, cases in SHAPES:
        model = Autoencoder(inputs, outputs, units_of(visible, inputs), hidden, tied)
        x, theta = data(model, cases).astype(np.float64), parameters(model, np.float64)
        found = made(model, rule, x, np.float64).gradient(theta).copy()
        expected, step = np.zeros_like(theta), 1e-5
        for s in model.layout.segments:
            width = s.shape[-1]
            stride = (s.stop - s.start) // (s.shape[0] if len(s.shape) == 2 else 1)
            for k in range(0, s.stop - s.start, max(1, (s.stop - s.start) // 40)):
                if k % stride < width:
                    both = []
                    for sign in (1, -1):
                        moved = theta.copy()
                        moved[s.start + k] += sign * step
                        both.append(cost(model, rule, moved, x))
                    expected[s.start + k] = (both[0] - both[1]) / (2 * step)
                    gap = abs(found[s.start + k] - expected[s.start + k])
                    assert gap <= 1e-6 * max(1, abs(expected[s.start + k])), (s.name, k)


@pytest.mark.parametrize(("visible", "hidden", "tied", "name"), CASES)
def test_float32_is_the_float64_one(visible, hidden, tied, name):
    model = Autoencoder(40, 17, units_of(visible, 40), hidden, tied)
    x, theta = data(model, 33), parameters(model)
    wide = made(model, RULES[name], x, np.float64).gradient(theta.astype(np.float64))
    found = made(model, RULES[name], x).gradient(theta)
    assert np.abs(found - wide).max() <= 1e-5 * max(1, np.abs(wide).max())


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("ahead", [True, False])
def test_a_step_is_a_gradient_and_momentum(name, tied, ahead):
    model = Autoencoder(40, 17, "logistic", "logistic", tied)
    x, theta = data(model, 33), parameters(model)
    velocity = parameters(model, seed=2) / np.float32(40)
    one, other = (theta.copy(), velocity.copy()), (theta.copy(), velocity.copy())
    made(model, RULES[name], x).descend(*one, 0.05, 0.9, ahead)
    updates.momentum(*other, made(model, RULES[name], x).gradient(theta), 0.05, 0.9, ahead)
    np.testing.assert_allclose(one[0], other[0], rtol=0, atol=2e-7)
    assert not np.array_equal(one[0], theta)


def test_tally():
    model = Autoencoder(19, 7, "logistic", "logistic")
    x, theta = data(model, 12), parameters(model)
    objective = made(model, RULES["plain"], x)
    objective.gradient(theta)
    assert objective.tally["cases"][0] == 12
    assert objective.tally["loss"][0] / 12 == pytest.approx(cost(model, Restoring(), theta.astype(float), x), rel=1e-5)
    assert objective.tally["hidden"].shape == (7,)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruption(name):
    """A function of the key, of about the level that was asked for, and of what it says it touched."""
    function, level, _ = CORRUPTIONS[name]
    x = np.random.default_rng(2).random((200, 300)).astype(np.float32)
    first, again, other, touched = (np.empty_like(x) for _ in range(4))
    function(1, x, level, first, touched)
    function(2, x, level, other, touched)
    function(1, x, level, again, touched)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert set(np.unique(touched)) <= {0, 1}
    np.testing.assert_array_equal(first[touched == 0], x[touched == 0])
    if name == "gaussian":
        noise = (first - x).astype(float)
        assert abs(noise.mean()) < 5 * level / 245
        assert noise.std() == pytest.approx(level, rel=0.02)
    else:
        assert touched.mean() == pytest.approx(level, abs=0.01)
        values = first[touched == 1]
        assert values.mean() == pytest.approx(0 if name == "masking" else 0.5, abs=0.02)
        assert set(np.unique(values)) == ({0} if name == "masking" else {0, 1})


def test_no_key_no_noise():
    model = Autoencoder(19, 7, "logistic", "logistic")
    x, theta = data(model, 12), parameters(model)
    noisy, plain = made(model, RULES["masking"], x), made(model, replace(RULES["masking"], corruption=None), x)
    with_noise = noisy.gradient(theta).copy()
    noisy.at(np.arange(12), None)
    np.testing.assert_array_equal(noisy.gradient(theta), plain.gradient(theta))
    assert not np.array_equal(with_noise, plain.gradient(theta))


def test_written_corruptions():
    assert parse("masking") == ("masking", 0.25)
    assert parse("gaussian:2") == ("gaussian", 2.0)
    for text in ("salt", "masking:1", "masking:-0.1", "masking:x", "masking:nan", "gaussian:inf", "salt_pepper:1.5"):
        with pytest.raises(UsageError, match="--corruption"):
            parse(text)


def test_start():
    model = Autoencoder(5, 3, "linear", "relu", tied=False)
    views = model.layout.views(start(model, np.ones((5, 3)), np.full((3, 5), 2.0)))
    assert (views["W"] == 1).all()
    assert (views["V"] == 2).all()
    assert not views["b"].any()
    assert not views["c"].any()

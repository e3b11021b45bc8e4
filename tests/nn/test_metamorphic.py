"""What must not change: units, columns and classes in another order, minibatches in parts, cases twice, inputs scaled.

A change of the problem has a known effect on its answer, though nobody knows the answer itself (Chen, Cheung and Yiu
1998, "Metamorphic testing"). Float64 is held to the rounding of sums; float32 to the bit, where no sum changes its
order.
"""

import numpy as np
import pytest

from deepnet.kernels.jit import ENABLED
from deepnet.nn.layers import BatchNorm, Dense, Maxout
from deepnet.nn.losses import LOSSES, loss_of
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.rbm import RBM, Chain, free_energy
from deepnet.optimizers import OPTIMIZERS
from deepnet.training import Course, Good, Meter, begin, fit
from tests.nn.machines import KINDS, PAIRS, data, divergence, parameters
from tests.nn.nets import CASES, INPUTS, NETWORKS, OUTPUTS, case, objective, places

STILL = [name for name, network in NETWORKS.items() if not network.mixes]


def turn(size, seed=3):
    """An order of so many things in which none has kept its place."""
    order = np.random.default_rng(seed).permutation(size)
    return np.roll(order, 1) if (order == np.arange(size)).any() and size < 3 else order


def moved(network, arrays, layer, order):
    """The arrays of a network whose units of one layer of weights stand in another order."""
    arrays = {name: a.copy() for name, a in arrays.items()}
    own = network.layers[layer]
    pieces = own.pieces if isinstance(own, Maxout) else 1
    columns = (np.arange(pieces)[:, None] * len(order) + order).ravel()
    for name in [name for name in arrays if name.startswith(f"{layer}.")]:
        arrays[name] = arrays[name][..., columns]
    above = next((i for i in range(layer + 1, len(network.layers)) if f"{i}.W" in arrays), None)
    if above is not None:
        arrays[f"{above}.W"] = arrays[f"{above}.W"][order]
    return arrays


def weighted(network):
    """Indices of the layers that have weights."""
    return [i for i, layer in enumerate(network.layers) if isinstance(layer, Dense | Maxout | BatchNorm)]


def close(found, expected, bound=1e-11):
    assert np.abs(np.asarray(found) - expected).max() <= bound * max(1, np.abs(expected).max())


def direction(layout):
    """A vector of normal numbers, padding left zero."""
    v = layout.zeros(np.float64)
    v[places(layout)] = np.random.default_rng(9).normal(size=layout.count)
    return v


def answers(made, theta, v):
    """All that an objective tells."""
    value, gradient = made.value(theta), made.gradient(theta).copy()
    outputs, product = made.outputs.copy(), made.curvature(theta)(v).copy()
    squares = None if made.network.mixes else made.gradient_squares(theta).copy()
    return value, outputs, gradient, product, squares


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("name", [name for name in NETWORKS if len(weighted(NETWORKS[name])) > 1])
def test_hidden_units_in_another_order(name):
    """Same value and outputs; gradients, curvature products and squares in that order. Without noise."""
    network = NETWORKS[name]
    made, theta = objective(network, np.float64, key=None)
    layout, v = made.layout, direction(made.layout)
    value, outputs, *vectors = answers(made, theta, v)
    for layer in weighted(network)[:-1]:
        order = turn(network.layers[layer].outputs)
        turned = lambda a: layout.pack(moved(network, layout.views(a), layer, order), np.float64)  # noqa: B023, E731
        other, other_outputs, *others = answers(made, turned(theta), turned(v))
        assert other == pytest.approx(value, rel=1e-12)
        close(other_outputs, outputs)
        for one, two in zip(vectors, others, strict=True):
            if one is not None:
                close(two, turned(one))
        if name.startswith("tanh-cross_entropy"):
            assert not np.allclose(others[0], vectors[0]), "the order makes no difference, so this proves nothing"


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("name", STILL)
def test_parts_of_a_minibatch_and_cases_twice(name):
    """A minibatch's value and gradient are the means of those of its parts; each case twice changes nothing."""
    made, theta = objective(NETWORKS[name], np.float64, key=None)
    v = direction(made.layout)

    def at(rows):
        made.at(np.array(rows), None)
        told = answers(made, theta, v)
        return [np.array(told[0]), *told[2:]]

    def sized(rows):
        twice = NetworkObjective(made.network, made._feed, len(rows), 0.01, np.float64)
        twice.at(np.array(rows), None)
        told = answers(twice, theta, v)
        return [np.array(told[0]), *told[2:]]

    whole = at(range(CASES))
    parts = [(rows, at(rows)) for rows in ([0, 1, 2, 3], [4], [5])]
    for n, expected in enumerate(whole):
        close(sum(len(rows) * told[n] for rows, told in parts) / CASES, expected)
    for one, two in zip(sized([0, 1, 2, 3, 4, 5] * 2), whole, strict=True):
        close(one, two)


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("name", NETWORKS)
def test_input_columns_in_another_order(name):
    """With the rows of the first weights in that order too, nothing else changes."""
    network, order = NETWORKS[name], turn(INPUTS)
    x, t = case(network)
    first = f"{weighted(network)[0]}.W"

    def told(x, arrays):
        made = NetworkObjective(network, lambda rows, a, b, key: (a.__setitem__(..., x), b.__setitem__(..., t)), CASES,
                                dtype=np.float64)  # fmt: skip
        made.at(np.arange(CASES), None)
        theta = made.layout.pack(arrays, np.float64)
        return made.value(theta), made.layout.unpack(made.gradient(theta))

    _, theta = objective(network, np.float64)
    arrays = network.layout.unpack(theta)
    value, gradient = told(x, arrays)
    other, changed = told(x[:, order], arrays | {first: arrays[first][order]})
    assert other == pytest.approx(value, rel=1e-12)
    for key, g in gradient.items():
        close(changed[key], g[order] if key == first else g)


def relabelled(t, order, loss):
    """Targets of classes in another order; a teacher's last column is the class of the label, below 0 for none."""
    if not loss_of(loss).mimics:
        return t[:, order]
    labels = t[:, -1].astype(int)
    return np.column_stack([t[:, :-1][:, order], np.where(labels >= 0, np.argsort(order)[labels], labels)])


def trained(network, optimizer, arrays, x, t, dtype):
    """Arrays after three epochs."""

    def feed(rows, a, b, key):
        a[...], b[...] = x[rows], t[rows]

    made = NetworkObjective(network, feed, 10, 1e-3, dtype, everything=len(x))
    theta = made.layout.pack(arrays, dtype)
    before = theta.copy()
    state = optimizer.init(theta) | begin()
    course = Course("test", len(x), len(x) if "full" in str(optimizer.needs) else 10, 3, 7)
    list(fit(made, optimizer, theta, state, Good(), course, lambda: None, Meter()))
    assert not np.array_equal(theta, before)
    return made.layout.unpack(theta)


def net(loss):
    return Network((Dense(INPUTS, 6, "tanh"), Dense(6, OUTPUTS, LOSSES[loss].unit)), loss)


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_classes_under_other_numbers(loss, optimizer):
    """After training the same net, its outputs in that order: to the accuracy that sums in another order allow."""
    network, rule = net(loss), OPTIMIZERS[optimizer]()
    x, t = case(network, 30)
    arrays, order = network.layout.unpack(objective(network, np.float64)[1]), turn(OUTPUTS)
    one = trained(network, rule, arrays, x, t, np.float64)
    other = trained(network, rule, moved(network, arrays, 1, order), x, relabelled(t, order, loss), np.float64)
    for key, a in moved(network, one, 1, order).items():
        close(other[key], a, 1e-7)


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "squared_error", "squared_hinge", "hinge"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad"])
def test_independent_outputs_keep_their_bits_under_other_numbers(loss, optimizer):
    """Without a layer below and without a sum over classes, float32 weights are the same to the bit.

    On some CPUs the bits of NumPy's products, which twins are made of, depend on where a column stands.
    """
    network = Network((Dense(INPUTS, 70, LOSSES[loss].unit),), loss)
    rng, order = np.random.default_rng(5), turn(70)
    x, t = rng.normal(size=(30, INPUTS)).astype(np.float32), rng.random((30, 70)).astype(np.float32)
    arrays = {"0.W": rng.normal(size=(INPUTS, 70)).astype(np.float32), "0.b": np.zeros(70, np.float32)}
    one = trained(network, OPTIMIZERS[optimizer](), arrays, x, t, np.float32)
    other = trained(network, OPTIMIZERS[optimizer](), moved(network, arrays, 0, order), x, t[:, order], np.float32)
    for key, a in moved(network, one, 0, order).items():
        if ENABLED:
            np.testing.assert_array_equal(other[key], a)
        else:
            np.testing.assert_allclose(other[key], a, rtol=1e-4, atol=1e-5)


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("power", [-3, 5])
def test_inputs_scaled_by_a_power_of_two(loss, power):
    """With the first weights scaled back: same outputs, and a gradient scaled alike, to the bit in float32."""
    network, factor = net(loss), np.float32(2.0**power)
    x, t = (a.astype(np.float32) for a in case(network))
    arrays = network.layout.unpack(objective(network, np.float32)[1])

    def told(x, arrays):
        made = NetworkObjective(network, lambda rows, a, b, key: (a.__setitem__(..., x), b.__setitem__(..., t)), CASES)
        made.at(np.arange(CASES), None)
        theta = made.layout.pack(arrays)
        return made.value(theta), made.outputs.copy(), made.layout.unpack(made.gradient(theta))

    value, outputs, gradient = told(x, arrays)
    other, others, changed = told(factor * x, arrays | {"0.W": arrays["0.W"] / factor})
    assert other == value
    np.testing.assert_array_equal(others, outputs)
    for key, g in gradient.items():
        np.testing.assert_array_equal(changed[key], g * (factor if key == "0.W" else 1))


def machine(visible, hidden, seed=1):
    """A machine, its arrays in float64, and values of its visibles."""
    made = RBM(7, 5, visible, hidden)
    theta = parameters(made, np.float64, size=0.7, seed=seed)
    return made, made.layout.unpack(theta), data(made, 9).astype(float)


def codes(made, arrays, v):
    """Hidden means and free energies."""
    found = np.zeros((len(v), made.outputs))
    Chain(made, len(v), np.float64).hidden_mean(arrays, v, found)
    return found, free_energy(made, arrays, v)


def contrast(made, arrays, v):
    """The CD-2 gradient, by one key."""
    held = divergence(made, v, 2, dtype=np.float64)
    return made.layout.unpack(held.gradient(made.layout.pack(arrays, np.float64)))


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize(("visible", "hidden"), PAIRS)
def test_units_of_a_machine_in_another_order(visible, hidden):
    """Hidden ones: permuted codes, same free energies. Visible ones: CD's gradient in that order too."""
    made, p, v = machine(visible, hidden)
    h, energy = codes(made, p, v)
    order = turn(made.outputs)
    found, other = codes(made, p | {"W": np.ascontiguousarray(p["W"][:, order]), "b": p["b"][order]}, v)
    close(found, h[:, order])
    close(other, energy)
    order = turn(made.inputs)
    turned = p | {"W": p["W"][order], "c": p["c"][order]}
    found, other = codes(made, turned, np.ascontiguousarray(v[:, order]))
    close(found, h)
    close(other, energy)
    one, two = contrast(made, p, v), contrast(made, turned, np.ascontiguousarray(v[:, order]))
    close(two["W"], one["W"][order])
    close(two["c"], one["c"][order])
    close(two["b"], one["b"])


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("hidden", KINDS)
def test_linear_visibles_moved(hidden):
    """v + t with c + t and b - t W is the same machine; what CD finds for W moves with the means."""
    made, p, v = machine("linear", hidden)
    t = np.linspace(-1, 2, made.inputs)
    moved = {"W": p["W"], "b": p["b"] - t @ p["W"], "c": p["c"] + t}
    for one, two in zip(codes(made, p, v), codes(made, moved, v + t), strict=True):
        close(two, one)
    one, two = contrast(made, p, v), contrast(made, moved, v + t)
    close(two["b"], one["b"])
    close(two["c"], one["c"])
    close(two["W"], one["W"] + np.outer(t, one["b"]))


@pytest.mark.promise("metamorphic")
@pytest.mark.parametrize("hidden", KINDS)
def test_logistic_visibles_turned_over(hidden):
    """1 - v with -W, -c and b + sum W is the same machine (Cho, Raiko and Ilin 2011, section 4)."""
    made, p, v = machine("logistic", hidden)
    turned = {"W": -p["W"], "b": p["b"] + p["W"].sum(axis=0), "c": -p["c"]}
    (h, energy), (found, other) = codes(made, p, v), codes(made, turned, 1 - v)
    close(found, h)
    close(other - energy, np.full(len(v), p["c"].sum()))
    one, two = contrast(made, p, v), contrast(made, turned, 1 - v)
    close(two["b"], one["b"])
    close(two["c"], -one["c"])
    close(two["W"], one["b"] - one["W"])


def test_a_planted_bug_is_seen(monkeypatch):
    """A loss that prefers a class by its number breaks the relation of classes."""
    from deepnet.kernels import outputs

    plain = outputs.finish

    def biased(kind, z, t, scale, a, d, d_t, value, error):
        plain(kind, z, t, scale, a, d, d_t, value, error)
        d[:, 0] += 1e-3 * scale
        d_t[...] = d.T

    monkeypatch.setattr(outputs, "finish", biased)
    with pytest.raises(AssertionError):
        test_classes_under_other_numbers("cross_entropy", "momentum")

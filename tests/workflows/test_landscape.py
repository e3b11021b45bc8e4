"""landscape: the network's own loss in the middle, directions as long as its weights, the same bits each time."""

import json

import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.kernels import jit
from deepnet.nn.layers import BatchNorm, Dense, Maxout
from deepnet.nn.network import Network
from deepnet.workflows import landscape, views

MIDDLE = len(landscape.STEPS) // 2


def view_of(path, data, label=None):
    return views.of(checkpoint.load(path), path, data, label, ())


@pytest.mark.parametrize("name", ["net", "coder", "house_net", "flower_net"])
def test_the_middle_is_the_network_and_the_numbers_are_written(name, request, call, tmp_path):
    path = request.getfixturevalue(name)
    source = request.getfixturevalue({"house_net": "houses", "flower_net": "flowers"}.get(name, "digits"))
    words = {"house_net": ["--label", "price"], "flower_net": ["--label", "kind, as told"]}.get(name, [])
    out = tmp_path / "n.json"
    done = call("visualize", path, source, *words, "--data-out", out, "--kind", "landscape", "--json")
    assert done.code == 0, done.err
    told, kind = json.loads(done.out), json.loads(out.read_text())["kinds"]["landscape"]
    loss = np.array(kind["loss"])
    assert loss.shape == (len(landscape.STEPS),) * 2
    assert kind["steps"][MIDDLE] == 0
    assert loss[MIDDLE, MIDDLE] == kind["middle"] == pytest.approx(told["landscape_loss"], rel=1e-6)
    assert kind["border"] == [min(loss[0].min(), loss[-1].min(), loss[:, [0, -1]].min()),
                              max(loss[0].max(), loss[-1].max(), loss[:, [0, -1]].max())]  # fmt: skip
    view = view_of(path, source, *words[1:])
    assert kind["cases"] == told["landscape_cases"] == min(len(view.cases), landscape.CASES)
    assert kind["middle"] == pytest.approx(own_loss(view), rel=1e-5)
    assert kind["border"][1] > kind["middle"]


def own_loss(view):
    """The mean loss by the network's outputs, in plain NumPy."""
    rows = view.evenly(landscape.CASES)
    x, a = view.rows(rows).astype(float), view.outputs[rows].astype(float)
    p = view.model.preparation
    if view.task == "classify":
        return -np.log(a[np.arange(len(rows)), view.cases.targets[rows]]).mean()
    if view.task == "regress":
        t = (view.cases.targets[rows].reshape(len(rows), -1) - p.target_offset) / p.target_scale
        return 0.5 * ((a - t) ** 2).sum(axis=1).mean()
    a = np.clip(a, 1e-12, 1 - 1e-7)
    return -(x * np.log(a) + (1 - x) * np.log(1 - a)).sum(axis=1).mean()


def test_directions_are_as_long_as_each_unit_s_weights_and_leave_biases():
    rng = np.random.default_rng(0)
    network = Network((Dense(9, 7, "relu"), Maxout(7, 5, 2), BatchNorm(5, 6, "tanh"), Dense(6, 3, "softmax")),
                      "cross_entropy")  # fmt: skip
    theta = network.layout.zeros()
    for part in network.layout.views(theta).values():
        part[...] = rng.normal(size=part.shape)
    network.layout.views(theta)["0.W"][:, 2] = 0  # a unit without weights does not move
    first, second = (landscape.direction(network, theta, key) for key in (1, 2))
    own = network.layout.views(theta)
    for name, part in network.layout.views(first).items():
        if part.ndim == 2:
            np.testing.assert_allclose(np.linalg.norm(part, axis=0), np.linalg.norm(own[name], axis=0), rtol=1e-5)
            assert not np.array_equal(part, network.layout.views(second)[name])
        else:
            assert not part.any()
    assert np.count_nonzero(first) < sum(part.size for part in own.values())  # padding stays 0


def test_a_point_of_the_surface_is_the_objective_there():
    """A bowl whose value at theta is known."""
    network = Network((Dense(2, 1, "linear"),), "squared_error")
    first, second = network.layout.zeros(), network.layout.zeros()
    theta = network.layout.zeros()
    network.layout.views(first)["0.W"][0, 0] = network.layout.views(second)["0.W"][1, 0] = 1

    class Bowl:
        layout = network.layout

        def value(self, at):
            x, y = (float(v) for v in network.layout.views(at)["0.W"][:, 0])
            return x**2 + 10 * y

    loss = landscape.surface(Bowl(), theta, first, second)
    a, b = np.meshgrid(landscape.STEPS, landscape.STEPS)
    np.testing.assert_allclose(loss, a**2 + 10 * b, atol=1e-5)


def test_the_same_bits_each_time_on_any_number_of_threads(net, digits):
    found = []
    for threads in (1, 2, 2):
        jit.set_threads(threads)
        found.append(landscape.landscape(view_of(net, digits))[1].tobytes())
    assert len(set(found)) == 1


def test_a_large_network_is_looked_at_with_fewer_cases(net, digits, monkeypatch):
    view = view_of(net, digits)
    monkeypatch.setattr(landscape, "PRODUCTS", 1)
    monkeypatch.setattr(landscape, "STEPS", np.arange(-1, 2))
    assert landscape.landscape(view)[-1] == landscape.FEWEST


@pytest.mark.filterwarnings("error")
def test_a_network_that_lost_its_numbers_has_gaps(net, digits):
    view = view_of(net, digits)
    view.model.arrays[0]["W"][0, 0] = np.inf
    loss = landscape.landscape(view)[1]
    assert not np.isfinite(loss).all()

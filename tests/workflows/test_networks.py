"""What a network begins with: an autoencoder cut at its code."""

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.nn.layers import Dense, Maxout
from deepnet.nn.network import Network
from deepnet.workflows import kinds

HOURGLASS = {"layers": (20, 4), "units": ("logistic", "linear"), "task": "reconstruct", "epochs": 1, "seed": 3}


def trained(*words, **settings):
    """The checkpoint of a run."""
    end = list(workflows.finetune(*words, **settings))[-1]
    assert end.outcome == "finished"
    return checkpoint.load(words[1])


@pytest.mark.parametrize("dropout", [(0.0,), (0.2,)])
def test_an_autoencoder_is_cut_at_its_code(dropout, digits, tmp_path):
    first, second = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    coder = trained(digits, first, dropout=dropout, **HOURGLASS)
    frozen = {"epochs": 1, "learning_rate": "1e-30", "momentum": "0"}
    net = trained(digits, second, start=first, task="classify", dropout=dropout, **frozen)
    widths = [784, 20, 4, 10]
    assert [784, *(layer.outputs for layer in net.model.layers if isinstance(layer, Dense))] == widths
    assert [layer.unit for layer in net.model.layers if isinstance(layer, Dense)] == ["logistic", "linear", "softmax"]
    below = [own for own in coder.arrays if own][:2]
    for own, kept in zip([own for own in net.arrays if own], below, strict=False):
        np.testing.assert_allclose(own["W"], kept["W"], atol=1e-6)
        np.testing.assert_allclose(own["b"], kept["b"], atol=1e-6)


def test_a_better_code_makes_a_better_classifier(digits, tmp_path):
    """Trained on, the cut network learns its training cases."""
    first, second = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    trained(digits, first, **(HOURGLASS | {"epochs": 5}), optimizer="cg", batch_size=250)
    trained(digits, second, start=first, task="classify", epochs=30, optimizer="cg", batch_size=250)
    assert workflows.evaluate(second, digits, split="train")["error"] < 0.2


def test_units_of_every_kind_make_a_network_that_does_all(digits, call, cut, finish, tmp_path):
    """Trained from random weights, also cut and resumed, in both tasks; evaluated, told, drawn."""
    path, units = tmp_path / "net.h5", "maxout:3,leaky_relu,elu,hard_tanh,square,softplus,maxout"
    settings = {"layers": (20, 12, 10, 9, 8, 8, 6), "units": tuple(units.split(",")), "learning_rate": "0.01"}
    settings |= {"epochs": 2, "dropout": (0.1,)}
    finish(workflows.finetune(digits, str(tmp_path / "once.h5"), **settings))
    finish(workflows.finetune(digits, str(path), stop=cut(7), **settings))
    assert not checkpoint.load(str(path)).complete
    finish(workflows.finetune(digits, str(path), resume=True, **settings))
    assert path.read_bytes() == (tmp_path / "once.h5").read_bytes()
    model = checkpoint.load(str(path))
    made = [layer for layer in model.model.layers if isinstance(layer, Dense | Maxout)]
    assert ",".join(layer.unit for layer in made) == units + ":5,softmax"
    assert model.model.widths == (784, 20, 12, 10, 9, 8, 8, 6, 10)
    assert model.arrays[0]["W"].shape == (784, 60)
    assert call("evaluate", path, digits).code == 0
    assert "maxout:3" in call("inspect", path, "--json").out
    assert call("visualize", path, digits, "-o", f"{tmp_path}/pictures/").code == 0
    words = ["--layers", "9,4", "--units", "maxout:2,square", "--task", "reconstruct", "--epochs", "1"]
    assert call("finetune", digits, "-o", tmp_path / "coder.h5", *words).code == 0
    assert checkpoint.load(str(tmp_path / "coder.h5")).model.layers[2] == Maxout(4, 9, 2)
    assert call("visualize", tmp_path / "coder.h5", digits, "-o", f"{tmp_path}/pictures/", "--force").code == 0


def test_pieces_are_drawn_one_by_one(digits, tmp_path):
    """Each with the bound of its own fan-in and fan-out, and no two alike."""
    net = trained(digits, str(tmp_path / "a.h5"), layers=(30,), units=("maxout:4",), epochs=1, learning_rate="1e-30")
    pieces = net.arrays[0]["W"].reshape(784, 4, 30).transpose(1, 0, 2)
    bound = np.sqrt(6 / (784 + 30))
    assert all(0.99 * bound < np.abs(piece).max() <= 1.0001 * bound for piece in pieces)
    assert len({piece.tobytes() for piece in pieces}) == 4


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ("maxout:1", "is not from 2 to 100"),
        ("maxout:", "is not a whole number"),
        ("relu:2", "did you mean 'relu'?"),
        ("maxuot", "did you mean 'maxout'?"),
    ],
)
def test_wrong_pieces_are_refused(units, told, digits, call, tmp_path):
    done = call("finetune", digits, "--layers", "5", "--units", units, "-o", tmp_path / "n.h5")
    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_a_maxout_s_filters_are_its_pieces(tmp_path):
    """Those of a unit side by side; for the layer above it counts as their mean."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(4, 6)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    layers = Maxout(4, 3, 2), Dense(3, 2, "softmax")
    arrays = [{"W": first, "b": np.zeros(6, np.float32)}, {"W": second, "b": np.zeros(2, np.float32)}]
    ones = np.ones(4, np.float32)
    preparation = checkpoint.Preparation("none", ones, ones, (2, 2), ("a", "b"))
    model = checkpoint.Checkpoint(Network(layers, "cross_entropy"), arrays, preparation, {})
    (below, above), shape = kinds.KINDS["filters"].arrays(kinds.View(model, "classify"))
    assert shape == (2, 2)
    assert below[0] == "layer 1: 3 units of 2 pieces"
    np.testing.assert_array_equal(below[1], first.T[[0, 3, 1, 4, 2, 5]])
    np.testing.assert_allclose(above[1], ((first[:, :3] + first[:, 3:]) / 2 @ second).T, rtol=1e-5, atol=1e-6)

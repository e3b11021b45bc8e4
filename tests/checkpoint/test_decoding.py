"""What decoding takes and refuses beside tests/test_checkpoint.py: statistics of layers, names of columns."""

import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.checkpoint import Checkpoint, Preparation
from deepnet.errors import ModelError
from deepnet.nn.autoencoder import Autoencoder
from deepnet.nn.layers import BatchNorm, Dense
from deepnet.nn.rbm import RBM
from deepnet.nn.stack import Stack
from tests.test_checkpoint import agree, network_of


def normalized(**more):
    """A network with batch normalisation, its population statistics among its arrays."""
    layers = BatchNorm(5, 4, "relu"), Dense(4, 3, "softmax")
    model = network_of(layers, "cross_entropy", 3, classes=("a", "b", "c"), **more)
    model.arrays[0] |= {name: np.ones(shape, np.float32) for name, shape in layers[0].statistics().items()}
    return model


def saved(model, folder):
    path = str(folder / "a.h5")
    checkpoint.save(path, model)
    return path


def test_statistics_of_a_layer(tmp_path):
    agree(checkpoint.load(saved(normalized(), tmp_path)), normalized())


@pytest.mark.parametrize("value", [-1e-30, -2.0])
def test_a_variance_below_0_is_refused(value, tmp_path):
    model = normalized()
    model.arrays[0]["variance"][2] = value
    with pytest.raises(ModelError, match="layer 1 has units of variance below 0"):
        checkpoint.load(saved(model, tmp_path))


def test_a_variance_of_0_is_a_dead_unit_s(tmp_path):
    model = normalized()
    model.arrays[0]["variance"][2] = 0
    agree(checkpoint.load(saved(model, tmp_path)), model)


def test_missing_statistics_are_refused(tmp_path):
    model = normalized()
    del model.arrays[0]["mean"]
    with pytest.raises(ModelError, match="unexpected names or shapes"):
        checkpoint.load(saved(model, tmp_path))


def test_names_of_columns(tmp_path):
    model = normalized(columns=("a", "b b", "ü", "1", "x" * 300))
    agree(checkpoint.load(saved(model, tmp_path)), model)


@pytest.mark.parametrize("columns", [("a", "b"), tuple("abcdef")])
def test_names_of_other_columns_are_refused(columns, tmp_path):
    with pytest.raises(ModelError, match="names of columns that do not fit its 5 inputs"):
        checkpoint.load(saved(normalized(columns=columns), tmp_path))


MIXED = "linear:2 logistic:1 softmax:2"


def stack_of(*layers):
    """A stack of layers of ones."""
    arrays = [{s.name: np.ones(s.shape, np.float32) for s in layer.layout.segments} for layer in layers]
    width = layers[0].inputs
    preparation = Preparation("none", np.zeros(width, np.float32), np.ones(width, np.float32), (width,))
    return Checkpoint(Stack(layers), arrays, preparation, {"seed": 0})


def autoencoder(unit=MIXED, hidden="logistic", loss=MIXED):
    return network_of((Dense(5, 3, hidden), Dense(3, 5, unit)), loss, 5)


def test_mixed_units(tmp_path):
    agree(checkpoint.load(saved(autoencoder(), tmp_path)), autoencoder())


WRONG = {
    "other widths": autoencoder("linear:2 logistic:1 softmax:3"),
    "another loss": autoencoder(loss="linear:3 softmax:2"),
    "a loss of one kind": autoencoder(loss="squared_error"),
    "units of one kind": autoencoder("linear"),
    "no such type": autoencoder("relu:2 logistic:1 softmax:2", loss="relu:2 logistic:1 softmax:2"),
    "hidden": autoencoder(hidden="linear:1 softmax:2"),
    "a type as the loss": autoencoder("relu", loss="relu"),
    "endless": autoencoder("softmax:1 " * 4000 + "softmax:1", loss="softmax:1 " * 4000 + "softmax:1"),
    "another width": network_of((Dense(4, 3, "tanh"), Dense(3, 5, MIXED)), MIXED, 5),
    "machine": stack_of(RBM(5, 3, "linear:2 softmax:2", "logistic")),
    "hidden of a machine": stack_of(RBM(5, 3, "linear", "linear:1 softmax:2")),
    "above": stack_of(RBM(4, 5, "linear", "logistic"), RBM(5, 3, MIXED, "logistic")),
    "autoencoder above": stack_of(Autoencoder(4, 5, "linear", "tanh"), Autoencoder(5, 3, MIXED, "tanh")),
}


@pytest.mark.parametrize("model", WRONG.values(), ids=WRONG)
def test_mixed_units_that_do_not_fit_are_refused(model, tmp_path):
    with pytest.raises(ModelError):
        checkpoint.load(saved(model, tmp_path))


@pytest.mark.parametrize("layer", [RBM(5, 3, MIXED, "relu"), Autoencoder(5, 3, MIXED, "tanh")])
def test_a_layer_of_mixed_visible_units(layer, tmp_path):
    agree(checkpoint.load(saved(stack_of(layer), tmp_path)), stack_of(layer))

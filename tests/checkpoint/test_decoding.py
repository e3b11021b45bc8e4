"""What decoding takes and refuses beside tests/test_checkpoint.py: statistics of layers, names of columns."""

import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.errors import ModelError
from deepnet.nn.layers import BatchNorm, Dense
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

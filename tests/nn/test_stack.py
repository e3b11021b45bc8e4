"""A trained stack as a network: with dropout, unrolled into an autoencoder, with the loss of its data's units."""

import numpy as np
import pytest

from deepnet.errors import UsageError
from deepnet.nn.layers import Dense, Dropout, Noise
from deepnet.nn.losses import LOSSES
from deepnet.nn.rbm import RBM
from deepnet.nn.stack import Stack, encoder, loss_for, unroll, with_noise
from tests.nn.machines import parameters

STACK = Stack((RBM(12, 7, "logistic", "logistic"), RBM(7, 5, "logistic", "relu"), RBM(5, 2, "relu", "linear")))
ARRAYS = [rbm.layout.unpack(parameters(rbm, seed=k)) for k, rbm in enumerate(STACK.layers)]


def test_widths_and_encoder():
    assert STACK.widths == (12, 7, 5, 2)
    assert encoder(STACK) == (Dense(12, 7, "logistic"), Dense(7, 5, "relu"), Dense(5, 2, "linear"))


def test_unrolled_is_the_way_up_and_down():
    network, weights = unroll(STACK, ARRAYS)
    assert network.widths == (12, 7, 5, 2, 5, 7, 12)
    assert network.loss == "binary_cross_entropy"
    theta = network.layout.pack({f"{i}.{n}": a for i, part in enumerate(weights) for n, a in part.items()})
    v = np.random.default_rng(1).random((9, 12)).astype(np.float32)
    work = network.workspace(9, np.dtype(np.float32))
    found = network.forward(network.split(theta), work, v)
    x = v.astype(float)
    functions = {"logistic": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(0, z), "linear": lambda z: z}
    for rbm, a in zip(STACK.layers, ARRAYS, strict=True):
        x = functions[rbm.hidden](x @ a["W"] + a["b"])
    np.testing.assert_allclose(work[2]["a"], x, rtol=1e-4, atol=1e-5)
    for rbm, a in zip(STACK.layers[::-1], ARRAYS[::-1], strict=True):
        x = functions[rbm.visible](x @ a["W"].T + a["c"])
    np.testing.assert_allclose(found, x, rtol=1e-4, atol=1e-5)


def test_noise_and_dropout_go_before_layers_that_want_them():
    layers = with_noise(encoder(STACK), (0.1, 0.3, 0), (0.2, 0, 0.5))
    assert layers == (
        Noise(12, 0.1),
        Dropout(12, 0.2),
        Dense(12, 7, "logistic"),
        Noise(7, 0.3),
        Dense(7, 5, "relu"),
        Dropout(5, 0.5),
        Dense(5, 2, "linear"),
    )


def test_loss_for_output_units():
    """The matching one, whatever others the unit has."""
    for name in ("cross_entropy", "binary_cross_entropy", "squared_error"):
        assert loss_for(LOSSES[name].unit) == name
    with pytest.raises(UsageError, match=r"no loss matches relu.*softmax, logistic, linear"):
        loss_for("relu")

"""Makes the golden files: one model of each kind in checkpoint format 1, from numbers that are exact in float32.

They are made once for each format version and stay as they are; today's reader must read all of them.
`python tests/golden/make.py FOLDER` writes them into another folder than this one.
"""

import sys
from pathlib import Path

import numpy as np

from deepnet.checkpoint import Checkpoint, Preparation, save
from deepnet.nn.layers import Dense, Dropout
from deepnet.nn.network import Network
from deepnet.nn.rbm import RBM
from deepnet.nn.stack import Stack


def numbers(*shape):
    """(-3, -2, ... 4) / 8, again and again, in this shape."""
    return ((np.arange(np.prod(shape)) % 8 - 3) / 8).astype(np.float32).reshape(shape)


def stack():
    """A cut run of a stack 4-3-2: the first layer done, the second at minibatch 5 of epoch 1."""
    machines = RBM(4, 3, "linear", "logistic"), RBM(3, 2, "logistic", "softmax")
    arrays = [{"W": numbers(m.inputs, m.outputs), "b": numbers(m.outputs), "c": numbers(m.inputs)} for m in machines]
    preparation = Preparation("standard", numbers(4), numbers(4) + 1, (2, 2))
    config = {"command": "pretrain", "layers": [3, 2], "seed": 18446744073709551615, "valid": "none"}
    history = {"layer 1": {"reconstruction_error": np.array([2.5, 1.25])}}
    train = {
        "layer": np.array([1]),
        "position": np.array([1, 5]),
        "velocity": numbers(32),
        "tally/loss": np.array([0.5]),
    }
    return Checkpoint(
        Stack(machines), arrays, preparation, config, history, {"data": "0" * 64, "data_name": "made"}, train
    )


def network():
    """A finished classifier 3-4-2 with dropout below its output, and names of classes beyond ASCII."""
    layers = Dense(3, 4, "relu"), Dropout(4, 0.25), Dense(4, 2, "softmax")
    arrays = [{"W": numbers(3, 4), "b": numbers(4)}, {}, {"W": numbers(4, 2), "b": numbers(2)}]
    preparation = Preparation("unit", numbers(3), numbers(3) + 1, (3,), ("früh, klein", "late"))
    history = {"fine-tuning": {"training_loss": np.array([1.0, 0.5]), "validation_error": np.array([0.25, 0.125])}}
    provenance = {"data": "1" * 64, "data_name": "made", "parent": "2" * 64, "best_epoch": 2}
    config = {"command": "finetune", "task": "classify", "epochs": 2, "seed": 7, "valid": "0.1"}
    return Checkpoint(Network(layers, "cross_entropy"), arrays, preparation, config, history, provenance)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    for made in (stack, network):
        save(str(folder / f"{made.__name__}-1.h5"), made())

"""Small models of every unit, layer, loss and preparation: what an export must say."""

import numpy as np

from deepnet.checkpoint import Checkpoint, Preparation, Projection
from deepnet.nn import stack
from deepnet.nn.autoencoder import HIDDEN, Autoencoder
from deepnet.nn.layers import BatchNorm, Dense, Dropout, Maxout, Noise, of_units
from deepnet.nn.losses import LOSSES, loss_of
from deepnet.nn.network import Network
from deepnet.nn.rbm import RBM
from deepnet.nn.stack import Stack
from deepnet.nn.units import UNITS

COLUMNS, OUTPUTS = 6, 3
OWN = [name for name, loss in LOSSES.items() if not loss.mimics]  # losses that a network may have


def _arrays(layer, rng):
    """A layer's arrays, of the size they have after training, and statistics where it has such."""
    arrays = {name: rng.normal(0, 0.7, shape).astype(np.float32) for name, shape in layer.shapes().items()}
    if isinstance(layer, BatchNorm):
        arrays["mean"] = rng.normal(0, 1, layer.outputs).astype(np.float32)
        arrays["variance"] = rng.uniform(0.1, 3, layer.outputs).astype(np.float32)
    return arrays


def preparation(**more):
    rng = np.random.default_rng(1)
    offset, scale = rng.normal(0, 2, COLUMNS), rng.uniform(0.5, 3, COLUMNS)
    return Preparation("standard", offset.astype(np.float32), scale.astype(np.float32), (COLUMNS,), **more)


def network(layers, loss="squared_error", prepared=None):
    """A model file's contents; a classifier's with names for its classes."""
    rng = np.random.default_rng(2)
    prepared = prepared or preparation()
    if loss_of(loss).counts == "wrong":
        prepared = preparation(classes=("no", 'say "yes"', 'it\'s """ \\'))
    elif loss == "svdd":
        prepared = preparation(centre=np.array([0.5, -1, 2], np.float32))
    arrays = [_arrays(layer, rng) for layer in layers]
    return Checkpoint(Network(tuple(layers), loss), arrays, prepared, {}, digest="ab" * 32)


def _stack(layers):
    shapes = [layer.layout.unpack(layer.layout.zeros(np.float32)) for layer in layers]
    rng = np.random.default_rng(3)
    own = [{n: rng.normal(0, 0.7, a.shape).astype(np.float32) for n, a in arrays.items()} for arrays in shapes]
    return Checkpoint(Stack(tuple(layers)), own, preparation(), {}, digest="cd" * 32)


def _bodies():
    top = Dense(4, OUTPUTS, "linear")
    for unit in (*UNITS, "maxout:3", "maxout"):
        yield unit, network((of_units(unit, COLUMNS, 5), of_units(unit, 5, 4), top))
        if unit in UNITS:
            yield f"batchnorm {unit}", network((BatchNorm(COLUMNS, 5, unit), BatchNorm(5, 4, unit), top))
    noisy = Dropout(COLUMNS, 0.5), Noise(COLUMNS, 1.0), Dense(COLUMNS, 4, "tanh"), Noise(4, 1.0), Dropout(4, 0.5), top
    yield "dropout and noise", network(noisy)
    yield "without biases", network((Dense(COLUMNS, 4, "relu", False), Dense(4, OUTPUTS, "linear", False)))
    yield "one layer", network((Dense(COLUMNS, OUTPUTS, "linear"),))
    yield "two pieces", network((Maxout(COLUMNS, 4, 2), Dense(4, OUTPUTS, "linear")))
    mixed = "linear:2 logistic:1 softmax:3"
    yield "mixed", network((Dense(COLUMNS, 4, "logistic"), Dense(4, COLUMNS, mixed)), mixed)
    for loss in OWN:
        yield loss, network((Dense(COLUMNS, 4, "logistic"), Dense(4, OUTPUTS, LOSSES[loss].unit)), loss)


def _preparations():
    rng = np.random.default_rng(4)
    mean, matrix = rng.normal(0, 1, COLUMNS).astype(np.float32), rng.normal(0, 1, (COLUMNS, 4)).astype(np.float32)
    whitened = Projection("zca", mean, matrix @ matrix.T)
    for name, projection in {"pca": Projection("pca", mean, matrix), "zca": whitened, "all": None}.items():
        for contrast in (None, "l1", "l2"):
            width = COLUMNS if projection is None else projection.matrix.shape[1]
            prepared = preparation(contrast=contrast, projection=projection)
            yield f"{name} {contrast}", network((Dense(width, 4, "tanh"), Dense(4, 2, "linear")), prepared=prepared)
    targets = {"target_offset": np.array([100, -2], np.float32), "target_scale": np.array([25, 0.1], np.float32)}
    layers = Dense(COLUMNS, 4, "tanh"), Dense(4, 2, "linear")
    yield "regressor", network(layers, prepared=preparation(columns=tuple("abcdef"), **targets))


def _stacks():
    yield "machines", _stack((RBM(COLUMNS, 5, "linear", "relu"), RBM(5, 4, "relu", "logistic")))
    yield "softmax machine", _stack((RBM(COLUMNS, 5, "linear", "softmax"),))
    for unit in HIDDEN:
        layers = Autoencoder(COLUMNS, 5, "linear", unit), Autoencoder(5, 4, "logistic", unit, False)
        yield f"autoencoders {unit}", _stack(layers)


def _coders():
    model = dict(_stacks())["machines"]
    unrolled, arrays = stack.unroll(model.model, model.arrays)
    yield "coder", Checkpoint(unrolled, arrays, preparation(), {}, digest="ef" * 32)


MODELS = dict(_bodies()) | dict(_preparations()) | dict(_stacks()) | dict(_coders())
_draws = np.random.default_rng(5).normal(0, 3, (40, COLUMNS))
CASES = np.vstack([_draws, np.zeros((1, COLUMNS)), np.full((1, COLUMNS), 7)]).astype(np.float32)


def close(found, ours):
    """Whether they agree to 1e-5 of the size that outputs have."""
    assert found.shape == ours.shape
    return np.abs(found - ours).max() <= 1e-5 * max(1.0, np.abs(ours).max())

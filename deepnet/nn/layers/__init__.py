"""LAYERS: what a network is made of.

A layer is settings only; its parameters lie in theta, its arrays in the run's workspace.

Axes: B cases, M inputs, N outputs; `_t` marks an array stored transposed. Activations travel upwards straight, (B,
N). Gradients travel downwards as a pending product (W, d_t, mask) that the layer below multiplies out with its own
slope, so that the product, dropout's mask and the chain rule are one kernel. A layer without parameters passes it on.

p and g are the layer's own arrays in theta and in the gradient, w its workspace for the current minibatch; those of its
arrays that are `lasting`, (B, N) or one row (1, N), belong to the cases until parameters change, the others are free
between two methods. Batch normalisation finds in p the statistics of the training cases where these are to be used.
A layer is `bare` if its passes are kernels that are launched (`kernels.tape`), and nothing besides.
"""

from ...errors import UsageError
from ..units import UNITS
from .affine import Arrays, Key, Pair, Pending
from .batchnorm import BatchNorm
from .dense import Dense
from .dropout import Dropout
from .maxout import MOST_PIECES, Maxout
from .noise import Noise

__all__ = [
    "LAYERS",
    "MOST_PIECES",
    "Arrays",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Key",
    "Layer",
    "Maxout",
    "Noise",
    "Pair",
    "Pending",
    "Weighted",
    "of_units",
]

Weighted = Dense | Maxout | BatchNorm  # layers of units, which have weights
Layer = Weighted | Dropout | Noise
LAYERS: dict[str, type[Dense] | type[Dropout] | type[Noise] | type[Maxout] | type[BatchNorm]] = {
    "dense": Dense,
    "dropout": Dropout,
    "noise": Noise,
    "maxout": Maxout,
    "batchnorm": BatchNorm,
}


def of_units(text: str, inputs: int, outputs: int) -> Weighted:
    """A layer of the units that `text` names: one of UNITS, `maxout`, or `maxout:PIECES`; UsageError for others."""
    name, sign, number = text.partition(":")
    if text in UNITS:
        return Dense(inputs, outputs, text)
    if name != "maxout":
        raise UsageError(f"--units {text}: there are no such units; use one of {', '.join(UNITS)}, maxout, maxout:3")
    if not sign:
        return Maxout(inputs, outputs)
    if not number.isdecimal() or not 2 <= int(number) <= MOST_PIECES:
        raise UsageError(f"--units {text}: maxout has 2 to {MOST_PIECES} pieces a unit; write for example maxout:3")
    return Maxout(inputs, outputs, int(number))

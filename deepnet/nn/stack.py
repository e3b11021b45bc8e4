"""A greedily trained stack of machines or autoencoders, turned into a network.

With an output layer on top, or unrolled into an autoencoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .autoencoder import Autoencoder
from .layers import Dense, Dropout, Layer, Noise, Weighted
from .losses import loss_for
from .network import Network
from .rbm import RBM

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Stack:
    """Machines or autoencoders from the data up; what one sees are the hidden units of the one below."""

    layers: tuple[RBM | Autoencoder, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Units layer by layer, from the inputs up."""
        return (self.layers[0].inputs, *(rbm.outputs for rbm in self.layers))


def encoder(stack: Stack) -> tuple[Dense, ...]:
    """The stack's way up as layers of a network."""
    return tuple(Dense(rbm.inputs, rbm.outputs, rbm.hidden) for rbm in stack.layers)


def with_noise(layers: Sequence[Weighted], deviations: Sequence[float], rates: Sequence[float]) -> tuple[Layer, ...]:
    """Gaussian noise, then dropout, before each layer of units, of its deviation and rate; none where that is 0."""
    out: list[Layer] = []
    for layer, deviation, rate in zip(layers, deviations, rates, strict=True):
        out += [Noise(layer.inputs, deviation)] if deviation else []
        out += [Dropout(layer.inputs, rate)] if rate else []
        out.append(layer)
    return tuple(out)


def hourglass(stack: Stack, arrays: Sequence[Arrays]) -> tuple[tuple[Dense, ...], list[Arrays]]:
    """The stack's way up and down again, and its layers' W and b: down with W' or V, and the visible biases.

    On the way down units are those of the way up.
    """
    units = [stack.layers[0].visible, *(layer.hidden for layer in stack.layers)]
    down = [Dense(layer.outputs, layer.inputs, unit) for layer, unit in zip(stack.layers, units, strict=False)]
    weights = [{"W": a["W"], "b": a["b"]} for a in arrays]
    back = [{"W": a.get("V", a["W"].T), "b": a["c"]} for a in arrays]
    return (*encoder(stack), *reversed(down)), weights + back[::-1]


def unroll(stack: Stack, arrays: Sequence[Arrays]) -> tuple[Network, list[Arrays]]:
    """A deep autoencoder and its layers' W and b; up and down are untied from here on.

    The loss is the one that matches the data's units. Source: Hinton and Salakhutdinov 2006.
    """
    layers, weights = hourglass(stack, arrays)
    return Network(layers, loss_for(stack.layers[0].visible)), weights

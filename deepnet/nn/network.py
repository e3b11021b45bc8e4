"""A feed-forward network: layers in order, and the loss that it is measured by.

An autoencoder is a network whose targets are its inputs; there is no other class for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..kernels.operands import Lister
from .layers import BatchNorm, Key, Layer, Weighted
from .parameters import Layout

NONE: Mapping = {}


@dataclass(frozen=True)
class Network:
    """Layers in order, the last one dense with the loss's matching output unit."""

    layers: tuple[Layer, ...]
    loss: str

    @cached_property
    def layout(self) -> Layout:
        """theta's layout; layer i's array W is named `i.W`."""
        shapes = {f"{i}.{name}": shape for i, layer in enumerate(self.layers) for name, shape in layer.shapes().items()}
        return Layout.of(shapes)

    @property
    def inputs(self) -> int:
        """Width of a case."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Number of output units."""
        return self.layers[-1].outputs

    @property
    def widths(self) -> tuple[int, ...]:
        """Units layer by layer, from the inputs up, as in 784-500-10."""
        return (self.inputs, *(layer.outputs for layer in self.layers if isinstance(layer, Weighted)))

    def split(self, theta: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Each layer's own arrays in theta."""
        parts: list[dict[str, np.ndarray]] = [{} for _ in self.layers]
        for name, view in self.layout.views(theta).items():
            index, _, own = name.partition(".")
            parts[int(index)][own] = view
        return parts

    @property
    def mixes(self) -> bool:
        """Whether a case's outputs depend on the others of its minibatch."""
        return any(isinstance(layer, BatchNorm) for layer in self.layers)

    def workspace(self, cases: int, dtype: np.dtype) -> list[dict[str, np.ndarray]]:
        """Every layer's arrays for minibatches of at most `cases` cases."""
        return [layer.workspace(cases, dtype) for layer in self.layers]

    def forward(
        self,
        parts: list,
        work: list,
        x: np.ndarray,
        keys: Mapping[int, Key] = NONE,
        listers: Mapping[int, Lister] = NONE,
    ) -> np.ndarray:
        """Outputs (B, N) for x (B, M). Without a key of its number a layer draws nothing: dropout passes its input on.

        What layers see is listed by the `listers` of their numbers.
        """
        for i, layer in enumerate(self.layers):
            x = listers[i].of(x) if i in listers else x
            x = layer.forward(parts[i], work[i], x, keys.get(i))
        return x

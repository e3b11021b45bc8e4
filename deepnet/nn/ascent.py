"""What input a unit likes best: gradient ascent on its input z over all cases of one length.

Source: Erhan, Bengio, Courville and Vincent 2009, "Visualizing higher-layer features of a deep network", section 3.2.
Axes: K units, each with a case of its own; M inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..kernels import operands, products
from .layers import Dense, Pending, Weighted
from .layers.affine import LINEAR
from .layers.batchnorm import BatchNorm
from .network import Network

STEPS = 40
FIRST, LAST = 0.5, 0.05  # length of a step, in lengths of the case


def ascend(
    network: Network, parts: Sequence[Mapping[str, np.ndarray]], units: np.ndarray, start: np.ndarray, length: float
) -> np.ndarray:
    """(K, M): for each of these units of the last layer a case of this Euclidean length that its z is largest for.

    start (K, M) are the cases to begin with. The way up is followed by the gradient's direction alone, in steps that
    grow shorter, so that units of any scale are served; where a unit has no gradient its case stays. Maxout's z is that
    of its largest piece.
    """
    top = network.layers[-1]
    layers = (*network.layers[:-1], replace(top, unit="linear") if isinstance(top, Dense | BatchNorm) else top)
    straight, count = Network(layers, network.loss), len(units)
    lowest = next(i for i, layer in enumerate(layers) if isinstance(layer, Weighted))
    work = straight.workspace(count, np.dtype(np.float32))
    chosen, each = operands.matrix(top.outputs, count), operands.matrix(count, count)
    chosen[units, np.arange(count)] = 1
    np.fill_diagonal(each, 1)
    x, slope_t = operands.matrix(count, network.inputs), operands.matrix(network.inputs, count)
    x[...] = _direction(start)
    nothing = np.zeros(network.inputs, np.float32)
    for size in np.linspace(FIRST, LAST, STEPS, dtype=np.float32):
        x *= np.float32(length)
        straight.forward(list(parts), work, x)
        above = Pending(chosen, each)
        for i in range(len(layers) - 1, lowest - 1, -1):
            above = layers[i].pull(parts[i], work[i], above)
        products.down(above.W, above.d_t, nothing, LINEAR, slope_t)
        x[...] = _direction(x / np.float32(length) + size * _direction(slope_t.T))
    return x * np.float32(length)


def _direction(x: np.ndarray) -> np.ndarray:
    """Rows (K, M) at length 1; a row of zeros, or one that is not finite, becomes one of zeros."""
    x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    largest = np.abs(x).max(axis=1, keepdims=True)
    x = x / np.where(largest > 0, largest, 1)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)

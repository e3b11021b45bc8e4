"""Batch normalisation's statistics of the training cases, which take the place of a minibatch's once it is trained."""

from collections.abc import Sequence

import numpy as np

from ..kernels import operands
from .layers import BatchNorm
from .network import Network
from .pieces import Feed, rows_of


def statistics(network: Network, theta: np.ndarray, feed: Feed, blocks: Sequence[np.ndarray], most: int) -> list[dict]:
    """{"mean", "variance"} of each layer's x W over the rows in `blocks`, of at most `most` each, without noise.

    Layers that have none have an empty dict. One pass a layer of normalisation, from the bottom, for what it sees are
    activations normalised by the statistics of the layers below. Sums in float64, case by case in the order of the
    rows. Source: Ioffe and Szegedy 2015, section 3.1, with the population itself in place of the mean of minibatches.
    """
    found: list[dict[str, np.ndarray]] = [{} for _ in network.layers]
    work = network.workspace(most, theta.dtype)
    x, t = operands.matrix(most, network.inputs, theta.dtype), operands.matrix(most, network.outputs, theta.dtype)
    for i, layer in enumerate(network.layers):
        if not isinstance(layer, BatchNorm):
            continue
        parts = [own | known for own, known in zip(network.split(theta), found, strict=True)]
        below = Network(network.layers[:i], network.loss)
        total, squares = np.zeros(layer.outputs), np.zeros(layer.outputs)
        for rows in blocks:
            n = len(rows)
            feed(rows, x[:n], t[:n], None)
            own = rows_of(work, n)
            z = own[i]["n"]
            layer.sums_of(parts[i], z, below.forward(parts, own, x[:n]))
            total += z.sum(axis=0, dtype=np.float64)
            squares += np.square(z, dtype=np.float64).sum(axis=0)
        cases = sum(map(len, blocks))
        mean = total / cases
        variance = np.maximum(squares / cases - mean**2, 0)
        found[i] = {"mean": mean.astype(theta.dtype), "variance": variance.astype(theta.dtype)}
    return found

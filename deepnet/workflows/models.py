"""A loaded model at work on data: outputs, codes and losses, a block of cases at a time."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..data import Cases
from ..errors import UsageError
from ..files import open_input, shown
from ..kernels import operands
from ..nn import stack as stacks
from ..nn.layers import BatchNorm, Weighted
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from ..nn.pieces import rows_of
from ..nn.stack import Stack
from ..training import Stop, Stopped
from . import feeds, sources

CHUNK = 1000


def load(path: str, data: str | None) -> Checkpoint:
    """The model at `path`; where it is the data that are a model, a sentence on the order of the two."""
    if not os.path.exists(path) and data is not None and is_model(data):
        raise UsageError(f"{shown(data)} is a model and {shown(path)} is none; give the model first, then the data")
    return checkpoint.load(path)


def is_model(path: str) -> bool:
    """Whether a file ends in deepnet's seal."""
    if not os.path.isfile(path):
        return False
    with open_input(path) as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - 64))
        return stream.read(len(checkpoint.MAGIC)) == checkpoint.MAGIC


def parts_of(network: Network, arrays: list[dict]) -> list[dict]:
    """The layers' arrays with padded rows, as kernels want them."""
    theta = pack(network, arrays)
    return [own | known for own, known in zip(network.split(theta), statistics_of(network, arrays), strict=True)]


def statistics_of(network: Network, arrays: list[dict]) -> list[dict]:
    """What batch normalisation knows of the training cases, layer by layer; empty dicts for other layers."""
    return [
        {name: own[name] for name in layer.statistics()} if isinstance(layer, BatchNorm) else {}
        for layer, own in zip(network.layers, arrays, strict=True)
    ]


def objective_of(model: Checkpoint, feed) -> NetworkObjective:
    """A trained network's objective on blocks of at most CHUNK cases."""
    return NetworkObjective(model.model, feed, CHUNK, statistics=statistics_of(model.model, model.arrays))


def pack(network: Network, arrays: list[dict]) -> np.ndarray:
    """theta of these layers' arrays."""
    return network.layout.pack({f"{i}.{name}": array for i, own in enumerate(arrays) for name, array in own.items()})


def blocks(cases: int, stop: Stop = lambda: None) -> Iterator[np.ndarray]:
    """Rows 0.., CHUNK at a time; Stopped where `stop` gives a reason between two of them."""
    for first in range(0, cases, CHUNK):
        if first and (reason := stop()) is not None:
            raise Stopped(reason)
        yield np.arange(first, min(first + CHUNK, cases))


def sums_of(feed, cases: int, width: int) -> np.ndarray:
    """Sums of each visible unit over the cases, (width,), in float64."""
    total, x = np.zeros(width), operands.matrix(CHUNK, width)
    for rows in blocks(cases):
        feed(rows, x[: len(rows)])
        total += x[: len(rows)].sum(axis=0, dtype=np.float64)
    return total


@dataclass(frozen=True)
class Reader:
    """The layers of a network up to some depth, as a function from visible units to activations."""

    network: Network
    parts: list[dict]

    def over(self, feeds: Iterable[tuple[Callable, int]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(x (B, M), outputs (B, N)) block by block of each feed and its cases; overwritten by the next block."""
        work = self.network.workspace(CHUNK, np.dtype(np.float32))
        x = operands.matrix(CHUNK, self.network.inputs)
        for feed, cases in feeds:
            for rows in blocks(cases):
                n = len(rows)
                feed(rows, x[:n])
                yield x[:n], self.network.forward(self.parts, rows_of(work, n), x[:n])

    def run(self, feed, cases: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(rows, x (B, M), outputs (B, N)) block by block; the arrays are overwritten by the next block."""
        for rows, (x, a) in zip(blocks(cases), self.over([(feed, cases)]), strict=False):
            yield rows, x, a

    def all(self, feed, cases: int) -> np.ndarray:
        """Outputs (cases, N) in one array."""
        out = np.empty((cases, self.network.outputs), np.float32)
        for rows, _, a in self.run(feed, cases):
            out[rows] = a
        return out


def whole(model: Checkpoint) -> Reader:
    """From visible units to the model's outputs; a stack's are the activations of its top layer."""
    network = model.model if isinstance(model.model, Network) else Network(stacks.encoder(model.model), "squared_error")
    return Reader(network, parts_of(network, _forward_arrays(model)))


def code_depth(model: Checkpoint) -> int:
    """How many layers lie below and at the code.

    The narrowest layer of an autoencoder, the outputs of a one-class network, the last hidden layer of others.
    """
    if isinstance(model.model, Stack):
        return len(model.model.layers)
    layers = model.model.layers
    weighted = [i for i, layer in enumerate(layers) if isinstance(layer, Weighted)][:-1]
    if not weighted:
        return len(layers)
    task = sources.task_of(model.model.loss, model.preparation)
    if task == "one_class":
        return len(layers)
    if task == "reconstruct":
        return min(weighted, key=lambda i: layers[i].outputs) + 1
    return weighted[-1] + 1


def coder(model: Checkpoint) -> Reader:
    """From visible units to the code."""
    full, depth = whole(model), code_depth(model)
    return Reader(Network(full.network.layers[:depth], full.network.loss), full.parts[:depth])


def reconstructor(model: Checkpoint) -> Reader:
    """From visible units to their reconstruction: an autoencoder as it is, a stack up and down at its means."""
    if isinstance(model.model, Network):
        return whole(model)
    layers, arrays = stacks.hourglass(model.model, model.arrays)
    network = Network(layers, "squared_error")
    return Reader(network, parts_of(network, arrays))


def _forward_arrays(model: Checkpoint) -> list[dict]:
    if isinstance(model.model, Stack):
        return [{"W": a["W"], "b": a["b"]} for a in model.arrays]
    return model.arrays


def outputs_of(loaded: Checkpoint, cases: Cases, task: str) -> tuple[np.ndarray, np.ndarray]:
    """A network's outputs (N, outputs) and losses (N,) on cases with targets."""
    feed = feeds.network_feed(cases, loaded.preparation, task)
    objective = objective_of(loaded, feed)
    theta = pack(loaded.model, loaded.arrays)
    outputs = np.empty((len(cases), loaded.model.outputs), np.float32)
    losses = np.empty(len(cases), np.float32)
    for rows in blocks(len(cases)):
        objective.at(rows, None)
        objective.value(theta)
        outputs[rows], losses[rows] = objective.outputs, objective.case_losses
    return outputs, losses

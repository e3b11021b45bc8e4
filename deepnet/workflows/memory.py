"""Whether a fine-tuning run fits into the free memory, foretold before its arrays are made."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ..errors import OutputError
from ..files import free_memory
from ..nn.layers import BatchNorm, Layer
from ..nn.network import MOST_KNOWN, Network
from ..nn.pieces import KEPT, PIECE
from ..optimizers import OPTIMIZERS
from ..optimizers.objective import Optimizer

BYTES = 4  # of a number
# theta, its gradient, the gradient's part of a piece, theta of the best epoch, theta at the start of the epoch
VECTORS = 5
FEW_PAIRS = 100  # more of L-BFGS's are not proposed


def check_memory(
    network: Network, rule: Optimizer, cases: int, batch_size: int, smaller: str, mean: bool = False
) -> None:
    """OutputError where the run would take more than is free; `smaller` says how to make a smaller network.

    `mean`: whether it holds a running mean of theta.
    """
    free = free_memory()
    need = taken(network, rule, cases, batch_size, mean)
    if need > free:
        fits = (text for text, other in _others(rule) if taken(network, other, cases, batch_size, mean) <= free)
        raise OutputError(
            f"training {network.layout.count:,} parameters so would take {need >> 20:,} MB of memory, and "
            f"{free >> 20:,} MB are free; give {' or '.join([*islice(fits, 1), smaller])}"
        )


def _others(rule: Optimizer) -> Iterator[tuple[str, Optimizer]]:
    """What may be given instead, and the rule that it makes: the most pairs of L-BFGS, or another optimizer."""
    for pairs in range(min(getattr(rule, "memory", 1) - 1, FEW_PAIRS), 0, -1):
        yield f"--set memory={pairs}", replace(rule, memory=pairs)
    for name, kind in OPTIMIZERS.items():
        yield f"--optimizer {name}", kind()


def taken(network: Network, rule: Optimizer, cases: int, batch_size: int, mean: bool = False) -> int:
    """Bytes that a run holds at most beside its data.

    Saving takes its turn with stepping: it makes the parameters without padding, and the file twice. An objective that
    is asked for its curvature holds the directions it was last asked in.
    """
    state, step = rule.vectors
    state += mean
    known = MOST_KNOWN if "curvature" in rule.needs else 0
    within = 1 + state if batch_size < cases else 0  # the start of an epoch, saved within it
    saved = 1 + 2 * (2 + state + within)
    vectors = VECTORS + 2 * state + known + max(step, saved)
    return BYTES * network.layout.size * vectors + _activations(network, batch_size)


def _activations(network: Network, batch_size: int) -> int:
    """Bytes of the layers' arrays for a piece of a minibatch, five a unit, and of the activations kept for others.

    A piece of maxout has about as many as a unit, batch normalisation twice as many at most.
    """
    units = sum(_shares(layer) * layer.outputs for layer in network.layers)
    piece = BYTES * min(batch_size, PIECE)
    return piece * (5 * units + 3 * network.inputs) + min(KEPT, BYTES * batch_size * (units + network.inputs))


def _shares(layer: Layer) -> int:
    """How many times a dense layer's arrays it has."""
    return 2 if isinstance(layer, BatchNorm) else 1 + getattr(layer, "pieces", 0)

"""How much memory and disk a training run takes, foretold before its arrays are made.

Its peak is what the program has already (itself, the data, their preparation) and, beside that, compiled kernels, the
vectors of theta's length, the arrays of a minibatch, the activations that a stack passes up, and what saving makes: it
takes its turn with stepping.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from .. import files
from ..checkpoint import Preparation
from ..nn.kronecker import numbers
from ..nn.layers import BatchNorm, Layer
from ..nn.network import Network
from ..nn.objective import MOST_KNOWN
from ..nn.pieces import KEPT, PIECE
from ..nn.rbm import RBM
from ..optimizers import OPTIMIZERS
from ..optimizers.objective import Optimizer
from .models import CHUNK
from .plans import Plan

BYTES = 4  # of a number
KERNELS = 50 << 20  # bytes of compiled kernels, once they are loaded
# theta, its gradient, the gradient's part of a piece, theta of the best epoch, theta at the start of the epoch
VECTORS = 5
LAYER = 5  # of a layer of a stack: theta, velocity, both at the start of the epoch, the gradient
SAVED = 4  # of these the file of a run that was stopped holds
MACHINE, AUTOENCODER = (3, 3), (8, 4)  # arrays of a minibatch as wide as the visible and the hidden units
FILE = 16 << 10  # bytes of a model file beside its arrays: names, settings, history
COPIES = 3  # of a file there are at most: the one before, the last one, the one that is written
FEW_PAIRS = 100  # more of L-BFGS's are not proposed


@dataclass(frozen=True)
class Need:
    """Bytes that a run takes: of memory, beside what the program `has` (now, and at most so far), and of files.

    `memory` where it goes on to its end, `stopped` where it is stopped within an epoch, which saves most. `file` is the
    finished model's size, `cut` that of a run that can be resumed; `temporary` goes to the folder for temporary files.
    """

    memory: int
    stopped: int
    file: int
    cut: int
    temporary: int = 0
    has: tuple[int, int] = field(default_factory=files.resident)

    def plan(self) -> dict:
        """What a plan shows, in MB of 2^20 bytes."""
        now, before = self.has
        facts = {
            "peak_memory_MB": max(before, now + self.memory),
            "peak_memory_if_stopped_MB": max(before, now + self.stopped),
            "file_MB": self.file,
            "disk_MB": COPIES * self.cut,
        }
        return {name: float(f"{size / (1 << 20):.3g}") for name, size in facts.items()}

    def check(self, parameters: int, remedies: list[str]) -> None:
        """OutputError where the run might take more memory than it may."""
        files.check_memory(self.stopped, f"training {parameters:,} parameters so", f"give {' or '.join(remedies)}")

    def check_disk(self, output: str) -> None:
        """OutputError where the folder of the output, or of temporary files, has no room for what the run writes."""
        there = os.path.getsize(output) if os.path.exists(output) else 0
        folder = os.path.dirname(os.path.realpath(output))
        files.check_disk(folder, self.cut, "saving this run", "free some or choose another --output", COPIES, there)
        if self.temporary:
            remedy = "TMPDIR names a folder with more room"
            files.check_disk(tempfile.gettempdir(), self.temporary, "activations of this run", remedy)


def of_network(
    network: Network, rule: Optimizer, sizes: dict[str, int], preparation: Preparation, config: dict, logits: int = 0
) -> Need:
    """What fine-tuning takes on so many cases a split; `logits` are numbers that its teachers say of a case.

    An objective that is asked for its curvature holds the directions it was last asked in.
    """
    state, step = rule.vectors
    state += "average" in config
    batch = config["batch_size"]
    known = MOST_KNOWN if "curvature" in rule.needs else 0
    within = 1 + state if batch < sizes["train"] else 0  # the start of an epoch, saved within it
    kept = 2 + state + within  # theta and the best one, too
    vectors = VECTORS + 2 * state + known + _rounded(config)
    held_out = min(CHUNK, sizes["train"] if network.mixes else sizes.get("valid", 0))
    beside = 2 * BYTES * logits * sum(sizes.values()) + _activations(network, batch) + _passed(network, held_out)
    factors, inverses = numbers(network.layers) if getattr(rule, "kronecker", False) else (0, 0)
    beside += BYTES * (2 * factors + inverses)
    vector, file = BYTES * network.layout.size, BYTES * network.layout.count + _fixed(preparation)
    memory, stopped = (KERNELS + beside + vector * (vectors + max(step, _saving(n))) for n in (1, kept))
    cut = file + vector * (kept - 1) + BYTES * factors * (2 if within else 1)
    return Need(memory, stopped, file, cut)


def check_network(make: Callable[[Optimizer], Need], rule: Optimizer, parameters: int, smaller: str) -> Need:
    """What `make` says that a run takes; OutputError where that is too much.

    It names what may be given instead, and fits; `smaller` says how to make a smaller network.
    """
    need, most = make(rule), files.spare_memory()
    fits = (text for text, other in _others(rule) if make(other).stopped <= most)
    need.check(parameters, [*islice(fits, 1), smaller] if need.stopped > most else [])
    return need


def _others(rule: Optimizer) -> Iterator[tuple[str, Optimizer]]:
    """What may be given instead, and the rule that it makes: the most pairs of L-BFGS, or another optimizer."""
    for pairs in range(min(getattr(rule, "memory", 1) - 1, FEW_PAIRS), 0, -1):
        yield f"--set memory={pairs}", replace(rule, memory=pairs)
    for name, kind in OPTIMIZERS.items():
        yield f"--optimizer {name}", kind()


def check_stack(plans: list[Plan], sizes: dict[str, int], preparation: Preparation, config: dict) -> Need:
    """What pre-training takes; OutputError where that is too much."""
    need = _of_stack(plans, [n for name, n in sizes.items() if name != "test"], preparation, config)
    need.check(sum(plan.layer.layout.count for plan in plans), ["smaller --layers", "fewer cases"])
    return need


def _of_stack(plans: list[Plan], counts: list[int], preparation: Preparation, config: dict) -> Need:
    """The most of what its layers take one after the other.

    While a layer is trained there are the finished ones and the activations of the one below; after that, these and
    its own. Large activations lie in a temporary file.
    """
    memory, stopped, cut, temporary, done, below = 0, 0, 0, 0, 0, (0, 0)
    for i, plan in enumerate(plans):
        layer, own = plan.layer, BYTES * plan.layer.layout.size
        wide, narrow = MACHINE if isinstance(layer, RBM) else AUTOENCODER
        minibatch = BYTES * plan.batch_size * (wide * layer.inputs + narrow * layer.outputs)
        training = done + below[0] + own * (LAYER + _rounded(config)) + minibatch
        cut = max(cut, done + own * SAVED)
        stopped = max(stopped, training + own + 2 * (done + own * SAVED))
        above = (0, 0) if i + 1 == len(plans) else _codes([BYTES * n * layer.outputs for n in counts])
        passing = done + below[0] + above[0] + BYTES * CHUNK * (layer.inputs + layer.outputs)
        memory = max(memory, training, passing)
        temporary = max(temporary, below[1] + above[1])
        done += BYTES * layer.layout.count
        memory = max(memory, below[0] + 3 * done)  # the layers, and their file twice
        below = above
    fixed = _fixed(preparation)
    return Need(KERNELS + memory, KERNELS + max(memory, stopped), done + fixed, cut + fixed, temporary)


def _codes(sizes: list[int]) -> tuple[int, int]:
    """Of arrays of so many bytes, how many lie in memory and how many in temporary files."""
    filed = sum(size for size in sizes if files.is_large(size))
    return sum(sizes) - filed, filed


def _saving(kept: int) -> int:
    """Vectors that a file of so many of them takes to save: theta without padding, and the file twice."""
    return 1 + 2 * kept


def _rounded(config: dict) -> int:
    """Vectors as long as theta that hold its bfloat16 along and across rows."""
    return int(config["precision"] == "bfloat16")


def _fixed(preparation: Preparation) -> int:
    """Bytes of a model file beside its parameters."""
    columns = preparation.offset.nbytes + preparation.scale.nbytes
    return FILE + columns + (preparation.projection.matrix.nbytes if preparation.projection else 0)


def _activations(network: Network, batch_size: int) -> int:
    """Bytes of the layers' arrays for a piece of a minibatch, five a unit, and of the activations kept for others.

    A piece of maxout has about as many as a unit, batch normalisation twice as many at most.
    """
    units = sum(_shares(layer) * layer.outputs for layer in network.layers)
    piece = BYTES * min(batch_size, PIECE)
    return piece * (5 * units + 3 * network.inputs) + min(KEPT, BYTES * batch_size * (units + network.inputs))


def _passed(network: Network, cases: int) -> int:
    """Bytes of the arrays that so many cases pass through at a time, two a unit, where nothing is learned."""
    units = sum(_shares(layer) * layer.outputs for layer in network.layers)
    return BYTES * cases * (2 * units + network.inputs)


def _shares(layer: Layer) -> int:
    """How many times a dense layer's arrays it has."""
    return 2 if isinstance(layer, BatchNorm) else 1 + getattr(layer, "pieces", 0)

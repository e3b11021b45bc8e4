"""Monte Carlo averaging: the mean output of many passes with dropout and noise at work.

Source: Srivastava et al. 2014, section 7.5.
"""

import numpy as np

from ..checkpoint import Checkpoint
from ..data import Cases
from ..errors import UsageError
from ..files import shown
from ..kernels import random
from ..kernels.losses import logarithm
from ..kernels.outputs import finish
from ..nn.losses import LOSSES
from ..nn.network import Network
from . import feeds, models

LEAST = np.float32(2**-126)  # probability, so that a class that never came has a finite loss


def check_passes(loaded: Checkpoint, name: str, task: str | None) -> None:
    """UsageError for models that have nothing to draw, or whose mean output is not what is measured."""
    network = loaded.model
    if not isinstance(network, Network) or not any(layer.draws for layer in network.layers):
        raise UsageError(f"--mc: {shown(name)} has no noise to average over; train one with --dropout or --noise")
    if task not in ("classify", "regress"):
        raise UsageError(f"--mc: {shown(name)} was made to {task}; give a network that was made to classify or regress")


def mean_outputs(loaded: Checkpoint, cases: Cases, task: str, passes: int) -> np.ndarray:
    """A network's mean outputs (N, outputs) over so many passes.

    What is drawn depends on the number of the pass and the case's place alone.
    """
    objective = models.objective_of(loaded, feeds.network_feed(cases, loaded.preparation, task))
    theta = models.pack(loaded.model, loaded.arrays)
    outputs = np.zeros((len(cases), loaded.model.outputs), np.float32)
    for block, rows in enumerate(models.blocks(len(cases))):
        for number in range(passes):
            objective.at(rows, random.fold(0, random.NOISE, number, block))
            objective.value(theta)
            outputs[rows] += objective.outputs
    outputs /= np.float32(passes)
    return outputs


def losses_of(loss: str, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Each case's loss (N,), from a classifier's outputs (N, C) and classes (N,)."""
    if loss == "cross_entropy":
        return entropies(outputs, targets)
    cases, classes = outputs.shape
    one = np.eye(classes, dtype=np.float32)[targets]
    room = [np.empty(shape, np.float32) for shape in (one.shape, one.shape, (classes, cases), (cases,), (cases,))]
    finish(LOSSES[loss].code, outputs, one, 1.0, *room)
    return room[3]


def entropies(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Each case's cross-entropy (N,), in nats, from probabilities (N, C) and classes (N,)."""
    found = np.maximum(outputs[np.arange(len(targets)), targets], LEAST)
    logarithm(found)
    return -found

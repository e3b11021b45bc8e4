"""fit(): epochs and minibatches of any objective under any first-order optimizer.

Early stopping; the search for divergence.

Everything that decides what comes next lies in named arrays (`state`), so that a run can be cut at any minibatch and
go on with the same bits: the order of cases and all noise are functions of a key and the position, never of what
happened before.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .errors import DivergedError
from .kernels import random

Stop = Callable[[], str | None]


@dataclass
class Meter:
    """Counters that a display polls while a run goes on: the stage, cases done and to do in this epoch."""

    label: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Course:
    """What one stage of training runs over: cases, minibatch size, epochs, and the key of all its draws."""

    stage: str
    cases: int
    batch_size: int
    epochs: int
    key: int

    @property
    def minibatches(self) -> int:
        """Minibatches in an epoch; the last one may be smaller."""
        return -(-self.cases // self.batch_size)


@dataclass(frozen=True)
class Passed:
    """An epoch is over: its number from 1, its seconds. `stopped` is the reason where it was cut short."""

    epoch: int
    seconds: float
    stopped: str | None = None


def begin() -> dict[str, np.ndarray]:
    """The position before the first minibatch: epoch, minibatch."""
    return {"position": np.zeros(2, np.int64)}


def fit(objective, optimizer, theta, state, course: Course, stop: Stop, meter: Meter) -> Iterator[Passed]:
    """Train from the position in `state` to the last epoch.

    Yields after each epoch, and once where `stop` gave a reason.

    DivergedError as soon as a minibatch's loss is not finite.
    """
    position = state["position"]
    meter.label, meter.total = course.stage, course.cases
    while position[0] < course.epochs:
        epoch, began = int(position[0]), time.perf_counter()
        order = random.permutation(random.fold(course.key, random.ORDER, epoch), course.cases)
        for b in range(int(position[1]), course.minibatches):
            if (reason := stop()) is not None:
                yield Passed(epoch + 1, time.perf_counter() - began, reason)
                return
            rows = order[b * course.batch_size : (b + 1) * course.batch_size]
            objective.at(rows, random.fold(course.key, random.SAMPLE, epoch, b))
            optimizer.step(objective, theta, state)
            if not math.isfinite(objective.tally["loss"][0]):
                raise DivergedError(
                    f"{course.stage} diverged in epoch {epoch + 1}, minibatch {b + 1}: the loss is not finite; "
                    "use a smaller --learning-rate, or look at the range of the data with `deepnet inspect`"
                )
            position[1] = b + 1
            meter.done = min((b + 1) * course.batch_size, course.cases)
        position[:] = epoch + 1, 0
        yield Passed(epoch + 1, time.perf_counter() - began)


@dataclass
class Best:
    """Early stopping: the best score so far (lower is better), its epoch and theta, in arrays for a checkpoint."""

    state: dict[str, np.ndarray] = field(default_factory=dict)

    @staticmethod
    def of(theta: np.ndarray) -> "Best":
        """Nothing seen yet."""
        return Best({"best_score": np.full(2, np.inf), "best_epoch": np.zeros(1, np.int64), "best_theta": theta.copy()})

    def see(self, epoch: int, score: tuple[float, float], theta: np.ndarray) -> None:
        """Keep theta if its score, compared first number first, is below the best."""
        if score < tuple(self.state["best_score"]):
            self.state["best_score"][:] = score
            self.state["best_epoch"][0] = epoch
            self.state["best_theta"][:] = theta

    @property
    def epoch(self) -> int:
        """The best epoch, from 1."""
        return int(self.state["best_epoch"][0])

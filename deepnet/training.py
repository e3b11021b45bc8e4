"""fit(): epochs and minibatches of any objective under any optimizer.

Early stopping; divergence, from which it goes back to the start of the epoch with half the rate.

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
from .kernels import random, updates
from .optimizers.schedules import Schedule

Stop = Callable[[], str | None]


class Stopped(Exception):
    """A run is to end before its time: the text is the reason that a Stop gave."""


HALVINGS = 3  # times that a rate is halved before a run is given up
EXPLODED = 10.0  # a mean loss above so many times the first minibatch's has diverged, finite or not


@dataclass
class Meter:
    """Counters that a display polls while a run goes on: the stage, cases done and to do in this epoch.

    Of the run `whole` is the work, 0 where it is not known, `behind` what was done before this epoch, `each` that of a
    case; `early` says that it may stop before its end.
    """

    label: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""
    whole: float = 0.0
    behind: float = 0.0
    each: float = 0.0
    early: bool = False
    marks: list[tuple[float, float]] = field(default_factory=list)

    def count(self, done: int) -> None:
        """So many cases of the epoch are done."""
        self.done = done
        if len(self.marks) < 2:
            self.marks.append((time.monotonic(), self._worked()))

    def pass_over(self, began: float, work: float) -> None:
        """Leave out of the pace what was done since a moment (`time.monotonic`): first calls load kernels."""
        gone = time.monotonic() - began
        self.marks = [(moment + gone, before + work) for moment, before in self.marks]

    def left(self) -> float | None:
        """Seconds to the end of the run at the pace so far, validation and saving included; None until it is known.

        Measured from the end of the first minibatch on, which may have compiled kernels, once there is more.
        """
        now, worked = time.monotonic(), self._worked()
        past = [(moment, work) for moment, work in self.marks if work < worked]
        if not past or not self.whole:
            return None
        moment, before = past[-1]
        return (now - moment) * max(0.0, self.whole - worked) / (worked - before)

    def _worked(self) -> float:
        return self.behind + self.each * self.done


@dataclass(frozen=True)
class Course:
    """What one stage of training runs over: cases, minibatch size, epochs, and the key of all its draws.

    `average`: the share that a running mean of theta, in `state["average"]`, keeps at each update; None for no mean.
    `noise`: the schedule of the share that noise has of its layers' deviations; None for all of it. `places`: where in
    theta the last update of an epoch is looked at.
    """

    stage: str
    cases: int
    batch_size: int
    epochs: int
    key: int
    average: float | None = None
    noise: Schedule | None = None
    places: np.ndarray | None = None

    @property
    def minibatches(self) -> int:
        """Minibatches in an epoch; the last one may be smaller."""
        return -(-self.cases // self.batch_size)


@dataclass(frozen=True)
class Passed:
    """An epoch is over: its number from 1, its seconds. `stopped` is the reason where it was cut short.

    `before`: theta at the course's places before the last update.
    """

    epoch: int
    seconds: float
    stopped: str | None = None
    before: np.ndarray | None = None


@dataclass(frozen=True)
class Halved:
    """The run diverged in this epoch and went back to its start: why, and the factor of all rates from here on."""

    reason: str
    factor: float


class Good:
    """theta and state as they were at the start of the epoch, to go back to."""

    PREFIX = "good/"

    def __init__(self, arrays: dict[str, np.ndarray] | None = None):
        self._arrays = arrays or {}

    @staticmethod
    def taken_from(state: dict[str, np.ndarray]) -> "Good":
        """What `packed` put among the arrays of a cut run, taken out of them; those themselves at an epoch's start."""
        names = [name for name in state if name.startswith(Good.PREFIX)]
        return Good({name.removeprefix(Good.PREFIX): state.pop(name) for name in names})

    def packed(self, state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays to save with `state`: none at the start of an epoch, where they are the same."""
        within = "position" in state and state["position"][1] > 0
        return {f"{Good.PREFIX}{name}": array for name, array in self._arrays.items()} if within else {}

    def fits(self, theta: np.ndarray, state: dict[str, np.ndarray]) -> bool:
        """Whether it has arrays like these, or none at the start of an epoch."""
        own, like = self._arrays, {"theta": theta, **state}
        if not own:
            return int(state["position"][1]) == 0
        return set(own) == set(like) and all(
            own[n].shape == a.shape and own[n].dtype == a.dtype for n, a in like.items()
        )

    def keep(self, theta: np.ndarray, state: dict[str, np.ndarray]) -> None:
        """Remember these."""
        for name, array in {"theta": theta, **state}.items():
            if name in self._arrays:
                self._arrays[name][...] = array
            else:
                self._arrays[name] = array.copy()

    def back(self, theta: np.ndarray, state: dict[str, np.ndarray]) -> None:
        """Put them back."""
        for name, array in {"theta": theta, **state}.items():
            array[...] = self._arrays[name]


def begin() -> dict[str, np.ndarray]:
    """Before the first minibatch.

    `position`, epoch and minibatch; `halvings` of the rate; `bound`, the mean loss above which it has diverged.
    """
    return {"position": np.zeros(2, np.int64), "halvings": np.zeros(1, np.int64), "bound": np.full(1, np.inf)}


def fit(
    objective, optimizer, theta, state, good: Good, course: Course, stop: Stop, meter: Meter
) -> Iterator[Passed | Halved]:
    """Train from the position in `state` to the last epoch.

    Yields after each epoch, once where `stop` gave a reason, and where a run that diverged goes back to the start of
    the epoch with half the rate. A loss is looked at after each minibatch, theta and the optimizer's vectors at the end
    of an epoch or run.

    DivergedError, with theta and state as they were at the start of the epoch, where halving has not helped.
    """
    position, full = state["position"], list(objective.spans)
    meter.label, meter.total = course.stage, course.cases
    meter.count(min(int(position[1]) * course.batch_size, course.cases))
    while position[0] < course.epochs:
        factor = 0.5 ** int(state["halvings"][0])
        objective.spans = [(a, b, factor * own) for a, b, own in full]
        epoch, began, reason, wrong, before = int(position[0]), time.perf_counter(), None, None, None
        if position[1] == 0:
            good.keep(theta, state)
        order = random.permutation(random.fold(course.key, random.ORDER, epoch), course.cases)
        draws = random.fold(course.key, random.SAMPLE, epoch)
        for b in range(int(position[1]), course.minibatches):
            if (reason := stop()) is not None:
                break
            rows = order[b * course.batch_size : (b + 1) * course.batch_size]
            if course.noise is not None:
                objective.set_noise(course.noise.at(int(state["updates"][0])))
            objective.at(rows, random.fold(draws, b))
            if course.places is not None and b == course.minibatches - 1:
                before = theta[course.places]
            optimizer.step(objective, theta, state)
            _settle(objective, theta, state, course.average)
            if (wrong := _wrong_loss(objective, state)) is not None:
                wrong = f"in epoch {epoch + 1}, minibatch {b + 1}: {wrong}"
                break
            position[1] = b + 1
            meter.count(min((b + 1) * course.batch_size, course.cases))
        if wrong is None and (name := _not_finite(theta, state)) is not None:
            wrong = f"in epoch {epoch + 1}: {name} not finite"
        if wrong is not None:
            yield _go_back(wrong, optimizer, theta, state, good, course)
            continue
        if reason is not None:
            yield Passed(epoch + 1, time.perf_counter() - began, reason)
            return
        position[:] = epoch + 1, 0
        yield Passed(epoch + 1, time.perf_counter() - began, before=before)


def _settle(objective, theta, state: dict[str, np.ndarray], average: float | None) -> None:
    """What follows a step: theta goes back to where it may be, and into the running mean.

    The mean is the plain one of all updates until it is as long as `average` makes it, so that first weights leave no
    trace (Polyak and Juditsky 1992).
    """
    if hasattr(objective, "project"):
        objective.project(theta)
    if average is not None:
        updates.approach(state["average"], theta, max(1 - average, 1 / int(state["updates"][0])))


def _wrong_loss(objective, state: dict[str, np.ndarray]) -> str | None:
    """What is wrong with the mean loss of the epoch so far, or None; the first one of a run sets its bound."""
    mean = float(objective.tally["loss"][0]) / max(1.0, float(objective.tally["cases"][0]))
    if not math.isfinite(mean):
        return "the loss is not finite"
    if mean > state["bound"][0]:
        return f"the loss rose to {mean:.3g}"
    if state["bound"][0] == np.inf:
        state["bound"][0] = EXPLODED * (1 + abs(mean))
    return None


def _not_finite(theta, state: dict[str, np.ndarray]) -> str | None:
    """What is not finite of theta and of the vectors like it, or None."""
    like = {name: array for name, array in state.items() if array.shape[-1:] == theta.shape}
    if not np.isfinite(theta).all():
        return "the weights are"
    return next((f"the optimizer's {name} is" for name, array in like.items() if not np.isfinite(array).all()), None)


def _go_back(wrong: str, optimizer, theta, state, good: Good, course: Course) -> Halved:
    """Return to the start of the epoch with half the rate; DivergedError where there is no rate, or no more of it."""
    halvings = int(state["halvings"][0])
    good.back(theta, state)
    if not hasattr(optimizer, "learning_rate"):
        raise DivergedError(f"{course.stage} diverged {wrong}")
    if halvings == HALVINGS:
        raise DivergedError(f"{course.stage} diverged {wrong}, though its rate was halved {HALVINGS} times")
    state["halvings"][0] = halvings + 1
    return Halved(f"{course.stage} diverged {wrong}", 0.5 ** (halvings + 1))


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

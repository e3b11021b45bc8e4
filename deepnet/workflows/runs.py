"""What every training run does beside training: save now and then, go on, stop in time, say how it ended."""

import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .. import checkpoint as files_of_models
from ..checkpoint import Checkpoint
from ..errors import DivergedError, ModelError, UsageError
from ..files import shown, tidy
from ..kernels import bfloat16
from ..training import Course, Good, Meter, Stop
from .records import Saved

FINE, TOP = "fine-tuning", "output layer alone"  # stages of a network
BETWEEN_SAVES = 30.0  # seconds; more often costs time, less often loses it
LONG_SAVE = 0.5  # seconds; where one takes longer, more time lies between them: at most a sixtieth is spent on saving


@dataclass
class Clock:
    """When to stop: a signal's reason, or --max-time's."""

    stop: Stop
    max_time: float | None
    began: float = field(default_factory=time.monotonic)
    moved: bool = False

    def reason(self) -> str | None:
        """Why the run is to end at this minibatch, or None.

        Time runs out after one minibatch at the earliest, so that one that goes on again and again comes to its end.
        """
        if (reason := self.stop()) is not None:
            return reason
        if self.moved and self.max_time is not None and time.monotonic() - self.began >= self.max_time:
            return "out of time"
        self.moved = True
        return None


@dataclass
class Saver:
    """Writes the checkpoint that `snapshot(complete)` gives: when asked, or where BETWEEN_SAVES have passed.

    The save before is kept until the run is complete, if it is whole: `ours` tells that this run has written it.
    """

    path: str
    snapshot: Callable[[bool], Checkpoint]
    last: float = field(default_factory=time.monotonic)
    took: float = 0.0
    ours: bool = False

    def now(self, complete: bool) -> Iterator[Saved]:
        """Write it."""
        began = time.monotonic()
        state = self.snapshot(complete)
        if (name := _not_finite(state)) is not None:
            raise DivergedError(f"training diverged: {name} is no longer finite; use a smaller --learning-rate")
        files_of_models.save(self.path, state, not complete and (self.ours or files_of_models.is_whole(self.path)))
        if complete:
            tidy(self.path)
        self.last, self.ours = time.monotonic(), True
        self.took = self.last - began
        yield Saved(self.path, self.took)

    def guard(self, records: Iterator, trained: Callable[[], bool]) -> Iterator:
        """The records of a run; where it diverges for good, what had been `trained` is written before the error."""
        try:
            return (yield from records)
        except DivergedError:
            if trained():
                yield from self.now(False)
            raise

    def in_time(self) -> Iterator[Saved]:
        """Write it if the last time is long ago."""
        if time.monotonic() - self.last >= BETWEEN_SAVES * max(1.0, self.took / LONG_SAVE):
            yield from self.now(False)


# What is infinite until it is known.
UNKNOWN = "bound", "best_score", f"{Good.PREFIX}bound"


def _not_finite(state: Checkpoint) -> str | None:
    """The name of an array that must not be saved, or None."""
    prepared = state.preparation
    own = [("weights", own) for arrays in state.arrays for own in arrays.values()]
    own += [(f"the data's {name}", getattr(prepared, name)) for name in ("offset", "scale", "target_offset",
                                                                         "target_scale", "centre")]  # fmt: skip
    own += list((state.train or {}).items())
    for name, array in own:
        if array is not None and (np.isnan(array).any() or (name not in UNKNOWN and np.isinf(array).any())):
            return name
    return None


def check_precision(name: str) -> None:
    """UsageError where this CPU cannot compute in the precision of that name."""
    if name == "bfloat16" and not bfloat16.available():
        raise UsageError(
            "--precision bfloat16: this CPU does not multiply bfloat16 (it has no AVX512-BF16); use --precision float32"
        )


def passed(state: dict[str, np.ndarray], course: Course) -> float:
    """Epochs that a stage has behind it, parts of one too."""
    return float(state["position"][0]) + float(state["position"][1]) / course.minibatches if state else 0.0


def left(epochs: float, meter: Meter) -> dict[str, float | None]:
    """What a cut run has before it: epochs, and minutes where its pace is known."""
    seconds = meter.left()
    return {"epochs_left": round(epochs, 2), "minutes_left": None if seconds is None else round(seconds / 60, 1)}


def restored(found, theta: np.ndarray, fresh, course: Course) -> tuple[dict[str, np.ndarray], Good]:
    """The state of a cut run and what it may go back to; ModelError unless they are like theta and a fresh state.

    Its position must lie within the course.
    """
    good = Good.taken_from(found)
    fits = set(found) == set(fresh) and all(
        found[name].shape == array.shape and found[name].dtype == array.dtype for name, array in fresh.items()
    )
    if fits:
        epoch, minibatch = (int(n) for n in found["position"])
        fits = 0 <= epoch <= course.epochs and 0 <= minibatch <= course.minibatches and int(found["updates"][0]) >= 0
    if not fits or not good.fits(theta, fresh | {"position": found["position"]}):
        raise ModelError("--resume: the state in the file does not fit its model; use --force to start anew")
    return found, good


# What a run did before there was such an option, for unfinished files that were made then.
BEFORE: dict[str, object] = {"precision": "float32", "settings": {}, "ignore": []}


def check_resume(old: Checkpoint, config: dict, fingerprint: str, extendable: bool) -> None:
    """Refuse to go on with other settings or other data, naming what differs.

    More epochs are welcome if no schedule ends.
    """
    differs = []
    for key in sorted(set(config) | set(old.config)):
        before, now = old.config.get(key, BEFORE.get(key)), config.get(key)
        if before == now:
            continue
        if key == "epochs" and extendable and _grows(before, now):
            continue
        differs.append(f"{key} was {shown(before)}, is {shown(now)}")
    if old.provenance.get("data") != fingerprint:
        differs.append("the data are others")
    if differs:
        raise UsageError(
            f"--resume: the file was made otherwise ({'; '.join(differs)}); use those settings, or --force"
        )


def _grows(before, now) -> bool:
    if isinstance(now, list):
        return (
            isinstance(before, list)
            and len(before) == len(now)
            and all(a <= b for a, b in zip(before, now, strict=True))
        )
    return isinstance(before, int) and before <= now


# What a history holds beside metrics. How much work was done since the stage began, gradients and curvature products in
# passes over the training cases, and how often its rate was halved. After the prefix NORM a layer's number: the norm of
# its weights' gradient.
COUNTERS = ("updates", "gradients", "curvature_products", "halvings")
NORM = "gradient_norm_"


def metrics_of(part: dict) -> dict:
    """The metrics of a stage of the history, without counters and norms."""
    return {name: values for name, values in part.items() if name not in COUNTERS and not name.startswith(NORM)}


def norms_of(part: dict) -> dict:
    """The gradient norms of a stage of the history, by layer number from 1."""
    found = {name.removeprefix(NORM): values for name, values in part.items() if name.startswith(NORM)}
    return {int(layer): values for layer, values in found.items() if layer.isdecimal()}


def steps_of(state: dict) -> dict[str, float]:
    """The counters that a run's state holds."""
    return {name: float(state[name][0]) for name in ("updates", "halvings")}


def append(history: dict, stage: str, metrics: dict[str, float]) -> None:
    """Add an epoch's metrics to a stage of the history."""
    part = history.setdefault(stage, {})
    for name, value in metrics.items():
        part[name] = np.append(part.get(name, np.zeros(0)), value)


def dashes(widths) -> str:
    """784-500-10."""
    return "-".join(map(str, widths))


def counts(cases: dict[str, int]) -> str:
    """59,900 train, 10 test."""
    return ", ".join(f"{n:,} {name}" for name, n in cases.items())


def epochs_for(cases: int, usual: int) -> int:
    """Epochs to suggest: the usual number, or for few cases as many as make a hundred times as many minibatches."""
    return max(usual, -(-100 * usual // -(-cases // min(cases, 100))))


def command(*words: str, config: dict) -> str:
    """A command to type next, with the label and columns that the data need; DATA for what stdin was."""
    words = ("deepnet", *("DATA" if word == "-" else word for word in words))
    if config.get("label"):
        words += ("--label", config["label"])
    place = [name for name in (config.get("weight"),) if name and name.isdecimal()]  # a table's column without a name
    if left := [*(config.get("ignore") or ()), *place]:
        words += ("--ignore", ",".join(left))
    if config.get("category"):
        words += ("--category", ",".join(config["category"]))
    return shlex.join(map(str, words))

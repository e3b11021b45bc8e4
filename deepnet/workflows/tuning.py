"""A fine-tuning run: its stages, its figures, and how it is saved and restored."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..checkpoint import Checkpoint
from ..errors import ModelError, UsageError
from ..kernels import jit, random
from ..nn.mixed import word_of
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from ..optimizers import check
from ..optimizers.objective import Optimizer, Span
from ..optimizers.schedules import parse
from ..training import Best, Course, Good, Meter, Stop, Stopped, begin
from . import trials, vitals
from .checkup import Checkup, score
from .loops import Loop
from .models import pack
from .objectives import Objectives, metrics
from .plans import written
from .records import End
from .runs import (
    FINE,
    TOP,
    Clock,
    Saver,
    append,
    command,
    counts,
    dashes,
    left,
    metrics_of,
    passed,
    restored,
    steps_of,
)
from .teachers import Mimicry
from .vitals import Figures
from .watching import Watch
from .work import Work


@dataclass
class _Stage:
    """A stage of the run: its name, epochs, and the pieces of theta that move."""

    name: str
    epochs: int
    spans: list[Span]


class Tuning:
    """A fine-tuning run, and how to save and restore it."""

    def __init__(
        self,
        dataset,
        preparation,
        network: Network,
        theta,
        optimizer: Optimizer,
        moving: list[Span],
        config: dict,
        history: dict,
        meter: Meter,
        mimicry: Mimicry | None = None,
    ):
        self.objectives = Objectives(dataset, preparation, network, config, meter, mimicry)
        self.dataset, self.network, self.theta, self.mimicry = dataset, network, theta, mimicry
        self.optimizer, self.config, self.history, self.meter = optimizer, config, history, meter
        self.task, self.stage, self.state = config["task"], 0, {}
        self.stages = [_Stage(FINE, config["epochs"], moving)]
        if config["freeze_epochs"]:
            self.stages.insert(0, _Stage(TOP, config["freeze_epochs"], _top(network, moving)))
        self.best, self.good, self.watch = Best.of(theta), Good(), Watch()

    def summary(self, optimizer: str) -> dict:
        """The resolved plan, in the order to show."""
        rates = {k: getattr(self.optimizer, k) for k in ("learning_rate", "momentum") if hasattr(self.optimizer, k)}
        return {
            "data": self.dataset.name,
            "cases": ", ".join(f"{len(c):,} {name}" for name, c in self.dataset.splits.items()),
            **({"unlabelled": told} if (told := counts(self.dataset.unlabelled)) else {}),
            "network": dashes(self.network.widths),
            "start": "pre-trained" if self.config["parent"] else "random weights",
            "task": self.task,
            **{name: self.config[name] for name in ("weight", "class_weight") if name in self.config},
            "loss": word_of(self.network.loss) if self.mimicry is None else self.mimicry.name,
            **({} if self.mimicry is None else self.mimicry.summary),
            **({"C": self.config["C"]} if "C" in self.config else {}),
            "optimizer": optimizer,
            **{name: written(schedule) for name, schedule in rates.items()},
            "epochs": self.config["epochs"],
            "batch_size": self.config["batch_size"],
            "parameters": self.network.layout.count,
            "GFLOPs": float(f"{sum(self._work(stage).flops for stage in self.stages) / 1e9:.3g}"),
            "precision": self.config["precision"],
            "threads": jit.threads(),
        }

    def train(self, clock: Clock, data: str, output: str) -> Iterator:
        """Stage after stage, to the end or to the first reason to stop."""
        saver = Saver(output, self.checkpoint)
        try:
            outcome = yield from saver.guard(self._stages(clock, saver), self._trained)
        except Stopped as stopped:
            yield from saver.now(False)
            end = self.end(str(stopped), data, output, self.checkpoint(False))
            yield replace(end, result=end.result | self._left())
            return
        yield self.end(outcome, data, output, self.checkpoint(True))

    def _trained(self) -> bool:
        """Whether an epoch is over."""
        return self.stage > 0 or bool(self.state and self.state["position"][0])

    def _stages(self, clock: Clock, saver: Saver) -> Iterator:
        """Returns how it ended."""
        objective, _ = self.objectives.trained(), self.objectives.held_out  # both ask teachers before the first epoch
        check(self.config["optimizer"], self.optimizer, objective)
        loop, outcome = Loop(clock, self.meter, saver, self.watch), "finished"
        checkup = Checkup(self.dataset, self.objectives.preparation, self.network, self.config, self.history)
        self._set_meter()
        if not self.state and not self.stage:
            yield from self.watch.notes(checkup.inputs)
        for i in range(self.stage, len(self.stages)):
            self.stage, stage = i, self.stages[i]
            objective.spans = stage.spans
            if not self.state:
                self.state = self._fresh(objective)
            objective.tally = {k: self.state[f"tally/{k}"] for k in objective.tally}
            objective.state = {k: self.state[k] for k in objective.state}
            course, figures = self._course(stage), partial(self._figures, objective, clock.stop, stage.name)
            run = self.optimizer, self.theta, self.state, self.good, figures
            look = partial(self._look, checkup, objective, stage.name, course)
            cause = partial(checkup.cause, self.theta)
            over = self._out_of_patience if stage.name == FINE else lambda epoch: False
            yield from loop.through(course, self._work(stage), objective, *run, look, cause, over)
            outcome = "early stop" if over(int(self.state["position"][0])) else outcome
            if i + 1 < len(self.stages):
                self.state, self.good = {}, Good()
        self.theta[:] = self.best.state["best_theta"] if self.best.epoch else self._shown
        yield from saver.now(True)
        return outcome

    def trial(self) -> dict[str, float]:
        """What a plan says of the time, where minibatches take all the same and can be tried: no teacher is asked."""
        if self.mimicry is not None or not trials.possible(self.config["optimizer"]):
            return {}
        objective, found = self.objectives.trained(), []
        for stage in self.stages:
            objective.spans = stage.spans
            found.append(trials.seconds(objective, self.optimizer, self.theta, self._work(stage), self.config["seed"]))
        return trials.minutes(found)

    def _passed(self) -> float:
        """Epochs of all stages that lie behind."""
        before = sum(stage.epochs for stage in self.stages[: self.stage])
        return before + passed(self.state, self._course(self.stages[self.stage]))

    def _left(self) -> dict:
        """What a cut run has before it, as far as it is known."""
        return left(sum(s.epochs for s in self.stages) - self._passed(), self.meter)

    def _set_meter(self) -> None:
        """The work of the run, and what of it lies behind."""
        work = [self._work(stage) for stage in self.stages]
        self.meter.whole, self.meter.early = sum(own.whole for own in work), self.config["patience"] is not None
        now = int(self.state["position"][0]) if self.state else 0
        self.meter.behind = sum(own.whole for own in work[: self.stage]) + now * work[self.stage].epoch

    def _work(self, stage: _Stage) -> Work:
        """Of a stage; products: one on the way up, one down, one for the gradient, which TOP takes of few weights."""
        cases, count = {name: len(c) for name, c in self.dataset.splits.items()}, self.network.layout.count
        products = count * (2 if stage.name == TOP else 3)
        seen = cases.get("valid", 0) + self.objectives.sampled
        extra = count * seen + 3 * count * len(self.objectives.probe)
        return Work(stage.epochs, cases["train"], self.config["batch_size"], products, extra)

    def _look(self, checkup: Checkup, objective: NetworkObjective, stage: str, course: Course, before) -> Figures:
        """What is known after an epoch, whose figures have asked the objective about the cases probed."""
        moved = vitals.steps(before, self.theta[course.places])
        layers = vitals.of_network(objective, self.theta, moved, self.config["parent"] is not None)
        return checkup.after(layers, stage, stage == FINE and hasattr(self.optimizer, "learning_rate"))

    @property
    def _shown(self) -> np.ndarray:
        """What is validated and saved: the running mean of theta where there is one."""
        return self.state.get("average", self.theta)

    def _figures(self, objective: NetworkObjective, stop: Stop, stage: str, epoch: int) -> tuple[dict, dict]:
        """An epoch's metrics and counters, which go into the history; the best theta so far is kept.

        Stopped, with nothing changed, where there is a reason to.
        """
        held_out = self.objectives.tally_held_out(self._shown, stop)
        found, counters = metrics(self.task, objective.tally, "training"), self._counters(objective.tally, stage)
        norms = self.objectives.norms(objective, self.theta)
        if held_out is not None:
            found |= metrics(self.task, held_out, "validation")
            if stage == FINE:
                self.best.see(epoch, score(found), self._shown)
        append(self.history, stage, found | counters | norms)
        name, value = list(found.items())[-1]
        self.meter.detail = f"{name.replace('_', ' ')} {value:.4g}"
        return found, counters

    def _out_of_patience(self, epoch: int) -> bool:
        """Whether the best epoch is too long ago."""
        patience = self.config["patience"]
        return patience is not None and epoch - self.best.epoch >= patience

    def _counters(self, tally: dict, stage: str) -> dict[str, float]:
        """Updates, and gradients and curvature products in passes over the training cases, since the stage began."""
        before = self.history.get(stage, {})
        done = steps_of(self.state)
        for name in ("gradients", "curvature_products"):
            passes = float(tally[name][0]) / len(self.dataset.splits["train"])
            done[name] = passes + (float(before[name][-1]) if name in before else 0.0)
        return done

    def checkpoint(self, complete: bool) -> Checkpoint:
        """The file's contents now; one of a run that was cut has statistics of SAMPLE training cases."""
        train = None
        if not complete:
            own = self.state | self.good.packed(self.state) | self.best.state
            train = {"stage": np.array([self.stage], np.int64)} | own | self.watch.packed()
        known = self.objectives.statistics(self.theta, complete)
        parts = [
            {n: np.ascontiguousarray(a) for n, a in (own | more).items()}
            for own, more in zip(self.network.split(self.theta), known, strict=True)
        ]
        provenance = {
            "data": self.dataset.fingerprint,
            "data_name": self.dataset.name,
            "parent": self.config["parent"],
            "best_epoch": self.best.epoch or None,
        }
        return Checkpoint(
            self.network, parts, self.objectives.preparation, self.config, self.history, provenance, train
        )

    def ended_early(self, old: Checkpoint) -> bool:
        """Whether a finished run stopped before its last epoch, so that more epochs would not have changed it."""
        return len(next(iter(old.history[FINE].values()))) < old.config["epochs"]

    def restore(self, old: Checkpoint) -> None:
        """Go on where the file stands."""
        if old.complete:
            raise UsageError(
                "--resume: this run is finished and its optimizer's state is gone; use --from to train on, or --force"
            )
        state = dict(old.train)
        self.watch = Watch.taken_from(state)
        stage = state.pop("stage", np.zeros(0))
        best = {name: state.pop(name, np.zeros(0)) for name in self.best.state}
        fits = stage.shape == (1,) and 0 <= stage[0] < len(self.stages)
        if not fits or any(best[n].shape != a.shape or best[n].dtype != a.dtype for n, a in self.best.state.items()):
            raise ModelError("--resume: the state in the file does not fit its model; use --force to start anew")
        self.stage, self.best, self.theta = int(stage[0]), Best(best), pack(self.network, old.arrays)
        # Made by LAPACK, it may differ in its last bits on another machine.
        self.objectives = replace(self.objectives, preparation=old.preparation)
        course = self._course(self.stages[self.stage])
        self.state, self.good = restored(state, self.theta, self._fresh(self.objectives.without_data()), course)
        self.history = {stage: dict(metrics) for stage, metrics in old.history.items()}

    def _fresh(self, objective: NetworkObjective) -> dict[str, np.ndarray]:
        """All arrays that decide what comes next, before the first minibatch of a stage."""
        tally = {f"tally/{name}": array for name, array in objective.tally.items()}
        mean = {"average": self.theta.copy()} if "average" in self.config else {}
        return begin() | self.optimizer.init(self.theta) | objective.state | mean | tally

    def _course(self, stage: _Stage) -> Course:
        key = random.fold(self.config["seed"], 1000 + self.stages.index(stage))
        cases = len(self.dataset.splits["train"])
        title = f"{stage.name} {dashes(self.network.widths)}"
        course = Course(title, cases, self.config["batch_size"], stage.epochs, key, self.config.get("average"))
        course = replace(course, places=vitals.places(self.network.layout))
        if (text := self.config.get("noise_schedule")) is None:
            return course
        return replace(course, noise=parse("--noise-schedule", text, course.minibatches, self.config["epochs"]))

    def end(self, outcome: str, data: str, output: str, checkpoint: Checkpoint) -> End:
        """How it ended: the last figures, or those of the best epoch where cases were held out."""
        history = checkpoint.history.get(FINE, {})
        count = len(next(iter(history.values()))) if history else 0
        best = checkpoint.provenance.get("best_epoch")
        kept = best if best and checkpoint.complete else count
        result = {"model": output, "network": dashes(self.network.widths), "epochs": count}
        if told := counts(self.dataset.unlabelled):
            result["unlabelled"] = told
        if best:
            result["best_epoch"] = best
        if kept:
            result |= {name: float(values[kept - 1]) for name, values in metrics_of(history).items()}
        if self.dataset.splits["train"].weights is not None:
            result["weighted"] = True
        if count and history["halvings"][-1]:
            result["rate_halved"] = int(history["halvings"][-1])
        result |= self.watch.told
        beside = {
            "--normal": self.config.get("normal"),
            "--teacher": None if self.mimicry is None else list(self.mimicry.teachers.models),
        }
        words = [word for option, given in beside.items() if given for word in (option, ",".join(given))]
        splits, held = self.dataset.splits, str(self.config["valid"])
        if "valid" in splits and "test" not in splits and not held.startswith("data "):
            words += ["--split", "valid"]
        follow = command("evaluate", output, data, *words, config=self.config)
        return End(outcome, result, follow if checkpoint.complete else "")


def _top(network: Network, moving: list[Span]) -> list[Span]:
    """The output layer's piece of theta, if it moves."""
    start = min(s.start for s in network.layout.segments if s.name.startswith(f"{len(network.layers) - 1}."))
    found = [(max(a, start), b, factor) for a, b, factor in moving if b > start]
    if not found:
        raise UsageError("--freeze-epochs trains the output layer alone, and --layer-rates holds it: leave one of them")
    return found

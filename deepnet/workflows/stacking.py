"""A pre-training run: layer after layer, its figures, and how it is saved and restored."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..checkpoint import Checkpoint, Preparation
from ..data import parse_valid
from ..errors import ModelError, UsageError
from ..kernels import jit, random
from ..nn.layers import Dense
from ..nn.stack import Stack
from ..optimizers import Momentum
from ..training import Course, Good, Meter, Stopped
from . import causes, feeds, trials, vitals
from .layerwise import PROBED, deviation_of, figures_of, first, fresh, pass_up, probes_of, row_of
from .loops import Loop
from .models import sums_of
from .plans import Plan
from .records import End
from .runs import Clock, Saver, append, command, dashes, epochs_for, left, metrics_of, passed, restored, steps_of
from .vitals import Figures
from .watching import Watch
from .work import Work


class Stacking:
    """A pre-training run: finished layers, the one in work, and how to save and restore them."""

    def __init__(
        self,
        dataset,
        preparation: Preparation,
        plans: list[Plan],
        config: dict,
        seed: int,
        meter: Meter,
    ):
        self.dataset, self.preparation, self.plans, self.config = dataset, preparation, plans, config
        self.seed, self.meter = seed, meter
        self.layer, self.history = 0, {}
        self.done: list[dict[str, np.ndarray]] = []
        self.theta: np.ndarray | None = None
        self.state: dict[str, np.ndarray] = {}
        self.good, self.watch = Good(), Watch()

    @property
    def widths(self) -> tuple[int, ...]:
        """Units layer by layer, from the inputs up."""
        return Stack(tuple(p.layer for p in self.plans)).widths

    def summary(self) -> dict:
        """The resolved plan, in the order to show."""
        cases = {name: len(c) for name, c in self.dataset.splits.items()}
        parameters = sum(p.layer.layout.count for p in self.plans)
        return {
            "data": self.dataset.name,
            "cases": ", ".join(f"{n:,} {name}" for name, n in cases.items()),
            "stack": dashes(self.widths),
            "parameters": parameters,
            "precision": self.config["precision"],
            "threads": jit.threads(),
            "GFLOPs": float(f"{sum(work.flops for work in self._work()) / 1e9:.3g}"),
            "layers": [row_of(i, plan) for i, plan in enumerate(self.plans)],
        }

    def trial(self) -> dict[str, float]:
        """What a plan says of the time, where minibatches can be tried: upper layers on codes drawn for them."""
        if not trials.possible("momentum"):
            return {}
        given, found = feeds.visible_feed(self.dataset.splits["train"].inputs, self.preparation), []
        for i, (plan, work) in enumerate(zip(self.plans, self._work(), strict=True)):
            theta, rule = first(plan, random.fold(self.seed, i + 1), None), Momentum(plan.learning_rate, plan.momentum)
            found.append(trials.seconds(plan.objective(given, self.config["precision"]), rule, theta, work, self.seed))
            given = trials.drawn(self.seed, plan.layer.outputs)
        return trials.minutes(found)

    def train(self, clock: Clock, data: str, output: str) -> Iterator:
        """Layer after layer, to the end or to the first reason to stop."""
        saver = Saver(output, self.checkpoint)
        try:
            yield from saver.guard(self._layers(clock, saver), self._trained)
        except Stopped as stopped:
            yield from saver.now(False)
            end = self.end(str(stopped), data, output, self.checkpoint(False))
            yield replace(end, result=end.result | self._left())
            return
        yield self.end("finished", data, output, self.checkpoint(True))

    def _trained(self) -> bool:
        """Whether an epoch is over."""
        return self.layer > 0 or bool(self.state and self.state["position"][0])

    def _layers(self, clock: Clock, saver: Saver) -> Iterator:
        given = {
            name: feeds.visible_feed(c.inputs, self.preparation)
            for name, c in self.dataset.splits.items()
            if name != "test"
        }
        sizes, work = {name: len(c) for name, c in self.dataset.splits.items()}, self._work()
        self.meter.whole = sum(own.whole for own in work)
        self.meter.behind = sum(own.whole for own in work[: self.layer])
        for i, plan in enumerate(self.plans):
            if i >= self.layer:
                yield from self._train_layer(i, plan, work[i], given, sizes, clock, saver)
            if i + 1 < len(self.plans):
                arrays = self.done[i]
                given = {
                    name: feeds.code_feed(pass_up(plan.layer, arrays, feed, sizes[name], clock.stop))
                    for name, feed in given.items()
                }
        yield from saver.now(True)

    def _train_layer(
        self, i: int, plan: Plan, work: Work, given: dict, sizes: dict, clock: Clock, saver: Saver
    ) -> Iterator:
        objective, layer = plan.objective(given["train"], self.config["precision"]), plan.layer
        optimizer = Momentum(plan.learning_rate, plan.momentum)
        key = random.fold(self.seed, i + 1)
        if self.theta is None:
            mean = self.config.get("visible_bias") == "mean"
            means = sums_of(given["train"], sizes["train"], layer.inputs) / sizes["train"] if mean else None
            self.theta = first(plan, key, means)
            self.state = fresh(objective, optimizer, self.theta)
            yield from self.watch.notes(self._inputs(given["train"], sizes["train"]))
        objective.state = {k: self.state[k] for k in objective.state}
        objective.tally = {k: self.state[f"tally/{k}"] for k in objective.tally}
        stage = f"layer {i + 1}/{len(self.plans)} {layer.inputs}-{layer.outputs}"
        probes = probes_of(key, given, sizes, layer.inputs)
        course = replace(self._course(plan, stage, key), places=vitals.places(layer.layout))
        self.meter.behind += work.epoch * int(self.state["position"][0])

        def figures(epoch: int) -> tuple[dict[str, float], dict[str, float]]:
            metrics, counters = figures_of(layer, self.theta, objective.tally, probes), steps_of(self.state)
            append(self.history, f"layer {i + 1}", metrics | counters)
            self.meter.detail = f"reconstruction error {metrics['reconstruction_error']:.4g}"
            return metrics, counters

        def look(before: np.ndarray) -> Figures:
            moved = vitals.steps(before, self.theta[course.places])
            return self._figures(plan, moved, deviation_of(layer, self.theta, probes))

        loop = Loop(clock, self.meter, saver, self.watch)
        run = optimizer, self.theta, self.state, self.good, figures, look
        yield from loop.through(course, work, objective, *run, lambda: self._cause(given["train"], sizes["train"]))
        self.meter.behind += work.after
        self.done.append(plan.layer.layout.unpack(self.theta))
        self.layer, self.theta, self.state, self.good = i + 1, None, {}, Good()
        if self.layer < len(self.plans):
            yield from saver.in_time()

    def _course(self, plan: Plan, stage: str = "", key: int = 0) -> Course:
        return Course(stage, len(self.dataset.splits["train"]), plan.batch_size, plan.epochs, key)

    def _epochs(self) -> list[float]:
        """Epochs of each layer that lie behind."""
        now = passed(self.state, self._course(self.plans[min(self.layer, len(self.plans) - 1)]))
        return [p.epochs if i < self.layer else now * (i == self.layer) for i, p in enumerate(self.plans)]

    def _work(self) -> list[Work]:
        """The work of each layer; a product is one of a weight with a case's number: 5 in CD-1, 1 on the way up."""
        cases = {name: len(c) for name, c in self.dataset.splits.items()}
        held_out = min(PROBED, cases["valid"]) if "valid" in cases else 0
        found = []
        for i, p in enumerate(self.plans):
            count, up = p.layer.layout.count, sum(n for name, n in cases.items() if name != "test")
            after = count * up if i + 1 < len(self.plans) else 0
            each = count * (2 * p.cd_steps + 3)
            found.append(Work(p.epochs, cases["train"], p.batch_size, each, 2 * held_out * count, after))
        return found

    def _left(self) -> dict:
        """What a cut run has before it, as far as it is known."""
        return left(sum(p.epochs for p in self.plans) - sum(self._epochs()), self.meter)

    def _below(self) -> str:
        """What to change where the inputs of the layer are at fault."""
        if self.layer:
            return "use a smaller --learning-rate for the layer below"
        return causes.remedy(self.config["scale"])

    def _inputs(self, feed, cases: int) -> Figures:
        """What is known of the layer in work before its first epoch."""
        layer = self.plans[self.layer].layer
        x = causes.inputs(feed, cases, layer.inputs)
        return Figures(inputs=vitals.of_inputs(x, layer.visible), below=self._below())

    def _figures(self, plan: Plan, moved: list[float], deviation: float) -> Figures:
        """What is known of the layer in work after an epoch."""
        part, W = self.history[f"layer {self.layer + 1}"], plan.layer.layout.views(self.theta)["W"]
        names = {
            "loss": "loss" if "loss" in part else "reconstruction_error",
            "gap": "free_energy_gap",
            "updates": "updates",
        }
        last = {name: float(values[-1]) for name, values in part.items()}
        name, sparse = f"layer {self.layer + 1}", plan.rule.sparsity_target is not None
        return Figures(
            vitals.of_stack(name, plan.layer.hidden, W, moved, last, sparse),
            {figure: part[own] for figure, own in names.items() if own in part},
            gap_unit=deviation,
        )

    def _cause(self, feed, cases: int) -> str | None:
        """Why the layer diverges that has theta, as far as it is not the rate."""
        layer = self.plans[self.layer].layer
        x = causes.inputs(feed, cases, layer.inputs)
        up, parts = (Dense(layer.inputs, layer.outputs, layer.hidden),), [layer.layout.views(self.theta)]
        return causes.of_inputs(x, self._below()) or causes.of_units(
            up, parts, x, "use other --units, or a smaller --init"
        )

    def checkpoint(self, complete: bool) -> Checkpoint:
        """The file's contents now."""
        arrays, count = list(self.done), len(self.done)
        if self.theta is not None:
            arrays, count = [*arrays, self.plans[self.layer].layer.layout.unpack(self.theta)], count + 1
        train = None
        if not complete:
            train = {"layer": np.array([self.layer], np.int64)} | self.state | self.good.packed(self.state)
            train |= self.watch.packed()
        stack = Stack(tuple(p.layer for p in self.plans[:count]))
        provenance = {"data": self.dataset.fingerprint, "data_name": self.dataset.name}
        return Checkpoint(stack, arrays, self.preparation, self.config, self.history, provenance, train)

    def restore(self, old: Checkpoint) -> None:
        """Go on where the file of a cut run stands; UsageError for a finished one."""
        if old.complete:
            raise UsageError(
                "--resume: this stack is finished, its layers are not trained on; use --force to start anew"
            )
        state = dict(old.train)
        self.watch = Watch.taken_from(state)
        layer = state.pop("layer", np.zeros(0))
        if layer.shape != (1,) or not 0 <= layer[0] < len(self.plans) or len(old.arrays) - int(layer[0]) not in (0, 1):
            raise ModelError("--resume: the position in the file is not one of its layers; use --force to start anew")
        self.layer = int(layer[0])
        if self.config["epochs"][: self.layer] != old.config["epochs"][: self.layer]:
            raise UsageError(f"--resume: the first {self.layer} layers are finished; raise --epochs of later ones only")
        self.preparation = old.preparation  # made by LAPACK, it may differ in its last bits on another machine
        self.history = {stage: dict(metrics) for stage, metrics in old.history.items()}
        self.done = old.arrays[: self.layer]
        if len(old.arrays) > self.layer:
            plan = self.plans[self.layer]
            self.theta = plan.layer.layout.pack(old.arrays[self.layer])
            objective = plan.objective(None, "float32")
            like = fresh(objective, Momentum(plan.learning_rate, plan.momentum), self.theta)
            self.state, self.good = restored(state, self.theta, like, self._course(plan))

    def end(self, outcome: str, data: str, output: str, checkpoint: Checkpoint) -> End:
        """How it ended, with each layer's last figures."""
        rows = []
        for i, plan in enumerate(self.plans):
            part = checkpoint.history.get(f"layer {i + 1}", {})
            if part:
                last = {name: float(values[-1]) for name, values in metrics_of(part).items()}
                if part["halvings"][-1]:
                    last["rate_halved"] = int(part["halvings"][-1])
                rows.append(
                    {"layer": f"{plan.layer.inputs}-{plan.layer.outputs}", "epochs": len(part["reconstruction_error"])}
                    | last
                )
        result = {"model": output, "stack": dashes(self.widths)}
        if rows:
            result["reconstruction_error"] = [row["reconstruction_error"] for row in rows]
        result["layers"] = rows
        result |= self.watch.told
        epochs = epochs_for(len(self.dataset.splits["train"]), 30)
        more = ("--epochs", str(epochs)) if epochs > 30 else ()
        if parse_valid(held := self.config["valid"])[0] in ("fraction", "count", "last"):
            more += ("--valid", held)
        follow = command("finetune", data, "--from", output, "-o", "net.h5", *more, config=self.config)
        return End(outcome, result, follow if checkpoint.complete else "")

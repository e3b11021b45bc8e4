"""A pre-training run: layer after layer, its figures, and how it is saved and restored."""

from collections.abc import Iterator

import numpy as np

from .. import files
from ..checkpoint import Checkpoint, Preparation
from ..errors import ModelError, UsageError
from ..kernels import jit, operands, products, random
from ..kernels.losses import total
from ..nn import initializers
from ..nn.rbm import RBM, ContrastiveDivergence, free_energy, start
from ..nn.stack import Stack
from ..nn.units import UNITS
from ..optimizers import Momentum
from ..training import Course, Good, Meter, Passed, begin
from . import sources
from .models import CHUNK, blocks
from .plans import Plan, written
from .records import End
from .runs import Clock, Loop, Saver, append, command, dashes, epochs_for, metrics_of, restored, steps_of

PROBED = 1000  # cases, training and held-out, for the free-energy gap
DEAD, SATURATED = 0.01, 0.99  # mean activations over an epoch (Hinton 2010, section 11)


class Stacking:
    """A pre-training run: finished layers, the one in work, and how to save and restore them."""

    def __init__(
        self,
        dataset,
        preparation: Preparation,
        plans: list[Plan],
        config: dict,
        visible_bias: str,
        seed: int,
        meter: Meter,
    ):
        self.dataset, self.preparation, self.plans, self.config = dataset, preparation, plans, config
        self.visible_bias, self.seed, self.meter = visible_bias, seed, meter
        self.layer, self.history = 0, {}
        self.done: list[dict[str, np.ndarray]] = []
        self.theta: np.ndarray | None = None
        self.state: dict[str, np.ndarray] = {}
        self.good = Good()

    @property
    def widths(self) -> tuple[int, ...]:
        """Units layer by layer, from the inputs up."""
        return Stack(tuple(p.rbm for p in self.plans)).widths

    def summary(self) -> dict:
        """The resolved plan, in the order to show."""
        cases = {name: len(c) for name, c in self.dataset.splits.items()}
        parameters = sum(p.rbm.layout.count for p in self.plans)
        return {
            "data": self.dataset.name,
            "cases": ", ".join(f"{n:,} {name}" for name, n in cases.items()),
            "stack": dashes(self.widths),
            "parameters": parameters,
            "precision": self.config["precision"],
            "threads": jit.threads(),
            "layers": [_row(i, plan) for i, plan in enumerate(self.plans)],
        }

    def train(self, clock: Clock, data: str, output: str) -> Iterator:
        """Layer after layer, to the end or to the first reason to stop."""
        saver = Saver(output, self.checkpoint)
        yield from saver.guard(self._layers(clock, saver, data, output), self._trained)

    def _trained(self) -> bool:
        """Whether an epoch is over."""
        return self.layer > 0 or bool(self.state and self.state["position"][0])

    def _layers(self, clock: Clock, saver: Saver, data: str, output: str) -> Iterator:
        feeds = {
            name: sources.visible_feed(c.inputs, self.preparation)
            for name, c in self.dataset.splits.items()
            if name != "test"
        }
        sizes = {name: len(c) for name, c in self.dataset.splits.items()}
        for i, plan in enumerate(self.plans):
            if i >= self.layer:
                for record in self._train_layer(i, plan, feeds, sizes, clock, saver):
                    if isinstance(record, Passed):
                        yield from saver.now(False)
                        yield self.end(record.stopped, data, output, self.checkpoint(False))
                        return
                    yield record
            if i + 1 < len(self.plans):
                arrays = self.done[i]
                feeds = {
                    name: sources.code_feed(_pass_up(plan.rbm, arrays, feed, sizes[name]))
                    for name, feed in feeds.items()
                }
        yield from saver.now(True)
        yield self.end("finished", data, output, self.checkpoint(True))

    def _train_layer(self, i: int, plan: Plan, feeds: dict, sizes: dict, clock: Clock, saver: Saver) -> Iterator:
        objective = ContrastiveDivergence(
            plan.rbm, feeds["train"], plan.batch_size, plan.cd_steps, plan.penalties, precision=self.config["precision"]
        )
        optimizer = Momentum(plan.learning_rate, plan.momentum)
        key = random.fold(self.seed, i + 1)
        if self.theta is None:
            weights = initializers.draw(
                plan.init, random.fold(key, random.INITIALIZE), plan.rbm.inputs, plan.rbm.outputs
            )
            means = _means(feeds["train"], sizes["train"], plan.rbm.inputs) if self.visible_bias == "mean" else None
            self.theta = start(plan.rbm, weights, means)
            self.state = _fresh(objective, optimizer, self.theta)
        objective.state = {k: self.state[k] for k in objective.state}
        objective.tally = {k: self.state[f"tally/{k}"] for k in objective.tally}
        stage = f"layer {i + 1}/{len(self.plans)} {plan.rbm.inputs}-{plan.rbm.outputs}"
        probes = _probes(key, feeds, sizes, plan.rbm.inputs)
        course = Course(stage, sizes["train"], plan.batch_size, plan.epochs, key)

        def figures(epoch: int) -> tuple[dict[str, float], dict[str, float]]:
            metrics, counters = _metrics(plan.rbm, self.theta, objective.tally, probes), steps_of(self.state)
            append(self.history, f"layer {i + 1}", metrics | counters)
            self.meter.detail = f"reconstruction error {metrics['reconstruction_error']:.4g}"
            return metrics, counters

        loop = Loop(clock, self.meter, saver)
        for record in loop.through(course, objective, optimizer, self.theta, self.state, self.good, figures):
            yield record
            if isinstance(record, Passed):
                return
        self.done.append(plan.rbm.layout.unpack(self.theta))
        self.layer, self.theta, self.state, self.good = i + 1, None, {}, Good()
        if self.layer < len(self.plans):
            yield from saver.in_time()

    def checkpoint(self, complete: bool) -> Checkpoint:
        """The file's contents now."""
        arrays, count = list(self.done), len(self.done)
        if self.theta is not None:
            arrays, count = [*arrays, self.plans[self.layer].rbm.layout.unpack(self.theta)], count + 1
        train = None
        if not complete:
            train = {"layer": np.array([self.layer], np.int64)} | self.state | self.good.packed(self.state)
        stack = Stack(tuple(p.rbm for p in self.plans[:count]))
        provenance = {"data": self.dataset.fingerprint, "data_name": self.dataset.name}
        return Checkpoint(stack, arrays, self.preparation, self.config, self.history, provenance, train)

    def restore(self, old: Checkpoint) -> None:
        """Go on where the file of a cut run stands; UsageError for a finished one."""
        if old.complete:
            raise UsageError(
                "--resume: this stack is finished, its layers are not trained on; use --force to start anew"
            )
        state = dict(old.train)
        layer = state.pop("layer", np.zeros(0))
        if layer.shape != (1,) or not 0 <= layer[0] < len(self.plans) or len(old.arrays) - int(layer[0]) not in (0, 1):
            raise ModelError("--resume: the position in the file is not one of its layers; use --force to start anew")
        self.layer = int(layer[0])
        if self.config["epochs"][: self.layer] != old.config["epochs"][: self.layer]:
            raise UsageError(f"--resume: the first {self.layer} layers are finished; raise --epochs of later ones only")
        self.history = {stage: dict(metrics) for stage, metrics in old.history.items()}
        self.done = old.arrays[: self.layer]
        if len(old.arrays) > self.layer:
            plan = self.plans[self.layer]
            self.theta = plan.rbm.layout.pack(old.arrays[self.layer])
            objective = ContrastiveDivergence(plan.rbm, None, 1, 1, plan.penalties)
            fresh = _fresh(objective, Momentum(plan.learning_rate, plan.momentum), self.theta)
            course = Course("", len(self.dataset.splits["train"]), plan.batch_size, plan.epochs, 0)
            self.state, self.good = restored(state, self.theta, fresh, course)

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
                    {"layer": f"{plan.rbm.inputs}-{plan.rbm.outputs}", "epochs": len(part["reconstruction_error"])}
                    | last
                )
        result = {"model": output, "stack": dashes(self.widths)}
        if rows:
            result["reconstruction_error"] = [row["reconstruction_error"] for row in rows]
        result["layers"] = rows
        epochs = epochs_for(len(self.dataset.splits["train"]), 30)
        more = ("--epochs", str(epochs)) if epochs > 30 else ()
        follow = command("finetune", data, "--from", output, "-o", "net.h5", *more, config=self.config)
        return End(outcome, result, follow if checkpoint.complete else "")


def _fresh(objective: ContrastiveDivergence, optimizer: Momentum, theta: np.ndarray) -> dict[str, np.ndarray]:
    """All arrays that decide what comes next, before the first minibatch."""
    tally = {f"tally/{name}": array for name, array in objective.tally.items()}
    return begin() | optimizer.init(theta) | objective.state | tally


def _row(i: int, plan: Plan) -> dict:
    """A layer's line in the table of the plan."""
    return {
        "layer": i + 1,
        "visible": plan.rbm.visible,
        "hidden": plan.rbm.hidden,
        "weights": f"{plan.rbm.inputs} x {plan.rbm.outputs}",
        "epochs": plan.epochs,
        "batch size": plan.batch_size,
        "learning rate": written(plan.learning_rate),
        "momentum": written(plan.momentum),
        "CD steps": plan.cd_steps,
    }


def _pass_up(rbm: RBM, arrays: dict, feed, cases: int) -> np.ndarray:
    """Activations (cases, outputs) of a trained layer, computed once; in memory where they fit."""
    p = rbm.layout.views(rbm.layout.pack(arrays))
    codes = files.scratch((cases, rbm.outputs))
    x, a = operands.matrix(CHUNK, rbm.inputs), operands.matrix(CHUNK, rbm.outputs)
    for rows in blocks(cases):
        n = len(rows)
        feed(rows, x[:n])
        products.up(x[:n], p["W"], p["b"], UNITS[rbm.hidden].code, a[:n])
        if UNITS[rbm.hidden].rowwise:
            UNITS[rbm.hidden].activate(a[:n])
        codes[rows] = a[:n]
    return codes


def _means(feed, cases: int, width: int) -> np.ndarray:
    """Mean of each visible unit over the training cases, (width,)."""
    total, x = np.zeros(width), operands.matrix(CHUNK, width)
    for rows in blocks(cases):
        feed(rows, x[: len(rows)])
        total += x[: len(rows)].sum(axis=0, dtype=np.float64)
    return total / cases


def _probes(key: int, feeds: dict, sizes: dict, width: int) -> tuple[np.ndarray, np.ndarray] | None:
    """A fixed subset of the training cases and as many held-out ones, for the free-energy gap.

    Source: Hinton 2010, section 6.
    """
    if "valid" not in feeds:
        return None
    count = min(PROBED, sizes["train"], sizes["valid"])
    both = []
    for name in ("train", "valid"):
        x = operands.matrix(count, width)
        feeds[name](np.sort(random.permutation(random.fold(key, random.PROBE), sizes[name])[:count]), x)
        both.append(x)
    return both[0], both[1]


def _metrics(rbm: RBM, theta: np.ndarray, tally: dict, probes) -> dict[str, float]:
    """An epoch's figures. Reconstruction error.

    Squared error a case; gap: mean free energy of held-out less training cases.
    """
    cases = float(tally["cases"][0])
    mean = tally["hidden"] / cases
    metrics = {"reconstruction_error": float(tally["loss"][0]) / cases}
    if probes is not None:
        p = rbm.layout.views(theta)
        train, valid = (total(free_energy(rbm, p, x)) / len(x) for x in probes)
        metrics["free_energy_gap"] = valid - train
    metrics["mean_activation"] = float(mean.sum()) / len(mean)
    if rbm.hidden in ("logistic", "relu"):
        metrics["dead_units"] = int((mean < DEAD).sum()) / len(mean)
        if rbm.units[1].bounded:
            metrics["saturated_units"] = int((mean > SATURATED).sum()) / len(mean)
    return metrics

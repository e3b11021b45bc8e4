"""finetune: a network trained by backpropagation, from a pre-trained stack, from another network, or from random weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .. import checkpoint as files_of_models
from ..checkpoint import Checkpoint
from ..errors import DataError, UsageError
from ..files import shown
from ..kernels import jit, random
from ..nn import initializers, stack
from ..nn.layers import Dense
from ..nn.losses import LOSSES
from ..nn.network import Network, NetworkObjective
from ..nn.stack import Stack
from ..optimizers import OPTIMIZERS, check
from ..optimizers.objective import Optimizer
from ..optimizers.schedules import parse
from ..training import Best, Course, Meter, begin, fit
from . import sources
from .models import blocks, pack
from .pretrain import spread
from .records import End, Epoch, Start
from .runs import Clock, Saver, append, check_resume, dashes, open_run

FINE, TOP = "fine-tuning", "output layer alone"


def finetune(
    data,
    output=None,
    *,
    start=None,
    layers=None,
    units=("logistic",),
    init=("glorot",),
    dropout=(0.0,),
    task="classify",
    optimizer="nesterov",
    epochs=30,
    batch_size=100,
    learning_rate=None,
    momentum=None,
    weight_decay=0.0,
    clip=None,
    patience=None,
    freeze_epochs=0,
    valid="none",
    scale="auto",
    label=None,
    ignore=(),
    force=False,
    resume=False,
    dry_run=False,
    seed=0,
    threads=None,
    max_time=None,
    stop=lambda: None,
    meter=None,
) -> Iterator:
    """Train and save a network; yields Start, Epoch, Saved and End records. Options as on the command line."""
    if threads is not None:
        jit.set_threads(threads)
    old = open_run(output, force, resume, dry_run)
    parent = files_of_models.load(start) if start is not None else None
    dataset, held_out = sources.read(data, valid, task, label, ignore, seed, _known_classes(parent, task))
    preparation = _preparation(parent, dataset, scale, task, units if layers else None, start)
    sources.check_batch(batch_size, len(dataset.splits["train"]))
    network, arrays = _build(parent, dataset, preparation, task, layers, units, init, dropout, seed)
    per_epoch = -(-len(dataset.splits["train"]) // batch_size)
    rule = _optimizer(optimizer, learning_rate, momentum, clip, per_epoch, epochs)
    config = {
        "command": "finetune", "task": task, "widths": list(network.widths), "units": [x.unit for x in network.layers if isinstance(x, Dense)],
        "init": list(init) if parent is None else "parent", "dropout": list(dropout), "optimizer": optimizer, "epochs": epochs,
        "batch_size": batch_size, "learning_rate": learning_rate, "momentum": momentum, "weight_decay": weight_decay, "clip": clip,
        "patience": patience, "freeze_epochs": freeze_epochs, "valid": held_out, "scale": scale, "seed": seed,
        "parent": parent.digest if parent else None,
    }  # fmt: skip
    history = {k: dict(v) for k, v in parent.history.items()} if parent else {}
    run = _Run(dataset, preparation, network, pack(network, arrays), rule, config, history, meter or Meter())
    yield Start("finetune", run.summary(optimizer))
    if dry_run:
        return
    if old is not None:
        extendable = not any(getattr(rule, name).needs_total for name in ("learning_rate", "momentum") if hasattr(rule, name))
        check_resume(old, config, dataset.fingerprint, extendable)
        if old.complete and (old.config["epochs"] == epochs or run.ended_early(old)):
            yield run.end("already finished", data, output, old)
            return
        run.restore(old)
    yield from run.train(Clock(stop, max_time), data, output)


def _known_classes(parent: Checkpoint | None, task: str) -> tuple[str, ...] | None:
    """A network that classifies knows its classes; a stack takes the data's."""
    if parent is None or isinstance(parent.model, Stack) or task != "classify":
        return None
    return parent.preparation.classes or None


def _preparation(parent, dataset, scale, task, units, start):
    """The parent's scaling, or a new one; the task adds class names or the targets' mean and deviation."""
    if parent is None:
        visible = "logistic" if task == "reconstruct" and scale in ("auto", "unit") else "linear"
        p = sources.prepare(dataset, scale, visible)
    else:
        p = parent.preparation
        sources.check_width(dataset, p, shown(start))
    offset = spread_ = None
    if task == "regress":
        targets = dataset.splits["train"].targets.astype(np.float64)
        deviation = np.sqrt(((targets - targets.mean(axis=0)) ** 2).mean(axis=0))
        offset = targets.mean(axis=0).astype(np.float32)
        spread_ = np.where(deviation > 0, deviation, 1).astype(np.float32)
    return files_of_models.Preparation(p.kind, p.offset, p.scale, dataset.shape, dataset.classes, offset, spread_)


def _build(parent, dataset, preparation, task, layers, units, init, dropout, seed) -> tuple[Network, list[dict]]:
    """The network and its layers' first arrays."""
    key = random.fold(seed, random.INITIALIZE)
    if parent is not None and isinstance(parent.model, Network):
        return _continue(parent, dataset, task, dropout)
    if parent is not None and task == "reconstruct":
        network, arrays = stack.unroll(parent.model, parent.arrays)
        return _with_dropout(network, arrays, dropout)
    if parent is not None:
        body = list(stack.encoder(parent.model))
        arrays = [{"W": a["W"], "b": a["b"]} for a in parent.arrays]
        top_init = init[-1]
    else:
        body, arrays = _random_layers(preparation, task, layers, units, init, key)
        top_init = init[-1]
    outputs, loss = _head(dataset, preparation, task)
    below = body[-1].outputs if body else len(preparation.offset)
    top = Dense(below, outputs, LOSSES[loss].unit)
    weights = initializers.draw(top_init, random.fold(key, len(body)), below, outputs)
    arrays = [*arrays, {"W": weights, "b": np.zeros(outputs, np.float32)}]
    return _with_dropout(Network((*body, top), loss), arrays, dropout)


def _random_layers(preparation, task, layers, units, init, key):
    """Hidden layers from random weights; for reconstruct the hourglass of `layers` and its mirror image."""
    widths = [len(preparation.offset), *layers]
    kinds, inits = spread(units, len(layers)), spread(init, len(layers))
    for kind in kinds:
        if kind == "softmax":
            raise UsageError("--units softmax: a hidden layer of softmax units cannot be trained here; use another unit")
    if task == "reconstruct":
        widths, kinds, inits = [*widths, *reversed(layers[:-1])], [*kinds, *reversed(kinds[:-1])], [*inits, *reversed(inits[:-1])]
    body, arrays = [], []
    for i, ((below, above), kind, rule) in enumerate(zip(pairwise(widths), kinds, inits, strict=True)):
        body.append(Dense(below, above, kind))
        arrays.append({"W": initializers.draw(rule, random.fold(key, i), below, above), "b": np.zeros(above, np.float32)})
    return body, arrays


def _head(dataset, preparation, task) -> tuple[int, str]:
    """Number of output units and the loss of a task."""
    if task == "classify":
        if len(dataset.classes) < 2:
            raise DataError(f"{dataset.name} has {len(dataset.classes)} class; classification needs two, or use --task reconstruct")
        return len(dataset.classes), "cross_entropy"
    if task == "regress":
        return len(preparation.target_scale), "squared_error"
    bounded = preparation.kind in ("auto", "unit")
    return len(preparation.offset), "binary_cross_entropy" if bounded else "squared_error"


def _continue(parent, dataset, task, dropout) -> tuple[Network, list[dict]]:
    """A network trained on, as it is."""
    has = sources.task_of(parent.model.loss, parent.preparation)
    if has != task:
        raise UsageError(f"--from: the network was made to {has}, not to {task}; give --task {has}, or start from its stack")
    if any(dropout):
        raise UsageError("--dropout with --from NETWORK: its layers stay as they are; start from a stack or --layers")
    return parent.model, parent.arrays


def _with_dropout(network: Network, arrays: list[dict], dropout) -> tuple[Network, list[dict]]:
    """Dropout layers put in: one rate for all hidden layers, or the input's and each hidden layer's."""
    rates = [0.0, *[dropout[0]] * (len(network.layers) - 1)] if len(dropout) == 1 else list(dropout)
    if len(rates) != len(network.layers):
        raise UsageError(f"--dropout has {len(rates)} values; give one, or {len(network.layers)}: input, then each hidden layer")
    layers = stack.with_dropout(network.layers, rates)
    own = iter(arrays)
    return Network(layers, network.loss), [next(own) if isinstance(layer, Dense) else {} for layer in layers]


def _optimizer(name: str, rate, momentum, clip, per_epoch: int, epochs: int) -> Optimizer:
    """The optimizer with its settings; None leaves its default."""
    kind, settings = OPTIMIZERS[name], {"clip": clip}
    if rate is not None:
        settings["learning_rate"] = parse("--learning-rate", rate, per_epoch, epochs, positive=True)
    if momentum is not None:
        if "momentum" not in kind.__dataclass_fields__:
            raise UsageError(f"--momentum: {name} has none; use --optimizer momentum or nesterov")
        settings["momentum"] = parse("--momentum", momentum, per_epoch, epochs, most=1.0)
    return kind(**settings)


@dataclass
class _Stage:
    """A stage of the run: its name, epochs, and the pieces of theta that move."""

    name: str
    epochs: int
    spans: list[tuple[int, int, float]]


class _Run:
    """A fine-tuning run, and how to save and restore it."""

    def __init__(self, dataset, preparation, network: Network, theta, optimizer: Optimizer, config: dict, history: dict, meter: Meter):
        self.dataset, self.preparation, self.network, self.theta = dataset, preparation, network, theta
        self.optimizer, self.config, self.history, self.meter = optimizer, config, history, meter
        self.task, self.stage, self.state = config["task"], 0, {}
        top = [s for s in network.layout.segments if s.name.startswith(f"{len(network.layers) - 1}.")]
        self.stages = [_Stage(FINE, config["epochs"], [(0, network.layout.size, 1.0)])]
        if config["freeze_epochs"]:
            self.stages.insert(0, _Stage(TOP, config["freeze_epochs"], [(top[0].start, top[-1].stop, 1.0)]))
        self.best = Best.of(theta)

    def summary(self, optimizer: str) -> dict:
        """The resolved plan, in the order to show."""
        rates = {k: getattr(self.optimizer, k) for k in ("learning_rate", "momentum") if hasattr(self.optimizer, k)}
        return {
            "data": self.dataset.name,
            "cases": ", ".join(f"{len(c)} {name}" for name, c in self.dataset.splits.items()),
            "network": dashes(self.network.widths),
            "start": "pre-trained" if self.config["parent"] else "random weights",
            "task": self.task,
            "loss": self.network.loss,
            "optimizer": optimizer,
            **{k: f"{v.name}:{':'.join(f'{x:g}' for x in v.values)}" if v.name != "constant" else v.values[0] for k, v in rates.items()},
            "epochs": self.config["epochs"],
            "batch_size": self.config["batch_size"],
            "parameters": self.network.layout.count,
            "threads": jit.threads(),
        }

    def train(self, clock: Clock, data: str, output: str) -> Iterator:
        """Stage after stage, to the end or to the first reason to stop."""
        saver = Saver(output, self.checkpoint)
        splits = self.dataset.splits
        feed = sources.network_feed(splits["train"], self.preparation, self.task)
        objective = NetworkObjective(self.network, feed, self.config["batch_size"], self.config["weight_decay"])
        check(self.config["optimizer"], self.optimizer, objective)
        held_out = None
        if "valid" in splits:
            held_out = NetworkObjective(self.network, sources.network_feed(splits["valid"], self.preparation, self.task), 1000)
        outcome = "finished"
        for i in range(self.stage, len(self.stages)):
            self.stage, stage = i, self.stages[i]
            objective.spans = stage.spans
            if not self.state:
                self.state = begin() | self.optimizer.init(self.theta) | {f"tally/{k}": v for k, v in objective.tally.items()}
            objective.tally = {k: self.state[f"tally/{k}"] for k in objective.tally}
            key = random.fold(self.config["seed"], 1000 + i)
            title = f"{stage.name} {dashes(self.network.widths)}"
            for passed in fit(objective, self.optimizer, self.theta, self.state, Course(title, len(splits["train"]), self.config["batch_size"], stage.epochs, key), clock.reason, self.meter):
                if passed.stopped:
                    yield from saver.now(False)
                    yield self.end(passed.stopped, data, output, self.checkpoint(False))
                    return
                metrics = self._metrics(objective.tally, "training")
                for tally in objective.tally.values():
                    tally[:] = 0
                if held_out is not None:
                    metrics |= self._held_out(held_out, len(splits["valid"]))
                    if stage.name == FINE:
                        self.best.see(passed.epoch, _score(metrics), self.theta)
                append(self.history, stage.name, metrics)
                self.meter.detail = ", ".join(f"{k.replace('_', ' ')} {v:.4g}" for k, v in list(metrics.items())[-1:])
                yield Epoch(title, passed.epoch, stage.epochs, metrics, len(splits["train"]), passed.seconds)
                patience = self.config["patience"]
                if stage.name == FINE and patience is not None and passed.epoch - self.best.epoch >= patience:
                    outcome = "early stop"
                    break
                if passed.epoch < stage.epochs:
                    yield from saver.in_time()
            if i + 1 < len(self.stages):
                self.state = {}
        if held_out is not None and self.best.epoch:
            self.theta[:] = self.best.state["best_theta"]
        yield from saver.now(True)
        yield self.end(outcome, data, output, self.checkpoint(True))

    def _metrics(self, tally: dict, word: str) -> dict[str, float]:
        cases = float(tally["cases"][0])
        metrics = {f"{word}_loss": float(tally["loss"][0]) / cases}
        if self.task == "classify":
            metrics[f"{word}_error"] = float(tally["wrong"][0]) / cases
        elif self.task == "reconstruct":
            metrics[f"{word}_squared_error"] = float(tally["squared_error"][0]) / cases
        return metrics

    def _held_out(self, objective: NetworkObjective, cases: int) -> dict[str, float]:
        for tally in objective.tally.values():
            tally[:] = 0
        for rows in blocks(cases):
            objective.at(rows, None)
            objective.value(self.theta)
            objective.count()
        return self._metrics(objective.tally, "validation")

    def checkpoint(self, complete: bool) -> Checkpoint:
        """The file's contents now."""
        train = None
        if not complete:
            train = {"stage": np.array([self.stage], np.int64)} | self.state | self.best.state
        parts = [{n: np.ascontiguousarray(a) for n, a in own.items()} for own in self.network.split(self.theta)]
        provenance = {
            "data": self.dataset.fingerprint,
            "data_name": self.dataset.name,
            "parent": self.config["parent"],
            "best_epoch": self.best.epoch or None,
        }
        return Checkpoint(self.network, parts, self.preparation, self.config, self.history, provenance, train)

    def ended_early(self, old: Checkpoint) -> bool:
        """Whether a finished run stopped before its last epoch, so that more epochs would not have changed it."""
        return len(next(iter(old.history[FINE].values()))) < old.config["epochs"]

    def restore(self, old: Checkpoint) -> None:
        """Go on where the file stands."""
        if old.complete:
            raise UsageError("--resume: this run is finished and its optimizer's state is gone; use --from to train on, or --force")
        state = dict(old.train)
        self.stage = int(state.pop("stage")[0])
        self.best = Best({k: state.pop(k) for k in self.best.state})
        self.state, self.theta = state, pack(self.network, old.arrays)
        self.history = {stage: dict(metrics) for stage, metrics in old.history.items()}

    def end(self, outcome: str, data: str, output: str, checkpoint: Checkpoint) -> End:
        """How it ended: the last figures, or those of the best epoch where cases were held out."""
        history = checkpoint.history.get(FINE, {})
        count = len(next(iter(history.values()))) if history else 0
        best = checkpoint.provenance.get("best_epoch")
        kept = best if best and checkpoint.complete else count
        result = {"model": output, "network": dashes(self.network.widths), "epochs": count}
        if best:
            result["best_epoch"] = best
        if kept:
            result |= {name: float(values[kept - 1]) for name, values in history.items()}
        done = checkpoint.complete
        return End(outcome, result, f"deepnet evaluate {output} {data}" if done else f"deepnet finetune ... -o {output} --resume")


def _score(metrics: dict[str, float]) -> tuple[float, float]:
    """What early stopping lowers: the validation error (or squared error), then the validation loss."""
    held = [v for k, v in metrics.items() if k.startswith("validation")]
    return held[-1], held[0]

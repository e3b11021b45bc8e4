"""compare: networks on the same cases, with paired differences, and their histories on one chart or page."""

import os

import numpy as np

from .. import evaluation
from ..errors import UsageError
from ..files import check_output, shown, write_alone
from ..kernels import jit
from ..nn.stack import Stack
from . import charts, models, scores, sources
from .runs import FINE

PAGES = ("html", "htm")
FIGURE = {"classify": "error", "regress": "squared_error", "reconstruct": "squared_error"}


def compare(data, nets, output=None, *, logs=(), split=None, label=None, ignore=(), force=False, threads=None) -> dict:
    """Figures of each network on the same cases, and how it differs from the first.

    Writes to `output` the chart of their histories, or, where it ends in .html, a page with all of it. `logs` are the
    files of `--log`, one a network or none; with them the chart has a panel by the clock too.
    """
    if threads is not None:
        jit.set_threads(threads)
    if len(nets) < 2:
        raise UsageError("there is one network only: name the data and then at least two networks")
    if logs and len(logs) != len(nets):
        raise UsageError(
            f"--log has {len(logs)} files for {len(nets)} networks; give one each, in their order, or none"
        )
    if output is not None:
        check_output(output, force, (data, *nets, *logs))
        if (suffix := _suffix(output)) not in PAGES:
            from .. import figures

            figures.format_of(suffix)
    loaded = [models.load(net, data) for net in nets]
    task = _task(loaded, nets)
    cases = [sources.chosen(model.config, split) for model in loaded]
    if other := next((net for net, own in zip(nets, cases, strict=True) if own != cases[0]), None):
        raise UsageError(
            f"{shown(nets[0])} and {shown(other)} are not measured on the same cases; compare networks of the same "
            "--valid, --seed and --normal, or leave --split out"
        )
    opened = [
        sources.open_split(model, net, data, task, split, label, ignore)
        for model, net in zip(loaded, nets, strict=True)
    ]
    histories = None if output is None else charts.lines(nets, loaded, logs)
    against = [_scores(model, cases, task) for model, (_, cases, _) in zip(loaded, opened, strict=True)]
    rows = [_row(net, model, own, against[0], task) for net, model, own in zip(nets, loaded, against, strict=True)]
    dataset, _, used = opened[0]
    facts = {"task": task, "data": dataset.name, "split": used, "cases": len(against[0]), "chart": output}
    facts["models"] = rows
    if output is not None:
        write_alone(output, _drawn(output, facts, loaded, *histories))
    return facts


def _suffix(path) -> str:
    """The format that the output's name asks for."""
    return os.path.splitext(path)[1].lstrip(".").lower() or "png"


def _drawn(output, facts, loaded, metric: str, lines: list[dict]) -> bytes:
    """The chart, or the page."""
    from .. import figures

    if (suffix := _suffix(output)) in PAGES:
        return figures.report(facts, charts.differing(loaded), metric, lines)
    return figures.encode(figures.comparison(metric, lines), suffix)


def _task(loaded, nets) -> str:
    """The one task of all networks."""
    tasks = []
    for model, net in zip(loaded, nets, strict=True):
        if isinstance(model.model, Stack):
            raise UsageError(f"{shown(net)} is a stack; networks are compared: fine-tune it first")
        tasks.append(sources.task_of(model.model.loss, model.preparation))
    if len(set(tasks)) > 1:
        other = next(i for i, task in enumerate(tasks) if task != tasks[0])
        raise UsageError(
            f"{shown(nets[0])} was made to {tasks[0]} and {shown(nets[other])} to {tasks[other]}; compare networks of "
            "one task"
        )
    if tasks[0] == "one_class":
        raise UsageError(
            f"{shown(nets[0])} is of one class, and each such network has a centre of its own; hold the areas that "
            "`deepnet evaluate --normal CLASS` tells against each other"
        )
    return tasks[0]


def _scores(model, cases, task) -> np.ndarray:
    """What counts against the network, case by case (N,): wrong or not, or the squared error."""
    if task == "reconstruct":
        return scores.squared_errors(models.reconstructor(model), model, cases)
    outputs, _ = models.outputs_of(model, cases, task)
    if task == "classify":
        return (outputs.argmax(axis=1) != cases.targets).astype(np.float64)
    p = model.preparation
    return ((outputs * p.target_scale + p.target_offset - cases.targets) ** 2).sum(axis=1, dtype=np.float64)


def _row(net, model, own, first, task) -> dict:
    """A network's line of the table."""
    name, history = FIGURE[task], model.history.get(FINE, {})
    if task == "classify":
        value, interval = float(own.mean()), evaluation.wilson(int(own.sum()), len(own))
    else:
        value, interval = evaluation.mean_with_interval(own)
    row = {
        "model": str(net),
        "epochs": len(next(iter(history.values()))) if history else 0,
        name: value,
        f"{name}_interval": interval,
    }
    if own is first:
        return row | {"difference": None, "difference_interval": None, "p": None, "verdict": "the measure"}
    return row | evaluation.difference(own, first, shares=task == "classify")

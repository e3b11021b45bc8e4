"""compare: networks on the same cases, with paired differences, and their histories on one chart."""

import json
import math
import os

import numpy as np

from .. import evaluation
from ..errors import DataError, UsageError
from ..files import check_output, open_input, shown, write_output
from ..kernels import jit
from ..nn.stack import Stack
from . import models, sources
from .evaluate import open_split, outputs_of
from .tuning import FINE

FIGURE = {"classify": "error", "regress": "squared_error", "reconstruct": "squared_error"}
CERTAIN = 0.05  # a difference that chance makes less often is called one
MOST_LOG = 64 << 20  # bytes


def compare(data, nets, output=None, *, logs=(), split="test", label=None, ignore=(), force=False, threads=None):
    """Figures of each network on the same cases, and how it differs from the first; writes the chart to `output`.

    `logs` are the files of `--log`, one a network or none; with them the chart has a panel by the clock too.
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
    loaded = [models.load(net, data) for net in nets]
    task = _task(loaded, nets)
    scores = [_scores(model, net, data, task, split, label, ignore) for model, net in zip(loaded, nets, strict=True)]
    rows = [_row(net, model, own, scores[0], task) for net, model, own in zip(nets, loaded, scores, strict=True)]
    if output is not None:
        from .. import figures

        curves = [_curve(net, model) for net, model in zip(nets, loaded, strict=True)]
        clocks = [_clock(log) for log in logs]
        suffix = os.path.splitext(output)[1].lstrip(".") or "png"
        write_output(output, figures.encode(figures.comparison(*_common(curves, clocks)), suffix))
    return {"task": task, "cases": len(scores[0]), "chart": output, "models": rows}


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
    return tasks[0]


def _scores(model, net, data, task, split, label, ignore) -> np.ndarray:
    """What counts against the network, case by case (N,): wrong or not, or the squared error."""
    _, cases, _ = open_split(model, net, data, task, split, label, ignore)
    if task == "reconstruct":
        found = np.empty(len(cases))
        feed = sources.visible_feed(cases.inputs, model.preparation)
        for rows, x, y in models.reconstructor(model).run(feed, len(cases)):
            found[rows] = ((y - x) ** 2).sum(axis=1, dtype=np.float64)
        return found
    outputs, _ = outputs_of(model, cases, task)
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
    difference, reach = evaluation.mean_with_interval(own - first)
    p = evaluation.mcnemar(own > 0, first > 0) if task == "classify" else evaluation.paired(own, first)
    verdict = "no difference" if p >= CERTAIN else "better" if difference < 0 else "worse"
    return row | {
        "difference": float(f"{difference:.3g}"),
        "difference_interval": reach,
        "p": float(f"{p:.3g}"),
        "verdict": verdict,
    }


def _curve(net, model) -> dict:
    """A network's fine-tuning history by epoch: {"name", "metrics"}."""
    return {"name": os.path.basename(str(net)), "metrics": dict(model.history.get(FINE, {}))}


def _clock(log) -> tuple[np.ndarray, list[dict]]:
    """Seconds at the end of each fine-tuning epoch of a log, and the epochs' metrics."""
    with open_input(log) as stream:
        text = stream.read(MOST_LOG)
    seconds, metrics = [], []
    try:
        for line in text.decode().splitlines():
            record = json.loads(line)
            if record.get("event") == "epoch" and str(record.get("stage", "")).startswith(FINE):
                seconds.append(float(record["seconds"]))
                metrics.append(dict(record["metrics"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError(f"{shown(log)} is no log of a run; give the file that --log wrote") from None
    if not seconds or not all(map(math.isfinite, seconds)):
        raise DataError(f"{shown(log)} has no epoch of fine-tuning; give the log of finetune")
    return np.cumsum(seconds), metrics


def _common(curves, clocks) -> tuple[str, list[dict]]:
    """The metric to draw, and each network's name with its lines by epoch and by seconds.

    The first metric of the held-out cases that all networks have, else of the training cases.
    """
    shared = [name for name in curves[0]["metrics"] if all(name in curve["metrics"] for curve in curves)]
    names = sorted(shared, key=lambda name: not name.startswith("validation"))
    if not names:
        raise UsageError("the networks' histories have no figure in common; leave out -o for the table alone")
    lines = []
    for i, curve in enumerate(curves):
        line = {"name": curve["name"], "values": np.asarray(curve["metrics"][names[0]], float)}
        if clocks:
            seconds, metrics = clocks[i]
            known = [(s, m[names[0]]) for s, m in zip(seconds, metrics, strict=True) if names[0] in m]
            line["seconds"] = np.array([s for s, _ in known], float)
            line["timed"] = np.array([v for _, v in known], float)
        lines.append(line)
    return names[0].replace("_", " "), lines

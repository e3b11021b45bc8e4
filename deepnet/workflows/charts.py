"""charts: what the pictures of compare show: histories along epochs, work and the clock, and settings that differ."""

import json
import math
import os

import numpy as np

from ..errors import DataError, UsageError
from ..files import open_input, shown
from .runs import COUNTERS, FINE, metrics_of

MOST_LOG = 64 << 20  # bytes
PRODUCT = 4 / 3  # what a Gauss-Newton product costs, in gradients: four passes through the layers beside three
SHORT = 12  # letters of a digest that tell files apart


def lines(nets, loaded, logs) -> tuple[str, list[dict]]:
    """The metric to draw, and each network's line: its name, its values an epoch, and what they can be drawn along.

    The first metric of the held-out cases that all networks have, else of the training cases; of the last fine-tuning
    alone, whatever a network had learned before.
    """
    histories = [model.history.get(FINE, {}) for model in loaded]
    shared = [name for name in metrics_of(histories[0]) if all(name in part for part in histories)]
    names = sorted(shared, key=lambda name: not name.startswith("validation"))
    if not names:
        raise UsageError("the networks' histories have no figure in common; leave out -o for the table alone")
    found = []
    for i, (net, part) in enumerate(zip(nets, histories, strict=True)):
        values = np.asarray(part[names[0]], float)
        line = {"name": os.path.basename(str(net)), "values": values, "along": _along(part, len(values))}
        if logs:
            line["along"]["seconds"] = _clock(logs[i], net, names[0], values)
        found.append(line)
    return names[0].replace("_", " "), found


def _along(part: dict, epochs: int) -> dict[str, np.ndarray]:
    """Epochs from 1, and, where the history has counted them, updates and gradients, products among them."""
    found = {"epoch": np.arange(1, epochs + 1)}
    counted = {name: np.asarray(part[name], float) for name in COUNTERS if len(part.get(name, ())) == epochs}
    if "updates" in counted:
        found["updates"] = counted["updates"]
    if {"gradients", "curvature_products"} <= set(counted):
        found["gradients"] = counted["gradients"] + PRODUCT * counted["curvature_products"]
    return found


def _clock(log, net, name: str, values: np.ndarray) -> np.ndarray:
    """Seconds of training (epochs,) at the end of each epoch of a network's history, from its log."""
    timed = [(seconds, metrics) for stage, seconds, metrics in epochs(log) if stage[0].startswith(FINE)]
    if not timed:
        raise DataError(f"{shown(log)} has no epoch of fine-tuning; give the log of finetune")
    told = np.array([metrics.get(name, math.nan) for _, metrics in timed], float)
    if len(told) < len(values):
        raise DataError(
            f"{shown(log)} has {len(told)} of the {len(values)} epochs of {shown(net)}; give the log of its whole run"
        )
    if not np.array_equal(told[: len(values)], values, equal_nan=True):
        raise DataError(f"{shown(log)} is not the log of {shown(net)}; give the logs in the order of the networks")
    return np.cumsum([seconds for seconds, _ in timed])[: len(values)]


def epochs(log) -> list[tuple[tuple[str, int], float, dict]]:
    """((stage, epoch), seconds, metrics) of the epochs that led to the model; DataError for a file that is no log.

    A run that was cut and resumed has a run_start again. What was done after its last save is done anew and counts
    once; an epoch that was cut and saved midway has the time until then too, which only the clock of its records tells.
    """
    passed, begun, saved, before = [], {}, 0, 0.0
    try:
        for record in _records(log):
            event, now = record.get("event"), float(record.get("time", before))
            if event == "run_start":
                del passed[saved:]
            elif event == "epoch":
                stage = str(record["stage"]), int(record["epoch"])
                if any(stage == known for known, _, _ in passed):  # started anew in the same log
                    passed, begun = passed[: [known for known, _, _ in passed].index(stage)], {}
                seconds = float(record["seconds"]) + begun.get(len(passed), 0.0)
                if not math.isfinite(seconds):
                    raise ValueError
                passed.append((stage, seconds, dict(record["metrics"])))
            elif event == "checkpoint":
                saved = len(passed)
                begun[saved] = begun.get(saved, 0.0) + max(0.0, now - float(record["seconds"]) - before)
            before = now
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise DataError(f"{shown(log)} is no log of a run; give the file that --log wrote") from None
    return passed


def _records(log):
    """The objects of a log's lines."""
    with open_input(log) as stream:
        for line in stream.read(MOST_LOG).decode().splitlines():
            yield json.loads(line)


def differing(loaded) -> dict[str, list[str]]:
    """{setting: its value a model} of all settings that are not the same in all models, and of their data."""
    facts = [_facts(model) for model in loaded]
    names = list(dict.fromkeys(name for own in facts for name in own))
    rows = {name.replace("_", " "): [own.get(name, "-") for own in facts] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _facts(model) -> dict[str, str]:
    """A model's settings as text; digests are cut."""
    config = {name: value for name, value in model.config.items() if name not in ("command", "settings", "parent")}
    config |= model.config.get("settings") or {}
    if "teachers" in config:
        config["teachers"] = [str(digest)[:SHORT] for digest in config["teachers"]]
    found = {name: _text(value) for name, value in config.items()}
    for name, digest in (("parent", model.config.get("parent")), ("training data", model.provenance.get("data"))):
        found[name] = str(digest or "-")[:SHORT]
    return found


def _text(value) -> str:
    """A setting in words."""
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "-"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

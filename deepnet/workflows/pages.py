"""pages: what a report and a file of numbers tell of a model beside its pictures."""

import json
import math
import os

import numpy as np

from ..files import shown
from . import sources
from .inspect import layer_rows
from .preparing import described
from .runs import command, dashes
from .views import View

SCHEMA = "deepnet.figures/1"
DIGITS = 7  # of a number in a file: what a float32 holds
MADE_TO = {
    "classify": "tells classes",
    "regress": "tells numbers",
    "reconstruct": "restores its input: an autoencoder",
    "one_class": "draws ordinary cases to one centre: a detector of anomalies",
    None: "knows inputs alone, no labels: a stack, pre-trained layer by layer",
}


def facts(view: View, model) -> dict:
    """What stands on a page beside pictures: name, kind, network, lines, layers, lineage, settings."""
    loaded = view.model
    rows = [{key: value for key, value in row.items() if key != "weights"} for row in layer_rows(loaded)]
    return {
        "name": os.path.basename(str(model)),
        "kind": loaded.kind,
        "network": dashes(loaded.model.widths),
        "lines": _lines(view, sum(row["parameters"] for row in rows)),
        "layers": rows,
        "lineage": _lineage(view),
        "settings": {name.replace("_", " "): "-" if value is None else value for name, value in loaded.config.items()},
    }


def _lines(view: View, parameters: int) -> list[str]:
    """A few sentences on top of the page."""
    loaded = view.model
    trained = loaded.provenance.get("data_name")
    lines = [
        f"It {MADE_TO[view.task]}. {parameters:,} parameters" + (f", trained on {shown(trained)}." if trained else ".")
    ]
    if view.cases is not None:
        count, kind = f"{len(view.cases):,}", {"train": "training", "valid": "held-out"}.get(view.split, view.split)
        which = f"all its {count} cases" if view.split == "all" else f"the {count} {kind} cases"
        seen = ", some or all of which it was trained on" if sources.seen(view.model, view.dataset, view.split) else ""
        lines.append(f"Data are {shown(view.dataset.name)}: pictures show {which}{seen}.")
    if "error" in view.facts:
        low, high = (f"{100 * end:.2f}" for end in view.facts["error_interval"])
        lines.append(f"Error {100 * view.facts['error']:.2f} % (95 % interval {low} to {high} %).")
    if not loaded.complete:
        lines.append("Its training did not come to its end: run the same command again with --resume.")
    return lines


def _lineage(view: View) -> dict:
    """Where the model comes from, by the digests that files have and name."""
    loaded = view.model
    past = loaded.provenance
    found = {
        "this file (digest)": loaded.digest,
        "made from the file": past.get("parent"),
        "training data": past.get("data_name"),
        "their fingerprint": past.get("data"),
        "preparation": described(loaded.preparation),
        "shape of a case": " x ".join(map(str, loaded.preparation.shape)),
        "classes": ", ".join(map(str, loaded.preparation.classes)),
        "numerics": past.get("numerics"),
    }
    if view.dataset is not None:
        found["data of this page"] = view.dataset.name
        found["fingerprint of these"] = view.dataset.fingerprint
    return {name: value for name, value in found.items() if value}


def follow(view: View, model, data) -> dict[str, str]:
    """Commands to type next, {what it does: command}."""
    loaded = view.model
    source = data or loaded.provenance.get("data_name") or "DATA"
    found = {}
    if view.cases is None:
        found["See what it makes of data:"] = _command(view, "visualize", model, source, "-o", "report.html")
    if view.task is None:
        start = ("finetune", source, "--from", model)
        found["Teach it classes, from its layers up:"] = _command(view, *start, "-o", "net.h5")
        found["Unroll it into an autoencoder:"] = _command(view, *start, "--task", "reconstruct", "-o", "coder.h5")
    else:
        found["Measure it, with intervals:"] = _command(view, "evaluate", model, source)
        found["Use it on new cases:"] = command("predict", model, "NEW", config={"ignore": loaded.config.get("ignore")})
    if view.task in ("classify", "regress", "reconstruct"):
        found["Hold it against another one on the same cases:"] = _command(
            view, "compare", source, model, "OTHER", "-o", "compare.html"
        )
    return found


def _command(view: View, *words) -> str:
    """A command with the label and columns that the model's data need."""
    return command(*map(str, words), config=view.model.config)


def numbers(view: View, drawn: dict[str, dict]) -> bytes:
    """The arrays of each kind by name, and the numbers that pictures state, as one object of JSON."""
    found = {"schema": SCHEMA, "model": view.model.digest, "facts": view.facts, "kinds": drawn}
    return (json.dumps(_plain(found), ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")


def _plain(value):
    """A value as JSON knows it: arrays as lists, numbers to DIGITS digits, what is not finite as null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value

"""inspect: what is in a file, be it a model or data."""

import numpy as np

from .. import checkpoint, data
from ..checkpoint import Checkpoint
from ..data.portraits import NUMBERING
from ..errors import DataError
from ..nn.mixed import word_of
from . import preparing, sources
from .models import is_model
from .runs import COUNTERS, command, counts, dashes, epochs_for, metrics_of

FEW = 50  # cases of which none are held out


def inspect(file, *, label=None, ignore=(), category=(), size=None) -> dict:
    """Of a model: architecture, history, settings, lineage.

    Of data: shape, range, balance, what each column of a table is, suggested units, the next command.
    """
    if is_model(file):
        return _model(file, checkpoint.load(file))
    words = {"label": label, "ignore": ignore, "category": category}
    dataset = data.load(file, **words, size=size)
    sources.warn(dataset)
    if dataset.splits["train"].targets is not None:
        dataset = _with_classes(dataset)
    audit = data.audit(dataset)
    facts = {
        "data": dataset.name,
        "format": dataset.format or None,
        "cases": ", ".join(f"{n:,} {name}" for name, n in audit.pop("cases").items()),
        "classes": len(dataset.classes) or None,
        "target": _target(dataset),
        "unlabelled": counts(audit.pop("unlabelled")) or None,
        "constant_columns": audit["constant"]["count"],
        "duplicate_cases": sum(audit["duplicates"].values()),
        "leaked_cases": sum(audit["leakage"].values()),
        "fields": audit.pop("fields") or None,
    }
    if dataset.columns and dataset.splits["train"].targets is None:
        facts["labels"] = "none named; where a column is to be predicted, add --label COLUMN"
    named = {field.name for field in dataset.fields} | set(dataset.columns)
    numbering = [row["name"] for row in facts["fields"] or () if row.get("note") == NUMBERING and row["name"] in named]
    words["ignore"] = (*ignore, *numbering)
    options = [] if dataset.fields else ["--visible", audit["visible"], "--scale", audit["scale"]]
    options += [*_layers(dataset), *_valid(dataset), *(["--size", size] if size is not None else [])]
    follow = command("pretrain", file, "-o", "stack.h5", *options, config=words)
    details = {"fingerprint": {"sha256": audit.pop("fingerprint")}}
    return facts | audit | details | {"next": follow}


def _layers(dataset) -> list[str]:
    """Layers and epochs to suggest: the papers' deep net for many cases, else one layer of a few units a column."""
    cases, columns = dataset.splits["train"].inputs.shape
    if cases >= 10_000 and columns >= 100:
        return ["--layers", "500,500,2000"]
    return ["--layers", str(min(500, max(10, 4 * columns))), "--epochs", str(epochs_for(cases, 10))]


def _valid(dataset) -> list[str]:
    """Cases to hold out of labelled data that have no others to be measured on, unless there are few."""
    train = dataset.splits["train"]
    return ["--valid", "0.2"] if len(dataset.splits) == 1 and train.targets is not None and len(train) >= FEW else []


def _with_classes(dataset):
    """The same data with class indices, where its labels are classes."""
    try:
        return data.apply(dataset, "classify")
    except DataError:
        return dataset


def _target(dataset) -> str | None:
    """What labels that are no classes are like, where they are numbers."""
    if dataset.classes or dataset.splits["train"].targets is None:
        return None
    try:
        numbers = data.apply(dataset, "regress").splits["train"].targets
    except DataError:
        return None
    low, high, mean = np.nanmin(numbers), np.nanmax(numbers), np.nanmean(numbers, dtype=np.float64)
    one = f"numbers, {low:.6g} to {high:.6g}, mean {mean:.6g}"
    return (one if numbers.shape[1] == 1 else f"{numbers.shape[1]} columns of numbers") + "; for --task regress"


def layer_rows(model: Checkpoint) -> list[dict]:
    """One dict a layer: name, kind, unit, inputs, outputs, parameters, norm of W, a sample of its weights."""
    rows = []
    layers = model.model.layers
    for i, (layer, arrays) in enumerate(zip(layers, model.arrays, strict=True)):
        weights = arrays.get("W", np.zeros((0, 0), np.float32))
        rows.append(
            {
                "name": f"layer {i + 1}",
                "kind": checkpoint.kind_of(layer),
                "unit": _unit(layer),
                "inputs": layer.inputs,
                "outputs": layer.outputs,
                "parameters": sum(
                    a.size for name, a in arrays.items() if name not in getattr(layer, "statistics", dict)()
                ),
                "norm": float(np.linalg.norm(weights.astype(np.float64))),
                "weights": weights.ravel()[:: max(1, weights.size // 20_000)],
            }
        )
    return rows


def _unit(layer) -> str:
    """The units of a layer, or its number where it has none of its own."""
    for name in ("hidden", "unit"):
        if hasattr(layer, name):
            return word_of(getattr(layer, name))
    name = "rate" if hasattr(layer, "rate") else "deviation"
    return f"{name} {getattr(layer, name):g}"


def _last(part: dict) -> dict[str, float | int]:
    """What each list of a stage's history ends in; updates and halvings are whole numbers."""
    whole = ("updates", "halvings")
    return {name: (int if name in whole else float)(values[-1]) for name, values in part.items() if len(values)}


def _model(file, model: Checkpoint) -> dict:
    rows = [{k: v for k, v in row.items() if k != "weights"} for row in layer_rows(model)]
    last = {stage: _last(metrics_of(part)) for stage, part in model.history.items()}
    done = {stage: _last({n: v for n, v in part.items() if n in COUNTERS}) for stage, part in model.history.items()}
    return {
        "file": file,
        "kind": model.kind,
        "network": dashes(model.model.widths),
        "finished": model.complete,
        "parameters": sum(row["parameters"] for row in rows),
        "digest": model.digest,
        "parent": model.provenance.get("parent"),
        "data": model.provenance.get("data_name"),
        "data_fingerprint": model.provenance.get("data"),
        "numerics": model.provenance.get("numerics"),
        "layers": rows,
        "history": last,
        "work": {stage: counts for stage, counts in done.items() if counts} or None,
        "settings": model.config,
        "scaling": model.preparation.kind,
        "prepared": None if model.preparation.only_scaled else preparing.described(model.preparation),
        "shape": list(model.preparation.shape),
        "classes": list(model.preparation.classes) or None,
    }

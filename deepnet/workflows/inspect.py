"""inspect: what is in a file, be it a model or data."""

import os

import numpy as np

from .. import checkpoint, data
from ..checkpoint import Checkpoint
from ..files import open_input
from ..nn.layers import Dense
from ..nn.stack import Stack
from .runs import dashes


def inspect(file, *, label=None) -> dict:
    """Of a model: architecture, history, settings, lineage.

    Of data: shape, range, balance, suggested units, the next command.
    """
    if _is_model(file):
        return _model(file, checkpoint.load(file))
    dataset = data.load(file, label=label, task=None)
    if label is not None or dataset.splits["train"].targets is not None:
        dataset = _with_classes(file, label, dataset)
    facts = {"data": dataset.name} | data.audit(dataset)
    flag = f" --label {label}" if label else ""
    facts["next"] = f"deepnet pretrain {file} -o stack.h5{flag} --visible {facts['visible']} --scale {facts['scale']}"
    return facts


def _with_classes(file, label, dataset):
    """The same data with class indices, where its labels are classes."""
    from ..errors import DataError

    try:
        return data.load(file, label=label, task="classify")
    except DataError:
        return dataset


def _is_model(file) -> bool:
    """Whether a file ends in deepnet's seal."""
    if not os.path.isfile(file):
        return False
    with open_input(file) as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - 64))
        return stream.read(20) == checkpoint.MAGIC


def layer_rows(model: Checkpoint) -> list[dict]:
    """One dict a layer: name, kind, unit, inputs, outputs, parameters, norm of W, a sample of its weights."""
    rows = []
    layers = model.model.rbms if isinstance(model.model, Stack) else model.model.layers
    for i, (layer, arrays) in enumerate(zip(layers, model.arrays, strict=True)):
        kind = "rbm" if isinstance(model.model, Stack) else "dense" if isinstance(layer, Dense) else "dropout"
        weights = arrays.get("W", np.zeros((0, 0), np.float32))
        rows.append(
            {
                "name": f"layer {i + 1}",
                "kind": kind,
                "unit": getattr(layer, "hidden", None) or getattr(layer, "unit", f"rate {getattr(layer, 'rate', 0):g}"),
                "inputs": layer.inputs,
                "outputs": layer.outputs,
                "parameters": sum(a.size for a in arrays.values()),
                "norm": float(np.linalg.norm(weights.astype(np.float64))),
                "weights": weights.ravel()[:: max(1, weights.size // 20_000)],
            }
        )
    return rows


def _model(file, model: Checkpoint) -> dict:
    rows = [{k: v for k, v in row.items() if k != "weights"} for row in layer_rows(model)]
    last = {s: {m: float(v[-1]) for m, v in part.items() if len(v)} for s, part in model.history.items()}
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
        "settings": model.config,
        "scaling": model.preparation.kind,
        "shape": list(model.preparation.shape),
        "classes": list(model.preparation.classes),
    }

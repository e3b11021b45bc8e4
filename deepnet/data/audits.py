"""A look at the data before any training: what would go wrong, and which visible unit and scaling fit."""

import hashlib

import numpy as np

from .dataset import blocks, has_label
from .portraits import CONSTANT, portraits
from .scaling import extremes, fit, moments

SHOWN = 20  # constant columns that are listed


def audit(dataset):
    """Plain numbers and texts, ready for JSON.

    cases, shape, columns, storage; fields (what each column of a table is like); minimum and maximum, mean of cells;
    squared error of mean case (what a case is off it, after the suggested scaling); constant columns (how many, the
    first positions from 1); duplicates (rows of a split that were there before) and leakage (rows of another split
    that are in train too); balance (cases a class), unlabelled (cases without a label, of splits that have such);
    visible, scale (suggested).
    """
    train = dataset.splits["train"].inputs
    low, high = extremes(train)
    fields, constant = portraits(dataset), np.flatnonzero(low == high)
    if fields:
        constant = [n for n, row in enumerate(fields) if row.get("note") == CONSTANT]
    visible, scale = ("mixed", "auto") if dataset.fields else suggest(train, dataset.shape)
    mean, variance = moments(train)
    factor = fit(scale, train, dataset.shape, dataset.numbers).scale.astype(np.float64)
    found = {
        "cases": {name: len(cases) for name, cases in dataset.splits.items()},
        "shape": list(dataset.shape),
        "columns": train.shape[1],
        "storage": str(train.dtype),
        "fields": fields,
        "minimum": float(low.min()),
        "maximum": float(high.max()),
        "mean_of_cells": float(mean.mean()),
        "squared_error_of_mean_case": float((variance / factor**2).sum()),
        "constant": {"count": len(constant), "first": [int(n) + 1 for n in constant[:SHOWN]]},
        "balance": {name: balance(cases.targets, dataset.classes) for name, cases in dataset.splits.items()},
        "unlabelled": unlabelled(dataset),
        "visible": visible,
        "scale": scale,
        "fingerprint": dataset.fingerprint,
    }
    return found | repeated(dataset)


def suggest(inputs, shape):
    """(visible unit, --scale): logistic where all values lie, or as bytes or images can be brought, in [0, 1]."""
    low, high = (float(values.min()) if n == 0 else float(values.max()) for n, values in enumerate(extremes(inputs)))
    if inputs.dtype == np.uint8 or (low >= 0 and high <= 1):
        return "logistic", "auto"
    if len(shape) > 1 and low >= 0:
        return "logistic", "unit"
    return "linear", "standard"


def balance(targets, classes):
    """{class: cases}, {} where there are no classes."""
    if targets is None or not classes:
        return {}
    counts = np.bincount(targets[has_label(targets)], minlength=len(classes))
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}


def unlabelled(dataset):
    """{split: cases without a label}, of splits where some have one and some have none."""
    known = {name: cases for name, cases in dataset.splits.items() if cases.targets is not None}
    found = {name: int((~has_label(cases.targets)).sum()) for name, cases in known.items()}
    return {name: count for name, count in found.items() if count}


def row_hashes(inputs):
    """One 16-byte hash a row: equal rows, equal hashes (0.0 and -0.0 too)."""
    hashes = []
    for rows in blocks(inputs):
        block = inputs[rows] if inputs.dtype == np.uint8 else inputs[rows] + np.float32(0)
        hashes += [hashlib.blake2b(row, digest_size=16).digest() for row in np.ascontiguousarray(block)]
    return hashes


def repeated(dataset):
    """Duplicates within each split and rows shared with the training cases."""
    hashes = {name: row_hashes(cases.inputs) for name, cases in dataset.splits.items()}
    known = set(hashes["train"])
    return {
        "duplicates": {name: len(found) - len(set(found)) for name, found in hashes.items()},
        "leakage": {name: sum(h in known for h in found) for name, found in hashes.items() if name != "train"},
    }

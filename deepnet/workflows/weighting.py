"""weighting: how much each case counts in training, by a column of the data and by its class.

The weights of a split are brought to a mean of 1, so that a learning rate keeps its meaning. A case of weight 0 is left
out before all else, scaling too, once cases were held out.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real

import numpy as np

from ..data import Cases, Dataset
from ..errors import DataError, UsageError
from ..files import shown

BALANCED = "balanced"
_PAIR = re.compile(r"(.+?)=([^=,]*)(?:,|$)")  # names of classes may hold commas


def parse(given, task: str) -> str | dict[str, float] | None:
    """BALANCED, or {class: weight}, of a text such as no=1,yes=5 or of a mapping; UsageError for what is neither."""
    if given is None:
        return None
    if task != "classify":
        raise UsageError(f"--class-weight is for --task classify, and this is --task {task}; leave it")
    if isinstance(given, str) and given.strip() == BALANCED:
        return BALANCED
    if isinstance(given, Mapping):
        pairs = [(str(name), number) for name, number in given.items()]
    else:
        pairs = _PAIR.findall(text := str(given))
        if sum(len(name) + len(number) + 1 for name, number in pairs) + len(pairs) - 1 != len(text):
            pairs = []
    found = {name.strip(): _positive(number) for name, number in pairs}
    if not found or None in found.values() or len(found) < len(pairs):
        raise UsageError(
            f"--class-weight {shown(given)}: give {BALANCED}, or CLASS=NUMBER,... of numbers above 0, each class once: "
            "no=1,yes=5"
        )
    return {name: number for name, number in found.items() if number is not None}


def _positive(number) -> float | None:
    """A finite number above 0, or None."""
    try:
        value = float(number) if isinstance(number, str | Real) else math.nan
    except ValueError:
        return None
    return value if 0 < value < math.inf else None


def written(asked: str | dict[str, float] | None) -> str | None:
    """The text that gives these weights of classes."""
    return ",".join(f"{name}={number!r}" for name, number in asked.items()) if isinstance(asked, dict) else asked


def digest(dataset: Dataset) -> str | None:
    """What tells a column of weights from another; None where there is none."""
    given = {name: cases.weights for name, cases in sorted(dataset.splits.items()) if cases.weights is not None}
    parts = (part for name, weights in given.items() for part in (name.encode(), weights.tobytes()))
    return hashlib.sha256(b" ".join(parts)).hexdigest()[:16] if given else None


def counted(dataset: Dataset) -> Dataset:
    """The cases that count at all."""
    splits = {}
    for name, cases in dataset.splits.items():
        if cases.weights is not None and not cases.weights.any():
            raise DataError(
                f"{dataset.name}: the weights of all {len(cases):,} {name} cases are zero; give some above 0"
            )
        kept = None if cases.weights is None or cases.weights.all() else cases.weights > 0
        splits[name] = cases if kept is None else cases.at(kept)
    return replace(dataset, splits=splits)


def settled(dataset: Dataset, asked: str | dict[str, float] | None) -> Dataset:
    """The training and the held-out cases with the weights that they are trained and measured by.

    A class's weight multiplies those of its cases; balanced, each class counts as much as any other among the training
    cases.
    """
    factors = None if asked is None else _factors(dataset, asked)
    own = {name: _weights(cases, factors) for name, cases in dataset.splits.items() if name in ("train", "valid")}
    splits = {name: replace(cases, weights=own.get(name)) for name, cases in dataset.splits.items()}
    return replace(dataset, splits=splits)


def _factors(dataset: Dataset, asked: str | dict[str, float]) -> np.ndarray:
    """Each class's weight (C,)."""
    train, classes = dataset.splits["train"], dataset.classes
    if isinstance(asked, dict):
        for name in asked:
            if name not in classes:
                known = ", ".join(map(shown, classes[:10])) + (" ..." if len(classes) > 10 else "")
                raise DataError(f"--class-weight: {dataset.name} has no class '{shown(name)}'; it has {known}")
        return np.array([asked.get(name, 1.0) for name in classes])
    sums = np.bincount(train.targets, _of(train), len(classes))
    there = sums > 0
    return np.where(there, sums.sum() / np.count_nonzero(there) / np.where(there, sums, 1), 1.0)


def _of(cases: Cases) -> np.ndarray:
    """float64 (N,) weights as given, or ones."""
    return np.ones(len(cases)) if cases.weights is None else cases.weights.astype(np.float64)


def _weights(cases: Cases, factors: np.ndarray | None) -> np.ndarray | None:
    """float32 (N,) of mean 1, or None where all cases are alike."""
    if cases.weights is None and factors is None:
        return None
    weights = _of(cases) if factors is None else _of(cases) * factors[cases.targets]
    return (weights / weights.mean()).astype(np.float32)

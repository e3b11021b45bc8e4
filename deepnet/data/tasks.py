"""From labels as stored to targets: class indices, numbers, or none.

A case may have no label: an empty text, NaN among numbers, -1 among integers that are classes. What stands for no label
in a cell of a table has become one of these.
"""

import itertools
import re
from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..files import is_float, shown
from .checks import check_finite
from .conventions import listed
from .dataset import has_label

MOST_CLASSES = 65_535
REMEDY = "; for numbers to predict, give --task regress"
MANY = 20  # different numbers that may be classes, however few the cases


def apply(dataset, task, classes=None):
    """The data set with the targets that `task` needs, which only "classify" and "regress" do; None for no change.

    "mimic" wants the classes that are given, and their indices in splits that have labels.
    """
    if task is None:
        return dataset
    if task in ("reconstruct", "one_class"):
        return _with_targets(dataset, dict.fromkeys(dataset.splits))
    if task == "mimic":
        labelled = {name: cases for name, cases in dataset.splits.items() if cases.targets is not None}
        found = apply(replace(dataset, splits=labelled), "classify", classes).splits
        return replace(dataset, splits=dataset.splits | found, classes=tuple(classes))
    for name, cases in dataset.splits.items():
        if cases.targets is None:
            raise DataError(f"{dataset.name} has no labels for {name}; give --label, or data with labels")
    first = dataset.first
    if task == "regress":
        return _with_targets(dataset, {name: _numbers(dataset, name, first) for name in dataset.splits})
    if task != "classify":
        raise ValueError(f"no task {task!r}")
    labels = {name: _checked(dataset, name, first) for name in dataset.splits}
    known = tuple(classes) if classes else _classes(dataset, labels)
    targets = {name: _indices(dataset, name, found, known, first) for name, found in labels.items()}
    return replace(_with_targets(dataset, targets), classes=known)


def places(dataset, names):
    """Positions of the classes of these names; DataError for one that is not there."""
    for name in names:
        if name not in dataset.classes:
            raise DataError(f"{dataset.name} has no class '{shown(name)}'; it has {listed(dataset.classes)}")
    return [dataset.classes.index(name) for name in names]


def only(dataset, names):
    """The cases of the classes of these names, without targets, splits that have none left out; no names are all."""
    if not names:
        return dataset
    found = {name: np.isin(cases.targets, places(dataset, names)) for name, cases in dataset.splits.items()}
    splits = {name: replace(dataset.splits[name].at(kept), targets=None) for name, kept in found.items() if kept.any()}
    if "train" not in splits:
        raise DataError(f"{dataset.name} has no training case of class {listed(names)}; name another")
    files = {name: tuple(itertools.compress(names, found[name])) for name, names in dataset.files.items()}
    return replace(dataset, splits=splits, classes=(), files=files)


def _with_targets(dataset, targets):
    """The same inputs with these targets."""
    splits = {name: replace(cases, targets=targets[name]) for name, cases in dataset.splits.items()}
    return replace(dataset, splits=splits)


def _numbers(dataset, name, first):
    """float32 (N, T) targets of a regression, finite, or NaN in all of a row for a case without."""
    labels = dataset.splits[name].targets
    where = f"{dataset.name}: targets of {name}"
    if labels.dtype.kind == "U":
        labels = np.where(has_label(labels).reshape(-1, *[1] * (labels.ndim - 1)), labels, "nan")
        bad = next((n for n, label in enumerate(labels.reshape(-1)) if not is_float(label)), None)
        if bad is not None:
            found = shown(labels.reshape(-1)[bad])
            raise DataError(f"{where}: row {bad + first} holds '{found}', no number; for classes give --task classify")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(labels, np.float32).reshape(len(labels), -1)
    check_finite(np.where(has_label(numbers)[:, None], numbers, np.float32(0)), where, first)
    return numbers


def _checked(dataset, name, first):
    """Labels of one split as int64 or text, -1 or "" for none.

    Whole floats and texts of whole numbers ("2.0") count as integers.
    """
    labels = dataset.splits[name].targets
    where = f"{dataset.name}: labels of {name}"
    if labels.ndim != 1:
        raise DataError(f"{where} have shape {labels.shape}; give one class a case (argmax of one-hot rows){REMEDY}")
    if labels.dtype.kind == "U":
        return _whole(labels, where, first)
    labelled = has_label(labels)
    labels = np.where(labelled, labels, 0)
    bad = ~(labels == np.floor(labels)) if labels.dtype.kind == "f" else np.zeros(len(labels), bool)
    for wrong, words in ((bad, "not a whole number"), (labels < 0, "below 0"), (labels >= MOST_CLASSES, "too many")):
        if wrong.any():
            row = int(np.argmax(wrong))
            limit = f"; classes are 0 to at most {MOST_CLASSES - 1}"
            raise DataError(f"{where}: row {row + first} holds {labels[row]}, {words}{limit}{REMEDY}")
    return np.where(labelled, labels.astype(np.int64), -1)


def _whole(labels, where, first):
    """Text labels; when all are numbers, they must be whole, and "2.0" becomes "2"."""
    names, places = np.unique(labels, return_inverse=True)
    numbers = np.where(names == "", "0", names)
    if not all(is_float(name) for name in numbers):
        return labels
    values = numbers.astype(np.float64)
    wrong = ~np.isfinite(values) | (values != np.floor(values))
    if wrong.any():
        row = int(np.argmax(wrong[places]))
        raise DataError(f"{where}: row {row + first} holds {labels[row]}, not a whole number{REMEDY}")
    plain = [
        name if not name or _is_integer(name) else str(int(value)) for name, value in zip(names, values, strict=True)
    ]
    return np.array(plain)[places]


def _is_integer(text):
    """Whether the text is an integer as it is written."""
    return re.fullmatch(r"[+-]?[0-9]+", text) is not None


def _classes(dataset, labels):
    """Class names: "0" to the largest integer label, or the texts sorted, integers by value."""
    _refuse_amounts(dataset, labels)
    if all(found.dtype.kind == "i" for found in labels.values()):
        _refuse_signs(dataset, np.unique(np.concatenate(list(labels.values()))))
        return tuple(map(str, range(1 + max(int(found.max()) for found in labels.values()))))
    names = sorted(set().union(*(map(str, np.unique(found)) for found in labels.values())) - {""})
    if len(names) > MOST_CLASSES:
        raise DataError(f"{dataset.name} has {len(names)} classes; at most {MOST_CLASSES} are possible{REMEDY}")
    return tuple(sorted(names, key=lambda name: int(name)) if all(map(_is_integer, names)) else names)


def _refuse_amounts(dataset, labels):
    """DataError for whole numbers, more different ones than half of the cases: amounts, no classes."""
    found = np.concatenate([some[has_label(some)] for some in labels.values()])
    names = np.unique(found)
    if len(names) > max(MANY, len(found) / 2) and (names.dtype.kind == "i" or all(map(_is_integer, names))):
        raise DataError(
            f"{dataset.name}: the labels are {len(names)} different numbers in {len(found)} cases, which are no "
            f"classes{REMEDY}"
        )


def _refuse_signs(dataset, found):
    """DataError for the integers -1 and 1 alone: two classes of which one would be taken for no label."""
    if found.tolist() == [-1, 1]:
        raise DataError(
            f"{dataset.name} has the labels -1 and 1, and -1 stands for no label; write classes as 0 and 1, or as text"
        )


def _indices(dataset, name, labels, known, first):
    """int64 (N,) positions in `known`, -1 for no label; DataError for a label that is not there."""
    table = {word: n for n, word in enumerate(known)}
    found, places = np.unique(labels, return_inverse=True)
    index = np.array([table.get(str(label), -1) for label in found], np.int64)[places]
    unknown = (index < 0) & has_label(labels)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataError(
            f"{dataset.name}: labels of {name}: row {row + first} holds '{shown(labels[row])}', which is none of the "
            f"model's classes {listed(known)}; check --label or train with it"
        )
    return index

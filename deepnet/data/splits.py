"""Validation cases: taken from the training cases by the seed, by count from the end, or joined from another file."""

import hashlib
from dataclasses import replace

import numpy as np

from ..errors import DataError, UsageError
from ..files import is_float, shown
from .dataset import has_label


def parse_valid(text):
    """("fraction", 0.1), ("count", 10000), ("last", 10000), ("none", 0) or ("path", text) of what --valid says."""
    text = str(text)
    if text == "none":
        return "none", 0
    kind, _, number = text.rpartition(":")
    if kind == "last" or (text.isascii() and text.isdigit()):
        if not (number.isascii() and number.isdigit() and len(number) < 19 and int(number) > 0):
            raise UsageError(f"--valid {shown(text)}: give a count of 1 or more, such as last:10000, or none")
        return "last" if kind else "count", int(number)
    try:
        value = float(text)
    except ValueError:
        return "path", text
    if not 0 < value < 1:
        raise UsageError(f"--valid {shown(text)}: give a fraction between 0 and 1, a count, last:COUNT, none or a path")
    return "fraction", value


def split(dataset, valid, seed):
    """The data set with a "valid" split as `valid` says, in place of one that it had; rows keep their order.

    A fraction or a count is drawn by the seed, each class in proportion where targets are classes; "last:N" takes the
    last cases; "none" leaves no "valid". A path is read by the caller and given to `join`.
    """
    kind, amount = parse_valid(valid)
    if kind == "path":
        raise UsageError(f"--valid {shown(valid)}: give a fraction, a count, last:COUNT or none")
    splits = {name: cases for name, cases in dataset.splits.items() if name != "valid"}
    if kind == "none":
        return replace(dataset, splits=splits)
    train = splits["train"]
    count = max(1, int(amount * len(train) + 0.5)) if kind == "fraction" else amount
    if count >= len(train):
        raise DataError(f"--valid {shown(valid)} takes all of the {len(train)} training cases; give less")
    if kind == "last":
        parts = slice(0, len(train) - count), slice(len(train) - count, None)
    else:
        chosen = choose(train, count, seed)
        parts = ~chosen, chosen
    files = dict(dataset.files)
    if "train" in files:
        names = np.array(files["train"], object)
        files |= {name: tuple(names[rows].tolist()) for name, rows in zip(("train", "valid"), parts, strict=True)}
    new = {name: train.at(rows) for name, rows in zip(("train", "valid"), parts, strict=True)}
    others = {name: cases for name, cases in splits.items() if name != "train"}
    return replace(dataset, splits=new | others, files=files)


def choose(cases, count, seed):
    """`count` cases drawn by the seed, True in a bool (N,): from each class its share by largest remainder.

    Labels as stored give the same cases as the class indices or numbers made of them: so pre-training, which names no
    task, holds out what fine-tuning does. Values that are all different make this a plain draw.
    """
    from ..kernels.random import SPLIT, fold, permutation  # compiles on import; reading data need not wait for it

    order, group = permutation(fold(seed, SPLIT), len(cases)), _groups(cases)
    sizes = np.bincount(group)
    shares, remainders = sizes * count // len(cases), sizes * count % len(cases)
    first = np.full(len(sizes), len(cases))  # of each class in the draw
    np.minimum.at(first, group[order], np.arange(len(cases)))
    # Of equal remainders the first classes round up; among classes too small for a whole case, those drawn first.
    tie = np.where(shares > 0, np.arange(len(sizes)) - len(sizes), first)
    shares[np.lexsort((tie, -remainders))[: count - shares.sum()]] += 1
    return _ranks(group, order) < shares[group]


def folds(cases, count, seed, stratified):
    """int64 (N,): which of `count` folds each case is in, drawn by the seed; their sizes differ by 1 at most.

    `stratified`: so do the numbers of cases of each class.
    """
    from ..kernels.random import SPLIT, fold, permutation

    order = permutation(fold(seed, SPLIT, count), len(cases))
    if stratified:
        order = order[np.argsort(_groups(cases)[order], kind="stable")]
    found = np.empty(len(cases), np.int64)
    found[order] = np.arange(len(cases)) % count
    return found


def draw(cases, count, seed):
    """`count` of the cases with a label, drawn by the seed, True in a bool (N,): as many from each class.

    The classes give a case each in turn, in the order of the draw; one that has no more is passed over. So of two
    counts the smaller draw lies within the larger. Numbers that are all different make this a plain draw.
    DataError where there are fewer with a label.
    """
    from ..kernels.random import LABELS, fold, permutation

    labelled = has_label(cases.targets)
    if count > labelled.sum():
        raise DataError(
            f"--labels {count} is more than the {labelled.sum()} training cases that have a label; give at most those"
        )
    order = permutation(fold(seed, LABELS), len(cases))
    place = np.empty(len(cases), np.int64)
    place[order] = np.arange(len(cases))
    turns = np.lexsort((place, _ranks(_groups(cases), order), ~labelled))
    chosen = np.zeros(len(cases), bool)
    chosen[turns[:count]] = True
    return chosen


def _ranks(group, order):
    """int64 (N,): how many of its group come before each case in the order."""
    sizes = np.bincount(group)
    ranks = np.empty(len(group), np.int64)
    by_group = order[np.argsort(group[order], kind="stable")]
    ranks[by_group] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranks


def _groups(cases):
    """int64 (N,): the place of each case's label among those that occur, sorted as classes are.

    0 where the split has none; where some cases have none, theirs is 0 and the others count from 1.
    """
    targets = cases.targets
    if targets is None or targets.size != len(cases):
        return np.zeros(len(cases), np.int64)
    labelled = has_label(targets)
    if not labelled.all():
        groups = np.zeros(len(cases), np.int64)
        groups[labelled] = 1 + _groups(cases.at(labelled))
        return groups
    names, places = np.unique(targets.reshape(-1), return_inverse=True)
    if names.dtype.kind == "U" and all(map(is_float, names)):
        names = names.astype(np.float64)
    with np.errstate(over="ignore"):
        if names.dtype.kind == "f" and not (names == np.floor(names)).all():
            names = names.astype(np.float32)  # as the targets of a regression are
    return np.unique(names, return_inverse=True)[1][places]


def join(dataset, other, name="valid"):
    """The data set with the training cases of another one as split `name`; DataError unless they fit together."""
    if other.shape != dataset.shape:
        raise DataError(f"{other.name}: a case has shape {other.shape}, in {dataset.name} {dataset.shape}; match them")
    if other.columns and dataset.columns and other.columns != dataset.columns:
        both = zip(dataset.columns, other.columns, strict=True)
        first, second = next((a, b) for a, b in both if a != b)
        known = f"column '{shown(second)}' stands where {dataset.name} has '{shown(first)}'"
        raise DataError(f"{other.name}: {known}; bring its columns in the same order")
    if other.classes != dataset.classes:
        raise DataError(f"{other.name} has other classes than {dataset.name}; give data with the same labels")
    both = hashlib.sha256(f"{dataset.fingerprint} {name} {other.fingerprint}".encode()).hexdigest()
    splits, notes = dataset.splits | {name: other.splits["train"]}, dataset.notes + other.notes
    return replace(dataset, splits=splits, fingerprint=both, notes=notes)

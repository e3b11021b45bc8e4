"""What a data set is: cases in splits, how it is asked for and where it comes from.

Axes: N cases, D columns (visible units), T targets.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np

from ..files import shown
from ..files.rows import Rows, taken
from ..nn import fields as kinds

BLOCK = 8 << 20  # bytes of float32 that are looked at or converted at a time


@dataclass(frozen=True, eq=False)
class Cases:
    """Rows of one split.

    inputs (N, D): C-contiguous, uint8 as stored or float32, in memory or Rows of a file. targets: None, class indices
    int64 (N,), numbers float32 (N, T), or the labels as stored where no task was named. A case without a label has the
    index -1, NaN for every number, or an empty text. weights: how much each case counts, float32 (N,) of at least 0;
    None where all are alike.
    """

    inputs: np.ndarray | Rows
    targets: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __len__(self):
        return len(self.inputs)

    def at(self, rows):
        """The cases of these rows (indices or a mask), in their order."""
        targets, weights = (None if own is None else own[rows] for own in (self.targets, self.weights))
        return Cases(taken(self.inputs, rows), targets, weights)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Named splits ("train" and, when there, "valid" and "test") of cases of one shape.

    `shape` is that of one case, `classes` and `columns` are names or (). `fingerprint` is the SHA-256 of shapes, types
    and bytes of all splits as read, without weights, before any task or split: pre-training and fine-tuning on a file
    share it. `unlabelled` counts the cases of each split that were left out because they have no label. `fields` are
    what the columns of a table of mixed kinds are, () where all are numbers; `columns` then are names of visible units.
    `notes` are sentences that a user should read, `strange` counts what notes on a piece of a stream would tell, by
    column. `format` is one of `readers.sniffing.FORMATS`, `files` has the names of a folder's pictures, in the order of
    the cases of each split. `first` is the row of the file where its first case stands.
    """

    name: str
    splits: dict[str, Cases]
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    fingerprint: str = ""
    unlabelled: dict[str, int] = field(default_factory=dict)
    fields: tuple[kinds.Field, ...] = ()
    notes: tuple[str, ...] = ()
    strange: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    format: str = ""
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    first: int = 1

    @property
    def units(self):
        """Runs of visible units that suit the columns, () where these are all alike."""
        return kinds.units(self.fields)

    @property
    def numbers(self):
        """How many of the columns are numbers, the first ones, where not all are; else None."""
        return sum(field.kind == "number" for field in self.fields) if self.fields else None

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Options:
    """How to read: the label column (or array), columns to leave out, and the task they are read for.

    `spare` names columns that are left out too where there are such, `category` those whose numbers are names.
    `weight` is the column (or array) of weights. `size` is what a user says of the shape of a case, `like` what a model
    (or other data) has: the `shape`, `columns` and `fields` of cases that are to be matched.
    """

    label: str | None = None
    ignore: tuple[str, ...] = ()
    task: str | None = None
    spare: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    weight: str | None = None
    size: str | None = None
    like: Any = None

    @property
    def fields(self):
        """What is known of a table's columns: () that all are numbers, None nothing."""
        return None if self.like is None else self.like.fields

    @property
    def inputs(self):
        """Names of columns that are known to be inputs."""
        return {field.name for field in self.fields or ()} or set(() if self.like is None else self.like.columns)


@dataclass(frozen=True)
class Source:
    """An open file: its name for messages and neighbours, its bytes, their number, what follows a colon in its name.

    A folder has no stream. `size` is None where it is not known. `front` makes CSV of lines of another form.
    """

    path: str
    stream: BinaryIO | None
    size: int | None
    key: str | None = None
    front: Callable | None = None

    def __str__(self):
        return shown(self.path)


def fingerprint(splits):
    """SHA-256 hex of the names, types, shapes and bytes of all splits."""
    digest = hashlib.sha256()
    for name, cases in sorted(splits.items()):
        for kind, array in (("inputs", cases.inputs), ("targets", cases.targets)):
            if array is not None:
                digest.update(repr((name, kind, array.dtype.str, array.shape)).encode())
                for rows in blocks(array):
                    digest.update(array[rows].tobytes())
    return digest.hexdigest()


def blocks(inputs):
    """Slices of rows, each about BLOCK bytes as float32."""
    rows = max(1, BLOCK // (4 * max(1, math.prod(inputs.shape[1:]))))
    return [slice(first, min(first + rows, len(inputs))) for first in range(0, len(inputs), rows)]


def has_label(targets):
    """bool (N,): which cases have a label; labels as stored, class indices or numbers.

    Integers as stored have -1 for none, unless some are below: then they are numbers, not classes.
    """
    if targets.dtype.kind == "f":
        return ~np.isnan(targets.reshape(len(targets), -1)).all(axis=1)
    if targets.dtype.kind == "U":
        return (targets.reshape(len(targets), -1) != "").any(axis=1)
    if targets.dtype.kind == "i" and targets.ndim == 1 and targets.min(initial=0) == -1:
        return targets != -1
    return np.ones(len(targets), bool)


def with_shape(dataset, shape):
    """The same data with another shape of one case, when as many values fill it."""
    return replace(dataset, shape=shape) if math.prod(shape) == math.prod(dataset.shape) else dataset

"""What a data set is: cases in splits, and the checks that every reader's arrays pass.

Axes: N cases, D columns (visible units), T targets.
"""

import hashlib
import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import numpy as np

from ..errors import DataError
from ..files import shown
from ..files.rows import Rows, taken
from ..nn import fields as kinds

BLOCK = 8 << 20  # bytes of float32 that are looked at or converted at a time
RATIO = 1100  # most bytes that one stored byte may stand for; deflate reaches 1032
LONGEST_LABEL = 256  # characters
MOST_CLASSES = 65_535


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
    `notes` are sentences that a user should read. `format` is one of `sniffing.FORMATS`, `files` has the names of a
    folder's pictures, in the order of the cases of each split as read. `first` is the row of the file where its first
    case stands.
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


def check_finite(array, where, first_row=1):
    """DataError with row and column (from 1) of the first value of (N, D) that is NaN or infinite."""
    for rows in blocks(array):
        good = np.isfinite(array[rows])
        if not good.all():
            row, column = np.argwhere(~good)[0]
            value = array[rows][row, column]
            raise DataError(
                f"{where}: row {rows.start + row + first_row}, column {column + 1} holds {value}, not a finite number "
                "that float32 can hold; mend or remove it"
            )


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


def case_shape(shape):
    """Shape of one case from that of an array of rank 2 to 4; (n, h, w, 1) counts as (n, h, w)."""
    return tuple(shape[1:-1]) if len(shape) == 4 and shape[-1] == 1 else tuple(shape[1:])


def check_rows(shape, where):
    """DataError unless the shape is that of at least one case with at least one value."""
    if len(shape) not in (2, 3, 4):
        raise DataError(
            f"{where} has rank {len(shape)}, shape {tuple(shape)}; give (cases, columns) or (cases, height, width)"
        )
    if shape[0] == 0 or 0 in shape:
        raise DataError(f"{where} has shape {tuple(shape)}, no cases or no columns; give at least one of each")


def check_numbers(dtype, where):
    """DataError unless the type is one of integers, floats or booleans."""
    if dtype.kind not in "buif":
        raise DataError(f"{where} holds {_kind(dtype)}, not numbers; give an array of integers or floats")


def as_inputs(array, where, first_row=1):
    """(N, D), uint8 as it is, other numbers as finite float32, and the shape of one case."""
    check_rows(array.shape, where)
    check_numbers(array.dtype, where)
    shape = case_shape(array.shape)
    flat = (array if isinstance(array, Rows) else np.ascontiguousarray(array)).reshape(len(array), -1)
    if flat.dtype == np.uint8:
        return flat, shape
    if flat.dtype != np.float32 or not flat.dtype.isnative:
        with np.errstate(over="ignore"):
            flat = flat.astype(np.float32)
    check_finite(flat, where, first_row)
    return flat, shape


def as_labels(array, where):
    """Labels as stored, in native byte order: integers or text (N,), floats (N,) or (N, T); bytes become text."""
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"{where} holds text that is not UTF-8; save it as UTF-8") from None
    if array.dtype.kind not in "biufU":
        raise DataError(f"{where} holds {_kind(array.dtype)}, not labels; give integers, floats or text")
    if array.dtype.kind == "U" and array.dtype.itemsize > 4 * LONGEST_LABEL:
        raise DataError(f"{where} holds a label of more than {LONGEST_LABEL} characters; shorten it")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(f"{where} has shape {array.shape}; give one label or one row of targets a case")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def as_weights(array, cases, where):
    """float32 (N,): how much each of so many cases counts, numbers of at least 0, not all of them 0."""
    check_numbers(array.dtype, where)
    if array.shape not in ((cases,), (cases, 1)):
        raise DataError(f"{where} has shape {array.shape} for {cases} cases; give one weight a case")
    with np.errstate(over="ignore"):
        weights = array.astype(np.float32).reshape(cases)
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(f"{where}: case {row + 1} has the weight {weights[row]:g}; give a finite number of at least 0")
    if not weights.any():
        raise DataError(f"{where}: all weights are zero, and nothing is left to learn from; give some above 0")
    return weights


def _kind(dtype):
    """The name of a type that cannot be used, in words."""
    words = {"O": "Python objects (pickle)", "V": "records", "c": "complex numbers", "M": "dates", "m": "durations"}
    return words.get(dtype.kind, "text" if dtype.kind in "SU" else f"values of type {dtype}")


def assemble(source, parts, columns=(), weights=None, first=None):
    """A Dataset from {split: (inputs, labels or None, where)} after the checks that all formats share.

    `weights` are those of the training cases. `first` is the row where the cases begin, by default 1, or 2 below a
    header with names of columns.
    """
    splits, shapes, first = {}, {}, first or 1 + bool(columns)
    for name, (inputs, labels, where) in parts.items():
        inputs, shapes[name] = as_inputs(inputs, where, first)
        if labels is not None:
            labels = as_labels(labels, where)
            if len(labels) != len(inputs):
                raise DataError(f"{where} has {len(inputs)} cases but {len(labels)} labels; give one label a case")
        splits[name] = Cases(inputs, labels)
    if weights is not None:
        train = splits["train"]
        splits["train"] = replace(train, weights=as_weights(weights, len(train), f"{parts['train'][2]}: weights"))
    shape = shapes["train"]
    for name, other in shapes.items():
        if other != shape:
            raise DataError(f"{source}: a case has shape {other} in {name} but {shape} in train; make them alike")
    return Dataset(shown(os.path.basename(source.path)), splits, (), shape, tuple(columns), first=first)


def refuse_columns(source, options):
    """DataError where columns are named of a format that has none with names, or a model wants texts of it."""
    for option, given in (("--ignore", options.ignore), ("--category", options.category)):
        if given:
            raise DataError(f"{source}: {option} {shown(','.join(given))} is for columns of CSV and TSV; drop it")
    if options.fields:
        raise DataError(f"{source} holds numbers alone and the model takes a table of mixed columns; give a CSV")


def with_shape(dataset, shape):
    """The same data with another shape of one case, when as many values fill it."""
    return replace(dataset, shape=shape) if math.prod(shape) == math.prod(dataset.shape) else dataset


def in_memory(inputs, targets=None, columns=(), weights=None):
    """A Dataset of arrays in memory, all of it to train with, after the checks that all formats share."""
    parts = {"train": (np.asarray(inputs), targets, "the table")}
    dataset = assemble(Source("the table", io.BytesIO(), 0), parts, columns, weights, first=1)
    return replace(dataset, fingerprint=fingerprint(dataset.splits))

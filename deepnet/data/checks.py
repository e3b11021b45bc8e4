"""The checks that every reader's arrays pass on their way to a Dataset.

Axes: N cases, D columns (visible units), T targets.
"""

import io
import os
from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..files import check_memory, shown
from ..files.rows import Rows
from .dataset import Cases, Dataset, Source, blocks, fingerprint

LONGEST_LABEL = 256  # characters


def check_size(where, size):
    """OutputError where so many bytes beside those that the program has do not fit into the memory."""
    check_memory(size, f"{where}, read at once,", "save it as HDF5, which may be larger than memory")


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


def in_memory(inputs, targets=None, columns=(), weights=None):
    """A Dataset of arrays in memory, all of it to train with, after the checks that all formats share."""
    parts = {"train": (np.asarray(inputs), targets, "the table")}
    dataset = assemble(Source("the table", io.BytesIO(), 0), parts, columns, weights, first=1)
    return replace(dataset, fingerprint=fingerprint(dataset.splits))

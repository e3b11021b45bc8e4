"""From a named data set to minibatches: reading, splitting, scaling, and the feeds that objectives take."""

from collections.abc import Callable

import numpy as np

from .. import data
from ..checkpoint import Preparation
from ..data import Cases, Dataset
from ..data import scaling as scalings
from ..errors import DataError, UsageError
from ..files import shown
from ..kernels import updates

BATCH = 100  # cases in a minibatch (Hinton 2010, section 4)


def read(source, valid: str, task, label, ignore, seed: int, classes=None, spare=()) -> tuple[Dataset, str]:
    """The data set with its held-out cases, and what a model file calls `valid` (a path by its contents)."""
    dataset = data.load(source, label=label, ignore=ignore, task=task, classes=classes, spare=spare)
    if data.parse_valid(valid)[0] == "path":
        other = data.load(valid, label=label, ignore=ignore, task=task, classes=classes or dataset.classes or None)
        return data.join(dataset, other), f"data {other.fingerprint[:16]}"
    if valid == "none" and "valid" in dataset.splits:
        return dataset, "given"
    return data.split(dataset, valid, seed), valid


def prepare(dataset: Dataset, kind: str, visible: str) -> Preparation:
    """The scaling of this kind, from the training cases; DataError where the visible units could not see the result."""
    train = dataset.splits["train"].inputs
    scaling = scalings.fit(kind, train, dataset.shape)
    data.check_range(train, scaling, visible, dataset.name)
    return Preparation(kind, scaling.offset, scaling.scale, dataset.shape, dataset.classes, columns=dataset.columns)


def check_width(dataset: Dataset, preparation: Preparation, model: str) -> None:
    """DataError where the data are visibly others than the model takes: by width, names of columns, or range."""
    inputs = dataset.splits["train"].inputs
    width, wanted = inputs.shape[1], len(preparation.offset)
    if width != wanted:
        raise DataError(f"{dataset.name} has {width} columns but {model} takes {wanted}; give the data it was made for")
    if dataset.columns and preparation.columns and dataset.columns != preparation.columns:
        pairs = enumerate(zip(dataset.columns, preparation.columns, strict=True), 1)
        at, (found, due) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
        raise DataError(
            f"{dataset.name}: input column {at} is '{shown(found)}' where {model} was trained on '{shown(due)}'; "
            "bring the columns into that order"
        )
    if preparation.kind == "auto" and preparation.scale[0] == 255 and inputs.dtype != np.uint8 and inputs.max() <= 1:
        raise DataError(
            f"{dataset.name} lies below 1 but {model} was trained on bytes, 0 to 255; give the same numbers"
        )


def batch_of(batch_size: int | None, cases: int) -> int:
    """Cases in a minibatch: BATCH where none is named, or all; UsageError for more than there are."""
    if batch_size is None:
        return min(BATCH, cases)
    if batch_size > cases:
        raise UsageError(f"--batch-size {batch_size} is more than the {cases} training cases; give at most {cases}")
    return batch_size


def visible_feed(inputs: np.ndarray, preparation: Preparation) -> Callable:
    """Writes scaled rows of the data into a minibatch."""

    def feed(rows, x):
        updates.gather(inputs, rows, preparation.offset, preparation.scale, x)

    return feed


def code_feed(codes: np.ndarray) -> Callable:
    """Writes rows of a layer's activations into a minibatch."""
    zero, one = np.zeros(codes.shape[1], np.float32), np.ones(codes.shape[1], np.float32)

    def feed(rows, x):
        updates.gather(codes, rows, zero, one, x)

    return feed


def network_feed(
    cases: Cases, preparation: Preparation, task: str, smoothing: float = 0.0, logits: np.ndarray | None = None
) -> Callable:
    """Writes scaled rows and their targets: one unit a class, the (standardised) numbers, or the inputs themselves.

    `smoothing` is the share of a class's target that is spread over all classes (Szegedy et al. 2016, section 7).
    `logits` (cases, classes) are a teacher's, to mimic: they and a label's class, or -1, are the targets then.
    """
    visible, classes = visible_feed(cases.inputs, preparation), len(preparation.classes)
    one = (np.eye(classes) * (1 - smoothing) + smoothing / max(1, classes)).astype(np.float32)

    def feed(rows, x, t):
        visible(rows, x)
        if task == "reconstruct":
            t[...] = x
        elif logits is not None:
            t[:, :-1] = logits[rows]
            t[:, -1] = -1 if cases.targets is None else cases.targets[rows]
        elif cases.targets is None:
            t[...] = 0
        elif task == "classify":
            t[...] = one[cases.targets[rows]]
        else:
            t[...] = (cases.targets[rows] - preparation.target_offset) / preparation.target_scale

    return feed


def task_of(loss: str, preparation: Preparation) -> str:
    """classify, regress or reconstruct, from what a model file says."""
    if loss == "cross_entropy" and preparation.classes:
        return "classify"
    return "regress" if preparation.target_scale is not None else "reconstruct"

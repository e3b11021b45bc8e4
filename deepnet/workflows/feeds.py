"""feeds: what an objective reads its minibatches from, cases as they are stored prepared row by row."""

from collections.abc import Callable

import numpy as np

from ..checkpoint import Preparation
from ..data import Cases, Dataset
from ..errors import DataError, UsageError
from ..files.rows import Rows, block
from ..kernels import minibatch, operands, products, random
from ..kernels.units import LINEAR

MOST_CHANNELS = 4  # of an image, which come last


def visible_feed(inputs: np.ndarray | Rows, preparation: Preparation, jitter: int = 0) -> Callable:
    """Writes prepared rows of the data (cases, D) into a minibatch (B, M).

    Of a minibatch with a key each image is moved by at most `jitter` pixels, before all else. Nothing is prepared
    ahead, so that a data set of bytes never becomes one of floats: 70 components of 784 pixels cost 8 % of the time
    that 70-512-512-10 is trained in.
    """
    p, project = preparation, _projector(preparation)

    def read(rows, x, key):
        given, places = block(inputs, rows)
        if jitter and key is not None:
            moves = random.shifts(key, len(rows), jitter)
            minibatch.gather_shifted(given, places, moves, image_of(p.shape), p.offset, p.scale, x)
        else:
            minibatch.gather(given, places, p.offset, p.scale, x)
        if p.contrast is not None:
            minibatch.contrast(p.contrast, x)

    def feed(rows, x, key=None):
        if project is None:
            read(rows, x, key)
        else:
            project(lambda wide: read(rows, wide, key), x)

    return feed


def _projector(preparation: Preparation) -> Callable | None:
    """A function of (what fills an array (B, D), x (B, M)) that writes the array's projection into x, or None."""
    if preparation.projection is None:
        return None
    mean, (columns, width) = preparation.projection.mean, preparation.projection.matrix.shape
    matrix, zero, rooms = operands.matrix(columns, width), np.zeros(width, np.float32), [operands.matrix(0, columns)]
    matrix[...] = preparation.projection.matrix

    def project(fill, x):
        if len(rooms[0]) < len(x):
            rooms[0] = operands.matrix(len(x), columns)
        wide = rooms[0][: len(x)]
        fill(wide)
        wide -= mean
        with operands.unrounded():
            products.up(wide, matrix, zero, LINEAR, x)

    return project


def image_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels of a case that is an image."""
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


def check_jitter(jitter: int, dataset: Dataset) -> None:
    """DataError for cases that are no images, UsageError where nothing of an image might be left."""
    if not jitter:
        return
    if len(dataset.shape) not in (2, 3) or image_of(dataset.shape)[2] > MOST_CHANNELS:
        raise DataError(
            f"--jitter {jitter}: a case of {dataset.name} has shape {dataset.shape} and is no image of rows and "
            "columns; leave it out, or give data with images"
        )
    least = min(dataset.shape[:2])
    if jitter >= least:
        size = " x ".join(map(str, dataset.shape[:2]))
        most = f"give at most {least - 1}" if least > 1 else "leave it out"
        raise UsageError(f"--jitter {jitter} would move images of {size} pixels out of sight; {most}")


def code_feed(codes: np.ndarray | Rows) -> Callable:
    """Writes rows of a layer's activations into a minibatch."""
    zero, one = np.zeros(codes.shape[1], np.float32), np.ones(codes.shape[1], np.float32)

    def feed(rows, x):
        minibatch.gather(*block(codes, rows), zero, one, x)

    return feed


def network_feed(
    cases: Cases,
    preparation: Preparation,
    task: str,
    smoothing: float = 0.0,
    jitter: int = 0,
    logits: np.ndarray | None = None,
) -> Callable:
    """Writes prepared rows and their targets: one unit a class, (standardised) numbers, the inputs, or the centre.

    `smoothing` is the share of a class's target that is spread over all classes (Szegedy et al. 2016, section 7).
    `logits` (cases, classes) are a teacher's, to mimic: they and a label's class, or -1, are the targets then.
    """
    visible, classes = visible_feed(cases.inputs, preparation, jitter), len(preparation.classes)
    one = (np.eye(classes) * (1 - smoothing) + smoothing / max(1, classes)).astype(np.float32)

    def feed(rows, x, t, key=None):
        visible(rows, x, key)
        if task == "reconstruct":
            t[...] = x
        elif task == "one_class":
            t[...] = preparation.centre
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

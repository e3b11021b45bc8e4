"""What is done to the inputs before the first layer: x' = (x - offset) / scale, column by column.

Sums run in float64 over rows in their order, a block at a time, so they have the same bits everywhere and 60,000
images never become one array of floats. Axes: N cases, D columns.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import DataError, UsageError
from ..nn.mixed import mixed_of
from .dataset import blocks

KINDS = ("auto", "none", "unit", "standard")


@dataclass(frozen=True, eq=False)
class Scaling:
    """x' = (float32(x) - offset) / scale; offset and scale float32 (D,), scale above 0."""

    kind: str
    offset: np.ndarray
    scale: np.ndarray


def extremes(inputs):
    """Smallest and largest value of each column, (D,) each, in the type of the inputs."""
    pairs = [(inputs[rows].min(axis=0), inputs[rows].max(axis=0)) for rows in blocks(inputs)]
    return np.min([low for low, _ in pairs], axis=0), np.max([high for _, high in pairs], axis=0)


def moments(inputs):
    """Mean and variance (divided by N) of each column in float64 (D,), in two passes."""
    mean = np.zeros(inputs.shape[1])
    for rows in blocks(inputs):
        mean += inputs[rows].astype(np.float64).sum(axis=0)
    mean /= len(inputs)
    variance = np.zeros(inputs.shape[1])
    for rows in blocks(inputs):
        gap = inputs[rows].astype(np.float64)
        gap -= mean
        gap *= gap
        variance += gap.sum(axis=0)
    return mean, variance / len(inputs)


def fit(kind, inputs, shape, numbers=None):
    """The Scaling of this kind for the training cases (N, D), each of this shape.

    auto: bytes are divided by 255, unless none passes 1; floats stay. none: nothing changes. unit: each column from its
    minimum and maximum to [0, 1], images by one range for all pixels. standard: mean 0, deviation 1; constants to 0.
    With `numbers`, the first so many columns of a table of mixed kinds, auto is standard, and the others stay.
    """
    if kind not in KINDS:
        raise UsageError(f"--scale {kind}: no such scaling; give one of {', '.join(KINDS)}")
    if numbers is not None:
        return _of_numbers(kind, inputs, numbers)
    offset, scale = np.zeros(inputs.shape[1]), np.ones(inputs.shape[1])
    if kind == "auto" and inputs.dtype == np.uint8 and extremes(inputs)[1].max() > 1:
        scale[:] = 255
    elif kind in ("unit", "standard"):
        low, high = (values.astype(np.float32) for values in extremes(inputs))
        if kind == "unit" and len(shape) > 1:
            low[:], high[:] = low.min(), high.max()
        if kind == "standard":
            offset, variance = moments(inputs)
            scale = np.sqrt(variance)
            offset[high == low] = low[high == low]
        else:
            with np.errstate(over="ignore"):
                offset, scale = low, high - low  # in float32, as `apply` computes: so that the largest is 1, not more
        scale[high == low] = 1
    with np.errstate(over="ignore"):
        offset, scale = offset.astype(np.float32), scale.astype(np.float32)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        column = int(np.argmin(np.isfinite(scale) & (scale > 0))) + 1
        raise DataError(f"--scale {kind}: the range of column {column} does not fit in float32; rescale that column")
    return Scaling(kind, offset, scale)


def _of_numbers(kind, inputs, numbers):
    """The Scaling of a table of which only the first columns are numbers."""
    offset, scale = np.zeros(inputs.shape[1], np.float32), np.ones(inputs.shape[1], np.float32)
    if numbers:
        own = fit("standard" if kind == "auto" else kind, inputs[:, :numbers], (numbers,))
        offset[:numbers], scale[:numbers] = own.offset, own.scale
    return Scaling(kind, offset, scale)


def apply(scaling, inputs):
    """float32 (N, D): the scaled inputs, for tests and small arrays."""
    return (inputs.astype(np.float32) - scaling.offset) / scaling.scale


def check_range(inputs, scaling, visible, name, remedy="give --scale unit, or --visible linear --scale standard"):
    """DataError where "logistic" visible units, or bounded ones of mixed units, would see a value outside [0, 1].

    `name` is that of the data; `remedy` is what the sentence ends with: not every command has the same options.
    """
    mixed = mixed_of(visible)
    if visible != "logistic" and mixed is None:
        return
    low, high = (apply(scaling, values) for values in extremes(inputs))
    wrong = (low < 0) | (high > 1)
    for unit, span in mixed.spans if mixed else ():
        wrong[span] &= unit.bounded
    if not wrong.any():
        return
    column = int(np.argmax(wrong))
    value = low[column] if low[column] < 0 else high[column]
    given = np.concatenate([inputs[rows][:, column] for rows in blocks(inputs)])
    values = apply(Scaling(scaling.kind, scaling.offset[column], scaling.scale[column]), given)
    raise DataError(
        f"{name}: case {int(np.argmax(values == value)) + 1}, column {column + 1} is {value:g} after --scale "
        f"{scaling.kind}, but {'flags and categories' if mixed else 'logistic visible units'} need values in [0, 1]; "
        f"{'write them as 0 and 1' if mixed else remedy}"
    )

"""causes: why a run diverged, as far as its data, its units and its rate tell; a few words with a remedy.

What is looked at are PROBED training cases, and the weights of the last good epoch.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..kernels import operands
from ..nn.layers import Layer, Weighted
from ..nn.pieces import rows_of
from .models import CHUNK

PROBED = 1000
WIDE = 5.0  # root mean square of inputs; pixels have less than 1, standardised columns 1
DEAD = 0.5  # share of a layer's relu units


def inputs(feed: Callable, cases: int, width: int) -> np.ndarray:
    """Prepared training cases (B, D), spread over the data."""
    rows = np.unique(np.linspace(0, cases - 1, min(PROBED, cases, CHUNK)).astype(np.int64))
    x = operands.matrix(len(rows), width)
    feed(rows, x)
    return x


def remedy(scale: str) -> str:
    """What to change where data that are scaled so are at fault."""
    return "use --scale standard" if scale != "standard" else "look for outliers with `deepnet inspect`"


def of_inputs(x: np.ndarray, remedy: str) -> str | None:
    """What is wrong with the range of prepared cases: values far from what first weights are made for."""
    if float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) <= WIDE:
        return None
    return f"its inputs run from {x.min():.4g} to {x.max():.4g}: {remedy}"


@np.errstate(over="ignore", invalid="ignore")
def of_units(layers: Sequence[Layer], parts: list[dict], x: np.ndarray, remedy: str) -> str | None:
    """What is wrong with the activity of hidden relu units on prepared cases: that most of a layer never fire."""
    work, number = [layer.workspace(len(x), x.dtype) for layer in layers], 0
    for layer, own, room in zip(layers, parts, rows_of(work, len(x)), strict=True):
        x = layer.forward(own, room, x, None)
        number += isinstance(layer, Weighted)
        if isinstance(layer, Weighted) and getattr(layer, "unit", None) == "relu":
            dead = 1 - float((x > 0).any(axis=0).mean())
            if dead > DEAD:
                return f"{100 * dead:.0f} % of the relu units of layer {number} never fire: {remedy}"
    return None


def of_rate(optimizer, updates: Sequence[int], factor: float) -> str:
    """The rate to use in the place of one that diverged at these updates, though it had this factor.

    A tenth of it, to one digit.
    """
    if not hasattr(optimizer, "learning_rate"):
        return "look at the range of the data with `deepnet inspect`, or use another --optimizer"
    rate = factor * max(map(optimizer.learning_rate.at, updates)) / 10
    return f"its rate is too high: use --learning-rate {float(f'{rate:.0e}'):g}"

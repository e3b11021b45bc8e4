"""What several optimizers do: count their steps, hold a gradient's norm."""

import math

import numpy as np

from ..kernels import updates


def count(state: dict[str, np.ndarray]) -> int:
    """The number of updates made before this one, which is counted."""
    t = int(state["updates"][0])
    state["updates"][0] = t + 1
    return t


def clipped(g: np.ndarray, clip: float | None) -> np.ndarray:
    """g, scaled in place to the norm `clip` where it is longer (Pascanu, Mikolov and Bengio 2013, algorithm 1)."""
    if clip is not None:
        norm = math.sqrt(updates.sum_squares(g))
        if clip < norm < math.inf:  # a gradient that is not finite stays as it is, to be seen
            g *= g.dtype.type(clip / norm)
    return g

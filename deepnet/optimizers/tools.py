"""What several optimizers do: count their steps, hold a gradient's norm."""

import math
from collections.abc import Sequence

import numpy as np

from ..kernels import updates
from .objective import Span


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


def within(g: np.ndarray, spans: Sequence[Span]) -> np.ndarray:
    """g, in place 0 outside the pieces that move."""
    if list(spans) != [(0, g.size, 1.0)]:
        end = 0
        for a, b, factor in sorted(spans):
            g[end:a] = 0
            if not factor:
                g[a:b] = 0
            end = b
        g[end:] = 0
    return g

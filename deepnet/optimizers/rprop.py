"""iRprop-: a step of its own for each parameter, by the derivative's sign alone (Igel and Huesken 2003, table 4)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .tools import count


@dataclass(frozen=True)
class Rprop:
    """Settings: `first`, the first step; `increase` and `decrease`, its factors; `least` and `most`, its bounds.

    The sign of a derivative must be that of all cases, so a minibatch is the whole data set by default.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "all"
    vectors: ClassVar[tuple[int, int]] = (2, 0)
    first: float = 0.0125
    increase: float = 1.2
    decrease: float = 0.5
    least: float = 1e-6
    most: float = 50.0

    def init(self, theta: np.ndarray) -> State:
        """The gradient of the step before, the width of the next one, and the number of updates."""
        return {"last": np.zeros_like(theta), "width": np.zeros_like(theta), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and the widths."""
        count(state)
        g, rule = objective.gradient(theta), (self.increase, self.decrease, self.first, self.least, self.most)
        for a, b, _ in objective.spans:
            updates.rprop(theta[a:b], state["last"][a:b], state["width"][a:b], g[a:b], *rule)

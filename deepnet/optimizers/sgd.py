"""Stochastic gradient descent: theta <- theta - rate gradient (Robbins and Monro 1951)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class SGD:
    """Settings: `learning_rate`, a schedule; `clip`, the largest norm of a gradient, or None."""

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (0, 0)
    learning_rate: Schedule = constant(0.1)
    clip: float | None = None

    def init(self, theta: np.ndarray) -> State:
        """The number of updates."""
        return {"updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta."""
        t = count(state)
        g = clipped(objective.gradient(theta), self.clip)
        for a, b, factor in objective.spans:
            updates.sgd(theta[a:b], g[a:b], factor * self.learning_rate.at(t))

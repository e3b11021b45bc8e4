"""Adagrad: steps scaled by the sum of the squares of all gradients so far (Duchi, Hazan and Singer 2011, figure 1)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class Adagrad:
    """Settings: `learning_rate`, a schedule; `epsilon`; `clip`, the largest norm of a gradient, or None."""

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (1, 0)
    learning_rate: Schedule = constant(0.01)
    epsilon: float = 1e-8
    clip: float | None = None

    def init(self, theta: np.ndarray) -> State:
        """The sum of squares, and the number of updates."""
        return {"square": np.zeros_like(theta), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and the squares."""
        rate, square = self.learning_rate.at(count(state)), state["square"]
        g = clipped(objective.gradient(theta), self.clip)
        for a, b, factor in objective.spans:
            updates.scaled_step(theta[a:b], square[a:b], g[a:b], factor * rate, 1.0, 1.0, self.epsilon)

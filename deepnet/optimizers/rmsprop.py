"""RMSprop: steps scaled by a running mean square of the gradient (Tieleman and Hinton 2012, lecture 6.5)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class RMSprop:
    """Settings: `learning_rate`, a schedule; `decay` of the mean square; `epsilon`; `clip`, a norm or None."""

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (1, 0)
    learning_rate: Schedule = constant(0.001)
    decay: float = 0.9
    epsilon: float = 1e-8
    clip: float | None = None

    def init(self, theta: np.ndarray) -> State:
        """The mean square, and the number of updates."""
        return {"square": np.zeros_like(theta), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and the squares."""
        rate, square = self.learning_rate.at(count(state)), state["square"]
        g = clipped(objective.gradient(theta), self.clip)
        for a, b, factor in objective.spans:
            updates.scaled_step(
                theta[a:b], square[a:b], g[a:b], factor * rate, self.decay, 1 - self.decay, self.epsilon
            )

"""Adam: steps scaled by running moments of the gradient (Kingma and Ba 2015, algorithm 1)."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class Adam:
    """Settings: `learning_rate`, a schedule.

    `beta1`, `beta2`, `epsilon` as in the paper; `clip`, the largest norm, or None.
    """

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (2, 0)
    learning_rate: Schedule = constant(0.001)
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float | None = None

    def init(self, theta: np.ndarray) -> State:
        """First and second moments, and the number of updates."""
        return {"mean": np.zeros_like(theta), "square": np.zeros_like(theta), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and the moments; both bias corrections are put into the rate and epsilon."""
        t = count(state)
        g = clipped(objective.gradient(theta), self.clip)
        second = math.sqrt(1 - self.beta2 ** (t + 1))
        rate = self.learning_rate.at(t) * second / (1 - self.beta1 ** (t + 1))
        mean, square = state["mean"], state["square"]
        for a, b, factor in objective.spans:
            updates.adam(
                theta[a:b], mean[a:b], square[a:b], g[a:b], factor * rate, self.beta1, self.beta2, self.epsilon * second
            )

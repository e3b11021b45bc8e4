"""Classical momentum: velocity <- mu velocity - rate gradient; theta <- theta + velocity (Polyak 1964)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class Momentum:
    """Settings: `learning_rate` and `momentum`, schedules; `clip`, the largest norm of a gradient, or None."""

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (1, 0)
    learning_rate: Schedule = constant(0.1)
    momentum: Schedule = constant(0.9)
    clip: float | None = None

    def init(self, theta: np.ndarray) -> State:
        """The velocity, and the number of updates."""
        return {"velocity": np.zeros_like(theta), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and velocity."""
        t, velocity = count(state), state["velocity"]
        descend = getattr(objective, "descend", None)
        if self.clip is None and descend is not None:
            descend(theta, velocity, self.learning_rate.at(t), self.momentum.at(t))
            return
        g = clipped(objective.gradient(theta), self.clip)
        for a, b, factor in objective.spans:
            updates.momentum(theta[a:b], velocity[a:b], g[a:b], factor * self.learning_rate.at(t), self.momentum.at(t))

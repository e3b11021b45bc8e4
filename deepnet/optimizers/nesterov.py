"""Nesterov's accelerated gradient: the gradient is taken ahead, at theta + mu velocity.

Source: Sutskever et al. 2013, eqs. 3-4.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .objective import Objective, State
from .schedules import Schedule, constant
from .tools import clipped, count


@dataclass(frozen=True)
class Nesterov:
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
        """Look ahead, take the gradient there, step; theta stays the plain one between steps."""
        t, velocity = count(state), state["velocity"]
        rate, mu, descend = self.learning_rate.at(t), self.momentum.at(t), getattr(objective, "descend", None)
        for a, b, _ in objective.spans:
            updates.add(theta[a:b], velocity[a:b], mu)
        if self.clip is None and descend is not None:
            descend(theta, velocity, rate, mu, ahead=True)
            return
        g = clipped(objective.gradient(theta), self.clip)
        for a, b, factor in objective.spans:
            updates.momentum(theta[a:b], velocity[a:b], g[a:b], factor * rate, mu, ahead=True)

"""Conjugate gradients: a few line searches on each large minibatch, begun anew with each (Polak and Ribiere 1969).

As Hinton and Salakhutdinov (2006) fine-tuned their autoencoders: three line searches on every 1000 cases.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .linesearch import Point, search
from .objective import Objective, State
from .tools import count, within

RATIO = 10.0  # most a first step grows over the one before


@dataclass(frozen=True)
class CG:
    """Settings: `searches`, line searches a minibatch; `evaluations`, at most in one of them.

    `lower` and `upper` are the constants of its conditions (`linesearch`).
    """

    needs: ClassVar[tuple[str, ...]] = ("value_and_gradient",)
    batch: ClassVar[str] = "large"
    vectors: ClassVar[tuple[int, int]] = (0, 5)
    searches: int = 3
    evaluations: int = 20
    lower: float = 0.05
    upper: float = 0.1

    def init(self, theta: np.ndarray) -> State:
        """The number of updates; nothing goes from one minibatch to the next."""
        return {"updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """`searches` steps along conjugate directions; a search that fails goes back to the gradient, two end it."""
        count(state)
        value, g = objective.value_and_gradient(theta)
        g = within(g, objective.spans).copy()
        direction, failed = -g, False
        slope = -updates.dot(g, g)
        if slope == 0 or not np.isfinite(value + slope):
            return
        step, start, new = 1 / (1 - slope), theta.copy(), np.empty_like(g)

        def phi(s: float) -> tuple[float, float]:
            theta[:] = start
            updates.add(theta, direction, s)
            value, at = objective.value_and_gradient(theta)
            new[:] = within(at, objective.spans)
            return value, updates.dot(new, direction)

        for k in range(self.searches):
            start[:] = theta
            point, good = search(phi, Point(0.0, value, slope), step, self.lower, self.upper, self.evaluations)
            if not good:  # a point that is accepted is the last one looked at: theta and `new` are there
                theta[:] = start
                if failed:
                    return
                updates.add(theta, direction, point.step)
                if k + 1 < self.searches:
                    new[:] = within(objective.gradient(theta), objective.spans)
            if k + 1 == self.searches:
                return
            value, before = point.value, slope
            if good:
                turn = (updates.dot(new, new) - updates.dot(g, new)) / updates.dot(g, g)
                direction *= theta.dtype.type(turn)
                direction -= new
                slope = updates.dot(new, direction)
            if not good or slope >= 0:
                direction[:] = -new
                slope = -updates.dot(new, new)
            g[:] = new
            if slope == 0:
                return
            step = point.step * min(RATIO, before / slope) if good else 1 / (1 - slope)
            failed = not good

"""L-BFGS: the inverse Hessian from the last few steps and changes of the gradient (Liu and Nocedal 1989).

The two-loop recursion and the scaling of the first matrix are Nocedal and Wright 2006, algorithm 7.4 and eq. 7.20.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import updates
from .linesearch import Point, search
from .objective import Objective, State
from .tools import count, within


@dataclass(frozen=True)
class LBFGS:
    """Settings: `memory`, the pairs it keeps; `evaluations`, at most in a line search.

    `lower` and `upper` are the constants of its conditions (`linesearch`). Pairs must tell of one function, so a
    minibatch is the whole data set by default.
    """

    needs: ClassVar[tuple[str, ...]] = ("value_and_gradient",)
    batch: ClassVar[str] = "all"
    memory: int = 10
    evaluations: int = 20
    lower: float = 1e-4
    upper: float = 0.9

    @property
    def vectors(self) -> tuple[int, int]:
        """A step and a change a pair."""
        return 2 * self.memory, 6

    def init(self, theta: np.ndarray) -> State:
        """Steps and changes of the gradient, a row a pair, how many there were, and the number of updates."""
        rows = (self.memory, theta.size)
        return {
            "steps": np.zeros(rows, theta.dtype),
            "changes": np.zeros(rows, theta.dtype),
            "pairs": np.zeros(1, np.int64),
            "updates": np.zeros(1, np.int64),
        }

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One line search along the quasi-Newton direction; where it fails, memory is forgotten."""
        count(state)
        value, g = objective.value_and_gradient(theta)
        g = within(g, objective.spans).copy()
        direction = self._direction(g, state)
        slope = updates.dot(g, direction)
        if not slope < 0:
            direction, slope = -g, -updates.dot(g, g)
        if slope == 0 or not np.isfinite(value + slope):
            return
        first = 1.0 if state["pairs"][0] else min(1.0, 1 / np.sqrt(-slope))
        start, last = theta.copy(), np.empty_like(g)

        def phi(s: float) -> tuple[float, float]:
            theta[:] = start
            updates.add(theta, direction, s)
            value, new = objective.value_and_gradient(theta)
            last[:] = within(new, objective.spans)
            return value, updates.dot(last, direction)

        point, good = search(phi, Point(0.0, value, slope), first, self.lower, self.upper, self.evaluations)
        theta[:] = start
        updates.add(theta, direction, point.step)
        if not good:
            state["pairs"][0] = 0
            return
        change = last - g
        if updates.dot(change, direction) > 0:
            row = int(state["pairs"][0]) % self.memory
            np.multiply(direction, theta.dtype.type(point.step), out=state["steps"][row])
            state["changes"][row] = change
            state["pairs"][0] += 1

    def _direction(self, g: np.ndarray, state: State) -> np.ndarray:
        """-H g, with H from the pairs, newest first and then oldest first."""
        q, pairs = -g, int(state["pairs"][0])
        rows = [k % self.memory for k in range(pairs - 1, max(-1, pairs - 1 - self.memory), -1)]
        steps, changes = state["steps"], state["changes"]
        curvature = {row: updates.dot(steps[row], changes[row]) for row in rows}
        along = {}
        for row in rows:
            along[row] = updates.dot(steps[row], q) / curvature[row]
            updates.add(q, changes[row], -along[row])
        if rows:
            q *= q.dtype.type(curvature[rows[0]] / updates.dot(changes[rows[0]], changes[rows[0]]))
        for row in reversed(rows):
            updates.add(q, steps[row], along[row] - updates.dot(changes[row], q) / curvature[row])
        return q

"""Hessian-free: Newton steps from products with the Gauss-Newton matrix, solved by conjugate gradients (Martens 2010).

Sections are the paper's; where its released code differs, as in the decay of the first guess, the code is followed.
The gradient is that of all cases, the curvature that of a minibatch, another one at each update. With a `share` both
are the minibatch's, the curvature of a part of it: many cheap updates of few iterations, which the last solution links
as momentum would (Sutskever, Martens, Dahl and Hinton 2013, section 5).
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import UsageError
from ..kernels import updates
from .objective import Objective, Precondition, State
from .solve import most_kept, solve
from .tools import count, within

POOR, GOOD = 0.25, 0.75  # ratios of real to foretold progress between which damping stays (section 4.1)
SHORTER, LEAST_GAIN, SHORTENINGS = 0.8, 0.01, 60  # the line search back from the whole step


@dataclass(frozen=True)
class HessianFree:
    """Settings, with the sections of Martens 2010.

    `damping`, the first lambda, and `damping_factor`, by which it falls where the quadratic model tells true and rises
    where it does not (4.1), never below `least_damping`: of a part of the cases the model tells true of just these;
    `iterations` of conjugate gradients at most, and `tolerance` of their stopping rule (4.4);
    `start_decay` of the last solution as a first guess (4.5); `power` of the preconditioner (4.7), 0 for none; `share`
    of a minibatch that makes the curvature, 0 for all of it beside the gradient of all cases; `kronecker`, 1 for the
    preconditioner of Martens and Grosse 2015 in place of the diagonal one, and `factor_decay`, what the running means
    of its factors keep at an update at most (their section 5).
    """

    needs: ClassVar[tuple[str, ...]] = ("value_and_gradient", "curvature", "gradient_squares")
    batch: ClassVar[str] = "curvature"
    damping: float = 1.0
    damping_factor: float = 2 / 3
    least_damping: float = 0.0
    iterations: int = 250
    tolerance: float = 0.0005
    start_decay: float = 0.95
    power: float = 0.75
    share: float = 0.0
    kronecker: bool = False
    factor_decay: float = 0.95

    def __post_init__(self):
        if self.share > 1:
            raise UsageError(f"--set share={self.share:g}: of a minibatch there is no more than 1")
        if self.factor_decay > 1:
            raise UsageError(f"--set factor_decay={self.factor_decay:g}: of a mean no more than 1 is kept")
        if self.least_damping > self.damping:
            raise UsageError(
                f"--set least_damping={self.least_damping:g}: at most the first damping, which is {self.damping:g}"
            )
        if self.kronecker and not self.damping > 0:
            raise UsageError(
                "--set damping=0: the Kronecker factors have an inverse above 0 only; use for example 0.001"
            )

    @property
    def vectors(self) -> tuple[int, int]:
        """The last solution; in a step the iterates kept, nine beside them, three for the gradient of all cases."""
        return 1, most_kept(self.iterations) + 9 + 3

    def init(self, theta: np.ndarray) -> State:
        """The last solution, the logarithm of lambda over the first one, and the number of updates."""
        return {"solution": np.zeros_like(theta), "damped": np.zeros(1), "updates": np.zeros(1, np.int64)}

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update: solve, go back among the iterates, set damping, shorten the step while it does not pay."""
        count(state)
        whole, spans, share = objective if self.share else objective.whole, objective.spans, self.share or 1.0
        value, g = whole.value_and_gradient(theta)
        g = within(g, spans).copy()
        if not g.any() or not math.isfinite(value):
            return
        damping = self.damping * math.exp(float(state["damped"][0]))
        precondition = self._preconditioner(objective, theta, damping, share)
        local, curve = objective.value(theta, share), objective.curvature(theta, share)

        def product(v: np.ndarray) -> np.ndarray:
            out = within(curve(v), spans).copy()
            updates.add(out, v, damping)
            return out

        first = state["solution"] * theta.dtype.type(self.start_decay)
        kept, phis, _ = solve(product, -g, first, precondition, self.iterations, self.tolerance)
        state["solution"][:] = kept[-1]
        start = theta.copy()

        def at(p: np.ndarray, rate: float = 1.0) -> float:
            theta[:] = start
            updates.add(theta, p, rate)
            return objective.value(theta, share)

        chosen, reached = len(kept) - 1, at(kept[-1])
        while chosen and not (earlier := at(kept[chosen - 1])) > reached:  # also out of a value that is not finite
            chosen, reached = chosen - 1, earlier
        p = kept[chosen]
        foretold = phis[chosen] - 0.5 * damping * updates.dot(p, p)  # by the model alone: phi has the damping in
        ratio = (reached - local) / foretold if foretold < 0 else -math.inf
        if not ratio >= POOR:
            state["damped"] -= math.log(self.damping_factor)
        elif ratio > GOOD:
            state["damped"] += math.log(self.damping_factor)
            if self.least_damping:
                np.maximum(state["damped"], math.log(self.least_damping / self.damping), out=state["damped"])
        slope, rate = updates.dot(g, p), 1.0
        for _ in range(SHORTENINGS):
            if reached <= local + LEAST_GAIN * rate * min(slope, 0.0):
                theta[:] = start
                updates.add(theta, p, rate)
                return
            rate *= SHORTER
            reached = at(p, rate)
        theta[:] = start
        state["solution"][:] = 0

    def _preconditioner(self, objective: Objective, theta: np.ndarray, damping: float, share: float) -> Precondition:
        if self.kronecker:
            return objective.kronecker(theta, damping, self.factor_decay, share)
        scale = objective.gradient_squares(theta, share) + theta.dtype.type(damping)
        np.power(scale, theta.dtype.type(self.power), out=scale)
        return lambda r, out: np.divide(r, scale, out=out)

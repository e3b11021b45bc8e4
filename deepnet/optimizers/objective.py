"""The seam between what is learned and how: the protocols of objectives and optimizers."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

import numpy as np

State = dict[str, np.ndarray]
# A piece of theta (start, stop) and the factor of its learning rate.
Span = tuple[int, int, float]
# Puts M^-1 r into its second argument, M a guess at the curvature.
Precondition = Callable[[np.ndarray, np.ndarray], None]


class Objective(Protocol):
    """What an objective can tell; contrastive divergence has `gradient` only, and `check` asks what there is.

    `descend(theta, velocity, rate, mu, ahead=False)` is a step of momentum over `spans`, velocity <- mu velocity - rate
    gradient and theta <- theta + velocity, faster than through a gradient that is stored; where theta is `ahead` it has
    mu velocity already, and the gradient is taken there (`kernels.updates.momentum`). `project(theta)` brings theta
    back to where it may be; `training.fit` asks for it after each step, so that no optimizer needs to know.
    """

    name: str
    spans: Sequence[Span]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The gradient at theta, in an array that the next call overwrites."""
        ...

    def value(self, theta: np.ndarray, share: float = 1.0) -> float:
        """The objective at theta, over about this share of the cases."""
        ...

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Both."""
        ...

    def curvature(self, theta: np.ndarray, share: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
        """A function of v that gives the Gauss-Newton product at theta, in an array that its next call overwrites.

        Of this share of the cases, the same ones as in `value` and `gradient_squares`.
        """
        ...

    def gradient_squares(self, theta: np.ndarray, share: float = 1.0) -> np.ndarray:
        """The mean of the squared gradients of single cases."""
        ...

    def kronecker(self, theta: np.ndarray, damping: float, kept: float, share: float = 1.0) -> Precondition:
        """The damped inverse of the curvature's Kronecker factors, running means of which `kept` is kept at most.

        To be asked for before `curvature`.
        """
        ...

    @property
    def whole(self) -> "Objective":
        """The same objective over all cases."""
        ...


class Optimizer(Protocol):
    """Settings with a starting state and a step."""

    needs: ClassVar[tuple[str, ...]]
    batch: ClassVar[str]

    @property
    def vectors(self) -> tuple[int, int]:
        """How many vectors of theta's length its state has, and a step at most beside it and the gradient."""
        ...

    def init(self, theta: np.ndarray) -> State:
        """The state before the first step."""
        ...

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and state, in place."""
        ...

"""The seam between what is learned and how: the protocols of objectives and optimizers."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

State = dict[str, np.ndarray]
# A piece of theta (start, stop) and the factor of its learning rate.
Span = tuple[int, int, float]


class Objective(Protocol):
    """What every objective has. Where they can be had there are also `value`, `curvature_product` and `descend`.

    `descend(theta, velocity, rate, mu)` is a step of momentum over `spans`, velocity <- mu velocity - rate gradient and
    theta <- theta + velocity, faster than through a gradient that is stored.
    """

    name: str
    spans: Sequence[Span]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The gradient at theta, in an array that the next call overwrites."""
        ...


class Optimizer(Protocol):
    """Settings with a starting state and a step."""

    needs: ClassVar[tuple[str, ...]]

    def init(self, theta: np.ndarray) -> State:
        """The state before the first step."""
        ...

    def step(self, objective: Objective, theta: np.ndarray, state: State) -> None:
        """One update of theta and state, in place."""
        ...

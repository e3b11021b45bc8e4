"""The seam between what is learned and how: the protocols of objectives and optimizers."""

from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

State = dict[str, np.ndarray]
# A piece of theta (start, stop) and the factor of its learning rate.
Span = tuple[int, int, float]


class Objective(Protocol):
    """What every objective has; `value` and `curvature_product` are there where they can be had."""

    name: str
    spans: Sequence[Span]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The gradient at theta, in an array that the next call overwrites."""
        ...


@runtime_checkable
class Descending(Objective, Protocol):
    """An objective that takes a step of momentum by itself, faster than through a gradient that is stored."""

    def descend(self, theta: np.ndarray, velocity: np.ndarray, rate: float, mu: float) -> None:
        """velocity <- mu velocity - rate gradient; theta <- theta + velocity, over `spans`."""
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

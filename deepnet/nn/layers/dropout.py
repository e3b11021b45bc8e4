"""Dropout: units left out at random while a network learns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels import operands, products, random
from .affine import Arrays, Pending, multiply_out


@dataclass(frozen=True)
class Dropout:
    """a = x m / (1 - rate), each element of m 0 with probability `rate`, else 1; without a key a = x.

    Source: Srivastava et al. 2014.
    """

    draws: ClassVar[bool] = True
    lasting: ClassVar[tuple[str, ...]] = ("a", "mask")

    width: int
    rate: float

    @property
    def inputs(self) -> int:
        """M, as every layer has it."""
        return self.width

    outputs = inputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """It has no parameters."""
        return {}

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """The mask, scaled, and a, d, R a."""
        straight = {name: operands.matrix(cases, self.width, dtype) for name in ("a", "d", "r", "mask")}
        return straight | {"d_t": operands.matrix(self.width, cases, dtype)}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: int | None) -> np.ndarray:
        """a (B, M) for x (B, M); the mask is a function of the key."""
        if key is None:
            w["mask"][...] = 1
        else:
            kept = random.uniform(key, 0, *x.shape) >= np.float32(self.rate)
            np.multiply(kept, w["mask"].dtype.type(1 / (1 - self.rate)), out=w["mask"])
        np.multiply(x, w["mask"], out=w["a"])
        return w["a"]

    def r_forward(self, p: Arrays, v: Arrays, w: Arrays, x: np.ndarray, rx: np.ndarray | None) -> np.ndarray:
        """R a = (R x) m."""
        np.multiply(w["mask"], 0 if rx is None else rx, out=w["r"])
        return w["r"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a is ready."""
        return w["r"]

    def pull(self, w: Arrays, pending: Pending) -> None:
        """Gradient at a to gradient at x, w["d_t"]."""
        multiply_out(pending, w["d_t"])
        w["d_t"][...] *= w["mask"].T

    def pending(self, p: Arrays, w: Arrays) -> Pending:
        """The gradient, ready."""
        return None, w["d_t"]

    def backward(self, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
        """It has no parameters."""

    def squares(self, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
        """It has no parameters."""

    def descend(
        self, p: Arrays, velocity: Arrays, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rule: products.Descent
    ) -> None:
        """It has no parameters."""

"""Dropout: units left out at random while a network learns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels import dropout as kernels
from ...kernels import operands
from .affine import Arrays, Key, Pending


@dataclass(frozen=True)
class Dropout:
    """a = x m / (1 - rate), each element of m 0 with probability `rate`, else 1; without a key a = x.

    Source: Srivastava et al. 2014.
    """

    draws: ClassVar[bool] = True
    bare: ClassVar[bool] = True
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
        """The mask, scaled, its product with one above, a, and R a."""
        return {name: operands.matrix(cases, self.width, dtype) for name in ("mask", "both", "a", "r")}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: Key | None) -> np.ndarray:
        """a (B, M) for x (B, M); the mask is a function of the key."""
        if key is None:
            w["mask"][...], w["a"][...] = 1, x
        else:
            kernels.drop(key, x, self.rate, w["mask"], w["a"])
        return w["a"]

    def r_forward(
        self, p: Arrays, v: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rx: np.ndarray | None
    ) -> np.ndarray:
        """R a = (R x) m."""
        np.multiply(w["mask"], 0 if rx is None else rx, out=w["r"])
        return w["r"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a is ready."""
        return w["r"]

    def pull(self, p: Arrays, w: Arrays, above: Pending) -> Pending:
        """Gradient at a to gradient at x, both pending: the mask is multiplied in by the layer below."""
        if above.mask is None:
            return above._replace(mask=w["mask"])
        kernels.both(above.mask, w["mask"], w["both"])
        return above._replace(mask=w["both"])

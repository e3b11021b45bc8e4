"""Gaussian noise on inputs or activations while a network learns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels import operands, random
from .affine import Arrays, Key, Pending


@dataclass(frozen=True)
class Noise:
    """a = x + share deviation n, n standard normal; without a key a = x. Source: Sietsma and Dow 1991.

    The share is 1 unless the run sets another one in the workspace.
    """

    draws: ClassVar[bool] = True
    bare: ClassVar[bool] = False
    lasting: ClassVar[tuple[str, ...]] = ("a",)

    width: int
    deviation: float

    @property
    def inputs(self) -> int:
        """M, as every layer has it."""
        return self.width

    outputs = inputs

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """It has no parameters."""
        return {}

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """a and R a; the share."""
        straight = {name: operands.matrix(cases, self.width, dtype) for name in ("a", "r")}
        return straight | {"share": np.ones(1, np.float32)}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: Key | None) -> np.ndarray:
        """a (B, M) for x (B, M); the noise is a function of the key."""
        w["a"][...] = x
        if key is not None:
            w["a"][...] += random.normal(int(key), 0, *x.shape) * (np.float32(self.deviation) * w["share"])
        return w["a"]

    def r_forward(
        self, p: Arrays, v: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rx: np.ndarray | None
    ) -> np.ndarray:
        """R a = R x."""
        w["r"][...] = 0 if rx is None else rx
        return w["r"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a is ready."""
        return w["r"]

    def pull(self, p: Arrays, w: Arrays, above: Pending) -> Pending:
        """Gradient at a, pending, which is that at x."""
        return above

"""Maxout: each unit is the largest of several linear pieces."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels import losses as sums
from ...kernels import maxout as kernels
from ...kernels import operands, products
from . import affine
from .affine import LINEAR, Arrays, Key, Pending

MOST_PIECES = 100


@dataclass(frozen=True)
class Maxout:
    """a_j = max_k z_kj, z = x W + b: W (M, K N), b (K N,), piece k of unit j in column k N + j.

    The gradient goes to the piece that was the largest, the first of those that are equal. Source: Goodfellow et al.
    2013, section 3, where 5 pieces serve for MNIST.
    """

    draws: ClassVar[bool] = False
    bare: ClassVar[bool] = False
    lasting: ClassVar[tuple[str, ...]] = ("a", "which")

    inputs: int
    outputs: int
    pieces: int = 5

    @property
    def unit(self) -> str:
        """Its units as `of_units` reads them."""
        return f"maxout:{self.pieces}"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.inputs, self.pieces * self.outputs), "b": (self.pieces * self.outputs,)}

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """Of the units a, which piece it is, the gradient at a and R a; of the pieces z, its gradient, and R z."""
        wide = self.pieces * self.outputs
        narrow = {name: operands.matrix(cases, self.outputs, dtype) for name in ("a", "which", "da", "ra")}
        straight = {name: operands.matrix(cases, wide, dtype) for name in ("z", "d", "r")}
        turned = {"da_t": operands.matrix(self.outputs, cases, dtype), "d_t": operands.matrix(wide, cases, dtype)}
        return narrow | straight | turned

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: Key | None) -> np.ndarray:
        """a (B, N) for x (B, M). `key` is for layers that draw."""
        products.up(x, p["W"], p["b"], LINEAR, w["z"])
        kernels.largest(w["z"], w["a"], w["which"])
        return w["a"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a, that of the largest piece."""
        kernels.gather(w["which"], w["r"], w["ra"])
        return w["ra"]

    def pull(self, p: Arrays, w: Arrays, above: Pending) -> Pending:
        """Gradient at a, pending, to gradient at z, w["d"] and w["d_t"]; that at x is pending then."""
        products.down_chain(*above, LINEAR, w["a"], w["da"], w["da_t"])
        kernels.scatter(w["which"], w["da"], w["d"])
        sums.transpose(w["d"], w["d_t"])
        return self.pending(p, w)

    r_forward = staticmethod(affine.r_forward)
    pending = staticmethod(affine.pending)
    backward = staticmethod(affine.backward)
    pairs = staticmethod(affine.pairs)
    descend = staticmethod(affine.descend)

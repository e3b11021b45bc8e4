"""Dense: a linear map and units on top of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from ...kernels import losses as sums
from ...kernels import operands, products
from ..mixed import Mixed, unit_of
from ..units import Unit
from . import affine
from .affine import LINEAR, Arrays, Key, Pending


@dataclass(frozen=True)
class Dense:
    """a = f(x W + b): W (M, N), b (N,); without `bias` a = f(x W)."""

    draws: ClassVar[bool] = False

    inputs: int
    outputs: int
    unit: str
    bias: bool = True

    @cached_property
    def _unit(self) -> Unit | Mixed:
        return unit_of(self.unit)

    @property
    def bare(self) -> bool:
        """Whether nothing but products is at work in it."""
        return self._unit.needs == "a" and not self._unit.rowwise

    @property
    def lasting(self) -> tuple[str, ...]:
        """Its activations, and z where that is what the slope is made from."""
        return ("a",) if self._unit.needs == "a" else ("a", "z")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.inputs, self.outputs)} | ({"b": (self.outputs,)} if self.bias else {})

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """The arrays it needs for `cases` cases: z, a, the gradient at z (straight and transposed), and R z."""
        straight = {name: operands.matrix(cases, self.outputs, dtype) for name in ("z", "a", "d", "r")}
        return straight | {"d_t": operands.matrix(self.outputs, cases, dtype)}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: Key | None) -> np.ndarray:
        """a (B, N) for x (B, M). `key` is for layers that draw."""
        if self._unit.rowwise or self._unit.needs == "z":
            products.up(x, p["W"], affine.bias(p), LINEAR, w["z"])
            w["a"][...] = w["z"]
            self._unit.activate(w["a"])
        else:
            products.up(x, p["W"], affine.bias(p), self._unit.code, w["a"])
        return w["a"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a = f'(z) R z."""
        self._unit.chain(w[self._unit.needs], w["r"])
        return w["r"]

    def pull(self, p: Arrays, w: Arrays, above: Pending) -> Pending:
        """Gradient at a, pending, to gradient at z, w["d"] and w["d_t"]; that at x is pending then."""
        products.down_chain(*above, self._unit.code, w[self._unit.needs], w["d"], w["d_t"])
        if self._unit.rowwise:
            self._unit.chain(w[self._unit.needs], w["d"])
            sums.transpose(w["d"], w["d_t"])
        return self.pending(p, w)

    r_forward = staticmethod(affine.r_forward)
    pending = staticmethod(affine.pending)
    backward = staticmethod(affine.backward)
    pairs = staticmethod(affine.pairs)
    descend = staticmethod(affine.descend)

"""LAYERS: what a network is made of.

A layer is settings only; its parameters lie in theta, its arrays in the run's workspace.

Axes: B cases, M inputs, N outputs; `_t` marks an array stored transposed. Activations travel upwards straight, (B,
N). Gradients travel downwards as a pending product (W, d_t) that the layer below multiplies out with its own slope,
so that the product and the chain rule are one kernel; (None, d_t) is a gradient that is ready.

p and g are the layer's own arrays in theta and in the gradient, w its workspace for the current minibatch; those of its
arrays that are `lasting` belong to the cases until parameters change, the others are free between two methods.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import losses as sums
from ..kernels import operands, products, random, updates
from .units import UNITS, Unit

Arrays = Mapping[str, np.ndarray]
Pending = tuple[np.ndarray | None, np.ndarray]


@dataclass(frozen=True)
class Dense:
    """a = f(x W + b): W (M, N), b (N,)."""

    draws: ClassVar[bool] = False

    inputs: int
    outputs: int
    unit: str

    @property
    def _unit(self) -> Unit:
        return UNITS[self.unit]

    @property
    def lasting(self) -> tuple[str, ...]:
        """Its activations, and z where that is what the slope is made from."""
        return ("a",) if self._unit.needs == "a" else ("a", "z")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.inputs, self.outputs), "b": (self.outputs,)}

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """The arrays it needs for `cases` cases: z, a, the gradient at z (straight and transposed), and R z."""
        straight = {name: operands.matrix(cases, self.outputs, dtype) for name in ("z", "a", "d", "r")}
        return straight | {"d_t": operands.matrix(self.outputs, cases, dtype)}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: int | None) -> np.ndarray:
        """a (B, N) for x (B, M). `key` is for layers that draw."""
        if self._unit.rowwise or self._unit.needs == "z":
            products.up(x, p["W"], p["b"], UNITS["linear"].code, w["z"])
            w["a"][...] = w["z"]
            self._unit.activate(w["a"])
        else:
            products.up(x, p["W"], p["b"], self._unit.code, w["a"])
        return w["a"]

    def r_forward(self, p: Arrays, v: Arrays, w: Arrays, x: np.ndarray, rx: np.ndarray | None) -> np.ndarray:
        """R z = x V + V_b + (R x) W, the derivative of z in the direction v of the parameters (Pearlmutter 1994)."""
        products.up(x, v["W"], v["b"], UNITS["linear"].code, w["r"])
        if rx is not None:
            products.up_add(rx, p["W"], w["r"])
        return w["r"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a = f'(z) R z."""
        self._unit.chain(w[self._unit.needs], w["r"])
        return w["r"]

    def pull(self, w: Arrays, pending: Pending) -> None:
        """Gradient at a, pending, to gradient at z: w["d"] and w["d_t"]."""
        W, d_t = pending
        if W is None or self._unit.rowwise:
            if W is not None:
                zero = np.zeros(self.outputs, d_t.dtype)
                products.down(W, d_t, zero, UNITS["linear"].code, w["d_t"])
                d_t = w["d_t"]
            sums.transpose(d_t, w["d"])
            self._unit.chain(w[self._unit.needs], w["d"])
            sums.transpose(w["d"], w["d_t"])
        else:
            products.down_chain(W, d_t, self._unit.code, w[self._unit.needs], w["d"], w["d_t"])

    def pending(self, p: Arrays, w: Arrays) -> Pending:
        """What the layer below multiplies out."""
        return p["W"], w["d_t"]

    def backward(self, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
        """Gradients of W and b, from the gradient at z."""
        products.outer(x, w["d"], g["W"])
        sums.column_sums(w["d"], g["b"])

    def squares(self, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
        """Sums over cases of the squared gradients of W and b, from the gradients at z."""
        given = x.x if isinstance(x, operands.Listed) else x
        squared = np.square(w["d"])
        products.outer(np.square(given), squared, g["W"])
        sums.column_sums(squared, g["b"])

    def descend(
        self, p: Arrays, velocity: Arrays, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rule: products.Descent
    ) -> None:
        """One step of `rule` in place of `backward`: the gradient of W is never stored."""
        products.outer_step(x, w["d"], rule, p["W"], velocity["W"])
        sums.column_sums(w["d"], g["b"])
        updates.momentum(p["b"], velocity["b"], g["b"], rule.rate, rule.mu)


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
        W, d_t = pending
        if W is None:
            w["d_t"][...] = d_t
        else:
            zero = np.zeros(self.width, w["d_t"].dtype)
            products.down(W, d_t, zero, UNITS["linear"].code, w["d_t"])
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


Layer = Dense | Dropout
LAYERS: dict[str, type[Dense] | type[Dropout]] = {"dense": Dense, "dropout": Dropout}

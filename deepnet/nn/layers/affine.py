"""z = x W + b, its directional derivative, and the gradients of W and b: what layers with weights have in common.

A layer may have no b.

Axes: B cases, M inputs, N columns of W. Arrays as in `nn.layers`; the gradient at z lies in w["d"], w["d_t"].
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...kernels import losses as sums
from ...kernels import operands, products
from ..units import UNITS

Arrays = Mapping[str, np.ndarray]
Key = int | np.ndarray  # of draws; an array () has the next one when a tape repeats them
LINEAR = UNITS["linear"].code


@lru_cache
def _zeros(width: int, dtype: np.dtype) -> np.ndarray:
    return np.zeros(width, dtype)


def bias(p: Arrays) -> np.ndarray:
    """b (N,), of a layer without biases zeros."""
    return p["b"] if "b" in p else _zeros(p["W"].shape[1], p["W"].dtype)


class Pending(NamedTuple):
    """The gradient (W d_t)' mask (B, M) at what a layer gives, not multiplied out yet; no mask is one of ones."""

    W: np.ndarray
    d_t: np.ndarray
    mask: np.ndarray | None = None


class Pair(NamedTuple):
    """Of what the gradients of a layer's matrix `W` and of its vector `b`, if it has them, are sums of products.

    That of W is x' d, x (B, M) as the products take it; that of b the sum over cases of d (B, N).
    """

    W: str | None
    b: str | None
    x: np.ndarray | operands.Listed | None
    d: np.ndarray

    @property
    def given(self) -> np.ndarray:
        """x as an array (B, M); without W it has no columns."""
        if self.x is None:
            return np.empty((len(self.d), 0), self.d.dtype)
        return self.x.x if isinstance(self.x, operands.Listed) else self.x


def r_forward(p: Arrays, v: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rx: np.ndarray | None) -> np.ndarray:
    """R z = x V + V_b + (R x) W, the derivative of z in the direction v of the parameters (Pearlmutter 1994)."""
    products.up(x, v["W"], bias(v), LINEAR, w["r"])
    if rx is not None:
        products.up_add(rx, p["W"], w["r"])
    return w["r"]


def pending(p: Arrays, w: Arrays) -> Pending:
    """What the layer below multiplies out, from the gradient at z."""
    return Pending(p["W"], w["d_t"])


def backward(g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
    """Gradients of W and b, from the gradient at z."""
    products.outer(x, w["d"], g["W"])
    if "b" in g:
        sums.column_sums(w["d"], g["b"])


def pairs(p: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> tuple[Pair, ...]:
    """W and b together, from the gradients at z."""
    return (Pair("W", "b" if "b" in p else None, x, w["d"]),)


def squares(pair: Pair, g: Arrays) -> None:
    """Sums over cases of the squared products of a pair."""
    squared = np.square(pair.d)
    if pair.W is not None:
        products.outer(np.square(pair.given), squared, g[pair.W])
    if pair.b is not None:
        sums.column_sums(squared, g[pair.b])


def descend(p: Arrays, velocity: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rule: np.ndarray) -> None:
    """One step of `rule` (`products.descent`) in place of `backward`: no gradient is stored."""
    products.outer_step(x, w["d"], rule, p["W"], velocity["W"])
    if "b" in p:
        sums.sums_step(w["d"], rule, p["b"], velocity["b"])

"""z = x W + b, its directional derivative, and the gradients of W and b: what layers with weights have in common.

A layer may have no b.

Axes: B cases, M inputs, N columns of W. Arrays as in `nn.layers`; the gradient at z lies in w["d"], w["d_t"].
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ...kernels import losses as sums
from ...kernels import operands, products, updates
from ..units import UNITS

Arrays = Mapping[str, np.ndarray]
Pending = tuple[np.ndarray | None, np.ndarray]
LINEAR = UNITS["linear"].code


@lru_cache
def _zeros(width: int, dtype: np.dtype) -> np.ndarray:
    return np.zeros(width, dtype)


def bias(p: Arrays) -> np.ndarray:
    """b (N,), of a layer without biases zeros."""
    return p["b"] if "b" in p else _zeros(p["W"].shape[1], p["W"].dtype)


def r_forward(p: Arrays, v: Arrays, w: Arrays, x: np.ndarray, rx: np.ndarray | None) -> np.ndarray:
    """R z = x V + V_b + (R x) W, the derivative of z in the direction v of the parameters (Pearlmutter 1994)."""
    products.up(x, v["W"], bias(v), LINEAR, w["r"])
    if rx is not None:
        products.up_add(rx, p["W"], w["r"])
    return w["r"]


def pending(p: Arrays, w: Arrays) -> Pending:
    """What the layer below multiplies out."""
    return p["W"], w["d_t"]


def backward(g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
    """Gradients of W and b, from the gradient at z."""
    products.outer(x, w["d"], g["W"])
    if "b" in g:
        sums.column_sums(w["d"], g["b"])


def squares(g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
    """Sums over cases of the squared gradients of W and b, from the gradients at z."""
    given = x.x if isinstance(x, operands.Listed) else x
    squared = np.square(w["d"])
    products.outer(np.square(given), squared, g["W"])
    if "b" in g:
        sums.column_sums(squared, g["b"])


def descend(
    p: Arrays, velocity: Arrays, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rule: products.Descent
) -> None:
    """One step of `rule` in place of `backward`: the gradient of W is never stored."""
    products.outer_step(x, w["d"], rule, p["W"], velocity["W"])
    if "b" in g:
        sums.column_sums(w["d"], g["b"])
        updates.momentum(p["b"], velocity["b"], g["b"], rule.rate, rule.mu)


def multiply_out(pending: Pending, d_t: np.ndarray) -> None:
    """d_t (M, B) <- a pending gradient."""
    W, above = pending
    if W is None:
        d_t[...] = above
    else:
        products.down(W, above, np.zeros(len(d_t), d_t.dtype), LINEAR, d_t)

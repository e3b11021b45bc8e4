"""Kronecker factors of the Gauss-Newton matrix, layer by layer, and the inverse that they make.

The gradient of one case at a layer's W (M, N), its b a last row below it, is the outer product x d' of its input, a 1
behind it, and of the gradient at z. Were x and d independent, the mean of all products of two of its elements would be
A (x) S, A the mean of x x' (M + 1, M + 1) and S of d d' (N, N); its inverse takes V (M + 1, N) to A^-1 V S^-1. d is of
targets drawn from the outputs, not of those that there are: these fit badly at first and well at last, so that their
gradients say little of the curvature. Source: Martens and Grosse 2015, sections 3, 5 and 6.3.
"""

import math
from collections.abc import Iterable

import numpy as np

from ..kernels import operands, products
from ..kernels.inverse import invert
from .layers import Arrays, Layer, Pair, Weighted
from .layers.affine import LINEAR

LEAST = 1e-12  # mean squares of units that say nothing


def held(layers: Iterable[Layer]) -> int:
    """The numbers that the blocks of these layers hold."""
    total = 0
    for inputs, outputs in (layer.shapes()["W"] for layer in layers if isinstance(layer, Weighted)):
        rows, row = inputs + 1, operands.stride(outputs)
        total += rows * (operands.stride(rows) + 3 * row) + outputs * row
    return total


class Block:
    """A and S of one `Pair`, summed over pieces of a minibatch, then inverted."""

    def __init__(self, pair: Pair):
        self._W, self._b = pair.W, pair.b
        self._inputs, self._outputs = pair.given.shape[1], pair.d.shape[1]
        self._dtype = pair.d.dtype
        rows = self._inputs + (self._b is not None)
        self._A, self._S = (operands.matrix(n, n, self._dtype) for n in (rows, self._outputs))
        self._given, self._half, self._made = (operands.matrix(rows, self._outputs, self._dtype) for _ in range(3))
        self._none = np.zeros(max(rows, self._outputs), self._dtype)

    def add(self, pair: Pair) -> None:
        """Add the cases of a piece."""
        n = self._inputs
        if pair.x is not None:
            _add_products(pair.x, pair.given, self._A[:n, :n])
        if self._b is not None:
            ones = np.ones((len(pair.d), 1), self._dtype)
            _add_products(pair.given, ones, self._A[:n, n:])
            self._A[n, n] += len(pair.d)
            self._A[n, :n] = self._A[:n, n]
        _add_products(pair.d, pair.d, self._S)

    def invert(self, cases: int, damping: float) -> None:
        """From sums over so many cases to the inverse of both.

        The root of `damping` is shared out so that both are damped in proportion to their means.
        """
        for factor in (self._A, self._S):
            factor *= self._dtype.type(1 / cases)
        means = (max(math.fsum(np.diagonal(factor).real) / len(factor), LEAST) for factor in (self._A, self._S))
        ratio, root = math.sqrt(next(means) / next(means)), math.sqrt(damping)
        self._A, self._S = (_damped_inverse(f, more) for f, more in ((self._A, root * ratio), (self._S, root / ratio)))

    def apply(self, v: Arrays, out: Arrays) -> None:
        """The layer's arrays of `out` <- A^-1 V S^-1 of those of v."""
        n = self._inputs
        if self._W is not None:
            self._given[:n] = v[self._W]
        if self._b is not None:
            self._given[n] = v[self._b]
        products.up(self._A, self._given, self._none[: self._outputs], LINEAR, self._half)
        products.up(self._half, self._S, self._none[: self._outputs], LINEAR, self._made)
        if self._W is not None:
            out[self._W][...] = self._made[:n]
        if self._b is not None:
            out[self._b][...] = self._made[n]


def _add_products(x: np.ndarray | operands.Listed, d: np.ndarray, total: np.ndarray) -> None:
    """total <- total + x' d."""
    part = operands.matrix(len(total), total.shape[1], total.dtype)
    products.outer(x, d, part)
    total += part


def _damped_inverse(factor: np.ndarray, damping: float) -> np.ndarray:
    """(factor + damping I)^-1."""
    factor[np.diag_indices(len(factor))] += factor.dtype.type(damping)
    out = operands.matrix(len(factor), len(factor), factor.dtype)
    invert(factor, out)
    return out

"""Kronecker factors of the Gauss-Newton matrix, layer by layer, and the inverse that they make.

The gradient of one case at a layer's W (M, N), its b a last row below it, is the outer product x d' of its input, a 1
behind it, and of the gradient at z. Were x and d independent, the mean of all products of two of its elements would be
A (x) S, A the mean of x x' (M + 1, M + 1) and S of d d' (N, N); its inverse takes V (M + 1, N) to A^-1 V S^-1. d is of
targets drawn from the outputs, not of those that there are: these fit badly at first and well at last, so that their
gradients say little of the curvature. A and S are running means over updates, which are steadier than those of one
minibatch. Source: Martens and Grosse 2015, sections 3, 5 and 6.3.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..kernels import operands, products
from ..kernels.inverse import invert
from .layers import Arrays, Layer, Pair, Weighted
from .layers.affine import LINEAR

LEAST = 1e-12  # mean squares of units that say nothing


def _shapes(layers: Sequence[Layer]) -> Iterator[tuple[int, tuple[str | None, str | None], tuple[int, int]]]:
    """(layer, names of W and b, (M, N)) of each block: b goes with W, any other vector is alone."""
    for i, layer in enumerate(layers):
        if isinstance(layer, Weighted):
            shapes = dict(layer.shapes())
            inputs, outputs = shapes.pop("W")
            yield i, ("W", "b" if "b" in shapes else None), (inputs, outputs)
            yield from ((i, (None, name), (0, size)) for name, (size,) in shapes.items() if name != "b")


def numbers(layers: Sequence[Layer]) -> tuple[int, int]:
    """How many numbers the factors of these layers have, and what is made of them: inverses, and three vectors."""
    kept = made = 0
    for _, _, (inputs, outputs) in _shapes(layers):
        rows = inputs + 1
        kept += rows**2 + outputs**2
        made += rows * (operands.stride(rows) + 3 * operands.stride(outputs)) + outputs * operands.stride(outputs)
    return kept, made


class Factors:
    """Those of all layers, and the number of updates that they are means of."""

    def __init__(self, layers: Sequence[Layer], dtype: np.dtype):
        self._dtype, self._updates = dtype, np.zeros(1, np.int64)
        self._blocks: dict[int, list[_Block]] = {}
        for i, names, shape in _shapes(layers):
            self._blocks.setdefault(i, []).append(_Block(*names, *shape, dtype))

    def _each(self) -> Iterator[tuple[int, "_Block"]]:
        return ((i, block) for i, blocks in self._blocks.items() for block in blocks)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """All arrays that change from update to update."""
        factors = {f"factors/{i}.{block.word}.{k}": block.factors[k] for i, block in self._each() for k in "AS"}
        return factors | {"factors/updates": self._updates}

    @state.setter
    def state(self, state: Arrays) -> None:
        self._updates = state["factors/updates"]
        for i, block in self._each():
            block.factors = {k: state[f"factors/{i}.{block.word}.{k}"] for k in "AS"}

    def update(self, cases: int, seen: Iterable[tuple[int, tuple[Pair, ...]]], most: float) -> None:
        """Take in a minibatch of so many cases, from (layer, its pairs) piece by piece.

        1 - 1 / k of the means is kept at update k, `most` of them at most.
        """
        self._updates += 1
        kept = min(1 - 1 / int(self._updates[0]), most)
        for _, block in self._each():
            for factor in block.factors.values():
                factor *= self._dtype.type(kept)
        for i, pairs in seen:
            for block, pair in zip(self._blocks[i], pairs, strict=True):
                block.add(pair, (1 - kept) / cases)

    def invert(self, damping: float) -> None:
        """Make ready for `apply`."""
        for _, block in self._each():
            block.invert(damping)

    def apply(self, v: Sequence[Arrays], out: Sequence[Arrays]) -> None:
        """Each layer's arrays of `out` <- M^-1 v, M the damped matrix."""
        for i, block in self._each():
            block.apply(v[i], out[i])


class _Block:
    """W (M, N) or nothing (M = 0), and b (N,) or nothing, of one layer: A and S, and their inverses."""

    def __init__(self, W: str | None, b: str | None, inputs: int, outputs: int, dtype: np.dtype):
        self.word, self._W, self._b, self._inputs, self._dtype = W or b, W, b, inputs, dtype
        rows = inputs + (b is not None)
        self.factors = {"A": np.zeros((rows, rows), dtype), "S": np.zeros((outputs, outputs), dtype)}
        self._inverses = {"A": operands.matrix(rows, rows, dtype), "S": operands.matrix(outputs, outputs, dtype)}
        self._given, self._half, self._made = (operands.matrix(rows, outputs, dtype) for _ in range(3))
        self._none = np.zeros(outputs, dtype)

    def add(self, pair: Pair, scale: float) -> None:
        """Add the cases of a piece to A and S, each with this weight."""
        n, A = self._inputs, self.factors["A"]
        if pair.x is not None:
            _add_products(pair.x, pair.given, scale, A[:n, :n])
        if self._b is not None:
            ones = np.ones((len(pair.d), 1), self._dtype)
            _add_products(pair.given, ones, scale, A[:n, n:])
            A[n, n] += self._dtype.type(scale * len(pair.d))
            A[n, :n] = A[:n, n]
        _add_products(pair.d, pair.d, scale, self.factors["S"])

    def invert(self, damping: float) -> None:
        """The root of `damping` is shared out so that both are damped in proportion to their means."""
        means = [max(math.fsum(np.diagonal(f).real) / len(f), LEAST) for f in self.factors.values()]
        ratio, root = math.sqrt(means[0] / means[1]), math.sqrt(damping)
        for (k, factor), more in zip(self.factors.items(), (root * ratio, root / ratio), strict=True):
            damped = operands.matrix(len(factor), len(factor), self._dtype)
            damped[...] = factor
            damped[np.diag_indices(len(factor))] += self._dtype.type(more)
            invert(damped, self._inverses[k])

    def apply(self, v: Arrays, out: Arrays) -> None:
        """The layer's arrays of `out` <- A^-1 V S^-1 of those of v."""
        n = self._inputs
        if self._W is not None:
            self._given[:n] = v[self._W]
        if self._b is not None:
            self._given[n] = v[self._b]
        products.up(self._inverses["A"], self._given, self._none, LINEAR, self._half)
        products.up(self._half, self._inverses["S"], self._none, LINEAR, self._made)
        if self._W is not None:
            out[self._W][...] = self._made[:n]
        if self._b is not None:
            out[self._b][...] = self._made[n]


def _add_products(x: np.ndarray | operands.Listed, d: np.ndarray, scale: float, total: np.ndarray) -> None:
    """total <- total + scale x' d."""
    part = operands.matrix(len(total), total.shape[1], total.dtype)
    products.outer(x, d, part)
    part *= part.dtype.type(scale)
    total += part

"""A model's parameters as one contiguous vector, theta: names and shapes on one side, offsets on the other.

Matrices lie in theta with padded rows (`kernels.operands.stride`), vectors with their end padded to a cache line.
Padding is zero, stays zero under every update, and is stripped on saving.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..kernels import operands


@dataclass(frozen=True)
class Segment:
    """One named array inside theta: elements start..stop, `shape` without its padding."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Layout:
    """The order of named arrays in theta, and its length with padding."""

    segments: tuple[Segment, ...]
    size: int

    @staticmethod
    def of(shapes: Mapping[str, tuple[int, ...]]) -> "Layout":
        """Lay out arrays of one or two dimensions, in the order given."""
        segments, start = [], 0
        for name, shape in shapes.items():
            length = shape[0] * operands.stride(shape[1]) if len(shape) == 2 else -(-shape[0] // 16) * 16
            segments.append(Segment(name, tuple(shape), start, start + length))
            start += length
        return Layout(tuple(segments), start)

    def zeros(self, dtype=np.float32) -> np.ndarray:
        """A theta of zeros."""
        return operands.vector(self.size, dtype)

    def views(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """The named arrays as views of theta, without their padding."""
        return {s.name: self._view(theta, s) for s in self.segments}

    @staticmethod
    def _view(theta: np.ndarray, s: Segment) -> np.ndarray:
        part = theta[s.start : s.stop]
        if len(s.shape) == 1:
            return part[: s.shape[0]]
        return part.reshape(s.shape[0], -1)[:, : s.shape[1]]

    def pack(self, arrays: Mapping[str, np.ndarray], dtype=np.float32) -> np.ndarray:
        """A theta that holds these arrays."""
        theta = self.zeros(dtype)
        for name, view in self.views(theta).items():
            view[...] = arrays[name]
        return theta

    def unpack(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Copies of the named arrays, without padding, as they are saved."""
        return {name: view.copy() for name, view in self.views(theta).items()}

    @property
    def count(self) -> int:
        """The number of parameters, without padding."""
        return sum(int(np.prod(s.shape)) for s in self.segments)


class Views:
    """The named views of theta, velocity or gradient, made once for a run."""

    def __init__(self, layout: Layout):
        self._layout = layout
        self._known: dict[int, tuple[np.ndarray, dict[str, np.ndarray]]] = {}

    def of(self, vector: np.ndarray) -> dict[str, np.ndarray]:
        """The views of this vector."""
        known = self._known.get(id(vector))
        if known is None or known[0] is not vector:
            known = self._known[id(vector)] = vector, self._layout.views(vector)
        return known[1]

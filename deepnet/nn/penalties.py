"""What weights cost: decay / 2 w^2 with a decay for each layer, and l1 |w|; biases are free."""

from collections.abc import Sequence

import numpy as np

from ..kernels import norms, updates
from .parameters import Layout


class WeightPenalties:
    """Penalties of the matrices of a theta whose arrays are named `LAYER.NAME`; `decays` has one number a layer."""

    def __init__(self, layout: Layout, decays: Sequence[float], l1: float):
        self.decays, self.l1 = decays, l1
        named = [(s, decays[int(s.name.partition(".")[0])]) for s in layout.segments if len(s.shape) == 2]
        self._weights = [(s.start, s.stop, decay) for s, decay in named]

    def value(self, theta: np.ndarray) -> float:
        """Their sum at theta."""
        total = 0.0
        for a, b, decay in self._weights:
            if decay:
                total += 0.5 * decay * updates.sum_squares(theta[a:b])
            if self.l1:
                total += self.l1 * norms.sum_magnitudes(theta[a:b])
        return total

    def add(self, theta: np.ndarray, grad: np.ndarray) -> None:
        """Add their gradient at theta."""
        self._add(theta, grad, self.l1)

    def curve(self, v: np.ndarray, product: np.ndarray) -> None:
        """Add the product of their curvature and v; |w| has none."""
        self._add(v, product, 0.0)

    def _add(self, x: np.ndarray, out: np.ndarray, l1: float) -> None:
        for a, b, decay in self._weights:
            if decay or l1:
                updates.decay(x[a:b], decay, l1, out[a:b])

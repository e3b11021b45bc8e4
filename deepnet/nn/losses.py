"""LOSSES: each with its matching output unit, so that its gradient at the unit's input is a - t.

Source: Bishop 1995, section 6.9. z and a are input and activation of the output units, t the targets, all (B, N).
"""

from dataclasses import dataclass

import numpy as np

from ..kernels import outputs as kernels
from .units import UNITS, Unit


@dataclass(frozen=True)
class Loss:
    """A loss: `code` names its kernel in `kernels.outputs`; `unit` is the matching output unit."""

    unit: str
    code: int

    @property
    def output(self) -> Unit:
        """The matching output unit."""
        return UNITS[self.unit]

    def curvature(self, a: np.ndarray, rz: np.ndarray) -> None:
        """rz (B, N) <- H rz, H the Hessian of a case's loss at z: for a matching unit its own derivative.

        Source: Schraudolph 2002, section 3.
        """
        self.output.chain(a, rz)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("softmax", kernels.SOFTMAX_ENTROPY),
    "binary_cross_entropy": Loss("logistic", kernels.LOGISTIC_ENTROPY),
    "squared_error": Loss("linear", kernels.SQUARED_ERROR),
}

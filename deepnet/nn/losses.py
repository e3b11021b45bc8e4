"""LOSSES: what the output units of a network are measured by.

With its matching output unit a loss has the gradient a - t at the unit's input (Bishop 1995, section 6.9). Those that
mimic a teacher, whose targets are its logits and a label's class, have linear units (Ba and Caruana 2014, section 2;
Hinton, Vinyals and Dean 2015, section 2): they are what a classifier is trained by in place of its own cross-entropy.
z and a are input and activation of the output units, t the targets, all (B, N), but t (B, N + 1) of a teacher.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..kernels import mimicry, outputs
from .units import UNITS, Unit


@dataclass(frozen=True)
class Loss:
    """A loss: `code` names its kernel in `kernels.outputs` or `kernels.mimicry`; `unit` is its output unit.

    `counts` says what a case's error is: whether its largest output is wrong, how far it is off, or whether its largest
    output is apart from the teacher's. `temperature` and `hard_weight`, of the labels, are numbers of the last.
    """

    unit: str
    code: int
    counts: Literal["wrong", "squared_error", "apart"] = "squared_error"
    temperature: float = 1.0
    hard_weight: float = 0.0

    @property
    def output(self) -> Unit:
        """Its output unit."""
        return UNITS[self.unit]

    @property
    def mimics(self) -> bool:
        """Whether its targets are a teacher's; no network has such a loss of its own."""
        return self.counts == "apart"

    def targets(self, outputs: int) -> int:
        """Columns of the targets for so many outputs."""
        return outputs + self.mimics

    def finish(self, z: np.ndarray, t: np.ndarray, scale: float, *ready: np.ndarray) -> None:
        """What is known at the top: fill a, d, d_t, each case's value and its error, all of them `ready`."""
        if self.mimics:
            mimicry.finish(self.code, self.temperature, self.hard_weight, z, t, scale, *ready)
        else:
            outputs.finish(self.code, z, t, scale, *ready)

    def curvature(self, a: np.ndarray, t: np.ndarray, rz: np.ndarray) -> None:
        """rz (B, N) <- H rz, H the Hessian of a case's loss at z: for a matching unit its own derivative.

        Source: Schraudolph 2002, section 3.
        """
        if self.mimics:
            mimicry.curvature(self.code, self.temperature, self.hard_weight, a, t, rz)
        else:
            self.output.chain(a, rz)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("softmax", outputs.SOFTMAX_ENTROPY, "wrong"),
    "binary_cross_entropy": Loss("logistic", outputs.LOGISTIC_ENTROPY),
    "squared_error": Loss("linear", outputs.SQUARED_ERROR),
    "soft_targets": Loss("linear", mimicry.SOFT_TARGETS, "apart", 20.0, 0.1),
    "logits": Loss("linear", mimicry.LOGITS, "apart", 1.0, 0.0),
}

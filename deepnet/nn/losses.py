"""LOSSES: what the output units of a network are measured by.

A loss is three things on its output units: its value, its gradient at their input z, which its kernel in
`kernels.outputs` steps back from, and its curvature there. With its matching unit the gradient is a - t and the
curvature the unit's own slope (Bishop 1995, section 6.9). The hinges make every output a support vector machine of one
class against the rest (Tang 2013): sum_k max(1 - y_k z_k, 0)^2, or to the first power. svdd is half the squared
distance of linear outputs from a centre, the same for all cases (Ruff et al. 2018). z and a are input and activation of
the output units, t the targets, all (B, N).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import UsageError
from ..kernels import outputs as kernels
from .units import UNITS, Unit


@dataclass(frozen=True)
class Loss:
    """A loss: `code` names its kernel in `kernels.outputs`; `unit` is its output unit.

    `counts` says what a case's error is: whether its largest output is wrong, or its squared distance. `curve` is
    a, t, rz -> H rz in place of rz; None for a matching unit.
    """

    unit: str
    code: int
    counts: Literal["wrong", "squared_error"] = "squared_error"
    curve: Callable[[np.ndarray, np.ndarray, np.ndarray], None] | None = None

    @property
    def output(self) -> Unit:
        """Its output unit."""
        return UNITS[self.unit]

    def curvature(self, a: np.ndarray, t: np.ndarray, rz: np.ndarray) -> None:
        """rz (B, N) <- H rz, H the Hessian of a case's loss at z, which is at least 0: for a matching unit its slope.

        Source: Schraudolph 2002, section 3.
        """
        if self.curve is None:
            self.output.chain(a, rz)
        else:
            self.curve(a, t, rz)


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("softmax", kernels.SOFTMAX_ENTROPY, "wrong"),
    "binary_cross_entropy": Loss("logistic", kernels.LOGISTIC_ENTROPY),
    "squared_error": Loss("linear", kernels.SQUARED_ERROR),
    "squared_hinge": Loss("linear", kernels.SQUARED_HINGE, "wrong", kernels.squared_hinge_chain),
    "hinge": Loss("linear", kernels.HINGE, "wrong", kernels.hinge_chain),
    "svdd": Loss("linear", kernels.SQUARED_ERROR),
}
MARGINS = "squared_hinge", "hinge"  # whose outputs are margins, and whose output weights are held by C
CLASSIFIERS = "cross_entropy", *MARGINS  # losses that a user may choose from


def parse(text: str) -> tuple[str, float | None]:
    """The name of a classifier's loss and its C, as in squared_hinge:0.1; UsageError for what is none.

    C weighs the summed loss of all N training cases against half the squared output weights, |W|^2 / 2 + C sum (Tang
    2013, section 3.2; LIBLINEAR's C): 1 where none is named, None for losses that have no such number. That over C N is
    what is minimised, the mean loss with a weight decay of 1 / (C N); programs that step along C times the mean have C
    in their rates.
    """
    name, sign, number = text.partition(":")
    if name not in CLASSIFIERS:
        hint = "; it is that of --task one_class" if name == "svdd" else ""
        raise UsageError(f"--loss {text}: no loss of classes{hint}; use one of {', '.join(CLASSIFIERS)}")
    if name not in MARGINS:
        if sign:
            raise UsageError(f"--loss {text}: {name} has no number; write --loss {name}")
        return name, None
    try:
        C = float(number) if sign else 1.0
    except ValueError:
        C = math.nan
    if not 0 < C < math.inf:
        raise UsageError(f"--loss {text}: C must be a number above 0; write for example --loss {name}:0.1")
    return name, C

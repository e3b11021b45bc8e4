"""LOSSES: what the output units of a network are measured by.

A loss is three things on its output units: its value, its gradient at their input z, which its kernel steps back from,
and its curvature there. With its matching unit the gradient is a - t and the curvature the unit's own slope (Bishop
1995, section 6.9). The hinges make every output a support vector machine of one class against the rest (Tang 2013):
sum_k max(1 - y_k z_k, 0)^2, or to the first power. svdd is half the squared distance of linear outputs from a centre,
the same for all cases (Ruff et al. 2018). Those that mimic a teacher, whose targets are its logits and a label's class,
have linear units (Ba and Caruana 2014, section 2; Hinton, Vinyals and Dean 2015, section 2): they are what a classifier
is trained by in place of its own cross-entropy. Mixed units have the sum of the losses that match their runs, and it
has their name. z and a are input and activation of the output units, t the targets, all (B, N), but t (B, N + 1) of a
teacher.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

import numpy as np

from ..errors import UsageError
from ..kernels import losses as sums
from ..kernels import mimicry, outputs
from .mixed import Mixed, mixed_of
from .units import UNITS, Unit


@dataclass(frozen=True)
class Loss:
    """A loss: `code` names its kernel in `kernels.outputs` or `kernels.mimicry`; `unit` is its output unit.

    `counts` says what a case's error is: whether its largest output is wrong, its squared distance, or whether its
    largest output is apart from the teacher's. `curve` is a, t, rz -> H rz in place of rz; None for a matching unit.
    `temperature` and `hard_weight`, of the labels, are numbers of losses that mimic.
    """

    unit: str
    code: int
    counts: Literal["wrong", "squared_error", "apart"] = "squared_error"
    curve: Callable[[np.ndarray, np.ndarray, np.ndarray], None] | None = None
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

    @property
    def bare(self) -> bool:
        """Whether `finish` is one kernel that is launched (`kernels.tape`)."""
        return not self.mimics

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
        """rz (B, N) <- H rz, H the Hessian of a case's loss at z, which is at least 0: for a matching unit its slope.

        Source: Schraudolph 2002, section 3.
        """
        if self.mimics:
            mimicry.curvature(self.code, self.temperature, self.hard_weight, a, t, rz)
        elif self.curve is None:
            self.output.chain(a, rz)
        else:
            self.curve(a, t, rz)

    def spread(self, a: np.ndarray, t: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """H^1/2 e (B, N) for random `signs` (as t) of which those of the outputs are e: the mean of its squares is H.

        So are gradients at z distributed whose targets are drawn from the outputs (Martens and Grosse 2015, section 5).
        """
        if self.mimics:
            return mimicry.spread(self.code, self.temperature, self.hard_weight, a, t, signs)
        variances = a
        if not self.output.rowwise:
            variances = np.ones_like(a)
            self.curvature(a, t, variances)
        out = signs / outputs.root(variances)
        self.curvature(a, t, out)
        return out


LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss("softmax", outputs.SOFTMAX_ENTROPY, "wrong"),
    "binary_cross_entropy": Loss("logistic", outputs.LOGISTIC_ENTROPY),
    "squared_error": Loss("linear", outputs.SQUARED_ERROR),
    "squared_hinge": Loss("linear", outputs.SQUARED_HINGE, "wrong", outputs.squared_hinge_chain),
    "hinge": Loss("linear", outputs.HINGE, "wrong", outputs.hinge_chain),
    "svdd": Loss("linear", outputs.SQUARED_ERROR),
    "soft_targets": Loss("linear", mimicry.SOFT_TARGETS, "apart", temperature=4.0, hard_weight=0.1),
    "logits": Loss("linear", mimicry.LOGITS, "apart"),
}
MARGINS = "squared_hinge", "hinge"  # whose outputs are margins, and whose output weights are held by C
CLASSIFIERS = "cross_entropy", *MARGINS  # losses that a user may choose from


@dataclass(frozen=True)
class MixedLoss:
    """The losses that match the runs of mixed units, summed; it answers what `Loss` does. An error is |a - t|^2."""

    counts: ClassVar[Literal["squared_error"]] = "squared_error"
    mimics: ClassVar[bool] = False
    bare: ClassVar[bool] = False

    output: Mixed

    @property
    def unit(self) -> str:
        """The name of its output units, which is its own."""
        return self.output.name

    @cached_property
    def parts(self) -> list[tuple["Loss | MixedLoss", slice]]:
        """Each run's loss and columns."""
        pairs = zip(self.output.runs, self.output.spans, strict=True)
        return [(loss_of(loss_for(name)), span) for (name, _), (_, span) in pairs]

    def targets(self, outputs: int) -> int:
        """Columns of the targets for so many outputs."""
        return outputs

    def finish(self, z: np.ndarray, t: np.ndarray, scale: float, *ready: np.ndarray) -> None:
        """What is known at the top, run by run: as `Loss.finish` has it."""
        a, d, d_t, value, error = ready
        part, unused = np.empty_like(value), np.empty_like(error)
        value[...] = 0
        for loss, span in self.parts:
            loss.finish(z[:, span], t[:, span], scale, a[:, span], d[:, span], d_t[span], part, unused)
            value += part
        known = a.copy()
        for array in (known, d, d_t.T):
            self.output.hide(t, array)
        sums.squared_error(known, t, error)
        error *= 2

    def curvature(self, a: np.ndarray, t: np.ndarray, rz: np.ndarray) -> None:
        """rz (B, N) <- H rz, the slope of its units."""
        self.output.chain(a, rz)
        self.output.hide(t, rz)

    def spread(self, a: np.ndarray, t: np.ndarray, signs: np.ndarray) -> np.ndarray:
        """As `Loss.spread`, run by run."""
        out = np.empty_like(a)
        for loss, span in self.parts:
            out[:, span] = loss.spread(a[:, span], t[:, span], signs[:, span])
        self.output.hide(t, out)
        return out


@lru_cache(maxsize=64)
def loss_of(name: str) -> Loss | MixedLoss:
    """The loss of this name: one of LOSSES, or that of mixed units; KeyError for others."""
    units = mixed_of(name)
    return LOSSES[name] if units is None else MixedLoss(units)


def loss_for(unit: str) -> str:
    """The loss whose matching output unit is `unit`: the first of the table that has it, or that of mixed units."""
    for name, loss in LOSSES.items():
        if loss.unit == unit:
            return name
    if mixed_of(unit):
        return unit
    able = ", ".join(dict.fromkeys(loss.unit for loss in LOSSES.values()))
    raise UsageError(f"no loss matches {unit} units at the output; use one of {able}")


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

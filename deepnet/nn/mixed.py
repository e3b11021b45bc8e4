"""Units of several types side by side, as a table has them: numbers, flags, and a group of columns for each category.

They are written run by run in the order of the columns, as in `linear:3 logistic:2 softmax:4 softmax:3`: this is their
name in a model file. Their law is the product of those of their runs, a group of softmax units being one draw (Welling,
Rosen-Zvi and Hinton 2005). A category that is missing in a case has no unit on there: its group takes no part, neither
in what is learned nor in an error (Salakhutdinov, Mnih and Hinton 2007). B cases, M columns.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal

import numpy as np

from ..kernels import random
from ..kernels import units as kernels
from .units import UNITS, Unit

TYPES = ("linear", "logistic", "softmax")
MOST_RUNS, MOST_COLUMNS = 2000, 1_000_000  # an attribute of an HDF5 file holds less than 64 kB
_NAME = re.compile(rf"({'|'.join(TYPES)}):[1-9][0-9]{{0,6}}( ({'|'.join(TYPES)}):[1-9][0-9]{{0,6}})*")


@dataclass(frozen=True)
class Mixed:
    """Runs of columns, each of one type and so many columns wide; it answers what `Unit` does."""

    rowwise: ClassVar[bool] = True
    bounded: ClassVar[bool] = False
    needs: ClassVar[Literal["a", "z"]] = "a"
    code: ClassVar[int] = kernels.LINEAR
    expected: ClassVar[int] = kernels.LINEAR

    runs: tuple[tuple[str, int], ...]

    @cached_property
    def spans(self) -> tuple[tuple[Unit, slice], ...]:
        """Each run's record and columns."""
        stops = np.cumsum([width for _, width in self.runs]).tolist()
        pairs = zip(self.runs, stops, strict=True)
        return tuple((UNITS[name], slice(stop - width, stop)) for (name, width), stop in pairs)

    @property
    def name(self) -> str:
        """How they are written."""
        return " ".join(f"{name}:{width}" for name, width in self.runs)

    @property
    def width(self) -> int:
        """Columns of all runs."""
        return sum(width for _, width in self.runs)

    @property
    def rate(self) -> float:
        """The default learning rate of an RBM that has them: with numbers among them a tenth of that of the others.

        On 14 columns of a table, 20 hidden units, 30 epochs of 3,000 cases, 0.001 left 32 % of the categories wrong and
        0.01 5 %; 40 numbers of heavy tails under 500 hidden units are still learned at 0.03.
        """
        return 0.01 if any(name == "linear" for name, _ in self.runs) else 0.1

    def activate(self, z: np.ndarray) -> None:
        """z (B, M) <- f(z)."""
        for unit, span in self.spans:
            unit.activate(z[:, span])

    mean = activate  # their expected state in an RBM

    def chain(self, given: np.ndarray, d: np.ndarray) -> None:
        """d (B, M) <- d f'(z), given a."""
        for unit, span in self.spans:
            unit.chain(given[:, span], d[:, span])

    def sample(self, z: np.ndarray, key: int, draw: int, states_t: np.ndarray) -> None:
        """z (B, M), their input, becomes their mean; states_t (M, B) <- draws, each run's by a key of its own."""
        for run, (unit, span) in enumerate(self.spans):
            unit.sample(z[:, span], random.fold(key, run), draw, states_t[span])

    def energy(self, v: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
        """out (B,) <- what visible units v (B, M) of biases c (M,) add to the free energy."""
        part = np.empty_like(out)
        out[...] = 0
        for unit, span in self.spans:
            unit.energy(v[:, span], c[span], part)
            out += part

    def log_partition(self, z: np.ndarray, out: np.ndarray) -> None:
        """out (B,) <- log of the sum (or integral) over their states, less constants, for inputs z (B, M)."""
        part = np.empty_like(out)
        out[...] = 0
        for unit, span in self.spans:
            unit.log_partition(z[:, span], part)
            out += part

    def hide(self, like: np.ndarray, x: np.ndarray) -> None:
        """x (B, M) <- 0 in the groups of which `like` (B, M) has no unit on: their category is missing there."""
        for unit, span in self.spans:
            if unit.rowwise:
                missing = ~like[:, span].any(axis=1)
                if missing.any():
                    x[missing, span] = 0

    def join(self, marks: np.ndarray) -> None:
        """marks (B, M) <- its largest in each group, which is one thing."""
        for unit, span in self.spans:
            if unit.rowwise:
                marks[:, span] = marks[:, span].max(axis=1, keepdims=True)

    def bias(self, mean: np.ndarray) -> np.ndarray:
        """The bias (M,) at which their mean is this (M,) where nothing else is put in."""
        return np.concatenate([unit.bias(mean[span]) for unit, span in self.spans])


def spell(runs: Iterable[tuple[str, int]]) -> str:
    """The name of mixed units, from (type, columns) run by run; neighbours of one type are one run, groups are not."""
    kept: list[tuple[str, int]] = []
    for name, width in runs:
        if kept and kept[-1][0] == name != "softmax":
            width += kept.pop()[1]
        kept.append((name, width))
    return Mixed(tuple(kept)).name


@lru_cache(maxsize=64)
def mixed_of(name: str) -> Mixed | None:
    """The mixed units of this name; None where it is no name of such."""
    if len(name) > 16 * MOST_RUNS or not _NAME.fullmatch(name):
        return None
    pairs = (word.partition(":") for word in name.split(" "))
    made = Mixed(tuple((kind, int(width)) for kind, _, width in pairs))
    return made if len(made.runs) <= MOST_RUNS and made.width <= MOST_COLUMNS else None


def unit_of(name: str) -> Unit | Mixed:
    """The record of units of this name: one of UNITS, or mixed ones; KeyError for others."""
    unit = UNITS.get(name) or mixed_of(name)
    if unit is None:
        raise KeyError(name)
    return unit


def word_of(name: str) -> str:
    """Units or a loss as one word for people."""
    return "mixed" if mixed_of(name) else name

"""What a model does to cases, step by step: the few words that every format of an export is written in.

Axes: B cases, M columns that come in, N that go out, K pieces. Arrays are float32. Dropout and noise do nothing once a
network is trained, and batch normalisation by the statistics of the training cases is a part of the weights.
"""

from dataclasses import dataclass

import numpy as np

from ..nn.fields import Field


@dataclass(frozen=True, eq=False)
class Scaled:
    """(x - offset) / scale, both (M,)."""

    offset: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Contrast:
    """Each case less its mean, over the size that `kind` names (`arithmetic.contrast_l1`, `contrast_l2`)."""

    kind: str


@dataclass(frozen=True, eq=False)
class Affine:
    """x W + b: W (M, N), b (N,)."""

    W: np.ndarray
    b: np.ndarray


@dataclass(frozen=True)
class Units:
    """f(z), by the name of the units."""

    name: str


@dataclass(frozen=True)
class Runs:
    """Units of several types side by side: (name, columns) run by run."""

    runs: tuple[tuple[str, int], ...]

    @property
    def spans(self) -> list[tuple[str, int, int]]:
        """Each run's name, first column, and the one after its last."""
        stops = np.cumsum([width for _, width in self.runs]).tolist()
        return [(name, stop - width, stop) for (name, width), stop in zip(self.runs, stops, strict=True)]


@dataclass(frozen=True)
class Largest:
    """The largest of K pieces of each of N units, piece k of unit j in column k N + j (maxout)."""

    pieces: int


@dataclass(frozen=True, eq=False)
class Distance:
    """The squared distance (B, 1) from a centre (M,)."""

    centre: np.ndarray


Step = Scaled | Contrast | Affine | Units | Runs | Largest | Distance


@dataclass(frozen=True)
class Program:
    """Steps in order and what a reader should know of them.

    `gives` says what comes out: probabilities, margins, values, codes, reconstructions, or a score. `classes` are the
    names of what comes out of a classifier, `columns` those of what comes in, where they have some; `shape` is that of
    one case, `title` the widths from below, `model` the seal of the model's file, `version` that of deepnet.
    `fields` are the columns of a table of mixed ones, whose units come in. `targets` are the names of a regressor's
    values.
    """

    steps: tuple[Step, ...]
    gives: str
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    shape: tuple[int, ...]
    title: str
    model: str
    version: str
    fields: tuple[Field, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        """Columns of a case as it comes in."""
        return len(next(step.offset for step in self.steps if isinstance(step, Scaled)))

    @property
    def outputs(self) -> int:
        """Columns of what comes out."""
        if isinstance(self.steps[-1], Distance):
            return 1
        width = next(len(step.b) for step in reversed(self.steps) if isinstance(step, Affine))
        return width // self.steps[-1].pieces if isinstance(self.steps[-1], Largest) else width

    @property
    def facts(self) -> dict[str, object]:
        """What is written beside the weights, in every format by the same names."""
        return {
            "gives": self.gives,
            "classes": list(self.classes),
            "targets": list(self.targets),
            "columns": list(self.columns),
            "shape": list(self.shape),
            "title": self.title,
            "model": self.model,
            "deepnet": self.version,
        }


def arrays_of(program: Program) -> dict[str, np.ndarray]:
    """The steps' arrays by their letter and the step's number from 1: W3, b3, offset1."""
    return {
        f"{name}{number}": array
        for number, step in enumerate(program.steps, 1)
        for name, array in vars(step).items()
        if isinstance(array, np.ndarray)
    }

"""Vitals: what the doctor looks at in a run, figures made from what an epoch has left anyway.

They cost less than a hundredth of the epoch: a few thousand weights of each layer, activations that the norms of
gradients have left, sums that training makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..nn.objective import NetworkObjective
from ..nn.parameters import Layout

PLACES, ROWS = 4096, 64  # weights of a layer whose update is measured, rows of them that are held beside each other
EDGE, NEARLY, FEW = 0.01, 0.9, 50  # what is near an end, what are nearly all cases, how few cases tell nothing of units
HUSHED = 0.01  # mean activation of a whole layer of a machine; good layers have units that are off for most cases
ENDS = {"logistic": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0)}


@dataclass(frozen=True)
class LayerFigures:
    """A layer after an epoch, on the cases looked at; a share is 0 where units of its type cannot be so.

    `silent`: units that no case wakes; `saturated`: units within 0.01 of an end in nine cases of ten; `always`: hidden
    units of a machine that are on in nearly all cases; `spread`: how far the units' weights differ, over their norm;
    `step`: the last update over the weights.
    """

    name: str
    unit: str
    silent: float = 0.0
    saturated: float = 0.0
    always: float = 0.0
    spread: float = 1.0
    step: float = 1e-3


@dataclass(frozen=True)
class InputFigures:
    """Prepared training cases: ends, root mean square, the columns' deviation; `unit`: that they are given to."""

    low: float
    high: float
    size: float
    deviation: float
    unit: str = ""


@dataclass(frozen=True)
class Figures:
    """What is known after an epoch of a stage.

    `curves`: figures by epoch, of them `loss`, `validation_loss`, `score` (what early stopping lowers), `gap`, `error`
    where there are such, and `updates`; `by_rate`: its optimizer has a rate; `fresh`: it began with random weights;
    `watched`: early stopping is at work; `constant`: loss and error of the best constant output, `gap_unit` the
    deviation of the free energy of training cases; `below`: what to change where the inputs are at fault.
    """

    layers: tuple[LayerFigures, ...] = ()
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    inputs: InputFigures | None = None
    by_rate: bool = True
    fresh: bool = True
    watched: bool = False
    constant: tuple[float, float] | None = None
    gap_unit: float = float("inf")
    below: str = ""

    @property
    def loss(self) -> np.ndarray:
        """The training loss by epoch, none yet where it is not known."""
        return self.curves.get("loss", np.zeros(0))


def places(layout: Layout) -> np.ndarray:
    """Where theta is looked at: PLACES weights of each layer (K,), spread over them."""
    weights = [s for s in layout.segments if len(s.shape) == 2]
    return np.concatenate([np.linspace(s.start, s.stop - 1, PLACES).astype(np.int64) for s in weights])


def steps(before: np.ndarray, after: np.ndarray) -> list[float]:
    """The last update of each layer's weights over the weights, from theta at `places` before and after it."""
    pairs = zip(before.reshape(-1, PLACES), after.reshape(-1, PLACES), strict=True)
    return [_size(b.astype(float) - a) / max(_size(b.astype(float)), 1e-30) for a, b in pairs]


def _size(x: np.ndarray) -> float:
    return float(np.sqrt(np.square(x).sum()))


def spread(weights: np.ndarray) -> float:
    """How far the columns of W (M, N) differ from their mean, over their norm; 0 where all are the same."""
    if weights.shape[1] < 2:
        return 1.0
    rows = weights[:: max(1, len(weights) // ROWS)].astype(float)
    size = _size(rows)
    return _size(rows - rows.mean(axis=1, keepdims=True)) / size if size else 0.0


def of_inputs(x: np.ndarray, unit: str) -> InputFigures:
    """Figures of prepared cases (B, M) that are given to visible units of this type; to a network's, of none."""
    size, deviation = np.sqrt(np.square(x, dtype=float).mean()), np.sqrt(x.astype(float).var(axis=0).mean())
    return InputFigures(float(x.min()), float(x.max()), float(size), float(deviation), unit)


def of_network(
    objective: NetworkObjective, theta: np.ndarray, moved: Sequence[float], pretrained: bool
) -> tuple[LayerFigures, ...]:
    """Each layer of weights, on the cases that the objective was last asked about, at `moved` (`steps`).

    Units of a `pretrained` network may be near an end: codes of machines are sparse.
    """
    found, active = [], objective.activations()
    own = [part for part in objective.network.split(theta) if "W" in part]
    for number, (part, step) in enumerate(zip(own, moved, strict=True), 1):
        if number > len(active):  # outputs are alike or at their ends where the data have it so
            found.append(LayerFigures("the output layer", "", step=step))
            continue
        unit, a = active[number - 1]
        shares = {} if pretrained and unit in ENDS else _activity(unit, a)
        found.append(LayerFigures(f"layer {number}", unit, **shares, spread=spread(part["W"]), step=step))
    return tuple(found)


def _activity(unit: str, a: np.ndarray) -> dict[str, float]:
    """Shares of units, from activations (B, N) of some cases."""
    if len(a) < FEW:
        return {}
    if unit == "relu":
        return {"silent": 1 - float((a > 0).any(axis=0).mean())}
    if unit in ENDS:
        low, high = ENDS[unit]
        near = ((a < low + EDGE) | (a > high - EDGE)).mean(axis=0)
        return {"saturated": float((near > NEARLY).mean())}
    return {}


def of_stack(
    name: str, unit: str, weights: np.ndarray, moved: Sequence[float], metrics: Mapping[str, float], sparse: bool
) -> tuple[LayerFigures, ...]:
    """A layer of a stack, of whose activity an epoch's metrics tell; where it is to be `sparse`, silence is wanted."""
    silent = not sparse and (unit == "relu" or metrics["mean_activation"] < HUSHED)
    shares = {"silent": metrics.get("dead_units", 0.0) * silent, "always": metrics.get("saturated_units", 0.0)}
    return (LayerFigures(name, unit, **shares, spread=spread(weights), step=moved[0]),)

"""A doctor in the loop: looks at a run after an epoch, at what the epoch has left anyway, and says each finding once.

It draws nothing and changes nothing that training reads, so a run that is looked at has the bits of one that is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..nn.network import NetworkObjective
from ..nn.parameters import Layout
from .findings import FINDINGS, Figures, InputFigures, LayerFigures, first
from .records import Noted

OFTEN, LOOKS = 5, 20  # looked at are the first epochs, then about so many of a stage
PLACES, ROWS = 4096, 64  # weights of a layer whose update is measured, rows of them that are held beside each other
EDGE, NEARLY, FEW = 0.01, 0.9, 50  # what is near an end, what are nearly all cases, how few cases tell nothing of units
ENDS = {"logistic": (0.0, 1.0), "tanh": (-1.0, 1.0), "hard_tanh": (-1.0, 1.0)}


@dataclass
class Watch:
    """What was said so far in a run; it goes with a run that is cut."""

    said: list[str] = field(default_factory=list)

    @staticmethod
    def taken_from(state: dict[str, np.ndarray]) -> "Watch":
        """What `packed` put among the arrays of a cut run, taken out of them."""
        words = state.pop("said", np.zeros(0, np.uint8)).tobytes().decode("ascii", "replace").split(",")
        return Watch([name for name in words if name in FINDINGS])

    def packed(self) -> dict[str, np.ndarray]:
        """The array to save; none where nothing was said."""
        return {"said": np.frombuffer(",".join(self.said).encode(), np.uint8)} if self.said else {}

    @property
    def told(self) -> dict[str, list[str]]:
        """What a result has of it."""
        return {"notes": list(self.said)} if self.said else {}

    def notes(self, found: Figures) -> Iterator[Noted]:
        """What a user should know of these figures, if it is new: one thing at a time, causes first."""
        if (new := first(found, self.said)) is not None:
            name, words = new
            self.said.append(name)
            yield Noted(name, FINDINGS[name].sentence.format(**words), words)


def due(epoch: int, epochs: int) -> bool:
    """Whether a stage is looked at after this epoch."""
    return epoch <= OFTEN or epoch % max(1, epochs // LOOKS) == 0


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


def of_network(objective: NetworkObjective, theta: np.ndarray, moved: Sequence[float]) -> tuple[LayerFigures, ...]:
    """Each layer of weights, on the cases that the objective was last asked about, at `moved` (`steps`)."""
    found, active = [], objective.activations()
    own = [part for part in objective.network.split(theta) if "W" in part]
    for number, (part, step) in enumerate(zip(own, moved, strict=True), 1):
        if number > len(active):  # outputs are alike or at their ends where the data have it so
            found.append(LayerFigures("the output layer", "", step=step))
            continue
        unit, a = active[number - 1]
        found.append(LayerFigures(f"layer {number}", unit, **_activity(unit, a), spread=spread(part["W"]), step=step))
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


def of_machine(name: str, unit: str, weights: np.ndarray, moved: Sequence[float], metrics: dict, sparse: bool):
    """A layer of a stack, of whose activity an epoch's metrics tell; where it is to be `sparse`, silence is wanted."""
    shares = {"silent": 0.0 if sparse else metrics.get("dead_units", 0.0), "always": metrics.get("saturated_units", 0.0)}
    return (LayerFigures(name, unit, **shares, spread=spread(weights), step=moved[0]),)

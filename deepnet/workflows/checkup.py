"""What the doctor is told of a fine-tuning run: of its data before the first epoch, of itself after one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..checkpoint import Preparation
from ..nn.network import Network
from . import causes, collapse, feeds, vitals
from .runs import FINE
from .vitals import Figures, LayerFigures

CURVES = {
    "loss": "training_loss",
    "error": "training_error",
    "updates": "updates",
    "validation_loss": "validation_loss",
}


@dataclass(frozen=True)
class Checkup:
    """A run's data, network and settings, and its history, which grows."""

    dataset: object
    preparation: Preparation
    network: Network
    config: dict
    history: dict

    @property
    def inputs(self) -> Figures:
        """What is known before the first epoch."""
        return Figures(inputs=vitals.of_inputs(self._probed(), ""), below=self._below)

    def after(self, layers: tuple[LayerFigures, ...], stage: str, by_rate: bool) -> Figures:
        """What is known after an epoch of a stage."""
        part = self.history[stage]
        curves = {figure: part[own] for figure, own in CURVES.items() if own in part}
        if "validation_loss" in part:
            epochs = zip(*part.values(), strict=True)
            curves["score"] = np.array([score(dict(zip(part, now, strict=True)))[0] for now in epochs])
        return Figures(
            layers,
            curves,
            by_rate=by_rate,
            fresh=f"{FINE} 1" not in self.history,
            watched=self.config["patience"] is not None,
            constant=self._constant if stage == FINE else None,
        )

    def cause(self, theta: np.ndarray) -> str | None:
        """Why a run diverges that has theta, as far as it is not the rate."""
        x, dead = self._probed(), "use --init he or --units leaky_relu"
        hidden, parts = self.network.layers[:-1], self.network.split(theta)[:-1]
        return causes.of_inputs(x, self._below) or causes.of_units(hidden, parts, x, dead)

    @cached_property
    def _constant(self) -> tuple[float, float] | None:
        """Loss and error of the best constant output, for classes whose cases count alike."""
        if self.config["task"] != "classify" or self.dataset.splits["train"].weights is not None:
            return None
        smoothing, classes = self.config.get("label_smoothing", 0.0), len(self.preparation.classes)
        return collapse.of_a_constant(self.dataset.splits["train"].targets, classes, smoothing, self.network.loss)

    @property
    def _below(self) -> str:
        """What to change where the inputs are at fault."""
        if self.config["parent"]:
            return "pre-train with --visible linear --scale standard"
        return causes.remedy(self.config["scale"])

    def _probed(self) -> np.ndarray:
        """Prepared training cases, spread over the data."""
        train = self.dataset.splits["train"]
        return causes.inputs(feeds.visible_feed(train.inputs, self.preparation), len(train), self.network.inputs)


def score(metrics: dict[str, float]) -> tuple[float, float]:
    """What early stopping lowers: the validation error (or squared error, or disagreement), then the loss."""
    held = [1 - v if k.endswith("agreement") else v for k, v in metrics.items() if k.startswith("validation")]
    return held[0], held[-1]

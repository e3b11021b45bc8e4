"""The objectives of a fine-tuning run: what is trained, and what is measured after an epoch."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..checkpoint import Preparation
from ..kernels import random, updates
from ..nn import population
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from ..training import Meter, Stop
from . import feeds
from .models import CHUNK, blocks
from .runs import NORM
from .teachers import Mimicry

SAMPLE = 10_000  # training cases that batch normalisation's statistics are taken from until the run is over


@dataclass(frozen=True)
class Objectives:
    """Those of a network on a run's data, by its settings."""

    dataset: object
    preparation: Preparation
    network: Network
    config: dict
    meter: Meter
    mimicry: Mimicry | None

    def trained(self) -> NetworkObjective:
        """What is trained."""
        train, config = self.dataset.splits["train"], self.config
        changes = config.get("label_smoothing", 0.0), config.get("jitter", 0)  # which validation does not have
        return NetworkObjective(
            self.network,
            self._feed(train, *changes),
            config["batch_size"],
            config["weight_decay"],
            precision=config["precision"],
            everything=len(train),
            l1=config.get("l1", 0.0),
            max_norm=config.get("max_norm", ()),
            output_decay=1 / (config["C"] * len(train)) if "C" in config else 0.0,
            loss=self._loss,
            weights=train.weights,
            kronecker=self._kronecker,
        )

    def without_data(self) -> NetworkObjective:
        """One that knows its tally and state, and nothing of any case."""
        return NetworkObjective(self.network, None, 1, loss=self._loss, kronecker=self._kronecker)

    @property
    def _kronecker(self) -> bool:
        """Whether the optimizer has been set to keep such factors."""
        return bool(self.config["settings"].get("kronecker"))

    @cached_property
    def held_out(self) -> NetworkObjective | None:
        """That of the cases held out, or None."""
        if "valid" not in self.dataset.splits:
            return None
        valid = self.dataset.splits["valid"]
        return NetworkObjective(self.network, self._feed(valid), CHUNK, loss=self._loss, weights=valid.weights)

    @property
    def _loss(self):
        """A student's loss; None for the network's own."""
        return None if self.mimicry is None else self.mimicry.loss

    def _feed(self, cases, smoothing: float = 0.0, jitter: int = 0):
        """What an objective reads of these cases; of a student's what its teachers say too, asked here once for all."""
        logits = None if self.mimicry is None else self.mimicry.targets(cases, self.meter)
        return feeds.network_feed(cases, self.preparation, self.config["task"], smoothing, jitter, logits)

    def tally_held_out(self, theta: np.ndarray, stop: Stop) -> dict[str, np.ndarray] | None:
        """Sums at theta over all cases held out, None where there are none; `stop` may cut it short by Stopped."""
        if self.held_out is None:
            return None
        for tally in self.held_out.tally.values():
            tally[:] = 0
        self.held_out.statistics = self.statistics(theta, False)
        for rows in blocks(len(self.dataset.splits["valid"]), stop):
            self.held_out.at(rows, None)
            self.held_out.value(theta)
            self.held_out.count()
        return self.held_out.tally

    @property
    def sampled(self) -> int:
        """Training cases that statistics are taken from while the run goes on; 0 where the network has none."""
        return min(SAMPLE, len(self.dataset.splits["train"])) if self.network.mixes else 0

    def statistics(self, theta: np.ndarray, whole: bool) -> list[dict[str, np.ndarray]]:
        """Batch normalisation's statistics at theta: of the `whole` training cases, or of a fixed choice of them."""
        train = self.dataset.splits["train"]
        if not self.network.mixes:
            return [{} for _ in self.network.layers]
        rows = np.arange(len(train))
        if not whole and self.sampled < len(train):
            key = random.fold(self.config["seed"], random.PROBE, 1)
            rows = np.sort(random.permutation(key, len(train))[: self.sampled])
        visible = feeds.visible_feed(train.inputs, self.preparation)  # targets have no part in it

        def feed(rows, x, t, key):
            visible(rows, x)

        return population.statistics(self.network, theta, feed, [rows[own] for own in blocks(len(rows))], CHUNK)

    @cached_property
    def probe(self) -> np.ndarray:
        """A fixed hundredth of the training cases, on which gradients are looked at; of few a hundred or a tenth."""
        cases = len(self.dataset.splits["train"])
        key = random.fold(self.config["seed"], random.PROBE)
        return np.sort(random.permutation(key, cases)[: max(1, cases // 100, min(100, cases // 10))])

    def norms(self, objective: NetworkObjective, theta: np.ndarray) -> dict[str, float]:
        """The norm of the gradient of each layer's weights at theta, on the cases probed, without noise."""
        objective.at(self.probe, None)
        g, layout = objective.gradient(theta), self.network.layout
        weights = [s for s in layout.segments if len(s.shape) == 2]
        return {f"{NORM}{k}": updates.sum_squares(g[s.start : s.stop]) ** 0.5 for k, s in enumerate(weights, 1)}


def metrics(task: str, tally: dict[str, np.ndarray], word: str) -> dict[str, float]:
    """The figures of a task, means over the cases of a tally, their names after `word`."""
    found, cases = {}, float(tally["cases"][0])
    if task == "classify":
        found[f"{word}_error"] = float(tally["wrong"][0]) / cases
    elif task == "reconstruct":
        found[f"{word}_squared_error"] = float(tally["squared_error"][0]) / cases
    elif task == "one_class":
        found[f"{word}_squared_distance"] = float(tally["squared_error"][0]) / cases
    elif task == "mimic":
        if labelled := float(tally["labelled"][0]):
            found[f"{word}_error"] = float(tally["wrong"][0]) / labelled
        found[f"{word}_agreement"] = 1 - float(tally["apart"][0]) / cases
    return found | {f"{word}_loss": float(tally["loss"][0]) / cases}

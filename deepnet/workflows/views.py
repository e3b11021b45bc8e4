"""views: what pictures are made from, a model and, where data were given, a split of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..checkpoint import Checkpoint
from ..nn.layers import Weighted
from ..nn.losses import MARGINS
from ..nn.stack import Stack
from . import feeds, models, sources

SEEN = 1000  # cases that histograms of activations are made from


@dataclass(frozen=True)
class View:
    """What a picture is made from: the model, its task, and, where data were given, a split of them.

    `facts` are the numbers that pictures state, put there as they are made.
    """

    model: Checkpoint
    task: str | None
    dataset: object = None
    cases: object = None
    split: str | None = None
    facts: dict = field(default_factory=dict)

    @property
    def feed(self) -> Callable:
        """Writes prepared rows of the cases."""
        return feeds.visible_feed(self.cases.inputs, self.model.preparation)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a case."""
        return self.model.preparation.shape

    @cached_property
    def outputs(self) -> np.ndarray:
        """The model's outputs (N, C) on all cases."""
        return models.whole(self.model).all(self.feed, len(self.cases))

    @property
    def probable(self) -> bool:
        """Whether a classifier's outputs are probabilities, not margins."""
        return self.model.model.loss not in MARGINS

    @property
    def seen(self) -> np.ndarray:
        """At most SEEN cases, evenly spread over the data."""
        return self.evenly(SEEN)

    def evenly(self, most: int) -> np.ndarray:
        """At most so many cases, evenly spread over the data."""
        return np.linspace(0, len(self.cases) - 1, min(most, len(self.cases))).astype(np.int64)

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Cases as the model sees them, (n, M)."""
        x = np.empty((len(rows), self.model.preparation.width), np.float32)
        self.feed(rows, x)
        return x

    def spread(self, count: int) -> np.ndarray:
        """So many cases, evenly spread over the classes, or over the data."""
        count, targets = min(count, len(self.cases)), self.cases.targets
        if targets is None or targets.ndim != 1 or targets.dtype.kind not in "iub":
            return self.evenly(count)
        each = [np.flatnonzero(targets == c)[:count] for c in np.unique(targets)]
        picked = [own[i] for i in range(count) for own in each if i < len(own)]
        return np.array(sorted(picked[:count], key=lambda row: targets[row]))

    @property
    def looked_at(self) -> list[tuple[int, int]]:
        """(place among the layers, number from 1) of layers with weights; of an autoencoder those up to the code."""
        layers = self.model.model.layers
        depth = models.code_depth(self.model) if self.task == "reconstruct" else len(layers)
        stack = isinstance(self.model.model, Stack)
        places = [i for i in range(depth) if stack or isinstance(layers[i], Weighted)]
        return [(place, number) for number, place in enumerate(places, 1)]


def of(loaded: Checkpoint, path, data, label, ignore) -> View:
    """The view of a model, with the test cases of the data where these are given."""
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    if data is None:
        return View(loaded, task)
    # What reconstructs needs no labels, but its cases are sorted and named by them where there are such.
    wanted = None if task in sources.BLIND else task
    return View(loaded, task, *sources.open_split(loaded, path, data, wanted, None, label, ignore))

"""kinds: what each picture of visualize is made from, and why it cannot be drawn where it cannot."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..checkpoint import Checkpoint
from ..nn.layers import Weighted
from . import feeds, maps, models, preparing
from .inspect import layer_rows
from .runs import dashes, metrics_of, norms_of
from .tuning import TOP

SHOWN = 20  # reconstructed cases


@dataclass(frozen=True)
class View:
    """What a picture is made from: the model, its task, and, where data were given, a split of them.

    `facts` are the numbers that pictures state, put there as they are made.
    """

    model: Checkpoint
    task: str | None
    dataset: object = None
    cases: object = None
    facts: dict = field(default_factory=dict)

    @property
    def feed(self) -> Callable:
        """Writes prepared rows of the cases."""
        return feeds.visible_feed(self.cases.inputs, self.model.preparation)


def _filters(view: View):
    """Every layer's filters; deeper ones as linear combinations of those below.

    Those of maxout are its pieces, side by side; for the layers above it counts as their mean, its linear part. What a
    projection of the data does counts as a layer below all. Source: Lee, Ekanadham and Ng 2008, section 4.
    """
    projection = view.model.preparation.projection
    panels, product = [], None if projection is None else projection.matrix
    layers = view.model.model.layers
    number = 0
    for layer, arrays in zip(layers, view.model.arrays, strict=True):
        if "W" not in arrays:
            continue
        number += 1
        pieces = getattr(layer, "pieces", 1)
        filters = (arrays["W"] if product is None else product @ arrays["W"]).reshape(-1, pieces, layer.outputs)
        words = f" of {pieces} pieces" if pieces > 1 else ""
        words += "" if number == 1 else ", projected through the layers below"
        panels.append((f"layer {number}: {layer.outputs} units{words}", filters.T.reshape(-1, len(filters))))
        product = filters.mean(axis=1)
        if view.task == "reconstruct" and number == models.code_depth(view.model):
            break
    return panels, view.model.preparation.shape


def _history(view: View):
    """Learning curves, stage by stage."""
    series = []
    for stage in sorted(view.model.history, key=_natural):
        part = view.model.history[stage]
        metrics = {name.replace("_", " "): values for name, values in metrics_of(part).items()}
        series.append(
            {"stage": stage, "epoch": np.arange(1, 1 + max(map(len, part.values()), default=0)), "metrics": metrics}
        )
    return (series,)


def _gradients(view: View):
    """Norms of the layers' gradients, stage by stage."""
    stages = sorted(view.model.history, key=_natural)
    return ([(stage, norms) for stage in stages if (norms := norms_of(view.model.history[stage]))],)


def _natural(stage: str) -> tuple:
    """The order in which stages were run: layers by number, then each fine-tuning, the latest without a number."""
    name, _, number = stage.rpartition(" ")
    name, number = (name, int(number)) if number.isdecimal() else (stage, math.inf)
    return (name != "layer", number, name != TOP, name)


def _reconstructions(view: View):
    """Some cases, what PCA makes of them, and what the model makes of them.

    All as the model sees them, brought back from a projection to the space of the columns; errors are those before.
    """
    reader, width = models.reconstructor(view.model), models.coder(view.model).network.outputs
    rows = _spread(view, min(SHOWN, len(view.cases)))
    x = np.empty((len(rows), reader.network.inputs), np.float32)
    view.feed(rows, x)
    _, _, y = next(reader.run(lambda _, out: view.feed(rows, out), len(rows)))
    pca = preparing.fit_pca(view.dataset, view.model.preparation, width).reconstruct(x)
    word = "stack" if view.task is None else "autoencoder"
    preparation = view.model.preparation
    made = [
        (f"{name}: squared error {((r - x) ** 2).sum(axis=1).mean():.3g} here", r)
        for name, r in ((f"PCA, {width} components", pca), (f"{word}, {width} units", y.copy()))
    ]
    rows = [(name, preparing.to_columns(preparation, r)) for name, r in (("data", x), *made)]
    return rows, preparation.shape


def _spread(view: View, count: int) -> np.ndarray:
    """Cases evenly spread over the classes, or over the data."""
    targets = view.cases.targets
    if targets is None or targets.ndim != 1 or targets.dtype.kind not in "iub":
        return np.linspace(0, len(view.cases) - 1, count).astype(np.int64)
    names = np.unique(targets)
    each = [np.flatnonzero(targets == c) for c in names]
    picked = [own[i] for i in range(count) for own in each if i < len(own)]
    return np.array(sorted(picked[:count], key=lambda row: targets[row]))


def _confusion(view: View):
    """Counts, rows true and columns predicted."""
    outputs = models.whole(view.model).all(view.feed, len(view.cases))
    classes = view.model.preparation.classes
    counts = np.bincount(view.cases.targets * len(classes) + outputs.argmax(axis=1), minlength=len(classes) ** 2)
    return counts.reshape(len(classes), -1), classes


def _codes(view: View):
    """Cases on the map of the code and on that of the data; tells how well neighbours agree."""
    panels, labels, classes, facts = maps.codes(view.model, view.dataset, view.cases)
    view.facts.update(facts)
    return panels, labels, classes


def _summary(view: View):
    """Diagram, parameters, norms."""
    return layer_rows(view.model), f"{view.model.kind} {dashes(view.model.model.widths)}"


@dataclass(frozen=True)
class _Kind:
    """A kind of picture: the arrays of its figure, and why it cannot be drawn, or None."""

    arrays: Callable[[View], tuple]
    lacks: Callable[[View], str | None]


def _needs_data(view: View) -> str | None:
    return (
        None
        if view.cases is not None
        else "needs data; name them after the model, as in `deepnet visualize net.h5 mnist -o pictures/`"
    )


def _needs_norms(view: View) -> str | None:
    if any(map(norms_of, view.model.history.values())):
        return None
    return "this model's history tells none; they are kept while a network is trained: run deepnet finetune"


def _needs_reconstruction(view: View) -> str | None:
    return _needs_data(view) or (
        None if view.task in (None, "reconstruct") else f"this network was made to {view.task}, it reconstructs nothing"
    )


def _needs_classes(view: View) -> str | None:
    return (
        None
        if view.task == "classify" and view.cases is not None
        else _needs_data(view) or "this model is no classifier"
    )


KINDS: dict[str, _Kind] = {
    "filters": _Kind(
        _filters,
        lambda view: (
            None
            if any(isinstance(x, Weighted) for x in getattr(view.model.model, "layers", ())) or view.task is None
            else "this model has no weights"
        ),
    ),
    "history": _Kind(_history, lambda view: None if view.model.history else "this model has no history yet"),
    "gradients": _Kind(_gradients, _needs_norms),
    "reconstructions": _Kind(_reconstructions, _needs_reconstruction),
    "confusion": _Kind(_confusion, _needs_classes),
    "codes": _Kind(_codes, _needs_data),
    "summary": _Kind(_summary, lambda view: None),
}

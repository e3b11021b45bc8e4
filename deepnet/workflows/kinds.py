"""kinds: what each picture of visualize is made from, and why it cannot be drawn where it cannot."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import answers, dreams, insides, landscape, maps, models, preparing
from .inspect import layer_rows
from .runs import TOP, dashes, metrics_of, norms_of
from .views import View

SHOWN = 20  # reconstructed cases


def _history(view: View):
    """Learning curves, stage by stage."""
    series = []
    for stage in sorted(view.model.history, key=natural):
        part = view.model.history[stage]
        metrics = {name.replace("_", " "): values for name, values in metrics_of(part).items()}
        series.append(
            {"stage": stage, "epoch": np.arange(1, 1 + max(map(len, part.values()), default=0)), "metrics": metrics}
        )
    return (series,)


def _gradients(view: View):
    """Norms of the layers' gradients, stage by stage."""
    stages = sorted(view.model.history, key=natural)
    return ([(stage, norms) for stage in stages if (norms := norms_of(view.model.history[stage]))],)


def natural(stage: str) -> tuple:
    """The order in which stages were run: layers by number, then each fine-tuning, the latest without a number."""
    name, _, number = stage.rpartition(" ")
    name, number = (name, int(number)) if number.isdecimal() else (stage, math.inf)
    return (name != "layer", number, name != TOP, name)


def _reconstructions(view: View):
    """Some cases, what PCA makes of them, and what the model makes of them.

    All as the model sees them, brought back from a projection to the space of the columns; errors are those before.
    """
    reader, width = models.reconstructor(view.model), models.coder(view.model).network.outputs
    rows = view.spread(SHOWN)
    x = view.rows(rows)
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
    if view.task in (None, "reconstruct"):
        return _needs_data(view)
    return f"this network was made to {view.task}, it reconstructs nothing; give an autoencoder or a stack"


def _needs_classes(view: View) -> str | None:
    if view.task == "classify":
        return _needs_data(view)
    return "this model is no classifier; deepnet finetune makes one of a stack"


def _needs_loss(view: View) -> str | None:
    if view.task is not None:
        return _needs_data(view)
    return "a stack is learned layer by layer and has no one loss; deepnet finetune makes a network of it"


def _needs_layers(view: View) -> str | None:
    return None if view.looked_at else "this model has no weights"


def _needs_depth(view: View) -> str | None:
    if len(view.looked_at) > 1:
        return None
    return "this model has one layer to look at, and what its units like best are its filters; ask for --kind filters"


def _needs_probabilities(view: View) -> str | None:
    if (reason := _needs_classes(view)) is not None or view.probable:
        return reason
    return f"this classifier was trained by {view.model.model.loss} and has margins, no probabilities"


KINDS: dict[str, _Kind] = {
    "summary": _Kind(_summary, lambda view: None),
    "history": _Kind(_history, lambda view: None if view.model.history else "this model has no history yet"),
    "confusion": _Kind(answers.confusion, _needs_classes),
    "mistakes": _Kind(answers.mistakes, _needs_classes),
    "calibration": _Kind(answers.calibration, _needs_probabilities),
    "reconstructions": _Kind(_reconstructions, _needs_reconstruction),
    "codes": _Kind(_codes, _needs_data),
    "samples": _Kind(dreams.samples, dreams.lacks),
    "filters": _Kind(insides.filters, _needs_layers),
    "features": _Kind(insides.features, _needs_depth),
    "histograms": _Kind(insides.histograms, _needs_layers),
    "gradients": _Kind(_gradients, _needs_norms),
    "landscape": _Kind(landscape.landscape, _needs_loss),
}

"""visualize: pictures of a model, each kind a function from the model (and data) to what its figure takes."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..checkpoint import Checkpoint
from ..errors import UsageError
from ..files import check_output, write_output
from ..kernels import jit
from ..nn.layers import Dense
from ..nn.stack import Stack
from . import models, sources
from .evaluate import fit_pca, open_split
from .inspect import layer_rows
from .runs import dashes

SHOWN, POINTS = 20, 5000  # reconstructed cases; cases on a map of codes


@dataclass(frozen=True)
class _View:
    """What a picture is made from: the model, its name and task, and, where data were given, a split of them."""

    model: Checkpoint
    task: str | None
    dataset: object = None
    cases: object = None

    @property
    def feed(self) -> Callable:
        """Writes scaled rows of the cases."""
        return sources.visible_feed(self.cases.inputs, self.model.preparation)


def visualize(model, data, output, *, kind=(), label=None, ignore=(), force=False, threads=None) -> list[str]:
    """Draw the kinds asked for, or all that the model and the data allow; returns the files written."""
    if threads is not None:
        jit.set_threads(threads)
    loaded = models.load(model, data)
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    view = _View(loaded, task)
    if data is not None:
        dataset, cases, _ = open_split(loaded, model, data, task, "test", label, ignore)
        view = _View(loaded, task, dataset, cases)
    kinds = _allowed(view, kind)
    paths = _paths(output, kinds, force)
    from .. import figures

    os.makedirs(os.path.dirname(paths[0]) or ".", exist_ok=True)
    for name, path in zip(kinds, paths, strict=True):
        figure = figures.FIGURES[name](*KINDS[name].arrays(view))
        write_output(path, figures.encode(figure, os.path.splitext(path)[1].lstrip(".") or "png"))
    return paths


def _allowed(view: _View, asked) -> list[str]:
    """The kinds to draw; a sentence for one that was asked for and cannot be."""
    for name in asked:
        if (reason := KINDS[name].lacks(view)) is not None:
            raise UsageError(f"--kind {name}: {reason}")
    return list(asked) or [name for name, kind in KINDS.items() if kind.lacks(view) is None]


def _paths(output: str, kinds: list[str], force: bool) -> list[str]:
    """A file a kind: the output itself for one, else a folder."""
    folder = output.endswith(os.sep) or os.path.isdir(output)
    if not folder and len(kinds) > 1:
        raise UsageError(
            f"-o {output} is one file for {len(kinds)} kinds ({', '.join(kinds)}); give a folder, {output}/, or --kind"
        )
    if folder and not os.path.isdir(output):
        check_output(output.rstrip(os.sep))
        return [os.path.join(output, f"{name}.png") for name in kinds]
    paths = [os.path.join(output, f"{name}.png") for name in kinds] if folder else [output]
    for path in paths:
        check_output(path, force)
    return paths


def _filters(view: _View):
    """Every layer's filters; deeper ones as linear combinations of those below.

    Source: Lee, Ekanadham and Ng 2008, section 4.
    """
    panels, product = [], None
    layers = view.model.model.rbms if isinstance(view.model.model, Stack) else view.model.model.layers
    number = 0
    for layer, arrays in zip(layers, view.model.arrays, strict=True):
        if "W" not in arrays:
            continue
        number += 1
        product = arrays["W"] if product is None else product @ arrays["W"]
        words = "" if number == 1 else ", projected through the layers below"
        panels.append((f"layer {number}: {layer.outputs} units{words}", product.T))
        if view.task == "reconstruct" and number == models.code_depth(view.model):
            break
    return panels, view.model.preparation.shape


def _history(view: _View):
    """Learning curves, stage by stage."""
    series = []
    for stage in sorted(view.model.history, key=_natural):
        metrics = {name.replace("_", " "): values for name, values in view.model.history[stage].items()}
        series.append(
            {"stage": stage, "epoch": np.arange(1, 1 + len(next(iter(metrics.values())))), "metrics": metrics}
        )
    return (series,)


def _natural(stage: str) -> tuple:
    """Layers by number, then the output layer alone, then fine-tuning."""
    word, _, number = stage.partition(" ")
    return (0, int(number), "") if word == "layer" and number.isdigit() else (1, -ord(stage[0]), stage)


def _reconstructions(view: _View):
    """Some cases, what PCA makes of them, and what the model makes of them."""
    reader, width = models.reconstructor(view.model), models.coder(view.model).network.outputs
    rows = _spread(view, min(SHOWN, len(view.cases)))
    x = np.empty((len(rows), reader.network.inputs), np.float32)
    view.feed(rows, x)
    _, _, y = next(reader.run(lambda _, out: view.feed(rows, out), len(rows)))
    pca = fit_pca(view.model, view.dataset, width).reconstruct(x)
    word = "stack" if view.task is None else "autoencoder"
    made = [
        (f"{name}: squared error {((r - x) ** 2).sum(axis=1).mean():.2f} a case here", r)
        for name, r in ((f"PCA, {width} components", pca), (f"{word}, {width} units", y.copy()))
    ]
    return [("data", x), *made], view.model.preparation.shape


def _spread(view: _View, count: int) -> np.ndarray:
    """Cases evenly spread over the classes, or over the data."""
    targets = view.cases.targets
    if targets is None or targets.ndim != 1 or targets.dtype.kind not in "iub":
        return np.linspace(0, len(view.cases) - 1, count).astype(np.int64)
    names = np.unique(targets)
    each = [np.flatnonzero(targets == c) for c in names]
    picked = [own[i] for i in range(count) for own in each if i < len(own)]
    return np.array(sorted(picked[:count], key=lambda row: targets[row]))


def _confusion(view: _View):
    """Counts, rows true and columns predicted."""
    outputs = models.whole(view.model).all(view.feed, len(view.cases))
    classes = view.model.preparation.classes
    counts = np.bincount(view.cases.targets * len(classes) + outputs.argmax(axis=1), minlength=len(classes) ** 2)
    return counts.reshape(len(classes), -1), classes


def _codes(view: _View):
    """Two dimensions of the code (its first two principal components where it has more) beside those of the data."""
    coder = models.coder(view.model)
    rows = np.arange(0, len(view.cases), max(1, len(view.cases) // POINTS))
    x = np.empty((len(rows), coder.network.inputs), np.float32)
    view.feed(rows, x)
    codes = coder.all(lambda own, out: view.feed(rows[own], out), len(rows))
    plain = fit_pca(view.model, view.dataset, 2).codes(x)
    title = f"code: {codes.shape[1]} units"
    if codes.shape[1] > 2:
        codes, title = _two(codes), title + ", first two principal components"
    targets = view.cases.targets
    labels = classes = None
    if targets is not None and targets.ndim == 1 and targets.dtype.kind != "f":
        names, labels = np.unique(targets[rows], return_inverse=True)
        classes = [view.model.preparation.classes[n] if view.model.preparation.classes else str(n) for n in names]
    panels = [("data: first two principal components", plain), (title, codes)]
    return panels if codes.shape[1] == 2 else panels[:1], labels, classes or ()


def _two(codes: np.ndarray) -> np.ndarray:
    """Coordinates (N, 2) on the codes' own first two principal components."""
    from ..evaluation import PCA

    pca = PCA(codes.shape[1], 2)
    pca.add(codes)
    return pca.fit().codes(codes)


def _summary(view: _View):
    """Diagram, parameters, norms."""
    return layer_rows(view.model), f"{view.model.kind} {dashes(view.model.model.widths)}"


@dataclass(frozen=True)
class _Kind:
    """A kind of picture: the arrays of its figure, and why it cannot be drawn, or None."""

    arrays: Callable[[_View], tuple]
    lacks: Callable[[_View], str | None]


def _needs_data(view: _View) -> str | None:
    return (
        None
        if view.cases is not None
        else "needs data; name them after the model, as in `deepnet visualize net.h5 mnist -o pictures/`"
    )


def _needs_reconstruction(view: _View) -> str | None:
    return _needs_data(view) or (
        None if view.task in (None, "reconstruct") else f"this network was made to {view.task}, it reconstructs nothing"
    )


def _needs_classes(view: _View) -> str | None:
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
            if any(isinstance(x, Dense) for x in getattr(view.model.model, "layers", ())) or view.task is None
            else "this model has no weights"
        ),
    ),
    "history": _Kind(_history, lambda view: None if view.model.history else "this model has no history yet"),
    "reconstructions": _Kind(_reconstructions, _needs_reconstruction),
    "confusion": _Kind(_confusion, _needs_classes),
    "codes": _Kind(_codes, _needs_data),
    "summary": _Kind(_summary, lambda view: None),
}

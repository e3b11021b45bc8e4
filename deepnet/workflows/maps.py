"""maps: cases as points of the plane, by a model's code and by the principal components of the data."""

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset, has_label
from . import feeds, models
from .preparing import fit_pca
from .retrieval import classes_of

POINTS = 5000  # cases on a map, as in figure 3 of Hinton and Salakhutdinov (2006)
GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill a line evenly


def codes(model: Checkpoint, dataset: Dataset, cases: Cases) -> tuple[list, np.ndarray | None, list[str], dict]:
    """What the figure of codes takes, (title, points (n, 2)) of the data and of the code, labels, names; and facts.

    Facts, where cases have classes: the share of the cases shown whose nearest neighbour is of another class, by the
    code and by as many principal components of the data; where these are more than two, also by the two maps.
    """
    coder = models.coder(model)
    rows = _rows(cases)
    feed = feeds.visible_feed(cases.inputs, model.preparation)
    x = np.empty((len(rows), coder.network.inputs), np.float32)
    feed(rows, x)
    code = coder.all(lambda own, out: feed(rows[own], out), len(rows))
    width = code.shape[1]
    plain = fit_pca(dataset, model.preparation, max(2, width)).codes(x)
    labels, names = classes_of(cases.targets, rows, model.preparation.classes)
    maps = {"pca": _plane(plain[:, :2]), "code": _plane(code)}
    if labels is None:
        errors = {}
    else:
        errors = {"pca": _error(plain[:, :width], labels), "code": _error(code, labels)}
        if width > 2:
            errors |= {f"{word}_map": _error(points, labels) for word, points in maps.items()}
    panels = [(_title(word, width, plain.shape[1], errors), points) for word, points in maps.items()]
    facts = {f"{word}_neighbour_error": error for word, error in errors.items()}
    return panels, labels, names, {"neighbour_cases": len(rows), **facts} if facts else {}


def _rows(cases: Cases) -> np.ndarray:
    """Cases evenly spread over those that have a label, or over all where none has."""
    targets = cases.targets
    among = np.arange(len(cases)) if targets is None else np.flatnonzero(has_label(targets))
    if not len(among):
        among = np.arange(len(cases))
    return among[np.linspace(0, len(among) - 1, min(POINTS, len(among))).astype(np.int64)]


def _title(word: str, width: int, components: int, errors: dict) -> str:
    """What a map shows, and below how often the nearest neighbour is wrong on it and, where it shows a part, in all."""
    if word == "pca":
        title = "data: first two" + (f" of {components}" if width > 2 else "") + " principal components"
        every = f"all {components}" if width > 2 else "the first alone" if width == 1 else ""
    elif width > 2:
        title, every = f"code: first two principal components of {width} units", f"all {width} units"
    else:
        title, every = ("code: two units", "") if width == 2 else ("code: one unit, across; height tells nothing", "")
    if errors.get(word) is None:
        return title
    found = f"{100 * errors[word]:.1f} %" + (f" by {every}" if every else "")
    if errors.get(f"{word}_map") is not None:
        found = f"{100 * errors[f'{word}_map']:.1f} % here, {found}"
    return f"{title}\nnearest neighbour wrong {found}"


def _plane(code: np.ndarray) -> np.ndarray:
    """Codes (n, K) as points (n, 2): as they are; by their own first two principal components; one unit, spread."""
    if code.shape[1] == 2:
        return code
    if code.shape[1] == 1:
        return np.column_stack([code[:, 0], np.arange(len(code)) * GOLDEN % 1])
    pca = evaluation.PCA(code.shape[1], 2)
    pca.add(code)
    return pca.fit().codes(code)


def _error(points: np.ndarray, labels: np.ndarray) -> float | None:
    """How often the nearest neighbour is of another class, among finite codes; None where there are not two."""
    kept = np.isfinite(points).all(axis=1)
    return evaluation.neighbour_error(points[kept], labels[kept]) if kept.sum() > 1 else None

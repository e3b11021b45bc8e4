"""A model's codes against labels, beside the data themselves and principal components of the code's width."""

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, has_label
from ..errors import DataError, UsageError
from ..kernels import random
from . import feeds, models

MOST_NAMES = 100  # classes that a map can tell apart, and clusters that are looked for
RETRIEVED = (1, 10)  # nearest cases that are looked at
DISTANCES = ("euclidean", "cosine")


def classes_of(targets, rows: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray | None, list[str]]:
    """The classes (n,) of these cases as numbers from 0, and their names; None where cases have none, or too many."""
    if targets is None or targets.ndim != 1 or targets.dtype.kind == "f" or not has_label(targets).any():
        return None, []
    found, labels = np.unique(targets[rows], return_inverse=True)
    if len(found) > MOST_NAMES:
        return None, []
    return labels, [classes[n] if classes else str(n) for n in found]


def measure(loaded: Checkpoint, cases: Cases, pca: evaluation.PCA, distance: str) -> dict:
    """Purity and mutual information of as many clusters as there are classes, and the precision of retrieval.

    Of the inputs as prepared (raw), of `pca`, and of the code; `distance` is one of DISTANCES (UsageError). DataError
    where cases have no classes.
    """
    if distance not in DISTANCES:
        raise UsageError(f"--codes {distance}: no such distance; there are {', '.join(DISTANCES)}")
    if cases.targets is not None:
        cases = cases.at(has_label(cases.targets))
    labels, names = classes_of(cases.targets, np.arange(len(cases)), loaded.preparation.classes)
    if labels is None or len(labels) < 2:
        raise DataError(
            f"--codes compares codes with labels of 2 to {MOST_NAMES} classes, and these data have none; leave it out, "
            "or name them by --label"
        )
    feed = feeds.visible_feed(cases.inputs, loaded.preparation)
    x = np.empty((len(cases), loaded.preparation.width), np.float32)
    feed(np.arange(len(cases)), x)
    facts = {"codes_distance": distance, "clusters": len(names)}
    for word, codes in (("raw", x), ("pca", pca.codes(x)), ("code", models.coder(loaded).all(feed, len(cases)))):
        facts |= {f"{word}_{name}": value for name, value in _figures(codes, labels, len(names), distance).items()}
    return facts


def _figures(codes: np.ndarray, labels: np.ndarray, count: int, distance: str) -> dict:
    """The figures of one kind of codes (N, K)."""
    if distance == "cosine":
        codes = codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    found = evaluation.clusters(codes, count, random.fold(0, random.SAMPLE))
    most = [min(k, len(codes) - 1) for k in RETRIEVED]
    nearest = evaluation.neighbours(codes, max(most))
    return {
        "purity": evaluation.purity(found, labels),
        "nmi": evaluation.normalised_mutual_information(found, labels),
    } | {f"precision_at_{k}": evaluation.retrieval_precision(nearest[:, :k], labels) for k in most}

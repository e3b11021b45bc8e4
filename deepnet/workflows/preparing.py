"""What is done to the data before a model sees them, made from the training cases and kept in the model.

In this order: columns are scaled, each case is brought to one contrast, and the cases are projected.
"""

from dataclasses import replace

import numpy as np

from .. import data, files
from ..checkpoint import PROJECTIONS, Preparation, Projection
from ..data import Dataset
from ..data import scaling as scalings
from ..errors import DataError, UsageError
from ..evaluation import PCA
from ..nn.mixed import MOST_RUNS, mixed_of, spell
from . import feeds, models


def settings(contrast: str, pca: int | None, zca: float | None) -> dict:
    """What is asked for beside the scaling, as a model file keeps it; what is not asked for leaves no trace there."""
    if pca is not None and zca is not None:
        raise UsageError(f"--pca {pca} and --zca {zca:g} are two projections of the same cases; leave one of them")
    found = {"contrast": None if contrast == "none" else contrast, "pca": pca, "zca": zca}
    return {name: value for name, value in found.items() if value is not None}


def prepare(dataset: Dataset, kind: str, visible: str, asked: dict | None = None) -> Preparation:
    """The preparation, from the training cases: a scaling of this kind, and what is `asked` beside it.

    DataError where the visible units could not see the result, UsageError where they never could.
    """
    asked, train = asked or {}, dataset.splits["train"].inputs
    if asked and visible == "logistic":
        name, value = next(iter(asked.items()))
        raise UsageError(
            f"--{name} {value}: logistic visible units need values in [0, 1], and these are not; give --visible linear"
        )
    if dataset.fields and "contrast" in asked:
        raise UsageError(f"--contrast {asked['contrast']}: the columns of {dataset.name} are of mixed kinds; leave it")
    scaling = scalings.fit(kind, train, dataset.shape, dataset.numbers)
    data.check_range(train, scaling, spell(dataset.units) if visible == "mixed" else visible, dataset.name)
    facts = {"columns": dataset.columns, "contrast": asked.get("contrast"), "fields": dataset.fields}
    plain = Preparation(kind, scaling.offset, scaling.scale, dataset.shape, dataset.classes, **facts)
    projection = _projection(dataset, plain, asked)
    return replace(plain, projection=projection)


def visible_of(visible: str, dataset: Dataset, asked: dict) -> str:
    """The visible units meant: `auto` is mixed for a table of mixed columns, else logistic.

    UsageError for mixed ones where the columns are all alike, or no longer what they were.
    """
    if visible not in ("auto", "mixed"):
        return visible
    projected = next((name for name in PROJECTIONS if name in asked), None)
    if dataset.units and projected is None:
        check_runs(dataset)
        return "mixed"
    if visible == "mixed":
        why = f"--{projected} makes numbers of its columns" if projected else f"{dataset.name} has columns of one kind"
        raise UsageError(f"--visible mixed: {why}; give --visible linear, or logistic for values in [0, 1]")
    return "logistic"


def check_runs(dataset: Dataset) -> None:
    """DataError for more columns, or categories, than mixed units are written for."""
    if mixed_of(spell(dataset.units)) is None:
        raise DataError(
            f"{dataset.name} has {len(dataset.units):,} kinds of columns one after the other, and at most "
            f"{MOST_RUNS:,} are modelled; leave columns out by --ignore"
        )


def units_of(visible: str, preparation: Preparation) -> str:
    """The name of the visible units, mixed ones run by run."""
    return spell(preparation.units) if visible == "mixed" else visible


def described(preparation: Preparation) -> str:
    """What is done, in a few words: `auto, contrast l2, pca 784 to 70`."""
    p = preparation
    words = [p.kind, f"contrast {p.contrast}" if p.contrast else ""]
    if p.projection is not None:
        words.append(f"{p.projection.kind} {' to '.join(map(str, p.projection.matrix.shape))}")
    return ", ".join(filter(None, words))


def to_columns(preparation: Preparation, x: np.ndarray) -> np.ndarray:
    """Prepared cases (N, M), or what a model makes of them, in the space of the columns (N, D).

    The projection is undone as far as it can be, contrast and scaling are not.
    """
    projection = preparation.projection
    return x if projection is None else directions(preparation, x) + projection.mean


def directions(preparation: Preparation, x: np.ndarray) -> np.ndarray:
    """Directions among prepared cases (N, M) as directions among columns (N, D)."""
    projection = preparation.projection
    if projection is None:
        return x
    return (x @ np.linalg.pinv(projection.matrix.astype(np.float64))).astype(np.float32)


def _projection(dataset: Dataset, plain: Preparation, asked: dict) -> Projection | None:
    """The projection asked for, from the training cases as they are before it."""
    name = next((name for name in PROJECTIONS if name in asked), None)
    if name is None:
        return None
    count, columns = dataset.splits["train"].inputs.shape
    most = min(columns, count - 1)
    if name == "pca" and asked["pca"] > most:
        remedy = f"give at most {most}" if most else "leave it out"
        raise UsageError(
            f"--pca {asked['pca']} is more principal components than the {count} training cases of {columns} columns "
            f"have; {remedy}"
        )
    need = 8 * 4 * columns * columns  # the covariance, its sum, its eigenvectors, their room
    files.check_memory(need, f"--{name}: a covariance of {columns:,} columns", "give data of fewer columns")
    pca = fit_pca(dataset, plain, asked["pca"] if name == "pca" else columns)
    if name == "pca":
        matrix = pca.basis
    else:
        matrix = (pca.basis / np.sqrt(pca.variances + asked["zca"])) @ pca.basis.T
    return Projection(name, pca.mean.astype(np.float32), np.ascontiguousarray(matrix, np.float32))


def fit_pca(dataset: Dataset, preparation: Preparation, components: int) -> PCA:
    """Principal components of the prepared training cases."""
    train = dataset.splits["train"]
    pca = PCA(preparation.width, components)
    feed = feeds.visible_feed(train.inputs, preparation)
    x = np.empty((models.CHUNK, preparation.width), np.float32)
    for rows in models.blocks(len(train)):
        feed(rows, x[: len(rows)])
        pca.add(x[: len(rows)])
    return pca.fit()

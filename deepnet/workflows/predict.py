"""predict: a line a case, as the cases come."""

import os
import warnings
from collections.abc import Iterator

import numpy as np

from ..checkpoint import Checkpoint
from ..errors import DataWarning, ModelError, UsageError
from ..files import shown
from ..kernels import jit
from ..nn.losses import MARGINS
from ..nn.stack import Stack
from . import feeds, models, scores, sources
from .forms import FORMS

USUAL = {  # what is written where nothing is asked for
    "classify": "labels",
    "regress": "labels",
    "reconstruct": "reconstructions",
    "one_class": "anomaly",
    None: "codes",
}
BESIDE = "the test cases found beside it are predicted; --split train predicts its own"
NAMELESS = (
    "an NPY has no room for the names of the pictures, in whose order its rows are; --format csv and jsonl tell them"
)


def predict(
    model,
    data,
    *,
    give=None,
    split=None,
    label=None,
    ignore=(),
    share=None,
    calibrate=None,
    format="csv",  # noqa: A002 as on the command line
    threads=None,
) -> Iterator[bytes]:
    """What `give` names of every case: CSV with a header, JSON lines, or an NPY, by `format`, piece by piece.

    Class names, probabilities, margins, a regressor's numbers, codes, reconstructions, or scores of anomalies. Of one
    split of the data, the test cases where there are some, else the training cases; "valid" are also those that the
    model held out. A label column named by `label` is left out. Pictures of a folder have their
    names in a first column, in whose order they come; an NPY has no room for them. An anomaly is flagged where its
    score lies above that of all but a `share`, by default SHARE, of the cases that the data `calibrate` have to train
    with. CSV, JSON lines and NPY are read as they come, also from a pipe that never ends; what lies before a faulty
    row is given before the DataError that names it.
    """
    if threads is not None:
        jit.set_threads(threads)
    loaded = models.load(model, data)
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    give = give or USUAL[task]
    if give != "anomaly" and (share is not None or calibrate is not None):
        option = "--share" if share is not None else "--calibrate"
        raise UsageError(f"{option} is for --give anomaly, and this gives {give}; leave it")
    if give == "anomaly":
        scores.score_of(loaded, "--give anomaly")
    reader = _reader(loaded, give, task) if give != "anomaly" else None
    trained = loaded.config
    label_column = trained.get("label") or ""
    spare = (*sources.spare(trained), label_column, *label_column.split(","))
    spare = tuple(filter(None, spare))
    stream = sources.stream_of(loaded, data, split, label, ignore, spare)
    sources.check_width(stream.dataset, loaded.preparation, model)
    if split is None and stream.split == "test" and stream.dataset.format == "IDX" and os.path.isfile(data):
        warnings.warn(f"{shown(data)}: {BESIDE}", DataWarning, stacklevel=2)
    inputs, files = sources.inputs_of(stream), stream.dataset.files.get(stream.split)
    if files and format == "npy":
        warnings.warn(NAMELESS, DataWarning, stacklevel=2)
    if reader is None:
        given = stream.dataset if calibrate is None else None
        known = scores.calibration(loaded, calibrate or data, given, label, ignore, spare)
        blocks = _flagged(loaded, inputs, known, scores.SHARE if share is None else share)
    else:
        blocks = _outputs(loaded, reader, inputs, give, task)
    names = _names(give, task, loaded, 0 if reader is None else reader.network.outputs)
    classes = loaded.preparation.classes if (give, task) == ("labels", "classify") else ()
    return FORMS[format](names, classes, blocks, stream.cases, files)


def _flagged(loaded: Checkpoint, blocks, known, share: float) -> Iterator[np.ndarray]:
    """Scores (B, 2), and 1 where they are above the threshold."""
    limit = scores.threshold(scores.anomaly(loaded, known, "--give anomaly"), share)
    for found in scores.anomalies(loaded, blocks, "--give anomaly"):
        yield np.stack([found, found > limit], axis=1)


def _reader(loaded: Checkpoint, give: str, task: str | None) -> models.Reader:
    """The layers that make what is asked for, or a sentence on why the model cannot."""
    if give == "codes":
        return models.coder(loaded)
    if give == "reconstructions":
        if task not in (None, "reconstruct"):
            raise UsageError(f"--give reconstructions: this network was made to {task}; ask for {_others(task)}")
        return models.reconstructor(loaded)
    if task not in ("classify", "regress"):
        raise UsageError(f"--give {give}: this model has no labels; ask for {_others(task)}")
    if give != "labels" and task == "regress":
        raise UsageError(f"--give {give}: a regressor has none; ask for labels, its numbers")
    if give != "labels" and (give == "margins") != (loaded.model.loss in MARGINS):
        has = "margins" if give == "probabilities" else "probabilities"
        raise UsageError(
            f"--give {give}: this classifier was trained by {loaded.model.loss} and has {has}, which are not the same; "
            f"ask for labels or {has}"
        )
    return models.whole(loaded)


def _others(task: str | None) -> str:
    """What a model of a task gives beside what it was asked for."""
    return {"one_class": "codes or anomaly", "classify": "labels or codes", "regress": "labels or codes"}.get(
        task, "codes or reconstructions"
    )


def _outputs(loaded: Checkpoint, reader: models.Reader, blocks, give: str, task) -> Iterator[np.ndarray]:
    """What is given of the cases of blocks (n, D): classes (B,) or numbers (B, T)."""
    p = loaded.preparation
    feed = ((feeds.visible_feed(inputs, p), len(inputs)) for inputs in blocks)
    for _, a in reader.over(feed):
        if not np.isfinite(a).all():
            raise ModelError(
                "the model's outputs are not finite for these data; look at their range with `deepnet inspect`"
            )
        if give == "labels":
            yield a.argmax(axis=1) if task == "classify" else a * p.target_scale + p.target_offset
        else:
            yield a


def _names(give: str, task, loaded: Checkpoint, width: int) -> list[str]:
    """Of the columns."""
    preparation = loaded.preparation
    if give == "anomaly":
        return ["score", "flag"]
    if give == "labels":
        return ["label"] if task == "classify" else list(sources.headers_of(loaded.config, width))
    if give in ("probabilities", "margins"):
        return list(preparation.classes)
    if give == "reconstructions" and preparation.columns and preparation.projection is None:
        return list(preparation.columns)
    return [f"{'code' if give == 'codes' else 'x'}{i + 1}" for i in range(width)]

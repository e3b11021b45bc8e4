"""predict: a line of CSV a case, piece by piece."""

import csv
import io
from collections.abc import Iterator

import numpy as np

from ..checkpoint import Checkpoint
from ..data import load
from ..errors import DataError, ModelError, UsageError
from ..files import as_cell, shown
from ..kernels import jit
from ..nn.losses import MARGINS
from ..nn.stack import Stack
from . import feeds, models, scores, sources

USUAL = {  # what is written where nothing is asked for
    "classify": "labels",
    "regress": "labels",
    "reconstruct": "reconstructions",
    "one_class": "anomaly",
    None: "codes",
}


def predict(
    model, data, *, give=None, split=None, label=None, ignore=(), share=None, calibrate=None, threads=None
) -> Iterator[bytes]:
    """CSV with a header: a line of what `give` names for every case.

    Class names, probabilities, margins, a regressor's numbers, codes, reconstructions, or scores of anomalies. Of one
    split of the data, the test cases where there are some, else the training cases. A label column named by `label` is
    left out. An anomaly is flagged where its score lies above that of all but a `share`, by default SHARE, of the cases
    that the data `calibrate` have to train with.
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
    dataset = load(data, label=label, ignore=ignore, spare=spare, fields=loaded.preparation.fields)
    sources.check_width(dataset, loaded.preparation, model)
    sources.warn(dataset)
    split = split or ("test" if "test" in dataset.splits else "train")
    if split not in dataset.splits:
        raise DataError(f"{dataset.name} has no split {shown(split)}; give --split {' or '.join(dataset.splits)}")
    cases = dataset.splits[split]
    if reader is None:
        given = dataset if calibrate is None else None
        known = scores.calibration(loaded, calibrate or data, given, label, ignore, spare)
        return _flagged(loaded, cases, known, scores.SHARE if share is None else share)
    return _lines(loaded, reader, cases, give, task)


def _flagged(loaded: Checkpoint, cases, known, share: float) -> Iterator[bytes]:
    """Scores, and 1 where they are above the threshold."""
    limit = scores.threshold(scores.anomaly(loaded, known, "--give anomaly"), share)
    found = scores.anomaly(loaded, cases, "--give anomaly")
    yield _csv([["score", "flag"]])
    for rows in models.blocks(len(cases)):
        yield _csv((f"{score:.7g}", int(score > limit)) for score in found[rows])


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


def _lines(loaded: Checkpoint, reader: models.Reader, cases, give: str, task) -> Iterator[bytes]:
    names = [as_cell(name) for name in loaded.preparation.classes]
    columns = loaded.preparation.columns if loaded.preparation.projection is None else ()
    restored = [as_cell(name) for name in columns] if give == "reconstructions" else []
    yield _csv([restored or _header(give, task, names, reader.network.outputs)])
    feed = feeds.visible_feed(cases.inputs, loaded.preparation)
    for _, _, a in reader.run(feed, len(cases)):
        if not np.isfinite(a).all():
            raise ModelError(
                "the model's outputs are not finite for these data; look at their range with `deepnet inspect`"
            )
        if give == "labels" and task == "classify":
            yield _csv([[names[c]] for c in a.argmax(axis=1)])
        elif give == "labels":
            p = loaded.preparation
            yield _csv((f"{v:.7g}" for v in row) for row in a * p.target_scale + p.target_offset)
        else:
            yield _csv((f"{v:.7g}" for v in row) for row in a)


def _header(give: str, task, names: list[str], width: int) -> list[str]:
    if give == "labels":
        return ["label"] if task == "classify" or width == 1 else [f"label{i + 1}" for i in range(width)]
    if give in ("probabilities", "margins"):
        return names
    return [f"{'code' if give == 'codes' else 'x'}{i + 1}" for i in range(width)]


def _csv(rows) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()

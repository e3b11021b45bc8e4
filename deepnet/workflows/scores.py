"""What a model says of single cases without labels: errors, energies, distances, and how unlike the training they are.

The score of an anomaly is the squared distance from the centre for a one-class network (Ruff et al. 2018, equation 5),
the free energy of its lowest machine for a stack of them, the squared error of the reconstruction for the others.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from .. import data as rooms
from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset
from ..errors import DataError, ModelError, UsageError
from ..nn.mixed import TYPES, mixed_of, unit_of
from ..nn.rbm import RBM, free_energy
from ..nn.stack import Stack
from . import feeds, models, sources
from .runs import dashes

SHARE = 0.05  # of cases like those of the training that may be flagged


def visible_blocks(loaded: Checkpoint, cases: Cases) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, prepared inputs (B, M)) block by block; the array is overwritten by the next one."""
    feed = feeds.visible_feed(cases.inputs, loaded.preparation)
    x = np.empty((models.CHUNK, loaded.preparation.width), np.float32)
    for rows in models.blocks(len(cases)):
        feed(rows, x[: len(rows)])
        yield rows, x[: len(rows)]


def visible(loaded: Checkpoint) -> str:
    """The units that a stack or an autoencoder restores its data by."""
    model = loaded.model
    return model.layers[0].visible if isinstance(model, Stack) else model.layers[-1].unit


def squared_errors(reader: models.Reader, loaded: Checkpoint, cases: Cases) -> np.ndarray:
    """(N,): each case's, between its scaled inputs and what the reader makes of them."""
    return _all(_errors(reader, loaded, [cases.inputs]))


def by_kind(loaded: Checkpoint, cases: Cases) -> dict:
    """Of mixed units: the squared error of a case's numbers, the shares of flags and categories that come out wrong.

    A flag is 1 where it is likelier than not, a category its likeliest value; those that are missing are not counted.
    """
    mixed = mixed_of(visible(loaded))
    if mixed is None:
        return {}
    wrong, count = dict.fromkeys(TYPES, 0.0), dict.fromkeys(TYPES, 0)
    reader = models.reconstructor(loaded)
    for _, x, y in reader.run(feeds.visible_feed(cases.inputs, loaded.preparation), len(cases)):
        for (name, _), (_, span) in zip(mixed.runs, mixed.spans, strict=True):
            v, own = x[:, span], y[:, span]
            if name == "linear":
                off, known = (own - v) ** 2, np.ones(len(v), bool)
            elif name == "logistic":
                off, known = (own > 0.5) != (v > 0.5), (v == 0) | (v == 1)
            else:
                off, known = own.argmax(axis=1) != v.argmax(axis=1), v.any(axis=1)
            wrong[name] += float(off[known].sum(dtype=np.float64))
            count[name] += len(v) if name == "linear" else int(known.sum())
    names = ("numbers_squared_error", "flag_error", "category_error")
    return {word: wrong[name] / count[name] for name, word in zip(TYPES, names, strict=True) if count[name]}


def free_energies(loaded: Checkpoint, cases: Cases) -> np.ndarray | None:
    """(N,): each case's in a stack's lowest layer; None where that is no machine."""
    return _all(_energies(loaded, [cases])) if isinstance(loaded.model.layers[0], RBM) else None


def squared_distances(loaded: Checkpoint, cases: Cases) -> np.ndarray:
    """(N,): each case's output's from the centre."""
    return _all(_distances(loaded, [cases.inputs]))


def _all(blocks: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(blocks))


def _feeds(loaded: Checkpoint, blocks: Iterable) -> Iterator[tuple]:
    """What a Reader reads blocks (n, D) of inputs from."""
    return ((feeds.visible_feed(inputs, loaded.preparation), len(inputs)) for inputs in blocks)


def _errors(reader: models.Reader, loaded: Checkpoint, blocks: Iterable) -> Iterator[np.ndarray]:
    """Squared distances (B,) of outputs from the inputs."""
    units = unit_of(visible(loaded))
    for x, y in reader.over(_feeds(loaded, blocks)):
        units.hide(x, y)
        yield ((y - x) ** 2).sum(axis=1, dtype=np.float64)


def _distances(loaded: Checkpoint, blocks: Iterable) -> Iterator[np.ndarray]:
    """Squared distances (B,) of outputs from the centre."""
    for _, a in models.whole(loaded).over(_feeds(loaded, blocks)):
        yield ((a - loaded.preparation.centre) ** 2).sum(axis=1, dtype=np.float64)


def _energies(loaded: Checkpoint, blocks: Iterable[Cases]) -> Iterator[np.ndarray]:
    """Free energies (B,) in the lowest machine."""
    rbm = loaded.model.layers[0]
    p = rbm.layout.views(rbm.layout.pack(loaded.arrays[0]))
    for cases in blocks:
        for _, x in visible_blocks(loaded, cases):
            yield free_energy(rbm, p, x)


def score_of(loaded: Checkpoint, option: str) -> str:
    """What the model's score of anomalies is; UsageError, naming what was asked for, where it has none."""
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    if task not in (None, "reconstruct", "one_class"):
        raise UsageError(
            f"{option}: this network was made to {task} and scores no anomalies; give an autoencoder, a stack, or a "
            "network of --task one_class"
        )
    if task == "one_class":
        return "squared_distance"
    return "free_energy" if task is None and isinstance(loaded.model.layers[0], RBM) else "squared_error"


def anomalies(loaded: Checkpoint, blocks: Iterable, option: str) -> Iterator[np.ndarray]:
    """Scores (B,), the larger the less like the training, of the cases of blocks (n, D)."""
    name = score_of(loaded, option)
    if name == "free_energy":
        scores = _energies(loaded, map(Cases, blocks))
    elif name == "squared_distance":
        scores = _distances(loaded, blocks)
    else:
        scores = _errors(models.reconstructor(loaded), loaded, blocks)
    for found in scores:
        if not np.isfinite(found).all():
            raise ModelError(
                "the model's scores are not finite for these data; look at their range with `deepnet inspect`"
            )
        yield found


def anomaly(loaded: Checkpoint, cases: Cases, option: str) -> np.ndarray:
    """Each case's score (N,), the larger the less like the training."""
    return _all(anomalies(loaded, [cases.inputs], option))


def threshold(scores: np.ndarray, share: float) -> float:
    """The least of the scores (N,) that at most this share of them lies above."""
    return float(np.sort(scores)[len(scores) - 1 - int(share * len(scores))])


def calibration(loaded: Checkpoint, source, given: Dataset | None, label, ignore, spare) -> Cases:
    """The cases that set the threshold: of the data that the model was trained on those that it held out, if any.

    Else the training cases. `given` are the data that are scored, where none were named to set the threshold: they must
    have training cases beside those that are scored.
    """
    if source == "-":
        raise UsageError("--give anomaly: standard input is read once; add --calibrate with a file")
    config = loaded.config
    label = label or (config.get("label") if given is None else None)
    dataset = given or rooms.load(source, label=label, ignore=ignore, spare=spare, like=loaded.preparation)
    if given is not None and list(dataset.splits) == ["train"]:
        raise DataError(
            f"{dataset.name} has no training cases beside those that are scored; add --calibrate with the data that "
            "the model was trained on"
        )
    sources.check_width(dataset, loaded.preparation, "the model")
    valid = config.get("valid", "none") if dataset.fingerprint == loaded.provenance.get("data") else "none"
    if valid.startswith("data ") or valid == "given":
        valid = "none"
    normal = config.get("normal", ()) if dataset.splits["train"].targets is not None else ()
    task, seed = "reconstruct", int(config.get("seed", 0))  # no labels
    like = loaded.preparation
    dataset, _ = sources.read(source, valid, task, label, ignore, seed, spare=spare, normal=normal, like=like)
    return dataset.splits.get("valid", dataset.splits["train"])


def detection(loaded: Checkpoint, model, data, split: str | None, label, ignore, normal) -> dict:
    """How well anomaly scores tell the normal classes from the others: the area under the ROC curve."""
    name = score_of(loaded, "--normal")
    every = sources.of_all_classes(loaded, split)
    dataset, cases, used = sources.open_split(every, model, data, "classify", split, label, ignore)
    other = ~np.isin(cases.targets, rooms.places(dataset, normal))
    if other.all() or not other.any():
        raise DataError(
            f"--normal {','.join(normal)}: {dataset.name} has {np.count_nonzero(~other)} cases of that and "
            f"{np.count_nonzero(other)} others here; both are wanted"
        )
    area, interval = evaluation.roc_auc(anomaly(loaded, cases, "--normal"), other)
    return {
        "model": model,
        "data": dataset.name,
        "split": used,
        "network": dashes(loaded.model.widths),
        "score": name.replace("_", " "),
        "normal": ", ".join(normal),
        "cases": len(cases),
        "anomalies": int(other.sum()),
        "auc": area,
        "auc_interval": interval,
    }


def distance(loaded: Checkpoint, cases: Cases) -> dict:
    """The mean squared distance of a one-class network's outputs from the centre."""
    distance, interval = evaluation.mean_with_interval(squared_distances(loaded, cases))
    return {"cases": len(cases), "squared_distance": distance, "squared_distance_interval": interval}


def energy(loaded: Checkpoint, cases: Cases) -> dict:
    """The free energy of a stack's lowest layer, if it is a machine."""
    energies = free_energies(loaded, cases)
    if energies is None:
        return {}
    energy, interval = evaluation.mean_with_interval(energies)
    return {"free_energy": energy, "free_energy_interval": interval}

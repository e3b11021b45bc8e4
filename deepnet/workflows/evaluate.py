"""evaluate: a model's figures on one split of data, each with a 95 % interval."""

from dataclasses import replace

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset, parse_valid, places
from ..errors import DataError, UsageError
from ..files import shown
from ..kernels import jit
from ..nn.stack import Stack
from ..training import Meter
from . import models, preparing, retrieval, scores, sources, students, teachers
from .logistic_pca import fit_logistic_pca
from .passes import check_passes, losses_of, mean_outputs
from .runs import dashes


def evaluate(
    model,
    data,
    *,
    split="test",
    label=None,
    ignore=(),
    mc=None,
    logistic_pca=False,
    normal=(),
    codes=None,
    teacher=(),
    threads=None,
    meter=None,
    say=lambda line: None,
) -> dict:
    """Figures of a model on a split of the data; `split` falls back on train where the data have no other.

    What the model is for decides what is measured: a classifier's error, a regressor's RMSE, the reconstruction of an
    autoencoder or a stack beside PCA of the same width. `mc`: by the mean of so many passes with dropout and noise.
    `normal`: how well anomaly scores tell these classes of a labelled split from the others, and that alone.
    `logistic_pca` trains that rival too, where outputs are logistic: `say` is told of it as it begins, `meter` shows
    how far it is. `codes`: a distance, euclidean or cosine, by which codes are set against labels, beside the data and
    PCA. `teacher`: a classifier beside these, several their mean; its cases need no labels then.
    """
    if threads is not None:
        jit.set_threads(threads)
    loaded = models.load(model, data)
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    if mc is not None:
        check_passes(loaded, model, task)
    if logistic_pca:
        _check_logistic(loaded, task)
    guides = _teachers(loaded, model, task, teacher, mc, normal) if teacher else None
    if normal:
        return _detection(loaded, model, data, split, label, ignore, normal)
    read_for = "mimic" if guides else task
    if codes is not None and task == "reconstruct":
        _check_labels(loaded, split)
        read_for = None  # reconstruct drops the labels
    dataset, cases, used = open_split(loaded, model, data, read_for, split, label, ignore)
    facts = {"model": model, "data": dataset.name, "split": used, "network": dashes(loaded.model.widths)}
    if count := dataset.unlabelled.get("train" if used == "all" else used):
        facts["unlabelled"] = count
    if used in ("all", "train") and dataset.fingerprint == loaded.provenance.get("data"):
        facts["note"] = "the model was trained on these cases; --split valid shows held-out ones, if there were any"
    beside = {}
    if codes is not None:
        pca = fit_pca(loaded, dataset, models.coder(loaded).network.outputs)
        beside = retrieval.measure(loaded, cases, pca, codes)
    if guides is not None:
        guides.check_data(dataset)
        return facts | _student(loaded, model, guides, cases) | beside
    if task in ("classify", "regress"):
        return facts | _supervised(loaded, cases, task, mc) | beside
    if task == "one_class":
        return facts | _distance(loaded, cases) | beside
    facts |= _reconstruction(loaded, dataset, cases)
    if logistic_pca:
        rival = fit_logistic_pca(dataset.splits["train"], loaded.preparation, facts["code"], meter or Meter(), say)
        facts["logistic_pca_squared_error"] = float(scores.squared_errors(rival, loaded, cases).mean())
    return facts | (_energy(loaded, cases) if task is None else {}) | beside


def _check_labels(loaded: Checkpoint, split: str) -> None:
    """UsageError where held-out cases were drawn without labels: with them, others would be drawn."""
    drawn = parse_valid(loaded.config.get("valid", "none"))[0] in ("fraction", "count")
    if drawn and split in ("train", "valid"):
        raise UsageError(
            f"--codes --split {split}: this autoencoder's cases were drawn without their labels; give --split test, or "
            "train it with --valid last:COUNT"
        )


def _detection(loaded: Checkpoint, model, data, split: str, label, ignore, normal) -> dict:
    """How well anomaly scores tell the normal classes from the others: the area under the ROC curve."""
    name = scores.score_of(loaded, "--normal")
    apart = replace(loaded, config=loaded.config | {"valid": "none", "normal": []})  # the split as the data have it
    dataset, cases, used = open_split(apart, model, data, "classify", split, label, ignore)
    other = ~np.isin(cases.targets, places(dataset, normal))
    if other.all() or not other.any():
        raise DataError(
            f"--normal {','.join(normal)}: {dataset.name} has {np.count_nonzero(~other)} cases of that and "
            f"{np.count_nonzero(other)} others here; both are wanted"
        )
    area, interval = evaluation.roc_auc(scores.anomaly(loaded, cases, "--normal"), other)
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


def _distance(loaded: Checkpoint, cases: Cases) -> dict:
    """The mean squared distance of a one-class network's outputs from the centre."""
    distance, interval = evaluation.mean_with_interval(scores.squared_distances(loaded, cases))
    return {"cases": len(cases), "squared_distance": distance, "squared_distance_interval": interval}


def _check_logistic(loaded: Checkpoint, task: str | None) -> None:
    """UsageError for models whose reconstructions logistic PCA is no rival of."""
    if task not in (None, "reconstruct"):
        raise UsageError(
            f"--logistic-pca: this network was made to {task} and reconstructs nothing; leave it out, or give an "
            "autoencoder or a stack"
        )
    model = loaded.model
    unit = model.layers[0].visible if isinstance(model, Stack) else model.layers[-1].unit
    if unit != "logistic":
        raise UsageError(
            f"--logistic-pca: this model reconstructs by {unit} units, and logistic PCA is for values in [0, 1] of "
            "logistic ones; leave it out: PCA is the rival there"
        )


def _teachers(loaded: Checkpoint, model, task: str | None, paths, mc: int | None, normal) -> teachers.Teachers:
    """The classifiers that a student is held against; UsageError for one that is none itself."""
    if task != "classify" or loaded.model.loss != "cross_entropy":
        raise UsageError(f"--teacher: {shown(model)} is no classifier with probabilities; leave it out")
    for option, given in (("--mc", mc is not None), ("--normal", normal)):
        if given:
            raise UsageError(
                f"--teacher measures all classes by single passes, and {option} does not: leave one of them"
            )
    return teachers.load(paths, shown(model), loaded.preparation.classes)


def _student(loaded: Checkpoint, model, guides: teachers.Teachers, cases: Cases) -> dict:
    """A classifier beside its teachers, and by itself on the cases that have a label."""
    named = cases.at(cases.targets >= 0) if cases.targets is not None else cases.at([])
    own = _supervised(loaded, named, "classify", None) if len(named) else {}
    few = {"labelled": len(named)} if 0 < len(named) < len(cases) else {}
    return own | {"cases": len(cases)} | few | students.measure(loaded, model, guides, cases)


def open_split(loaded: Checkpoint, model, data, task, split: str, label, ignore) -> tuple[Dataset, Cases, str]:
    """The data set, the cases of its split, and that split's name; data of one split are evaluated whole.

    The label column and those to leave out are the model's own where none are named; cases that were held out while
    training are held out again. To classify or regress, cases without a label are left out.
    """
    config = loaded.config
    classes = loaded.preparation.classes if task in ("classify", "mimic") else None
    held_out = config.get("valid", "none") if split in ("train", "valid") else "none"
    if held_out.startswith("data ") or held_out == "given":
        held_out = "none"
    label, spare = label or config.get("label"), tuple(config.get("ignore", ()))
    normal = config.get("normal", ())
    dataset, _ = sources.read(data, held_out, task, label, ignore, int(config.get("seed", 0)), classes, spare, normal)
    sources.check_width(dataset, loaded.preparation, shown(model))
    if split not in dataset.splits and split == "test" and list(dataset.splits) == ["train"]:
        split = "train"
    if split not in dataset.splits:
        raise DataError(f"{dataset.name} has no split {shown(split)}; give --split {' or '.join(dataset.splits)}")
    if task in ("classify", "regress"):
        dataset = sources.labelled(dataset, (split,))
    return dataset, dataset.splits[split], "all" if list(dataset.splits) == ["train"] else split


def outputs_of(loaded: Checkpoint, cases: Cases, task: str) -> tuple[np.ndarray, np.ndarray]:
    """A network's outputs (N, outputs) and losses (N,) on cases with targets."""
    feed = sources.network_feed(cases, loaded.preparation, task)
    objective = models.objective_of(loaded, feed)
    theta = models.pack(loaded.model, loaded.arrays)
    outputs = np.empty((len(cases), loaded.model.outputs), np.float32)
    losses = np.empty(len(cases), np.float32)
    for rows in models.blocks(len(cases)):
        objective.at(rows, None)
        objective.value(theta)
        outputs[rows], losses[rows] = objective.outputs, objective.case_losses
    return outputs, losses


def _supervised(loaded: Checkpoint, cases: Cases, task: str, mc: int | None) -> dict:
    """Classification or regression, from one pass without noise or the mean of `mc` with it."""
    outputs, losses = outputs_of(loaded, cases, task) if mc is None else (mean_outputs(loaded, cases, task, mc), None)
    facts = {} if mc is None else {"mc": mc}
    if task == "classify":
        loss, classes = loaded.model.loss, loaded.preparation.classes
        losses = losses_of(loss, outputs, cases.targets) if losses is None else losses
        return facts | evaluation.classification(outputs, cases.targets, losses, classes, loss)
    p = loaded.preparation
    return facts | evaluation.regression(outputs * p.target_scale + p.target_offset, cases.targets)


def fit_pca(loaded: Checkpoint, dataset: Dataset, components: int) -> evaluation.PCA:
    """Principal components of the training cases as the model sees them."""
    return preparing.fit_pca(dataset, loaded.preparation, components)


def _reconstruction(loaded: Checkpoint, dataset: Dataset, cases: Cases) -> dict:
    """Squared error a case, beside PCA of the code's width, both of the cases as the model sees them."""
    width = models.coder(loaded).network.outputs
    pca = fit_pca(loaded, dataset, width)
    ours = scores.squared_errors(models.reconstructor(loaded), loaded, cases)
    linear, plain = np.empty(len(cases)), np.empty(len(cases))
    for rows, x in scores.visible_blocks(loaded, cases):
        linear[rows] = ((pca.reconstruct(x) - x) ** 2).sum(axis=1)
        plain[rows] = ((pca.mean - x) ** 2).sum(axis=1)
    error, interval = evaluation.mean_with_interval(ours)
    word = "reconstruction_error" if isinstance(loaded.model, Stack) else "squared_error"
    return {
        "cases": len(cases),
        "prepared": None if loaded.preparation.only_scaled else preparing.described(loaded.preparation),
        "code": width,
        word: error,
        f"{word}_interval": interval,
        "pca_squared_error": float(linear.mean()),
        "mean_case_squared_error": float(plain.mean()),
    }


def _energy(loaded: Checkpoint, cases: Cases) -> dict:
    """The free energy of a stack's lowest layer, if it is a machine."""
    energies = scores.free_energies(loaded, cases)
    if energies is None:
        return {}
    energy, interval = evaluation.mean_with_interval(energies)
    return {"free_energy": energy, "free_energy_interval": interval}

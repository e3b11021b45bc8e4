"""evaluate: a model's figures on one split of data, each with a 95 % interval."""

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset
from ..errors import UsageError
from ..files import shown
from ..kernels import jit
from ..nn.mixed import unit_of, word_of
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
    split=None,
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
    """Figures of a model on a split of the data; by default of the test cases, or of all where the data have one split.

    What the model is for decides what is measured: a classifier's error, a regressor's RMSE, the reconstruction of an
    autoencoder or a stack beside PCA of the same width. All cases count alike, also where the model was trained with
    weights. `mc`: by the mean of so many passes with dropout and noise.
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
        _check_alone(mc, logistic_pca, codes)
        return scores.detection(loaded, model, data, split, label, ignore, normal)
    read_for = "mimic" if guides else task
    if codes is not None and task in sources.BLIND:
        read_for, loaded = None, sources.of_all_classes(loaded, split)  # with labels
    dataset, cases, used = sources.open_split(loaded, model, data, read_for, split, label, ignore)
    facts = {"model": model, "data": dataset.name, "split": used, "network": dashes(loaded.model.widths)}
    if count := dataset.unlabelled.get("train" if used == "all" else used):
        facts["unlabelled"] = count
    if sources.seen(loaded, dataset, used):
        some = f"{loaded.config['labels']} of " if "labels" in loaded.config else ""
        facts["note"] = f"the model was trained on {some}these cases; --split valid shows held-out ones, if any"
    if loaded.config.keys() & {"weights", "class_weight"}:
        facts["weighted"] = False
    beside = {}
    if codes is not None:
        pca = preparing.fit_pca(dataset, loaded.preparation, models.coder(loaded).network.outputs)
        beside = retrieval.measure(loaded, cases, pca, codes)
    if guides is not None:
        guides.check_data(dataset)
        return facts | _student(loaded, model, guides, cases) | beside
    facts |= measured(loaded, dataset, cases, task, mc)
    if logistic_pca:
        rival = fit_logistic_pca(dataset.splits["train"], loaded.preparation, facts["code"], meter or Meter(), say)
        facts["logistic_pca_squared_error"] = float(scores.squared_errors(rival, loaded, cases).mean())
    return facts | (scores.energy(loaded, cases) if task is None else {}) | beside


def measured(loaded: Checkpoint, dataset: Dataset, cases: Cases, task: str | None, mc: int | None = None) -> dict:
    """What counts for a model of a task (None: a stack) on these cases of the data set."""
    if task in ("classify", "regress"):
        return _supervised(loaded, cases, task, mc)
    return scores.distance(loaded, cases) if task == "one_class" else _reconstruction(loaded, dataset, cases)


def _check_alone(mc: int | None, logistic_pca: bool, codes: str | None) -> None:
    """UsageError for what --normal would leave out without a word."""
    for option, given in (("--mc", mc is not None), ("--logistic-pca", logistic_pca), ("--codes", codes is not None)):
        if given:
            raise UsageError(f"--normal measures anomaly scores alone, and {option} something else: leave one of them")


def _check_logistic(loaded: Checkpoint, task: str | None) -> None:
    """UsageError for models whose reconstructions logistic PCA is no rival of."""
    if task not in (None, "reconstruct"):
        raise UsageError(
            f"--logistic-pca: this network was made to {task} and reconstructs nothing; leave it out, or give an "
            "autoencoder or a stack"
        )
    unit = word_of(scores.visible(loaded))
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


def _supervised(loaded: Checkpoint, cases: Cases, task: str, mc: int | None) -> dict:
    """Classification or regression, from one pass without noise or the mean of `mc` with it."""
    if mc is None:
        facts, (outputs, losses) = {}, models.outputs_of(loaded, cases, task)
    else:
        facts, outputs, losses = {"mc": mc}, mean_outputs(loaded, cases, task, mc), None
    if task == "classify":
        loss, classes = loaded.model.loss, loaded.preparation.classes
        losses = losses_of(loss, outputs, cases.targets) if losses is None else losses
        return facts | evaluation.classification(outputs, cases.targets, losses, classes, loss)
    p, names = loaded.preparation, sources.targets_of(loaded.config, cases.targets.shape[1])
    return facts | evaluation.regression(outputs * p.target_scale + p.target_offset, cases.targets, names)


def _reconstruction(loaded: Checkpoint, dataset: Dataset, cases: Cases) -> dict:
    """Squared error a case, beside PCA of the code's width, both of the cases as the model sees them."""
    width = models.coder(loaded).network.outputs
    pca = preparing.fit_pca(dataset, loaded.preparation, width)
    ours, units = scores.squared_errors(models.reconstructor(loaded), loaded, cases), unit_of(scores.visible(loaded))
    linear, plain = np.empty(len(cases)), np.empty(len(cases))
    for rows, x in scores.visible_blocks(loaded, cases):
        for found, restored in ((linear, pca.reconstruct(x)), (plain, np.tile(pca.mean, (len(x), 1)))):
            units.hide(x, restored)
            found[rows] = ((restored - x) ** 2).sum(axis=1)
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
    } | scores.by_kind(loaded, cases)

"""evaluate: a model's figures on one split of data, each with a 95 % interval."""

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset
from ..errors import DataError
from ..files import shown
from ..kernels import jit
from ..nn.network import NetworkObjective
from ..nn.rbm import RBM, free_energy
from ..nn.stack import Stack
from . import models, sources
from .runs import dashes


def evaluate(model, data, *, split="test", label=None, ignore=(), threads=None) -> dict:
    """Figures of a model on a split of the data; `split` falls back on train where the data have no other.

    What the model is for decides what is measured: a classifier's error, a regressor's RMSE, the reconstruction of an
    autoencoder or a stack beside PCA of the same width.
    """
    if threads is not None:
        jit.set_threads(threads)
    loaded = models.load(model, data)
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    dataset, cases, used = open_split(loaded, model, data, task, split, label, ignore)
    facts = {"model": model, "data": dataset.name, "split": used, "network": dashes(loaded.model.widths)}
    if used in ("all", "train") and dataset.fingerprint == loaded.provenance.get("data"):
        facts["note"] = "the model was trained on these cases; --split valid shows held-out ones, if there were any"
    if task is None:
        return facts | _stack(loaded, dataset, cases)
    if task == "reconstruct":
        return facts | _reconstruction(loaded, dataset, cases)
    return facts | _supervised(loaded, cases, task)


def open_split(loaded: Checkpoint, model, data, task, split: str, label, ignore) -> tuple[Dataset, Cases, str]:
    """The data set, the cases of its split, and that split's name; data of one split are evaluated whole.

    The label column and those to leave out are the model's own where none are named; cases that were held out while
    training are held out again.
    """
    config = loaded.config
    classes = loaded.preparation.classes if task == "classify" else None
    held_out = config.get("valid", "none") if split in ("train", "valid") else "none"
    if held_out.startswith("data ") or held_out == "given":
        held_out = "none"
    label, spare = label or config.get("label"), tuple(config.get("ignore", ()))
    dataset, _ = sources.read(data, held_out, task, label, ignore, int(config.get("seed", 0)), classes, spare)
    sources.check_width(dataset, loaded.preparation, shown(model))
    if split not in dataset.splits and split == "test" and list(dataset.splits) == ["train"]:
        split = "train"
    if split not in dataset.splits:
        raise DataError(f"{dataset.name} has no split {shown(split)}; give --split {' or '.join(dataset.splits)}")
    return dataset, dataset.splits[split], "all" if list(dataset.splits) == ["train"] else split


def outputs_of(loaded: Checkpoint, cases: Cases, task: str) -> tuple[np.ndarray, np.ndarray]:
    """A network's outputs (N, outputs) and losses (N,) on cases with targets."""
    feed = sources.network_feed(cases, loaded.preparation, task)
    objective = NetworkObjective(loaded.model, feed, models.CHUNK)
    theta = models.pack(loaded.model, loaded.arrays)
    outputs = np.empty((len(cases), loaded.model.outputs), np.float32)
    losses = np.empty(len(cases), np.float32)
    for rows in models.blocks(len(cases)):
        objective.at(rows, None)
        objective.value(theta)
        outputs[rows], losses[rows] = objective.outputs, objective.case_losses
    return outputs, losses


def _supervised(loaded: Checkpoint, cases: Cases, task: str) -> dict:
    """Classification or regression."""
    outputs, losses = outputs_of(loaded, cases, task)
    if task == "classify":
        return evaluation.classification(outputs, cases.targets, losses, loaded.preparation.classes)
    p = loaded.preparation
    return evaluation.regression(outputs * p.target_scale + p.target_offset, cases.targets)


def fit_pca(loaded: Checkpoint, dataset: Dataset, components: int) -> evaluation.PCA:
    """Principal components of the scaled training cases."""
    train = dataset.splits["train"]
    pca = evaluation.PCA(train.inputs.shape[1], components)
    feed = sources.visible_feed(train.inputs, loaded.preparation)
    x = np.empty((models.CHUNK, train.inputs.shape[1]), np.float32)
    for rows in models.blocks(len(train)):
        feed(rows, x[: len(rows)])
        pca.add(x[: len(rows)])
    return pca.fit()


def _reconstruction(loaded: Checkpoint, dataset: Dataset, cases: Cases) -> dict:
    """Squared error a case, beside PCA of the code's width."""
    width = models.coder(loaded).network.outputs
    pca = fit_pca(loaded, dataset, width)
    ours, linear, plain = (np.empty(len(cases)) for _ in range(3))
    feed = sources.visible_feed(cases.inputs, loaded.preparation)
    for rows, x, y in models.reconstructor(loaded).run(feed, len(cases)):
        ours[rows] = ((y - x) ** 2).sum(axis=1, dtype=np.float64)
        linear[rows] = ((pca.reconstruct(x) - x) ** 2).sum(axis=1)
        plain[rows] = ((pca.mean - x) ** 2).sum(axis=1)
    error, interval = evaluation.mean_with_interval(ours)
    word = "reconstruction_error" if isinstance(loaded.model, Stack) else "squared_error"
    return {
        "cases": len(cases),
        "code": width,
        word: error,
        f"{word}_interval": interval,
        "pca_squared_error": float(linear.mean()),
        "mean_case_squared_error": float(plain.mean()),
    }


def _stack(loaded: Checkpoint, dataset: Dataset, cases: Cases) -> dict:
    """A stack's reconstruction through all its layers, and the free energy of its lowest layer if it is a machine."""
    rbm = loaded.model.layers[0]
    if not isinstance(rbm, RBM):
        return _reconstruction(loaded, dataset, cases)
    p = rbm.layout.views(rbm.layout.pack(loaded.arrays[0]))
    energies = np.empty(len(cases))
    feed = sources.visible_feed(cases.inputs, loaded.preparation)
    x = np.empty((models.CHUNK, rbm.inputs), np.float32)
    for rows in models.blocks(len(cases)):
        feed(rows, x[: len(rows)])
        energies[rows] = free_energy(rbm, p, x[: len(rows)])
    energy, interval = evaluation.mean_with_interval(energies)
    return _reconstruction(loaded, dataset, cases) | {"free_energy": energy, "free_energy_interval": interval}

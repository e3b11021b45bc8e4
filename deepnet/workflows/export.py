"""export: a model, or the log of a run, as a file for other tools."""

import os

import numpy as np

from .. import __version__, checkpoint, exports
from ..checkpoint import Checkpoint, Preparation
from ..errors import DataError, UsageError
from ..exports import FORMATS, Affine, Contrast, Distance, Largest, Program, Runs, Scaled, Step, Units
from ..files import check_output, read_input, shown, write_alone
from ..kernels.batchnorm import EPSILON
from ..nn.layers import BatchNorm, Maxout, Weighted
from ..nn.losses import MARGINS
from ..nn.mixed import mixed_of
from ..nn.stack import Stack
from . import models, sources
from .runs import dashes

READERS = {None: models.whole, "codes": models.coder, "reconstructions": models.reconstructor}
GIVES = "codes", "reconstructions"  # what may be asked for in place of a model's outputs
NAMES = {"regress": "values", "reconstruct": "reconstructions", "one_class": "score"}  # by the task


def export(file, output, *, give=None, force=False) -> dict:
    """Write a model, or a run's log, in the format that the suffix of `output` names; what was written.

    Of a network what it was made for (of a classifier each class's probability), of a stack its codes; or what `give`
    names. The way from the data up is whole: preparation, layers, and a regressor's numbers are those of the data.
    """
    suffix, name = os.path.splitext(os.fspath(output))[1].lower(), os.path.basename(os.fspath(output))
    if suffix not in FORMATS:
        listed = ", ".join(f"{name} ({format_.what})" for name, format_ in FORMATS.items())
        raise UsageError(f"--output {shown(output)}: the suffix names no format; end it in one of {listed}")
    check_output(output, force, inputs=(file,))
    format_, facts = FORMATS[suffix], {}
    if format_.source == "log":
        content = format_.write(_log(file, suffix, give), shown(os.path.basename(file)))
    else:
        program = program_of(checkpoint.load(file), give)
        content = format_.write(program, name)
        facts = {"gives": program.gives, "inputs": program.inputs, "outputs": program.outputs}
        if suffix == ".safetensors":
            facts["modules"] = exports.modules(program)
    write_alone(output, content)
    return {"written": os.fspath(output), "format": format_.what} | facts | {"bytes": len(content)}


def _log(source, suffix: str, give: str | None) -> bytes:
    """The log of a run."""
    if give is not None:
        raise UsageError(f"--give {give} is for a model, and {suffix} is made of a log; leave it")
    if models.is_model(source):
        raise UsageError(f"{shown(source)} is a model, and {suffix} is made of a log: give what --log wrote")
    return read_input(source, DataError)


def program_of(loaded: Checkpoint, give: str | None = None) -> Program:
    """The steps of a model up to what it gives, or to what `give` names."""
    p, task = loaded.preparation, None
    if not isinstance(loaded.model, Stack):
        task = sources.task_of(loaded.model.loss, p)
    give = give or ("codes" if task is None else None)
    if give not in READERS:
        raise UsageError(f"--give {give}: an export gives a model's outputs; leave it, or ask for {' or '.join(GIVES)}")
    if give == "reconstructions" and task not in (None, "reconstruct"):
        raise UsageError(f"--give reconstructions: this network was made to {task}; leave it, or ask for codes")
    reader = READERS[give](loaded)
    steps = [*_prepared(p), *_layers(reader)]
    if give is None and task == "regress":
        steps[-1] = _stretched(steps[-1], p)
    if give is None and task == "one_class":
        steps.append(Distance(p.centre))
    classes = p.classes if give is None and task == "classify" else ()
    title = dashes(reader.network.widths)
    gives = give or (_named(loaded) if task == "classify" else NAMES[task])
    known = classes, p.columns, p.shape, title, loaded.digest, __version__, p.fields
    targets = sources.headers_of(loaded.config, reader.network.outputs) if gives == NAMES["regress"] else ()
    return Program(tuple(steps), gives, *known, targets)


def _named(classifier: Checkpoint) -> str:
    """What a classifier's outputs are."""
    return "margins" if classifier.model.loss in MARGINS else "probabilities"


def _prepared(p: Preparation) -> list[Step]:
    """What is done to cases before the first layer."""
    steps: list[Step] = [Scaled(p.offset, p.scale)]
    if p.contrast is not None:
        steps.append(Contrast(p.contrast))
    if p.projection is not None:
        matrix, mean = p.projection.matrix, p.projection.mean
        steps += [Scaled(mean, np.ones_like(mean)), Affine(matrix, np.zeros(matrix.shape[1], np.float32))]
    return steps


def _layers(reader: models.Reader) -> list[Step]:
    """The layers that have weights; the others do nothing once a network is trained."""
    steps: list[Step] = []
    for layer, own in zip(reader.network.layers, reader.parts, strict=True):
        if not isinstance(layer, Weighted):
            continue
        steps.append(_normalized(own) if isinstance(layer, BatchNorm) else _affine(own))
        if isinstance(layer, Maxout):
            steps.append(Largest(layer.pieces))
        elif mixed := mixed_of(layer.unit):
            steps.append(Runs(mixed.runs))
        elif layer.unit != "linear":
            steps.append(Units(layer.unit))
    return steps


def _affine(own: dict) -> Affine:
    W = np.ascontiguousarray(own["W"])
    return Affine(W, np.array(own["b"]) if "b" in own else np.zeros(W.shape[1], np.float32))


def _normalized(own: dict) -> Affine:
    """Batch normalisation by the statistics of the training cases: gamma (x W - mean) / deviation + beta."""
    factor = own["gamma"].astype(np.float64) / np.sqrt(own["variance"].astype(np.float64) + EPSILON)
    return Affine((own["W"] * factor).astype(np.float32), (own["beta"] - own["mean"] * factor).astype(np.float32))


def _stretched(last: Affine, p: Preparation) -> Affine:
    """A regressor's last layer, which is linear, with the deviation and the mean of its targets in its weights."""
    scale, offset = p.target_scale.astype(np.float64), p.target_offset
    return Affine((last.W * scale).astype(np.float32), (last.b * scale + offset).astype(np.float32))

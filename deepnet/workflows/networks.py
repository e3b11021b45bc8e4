"""The network that a fine-tuning run begins with: from a stack, from another network, or from random weights."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from ..checkpoint import Checkpoint, Preparation
from ..data import has_label
from ..errors import DataError, UsageError
from ..files import shown
from ..kernels import random
from ..nn import initializers, stack
from ..nn.layers import BatchNorm, Dense, Maxout, Weighted, of_units
from ..nn.losses import loss_of
from ..nn.mixed import spell
from ..nn.network import Network
from ..nn.stack import Stack
from ..nn.units import UNITS
from . import one_class, preparing, sources
from .models import code_depth
from .plans import spread


def known_classes(parent: Checkpoint | None, task: str) -> tuple[str, ...] | None:
    """A network that classifies knows its classes; a stack takes the data's."""
    if parent is None or isinstance(parent.model, Stack) or task != "classify":
        return None
    return parent.preparation.classes or None


def like(parent: Checkpoint | None, mimicry) -> Preparation | None:
    """What data are to be like: those of the parent, or else of a teacher; None where there is neither."""
    known = parent if parent is not None else next(iter(mimicry.teachers.models.values())) if mimicry else None
    return None if known is None else known.preparation


def preparation_of(parent, dataset, scale, asked, task, start):
    """The parent's preparation, or a new one; the task adds class names or the targets' mean and deviation."""
    if parent is None:
        visible = "linear"
        if task == "reconstruct" and not asked and (dataset.units or scale in ("auto", "unit")):
            visible = preparing.visible_of("auto", dataset, asked)
        p = preparing.prepare(dataset, scale, visible, asked)
    elif asked:
        name = next(iter(asked))
        raise UsageError(f"--from prepares data as its file remembers and --{name} otherwise: leave one of them")
    else:
        p = parent.preparation
        sources.check_width(dataset, p, shown(start))
    offset, spread_ = p.target_offset, p.target_scale
    if task == "regress" and offset is None:
        train = dataset.splits["train"]
        targets = train.at(has_label(train.targets)).targets.astype(np.float64)
        deviation = np.sqrt(((targets - targets.mean(axis=0)) ** 2).mean(axis=0))
        offset = targets.mean(axis=0).astype(np.float32)
        spread_ = np.where(deviation > 0, deviation, 1).astype(np.float32)
    more = {"shape": dataset.shape, "classes": dataset.classes, "columns": dataset.columns}
    return replace(p, **more, target_offset=offset, target_scale=spread_)


def build(
    parent,
    dataset,
    preparation,
    task,
    layers,
    units,
    init,
    noise,
    dropout,
    loss=None,
    bias=True,
    batch_norm=False,
) -> tuple[Network, list[dict | str]]:
    """The network, and its layers' first arrays; of new ones the names of their initializers, which `draw` follows."""
    if batch_norm and parent is not None:
        raise UsageError("--batch-norm with --from: its layers stay as they are; leave it, or start from --layers")
    body, arrays = _below(parent, task)
    if parent is not None and not bias:
        raise UsageError("--from takes the layers of its file and --no-bias is for new layers: leave one of them")
    if parent is not None and isinstance(parent.model, Network) and not body:
        return _continue(parent, dataset, task, noise, dropout, loss)
    if parent is not None and task == "reconstruct":
        for rbm in parent.model.layers:
            _refuse_rowwise(rbm.hidden, "--from")
        network, arrays = stack.unroll(parent.model, parent.arrays)
        _check_code(network, dataset, "--from", (*noise, *dropout))
        return _with_noise(network, arrays, noise, dropout)
    if parent is None:
        body, arrays = _random_layers(preparation, task, layers, units, init)
        body = [_normalized(layer) for layer in body] if batch_norm else body
    if task == "one_class":
        if parent is not None and any(isinstance(layer, BatchNorm | Maxout) for layer in body):
            raise UsageError(
                "--from: its file has layers that need biases, of batch normalisation or maxout, and --task one_class "
                "takes them away; start from another file or from --layers"
            )
        return _with_noise(*one_class.network(body, arrays), noise, dropout)
    outputs, loss = _head(dataset, preparation, task, loss)
    below = body[-1].outputs if body else preparation.width
    made = *body, Dense(below, outputs, loss_of(loss).unit)
    network = Network(made if bias else one_class.without_biases(made), loss)
    if task == "reconstruct":
        _check_code(network, dataset, "--layers", (*noise, *dropout))
    return _with_noise(network, [*arrays, init[-1]], noise, dropout)


def draw(network: Network, arrays: list[dict | str], seed: int) -> list[dict]:
    """The layers' first arrays, with those drawn that only have the name of an initializer."""
    key, number, out = random.fold(seed, random.INITIALIZE), 0, []
    for layer, own in zip(network.layers, arrays, strict=True):
        if isinstance(own, str):
            own = _first_arrays(layer, own, random.fold(key, number))
        number += isinstance(layer, Weighted)
        out.append(own)
    return out


def _check_code(network: Network, dataset, option: str, noise) -> None:
    """Refuse an autoencoder that could pass its inputs through; with noise it cannot, so any width will do.

    DataError where no code is narrower than the data, UsageError where this one is not.
    """
    code, columns = min(network.widths[1:-1]), network.inputs
    if any(noise) or code < columns:
        return
    if columns == 1:
        raise DataError(
            f"{dataset.name} has 1 input column, and a code must be narrower than its data; give more columns, or "
            "--task classify or regress with a --label"
        )
    raise UsageError(
        f"{option}: the narrowest layer has {code} units and {dataset.name} {columns} columns, which it could copy; "
        f"make it narrower than {columns}, or add --dropout or --noise"
    )


def _below(parent: Checkpoint | None, task: str) -> tuple[list[Weighted], list[dict]]:
    """What a new output layer is put on: a stack's layers, or an autoencoder's up to its code; else nothing."""
    if parent is None or task == "reconstruct":
        return [], []
    if isinstance(parent.model, Stack):
        for rbm in parent.model.layers:
            _refuse_rowwise(rbm.hidden, "--from")
        return list(stack.encoder(parent.model)), [{"W": a["W"], "b": a["b"]} for a in parent.arrays]
    if sources.task_of(parent.model.loss, parent.preparation) != "reconstruct":
        return [], []
    depth = code_depth(parent)
    pairs = zip(parent.model.layers[:depth], parent.arrays[:depth], strict=True)
    kept = [(layer, own) for layer, own in pairs if isinstance(layer, Weighted)]
    return [layer for layer, _ in kept], [own for _, own in kept]


def _refuse_rowwise(unit: str, option: str) -> None:
    """UsageError for hidden units that act on a whole row: backpropagation here passes through single units."""
    if UNITS[unit].rowwise:
        raise UsageError(f"{option}: hidden layers of {unit} units are not fine-tuned here; use another unit")


def _random_layers(preparation, task, layers, units, init) -> tuple[list[Weighted], list[str]]:
    """Hidden layers from random weights; for reconstruct the hourglass of `layers` and its mirror image."""
    widths = [preparation.width, *layers]
    kinds, inits = spread(units, len(layers)), spread(init, len(layers))
    for kind in kinds:
        if kind == "softmax":
            raise UsageError(
                "--units softmax: a hidden layer of softmax units cannot be trained here; use another unit"
            )
    if task == "reconstruct":
        widths, kinds, inits = (
            [*widths, *reversed(layers[:-1])],
            [*kinds, *reversed(kinds[:-1])],
            [*inits, *reversed(inits[:-1])],
        )
    return [of_units(kind, below, above) for (below, above), kind in zip(pairwise(widths), kinds, strict=True)], inits


def _first_arrays(layer: Weighted, rule: str, key: int) -> dict[str, np.ndarray]:
    """First weights by an initializer, those of maxout piece by piece, factors of one, and biases of zero."""
    keys = [random.fold(key, piece) for piece in range(layer.pieces)] if isinstance(layer, Maxout) else [key]
    weights = np.hstack([initializers.draw(rule, own, layer.inputs, layer.outputs) for own in keys])
    rest = {name: shape for name, shape in layer.shapes().items() if name != "W"}
    return {"W": weights} | {name: np.full(shape, name == "gamma", np.float32) for name, shape in rest.items()}


def _normalized(layer: Weighted) -> BatchNorm:
    """The layer with batch normalisation before its units."""
    if not isinstance(layer, Dense):
        raise UsageError(f"--batch-norm: {layer.unit} has no single input a unit to normalise; use other --units")
    return BatchNorm(layer.inputs, layer.outputs, layer.unit)


def _head(dataset, preparation, task, loss) -> tuple[int, str]:
    """Number of output units and the loss of a task; that of classes may be chosen."""
    if task == "classify":
        if len(dataset.classes) < 2:
            raise DataError(
                f"{dataset.name} has {len(dataset.classes)} class; classification needs two, or use --task reconstruct"
            )
        return len(dataset.classes), loss or "cross_entropy"
    if task == "regress":
        return len(preparation.target_scale), "squared_error"
    if preparation.units:
        return preparation.width, spell(preparation.units)
    bounded = preparation.kind in ("auto", "unit") and preparation.only_scaled
    return preparation.width, "binary_cross_entropy" if bounded else "squared_error"


def _continue(parent, dataset, task, noise, dropout, loss) -> tuple[Network, list[dict]]:
    """A network trained on, as it is."""
    has = sources.task_of(parent.model.loss, parent.preparation)
    targets = dataset.splits["train"].targets
    if has == task == "regress" and targets.shape[1] != parent.model.outputs:
        raise DataError(f"{dataset.name} has {targets.shape[1]} targets but the network gives {parent.model.outputs}")
    if has != task:
        raise UsageError(
            f"--from: the network was made to {has}, not to {task}; give --task {has}, or start from its stack"
        )
    if loss not in (None, parent.model.loss):
        raise UsageError(
            f"--loss {loss} with --from NETWORK: its output layer was made for {parent.model.loss} and stays; start "
            "from a stack or --layers"
        )
    for option, values in (("--noise", noise), ("--dropout", dropout)):
        if any(values):
            raise UsageError(
                f"{option} with --from NETWORK: its layers stay as they are; start from a stack or --layers"
            )
    return parent.model, parent.arrays


def _with_noise(network: Network, arrays: list[dict], noise, dropout) -> tuple[Network, list[dict]]:
    """Layers of noise and dropout put in: one value for all hidden layers, or the input's and each hidden layer's."""
    each = []
    for option, given in (("--noise", noise), ("--dropout", dropout)):
        values = [0.0, *[given[0]] * (len(network.layers) - 1)] if len(given) == 1 else list(given)
        if len(values) != len(network.layers):
            raise UsageError(
                f"{option} has {len(values)} values; give one, or {len(network.layers)}: input, then each hidden layer"
            )
        each.append(values)
    layers = stack.with_noise(network.layers, *each)
    own = iter(arrays)
    return Network(layers, network.loss), [next(own) if isinstance(layer, Weighted) else {} for layer in layers]

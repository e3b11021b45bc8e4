"""One layer of a pre-training run: its first parameters, an epoch's figures, what it passes up."""

import numpy as np

from ..files.rows import Rows, scratch
from ..kernels import operands, products, random
from ..kernels.losses import total
from ..nn import autoencoder, initializers
from ..nn.autoencoder import Autoencoder, Restoration, Restoring
from ..nn.mixed import word_of
from ..nn.rbm import RBM, free_energy, start
from ..nn.units import UNITS
from ..optimizers import Momentum
from ..training import Stop, begin
from .models import CHUNK, blocks
from .plans import Plan, written

PROBED = 1000  # cases, training and held-out, for the free-energy gap
DEAD, SATURATED = 0.01, 0.99  # mean activations over an epoch (Hinton 2010, section 11)


def fresh(objective, optimizer: Momentum, theta: np.ndarray) -> dict[str, np.ndarray]:
    """All arrays that decide what comes next, before the first minibatch."""
    tally = {f"tally/{name}": array for name, array in objective.tally.items()}
    return begin() | optimizer.init(theta) | objective.state | tally


def row_of(i: int, plan: Plan) -> dict:
    """A layer's line in the table of the plan."""
    return {
        "layer": i + 1,
        "visible": word_of(plan.layer.visible),
        "hidden": plan.layer.hidden,
        "weights": f"{plan.layer.inputs} x {plan.layer.outputs}",
        "epochs": plan.epochs,
        "batch size": plan.batch_size,
        "learning rate": written(plan.learning_rate),
        "momentum": written(plan.momentum),
        **_peculiar(plan),
    }


def _peculiar(plan: Plan) -> dict:
    """What is peculiar to the method, in the table of the plan."""
    if isinstance(plan.layer, RBM):
        return {"CD steps": plan.cd_steps}
    rule = plan.rule
    if rule.corruption:
        return {"corruption": f"{rule.corruption}:{rule.level:g}"}
    return {"contraction": rule.contraction} if rule.contraction else {"sparsity": rule.sparsity_target or "|h|"}


def pass_up(layer: RBM | Autoencoder, arrays: dict, feed, cases: int, stop: Stop) -> np.ndarray | Rows:
    """Activations (cases, outputs) of a trained layer, computed once; in a temporary file where they are large.

    Stopped where `stop` gives a reason.
    """
    p = layer.layout.views(layer.layout.pack(arrays))
    codes = scratch((cases, layer.outputs))
    x, a = operands.matrix(CHUNK, layer.inputs), operands.matrix(CHUNK, layer.outputs)
    for rows in blocks(cases, stop):
        n = len(rows)
        feed(rows, x[:n])
        products.up(x[:n], p["W"], p["b"], UNITS[layer.hidden].code, a[:n])
        if UNITS[layer.hidden].rowwise:
            UNITS[layer.hidden].activate(a[:n])
        codes[rows] = a[:n]
    return codes


def probes_of(key: int, feeds: dict, sizes: dict, width: int) -> tuple[np.ndarray, np.ndarray] | None:
    """A fixed subset of the training cases and as many held-out ones, for the free-energy gap.

    Source: Hinton 2010, section 6.
    """
    if "valid" not in feeds:
        return None
    count = min(PROBED, sizes["train"], sizes["valid"])
    both = []
    for name in ("train", "valid"):
        x = operands.matrix(count, width)
        feeds[name](np.sort(random.permutation(random.fold(key, random.PROBE), sizes[name])[:count]), x)
        both.append(x)
    return both[0], both[1]


def figures_of(layer: RBM | Autoencoder, theta: np.ndarray, tally: dict, probes) -> dict[str, float]:
    """An epoch's figures. Reconstruction error: squared error a case, an autoencoder's loss beside it.

    Gap: mean free energy of held-out less training cases; an autoencoder's reconstruction error of held-out ones.
    """
    cases = float(tally["cases"][0])
    mean = tally["hidden"] / cases
    machine = isinstance(layer, RBM)
    metrics = {"reconstruction_error": float(tally["loss" if machine else "squared_error"][0]) / cases}
    if not machine:
        metrics["loss"] = float(tally["loss"][0]) / cases
    if probes is not None:
        metrics |= _gap(layer, theta, probes) if machine else _restored(layer, theta, probes[1])
    metrics["mean_activation"] = float(mean.sum()) / len(mean)
    if layer.hidden in ("logistic", "relu"):
        metrics["dead_units"] = int((mean < DEAD).sum()) / len(mean)
        if layer.units[1].bounded:
            metrics["saturated_units"] = int((mean > SATURATED).sum()) / len(mean)
    return metrics


def _gap(rbm: RBM, theta: np.ndarray, probes) -> dict[str, float]:
    """The free-energy gap (Hinton 2010, section 6)."""
    p = rbm.layout.views(theta)
    train, valid = (total(free_energy(rbm, p, x)) / len(x) for x in probes)
    return {"free_energy_gap": valid - train}


def deviation_of(layer: RBM | Autoencoder, theta: np.ndarray, probes) -> float:
    """The deviation of the free energy of training cases, against which a machine's gap is held; else infinite."""
    if probes is None or not isinstance(layer, RBM):
        return float("inf")
    return float(free_energy(layer, layer.layout.views(theta), probes[0]).std())


def _restored(model: Autoencoder, theta: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """The squared error a case of held-out cases that were not spoilt."""
    objective = Restoration(model, lambda rows, x: np.copyto(x, held_out), len(held_out), Restoring())
    objective.at(np.arange(len(held_out)), None)
    objective.gradient(theta)
    return {"validation_reconstruction_error": float(objective.tally["squared_error"][0]) / len(held_out)}


def first(plan: Plan, key: int, means: np.ndarray | None) -> np.ndarray:
    """A layer's first theta; `means` of the visibles set their biases, where they are wanted."""
    layer = plan.layer
    weights = initializers.draw(plan.init, random.fold(key, random.INITIALIZE), layer.inputs, layer.outputs)
    if isinstance(layer, RBM):
        return start(layer, weights, means)
    back = (
        None
        if layer.tied
        else initializers.draw(plan.init, random.fold(key, random.DECODER), layer.outputs, layer.inputs)
    )
    return autoencoder.start(layer, weights, back)

"""Small networks for tests: every unit, every loss, every layer."""

import numpy as np

from deepnet.nn.layers import BatchNorm, Dense, Dropout, Noise, of_units
from deepnet.nn.losses import LOSSES, loss_of
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.units import UNITS
from tests.nn.machines import MIXED, by_runs, runs_of

CASES, INPUTS, OUTPUTS = 6, 5, 3


def bodies(unit):
    """Layers below the output: none, one or several of units, dropout at every place and two of them in a row."""
    normalized = {
        "batchnorm": (BatchNorm(INPUTS, 6, unit), Dropout(6, 0.25), BatchNorm(6, 4, unit)),
        "batchnorm above": (of_units(unit, INPUTS, 6), Noise(6, 0.2), BatchNorm(6, 4, unit)),
    }
    return {
        "plain": (of_units(unit, INPUTS, 4),),
        "deep": (of_units(unit, INPUTS, 4), of_units(unit, 4, 4), Dense(4, 3, "tanh"), of_units(unit, 3, 4)),
        "dropout": (
            Dropout(INPUTS, 0.3),
            of_units(unit, INPUTS, 6),
            Dropout(6, 0.25),
            Dropout(6, 0.5),
            of_units(unit, 6, 4),
            Dropout(4, 0.4),
        ),
        "dropout below": (Dropout(INPUTS, 0.3), of_units(unit, INPUTS, 4)),
        "noise": (
            Noise(INPUTS, 0.3),
            of_units(unit, INPUTS, 6),
            Noise(6, 0.2),
            Dropout(6, 0.25),
            of_units(unit, 6, 4),
        ),
        "noise above": (of_units(unit, INPUTS, 4), Dropout(4, 0.25), Noise(4, 0.5)),
    } | (normalized if unit in UNITS else {})


def width_of(name):
    """Columns of mixed units."""
    return sum(width for _, width in runs_of(name))


NETWORKS = {
    f"{unit}-{loss}-{body}": Network((*layers, Dense(4, OUTPUTS, LOSSES[loss].unit)), loss)
    for unit in (*UNITS, "maxout:3")
    for loss in LOSSES
    for body, layers in bodies(unit).items()
} | {f"only-{loss}": Network((Dense(INPUTS, OUTPUTS, LOSSES[loss].unit),), loss) for loss in LOSSES}
NETWORKS |= {
    f"{unit}-mixed-{body}": Network((*layers, Dense(4, width_of(MIXED), MIXED)), MIXED)
    for unit in ("logistic", "relu", "tanh")
    for body, layers in bodies(unit).items()
}
NETWORKS |= {
    f"without biases-{loss}": Network(
        (
            Dense(INPUTS, 4, "leaky_relu", False),
            Dense(4, 4, "square", False),
            Dense(4, 4, "tanh"),
            Dense(4, OUTPUTS, LOSSES[loss].unit, False),
        ),
        loss,
    )
    for loss in LOSSES
}


def case(network, cases=CASES, seed=0):
    """x, t for a network: t probabilities, so that they serve every loss; of a teacher logits, and a label or none.

    Of mixed units each group's are probabilities, and in the first case the last category is missing.
    """
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(cases, network.inputs)), rng.random((cases, network.outputs))
    if network.loss == MIXED:
        t = np.hstack([part / part.sum(axis=1, keepdims=True) for _, _, part in by_runs(MIXED, t)])
        t[0, -3:] = 0
        return x, t
    if loss_of(network.loss).mimics:
        return x, np.column_stack([6 * t - 3, np.arange(cases) % (network.outputs + 1) - 1])
    return x, t / t.sum(axis=1, keepdims=True)


def objective(network, dtype, weight_decay=0.01, key=12, cases=CASES, **more):
    """A network's objective on fixed cases, and a theta, both of this type."""
    inputs, targets = case(network, cases)

    def feed(rows, x, t, key):
        x[...], t[...] = inputs[rows], targets[rows]

    made = NetworkObjective(network, feed, cases, weight_decay, dtype, everything=cases, **more)
    made.at(np.arange(cases), key)
    rng = np.random.default_rng(1)
    theta = network.layout.pack(
        {
            s.name: rng.normal(size=s.shape) / np.sqrt(s.shape[0] if len(s.shape) == 2 else 4)
            for s in network.layout.segments
        },
        dtype,
    )
    return made, theta


def places(layout):
    """Indices of theta's parameters, padding left out."""
    marks = layout.zeros()
    for view in layout.views(marks).values():
        view[...] = 1
    return np.flatnonzero(marks)

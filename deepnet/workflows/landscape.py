"""landscape: the loss of a network whose weights are moved along two random directions.

A direction is a normal draw a weight; those of each unit are scaled to the norm of the network's own weights of that
unit, so that nets of larger weights do not look flatter than they are, and biases stay (Li, Xu, Taylor, Studer and
Goldstein 2018, "Visualizing the loss landscape of neural nets", section 4).
"""

import numpy as np

from ..kernels import random
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from . import feeds, models
from .views import View

STEPS = np.arange(-7, 8) / 7  # along either direction; 1 is a direction's whole length
CASES, FEWEST, PRODUCTS = 500, 100, 10**9  # cases at each point, fewer of nets beyond so many weights times cases


def landscape(view: View):
    """Steps (S,), losses (S, S) by the second direction's step and the first's, middle, least and most of the border.

    And of how many cases, evenly spread over the data.
    """
    rows = view.evenly(max(FEWEST, min(CASES, PRODUCTS // view.model.model.layout.count)))
    objective = models.objective_of(view.model, feeds.network_feed(view.cases, view.model.preparation, view.task))
    objective.at(rows, None)
    theta, key = models.pack(view.model.model, view.model.arrays), random.fold(0, random.LANDSCAPE)
    loss = surface(objective, theta, *(direction(view.model.model, theta, random.fold(key, i)) for i in range(2)))
    middle, edge = float(loss[len(STEPS) // 2, len(STEPS) // 2]), np.concatenate([loss[[0, -1]], loss.T[[0, -1]]])
    border = float(np.fmin.reduce(edge, axis=None)), float(np.fmax.reduce(edge, axis=None))
    view.facts.update(landscape_cases=len(rows), landscape_loss=middle, landscape_border_loss=list(border))
    return STEPS, loss, middle, border, len(rows)


@np.errstate(over="ignore", invalid="ignore")  # of a network that diverged
def direction(network: Network, theta: np.ndarray, key: int) -> np.ndarray:
    """A random vector like theta, each unit's part as long as the unit's incoming weights in theta; 0 for biases."""
    found = network.layout.zeros()
    own = network.layout.views(theta)
    for number, (name, part) in enumerate(network.layout.views(found).items()):
        if part.ndim == 2:
            drawn = random.normal(random.fold(key, number), 0, *part.shape)
            part[...] = drawn * (_lengths(own[name]) / _lengths(drawn))
    return found


def _lengths(W: np.ndarray) -> np.ndarray:
    """The norm (N,) of each unit's incoming weights (M, N)."""
    return np.sqrt(np.square(W, dtype=np.float64).sum(axis=0))


@np.errstate(over="ignore", invalid="ignore")  # far from the network a loss may be past all numbers
def surface(objective: NetworkObjective, theta: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The objective (S, S) at theta + a first + b second; a row has one b of STEPS, a column one a."""
    at, loss = objective.layout.zeros(), np.empty((len(STEPS), len(STEPS)))
    steps = STEPS.astype(np.float32)
    for i, b in enumerate(steps):
        row = theta + b * second
        for j, a in enumerate(steps):
            np.multiply(first, a, out=at)
            at += row
            loss[i, j] = objective.value(at)
    return loss

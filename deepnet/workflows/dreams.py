"""dreams: what a stack of Boltzmann machines believes the world to be like, drawn from it by Gibbs sampling.

Chains run in the top machine; what its visible side expects is brought down by the means of the layers below (Hinton,
Osindero and Teh 2006, section 6).
"""

from itertools import pairwise

import numpy as np

from ..kernels import random
from ..nn import stack as stacks
from ..nn.gibbs import Gibbs
from ..nn.mixed import mixed_of
from ..nn.network import Network
from ..nn.rbm import RBM
from ..nn.units import UNITS
from . import feeds, models, preparing
from .views import View

CHAINS = 10
# Steps of Gibbs sampling at which one looks, from every one to every twentieth.
LOOKS = (*range(11), *range(12, 31, 2), *range(35, 101, 5), *range(120, 301, 20))
KEY = 0x6769626273


def samples(view: View):
    """Steps (T,), what the chains look like then (T, CHAINS, D), the shape of a case, and where they began."""
    model = view.model
    machine, arrays = model.model.layers[-1], model.arrays[-1]
    start = _noise(machine) if view.cases is None else _encoded(view)
    chains, down = Gibbs(machine, arrays, len(start), KEY), _way_down(view)
    v, seen = start, [_look(view, down, start)]
    for before, step in pairwise(LOOKS):
        for _ in range(step - before):
            v = chains.step(v)
        seen.append(_look(view, down, chains.mean))
    return np.array(LOOKS), np.stack(seen), view.shape, "noise" if view.cases is None else "data"


def lacks(view: View) -> str | None:
    """Why nothing can be drawn from a model."""
    if view.task is None and isinstance(view.model.model.layers[-1], RBM):
        return None
    what = "this stack is of autoencoders" if view.task is None else f"this network was made to {view.task}"
    return f"samples are drawn from a stack of Boltzmann machines and {what}; give the file that deepnet pretrain made"


def _noise(machine: RBM) -> np.ndarray:
    """States that know nothing of data: of bounded units 0 or 1, of others normal draws, of rectifiers their size.

    Mixed units are drawn as those of a machine without weights and biases.
    """
    if mixed := mixed_of(machine.visible):
        states_t = np.zeros((machine.inputs, CHAINS), np.float32)
        mixed.sample(np.zeros((CHAINS, machine.inputs), np.float32), KEY, 1 << 30, states_t)
        return np.ascontiguousarray(states_t.T)
    if UNITS[machine.visible].bounded:
        return (random.uniform(KEY, 1 << 30, CHAINS, machine.inputs) < 0.5).astype(np.float32)
    drawn = random.normal(KEY, 1 << 30, CHAINS, machine.inputs).astype(np.float32)
    return np.abs(drawn) if machine.visible == "relu" else drawn


def _encoded(view: View) -> np.ndarray:
    """Some cases as the top machine sees them."""
    x, below = view.rows(view.spread(CHAINS)), len(view.model.model.layers) - 1
    if not below:
        return x
    full = models.whole(view.model)
    reader = models.Reader(Network(full.network.layers[:below], full.network.loss), full.parts[:below])
    return reader.all(feeds.code_feed(x), len(x))


def _way_down(view: View) -> models.Reader | None:
    """From the top machine's visible side to that of the lowest; None where they are one."""
    below = len(view.model.model.layers) - 1
    if not below:
        return None
    layers, arrays = stacks.hourglass(view.model.model, view.model.arrays)
    network = Network(layers[-below:], "squared_error")
    return models.Reader(network, models.parts_of(network, arrays[-below:]))


def _look(view: View, down: models.Reader | None, v: np.ndarray) -> np.ndarray:
    """States or means of the top machine's visible side as cases, (n, D)."""
    cases = np.array(v) if down is None else down.all(feeds.code_feed(np.ascontiguousarray(v)), len(v))
    return preparing.to_columns(view.model.preparation, cases)

"""INITIALIZERS: the first weights (inputs, outputs) of a layer, from a key alone. Biases begin at zero.

A name may carry a number, `gaussian:0.01`, which takes the place of its default.
"""

import math
from collections.abc import Callable

import numpy as np

from ..errors import UsageError
from ..kernels import random


def gaussian(key: int, inputs: int, outputs: int, deviation: float) -> np.ndarray:
    """N(0, deviation^2); 0.1 in the code of Hinton and Salakhutdinov 2006, 0.01 in Hinton 2010, section 8."""
    return random.normal(key, 0, inputs, outputs) * np.float32(deviation)


def glorot(key: int, inputs: int, outputs: int, gain: float) -> np.ndarray:
    """U(-r, r), r = gain sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010, eq. 16)."""
    return uniform(key, inputs, outputs, gain * math.sqrt(6 / (inputs + outputs)))


def uniform(key: int, inputs: int, outputs: int, bound: float) -> np.ndarray:
    """U(-bound, bound), whatever the layer's size, as Goodfellow et al. 2013 drew theirs (bound 0.005 for maxout)."""
    return (random.uniform(key, 0, inputs, outputs) * np.float32(2) - np.float32(1)) * np.float32(bound)


def he(key: int, inputs: int, outputs: int, gain: float) -> np.ndarray:
    """N(0, gain^2 2 / inputs), for rectifiers (He et al. 2015, eq. 10)."""
    return random.normal(key, 0, inputs, outputs) * np.float32(gain * math.sqrt(2 / inputs))


def sparse(key: int, inputs: int, outputs: int, deviation: float) -> np.ndarray:
    """Every unit gets 15 incoming weights from N(0, deviation^2) at random places, the others 0.

    Source: Martens 2010, section 5.
    """
    fan_in = min(15, inputs)
    order = np.argsort(random.bits(key, 1, outputs, inputs), axis=1, kind="stable")[:, :fan_in]
    weights = np.zeros((inputs, outputs), np.float32)
    values = random.normal(key, 0, outputs, fan_in) * np.float32(deviation)
    weights[order, np.arange(outputs)[:, None]] = values
    return weights


Initializer = Callable[[int, int, int, float], np.ndarray]
INITIALIZERS: dict[str, tuple[Initializer, float]] = {
    "gaussian": (gaussian, 0.01),
    "glorot": (glorot, 1.0),
    "he": (he, 1.0),
    "sparse": (sparse, 1.0),
    "uniform": (uniform, 0.01),
}


def draw(text: str, key: int, inputs: int, outputs: int) -> np.ndarray:
    """Weights float32 (inputs, outputs) by the initializer that `text` names, `NAME` or `NAME:NUMBER`."""
    function, value = parse(text)
    return function(key, inputs, outputs, value)


def parse(text: str) -> tuple[Initializer, float]:
    """The function and the number of `NAME` or `NAME:NUMBER`; UsageError where there is none."""
    name, _, number = text.partition(":")
    if name not in INITIALIZERS:
        raise UsageError(f"--init {text}: no such initializer; there are {', '.join(INITIALIZERS)}")
    function, default = INITIALIZERS[name]
    try:
        value = float(number) if number else default
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(f"--init {text}: {number!r} is not a positive number; write for example {name}:{default}")
    return function, value

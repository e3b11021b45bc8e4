"""Logistic PCA, the rival of autoencoders of values in [0, 1]: M-k-M with a linear code and logistic outputs.

Source: Hinton and Salakhutdinov 2006, who report it beside their deep autoencoders. It has no closed form, so it is
trained, on the cross-entropy of the training cases, in arithmetic that gives the same bits on every machine.

On MNIST, code 30, squared error a test case; published is 8.01. Adam, minibatches of 500: 7.82 after 3600 updates from
0.01, 7.78 after 6000 from 0.02; Nesterov's momentum 0.99 about the same, 0.9 8.05; L-BFGS 9.26 after 60 iterations in
twice the time.
"""

import math
from collections.abc import Callable

import numpy as np

from ..data import Cases
from ..kernels import random
from ..nn import initializers
from ..nn.layers import Dense
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from ..optimizers import OPTIMIZERS
from ..optimizers.schedules import parse
from ..training import Course, Good, Meter, begin, fit
from . import feeds, models
from .runs import dashes

UPDATES, BATCH = 5000, 500
RATE = "cosine:0.02:0.0001"


def fit_logistic_pca(cases: Cases, preparation, width: int, meter: Meter, say: Callable) -> models.Reader:
    """Logistic PCA of the scaled training cases (N, M), `width` of its code, as a function from cases to their twins.

    UPDATES steps of Adam from a fixed seed, over the cases in one order that has each of them equally often.
    """
    network = network_of(preparation.width, width)
    count, batch = len(cases), min(BATCH, len(cases))
    feed = feeds.network_feed(cases, preparation, "reconstruct")
    objective = NetworkObjective(network, lambda rows, x, t, key: feed(rows % count, x, t), batch)
    rule = OPTIMIZERS["adam"](learning_rate=parse("--logistic-pca", RATE, UPDATES, 1))
    theta = models.pack(network, first_arrays(network, cases, preparation))
    course = Course(f"logistic PCA {dashes(network.widths)}", UPDATES * batch, batch, 1, random.fold(0, random.ORDER))
    say(f"{course.stage}, {UPDATES:,} minibatches of {batch} training cases")
    for _ in fit(objective, rule, theta, begin() | rule.init(theta), Good(), course, lambda: None, meter):
        pass
    return models.Reader(network, network.split(theta))


def network_of(inputs: int, width: int) -> Network:
    """M-k-M; a code is at most as wide as the data."""
    k = min(width, inputs)
    return Network((Dense(inputs, k, "linear"), Dense(k, inputs, "logistic")), "binary_cross_entropy")


def first_arrays(network: Network, cases: Cases, preparation) -> list[dict]:
    """Small random weights; the output biases give the mean case, which would cost hundreds of updates to find."""
    total = models.sums_of(feeds.visible_feed(cases.inputs, preparation), len(cases), network.inputs)
    mean = (total + 0.5) / (len(cases) + 1)  # never 0 or 1, where the logit has no end
    logits = [math.log(p / (1 - p)) for p in mean]  # NumPy's own logarithm depends on the CPU
    biases = np.zeros(network.layers[0].outputs), np.array(logits)
    return [
        {"W": initializers.draw("gaussian", random.fold(0, random.INITIALIZE, i), layer.inputs, layer.outputs),
         "b": bias.astype(np.float32)}
        for i, (layer, bias) in enumerate(zip(network.layers, biases, strict=True))
    ]  # fmt: skip

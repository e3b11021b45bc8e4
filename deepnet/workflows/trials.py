"""How long a run will take on this machine: a plan tries some of its minibatches, on weights that are thrown away."""

import statistics
import time
from collections.abc import Callable

import numpy as np

from ..kernels import jit, random
from ..optimizers import OPTIMIZERS
from .work import Work

SECONDS, LEAST, MOST = 0.3, 3, 1000  # of trying, minibatches at least, cases of a minibatch at most


def possible(name: str) -> bool:
    """Whether minibatches can be tried: kernels are compiled, and this optimizer does not search along lines."""
    return jit.ENABLED and jit.warm() and OPTIMIZERS[name].needs == ("gradient",)


def drawn(key: int, width: int) -> Callable:
    """A feed of codes in (0, 1), which no layer has made."""
    codes = random.uniform(key, 0, MOST, width)
    return lambda rows, x: np.copyto(x, codes[: len(rows)])


def seconds(objective, optimizer, theta: np.ndarray, work: Work, seed: int) -> float:
    """Seconds that a stage takes, from the median minibatch after the first, which may have loaded kernels."""
    theta, took, began = theta.copy(), [], time.perf_counter()
    state, cases = optimizer.init(theta), min(work.batch_size, MOST)
    while len(took) <= LEAST or time.perf_counter() - began < SECONDS:
        rows = np.arange(len(took) * cases, (len(took) + 1) * cases) % work.cases
        start = time.perf_counter()
        objective.at(rows, random.fold(seed, random.PROBE, len(took)))
        optimizer.step(objective, theta, state)
        took.append(time.perf_counter() - start)
    case = statistics.median(took[1:]) / cases
    return case * work.whole / work.case


def minutes(found: list[float]) -> dict[str, float]:
    """What a plan shows of the seconds of its stages."""
    return {"estimated_minutes": float(f"{sum(found) / 60:.2g}")}

"""CORRUPTIONS: how a denoising autoencoder's input is spoilt; each a function of the key alone.

Each writes the spoilt x (B, M) and which elements it touched, 1 or 0, (B, M). Source: Vincent et al. 2010, section 3.3.
"""

from collections.abc import Callable

import numpy as np

from ..errors import UsageError
from ..kernels import random

Corruption = Callable[[int, np.ndarray, float, np.ndarray, np.ndarray], None]


def masking(key: int, x: np.ndarray, level: float, out: np.ndarray, touched: np.ndarray) -> None:
    """Each element 0 with probability `level`."""
    np.less(random.uniform(key, 0, *x.shape), np.float32(level), out=touched, casting="unsafe")
    np.multiply(x, 1 - touched, out=out)


def salt_pepper(key: int, x: np.ndarray, level: float, out: np.ndarray, touched: np.ndarray) -> None:
    """Each element 0 or 1, by a fair coin, with probability `level`."""
    draws = random.uniform(key, 0, *x.shape)
    np.less(draws, np.float32(level), out=touched, casting="unsafe")
    np.copyto(out, x)
    np.copyto(out, (draws < np.float32(level / 2)).astype(x.dtype), where=touched > 0)


def gaussian(key: int, x: np.ndarray, level: float, out: np.ndarray, touched: np.ndarray) -> None:
    """Normal noise of deviation `level` on every element."""
    np.multiply(random.normal(key, 0, *x.shape), np.float32(level), out=out, casting="unsafe")
    out += x
    touched[...] = 1


# With the level where none is given, and the highest there may be, itself not allowed.
CORRUPTIONS: dict[str, tuple[Corruption, float, float]] = {
    "masking": (masking, 0.25, 1.0),
    "salt_pepper": (salt_pepper, 0.25, 1.0),
    "gaussian": (gaussian, 0.3, np.inf),
}


def parse(text: str) -> tuple[str, float]:
    """The name and the level of `NAME` or `NAME:LEVEL`; UsageError where it is none."""
    name, _, number = text.partition(":")
    if name not in CORRUPTIONS:
        raise UsageError(f"--corruption {text}: no such corruption; there are {', '.join(CORRUPTIONS)}")
    _, level, most = CORRUPTIONS[name]
    try:
        level = float(number) if number else level
    except ValueError:
        level = np.nan
    if not 0 <= level < most:
        bounds = "at least 0 and below 1" if most == 1 else "at least 0"
        raise UsageError(f"--corruption {text}: the level must be {bounds}; write for example {name}:0.3")
    return name, level

"""Linear conjugate gradients on a positive definite system, cut short as Martens (2010) does.

Minimises phi(x) = 1/2 x'Ax - b'x, preconditioned; iterates are kept at growing distances for backtracking.
"""

import math
from collections.abc import Callable

import numpy as np

from ..kernels import updates

FIRST, GROWTH = 5, 1.3  # iterates are kept at about 5, 5 * 1.3, 5 * 1.3^2 ... (section 4.6)
WINDOW, SHARE = 10, 0.1  # progress is looked at over max(WINDOW, SHARE i) iterations (section 4.4)


def solve(
    product: Callable[[np.ndarray], np.ndarray],
    b: np.ndarray,
    start: np.ndarray,
    precondition: Callable[[np.ndarray, np.ndarray], None],
    most: int,
    tolerance: float,
) -> tuple[list[np.ndarray], list[float], int]:
    """(iterates kept, phi of each, iterations); the last iterate is always kept.

    `product(v)` gives A v; `precondition(r, out)` puts M^-1 r into out. It stops at iteration i > k when phi < 0 and
    the last k iterations brought less than k `tolerance` of it, k = max(10, 0.1 i) (Martens 2010, section 4.4).
    """
    x = start.copy()
    r = product(x) - b
    y = np.zeros_like(r)
    precondition(r, y)
    p = -y
    delta = updates.dot(r, y)
    values = [0.5 * (updates.dot(x, r) - updates.dot(x, b))]
    kept: list[np.ndarray] = []
    phis: list[float] = []
    mark, i = float(FIRST), 0
    while i < most and delta > 0:
        Ap = product(p)
        curvature = updates.dot(p, Ap)
        if not curvature > 0:  # the system is no longer positive in this precision
            break
        i, alpha = i + 1, delta / curvature
        updates.add(x, p, alpha)
        updates.add(r, Ap, alpha)
        precondition(r, y)
        before, delta = delta, updates.dot(r, y)
        p *= p.dtype.type(delta / before)
        p -= y
        values.append(0.5 * (updates.dot(x, r) - updates.dot(x, b)))
        if not math.isfinite(values[-1]):
            break
        window = max(WINDOW, math.ceil(SHARE * i))
        gained = values[i] - values[i - window] if i > window else -math.inf
        done = i > window and values[i] < 0 and gained / values[i] < window * tolerance
        if i >= math.ceil(mark) or done or i == most:
            kept.append(x.copy())
            phis.append(values[i])
            while math.ceil(mark) <= i:
                mark *= GROWTH
        if done:
            break
    if not kept or phis[-1] != values[-1]:
        kept.append(x.copy())
        phis.append(values[-1])
    return kept, phis, i


def most_kept(most: int) -> int:
    """How many iterates `solve` keeps of at most `most` iterations."""
    return 2 + max(0, math.floor(math.log(most / FIRST) / math.log(GROWTH)))

"""95 % intervals of a share, of a mean, and of what is made of several of them.

Axes: N cases.
"""

import math

import numpy as np

Z95 = 1.959963984540054


def wilson(count: int, cases: int) -> list[float]:
    """Interval of a share (Wilson 1927)."""
    share, z2 = count / cases, Z95**2
    centre, reach = share + z2 / (2 * cases), Z95 * math.sqrt(share * (1 - share) / cases + z2 / (4 * cases**2))
    low = (centre - reach) / (1 + z2 / cases) if count else 0.0
    return [max(0.0, low), min(1.0, (centre + reach) / (1 + z2 / cases))]


def mean_with_interval(values: np.ndarray) -> tuple[float, list[float]]:
    """Mean of (N,) and its interval."""
    mean = float(values.mean(dtype=np.float64))
    reach = Z95 * float(values.std(dtype=np.float64, ddof=1 if len(values) > 1 else 0)) / math.sqrt(len(values))
    return mean, [mean - reach, mean + reach]


def mean_of_shares(counts: np.ndarray, cases: np.ndarray) -> tuple[float, list[float]]:
    """Mean of several shares and its interval: counts of cases, (K,) both, no number of cases 0.

    Its ends are as far off as those of Wilson's intervals, added in squares (Zou and Donner 2008, equation 4).
    """
    shares = counts / cases
    low, high = np.array([wilson(int(k), int(n)) for k, n in zip(counts, cases, strict=True)]).T
    mean, below, above = float(shares.mean()), math.hypot(*(shares - low)), math.hypot(*(high - shares))
    return mean, [max(0.0, mean - below / len(cases)), min(1.0, mean + above / len(cases))]


def ratio_of_means(one: np.ndarray, other: np.ndarray) -> tuple[float, list[float]]:
    """Mean of one over that of the other, (N,) both, and its interval, linear in both (Cochran 1977, section 2.11)."""
    below = float(other.mean())
    ratio = float(one.mean()) / below
    _, (low, high) = mean_with_interval(one - ratio * other)
    return ratio, [ratio + low / below, ratio + high / below]

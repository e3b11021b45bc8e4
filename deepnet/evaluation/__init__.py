"""Metrics: arrays in, numbers out. Intervals are 95 %: Wilson's for a share, the normal one for a mean.

Axes: N cases, C classes, D columns, K components.
"""

import math

import numpy as np

from .calibration import calibration
from .codes import clusters, neighbour_error, neighbours, normalised_mutual_information, purity, retrieval_precision
from .intervals import mean_of_shares, mean_with_interval, ratio_of_means, wilson
from .tasks import classification, regression, roc_auc

__all__ = [
    "PCA",
    "calibration",
    "classification",
    "clusters",
    "difference",
    "mcnemar",
    "mean_of_shares",
    "mean_with_interval",
    "neighbour_error",
    "neighbours",
    "normalised_mutual_information",
    "paired",
    "purity",
    "ratio_of_means",
    "regression",
    "retrieval_precision",
    "roc_auc",
    "wilson",
]

CERTAIN = 0.05  # a difference that chance makes less often is called one


def mcnemar(one: np.ndarray, other: np.ndarray) -> float:
    """How often chance alone splits the cases that one of two classifiers gets wrong at least as unevenly, two-sided.

    one, other (N,): whether each case is wrong. The exact binomial form (McNemar 1947).
    """
    first, second = int((one & ~other).sum()), int((other & ~one).sum())
    count, few = first + second, min(first, second)
    log_half, total = count * math.log(0.5), 0.0
    for k in range(few + 1):
        total += math.exp(math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) + log_half)
    return min(1.0, 2 * total)


def paired(one: np.ndarray, other: np.ndarray) -> float:
    """How often chance alone makes a mean paired difference as large, two-sided, by the normal law; (N,) both."""
    apart = one - other
    spread = float(apart.std(ddof=1 if len(apart) > 1 else 0)) / math.sqrt(len(apart))
    if spread == 0:
        return 0.0 if apart.any() else 1.0
    return math.erfc(abs(float(apart.mean())) / spread / math.sqrt(2))


def difference(own: np.ndarray, first: np.ndarray, shares: bool) -> dict:
    """How what counts against one model, case by case (N,), differs in the mean from what counts against the first.

    `shares`: it is 1 or 0, wrong or not, and the test McNemar's.
    """
    mean, reach = mean_with_interval(own - first)
    p = mcnemar(own > 0, first > 0) if shares else paired(own, first)
    verdict = "no difference" if p >= CERTAIN else "better" if mean < 0 else "worse"
    return {
        "difference": float(f"{mean:.3g}"),
        "difference_interval": reach,
        "p": float(f"{p:.3g}"),
        "verdict": verdict,
    }


def student(t: float, freedom: int) -> float:
    """How often chance alone makes Student's t as far from 0, two-sided, with so many degrees of freedom.

    By the finite sums of Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    angle = math.atan2(abs(t), math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine**2 * (k - 1) / k
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return min(1.0, max(0.0, 1 - inside))


def mean_of_draws(values: np.ndarray) -> tuple[float, list[float]]:
    """Mean of a few draws (n,), two at least, and its 95 % interval by Student's t."""
    low, high, freedom = 0.0, 1000.0, len(values) - 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student(middle, freedom) > 0.05 else (low, middle)
    mean, reach = float(values.mean()), high * float(values.std(ddof=1)) / math.sqrt(len(values))
    return mean, [mean - reach, mean + reach]


def paired_draws(one: np.ndarray, other: np.ndarray) -> float:
    """How often chance alone makes a mean paired difference as large, two-sided, by Student's t; (n,) both, n > 1."""
    apart = one - other
    spread = float(apart.std(ddof=1)) / math.sqrt(len(apart))
    if spread == 0:
        return 0.0 if apart.any() else 1.0
    return student(float(apart.mean()) / spread, len(apart) - 1)


class PCA:
    """Principal components of training cases: an autoencoder's linear rival, and what `--pca` and `--zca` are made of.

    Fed block by block, so that the data never become one array of floats. By LAPACK, so its last bits depend on the
    machine.
    """

    def __init__(self, columns: int, components: int):
        self.components = min(components, columns)
        self._cases, self._sum, self._products = 0, np.zeros(columns), np.zeros((columns, columns))

    def add(self, x: np.ndarray) -> None:
        """Count a block of training cases (N, D)."""
        block = x.astype(np.float64)
        self._cases += len(block)
        self._sum += block.sum(axis=0)
        self._products += block.T @ block

    def fit(self) -> "PCA":
        """Mean (D,), components (D, K), largest variance first, and their variances (K,).

        The largest element of each component is above 0.
        """
        self.mean = self._sum / self._cases
        covariance = self._products / self._cases - np.outer(self.mean, self.mean)
        values, vectors = np.linalg.eigh(covariance)
        self.variances = np.maximum(values[::-1][: self.components], 0)
        basis = vectors[:, ::-1][:, : self.components]
        self.basis = basis * np.where(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])] < 0, -1.0, 1.0)
        return self

    def codes(self, x: np.ndarray) -> np.ndarray:
        """(N, K) coordinates."""
        return (x - self.mean) @ self.basis

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """(N, D) from K coordinates."""
        return self.codes(x) @ self.basis.T + self.mean

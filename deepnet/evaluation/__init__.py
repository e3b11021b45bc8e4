"""Metrics: arrays in, numbers out. Intervals are 95 %: Wilson's for a share, the normal one for a mean.

Axes: N cases, C classes, D columns, K components.
"""

import math

import numpy as np

from .calibration import calibration
from .codes import clusters, neighbour_error, neighbours, normalised_mutual_information, purity, retrieval_precision

__all__ = [
    "PCA",
    "calibration",
    "classification",
    "clusters",
    "difference",
    "mcnemar",
    "mean_with_interval",
    "neighbour_error",
    "neighbours",
    "normalised_mutual_information",
    "paired",
    "purity",
    "regression",
    "retrieval_precision",
    "wilson",
]

Z95 = 1.959963984540054
CERTAIN = 0.05  # a difference that chance makes less often is called one


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


def classification(
    outputs: np.ndarray, targets: np.ndarray, losses: np.ndarray, classes: tuple[str, ...], loss: str
) -> dict:
    """Error, wrong cases, mean loss under its name, precision and recall by class, confusion matrix (rows true).

    outputs (N, C) probabilities or margins, targets (N,) class indices, losses (N,) each case's, for a cross-entropy in
    nats.
    """
    predicted, count = outputs.argmax(axis=1), len(classes)
    confusion = np.bincount(targets * count + predicted, minlength=count * count).reshape(count, count)
    wrong = int((predicted != targets).sum())
    mean, interval = mean_with_interval(losses)
    hits, true, called = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    rows = [
        {
            "class": name,
            "cases": int(true[c]),
            "precision": float(hits[c] / called[c]) if called[c] else None,
            "recall": float(hits[c] / true[c]) if true[c] else None,
        }
        for c, name in enumerate(classes)
    ]
    return {
        "cases": len(targets),
        "error": wrong / len(targets),
        "error_interval": wilson(wrong, len(targets)),
        "wrong": wrong,
        loss: mean,
        f"{loss}_interval": interval,
        "classes": rows,
        "confusion": confusion.tolist(),
    }


def regression(outputs: np.ndarray, targets: np.ndarray) -> dict:
    """RMSE, MAE and R2 over all targets, in their own units; (N, T) both."""
    gaps = outputs.astype(np.float64) - targets
    squares = (gaps**2).mean(axis=1)
    mse, (low, high) = mean_with_interval(squares)
    mae, mae_interval = mean_with_interval(np.abs(gaps).mean(axis=1))
    spread = ((targets - targets.mean(axis=0, dtype=np.float64)) ** 2).sum()
    return {
        "cases": len(targets),
        "rmse": math.sqrt(mse),
        "rmse_interval": [math.sqrt(max(0.0, low)), math.sqrt(high)],
        "mae": mae,
        "mae_interval": mae_interval,
        "r2": 1 - float((gaps**2).sum() / spread) if spread > 0 else None,
    }


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> tuple[float, list[float]]:
    """How often a positive case scores above another, ties as half: the area under the ROC curve, and its interval.

    scores (N,), positive (N,) booleans, both kinds there. By ranks, those of ties averaged (Mann and Whitney 1947); the
    interval is that of Hanley and McNeil 1982.
    """
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2
    one = int(positive.sum())
    other = len(scores) - one
    area = float((ranks[place][positive].sum() - one * (one + 1) / 2) / (one * other))
    twice = area / (2 - area) - area**2, 2 * area**2 / (1 + area) - area**2
    variance = (area * (1 - area) + (one - 1) * twice[0] + (other - 1) * twice[1]) / (one * other)
    reach = Z95 * math.sqrt(max(0.0, variance))
    return area, [max(0.0, area - reach), min(1.0, area + reach)]


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

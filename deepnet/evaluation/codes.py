"""Codes against labels that they never saw: neighbours, retrieval, clusters.

Axes: N cases, K units of a code, C clusters.
"""

import math

import numpy as np

from ..kernels import random

BLOCK = 256  # cases whose distances to all others are held at a time
RESTARTS, MOST_STEPS = 5, 100  # of k-means


def neighbours(codes: np.ndarray, count: int) -> np.ndarray:
    """The nearest other cases of each, int64 (N, count), nearest first, by Euclidean distance.

    codes (N, K) finite, count below N. By brute force: products find who may be nearest, differences in float64
    decide, and of equally near cases the first counts, so that the answer depends on no BLAS.
    """
    x = np.asarray(codes, np.float64)
    x = x[:, np.ptp(x, axis=0) > 0]  # a unit that never changes tells nothing
    centred = x - x.mean(axis=0)
    squares = (centred**2).sum(axis=1)
    slack = 8 * (x.shape[1] + 4) * np.finfo(np.float64).eps * squares.max(initial=0.0)  # what products may be wrong by
    nearest = np.empty((len(x), count), np.int64)
    for first in range(0, len(x), BLOCK):
        rows = np.arange(first, min(first + BLOCK, len(x)))
        far = squares - 2 * centred[rows] @ centred.T
        far[rows - first, rows] = np.inf
        may = far <= np.partition(far, count - 1, axis=1)[:, count - 1 : count] + slack
        for row in rows:
            others = np.flatnonzero(may[row - first])
            apart = ((x[others] - x[row]) ** 2).sum(axis=1)
            nearest[row] = others[np.argsort(apart, kind="stable")[:count]]
    return nearest


def neighbour_error(codes: np.ndarray, labels: np.ndarray) -> float:
    """Share of cases whose nearest other case has another label, leaving one out (Cover and Hart 1967).

    codes (N, K) finite, labels (N,), N at least 2.
    """
    return float((labels[neighbours(codes, 1)[:, 0]] != labels).mean())


def retrieval_precision(nearest: np.ndarray, labels: np.ndarray) -> float:
    """Mean share of each case's nearest (N, k) that have its label, labels (N,) (Salakhutdinov and Hinton 2007)."""
    return float((labels[nearest] == labels[:, None]).mean())


def clusters(codes: np.ndarray, count: int, key: int) -> np.ndarray:
    """Which of `count` clusters each of the codes (N, K) belongs to, int64 (N,): the best of RESTARTS runs of k-means.

    Each run begins with k-means++ (Arthur and Vassilvitskii 2007), drawn by the key, and goes on by Lloyd's steps until
    none changes a cluster. By BLAS in float32, so its last bits depend on the machine.
    """
    x = np.asarray(codes, np.float32)
    x = x - x.mean(axis=0)
    squares = np.einsum("nk,nk->n", x, x)
    runs = [_lloyd(x, squares, _first_centres(x, squares, count, random.fold(key, n))) for n in range(RESTARTS)]
    return min(runs, key=lambda run: run[0])[1]


def _distances(x: np.ndarray, squares: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances (N, C) of x (N, K), whose squared norms are known, to centres (C, K)."""
    return np.maximum(squares[:, None] - 2 * (x @ centres.T) + (centres**2).sum(axis=1), 0)


def _first_centres(x: np.ndarray, squares: np.ndarray, count: int, key: int) -> np.ndarray:
    """Cases (C, K): one drawn evenly, each next one with a chance as its squared distance to those there."""
    draws = random.uniform(key, 0, 1, count)[0].astype(np.float64)
    chosen = [int(draws[0] * len(x))]
    nearest = np.full(len(x), np.inf, np.float64)
    for u in draws[1:]:
        nearest = np.minimum(nearest, _distances(x, squares, x[chosen[-1:]])[:, 0])
        nearest[chosen] = 0
        total = np.cumsum(nearest)
        chosen.append(min(int(np.searchsorted(total, u * total[-1], side="right")), len(x) - 1))
    return x[chosen]


def _lloyd(x: np.ndarray, squares: np.ndarray, centres: np.ndarray) -> tuple[float, np.ndarray]:
    """Sum of squared distances, and the clusters (N,), when they rest (Lloyd 1982); an empty one keeps its centre."""
    assigned = None
    for _ in range(MOST_STEPS):
        far = _distances(x, squares, centres)
        before, assigned = assigned, far.argmin(axis=1)
        if before is not None and (before == assigned).all():
            break
        member = np.zeros(far.shape, np.float32)
        member[np.arange(len(x)), assigned] = 1
        sizes = member.sum(axis=0)
        moved = (member.T @ x) / np.maximum(sizes, 1)[:, None]
        centres = np.where(sizes[:, None] > 0, moved, centres)
    return float(far.min(axis=1).sum(dtype=np.float64)), assigned


def _counts(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many cases each cluster (rows) has of each label (columns)."""
    rows, columns = (np.unique(names, return_inverse=True)[1] for names in (clusters, labels))
    width = columns.max() + 1
    return np.bincount(rows * width + columns, minlength=(rows.max() + 1) * width).reshape(-1, width)


def purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Share of cases that have their cluster's commonest label (Manning, Raghavan and Schuetze 2008, eq. 16.1)."""
    return float(_counts(clusters, labels).max(axis=1).sum() / len(labels))


def normalised_mutual_information(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Mutual information over the mean of both entropies, 0 to 1; 1 where both have one value.

    Source: Manning, Raghavan and Schuetze 2008, eq. 16.2.
    """
    joint = _counts(clusters, labels) / len(labels)
    h_clusters, h_labels, h_joint = (_entropy(p) for p in (joint.sum(axis=1), joint.sum(axis=0), joint.ravel()))
    if h_clusters + h_labels == 0:
        return 1.0
    return max(0.0, 2 * (h_clusters + h_labels - h_joint) / (h_clusters + h_labels))


def _entropy(shares: np.ndarray) -> float:
    """In nats, of shares (n,)."""
    return -math.fsum(p * math.log(p) for p in shares.tolist() if p > 0)

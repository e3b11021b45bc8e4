"""What classifiers and regressors are measured by.

Axes: N cases, C classes, T targets.
"""

import math

import numpy as np

from .intervals import Z95, mean_of_shares, mean_with_interval, ratio_of_means, wilson


def classification(
    outputs: np.ndarray, targets: np.ndarray, losses: np.ndarray, classes: tuple[str, ...], loss: str
) -> dict:
    """Error, wrong cases, the error where classes count alike, mean loss under its name, confusion matrix (rows true).

    Of two classes the area under the ROC curve of the second; precision, recall and F1 by class.
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
            "f1": float(2 * hits[c] / (true[c] + called[c])) if true[c] or called[c] else None,
        }
        for c, name in enumerate(classes)
    ]
    balanced, balanced_interval = mean_of_shares((true - hits)[true > 0], true[true > 0])
    return {
        "cases": len(targets),
        "error": wrong / len(targets),
        "error_interval": wilson(wrong, len(targets)),
        "wrong": wrong,
        "balanced_error": balanced,
        "balanced_error_interval": balanced_interval,
        **_area(outputs, targets),
        loss: mean,
        f"{loss}_interval": interval,
        "classes": rows,
        "confusion": confusion.tolist(),
    }


def _area(outputs: np.ndarray, targets: np.ndarray) -> dict:
    """Of two classes, both there: the area under the ROC curve of the second one's lead."""
    if outputs.shape[1] != 2 or not 0 < (positive := targets == 1).sum() < len(targets):
        return {}
    lead = outputs[:, 1].astype(np.float64) - outputs[:, 0]  # tells 1 - 1e-9 from 1 - 1e-10, as one float32 does not
    area, interval = roc_auc(lead, positive)
    return {"auc": area, "auc_interval": interval}


def regression(outputs: np.ndarray, targets: np.ndarray, names: tuple[str, ...] = ()) -> dict:
    """RMSE, MAE and R2 over all targets, in their own units, and of several by target; (N, T) both."""
    facts = {"cases": len(targets), **_gaps(outputs, targets)}
    if targets.shape[1] > 1:
        names = names or tuple(str(n) for n in range(1, targets.shape[1] + 1))
        own = [_gaps(outputs[:, n : n + 1], targets[:, n : n + 1]) for n in range(targets.shape[1])]
        facts["targets"] = [{"target": name} | row for name, row in zip(names, own, strict=True)]
    return facts


def _gaps(outputs: np.ndarray, targets: np.ndarray) -> dict:
    """RMSE, MAE and R2 with their intervals; no R2 of targets that are all the same."""
    gaps = outputs.astype(np.float64) - targets
    mse, (low, high) = mean_with_interval((gaps**2).mean(axis=1))
    mae, mae_interval = mean_with_interval(np.abs(gaps).mean(axis=1))
    spread = ((targets - targets.mean(axis=0, dtype=np.float64)) ** 2).sum(axis=1)
    rest, rest_interval = ratio_of_means((gaps**2).sum(axis=1), spread) if spread.any() else (None, [])
    return {
        "rmse": math.sqrt(mse),
        "rmse_interval": [math.sqrt(max(0.0, low)), math.sqrt(high)],
        "mae": mae,
        "mae_interval": mae_interval,
        "r2": None if rest is None else 1 - rest,
        "r2_interval": [min(1.0, 1 - end) for end in reversed(rest_interval)] or None,
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

"""Whether probabilities can be taken at their word: how often cases of a confidence are right.

Axes: N cases, C classes, B bins.
"""

import numpy as np

BINS = 15


def calibration(probabilities: np.ndarray, targets: np.ndarray, bins: int = BINS) -> dict:
    """Bins of equal width by the confidence, the largest probability: `counts`, mean `confidence`, `accuracy` (B,).

    And `error`, the expected calibration error: the mean gap between the last two, weighed by the cases of a bin (Guo,
    Pleiss, Sun and Weinberger 2017, eq. 3). Empty bins have NaN. probabilities (N, C), targets (N,) class indices.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == targets
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    some = np.where(counts > 0, counts, np.nan)
    mean = np.bincount(place, confidence, bins) / some
    accuracy = np.bincount(place, right, bins) / some
    gaps = np.abs(accuracy - mean)[counts > 0]
    error = float((gaps * counts[counts > 0]).sum() / counts.sum()) if counts.sum() else 0.0
    return {"counts": counts, "confidence": mean, "accuracy": accuracy, "error": error}

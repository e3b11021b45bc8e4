"""Places of words: moved as little as needed so that none covers another."""

from collections.abc import Sequence

import numpy as np


def spread(places: Sequence[float], gap: float) -> np.ndarray:
    """Places moved apart as little as needed so that neighbours are at least `gap` away; order is kept."""
    places = np.asarray(places, dtype=float)
    order = np.argsort(places, kind="stable")
    moved = places[order]
    for _ in range(40):
        short = np.maximum(gap - np.diff(moved), 0) / 2
        moved[:-1] -= short
        moved[1:] += short
    result = np.empty_like(moved)
    result[order] = moved
    return result


def apart(centres: np.ndarray, boxes: np.ndarray, width: float) -> np.ndarray:
    """Centres (n, 2) in inches moved until boxes of these sizes (n, 2) no longer overlap, in a square of `width`.

    They move along the shorter of the two ways, a quarter of the overlap at a time.
    """
    centres = centres + 1e-6 * np.arange(len(centres))[:, None]  # equal medians need a direction to part in
    for _ in range(200):
        delta = centres[:, None] - centres[None]
        overlap = (boxes[:, None] + boxes[None]) / 2 - np.abs(delta)
        hit = (overlap > 0).all(axis=-1) & ~np.eye(len(centres), dtype=bool)
        if not hit.any():
            break
        along = np.argmin(overlap, axis=-1)[..., None] == np.arange(2)
        centres = centres + 0.25 * (hit[..., None] * along * overlap * np.sign(delta)).sum(axis=1)
        centres = np.clip(centres, boxes / 2, np.maximum(width - boxes / 2, boxes / 2))
    return centres

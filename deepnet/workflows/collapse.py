"""A classifier that tells no more than the class frequencies: noticed from the figures that an epoch has anyway.

Its outputs have come not to depend on its inputs, or not begun to; the loss then stands at the least that a constant
output can have, for a softmax the frequencies' entropy, and training goes on without a sound.
"""

from collections.abc import Mapping

import numpy as np

from ..nn.losses import MARGINS

IN_A_ROW, UPDATES = 3, 500  # epochs and updates that it must last; a net that learns is out of it by then
NEAR, ABOUT = 0.99, 0.95  # of the loss and of the error of a constant output, which are noisy while training


def of_a_constant(targets: np.ndarray, classes: int, smoothing: float, loss: str) -> tuple[float, float]:
    """Loss and error that the best constant output has on these classes, whose targets are smoothed.

    For margins it is, class by class against the rest, 2 p - 1 (squared hinge) or the sign of that (hinge).
    """
    share = np.bincount(targets, minlength=classes) / len(targets)
    if loss in MARGINS:
        each = 4 * share * (1 - share) if loss == "squared_hinge" else 2 * np.minimum(share, 1 - share)
        return float(each.sum()), float(1 - share.max())
    smooth = (1 - smoothing) * share + smoothing / classes
    held = smooth[smooth > 0]
    return float(-(held * np.log(held)).sum()), float(1 - share.max())


def tells_no_more(curves: Mapping[str, np.ndarray], constant: tuple[float, float]) -> bool:
    """Whether the last epochs, of their loss, error and updates so far, were long enough no better than a constant."""
    loss, error, updates = (np.asarray(curves[n]) for n in ("loss", "error", "updates"))
    blind = (loss >= NEAR * constant[0]) & (error >= ABOUT * constant[1])
    start = len(loss)
    while start and blind[start - 1]:
        start -= 1
    if len(loss) - start < IN_A_ROW:
        return False
    return bool(updates[-1] - (updates[start - 1] if start else 0) >= UPDATES)

"""One-class networks: outputs drawn to a centre, by layers that cannot make the centre out of nothing.

Source: Ruff et al. 2018, sections 3.2 and 3.3 (Deep SVDD, the one-class objective).
"""

from collections.abc import Sequence

import numpy as np

from ..data import Cases
from ..errors import UsageError
from ..nn.layers import BatchNorm, Dense, Layer, Maxout, Weighted
from ..nn.network import Network
from . import feeds
from .models import Reader

AWAY = np.float32(0.1)  # that a centre's component is from 0 at least, as in the authors' program
# Units that are 0 at 0 and have no bound but 0: of the others one can become a constant, which stands in for a bias.
SOUND = "linear", "relu", "leaky_relu", "square"


def without_biases(layers: Sequence[Weighted]) -> tuple[Dense, ...]:
    """The same layers without their b; UsageError for those that are what they are by it."""
    if any(isinstance(layer, Maxout) for layer in layers):
        raise UsageError("--units maxout: it has biases, and layers without them are wanted; use another unit")
    if any(isinstance(layer, BatchNorm) for layer in layers):
        raise UsageError("--batch-norm: it has biases, and layers without them are wanted; leave it")
    return tuple(Dense(layer.inputs, layer.outputs, layer.unit, bias=False) for layer in layers)


def network(layers: Sequence[Weighted], arrays: list[dict | str]) -> tuple[Network, list[dict | str]]:
    """The network of these layers and its layers' first arrays: no biases, and the last layer's units linear.

    With biases it could give the centre whatever comes in (Ruff et al. 2018, proposition 2).
    """
    *below, top = without_biases(layers)
    bare = [own if isinstance(own, str) else {"W": own["W"]} for own in arrays]
    return Network((*below, Dense(top.inputs, top.outputs, "linear", bias=False)), "svdd"), bare


def centre(network: Network, theta: np.ndarray, cases: Cases, preparation) -> np.ndarray:
    """The mean output (N,) of the network on the cases, components near 0 moved away to where 0 is no solution."""
    total = np.zeros(network.outputs)
    feed = feeds.visible_feed(cases.inputs, preparation)
    for _, _, a in Reader(network, network.split(theta)).run(feed, len(cases)):
        total += a.sum(axis=0, dtype=np.float64)
    found = (total / len(cases)).astype(np.float32)
    return np.where(np.abs(found) < AWAY, np.where(found < 0, -AWAY, AWAY), found)


def warning(layers: Sequence[Layer]) -> str | None:
    """A sentence on hidden units that may come to ignore what they see, else None."""
    found = dict.fromkeys(layer.unit for layer in layers if isinstance(layer, Dense) and layer.unit not in SOUND)
    if not found:
        return None
    return (
        f"{' and '.join(found)} units can settle at a constant that is not 0 and so give the centre for every input "
        f"(Ruff et al. 2018, proposition 3); {', '.join(SOUND)} units cannot"
    )

"""What units above the first layer like best: the input of one length that each answers to most, a panel a layer."""

import numpy as np
from matplotlib.figure import Figure

from deepnet.figures.filters import drawn


def features(layers: list[tuple[str, np.ndarray]], shape: tuple[int, ...]) -> Figure:
    """Favourite inputs of units: `layers` holds (title, cases of shape (units, inputs of the case)), drawn as filters.

    Unlike a filter projected through the layers below, which is as if these were linear, an input found by gradient
    ascent counts with their units as they are (Erhan et al. 2009, "Visualizing higher-layer features of a deep
    network", section 3.2: activation maximisation).
    """
    return drawn(layers, shape, "Each input on its own scale")

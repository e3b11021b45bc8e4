"""The loss around a network, as on a map: contours of equal loss, the network in the middle."""

from collections.abc import Callable

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepnet.figures import style

_SIZE = 4.2  # inches of the map
_DEPTHS = LinearSegmentedColormap.from_list("depths", [style.PAPER, "#d6e5f2", "#a3c3e0"])
_LEVELS = 12
_INSIDE = 0.92  # of the way to the border, where a line's loss still has room
_DECADES = 1.0  # that losses must span to be drawn by their logarithm
_LARGEST = 1e100  # beyond it the arithmetic of an axis overflows


def landscape(steps: np.ndarray, loss: np.ndarray, middle: float, border: tuple[float, float], cases: int) -> Figure:
    """Contours of the losses (S, S) at steps (S,) of two directions, the first across, the second upwards.

    Losses that span more than a decade have their lines by logarithms. `middle` is the network's own loss, `border`
    the least and the most on the edge, all of them means of so many cases. Losses that are not finite or beyond 1e100
    are gaps (Li et al. 2018, section 5).
    """
    title = f"{words(middle, border)}\n{cases:,} cases; 1 is as long as each unit's own weights"
    with style.look():
        figure = style.page(_SIZE, _SIZE + style.head_height([title], _SIZE - 0.4) - 0.35)
        axes = figure.subplots()
        _contours(axes, np.asarray(steps, float), np.asarray(loss, float))
        axes.plot(0, 0, "o", color=style.ORANGE, markersize=4.5, clip_on=False)
        axes.annotate("network", (0, 0), (5, 4), textcoords="offset points", fontsize=7, color=style.ORANGE, **_halo())
        axes.set_box_aspect(1)
        axes.set(xlabel="first random direction", ylabel="second random direction")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        style.head(axes, title, _SIZE - 0.4)
        return style.settle(figure)


def words(middle: float, border: tuple[float, float]) -> str:
    """What the map says: the loss in its middle and on its border."""
    return f"The loss around it: {middle:.3g} in the middle, {border[0]:.3g} to {border[1]:.3g} on the border"


def heights(loss: np.ndarray) -> np.ndarray:
    """Losses, or their logarithms where these are drawn, from 0, the least, to 1; NaN where there is no number."""
    values, _ = _scaled(np.asarray(loss, float))
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    return (values - low) / (high - low if high > low else 1)


def _scaled(loss: np.ndarray) -> tuple[np.ndarray, Callable[[float], str]]:
    """What lines are drawn of, NaN where there is no number, and the words of a line."""
    values = np.where(np.abs(loss) < _LARGEST, loss, np.nan)
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and np.log10(known.max()) - np.log10(known.min()) > _DECADES:
        return np.log10(values), lambda value: f"{10**value:.2g}"
    return values, lambda value: f"{value:.3g}"


def _contours(axes: Axes, steps: np.ndarray, loss: np.ndarray) -> None:
    """Depths in colours, lines between them with their loss."""
    values, name = _scaled(loss)
    known = values[np.isfinite(values)]
    reach = np.abs(steps).max() or 1.0
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    if len(steps) < 2 or not len(known) or known.max() == known.min():
        word = "the same loss everywhere" if len(known) else "no loss is a number"
        axes.annotate(word, (0.5, 0.4), (0, 0), ha="center", color=style.MUTED, **style.BESIDE)
        return
    levels = MaxNLocator(_LEVELS).tick_values(known.min(), known.max())
    masked = np.ma.masked_invalid(values)
    axes.contourf(steps, steps, masked, levels, cmap=_DEPTHS)
    lines = axes.contour(steps, steps, masked, levels, colors=style.BLUE, linewidths=0.7, linestyles="solid")
    for label in axes.clabel(lines, fontsize=6, colors=style.INK, fmt=name, inline=False):
        label.set(**_halo())
        if np.abs(label.get_position()).max() > _INSIDE * reach:
            label.remove()


def _halo() -> dict:
    """White around letters that stand on lines."""
    return {"path_effects": [effects.withStroke(linewidth=2, foreground=style.PAPER)]}

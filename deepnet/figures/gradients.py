"""How much gradient reaches each layer while a network learns: where it vanishes, lines lie decades below."""

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepnet.figures import places, style

_WIDTHS = {1: 4.0, 2: 4.0}  # inches of a panel by number of columns; otherwise 3.4
_HIGH = 2.3  # inches of a panel without its title
_NAMED = 12  # lines that have their name at their end; of more layers only some
_LETTER = 0.058  # of a panel's height, that a name needs
_LARGEST = 1e100  # beyond it the arithmetic of an axis overflows
_LIKE = 1.05  # a layer with at most so many times less gradient than the top one has as much


def gradients(stages: list[tuple[str, dict[int, np.ndarray]]]) -> Figure:
    """A panel a stage, (title, {layer from 1: norms (epochs,) of its weights' gradient}); a line a layer, by epoch.

    Colours go from the lowest layer, dark, to the top one; all panels share one logarithmic axis. The title says how
    many times less gradient than the top one the layer with the least gets, in the first and in the last epoch
    (Hochreiter 1991; Glorot and Bengio 2010, section 4.2). Norms that are not above 0, not finite or beyond 1e100 are
    gaps.
    """
    known = [(title, {layer: _known(norms[layer]) for layer in sorted(norms)}) for title, norms in stages]
    titles = [f"{title}: {_words(norms)}" for (title, _), (_, norms) in zip(known, stages, strict=True)]
    rows, columns = style.arrangement(len(stages))
    width = _WIDTHS.get(columns, 3.4)
    everything = np.concatenate([values for _, norms in known for values in norms.values()] or [np.zeros(0)])
    with style.look():
        above = style.head_height(titles, width)
        figure = style.page(columns * (width + 0.1), rows * (_HIGH + above + 0.1))
        panels = style.panels(figure, len(stages), [1.0] * rows)
        for i, (axes, title, (_, norms)) in enumerate(zip(panels, titles, known, strict=True)):
            _scales(axes, everything, max(map(len, norms.values()), default=0))
            _lines(axes, norms)
            axes.set_xlabel("epoch", fontsize=7, labelpad=1)
            axes.set_ylabel("" if i % columns else "norm of the weights' gradient", fontsize=7)
            style.head(axes, title, width)
        return style.settle(figure)


def _known(norms: np.ndarray) -> np.ndarray:
    """The norms as floats, NaN where a logarithmic axis has no place for them."""
    values = np.array(norms, dtype=float)
    values[~((values > 0) & (values < _LARGEST))] = np.nan
    return values


def _words(norms: dict[int, np.ndarray]) -> str:
    """Which layer has the least gradient, in the first epoch and in the last."""
    epochs = min(map(len, norms.values()), default=0)
    if not epochs:
        return "no epoch yet"
    at = {n: {layer: float(norms[layer][n - 1]) for layer in norms} for n in (1, epochs)}
    return "\n".join(f"epoch {n}: {_least(found)}" for n, found in at.items())


def _least(norms: dict[int, float]) -> str:
    """How the layer with the least gradient stands to the top one, at one time."""
    top, lowest = max(norms), min(norms, key=lambda layer: norms[layer])
    if not all(map(math.isfinite, norms.values())):
        return "not all norms are finite"
    if norms[lowest] <= 0:
        return f"layer {lowest} gets no gradient" if norms[top] > 0 else "the top gets no gradient"
    if norms[top] <= _LIKE * norms[lowest]:
        return "no layer gets less than the top" if len(norms) > 1 else "there is one layer only"
    return f"layer {lowest} gets {_times(math.log10(norms[top]) - math.log10(norms[lowest]))} times less than the top"


def _times(decades: float) -> str:
    """A ratio of so many decades in two digits, or, where it is very large, as a power of ten."""
    if decades >= 6:
        return "10" + f"{decades:.0f}".translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    ratio = float(f"{10**decades:.2g}")
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:g}"


def _scales(axes: Axes, everything: np.ndarray, epochs: int) -> None:
    """The axes: epochs, and norms by decades, by halves of them where they span few."""
    finite = everything[np.isfinite(everything)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.1, 1.0)
    axes.set_yscale("log")
    axes.set_ylim(low / 1.3, high * 1.3)
    style.decades(axes.yaxis, low, high)
    alone = epochs <= 1
    axes.set_xlim(0.5 if alone else 1, 1.5 if alone else epochs)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=style.FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _lines(axes: Axes, norms: dict[int, np.ndarray]) -> None:
    """A line a layer, its name at its last known value."""
    colours = matplotlib.colormaps["plasma"](np.linspace(0, 0.78, len(norms)))
    ends = []
    for colour, (layer, values) in zip(colours, norms.items(), strict=True):
        mark = "o" if len(values) <= 3 else None
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, marker=mark, markersize=3.5, clip_on=False)
        if np.isfinite(values).any():
            ends.append((layer, colour, values[np.isfinite(values)][-1]))
    if not ends:
        look = {"ha": "center", "va": "center", "color": style.MUTED, **style.BESIDE}
        axes.annotate("no gradient above 0", (0.5, 0.5), (0, 0), **look)
        return
    ends = [ends[i] for i in np.unique(np.linspace(0, len(ends) - 1, min(len(ends), _NAMED)).astype(int))]
    to_axes = axes.transData + axes.transAxes.inverted()
    centres = np.array([[0.5, to_axes.transform((axes.get_xlim()[1], end))[1]] for _, _, end in ends])
    heights = places.apart(centres, np.tile([1.0, _LETTER], (len(ends), 1)), 1.0)[:, 1]
    for (layer, colour, _), height in zip(ends, heights, strict=True):
        name = f"layer {layer}" + (", top" if layer == max(norms) and len(norms) > 1 else "")
        axes.annotate(name, (1, height), (5, 0), va="center", fontsize=7, color=colour, **style.BESIDE)

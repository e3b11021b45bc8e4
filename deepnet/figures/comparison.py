"""Runs beside each other: one figure of all of them, by epoch and, where it is known, by the clock."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from deepnet.figures import style

_FACTOR = 5.0  # an axis whose values span more is logarithmic


def comparison(metric: str, lines: list[dict]) -> Figure:
    """`lines`: {"name", "values": (epochs,)}, and "seconds" (n,) with "timed" (n,) where every run has its log.

    Lines end in their last value; the legend stands below in the order given.
    """
    timed = all("seconds" in line for line in lines)
    with style.look():
        figure = style.page(7.0 if timed else 4.6, 3.0 + 0.16 * len(lines))
        axes = figure.subplots(1, 2 if timed else 1, squeeze=False, sharey=True)[0]
        _panel(axes[0], "epoch", [(np.arange(1, len(line["values"]) + 1), line["values"]) for line in lines])
        axes[0].xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        axes[0].set_title(style.plain(metric, 40))
        if timed:
            unit, size = (
                ("minutes", 60) if max(line["seconds"].max(initial=0) for line in lines) > 180 else ("seconds", 1)
            )
            _panel(axes[1], unit, [(line["seconds"] / size, line["timed"]) for line in lines])
        names = [style.plain(line["name"], 50) for line in lines]
        figure.legend(axes[0].get_lines(), names, loc="outside lower left", frameon=False, fontsize=7.5)
        return style.settle(figure)


def _panel(axes: Axes, along: str, lines: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """One line a run, its values by epoch or time."""
    known = np.concatenate([values[np.isfinite(values)] for _, values in lines] or [np.zeros(0)])
    for i, (x, values) in enumerate(lines):
        colour = style.CLASS_COLOURS[i % len(style.CLASS_COLOURS)]
        axes.plot(x, values, color=colour, marker="o" if len(values) <= 3 else None, markersize=3)
    if len(known) and known.min() > 0 and known.max() > _FACTOR * known.min():
        axes.set_yscale("log")
        for axis in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            axis(FuncFormatter(lambda value, _: f"{value:.3g}"))
    axes.set_xlabel(along)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.5)

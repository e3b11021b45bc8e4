"""Runs beside each other: one figure of all of them, by epoch and by whatever else all of them know of their work."""

from collections.abc import Sequence

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from deepnet.figures import places, style

_FACTOR = 5.0  # a value axis that spans more is logarithmic
_LENGTHS = 8.0  # and an axis of work, where the longest run has more times the work of the shortest
_LONG = 180  # seconds; longer runs are told in minutes
_LETTER = 0.11  # inches of a number at a line's end
# What may run along: its name in `lines`, what stands below the axis.
ALONG = {
    "epoch": "epoch",
    "updates": "updates of the weights",
    "gradients": "gradients, in passes over the training cases\n(a curvature product counts as 4/3 of one)",
    "seconds": "{unit} of training",
}


def comparison(metric: str, lines: list[dict]) -> Figure:
    """`lines`: {"name", "values": (n,), "along": {one of ALONG: (n,)}}; a panel for each that every line has.

    Each line ends in its number; the legend stands below in the order given.
    """
    shared = along_all(lines)
    rows, columns = style.arrangement(len(shared))
    with style.look():
        figure = style.page({1: 4.6, 2: 7.0, 3: 9.6}[columns], 2.7 * rows + 0.35 + 0.16 * len(lines))
        axes = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for panel, along in zip(axes, shared, strict=True):
            _panel(panel, along, lines)
            panel.tick_params(labelleft=True)
        axes[0].set_title(style.plain(metric, 40))
        names = [f"{i}  {style.plain(line['name'], 50)}" for i, line in enumerate(lines, 1)]
        figure.legend(axes[0].get_lines(), names, loc="outside lower left", frameon=False, fontsize=7.5)
        _number(style.settle(figure), axes)
        return figure


def one_panel(metric: str, along: str, lines: list[dict]) -> Figure:
    """One of the panels on a page of its own, as wide as a telephone, without a legend."""
    with style.look():
        figure = style.page(3.7, 2.75)
        axes = figure.subplots()
        _panel(axes, along, lines)
        axes.set_title(style.plain(metric, 40))
        _number(style.settle(figure), [axes])
        return figure


def along_all(lines: list[dict]) -> list[str]:
    """What all lines can be drawn along, in the order of ALONG."""
    return [name for name in ALONG if all(name in line["along"] for line in lines)]


def colour(number: int) -> str:
    """The colour of the line of this number, from 0."""
    return style.CLASS_COLOURS[number % len(style.CLASS_COLOURS)]


def _panel(axes: Axes, along: str, lines: list[dict]) -> None:
    """One line a run, its values by epoch, work or time."""
    label, places_of = _abscissas(along, lines)
    values = [np.asarray(line["values"], float) for line in lines]
    for i, (x, y) in enumerate(zip(places_of, values, strict=True)):
        axes.plot(x, y, color=colour(i), marker="o" if len(y) <= 3 else None, markersize=3)
    known = np.concatenate([y[np.isfinite(y)] for y in values])
    if len(known) and known.min() > 0 and known.max() > _FACTOR * known.min():
        axes.set_yscale("log")
        style.decades(axes.yaxis, float(known.min()), float(known.max()))
    ends = [float(x[-1]) for x in places_of if len(x)]
    if ends and max(ends) > _LENGTHS * min(ends) > 0 and min(x[0] for x in places_of if len(x)) > 0:
        axes.set_xscale("log")
        style.decades(axes.xaxis, 1.0, np.inf)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=along == "epoch", min_n_ticks=1))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.set_xlabel(label, fontsize=7.5)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.5)


def _abscissas(along: str, lines: list[dict]) -> tuple[str, list[np.ndarray]]:
    """The words below the axis, and each line's places on it."""
    found = [np.asarray(line["along"][along], float) for line in lines]
    if along != "seconds":
        return ALONG[along], found
    long = max(x.max(initial=0) for x in found) > _LONG
    return ALONG[along].format(unit="minutes" if long else "seconds"), [x / (60 if long else 1) for x in found]


def _number(figure: Figure, panels: Sequence[Axes]) -> None:
    """The number of each line at its end, moved a little where numbers would overlap."""
    for axes in panels:
        size = axes.get_window_extent().size / figure.dpi
        to_axes = axes.transData + axes.transAxes.inverted()
        ends = {}
        for i, line in enumerate(axes.get_lines()):
            points = np.column_stack(line.get_data())
            points = points[np.isfinite(points).all(axis=1)]
            if len(points):
                ends[i] = to_axes.transform(points[-1]) * size + (_LETTER, 0)
        if not ends:
            continue
        boxes = np.array([[_LETTER * len(str(i + 1)), 1.25 * _LETTER] for i in ends])
        centres = places.apart(np.array(list(ends.values())), boxes, size + (2 * _LETTER, 0)) / size
        for i, (x, y) in zip(ends, centres, strict=True):
            look = {"ha": "center", "va": "center", "fontsize": 7.5, "weight": "bold", "color": colour(i)}
            text = axes.annotate(str(i + 1), (x, y), (0, 0), **look, **style.BESIDE)
            text.set_path_effects([effects.withStroke(linewidth=2, foreground=style.PAPER)])

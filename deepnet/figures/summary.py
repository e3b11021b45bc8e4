"""What a model is: its layers as a diagram, their numbers beside it, and how their weights are distributed."""

from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from deepnet.figures import style

_ROW = 0.62  # inches of a layer
_WIDTH, _TOP, _FOOT = 9.0, 0.78, 0.42  # inches of the page, of title and heads, of the line of totals
_DIAGRAM = (0.15, 2.35)  # inches from, to
_HISTOGRAM = (7.3, 8.7)
# Edges of the table's columns, the left one or, for numbers, the right one.
_COLUMNS = {"layer": 2.6, "kind, unit": 3.75, "inputs → outputs": 4.8, "parameters": 6.4, "norm": 7.0}
_FLUSH_RIGHT = ("parameters", "norm")
_BINS = 41


def summary(layers: list[dict], title: str) -> Figure:
    """Diagram, table and weight histograms of `layers`, from the input at the top to the output at the foot.

    Keys of a layer: name, kind, unit, inputs, outputs, parameters, norm, weights (a 1-D sample). The diagram's width
    grows with the square root of the units. All histograms share one range, which holds 99.8 % of each layer's sample.
    """
    height = _TOP + _ROW * len(layers) + _FOOT
    with style.look():
        figure = style.page(_WIDTH, height, arranged=False)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, _WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        axes.text(0.15, 0.28, style.plain(title, 90), fontsize=11, weight="bold", va="center")
        _heads(axes)
        _diagram(axes, layers)
        reach = max([_reach(layer["weights"]) for layer in layers] or [1.0])
        for i, layer in enumerate(layers):
            _row(axes, layer, _TOP + (i + 0.5) * _ROW)
            _histogram(figure, layer["weights"], reach, 1 - (_TOP + (i + 1) * _ROW) / height, i == len(layers) - 1)
        total = sum(int(layer["parameters"]) for layer in layers)
        axes.text(_COLUMNS["parameters"], height - 0.2, f"{total:,}", ha="right", va="center", weight="bold")
        axes.text(_COLUMNS["layer"], height - 0.2, "all layers", va="center", weight="bold")
        return style.settle(figure)


def _heads(axes: Axes) -> None:
    """Names of the table's columns and the rule below them."""
    for name, x in _COLUMNS.items():
        side = "right" if name in _FLUSH_RIGHT else "left"
        axes.text(x, _TOP - 0.16, name, ha=side, va="center", fontsize=7, color=style.MUTED)
    axes.text(sum(_HISTOGRAM) / 2, _TOP - 0.16, "weights", ha="center", va="center", fontsize=7, color=style.MUTED)
    axes.hlines(_TOP - 0.04, _COLUMNS["layer"], _WIDTH - 0.15, colors=style.FAINT, linewidths=0.8)


def _diagram(axes: Axes, layers: list[dict]) -> None:
    """The stack: a bar a layer of units, wide as the square root of their number, joined by the weights."""
    units = [layers[0]["inputs"], *(layer["outputs"] for layer in layers)] if layers else []
    middle, most = sum(_DIAGRAM) / 2, (_DIAGRAM[1] - _DIAGRAM[0]) / 2
    halves = [max(0.05, most * float(np.sqrt(n / max(units)))) for n in units]
    for i, (upper, lower) in enumerate(pairwise(halves)):
        top, foot = _TOP + i * _ROW, _TOP + (i + 1) * _ROW
        corners = [(middle - upper, top), (middle + upper, top), (middle + lower, foot), (middle - lower, foot)]
        axes.add_patch(Polygon(corners, facecolor="#dbe7f2", edgecolor="none"))
    for i, (half, count) in enumerate(zip(halves, units, strict=True)):
        y = _TOP + i * _ROW
        axes.hlines(y, middle - half, middle + half, colors=style.BLUE, linewidths=3)
        box = {"boxstyle": "round,pad=0.15", "facecolor": style.PAPER, "edgecolor": "none"}
        axes.text(middle, y, f"{count:,}", ha="center", va="center", fontsize=7.5, weight="bold", bbox=box)


def _row(axes: Axes, layer: dict, y: float) -> None:
    """The numbers of one layer, and the rule below them."""
    texts = {
        "layer": style.plain(layer["name"], 15),
        "kind, unit": style.plain(layer["kind"], 14),
        "inputs → outputs": f"{layer['inputs']:,} → {layer['outputs']:,}",
        "parameters": f"{layer['parameters']:,}",
        "norm": f"{layer['norm']:.4g}",
    }
    for name, x in _COLUMNS.items():
        lift = -0.075 if name == "kind, unit" else 0
        weight = "bold" if name == "layer" else "normal"
        side = "right" if name in _FLUSH_RIGHT else "left"
        axes.text(x, y + lift, texts[name], ha=side, va="center", weight=weight)
    unit = style.plain(layer["unit"], 16)
    axes.text(_COLUMNS["kind, unit"], y + 0.085, unit, va="center", fontsize=7, color=style.MUTED)
    axes.hlines(y + _ROW / 2, _COLUMNS["layer"], _WIDTH - 0.15, colors=style.FAINT, linewidths=0.8)


def _finite(weights: np.ndarray) -> np.ndarray:
    weights = np.asarray(weights, dtype=float).ravel()
    return weights[np.isfinite(weights)]


def _reach(weights: np.ndarray) -> float:
    """The size that 99.8 % of the weights do not exceed; 0 without weights."""
    finite = np.abs(_finite(weights))
    return float(np.quantile(finite, 0.998)) if len(finite) else 0.0


def _histogram(figure: Figure, weights: np.ndarray, reach: float, foot: float, last: bool) -> None:
    """Weights of one layer between -reach and reach; ticks below the last layer only."""
    reach = reach or 1.0
    finite = _finite(weights)
    left, right = (x / _WIDTH for x in _HISTOGRAM)
    axes = figure.add_axes((left, foot, right - left, 0.86 * _ROW / figure.get_figheight()))
    counts, edges = np.histogram(finite, _BINS, (-reach, reach))
    axes.stairs(counts / max(counts.max(), 1), edges, fill=True, color=style.BLUE, alpha=0.8)
    axes.axvline(0, color=style.MUTED, linewidth=0.5)
    axes.set(xlim=(-reach, reach), ylim=(0, 1.05), yticks=[])
    axes.spines[:].set_visible(False)
    axes.patch.set_alpha(0)
    ends = [-reach, 0, reach]
    axes.set_xticks(ends if last else [], [f"{x:.2g}".replace("-", "−") for x in ends] if last else [])
    axes.tick_params(length=2 if last else 0)

"""How the numbers of each layer are distributed: a row a layer; its weights, biases, activations and gradients."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepnet.figures import style

_COLOURS = {"weights": style.BLUE, "biases": style.BLUE, "activations": style.GREEN}
_WIDE, _HIGH = 2.0, 0.95  # inches of a panel
_ALONE = 2  # panels in a row of a single layer


def histograms(layers: list[tuple[str, dict[str, dict]]]) -> Figure:
    """Histograms of `layers`: (name, {quantity: {counts, edges, mean, deviation, lost}}); a row a layer.

    Each panel has its own range and its mean and deviation above; `lost` numbers are not finite. Healthy activations
    reach neither end in a heap: a heap at 0 or 1 are units that are off, or saturated, for most cases (Glorot and
    Bengio 2010, section 3). A single layer has its panels below each other, two a row.
    """
    names = list(dict.fromkeys(name for _, found in layers for name in found))
    across = min(_ALONE, len(names)) if len(layers) == 1 else len(names)
    cells = _cells(layers, names, across)
    with style.look():
        figure = style.page(max(1, across) * _WIDE + 0.2, len(cells) * (_HIGH + 0.42) + 0.1)
        grid = figure.subplots(len(cells), max(1, across), squeeze=False)
        for row, entries in zip(grid, cells, strict=True):
            for axes, entry in zip(row, entries, strict=True):
                if entry is None:
                    axes.set_axis_off()
                else:
                    _panel(axes, *entry)
        return style.settle(figure)


def _cells(layers: list, names: list[str], across: int) -> list[list[tuple[str, str, dict] | None]]:
    """Rows of (layer, quantity, its histogram), None where a layer has none."""
    rows: list[list[tuple[str, str, dict] | None]] = []
    for layer, found in layers:
        entries = [(layer, name, found[name]) if name in found else None for name in names]
        if len(layers) == 1:
            entries += [None] * (-len(entries) % max(across, 1))
        rows += [entries[i : i + across] for i in range(0, len(entries), across)] if across else [[None]]
    return rows or [[None]]


def _panel(axes: Axes, layer: str, name: str, found: dict) -> None:
    """One histogram: the layer and quantity above, mean and deviation below them, zero marked where it is in range."""
    counts, edges = np.asarray(found["counts"], float), np.asarray(found["edges"], float)
    axes.stairs(
        counts / max(counts.max(initial=0), 1), edges, fill=True, color=_COLOURS.get(name, style.ORANGE), alpha=0.8
    )
    if edges[0] < 0 < edges[-1]:
        axes.axvline(0, color=style.MUTED, linewidth=0.5)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.06), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
    axes.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4), useMathText=False)
    axes.xaxis.get_offset_text().set(fontsize=6, color=style.MUTED)
    axes.annotate(style.plain(f"{layer}, {name}", 26), (0, 1), (0, 12), fontsize=7.5, va="bottom",
                  weight="bold", **style.BESIDE)  # fmt: skip
    words = f"mean {found['mean']:.3g}, deviation {found['deviation']:.3g}".replace("-", "−")
    words += f", {found['lost']:,} not finite" if found["lost"] else ""
    axes.annotate(words, (0, 1), (0, 3), fontsize=6.5, color=style.MUTED, va="bottom", **style.BESIDE)

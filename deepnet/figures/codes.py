"""Cases as points of the plane: a model's two-dimensional codes, beside those of PCA or of other models."""

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from deepnet.figures import places, style

_WIDTHS = {1: 4.2, 2: 4.2}  # inches of a panel by number of columns; otherwise 3.4
_MARKERS = "o^sDvPX<>*"  # every ten classes the next: 100 classes have their own colour and shape
_POINTS = 2000  # beyond this many points a vector format holds them as a picture


def codes(panels: list[tuple[str, np.ndarray]], labels: np.ndarray | None, classes: tuple[str, ...]) -> Figure:
    """Scatter of the codes (n, 2) of each panel (title, codes), coloured by labels (n,), named at its median.

    Labels None: one colour. `classes` (): the classes are named by their numbers. Codes that are not finite are left
    out and counted in the panel's title.
    """
    rows, columns = style.arrangement(len(panels))
    width = _WIDTHS.get(columns, 3.4)
    with style.look():
        above = style.head_height([title for title, _ in panels], width)
        figure = style.page(columns * (width + 0.15), rows * (width + above + 0.1))
        for axes, (title, points) in zip(style.panels(figure, len(panels), [1.0] * rows), panels, strict=True):
            points = np.asarray(points, dtype=float)
            kept = np.isfinite(points).all(axis=1)
            lost = len(points) - int(kept.sum())
            _frame(axes)
            _scatter(axes, points[kept], None if labels is None else np.asarray(labels)[kept], width)
            if labels is not None and kept.any():
                _names(axes, points[kept], np.asarray(labels)[kept], classes, width)
            joint = ", " if ": " in title else ": "
            style.head(axes, title + (f"{joint}{lost:,} of {len(points):,} cases not finite" if lost else ""), width)
        return style.settle(figure)


def _frame(axes: Axes) -> None:
    """A square panel with a pale frame and few ticks."""
    axes.set_box_aspect(1)
    axes.spines[:].set(visible=True, color=style.FAINT)
    axes.tick_params(colors=style.MUTED, color=style.FAINT, labelsize=6)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.margins(0.04)


def _scatter(axes: Axes, points: np.ndarray, labels: np.ndarray | None, width: float) -> None:
    """The points in the order of the cases, so that no class hides another."""
    area = float(np.clip(900 * width / max(len(points), 1), 3, 22))
    many = len(points) > _POINTS
    look = {"s": area, "alpha": 0.75 if many else 0.85, "linewidths": 0, "rasterized": many}
    if labels is None:
        axes.scatter(points[:, 0], points[:, 1], color=style.BLUE, **look)
        return
    colours = np.array(style.CLASS_COLOURS)
    shapes = labels // len(colours) % len(_MARKERS)
    for shape in np.unique(shapes):
        of = shapes == shape
        hue = colours[labels[of] % len(colours)]
        axes.scatter(points[of, 0], points[of, 1], c=hue, marker=_MARKERS[shape], **look)


def _names(axes: Axes, points: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], width: float) -> None:
    """The name of each class at the median of its cases, moved a little where names would overlap."""
    present = np.unique(labels)
    names = [style.plain(classes[k] if 0 <= k < len(classes) else k, 18) for k in present]
    medians = np.array([np.median(points[labels == k], axis=0) for k in present])
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    size = 8 if len(present) <= 20 else 6
    boxes = np.array([[0.0095 * size * max(len(name), 1) + 0.08, 0.021 * size] for name in names])
    centres = places.apart((medians - low) / (high - low) * width, boxes, width)
    for name, k, (x, y) in zip(names, present, centres / width, strict=True):
        colour = style.CLASS_COLOURS[k % len(style.CLASS_COLOURS)]
        box = {"boxstyle": "round,pad=0.22", "fc": style.PAPER, "ec": colour, "lw": 1.3, "alpha": 0.92}
        text = axes.text(x, y, name, transform=axes.transAxes, ha="center", va="center", fontsize=size, bbox=box)
        text.set_path_effects([effects.withStroke(linewidth=0.6, foreground=style.INK)] if len(name) <= 2 else [])

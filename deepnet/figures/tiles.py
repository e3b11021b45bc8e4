"""Many small pictures or curves in one panel: a hundred filters cost one image or line collection, not a hundred axes.

A cell of a panel of curves is the unit square: column c spans x from c to c + 1, row r spans y from -r - 1 to -r.
"""

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from deepnet.figures.style import FAINT, INK, PAPER

BARS = 32  # cases with at most this many values are drawn as bars: so few columns are rarely samples of one curve


def picture_shape(shape: tuple[int, ...], width: int) -> tuple[int, ...] | None:
    """(height, width) or (height, width, 3) if cases of this shape are pictures, None if they are curves."""
    if len(shape) == 3 and shape[-1] == 1:
        shape = shape[:-1]
    picture = len(shape) == 2 or (len(shape) == 3 and shape[-1] == 3)
    return tuple(shape) if picture and math.prod(shape) == width and min(shape) > 1 else None


def finite(cases: np.ndarray) -> np.ndarray:
    """float32 with 0 in place of what is not finite."""
    return np.nan_to_num(np.asarray(cases, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def span(cases: np.ndarray) -> tuple[float, float]:
    """Lowest and highest value of a scale that holds 0: 0 to 1 where all lie within."""
    low, high = float(cases.min(initial=0.0)), float(cases.max(initial=0.0))
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def coloured(unit: np.ndarray, picture: tuple[int, ...], colours: str = "gray") -> np.ndarray:
    """Values in 0..1 (n, width) as pictures (n, height, width, 3): their own colours, or those of a colour map."""
    if len(picture) == 3:
        return unit.reshape(-1, *picture)
    return matplotlib.colormaps[colours](unit)[..., :3].reshape(-1, *picture, 3)


def columns_for(count: int, aspect: float) -> int:
    """Columns that make `count` cells of width / height `aspect` into a nearly square panel."""
    return min(count, max(1, math.ceil(math.sqrt(count / aspect))))


def mosaic(pictures: np.ndarray, columns: int, gap: int) -> np.ndarray:
    """(n, height, width, 3) colours in 0..1 -> one picture of rows of `columns`, `gap` white pixels between them."""
    count, height, width, _ = pictures.shape
    rows = math.ceil(count / columns)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.float32)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def show(axes: Axes, sheet: np.ndarray) -> None:
    """Draw a mosaic and nothing else: no frame, no ticks."""
    axes.imshow(sheet)
    axes.set_anchor("NW")
    axes.set_axis_off()


def curves(
    axes: Axes, values: np.ndarray, columns: int, limits: np.ndarray, colour: str = INK, line: float = 0.8
) -> None:
    """Draw (n, width) values as a curve a cell (few values: as bars from zero); limits (n, 2) are each cell's range."""
    count, width = values.shape
    x0, top = np.arange(count) % columns, -(np.arange(count) // columns)
    low, high = limits[:, :1], limits[:, 1:]
    span = np.where(high > low, high - low, 1)
    y = top[:, None] - 0.92 + 0.84 * (np.clip(values, low, high) - low) / span
    x = x0[:, None] + 0.05 + 0.9 * (np.arange(width) + 0.5)[None, :] / width
    if width > BARS:
        segments = np.stack([x, y], axis=-1)
    else:
        zero = np.broadcast_to(baseline(top, limits)[:, None], y.shape)
        segments = np.stack([np.stack([x, zero], -1), np.stack([x, y], -1)], axis=-2).reshape(-1, 2, 2)
        line = max(line, min(6.0, 0.55 * 72 * 0.45 / width))
    axes.add_collection(LineCollection(segments, colors=colour, linewidths=line, capstyle="butt"), autolim=False)


def baseline(top: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Height of the value zero (or of the nearest value in range) in each cell."""
    low, high = limits[:, 0], limits[:, 1]
    span = np.where(high > low, high - low, 1)
    return top - 0.92 + 0.84 * (np.clip(0.0, low, high) - low) / span


def ruled(axes: Axes, count: int, columns: int, limits: np.ndarray) -> None:
    """Set up a panel of `count` curve cells: its limits, no frame, a pale square and a zero line a cell."""
    x0, top = np.arange(count) % columns, -(np.arange(count) // columns)
    zero = baseline(top, limits)
    ends = np.stack([np.stack([x0 + 0.05, zero], -1), np.stack([x0 + 0.95, zero], -1)], axis=-2)
    axes.bar(x0 + 0.5, 0.94, 0.94, top - 0.97, color="#f4f6f8", edgecolor=PAPER, linewidth=0)
    axes.add_collection(LineCollection(ends, colors=FAINT, linewidths=0.8), autolim=False)
    axes.set(xlim=(0, columns), ylim=(float(top.min()) - 1, 0))
    axes.set_axis_off()

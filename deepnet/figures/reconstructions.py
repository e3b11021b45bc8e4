"""What a model makes of its input: the cases in the first row, below them their reconstructions, same scale."""

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepnet.figures import style, tiles

PICTURES, CURVES = 20, 8  # at most this many cases a row
_LABEL = 1.7  # inches at the left of a row for its name
_LETTERS, _LINES = 25, 3  # of the words after the name's colon


def reconstructions(rows: list[tuple[str, np.ndarray]], shape: tuple[int, ...]) -> Figure:
    """A row an entry of `rows`: (name, cases (n, width)), the originals first; case i stands below case i.

    All rows share the first row's range (0 to 1 if it lies within). Curves of later rows have the original in grey
    behind them. A name's words after its first colon, such as a squared error, are set smaller below it.
    """
    arrays = [tiles.finite(cases) for _, cases in rows]
    picture = tiles.picture_shape(shape, arrays[0].shape[1])
    count = min(len(arrays[0]), PICTURES if picture else CURVES)
    cell = min(1.0, 6.5 / count) if picture else min(2.4, 6.5 / count)
    height = cell * (picture[0] / picture[1] if picture else 0.75)
    low, high = tiles.span(arrays[0][:count])
    wide, high_row = max(cell * count, 2.0), max(height, *(0.17 + 0.13 * len(_words(name)) for name, _ in rows))
    with style.look():
        figure = style.page(_LABEL + wide + 0.1, (high_row + 0.09) * len(rows), arranged=False)
        step = 1 / len(rows)
        across = (_LABEL / figure.get_figwidth(), cell * count / figure.get_figwidth())
        for i, ((name, _), cases) in enumerate(zip(rows, arrays, strict=True)):
            axes = figure.add_axes((across[0], 1 - (i + 0.96) * step, across[1], 0.92 * step))
            unit = np.clip((cases[:count] - low) / (high - low), 0, 1)
            behind = np.clip((arrays[0][:count] - low) / (high - low), 0, 1) if i else None
            _strip(axes, unit, behind, picture, float(np.clip(-low / (high - low), 0, 1)))
            _label(axes, name)
        return style.settle(figure)


def _strip(
    axes: Axes, unit: np.ndarray, behind: np.ndarray | None, picture: tuple[int, ...] | None, zero: float
) -> None:
    """One row: n cases with values in 0..1; `behind` are the originals, `zero` the place of the value 0."""
    count = len(unit)
    if picture is not None:
        tiles.show(axes, tiles.mosaic(tiles.coloured(unit, picture), count, gap=1))
        return
    limits = np.repeat(np.array([[-zero, 1 - zero]]), count, axis=0)
    tiles.ruled(axes, count, count, limits)
    if behind is not None:
        tiles.curves(axes, behind - zero, count, limits, "#bcc4cb", 1.6)
    tiles.curves(axes, unit - zero, count, limits, style.BLUE if behind is not None else style.INK)


def _label(axes: Axes, name: str) -> None:
    """Name of a row at its left, what follows the colon below it."""
    head, lines = name.partition(": ")[0], _words(name)
    (lift, side) = (4.5 * len(lines) - 4, "bottom") if lines else (0, "center")
    axes.annotate(style.plain(head, 22), (0, 0.5), (-7, lift), weight="bold", ha="right", va=side, **style.BESIDE)
    if lines:
        look = {"fontsize": 7, "color": style.MUTED, "ha": "right", "va": "top"}
        axes.annotate("\n".join(lines), (0, 0.5), (-7, lift - 2), **look, **style.BESIDE)


def _words(name: str) -> list[str]:
    """The lines of what follows a name's first colon."""
    return [style.plain(line, _LETTERS) for line in textwrap.wrap(name.partition(": ")[2], _LETTERS)[:_LINES]]

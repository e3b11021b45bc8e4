"""The mistakes that a classifier is surest of: often wrong labels, or cases that people would doubt too."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepnet.figures import style, tiles

_MOST, _COLUMNS = 24, 6
_CELL, _WORDS, _LINE = 0.68, 0.36, 0.125  # inches of a picture, of the words below it, of a line more
_LETTERS = 11  # of a class's name
_FIT = 9  # letters below a picture at full size


def mistakes(
    cases: np.ndarray,
    true: list[str],
    predicted: list[str],
    sure: np.ndarray,
    rows: np.ndarray,
    shape: tuple[int, ...],
    wrong: tuple[int, int],
    probable: bool,
) -> Figure:
    """Cases (n, width), surest first: below each its class, what it was taken for, and how surely.

    `sure` (n,) are probabilities where they are `probable`, else margins; `rows` are the cases' places in the data,
    from 0; `wrong` counts the mistakes and all cases. Pictures share one grey scale, others become bars or curves.
    """
    cases = tiles.finite(cases)[:_MOST]
    count = len(cases)
    columns = max(5, min(count, _COLUMNS))
    lines = max(1, math.ceil(count / columns))
    picture = tiles.picture_shape(shape, cases.shape[1]) if count else None
    high = _CELL * float(np.clip(picture[0] / picture[1], 0.4, 2.5)) if picture else _CELL
    with style.look():
        apart = any(len(f"{a} → {b}") > _FIT for a, b in zip(true[:count], predicted[:count], strict=True))
        below = _WORDS + _LINE * apart
        size = columns * (_CELL + 0.06) + 0.2, lines * (high + below) + 0.55
        figure = style.page(*size, arranged=False)
        words = f"{wrong[0]:,} of {wrong[1]:,} cases wrong" + (f", {count} shown" if count < wrong[0] else "")
        figure.text(0.1 / size[0], 1 - 0.17 / size[1], words, fontsize=9, weight="bold", va="center")
        note = "class, what it was taken for, " + ("probability" if probable else "margin") + (
            ", number of the case" if count else "")  # fmt: skip
        figure.text(0.1 / size[0], 1 - 0.36 / size[1], note, fontsize=7, color=style.MUTED, va="center")
        limits = (float(cases.min(initial=0)), float(cases.max(initial=0)) or 1.0)
        for i in range(count):
            left, top = 0.1 + i % columns * (_CELL + 0.06), 0.5 + i // columns * (high + below)
            place = (left / size[0], 1 - (top + high) / size[1], _CELL / size[0], high / size[1])
            axes = figure.add_axes(place)
            _case(axes, cases[i], picture, limits)
            share = f"{sure[i]:.2%}" if probable and sure[i] < 0.99995 else "100 %" if probable else f"{sure[i]:.3g}"
            _below(axes, _named(true[i], predicted[i], apart), f"{share.replace('%', ' %')}  #{rows[i] + 1}")
        return style.settle(figure)


def _case(axes: Axes, case: np.ndarray, picture: tuple[int, ...] | None, limits: tuple[float, float]) -> None:
    """One case."""
    low, high = limits
    if picture is None:
        ends = np.array([limits])
        tiles.ruled(axes, 1, 1, ends)
        tiles.curves(axes, case[None], 1, ends, style.BLUE)
        return
    unit = np.clip((case - low) / (high - low if high > low else 1), 0, 1)
    axes.imshow(tiles.coloured(unit[None], picture)[0], aspect="auto")
    axes.set_axis_off()


def _below(axes: Axes, names: list[str], numbers: str) -> None:
    """Lines below a case: the names, then the numbers."""
    look = {"ha": "center", "va": "top", **style.BESIDE}
    for i, line in enumerate(names):
        size = min(7.5, 7.5 * _FIT / max(len(line), 1))
        axes.annotate(line, (0, 0), (_CELL * 36, -2 - 9 * i), fontsize=size, weight="bold", **look)
    axes.annotate(numbers, (0, 0), (_CELL * 36, -3 - 9 * len(names)), fontsize=5.5, color=style.MUTED, **look)


def _named(true: str, predicted: str, apart: bool) -> list[str]:
    """A case's class and what it was taken for, on one line or, with long names, on two."""
    first, second = style.plain(true, _LETTERS), style.plain(predicted, _LETTERS)
    return [first, f"→ {second}"] if apart else [f"{first} → {second}"]

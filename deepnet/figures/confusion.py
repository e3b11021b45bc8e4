"""Which classes are taken for which: true classes down, predicted classes across."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from deepnet.figures import style

_RIGHT = LinearSegmentedColormap.from_list("right", ["#f3f7fb", "#a9c8e4", "#5b93c4", "#1f5f99"])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["#fdf6ef", "#f6c592", style.ORANGE, "#97400a"])
_EMPTY = np.array([0.972, 0.976, 0.98])


def confusion(matrix: np.ndarray, classes: tuple[str, ...] | list[str]) -> Figure:
    """Confusion matrix (C, C) of counts, rows true, columns predicted; `classes` () names them by number.

    The colour is the share of the row, on a square-root scale so that rare mistakes are seen: blue on the diagonal,
    orange beside it. At the right each class's share of right answers (recall).
    """
    matrix = np.asarray(matrix)
    count = len(matrix)
    names = [style.plain(name, 24) for name in (classes or range(count))]
    cell = _cell(count, max(map(len, names)))
    with style.look():
        figure = style.page(*_size(count, cell, max(map(len, names))))
        axes = figure.subplots()
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axes.imshow(_colours(matrix, shares), interpolation="nearest")
        _frame(axes, names, cell)
        _numbers(axes, matrix, shares, cell)
        _recalls(axes, matrix, shares, cell)
        total, wrong = int(matrix.sum()), int(matrix.sum() - np.trace(matrix))
        axes.set_title(f"{total:,} cases, {wrong:,} wrong ({wrong / max(total, 1):.2%})", pad=8)
        return style.settle(figure)


def _cell(count: int, letters: int) -> float:
    """Inches of a cell: few classes have cells as wide as their names."""
    cell = float(np.clip(5.2 / count, 0.2, 0.62))
    return max(cell, min(1.2, 0.085 * letters)) if count <= 6 else cell


def _size(count: int, cell: float, letters: int) -> tuple[float, float]:
    """Inches of the page: the matrix, the names at its left and foot, the recalls at its right."""
    size = _letter(cell, 8)
    names = 0.0095 * size * letters
    below = names if _upright(letters, cell) else 0.15
    return max(count * cell + names + 1.3, 3.4), count * cell + below + 0.95


def _letter(cell: float, most: float) -> float:
    """Points of the letters beside cells of `cell` inches."""
    return float(np.clip(cell * 30, 5, most))


def _upright(letters: int, cell: float) -> bool:
    """Whether names of so many letters must stand upright below cells of `cell` inches."""
    return letters * _letter(cell, 8) * 0.0095 > cell


def _colours(matrix: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(C, C, 3) colours; a cell without a case is nearly white."""
    depth = np.sqrt(shares)
    colours = _WRONG(0.08 + 0.92 * depth)[..., :3]
    diagonal = np.arange(len(matrix))
    colours[diagonal, diagonal] = _RIGHT(np.diag(shares))[..., :3]
    colours[matrix == 0] = _EMPTY
    return colours


def _frame(axes: Axes, names: list[str], cell: float) -> None:
    """Names of the classes, white lines between the cells, no spines."""
    count, size = len(names), _letter(cell, 8)
    turn = 90 if _upright(max(map(len, names)), cell) else 0
    axes.set_xticks(range(count), names, fontsize=size, rotation=turn, color=style.INK)
    axes.set_yticks(range(count), names, fontsize=size, color=style.INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    edges = np.arange(count - 1) + 0.5
    axes.hlines(edges, -0.5, count - 0.5, colors=style.PAPER, linewidths=0.8)
    axes.vlines(edges, -0.5, count - 0.5, colors=style.PAPER, linewidths=0.8)
    axes.set(xlabel="predicted class", ylabel="true class", xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))


def _numbers(axes: Axes, matrix: np.ndarray, shares: np.ndarray, cell: float) -> None:
    """The counts that are not zero, as large as the cells allow."""
    digits = len(f"{matrix.max():d}")
    size = float(np.clip(72 * cell * 0.86 / (0.62 * max(digits, 2)), 3, 9))
    for row, column in np.argwhere(matrix > 0):
        right = row == column
        dark = shares[row, column] > (0.5 if right else 0.3)
        colour = style.PAPER if dark else style.INK
        text = axes.text(column, row, f"{matrix[row, column]:d}", ha="center", va="center", fontsize=size, color=colour)
        text.set_in_layout(False)


def _recalls(axes: Axes, matrix: np.ndarray, shares: np.ndarray, cell: float) -> None:
    """The share of right answers at the end of each row; a class without cases has none."""
    count, size = len(matrix), _letter(cell, 7)
    known = matrix.sum(axis=1) > 0
    for row in range(count):
        share = f"{shares[row, row]:.1%}" if known[row] else "–"
        axes.text(count - 0.35, row, share, va="center", fontsize=size, color=style.MUTED)
    place = {**style.BESIDE, "xycoords": "data"}
    axes.annotate("recall", (count - 0.35, count - 0.5), (0, -4), fontsize=7, color=style.MUTED, va="top", **place)

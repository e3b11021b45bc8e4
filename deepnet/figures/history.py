"""How training went: small multiples, a column a stage and a row a metric.

Stages that share no metric (the layers of pre-training, then fine-tuning) stand in blocks below each other; a block of
one stage has its metrics side by side. Metrics that differ only in their first word, training, validation or test,
are lines of one panel.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from deepnet.figures import places, style

_COLOURS = {"training": style.BLUE, "validation": style.ORANGE, "test": style.GREEN}
_HIGH, _WIDE = 0.98, 2.5  # inches of a panel with its words
_PAGE = {1: 4.2, 2: 6.8}  # inches of a page of few columns
_ACROSS = 3  # panels side by side for a block of one stage
_LARGEST = 1e100  # beyond it the arithmetic of an axis overflows
_FACTOR = 30.0  # a panel with a line that falls by more than this factor has a logarithmic axis


@dataclass(frozen=True)
class _Stage:
    """One column: `panels` holds, for each metric without its first word, that word -> values."""

    title: str
    epoch: np.ndarray
    panels: dict[str, dict[str, np.ndarray]]


def history(series: list[dict]) -> Figure:
    """Learning curves of `series`: {"stage": title, "epoch": (n,), "metrics": {name: (n,)}}, a dict a stage.

    Every line ends in its last value. Panels of one row share their range when all values are shares (0 to 1).
    Values that are not finite, or beyond 1e100, are gaps.
    """
    blocks = _blocks([_stage(entry) for entry in series])
    grids = [_cells(block) for block in blocks]
    columns = max(len(grid[0]) for grid in grids)
    heights = [len(grid) * _HIGH + 0.62 for grid in grids]
    with style.look():
        figure = style.page(_PAGE.get(columns, columns * _WIDE), sum(heights))
        parts = figure.subfigures(len(blocks), 1, squeeze=False, height_ratios=heights)[:, 0]
        for part, grid in zip(parts, grids, strict=True):
            _block(part.subplots(len(grid), len(grid[0]), squeeze=False), grid)
        return style.settle(figure)


def _stage(entry: dict) -> _Stage:
    """The metrics of one stage sorted into panels."""
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name, values in entry["metrics"].items():
        first, _, rest = name.partition(" ")
        key, word = (rest, first) if rest and first in _COLOURS else (name, "")
        values = np.array(values, dtype=float)
        values[~(np.abs(values) < _LARGEST)] = np.nan
        panels.setdefault(key, {})[word] = values
    return _Stage(entry["stage"], np.asarray(entry["epoch"]), panels or {"no metrics": {}})


def _blocks(stages: list[_Stage]) -> list[list[_Stage]]:
    """Neighbouring stages that share a metric, together."""
    blocks: list[list[_Stage]] = []
    for stage in stages:
        if blocks and any(key in known.panels for known in blocks[-1] for key in stage.panels):
            blocks[-1].append(stage)
        else:
            blocks.append([stage])
    return blocks


def _cells(block: list[_Stage]) -> list[list[tuple[_Stage, str] | None]]:
    """Rows of equally many panels, each (stage, metric), or None where nothing was measured."""
    metrics = list(dict.fromkeys(key for stage in block for key in stage.panels))
    if len(block) > 1:
        rows = [[(stage, key) if key in stage.panels else None for stage in block] for key in metrics]
    else:
        rows = [[(block[0], key) for key in metrics[i : i + _ACROSS]] for i in range(0, len(metrics), _ACROSS)]
    return [row + [None] * (len(rows[0]) - len(row)) for row in rows]


def _block(axes: np.ndarray, grid: list[list[tuple[_Stage, str] | None]]) -> None:
    """Draw one block; a stage's title stands above its first panel."""
    titled: set[int] = set()
    lowest: dict[int, Axes] = {}
    for row, cells in zip(axes, grid, strict=True):
        drawn = [(ax, *cell) for ax, cell in zip(row, cells, strict=True) if cell]
        for ax, cell in zip(row, cells, strict=True):
            if cell is None:
                ax.set_axis_off()
        together = _limits([values for _, stage, key in drawn for values in stage.panels[key].values()])
        for ax, stage, key in drawn:
            alone = _limits(list(stage.panels[key].values()))
            _panel(ax, stage, key, together if together[0] >= 0 and together[1] <= 1 else alone)
            lowest[ax.get_subplotspec().colspan.start] = ax
            if id(stage) not in titled:
                ax.set_title(style.plain(stage.title, 38), pad=17)
                titled.add(id(stage))
    for ax in lowest.values():
        ax.tick_params(labelbottom=True)
        ax.set_xlabel("epoch", fontsize=7, labelpad=1)


def _limits(lines: list[np.ndarray]) -> tuple[float, float]:
    """Lowest and highest finite value, (0, 0) when there is none."""
    values = np.concatenate([line[np.isfinite(line)] for line in lines] or [np.zeros(0)])
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _panel(axes: Axes, stage: _Stage, key: str, limits: tuple[float, float]) -> None:
    """One metric of one stage: its lines, its name above, the last values at the right."""
    lines = stage.panels[key]
    _scales(axes, limits, stage.epoch, any(map(_decays, lines.values())))
    for word, values in lines.items():
        mark = "o" if len(values) <= 3 else None
        axes.plot(stage.epoch, values, color=_COLOURS.get(word, style.BLUE), marker=mark, markersize=3.5, clip_on=False)
    _ends(axes, lines)
    axes.annotate(style.plain(key, 34), (0, 1), (0, 4), fontsize=7.5, color=style.MUTED, va="bottom", **style.BESIDE)


def _decays(values: np.ndarray) -> bool:
    """Whether the values fall by decades, so that a linear axis would show a corner only."""
    known = values[np.isfinite(values)]
    return len(known) > 1 and bool(known[-1] > 0) and bool(known[0] / known[-1] > _FACTOR)


def _scales(axes: Axes, limits: tuple[float, float], epoch: np.ndarray, decays: bool) -> None:
    """Ranges and few ticks of both axes; the value axis is logarithmic if some line `decays`."""
    low, high = limits
    if low > 0 and decays:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.25, high * 1.25)
        axes.yaxis.set_major_locator(LogLocator(10, numticks=4))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        room = 0.08 * (high - low) or 0.1 * abs(high) or 0.05
        axes.set_ylim(min(low, 0.0) if 0 <= low < room else low - room, high + room)
        axes.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}".replace("-", "−")))
    first, last = (float(epoch.min()), float(epoch.max())) if len(epoch) else (0.0, 1.0)
    axes.set_xlim(first - (0.5 if first == last else 0), last + (0.5 if first == last else 0))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.tick_params(labelbottom=False)
    axes.grid(axis="y", color=style.FAINT, linewidth=0.5)
    axes.set_axisbelow(True)


def _ends(axes: Axes, lines: dict[str, np.ndarray]) -> None:
    """The last finite value of each line, with the line's word, at the right edge; moved apart where they meet."""
    ends = {word: values[np.isfinite(values)][-1] for word, values in lines.items() if np.isfinite(values).any()}
    if not ends:
        axes.annotate(
            "no finite value", (0.5, 0.5), (0, 0), ha="center", va="center", color=style.MUTED, **style.BESIDE
        )
        return
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(to_axes.transform((axes.get_xlim()[1], end))[1]) for end in ends.values()]
    for (word, end), height in zip(ends.items(), places.spread(heights, 0.19), strict=True):
        text = f"{end:.3g}".replace("-", "−") + (f" {word}" if word else "")
        colour = _COLOURS.get(word, style.BLUE)
        axes.annotate(text, (1, height), (5, 0), va="center", fontsize=7, color=colour, **style.BESIDE)

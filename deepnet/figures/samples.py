"""What a stack believes the world to be like: chains of Gibbs sampling, a row a chain, steps from left to right."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepnet.figures import style, tiles

_COLUMNS, _MOST = 8, 12  # steps across, chains down
_ABREAST = 5  # chains across in a moving picture
_WIDE = 4.0  # inches of all columns


def samples(steps: np.ndarray, chains: np.ndarray, shape: tuple[int, ...], start: str) -> Figure:
    """Chains (T, n, width) after `steps` (T,) of Gibbs sampling, begun with `start`, data or noise; a row a chain.

    Of many steps some are shown, as evenly as their powers allow. All share one scale. Chains from data that soon look
    alike, or from noise that never look like data, tell of a machine that has not learned their law (Hinton, Osindero
    and Teh 2006, section 6).
    """
    steps, chains = np.asarray(steps), tiles.finite(chains)[:, :_MOST]
    kept = _chosen(steps)
    limits = tiles.span(chains[kept])
    with style.look():
        return _page([f"{steps[i]:,}" for i in kept], chains[kept], shape, limits,
                     f"Begun with {start}: steps of Gibbs sampling")  # fmt: skip


def frames(steps: np.ndarray, chains: np.ndarray, shape: tuple[int, ...], start: str) -> list[Figure]:
    """The same chains as pictures after each other, one for every step, to be shown one in the place of the other."""
    chains = tiles.finite(chains)[:, :_MOST]
    limits, found = tiles.span(chains), []
    across = min(chains.shape[1], _ABREAST)
    down = chains.shape[1] // across
    for step, states in zip(steps, chains[:, : down * across], strict=True):
        grid = states.reshape(down, across, -1).swapaxes(0, 1)
        with style.look():
            found.append(_page([""] * across, grid, shape, limits, f"Begun with {start}: step {step:,}"))
    return found


def _page(heads: list[str], columns: np.ndarray, shape: tuple, limits: tuple[float, float], title: str) -> Figure:
    """Columns (T, n, width) of cases under their heads."""
    across, count, width = columns.shape
    picture = tiles.picture_shape(shape, width)
    cell = _WIDE / max(across, 4)
    high = cell * (picture[0] / picture[1] if picture else 0.75)
    size = across * cell + 0.2, count * high + 0.62
    figure = style.page(max(size[0], 2.4), size[1], arranged=False)
    size = max(size[0], 2.4), size[1]
    axes = figure.add_axes((0.1 / size[0], 0.08 / size[1], across * cell / size[0], count * high / size[1]))
    cases = columns.transpose(1, 0, 2).reshape(-1, width)
    _cases(axes, cases, across, picture, limits)
    look = {"ha": "center", "va": "bottom", "fontsize": 7, "color": style.MUTED, **style.BESIDE}
    for i, head in enumerate(heads):
        axes.annotate(head, ((i + 0.5) / across, 1), (0, 2), **look)
    figure.text(0.1 / size[0], 1 - 0.18 / size[1], title, fontsize=9, weight="bold", va="center")
    return style.settle(figure)


def _cases(axes: Axes, cases: np.ndarray, columns: int, picture: tuple | None, limits: tuple[float, float]) -> None:
    """Cases row by row as pictures, or as bars or curves."""
    low, high = limits
    if picture is None:
        ends = np.repeat([limits], len(cases), axis=0)
        tiles.ruled(axes, len(cases), columns, ends)
        tiles.curves(axes, cases, columns, ends, style.BLUE)
        return
    unit = np.clip((cases - low) / (high - low), 0, 1)
    tiles.show(axes, tiles.mosaic(tiles.coloured(unit, picture), columns, gap=1))


def _chosen(steps: np.ndarray) -> np.ndarray:
    """Places of the steps to show: the first, the last, and those nearest to even powers between."""
    if len(steps) <= _COLUMNS:
        return np.arange(len(steps))
    wanted = np.concatenate([[0], np.geomspace(1, max(float(steps[-1]), 1.0), _COLUMNS - 1)])
    return np.unique([int(np.abs(steps - w).argmin()) for w in wanted])

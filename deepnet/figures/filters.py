"""What each hidden unit looks for: its incoming weights drawn in the shape of a case, a panel a layer."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepnet.figures import style, tiles

PICTURES, CURVES = 100, 60  # at most this many filters a panel
_FEWEST = 3  # columns of a panel, so that a single filter does not fill it
_WIDTH, _NARROW = 4.0, 3.2  # inches of a panel; of one of three in a row


def filters(layers: list[tuple[str, np.ndarray]], shape: tuple[int, ...]) -> Figure:
    """Filters of every layer: `layers` holds (title, weights of shape (units, inputs of the case)).

    Two-dimensional shapes (and those with three colours) become pictures, others small curves. Each filter has its own
    scale, symmetric about zero. Of many units we show some at even distances and say so; a title's words after
    its first colon are set smaller. Deeper layers are given already projected to the input
    (Erhan et al. 2009, "Visualizing higher-layer features of a deep network", section 3.3: linear combination).
    """
    return drawn(layers, shape, "Each filter on its own scale")


def growing(states: list[tuple[str, list[tuple[str, np.ndarray]]]], shape: tuple[int, ...]) -> list[Figure]:
    """The same filters in one state after the other: `states` holds (line, layers), all with the same units.

    A filter has one scale in all pictures, so that it is seen to grow; the line stands below the picture.
    """
    layers = zip(*([_reach(weights) for _, weights in layers] for _, layers in states), strict=True)
    reaches = [np.max(reach, axis=0) for reach in layers]
    words = "Each filter on its own scale, the same all the time"
    return [drawn(layers, shape, words, reaches, line) for line, layers in states]


def drawn(
    layers: list[tuple[str, np.ndarray]],
    shape: tuple[int, ...],
    words: str,
    reaches: list[np.ndarray] | None = None,
    line: str | None = None,
) -> Figure:
    """A panel a layer of what has a sign and no scale; `words` begin the explanation at the foot, below the `line`.

    `reaches` are the largest magnitudes of a layer's scales, (units, 1); without them those of the weights.
    """
    rows, columns = style.arrangement(len(layers))
    width = _NARROW if columns > 2 else _WIDTH
    reaches = [_reach(weights) for _, weights in layers] if reaches is None else reaches
    chosen = [_chosen(*layer, reach, shape) for layer, reach in zip(layers, reaches, strict=True)]
    pictures = [tiles.picture_shape(shape, weights.shape[1]) for _, weights, _ in chosen]
    each = [_height(len(w), p, width) for (_, w, _), p in zip(chosen, pictures, strict=True)]
    heights = [max(each[i : i + columns]) for i in range(0, len(each), columns)]
    with style.look():
        above = style.head_height([title for title, _, _ in chosen], width)
        size = columns * (width + 0.12), sum(heights) + rows * above + (0.3 if line is None else 0.45)
        figure = style.page(*size)
        places = style.panels(figure, len(layers), heights)
        for axes, (title, weights, reach), picture in zip(places, chosen, pictures, strict=True):
            _panel(axes, weights, reach, picture)
            style.head(axes, title, width)
        foot = "" if line is None else f"{style.plain(line, int(size[0] * 15))}\n"
        style.note(figure, f"{foot}{words}, {_zero(pictures)}")
        return style.settle(figure)


def _reach(weights: np.ndarray) -> np.ndarray:
    """The largest magnitude of each filter, (units, 1), never 0."""
    return np.maximum(np.abs(tiles.finite(weights)).max(axis=1, keepdims=True), np.finfo(np.float32).tiny)


def _chosen(title: str, weights: np.ndarray, reach: np.ndarray, shape: tuple[int, ...]) -> tuple:
    """Title, the filters to draw, finite, and their reach; the title says how many when some are left out."""
    most = PICTURES if tiles.picture_shape(shape, weights.shape[1]) else CURVES
    weights = tiles.finite(weights)
    if len(weights) <= most:
        return title, weights, reach
    kept = np.linspace(0, len(weights) - 1, most).round().astype(int)
    return f"{title}{',' if ': ' in title else ':'} {most} shown", weights[kept], reach[kept]


def _cells(count: int, picture: tuple[int, ...] | None) -> tuple[int, float]:
    """Columns of a panel, and width / height of a cell."""
    aspect = picture[1] / picture[0] if picture else 1.6
    return max(_FEWEST, tiles.columns_for(count, aspect)), aspect


def _height(count: int, picture: tuple[int, ...] | None, width: float) -> float:
    """Inches that a panel of `count` filters needs when it is `width` inches wide."""
    columns, aspect = _cells(count, picture)
    return min(width * 1.4, width / columns / aspect * -(-count // columns))


def _panel(axes: Axes, weights: np.ndarray, reach: np.ndarray, picture: tuple[int, ...] | None) -> None:
    columns, _ = _cells(len(weights), picture)
    if picture is None:
        limits = np.hstack([-reach, reach])
        tiles.ruled(axes, len(weights), columns, limits)
        tiles.curves(axes, weights, columns, limits, style.BLUE)
        return
    unit = 0.5 + 0.5 * weights / reach
    coloured = tiles.coloured(unit, picture, style.SIGNED)
    tiles.show(axes, tiles.mosaic(coloured, columns, gap=max(1, min(picture[:2]) // 20)))


def _zero(pictures: list[tuple[int, ...] | None]) -> str:
    """How zero and signs are shown."""
    if all(picture is None for picture in pictures):
        return "symmetric about the grey line (zero)."
    if any(picture is not None and len(picture) == 3 for picture in pictures):
        return "symmetric about grey (zero)."
    return "symmetric about white (zero):\nblue is negative, red positive."

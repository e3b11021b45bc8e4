"""The look that all figures share: colours, type, the making of a page and of its bytes, and text from files made safe.

Colours: classes have the ten of Petroff (2021, "Accessible color sequences for data visualization"), chosen to stay
apart for colour-blind readers; signs are blue (negative) and red (positive); words are dark grey on white.
"""

import io
import math
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import accumulate
from typing import Any, cast

import numpy as np
from matplotlib import font_manager
from matplotlib import style as styles
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox
from PIL import Image

from deepnet.errors import UsageError

INK, MUTED, FAINT, PAPER = "#1f2933", "#5f6b76", "#dfe3e8", "#ffffff"
BLUE, ORANGE, GREEN = "#2b6ca3", "#d0661c", "#4f8a4b"
CLASS_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
SIGNED = "RdBu_r"
DOTS_PER_INCH = 160
# How annotations are placed: from a point of the axes in fractions, moved by points, also outside the axes.
BESIDE: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
# What a format would otherwise write about the day and the program, and we leave out.
FORMATS = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_SHADES, _REST = 128, 2000  # colours of a GIF; milliseconds of its last picture
_SETTINGS = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "figure.constrained_layout.w_pad": 0.06,
    "figure.constrained_layout.h_pad": 0.06,
    "svg.hashsalt": "deepnet",
    "pdf.fonttype": 42,
}


def look() -> AbstractContextManager[None]:
    """The settings under which a figure is made and encoded; the user's own matplotlibrc has no part in them."""
    return styles.context(["default", _SETTINGS])


def page(width: float, height: float, *, arranged: bool = True) -> Figure:
    """An empty white page of `width` by `height` inches with an Agg canvas; `arranged`: axes find their own places."""
    layout = "constrained" if arranged else "none"
    figure = Figure(figsize=(round(width, 2), round(height, 2)), dpi=DOTS_PER_INCH, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def settle(figure: Figure) -> Figure:
    """Lay the page out and keep it so, that encoding it twice gives the same bytes; returns the figure.

    Three times, because room for a title is measured before a picture's aspect has moved it. Rounded, because the
    layout's solver leaves other last bits in every run, and an SVG's names of clips are made of all bits.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        for _ in range(3):
            engine.execute(figure)
        figure.set_layout_engine("none")
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(5))
    for axes in figure.axes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(5)))
    for text in figure.texts:
        text.set_position(np.round(text.get_position(), 5))
    return figure


def format_of(suffix: str) -> str:
    """The name of a figure's format, of FORMATS; UsageError for a suffix of none."""
    kind = suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise UsageError(f"a figure cannot be written as {suffix!r}; end the output's name with .png, .svg or .pdf")
    return kind


def encode(figure: Figure, suffix: str) -> bytes:
    """The bytes of a figure as `png`, `svg` or `pdf` (a leading dot is allowed): no dates, so same figure, same bytes.

    Raises UsageError for any other suffix.
    """
    kind = format_of(suffix)
    stream = io.BytesIO()
    with look():
        figure.savefig(stream, format=kind, dpi=DOTS_PER_INCH, metadata=FORMATS[kind])
    return stream.getvalue()


def small(figure: Figure) -> bytes:
    """The bytes of a figure as PNG of at most 256 colours, a third of what `encode` takes: for pages, sent about."""
    stream = io.BytesIO()
    _painted(figure).quantize(256, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def animate(figures: Sequence[Figure], milliseconds: int) -> bytes:
    """The bytes of a GIF that shows figures of one size in turn and begins again, the last one longer.

    Frames share the colours of the last, chosen so that also the rare ones, strong weights, are there; same figures,
    same bytes.
    """
    pictures = [_painted(figure) for figure in figures]
    palette = pictures[-1].quantize(_SHADES, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *rest = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    stream = io.BytesIO()
    times = [milliseconds] * len(rest) + [_REST]
    first.save(stream, "GIF", save_all=True, append_images=rest, duration=times, loop=0)
    return stream.getvalue()


def _painted(figure: Figure) -> Image.Image:
    """A figure's pixels."""
    canvas = cast(FigureCanvasAgg, figure.canvas)
    with look():
        canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


@cache
def _glyphs() -> frozenset[int]:
    """The characters that both weights of our font can draw."""
    kinds = ("DejaVu Sans", "DejaVu Sans:bold")
    fonts = [font_manager.get_font(font_manager.findfont(kind)) for kind in kinds]
    return frozenset(fonts[0].get_charmap()) & frozenset(fonts[1].get_charmap())


def plain(text: object, limit: int | None = None) -> str:
    """Text from a file as matplotlib may draw it: no mathematics, no control characters, at most `limit` characters.

    What our font lacks is written as its escape (`u4e2d` after a backslash), so that two names never become the same
    row of boxes.
    """
    glyphs = _glyphs()
    marks = [c if c.isprintable() and ord(c) in glyphs else c.encode("unicode_escape").decode() for c in str(text)]
    if limit is not None and sum(map(len, marks)) > limit:
        tail = limit // 3
        marks = [*_first(marks, limit - tail - 1), "…", *reversed(_first(marks[::-1], tail))]
    return "".join(marks).replace("$", r"\$")


def _first(marks: list[str], limit: int) -> list[str]:
    """As many of the first marks as have together at most `limit` characters."""
    lengths = accumulate(map(len, marks))
    return [mark for mark, length in zip(marks, lengths, strict=True) if length <= limit]


def head(axes: Axes, title: str, width: float) -> None:
    """Title of a panel `width` inches wide; what follows a first colon stands below it, smaller, in its own lines."""
    names, lines = _head_lines(title, width)
    axes.set_title("\n".join(names), pad=5 + 9.5 * len(lines))
    if lines:
        axes.annotate("\n".join(lines), (0, 1), (0, 4), fontsize=7, color=MUTED, va="bottom", **BESIDE)


def head_height(titles: Sequence[str], width: float) -> float:
    """Inches that the highest of these panel titles needs."""
    sizes = [_head_lines(title, width) for title in titles]
    return max((0.17 + 0.15 * len(names) + 0.14 * len(lines) for names, lines in sizes), default=0.0)


def _head_lines(title: str, width: float) -> tuple[list[str], list[str]]:
    """The lines of a title's name (at most two) and of its smaller words (at most four)."""
    name, _, rest = title.partition(": ")
    across = int(width * 12), int(width * 15)
    names = textwrap.wrap(name, across[0])[:2]
    words = [line for part in rest.splitlines() for line in textwrap.wrap(part, across[1])][:4]
    return [plain(line, across[0]) for line in names], [plain(line, across[1]) for line in words]


def note(figure: Figure, text: str) -> None:
    """A grey line of explanation at the foot of the page."""
    figure.supxlabel(text, x=0.012, ha="left", fontsize=7, color=MUTED)


def panels(figure: Figure, count: int, heights: list[float]) -> list[Axes]:
    """`count` axes in rows of at most three (four make two rows of two); what is left of the last row is blank."""
    rows, columns = arrangement(count)
    axes = figure.subplots(rows, columns, squeeze=False, height_ratios=heights).ravel()
    for empty in axes[count:]:
        empty.set_axis_off()
    return list(axes[:count])


def arrangement(count: int) -> tuple[int, int]:
    """Rows and columns of a page with `count` panels."""
    columns = 2 if count == 4 else min(count, 3)
    return math.ceil(count / columns), columns


def decades(axis: Axis, low: float, high: float) -> None:
    """Few ticks of a logarithmic axis for values from `low` to `high`: by decades, or finer where these are few."""
    axis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0) if high < 100 * low else (1.0,), numticks=7))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _number(value: float) -> str:
    """A tick's number: thousands with commas, the small by their power of ten."""
    return f"{value:,.0f}" if value >= 1000 and value < 1e6 else f"{value:g}".replace("e-0", "e-").replace("-", "−")

"""Pictures in the terminal: curves as sparks, cases and filters in half blocks, two pixels a character.

What is drawn are the arrays that a figure takes, by name. Without colours (NO_COLOR, a pipe, a plain terminal) pixels
are shades of characters; where the encoding knows no blocks, of ASCII.
"""

import math

from . import show
from .show import printable

SPARKS, SHADES = "▁▂▃▄▅▆▇█", " ░▒▓█"
PLAIN_SPARKS, PLAIN_SHADES = "_.-=*#", " .:-=+*#%@"
ABREAST = 5  # pictures that fit beside each other, at least
LINES = 2  # of pictures a panel
GRID = 16  # lines of a map of codes
MISTAKES = 10


class Screen:
    """Writes pictures as text for a Rich console, by its width, its colours and the characters it knows."""

    def __init__(self, console):
        self.console, self.width = console, max(20, console.width)
        self.coloured = console.color_system is not None and not console.no_color
        narrow = console.options.ascii_only
        self.sparks, self.shades = (PLAIN_SPARKS, PLAIN_SHADES) if narrow else (SPARKS, SHADES)
        self.blocks = self.coloured and not narrow

    def draw(self, kind, numbers) -> str:
        """The text of one kind's arrays, with the escape codes that the console takes."""
        with self.console.capture() as captured:
            self.line(kind, "bold")
            KINDS[kind](self, **numbers)
            self.line("")
        return captured.get()

    def line(self, text, style=""):
        """One line, cut at the right edge."""
        from rich.text import Text

        text = text if isinstance(text, Text) else Text(printable(text), style)
        text.truncate(self.width)
        self.console.print(text, no_wrap=True, crop=True, highlight=False, markup=False, soft_wrap=True)

    def spark(self, values, width, log=False) -> str:
        """Values as a row of bars, at most `width`, from the least to the largest; gaps where not finite."""
        values = [float(v) for v in values]
        values = [values[i * len(values) // width] for i in range(width)] if len(values) > width else values
        values = [math.log(v) if v > 0 else math.nan for v in values] if log else values
        known = [v for v in values if math.isfinite(v)]
        low, high = (min(known), max(known)) if known else (0.0, 0.0)
        top = len(self.sparks) - 1
        return "".join(
            (self.sparks[round(top * (v - low) / (high - low))] if high > low else self.sparks[0])
            if math.isfinite(v) else " " for v in values
        )  # fmt: skip

    def pictures(self, cases, shape, signed=False, captions=()):
        """Cases (n, width) beside each other, at most LINES lines of them; others than images are sparks."""
        import numpy as np

        from deepnet.figures.tiles import picture_shape

        cases = np.nan_to_num(np.asarray(cases, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        if not len(cases):
            return
        picture = picture_shape(shape, cases.shape[1])
        if picture is None:
            words = [f"  {text}" for text in captions] or [""] * len(cases)
            for case, text in zip(cases[: LINES * ABREAST], words, strict=False):
                self.line(f"  {self.spark(case, max(8, self.width - 2 - len(text)))}{text}")
            return
        wide = max(2, min(picture[1], (self.width + 1) // ABREAST - 1))
        high = max(2, 2 * round(picture[0] * wide / picture[1] / 2))
        unit = _unit(cases, signed)
        small = [_shrunk(case.reshape(*picture[:2], -1), high, wide) for case in unit]
        abreast = max(1, (self.width + 1) // (wide + 1))
        for first in range(0, min(len(small), LINES * abreast), abreast):
            if captions:
                self.line(" ".join(text[:wide].ljust(wide) for text in captions[first : first + abreast]))
            self._strip(small[first : first + abreast], high, signed)

    def _strip(self, small, high, signed):
        """One line of pictures."""
        from rich.text import Text

        for y in range(0, high, 2):
            text = Text()
            for case in small:
                for upper, lower in zip(case[y], case[y + 1], strict=True):
                    if self.blocks:
                        text.append("▀", f"{_colour(upper, signed)} on {_colour(lower, signed)}")
                    else:
                        mean = (float(upper.mean()) + float(lower.mean())) / 2
                        text.append(self.shades[min(len(self.shades) - 1, int(mean * len(self.shades)))])
                text.append(" ")
            self.line(text)


def _unit(cases, signed):
    """Values in 0..1: each case on its own scale about a half where they are signed, else all on one."""
    import numpy as np

    if signed:
        return 0.5 + 0.5 * cases / np.maximum(np.abs(cases).max(axis=1, keepdims=True), 1e-30)
    low, high = min(0.0, float(cases.min())), max(1.0, float(cases.max()))
    return (cases - low) / (high - low)


def _shrunk(case, high, wide):
    """(H, W, C) as (high, wide, C), each pixel the mean of those that it covers."""
    import numpy as np

    rows, columns = (np.arange(n) * full // n for n, full in ((high, case.shape[0]), (wide, case.shape[1])))
    ends = [np.maximum(np.append(s[1:], full), s + 1) for s, full in ((rows, case.shape[0]), (columns, case.shape[1]))]
    return np.array([[case[a:b, c:d].mean(axis=(0, 1)) for c, d in zip(columns, ends[1], strict=True)]
                     for a, b in zip(rows, ends[0], strict=True)])  # fmt: skip


def _colour(pixel, signed):
    """A pixel's colour: grey or its own; of signed values blue below a half, red above, white between."""
    if len(pixel) == 3:
        red, green, blue = (round(255 * float(v)) for v in pixel)
    elif signed:
        v = 2 * float(pixel[0]) - 1
        fade = round(255 * (1 - abs(v)))
        red, green, blue = (255, fade, fade) if v > 0 else (fade, fade, 255)
    else:
        red = green = blue = round(255 * float(pixel[0]))
    return f"rgb({red},{green},{blue})"


def _summary(screen, layers, title):
    screen.line(title)
    wanted = ("name", "kind", "unit", "inputs", "outputs", "parameters", "norm")
    for line in show.table([{key: row[key] for key in wanted} for row in layers]):
        screen.line("  " + line)


def _lines(screen, named, log=False):
    """A spark a name, its last value behind it."""
    longest = max((len(name) for name in named), default=0)
    for name, values in named.items():
        values = [float(v) for v in values]
        last = f"{values[-1]:.4g}" if values else "-"
        screen.line(
            f"  {name.ljust(longest)}  {screen.spark(values, max(8, screen.width - longest - 16), log)}  {last}"
        )


def _history(screen, series):
    for stage in series:
        screen.line(stage["stage"])
        _lines(screen, stage["metrics"])


def _gradients(screen, stages):
    for title, norms in stages:
        screen.line(f"{title}: norm of the weights' gradient, logarithms")
        _lines(screen, {f"layer {layer}": values for layer, values in norms.items()}, log=True)


def _confusion(screen, matrix, classes):
    names = [printable(name)[:12] for name in (classes or range(len(matrix)))]
    screen.line("rows true, columns predicted")
    for line in show.confusion([[int(v) for v in row] for row in matrix], names):
        screen.line("  " + line)


def _mistakes(screen, cases, true, predicted, sure, rows, shape, wrong, probable):
    screen.line(f"{wrong[0]:,} of {wrong[1]:,} cases wrong, the surest first")
    names = [f"{printable(t)}>{printable(p)} {s:.3g}" for t, p, s in zip(true, predicted, sure, strict=True)][:MISTAKES]
    screen.pictures(cases[:MISTAKES], shape, captions=names)


def _calibration(screen, counts, confidence, accuracy, error):
    screen.line(f"expected calibration error {100 * error:.2f} %")
    screen.line(f"  confidence {screen.spark(confidence, screen.width)}")
    screen.line(f"  right      {screen.spark(accuracy, screen.width)}")
    screen.line(f"  cases      {screen.spark(counts, screen.width, log=True)}")


def _reconstructions(screen, rows, shape):
    for name, cases in rows:
        screen.line(name)
        screen.pictures(cases[:ABREAST], shape)


def _codes(screen, panels, labels, classes):
    """Each cell has the first letter of the class that most of its cases are of; stars where there are no classes."""
    import numpy as np

    for title, points in panels:
        screen.line(title.splitlines()[0])
        points, wide = np.asarray(points, float), min(screen.width - 2, 4 * GRID)
        kept = np.flatnonzero(np.isfinite(points).all(axis=1))
        if not len(kept):
            continue
        low, high = points[kept].min(axis=0), points[kept].max(axis=0)
        unit = (points[kept] - low) / np.where(high > low, high - low, 1)
        place = np.minimum((unit * [wide, GRID]).astype(int), [wide - 1, GRID - 1])
        found: dict[tuple, dict[str, int]] = {}
        for (x, y), case in zip(place.tolist(), kept, strict=True):
            mark = (
                "*" if labels is None else (printable(classes[labels[case]]) if len(classes) else str(labels[case]))[:1]
            )
            cell = found.setdefault((x, y), {})
            cell[mark] = cell.get(mark, 0) + 1
        for y in range(GRID - 1, -1, -1):
            cells = (found.get((x, y)) for x in range(wide))
            screen.line("  " + "".join(max(cell, key=cell.get) if cell else " " for cell in cells))


def _samples(screen, steps, chains, shape, start):
    last = len(steps) - 1
    for i in sorted({0, last // 4, last // 2, last}):
        screen.line(f"begun with {start}: step {int(steps[i]):,}")
        screen.pictures(chains[i][:ABREAST], shape)


def _filters(screen, layers, shape):
    for title, weights in layers:
        screen.line(title)
        count = min(len(weights), LINES * 40)
        screen.pictures([weights[i * len(weights) // count] for i in range(count)], shape, signed=True)


def _histograms(screen, layers):
    for name, found in layers:
        longest = max(map(len, found), default=0)
        for quantity, part in found.items():
            ends = f"{part['edges'][0]:.3g} to {part['edges'][-1]:.3g}"
            screen.line(f"  {name}, {quantity.ljust(longest)}  {screen.spark(part['counts'], 41)}  {ends}")


def _landscape(screen, steps, loss, middle, border, cases):
    from deepnet.figures.landscape import heights, words

    screen.line(words(middle, border))
    screen.pictures([heights(loss)[::-1].ravel()], (len(steps), len(steps)))


KINDS = {
    "summary": _summary,
    "history": _history,
    "confusion": _confusion,
    "mistakes": _mistakes,
    "calibration": _calibration,
    "reconstructions": _reconstructions,
    "codes": _codes,
    "samples": _samples,
    "filters": _filters,
    "features": _filters,
    "histograms": _histograms,
    "gradients": _gradients,
    "landscape": _landscape,
}


def screen():
    """The screen of stdout."""
    import sys

    from rich.console import Console

    return Screen(Console(file=sys.stdout))

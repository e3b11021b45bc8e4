"""Whether a classifier's probabilities can be taken at their word: a reliability diagram, and where cases are."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from deepnet.figures import style


def calibration(counts: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray, error: float) -> Figure:
    """Share of right answers against confidence, bin by bin of equal width, below it the cases (B,) of each bin.

    Points on the grey line keep their word: above it the model is too modest, below it too sure. Points grow with the
    root of their cases. `error` is the expected calibration error, the mean gap (Guo et al. 2017, section 2).
    """
    counts = np.asarray(counts, float)
    with style.look():
        figure = style.page(4.0, 4.6)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
        upper.plot([0, 1], [0, 1], color=style.FAINT, linewidth=1.2, zorder=0)
        known = counts > 0
        _gaps(upper, np.asarray(confidence, float)[known], np.asarray(accuracy, float)[known], counts[known])
        style.head(upper, f"expected calibration error {error:.2%}: {_verdict(counts, confidence, accuracy)}", 3.6)
        upper.set(ylim=(-0.03, 1.03), ylabel="share of right answers")
        edges = np.linspace(0, 1, len(counts) + 1)
        lower.bar(edges[:-1], counts, np.diff(edges), align="edge", color=style.BLUE, alpha=0.8, linewidth=0)
        lower.set(xlim=(-0.03, 1.03), xlabel="confidence: the largest probability", ylabel="cases")
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        for axes in (upper, lower):
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
            axes.grid(axis="y", color=style.FAINT, linewidth=0.5)
            axes.set_axisbelow(True)
        upper.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        return style.settle(figure)


def _gaps(axes: Axes, confidence: np.ndarray, accuracy: np.ndarray, counts: np.ndarray) -> None:
    """A point a bin, and the line from it to where it would keep its word."""
    if not len(counts):
        axes.annotate("no case", (0.5, 0.5), (0, 0), ha="center", color=style.MUTED, **style.BESIDE)
        return
    axes.vlines(confidence, confidence, accuracy, colors=style.ORANGE, linewidths=1.2)
    axes.scatter(confidence, accuracy, 12 + 110 * np.sqrt(counts / counts.max()), color=style.BLUE, alpha=0.85,
                 linewidths=0, clip_on=False)  # fmt: skip


def _verdict(counts: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray) -> str:
    """Too sure, too modest or neither, by the mean over all cases."""
    some = counts > 0
    if not some.any():
        return "no case"
    total = counts[some].sum()
    sure, right = (float((np.asarray(v)[some] * counts[some]).sum() / total) for v in (confidence, accuracy))
    way = "too sure" if sure > right else "too modest" if sure < right else "on the mean as sure as right"
    gap = f" by {abs(sure - right):.2%} on the mean" if sure != right else ""
    return f"{total:,.0f} cases, {way}{gap}"

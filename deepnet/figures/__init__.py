"""Figures: arrays in, matplotlib Figure out; one page a figure. The caller writes the bytes that `encode` makes.

Nothing here touches pyplot or a display: every figure has an Agg canvas, and the same arrays give the same bytes.
"""

from deepnet.figures.codes import codes
from deepnet.figures.comparison import comparison
from deepnet.figures.confusion import confusion
from deepnet.figures.efficiency import efficiency, efficiency_page
from deepnet.figures.filters import filters
from deepnet.figures.gradients import gradients
from deepnet.figures.history import history
from deepnet.figures.reconstructions import reconstructions
from deepnet.figures.report import report
from deepnet.figures.style import FORMATS, encode
from deepnet.figures.summary import summary

FIGURES = {
    "filters": filters,
    "history": history,
    "gradients": gradients,
    "reconstructions": reconstructions,
    "confusion": confusion,
    "codes": codes,
    "summary": summary,
}

__all__ = [
    "FIGURES",
    "FORMATS",
    "codes",
    "comparison",
    "confusion",
    "efficiency",
    "efficiency_page",
    "encode",
    "filters",
    "gradients",
    "history",
    "reconstructions",
    "report",
    "summary",
]

"""Figures: arrays in, matplotlib Figure out; one page a figure. The caller writes the bytes that `encode` makes.

Nothing here touches pyplot or a display: every figure has an Agg canvas, and the same arrays give the same bytes.
"""

from deepnet.figures.calibration import calibration
from deepnet.figures.codes import codes
from deepnet.figures.comparison import comparison
from deepnet.figures.confusion import confusion
from deepnet.figures.efficiency import efficiency, efficiency_page
from deepnet.figures.features import features
from deepnet.figures.filters import filters, growing
from deepnet.figures.gradients import gradients
from deepnet.figures.histograms import histograms
from deepnet.figures.history import history
from deepnet.figures.landscape import landscape
from deepnet.figures.mistakes import mistakes
from deepnet.figures.page import SECTIONS, model_page
from deepnet.figures.reconstructions import reconstructions
from deepnet.figures.report import report
from deepnet.figures.samples import frames, samples
from deepnet.figures.style import FORMATS, animate, encode, format_of
from deepnet.figures.summary import summary

FIGURES = {
    "summary": summary,
    "history": history,
    "confusion": confusion,
    "mistakes": mistakes,
    "calibration": calibration,
    "reconstructions": reconstructions,
    "codes": codes,
    "samples": samples,
    "filters": filters,
    "features": features,
    "histograms": histograms,
    "gradients": gradients,
    "landscape": landscape,
}
# Kinds that a GIF shows, as pictures after each other, and for how many milliseconds each.
MOVING = {"samples": (frames, 120), "filters": (growing, 600)}

__all__ = [
    "FIGURES",
    "FORMATS",
    "MOVING",
    "SECTIONS",
    "animate",
    "calibration",
    "codes",
    "comparison",
    "confusion",
    "efficiency",
    "efficiency_page",
    "encode",
    "features",
    "filters",
    "format_of",
    "gradients",
    "growing",
    "histograms",
    "history",
    "landscape",
    "mistakes",
    "model_page",
    "reconstructions",
    "report",
    "samples",
    "summary",
]

"""Data: formats and their readers, data sets and their splits, scaling and the audit."""

from .audits import audit
from .dataset import Cases, Dataset, Options, has_label, in_memory
from .fields import refilled
from .loading import READERS, load, shipped
from .scaling import Scaling, check_range, extremes
from .splits import draw, folds, join, parse_valid, split
from .streams import STREAMS, Stream, stream
from .tasks import apply, only, places

__all__ = [
    "READERS",
    "STREAMS",
    "Cases",
    "Dataset",
    "Options",
    "Scaling",
    "Stream",
    "apply",
    "audit",
    "check_range",
    "draw",
    "extremes",
    "folds",
    "has_label",
    "in_memory",
    "join",
    "load",
    "only",
    "parse_valid",
    "places",
    "refilled",
    "shipped",
    "split",
    "stream",
]

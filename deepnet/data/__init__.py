"""Data: formats and their readers, data sets and their splits, scaling and the audit."""

from .audits import audit
from .dataset import Cases, Dataset, Options
from .loading import READERS, load, shipped
from .scaling import Scaling, check_range
from .splits import join, parse_valid, split
from .tasks import only, places

__all__ = [
    "READERS",
    "Cases",
    "Dataset",
    "Options",
    "Scaling",
    "audit",
    "check_range",
    "join",
    "load",
    "only",
    "parse_valid",
    "places",
    "shipped",
    "split",
]

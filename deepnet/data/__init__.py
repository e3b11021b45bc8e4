"""Data: sets of cases in splits, how they are read or made, what is done to them before a model sees them.

readers       one page a format, from files
generators    one page a family, drawn from fixed keys
loading       from a name to a Dataset; streams: to pieces of one, as they come
dataset       what a Dataset is; checks: what its arrays are held to; conventions: how files name them
columns       columns of a table as read; fields: what they are, and inputs of them
tasks         targets from labels; splits: validation cases; scaling: of inputs
audits        what a person should know before training; portraits: of each column
"""

from .audits import audit
from .checks import in_memory
from .dataset import Cases, Dataset, Options, has_label
from .fields import notes, refilled
from .loading import load, shipped
from .readers import READERS, STREAMS
from .scaling import Scaling, check_range, extremes
from .splits import draw, folds, join, parse_valid, split
from .streams import Stream, stream
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
    "notes",
    "only",
    "parse_valid",
    "places",
    "refilled",
    "shipped",
    "split",
    "stream",
]

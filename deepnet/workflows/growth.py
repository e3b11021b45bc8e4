"""growth: the filters of a model in earlier states of it, which are files of the same model after fewer epochs."""

from dataclasses import replace

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..errors import UsageError
from ..files import shown
from . import insides
from .kinds import natural
from .runs import dashes
from .views import View

REMEDY = "give files of the same model after fewer epochs"


def states(view: View, model: str, earlier) -> tuple:
    """[(line, panels of filters)] of the files of `earlier`, then of the model itself, at `model`; shape of a case.

    A line tells the epochs that a state has had. Raises UsageError for a file with other filters or other data.
    """
    last, _ = insides.filters(view)
    found = []
    for path in earlier:
        old = replace(view, model=checkpoint.load(path))
        panels, _ = insides.filters(old)
        if _form(panels, old) != _form(last, view):
            raise UsageError(f"--earlier {_named(path, old)} has other filters than {_named(model, view)}; {REMEDY}")
        if old.model.provenance.get("data") != view.model.provenance.get("data"):
            raise UsageError(f"--earlier {shown(path)} has learned from other data than {shown(model)}; {REMEDY}")
        found.append((_line(old.model), panels))
    return [*found, (_line(view.model), last)], view.shape


def _form(panels: list, view: View) -> tuple:
    """What two states of one model have in common: layers, their units, and the shape of a case."""
    return view.shape, [(title, weights.shape) for title, weights in panels]


def _named(path: str, view: View) -> str:
    """A file, its kind and its network."""
    return f"{shown(path)} ({view.model.kind} {dashes(view.model.model.widths)})"


def _line(model: Checkpoint) -> str:
    """The epochs of each stage that a model's history tells."""
    epochs = {stage: max(map(len, model.history[stage].values()), default=0) for stage in model.history}
    told = [(stage, epochs[stage]) for stage in sorted(epochs, key=natural) if epochs[stage]]
    if not told:
        return "Before the end of the first epoch"
    (stage, count), *rest = told
    first = f"After {count:,} {'epoch' if count == 1 else 'epochs'} of {stage}"
    return ", ".join([first, *(f"{count:,} of {stage}" for stage, count in rest)])

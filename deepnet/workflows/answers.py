"""answers: what a classifier says of cases whose class is known, for its pictures."""

import numpy as np

from .. import evaluation
from . import preparing
from .views import View

SHOWN = 24  # mistakes


def confusion(view: View):
    """Counts, rows true and columns predicted."""
    classes = view.model.preparation.classes
    predicted = view.outputs.argmax(axis=1)
    wrong, cases = int((predicted != view.cases.targets).sum()), len(predicted)
    view.facts.update(error=wrong / cases, error_interval=evaluation.wilson(wrong, cases))
    counts = np.bincount(view.cases.targets * len(classes) + predicted, minlength=len(classes) ** 2)
    return counts.reshape(len(classes), -1), classes


def mistakes(view: View):
    """The wrong cases that the model is surest of: the cases, their classes, what it took them for, and how surely."""
    outputs, targets = view.outputs, view.cases.targets
    predicted, sure = outputs.argmax(axis=1), outputs.max(axis=1)
    wrong = np.flatnonzero(predicted != targets)
    rows = wrong[np.argsort(-sure[wrong], kind="stable")][:SHOWN]
    names = view.model.preparation.classes
    shown = preparing.to_columns(view.model.preparation, view.rows(rows)) if len(rows) else np.zeros((0, 1), np.float32)
    said = [[str(names[c]) for c in column[rows]] for column in (targets, predicted)]
    return shown, *said, sure[rows], rows, view.shape, (len(wrong), len(targets)), view.probable


def calibration(view: View):
    """How often cases of a confidence are right."""
    found = evaluation.calibration(view.outputs, view.cases.targets)
    view.facts["calibration_error"] = found["error"]
    return found["counts"], found["confidence"], found["accuracy"], found["error"]

"""A student beside its teachers: how far they agree, what each costs, and, where there are labels, their errors."""

import os
import statistics
import time

import numpy as np

from .. import evaluation
from ..checkpoint import Checkpoint
from ..data import Cases
from ..kernels import operands
from ..training import Meter
from . import feeds, models
from .teachers import Teachers, logits_of

BATCHES = 1, 100  # cases at a time whose latency is measured
SECONDS, ROUNDS = 0.5, (5, 200)  # for the rounds of a measurement, and how many they are


def measure(loaded: Checkpoint, student: str, teachers: Teachers, cases: Cases) -> dict:
    """How a student does beside its teachers on cases: agreement, what it costs, and, where there are labels, errors.

    The KL divergence is that of the student's probabilities from the teachers', KL(teacher || student), in nats.
    """
    ours = np.concatenate([z.copy() for _, z in logits_of(loaded, cases)])
    theirs = teachers.logits(cases, 1.0, Meter())
    p, q = _log_softmax(theirs), _log_softmax(ours)
    agreed = ours.argmax(axis=1) == theirs.argmax(axis=1)
    kl, kl_interval = evaluation.mean_with_interval((np.exp(p) * (p - q)).sum(axis=1))
    facts = {
        "agreement": float(agreed.mean()),
        "agreement_interval": evaluation.wilson(int(agreed.sum()), len(cases)),
        "kl": kl,
        "kl_interval": kl_interval,
    }
    if cases.targets is not None and (named := cases.targets >= 0).any():
        wrong = ((logits.argmax(axis=1) != cases.targets)[named] for logits in (ours, theirs))
        facts |= _errors(*(each.astype(np.float64) for each in wrong))
    return facts | _costs(loaded, student, teachers, cases)


def _log_softmax(z: np.ndarray) -> np.ndarray:
    """(N, C) in float64."""
    shifted = z.astype(np.float64) - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _errors(ours: np.ndarray, theirs: np.ndarray) -> dict:
    """The teachers' error, and how the student's differs from it by McNemar's test."""
    wrong = int(theirs.sum())
    error = {"teacher_error": wrong / len(theirs), "teacher_error_interval": evaluation.wilson(wrong, len(theirs))}
    return error | {"teacher_wrong": wrong} | evaluation.difference(ours, theirs, shares=True)


def _costs(loaded: Checkpoint, student: str, teachers: Teachers, cases: Cases) -> dict:
    """Parameters, bytes, and seconds a case of the student and of all its teachers together."""
    facts: dict[str, int | float] = {}
    for word, group in (("", {student: loaded}), ("teacher_", teachers.models)):
        facts[f"{word}parameters"] = sum(model.model.layout.count for model in group.values())
        facts[f"{word}bytes"] = sum(os.path.getsize(path) for path in group)
    for batch in BATCHES:
        ours, theirs = _latency([[loaded], list(teachers.models.values())], cases, batch)
        facts |= {f"seconds_a_case_in_{batch}": ours, f"teacher_seconds_a_case_in_{batch}": theirs}
    return facts


def _latency(groups: list[list[Checkpoint]], cases: Cases, batch: int) -> list[float]:
    """Median seconds a case that each group of models takes for so many at a time, measured by turns.

    From stored inputs to probabilities; by turns, so that whatever else the machine does befalls all alike.
    """
    count = min(batch, len(cases))
    runs = [[(models.whole(m), feeds.visible_feed(cases.inputs, m.preparation)) for m in group] for group in groups]
    rooms = [[_room(reader, count) for reader, _ in group] for group in runs]
    taken: list[list[float]] = [[] for _ in groups]
    rows, began = np.arange(count), time.perf_counter()
    while len(taken[0]) <= ROUNDS[0] or (time.perf_counter() - began < SECONDS and len(taken[0]) <= ROUNDS[1]):
        for times, group, own in zip(taken, runs, rooms, strict=True):
            since = time.perf_counter()
            for (reader, feed), (work, x) in zip(group, own, strict=True):
                feed(rows, x)
                reader.network.forward(reader.parts, work, x)
            times.append((time.perf_counter() - since) / count)
    return [statistics.median(times[1:]) for times in taken]  # the first one warms


def _room(reader: models.Reader, cases: int) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """The arrays that so many cases need."""
    return reader.network.workspace(cases, np.dtype(np.float32)), operands.matrix(cases, reader.network.inputs)

"""cross_validate: the same net trained on all folds of the cases but one, in turn, and measured on that one."""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from .. import checkpoint, evaluation
from .. import data as rooms
from ..data import Dataset
from ..errors import DataError, OutputError, UsageError
from ..files import check_output, shown
from ..nn.stack import Stack
from ..training import Meter
from . import sources, weighting
from .evaluate import measured
from .finetune import finetune
from .records import End, Epoch, Start, Warned
from .runs import Clock

CUT = "interrupted", "out of time"
SHARES = "error", "balanced_error", "auc", "r2"  # that end at 1
NEXT = "the same without --cv and with -o net.h5 trains on all cases"
LOST = "with -o FOLDER a run that was cut goes on by --resume"


def cross_validate(
    data,
    output=None,
    *,
    cv=5,
    task="classify",
    start=None,
    label=None,
    ignore=(),
    weight=None,
    category=(),
    size=None,
    teacher=(),
    epochs=30,
    force=False,
    resume=False,
    dry_run=False,
    seed=0,
    max_time=None,
    stop=lambda: None,
    meter=None,
    **settings,
) -> Iterator:
    """Train `cv` nets; yields Start, an Epoch record a fold, Saved and End, whose result has means and intervals.

    Options are those of `finetune`, `output` a folder for the models, or None: then none is kept. Folds are drawn by
    the seed from the training cases, of classes as many of each as can be; a test split is left alone. Cases that are
    held out by `valid` are taken from the other folds. Intervals are by Student's t over folds, which share cases, so
    that they are rather narrow (Bengio and Grandvalet 2004); the error's is no narrower than Wilson's over all cases.
    All cases count alike in the figures.
    """
    _check(cv, task, output, resume)
    columns = {"label": label, "ignore": ignore, "weight": weight, "category": category, "size": size}
    like = next((checkpoint.load(path).preparation for path in (start, *teacher) if path is not None), None)
    dataset = weighting.counted(data if isinstance(data, Dataset) else rooms.load(data, **columns, like=like))
    parts = list(_folds(dataset, cv, task, seed))
    parts = [rooms.refilled(part) for part in parts] if like is None else parts
    own = settings | columns | {"task": task, "start": start, "teacher": teacher, "epochs": epochs, "seed": seed}
    first = next(record for record in finetune(parts[0], **own, dry_run=True) if isinstance(record, Start))
    count = sum(len(part.splits["test"]) for part in parts)
    begun = replace(first, plan=first.plan | {"cases": f"{count:,} in {cv} folds", "cv": cv})
    if dry_run:
        yield begun
        return
    with ExitStack() as held:
        folder = output or held.enter_context(tempfile.TemporaryDirectory())
        paths = _paths(folder, cv, force or resume, (data, start))
        yield begun
        yield from map(Warned, dataset.notes)
        if (note := _note(start)) is not None:
            yield Warned(note)
        clock, rows = Clock(stop, max_time), []
        for part, path in zip(parts, paths, strict=True):
            run = finetune(part, path, **own, force=force, resume=resume, stop=clock.reason)
            began, place, passes = time.perf_counter(), (len(rows) + 1, cv), epochs * len(part.splits["train"])
            ended = yield from _followed(run, place, passes, output, meter or Meter())
            if ended in CUT:
                yield End(ended, {"models": output, "finished": f"{len(rows)} of {cv} folds"}, LOST)
                return
            rows.append(_measured(path, part, task))
            shown_ = {name: rows[-1][name] for name in _metrics(rows)}
            seconds = time.perf_counter() - began
            yield Epoch("cross-validation", *place, shown_, passes, seconds, counted="fold")
        total = sum(row["cases"] for row in rows)
        facts = {"models": output, "data": dataset.name, "network": begun.plan["network"], "cv": cv, "cases": total}
        facts |= {"unlabelled": count - total} if count > total else {}
        yield End("finished", facts | {"note": note} | _means(rows), NEXT)


def _check(cv: int, task: str, output, resume: bool) -> None:
    """UsageError for what makes no sense of folds."""
    if not isinstance(cv, int) or cv < 2:
        raise UsageError(f"--cv {cv}: give a number of folds of at least 2")
    if task == "one_class":
        raise UsageError("--cv: each net of --task one_class has a centre of its own; leave it")
    if resume and output is None:
        raise UsageError("--resume: without -o FOLDER no net of --cv is kept to go on with; add it, or leave --resume")
    if output is not None and os.path.exists(output) and not os.path.isdir(output):
        raise UsageError(f"output {shown(output)} is a file, and with --cv a folder of models; choose another --output")


def _folds(dataset: Dataset, count: int, task: str, seed: int) -> Iterator[Dataset]:
    """The data set without each fold, which is its test split."""
    train = dataset.splits["train"]
    most = len(train)
    if task in ("classify", "regress") and train.targets is not None:
        most = int(rooms.has_label(train.targets).sum())
    if count > most:
        raise DataError(f"--cv {count} is more folds than the {most} training cases of {dataset.name}; give fewer")
    fold = rooms.folds(train, count, seed, stratified=task in ("classify", "mimic"))
    for n in range(count):
        said = f"{dataset.fingerprint} fold {n + 1} of {count} by {seed}, {task}"
        splits = dataset.splits | {"train": train.at(fold != n), "test": train.at(fold == n)}
        yield replace(dataset, splits=splits, fingerprint=hashlib.sha256(said.encode()).hexdigest(), notes=())


def _paths(folder: str, count: int, force: bool, inputs) -> list[str]:
    """Where the nets are written, once that can be done."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as problem:
        raise OutputError(f"cannot make the folder {shown(folder)}: {problem.strerror}") from None
    paths = [os.path.join(folder, f"fold-{n}.h5") for n in range(1, count + 1)]
    for path in paths:
        check_output(path, force=force, inputs=inputs)
    return paths


def _note(start) -> str | None:
    """What the model that all nets begin with may know of the cases held out."""
    if start is None:
        return None
    stack = isinstance(checkpoint.load(start).model, Stack)
    return f"{shown(start)} may have seen the inputs of all folds" + ("" if stack else ", and their labels too")


def _followed(run: Iterator, place: tuple[int, int], passes: int, output, meter: Meter) -> Iterator:
    """Train the net of a fold; returns how it ended."""
    meter.label, meter.total, meter.done = "cross-validation", passes, 0
    meter.detail, ended = "fold {}/{}".format(*place), None
    for record in run:
        if isinstance(record, Warned):
            yield Warned(f"fold {place[0]}: {record.text}")
        elif isinstance(record, Epoch):
            meter.done = min(passes, meter.done + record.cases)
        elif isinstance(record, End):
            ended = record.outcome
        elif not isinstance(record, Start) and output is not None:
            yield record
    return ended


def _measured(path: str, part: Dataset, task: str) -> dict:
    """Figures of a net on the fold that it has not seen."""
    net = checkpoint.load(path)
    task = "classify" if task == "mimic" else task
    part = rooms.refilled(part, net.preparation.fields)  # it may have held out cases of its own
    dataset = rooms.apply(part, task, net.preparation.classes or None)
    if task != "reconstruct":
        dataset = sources.labelled(dataset, ("test",))
    return measured(net, dataset, dataset.splits["test"], task)


def _metrics(rows: list[dict]) -> list[str]:
    """Names of the figures that all folds have with an interval."""
    return [name for name in rows[0] if all(row.get(f"{name}_interval") and row[name] is not None for row in rows)]


def _means(rows: list[dict]) -> dict:
    """Mean and interval of each figure, the first one of each fold, and all of them by fold."""
    facts, names = {}, _metrics(rows)
    for name in names:
        mean, (low, high) = evaluation.mean_of_draws(np.array([row[name] for row in rows]))
        if name == "error":  # folds may agree by chance
            least = evaluation.wilson(sum(row["wrong"] for row in rows), sum(row["cases"] for row in rows))
            low, high = min(low, least[0]), max(high, least[1])
        ends = [low if name == "r2" else max(0.0, low), min(1.0, high) if name in SHARES else high]
        facts |= {name: mean, f"{name}_interval": ends}
    facts[f"fold_{names[0]}"] = [row[names[0]] for row in rows]
    each = [{name: row[name] for name in ("cases", *names)} for row in rows]
    return facts | {"folds": [{"fold": n} | row for n, row in enumerate(each, 1)]}

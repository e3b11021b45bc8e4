"""efficiency: does pre-training help here? The same net, pre-trained on all inputs or not, trained on few labels."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from .. import data
from ..data import Cases, Dataset
from ..errors import DataError, UsageError
from ..files import check_output, shown, tidy, write_output
from ..kernels import jit
from ..training import Meter
from . import sources, verdicts
from .bench import CUT, Bench
from .cells import NONE, SELF_TRAINED, Cell, Recipe, Record
from .finetune import finetune
from .pretrain import pretrain
from .records import End, Saved, Start, Told, Warned
from .runs import Clock, command, dashes
from .starting import alone

# What is done for all methods alike, where nothing else is asked for.
PRETRAINING = {"epochs": (10,)}
FINETUNING = {"batch_size": 100, "learning_rate": "linear:0.1:0.001"}
MODEL = re.compile(r"[a-z]+-\d+(-\d+){0,2}\.h5")  # a file of the bench: METHOD-SEED[-LABELS[-STUDENT]]
OF_LABELS = ("loss", "class_weight", "label_smoothing")  # options of `finetune` that a student has no use for
DROPOUT = (0.2, 0.5)  # of inputs, of hidden units (Srivastava et al. 2014)


@alone
def efficiency(
    data,
    output=None,
    *,
    labels=((100, None), (300, None), (1000, None), (3000, None), (None, None)),
    seeds=5,
    methods=(NONE, "rbm", "dae"),
    layers=(500, 500, 2000),
    units=("logistic",),
    epochs=30,
    updates=2000,
    self_training=0,
    pretraining=None,
    finetuning=None,
    precision="float32",
    valid="0.2",
    scale="auto",
    label=None,
    ignore=(),
    category=(),
    size=None,
    keep=None,
    force=False,
    resume=False,
    dry_run=False,
    seed=0,
    threads=None,
    max_time=None,
    stop=lambda: None,
    meter=None,
) -> Iterator[Told]:
    """Train a net for each method, draw and number of labels, and write the page; yields the records of a run.

    `labels` are pairs: a number (None: all there are) and how many draws of it (None: `seeds`). `pretraining` has
    options of `pretrain` by method, `finetuning` those of `finetune`. With `self_training` each net of few labels
    teaches one that begins as it did, on all inputs, and that the next, so many times; the last is measured too.
    Models are kept in the folder `keep`, or not at all; the record of finished nets, from which `resume` goes on, is a
    JSON file beside the page.
    """
    if threads is not None:
        jit.set_threads(threads)
    path, folder = _outputs(data, output, keep, force, resume, dry_run)
    columns = {"label": label, "ignore": ignore, "category": category, "size": size}
    dataset, cases, there, split = _open(data, valid, columns, seed)
    counts = _counts(labels, seeds, there)
    recipe = Recipe(
        tuple(layers),
        tuple(units),
        scale,
        precision,
        epochs,
        updates,
        self_training,
        {method: PRETRAINING | (pretraining or {}).get(method, {}) for method in methods if method != NONE},
        _nets(len(layers), finetuning or {}),
    )
    cells = [
        Cell(method, seed + draw, count, draw + 1, draws, students)
        for draw in range(max(counts.values()))
        for method in methods
        for count, draws in counts.items()
        if draw < draws
        for students in recipe.rounds(count, len(dataset.splits["train"]))
    ]
    _try_out(dataset, recipe, min(counts))
    plan = _plan(dataset, cases, split, counts, methods, recipe)
    if dry_run:
        yield Start("efficiency", plan)
        return
    held = {"data": dataset.fingerprint, "split": [split, valid, seed] if split == "held out" else [split]}
    record = Record(path, recipe, held, len(cases))
    if resume:
        record.restore()
    yield Start("efficiency", plan | {"finished": f"{sum(cell in record for cell in cells)} of {len(cells)} nets"})
    yield from map(Warned, dataset.notes)
    clock = Clock(stop, max_time)
    bench = Bench(
        replace(dataset, notes=()), cases, recipe, record, folder, keep is not None, resume, clock, meter or Meter()
    )
    if (ended := (yield from bench.train(cells))) in CUT:
        done = sum(cell in record for cell in cells)
        yield End(ended, {"report": output, "finished": f"{done} of {len(cells)} nets"}, "")
        return
    facts = {"report": output, "record": path, "data": dataset.name, "network": plan["network"], "split": split}
    facts |= {"cases": len(cases)} | verdicts.facts(record, cells, there, dataset.name)
    from .. import figures

    write_output(output, figures.efficiency_page(facts, plan))
    yield Saved(output, 0.0)
    if not keep:
        _clear(folder)
    best = min(facts["errors"], key=lambda row: (row["labels"], row["error"]))["method"]
    yield End("finished", facts, _next(data, best.removesuffix(SELF_TRAINED), recipe, columns))


def _nets(layers: int, asked: dict) -> dict:
    """Options of `finetune`; another optimizer has its own rate."""
    own = FINETUNING | {"dropout": (DROPOUT[0], *DROPOUT[1:] * layers)}
    if "optimizer" in asked:
        del own["learning_rate"]
    return own | asked


def _next(source, method: str, recipe: Recipe, columns: dict) -> str:
    """The command that begins as the best net of the fewest labels did."""
    layers = ("--layers", ",".join(map(str, recipe.layers)))
    words, unit = ("finetune", source, "-o", "net.h5", *layers), "logistic"
    if method != NONE:
        words = ("pretrain", source, "-o", "stack.h5", *layers, "--method", method)
        unit = recipe.stack(method).get("visible", unit)
    scale = () if recipe.scale == "auto" else ("--scale", recipe.scale)
    visible = () if unit in ("auto", "logistic") else ("--visible", unit)
    sized = () if columns["size"] is None else ("--size", columns["size"])
    return command(*words, *visible, *scale, *sized, config=columns)


def _outputs(source, output, keep, force: bool, resume: bool, dry_run: bool) -> tuple[str, str]:
    """The record of cells beside the output, and the folder of models."""
    base, suffix = os.path.splitext(output or "report.html")
    if suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"output {shown(output)} is a page of HTML; end its name with .html")
    if not dry_run:
        for path in (output, f"{base}.json"):
            check_output(path, force=force or resume, inputs=(source,), resumable=True)
        if not keep and not resume:
            _clear(f"{base}.work")
    return f"{base}.json", keep or f"{base}.work"


def _clear(folder: str) -> None:
    """Remove the models that a run keeps for its own time, and their folder unless it holds something else."""
    for path in Path(folder).glob("*.h5"):
        if MODEL.fullmatch(path.name):
            path.unlink()
            tidy(path)
    with suppress(OSError):
        os.rmdir(folder)


def _open(source, valid: str, columns: dict, seed: int) -> tuple[Dataset, Cases, int, str]:
    """Training and test cases, labels as stored; test cases with classes; how many labels; what was held out."""
    dataset = data.load(source, **columns)
    if "test" in dataset.splits:
        split = "test"
    elif "valid" in dataset.splits:
        split = "valid"
    else:
        if data.parse_valid(valid)[0] in ("none", "path"):
            raise UsageError(
                f"--valid {shown(valid)}: these data have no test cases; give a fraction or a count to hold out"
            )
        sources.labelled(data.apply(dataset, "classify"), ("train",))
        split, dataset = "held out", data.split(dataset, valid, seed)
    test = dataset.splits["test" if split == "test" else "valid"]
    dataset = data.refilled(replace(dataset, splits={"train": dataset.splits["train"], "test": test}))
    known = sources.labelled(data.apply(dataset, "classify"), ("train", "test"))
    if len(known.classes) < 2:
        raise DataError(f"{dataset.name} has {len(known.classes)} class; this is for data of two at least")
    return dataset, known.splits["test"], len(known.splits["train"]), split


def _counts(labels, seeds: int, there: int) -> dict[int, int]:
    """{number of labels: draws}, in order; DataError for more than there are."""
    found = {}
    for count, draws in labels:
        if count is not None and count > there:
            raise DataError(f"--labels {count} is more than the {there} training cases that have a label; give fewer")
        found[count or there] = draws or seeds
    return dict(sorted(found.items()))


def _try_out(dataset: Dataset, recipe: Recipe, labels: int) -> None:
    """Refuse what pre-training or fine-tuning would refuse, before anything is trained or written."""
    for method in recipe.stacks:
        for _ in pretrain(dataset, **recipe.stack(method), dry_run=True):
            pass
    for name in OF_LABELS:
        if recipe.self_training and name in recipe.nets:
            raise UsageError(f"--self-training: a student learns from a net, not from labels; leave {name} out")
    for _ in finetune(dataset, **recipe.net(Cell(NONE, 0, labels, 1, 1), None), dry_run=True):
        pass


def _plan(dataset: Dataset, cases: Cases, split: str, counts: dict, methods, recipe: Recipe) -> dict:
    """The resolved plan, in the order to show."""
    classes = data.apply(dataset, "classify").classes
    widths = [dataset.splits["train"].inputs.shape[1], *recipe.layers, len(classes)]
    return {
        "data": dataset.name,
        "cases": f"{len(dataset.splits['train']):,} train, {len(cases):,} {split}",
        "network": dashes(widths),
        "parameters": sum((below + 1) * above for below, above in pairwise(widths)),
        "methods": ", ".join(methods),
        "labels": ", ".join(f"{n:,} ({d} draw{'s' * (d > 1)})" for n, d in counts.items()),
        "epochs": f"{recipe.epochs}, and at least {recipe.updates:,} updates",
        **({"self_training": f"{recipe.self_training} students of each net"} if recipe.self_training else {}),
        "threads": jit.threads(),
        "finetuning": recipe.nets,
        "pretraining": {method: recipe.stack(method) for method in recipe.stacks},
    }

"""From a named data set to the cases that a command works on: reading, splitting, and whether they fit the model."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .. import data
from ..checkpoint import Checkpoint, Preparation
from ..data import Cases, Dataset, Stream
from ..errors import DataError, DataWarning, UsageError
from ..files import is_float, shown
from ..files.rows import Rows
from ..nn.losses import loss_of

BLIND = ("reconstruct", "one_class")  # tasks without targets
FEW = 100  # cases
BATCH = 100  # cases in a minibatch (Hinton 2010, section 4)


def read(
    source,
    valid: str,
    task,
    label,
    ignore,
    seed: int,
    classes=None,
    spare=(),
    normal=(),
    weight=None,
    category=(),
    size=None,
    like=None,
) -> tuple[Dataset, str]:
    """The data set with its held-out cases, and what a model file calls `valid` (a path by its contents).

    `source` may be a data set with labels as stored. Of the classes that are `normal` alone, without labels, where
    there are such. Tasks without targets hold out the cases that others do. `weight`, `category`, `size` and `like` are
    those of `data.load`; where columns are learned here, training cases alone tell what stands for missing cells.
    """
    now = "classify" if normal else None if task in BLIND else task
    words = {"label": label, "ignore": ignore, "task": now, "weight": weight, "category": category}
    if isinstance(source, Dataset):
        dataset = data.apply(source, now, classes)
    else:
        dataset = data.load(source, **words, classes=classes, spare=spare, size=size, like=like)
    if data.parse_valid(valid)[0] == "path":
        other = data.load(valid, **words, classes=classes or dataset.classes or None, like=dataset)
        dataset, held_out = data.only(data.join(dataset, other), normal), f"data {other.fingerprint[:16]}"
    else:
        dataset = data.only(dataset, normal)
        given = valid == "none" and "valid" in dataset.splits
        dataset, held_out = (dataset, "given") if given else (data.split(dataset, valid, seed), valid)
    dataset = data.refilled(dataset) if like is None else dataset
    return (data.apply(dataset, task) if task in BLIND else dataset), held_out


def warn(dataset: Dataset) -> None:
    """Warn of what a user should know of the data."""
    for text in dataset.notes:
        warnings.warn(text, DataWarning, stacklevel=2)


def inputs_of(stream: Stream) -> Iterator[np.ndarray | Rows]:
    """Blocks (n, D) of inputs as they come.

    Of what there is to know of them each is said once; what is strange when it is first met, and in all at the end.
    """
    told, seen, said = set(), Counter(), Counter()
    for dataset in stream.datasets:
        texts = list(dataset.notes)
        seen.update(dataset.strange)
        if {words for words, *_ in seen} > {words for words, *_ in said}:
            texts += [f"{text} so far" for text in data.notes(dataset.name, seen)]
            said = Counter(seen)
        for text in texts:
            if text not in told:
                warnings.warn(text, DataWarning, stacklevel=2)
        told.update(texts)
        yield dataset.splits[stream.split].inputs
    if seen != said:
        for text in data.notes(stream.dataset.name, seen):
            warnings.warn(f"{text} in all", DataWarning, stacklevel=2)


def labelled(dataset: Dataset, needed, labels: int | None = None, seed: int = 0) -> Dataset:
    """The cases that have a label; the others are counted.

    With `labels`, of the training cases only so many, drawn by the seed. DataError where a split `needed` has none.
    """
    splits, unlabelled = {}, {}
    for name, cases in dataset.splits.items():
        if cases.targets is None:
            splits[name] = cases
            continue
        kept = data.has_label(cases.targets)
        if name in needed and not kept.any():
            raise DataError(f"{dataset.name}: none of the {len(cases):,} {name} cases has a label; give some a label")
        if name == "train" and labels is not None:
            kept = data.draw(cases, labels, seed)
        splits[name] = cases if kept.all() else cases.at(kept)
        if not kept.all():
            unlabelled[name] = int((~kept).sum())
    return replace(dataset, splits=splits, unlabelled=unlabelled)


def missing_classes(dataset: Dataset) -> str | None:
    """A sentence on classes that no training case has, else None."""
    seen = set(np.unique(dataset.splits["train"].targets))
    if len(absent := [name for n, name in enumerate(dataset.classes) if n not in seen]) == 0:
        return None
    few, more = ", ".join(map(shown, absent[:5])), f" and {len(absent) - 5} more" if len(absent) > 5 else ""
    return f"no training case is of class {few}{more}, so the network will never give it; give labels of all classes"


def check_width(dataset: Dataset, preparation: Preparation, model: str) -> None:
    """DataError where the data are visibly others than the model takes: by width, names of columns, or range."""
    inputs = dataset.splits["train"].inputs
    width, wanted = inputs.shape[1], len(preparation.offset)
    if width != wanted:
        count = f"{width} column{'' if width == 1 else 's'}"
        raise DataError(f"{dataset.name} has {count} but {model} takes {wanted}; give the data it was made for")
    if dataset.columns and preparation.columns and dataset.columns != preparation.columns:
        pairs = enumerate(zip(dataset.columns, preparation.columns, strict=True), 1)
        at, (found, due) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
        raise DataError(
            f"{dataset.name}: input column {at} is '{shown(found)}' where {model} was trained on '{shown(due)}'; "
            "bring the columns into that order"
        )
    bytes_wanted = preparation.kind == "auto" and preparation.scale[0] == 255 and not preparation.fields
    if bytes_wanted and inputs.dtype != np.uint8 and _is_scaled(inputs):
        raise DataError(
            f"{dataset.name} lies below 1 but {model} was trained on bytes, 0 to 255; give the same numbers"
        )


def _is_scaled(inputs) -> bool:
    """Whether no number is above 1; a few cases of zeros and ones alone may be the first of a stream of bytes."""
    some = len(inputs) >= FEW or (np.floor(inputs[:]) != inputs[:]).any()
    return some and data.extremes(inputs)[1].max() <= 1


def batch_of(batch_size: int | None, cases: int) -> int:
    """Cases in a minibatch: BATCH where none is named, or all; UsageError for more than there are."""
    if batch_size is None:
        return min(BATCH, cases)
    if batch_size > cases:
        raise UsageError(f"--batch-size {batch_size} is more than the {cases} training cases; give at most {cases}")
    return batch_size


def task_of(loss: str, preparation: Preparation) -> str:
    """classify, regress, reconstruct or one_class, from what a model file says."""
    if preparation.classes and loss_of(loss).counts == "wrong":
        return "classify"
    if loss == "svdd":
        return "one_class"
    return "regress" if preparation.target_scale is not None else "reconstruct"


def targets_of(config: dict, count: int) -> tuple[str, ...]:
    """The names of so many numbers to predict, () where --label did not name as many."""
    label = config.get("label") or ""
    names = (label,) if count == 1 else tuple(name.strip() for name in label.split(","))
    return names if label and len(names) == count else ()


def headers_of(config: dict, count: int) -> tuple[str, ...]:
    """What columns of predicted numbers are called: as their targets, unless --label gave positions, or too few."""
    names = targets_of(config, count)
    if names and not any(map(is_float, names)):
        return names
    return ("label",) if count == 1 else tuple(f"label{n}" for n in range(1, count + 1))


def of_all_classes(loaded: Checkpoint, split: str) -> Checkpoint:
    """The model as if no class had been left out of its training: splits are those that the data have.

    UsageError for cases that it held out, which are of the classes of --normal alone.
    """
    if not loaded.config.get("normal"):
        return loaded
    if split == "valid":
        raise UsageError("--split valid: the cases held out are of the classes of --normal alone; give --split test")
    return replace(loaded, config=loaded.config | {"valid": "none", "normal": []})


def spare(config: dict) -> tuple[str, ...]:
    """Columns that a model was trained without: those to ignore, and the weights."""
    return (*config.get("ignore", ()), *filter(None, [config.get("weight")]))


def _holds_out(config) -> bool:
    """Whether a model held out cases of its own training data, which can be held out again."""
    held_out = config.get("valid", "none")
    return not held_out.startswith("data ") and held_out not in ("none", "given")


def chosen(config: dict, split: str | None) -> tuple:
    """What tells which cases of a split a model is measured on: the classes of --normal, and how it held cases out."""
    if split not in ("train", "valid") or not _holds_out(config):
        return (*config.get("normal", ()),), None, None
    valid = config["valid"]
    return (*config.get("normal", ()),), valid, None if valid.startswith("last:") else config.get("seed", 0)


def _held_out_again(loaded: Checkpoint, data, task, split: str | None, label, ignore) -> Dataset:
    """The data set; of its splits train and valid, cases that were held out while training are held out again.

    The label column and those to leave out are the model's own where none are named.
    """
    config = loaded.config
    classes = loaded.preparation.classes if task in ("classify", "mimic") else None
    held_out = config["valid"] if split in ("train", "valid") and _holds_out(config) else "none"
    label, normal = label or config.get("label"), config.get("normal", ())
    seed, like = int(config.get("seed", 0)), loaded.preparation
    return read(data, held_out, task, label, ignore, seed, classes, spare(config), normal, like=like)[0]


def stream_of(loaded: Checkpoint, source, split: str | None, label, ignore, spare) -> Stream:
    """The cases of a split as they come; those that the model held out are found as `open_split` finds them."""
    if split != "valid" or not _holds_out(loaded.config):
        return data.stream(source, split=split, label=label, ignore=ignore, spare=spare, like=loaded.preparation)
    dataset = _held_out_again(loaded, source, None, split, label, ignore)
    return Stream(dataset, split, iter([dataset]), len(dataset.splits[split]))


def open_split(loaded: Checkpoint, model, data, task, split: str | None, label, ignore) -> tuple[Dataset, Cases, str]:
    """The data set, the cases of its split, and that split's name; None are the test cases, or all of one split.

    Cases that were held out while training are held out again. To classify or regress, cases without a label are left
    out. DataError for a split that is not there.
    """
    dataset = _held_out_again(loaded, data, task, split, label, ignore)
    check_width(dataset, loaded.preparation, shown(model))
    warn(dataset)
    whole = list(dataset.splits) == ["train"]
    split = split or ("train" if whole else "test")
    if split not in dataset.splits:
        held = ["valid"] if _holds_out(loaded.config) and "valid" not in dataset.splits else []
        known = " or ".join([*(dataset.splits if held or not whole else ()), *held])
        given = f"give --split {known}{', or ' if whole else ''}" if known else ""
        remedy = f"{given}leave {'it' if known else '--split'} out for all cases" if whole else given
        raise DataError(f"{dataset.name} has no split {shown(split)}; {remedy}")
    if task in ("classify", "regress"):
        dataset = labelled(dataset, (split,))
    return dataset, dataset.splits[split], "all" if whole else split


def seen(loaded: Checkpoint, dataset: Dataset, split: str) -> bool:
    """Whether the model was trained on cases of this split."""
    return split in ("all", "train") and dataset.fingerprint == loaded.provenance.get("data")

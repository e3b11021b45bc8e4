"""From what a user names to a Dataset: a shipped or generated one, a file, a part of one, or a folder of IDX files."""

import io
import os
import re
from dataclasses import replace
from pathlib import Path

from ..errors import DataError, UsageError
from ..files import open_input, read_stdin, shown
from . import tasks
from .checks import refuse_columns
from .conventions import refuse_label
from .dataset import Options, Source
from .generators import GENERATORS
from .readers import read
from .readers.idx import images_at

FOLDERS = (Path(__file__).parents[1] / "datasets", Path(__file__).parents[2] / "datasets")  # installed; checkout
LONGEST_STDIN = 128 << 20  # bytes; a file may be longer, as it is read piece by piece
_WORD = re.compile(r"\w[A-Za-z0-9_-]*", re.ASCII)


def shipped():
    """{name: path} of the data sets that come with deepnet."""
    return {path.stem: str(path) for folder in reversed(FOLDERS) for path in sorted(folder.glob("*.h5"))}


def load(
    source, *, label=None, ignore=(), task=None, classes=None, spare=(), category=(), weight=None, size=None, like=None
):
    """The Dataset that `source` names.

    The name of a shipped or generated data set is that one, anything else a path (also `file.npz:key`,
    `file.h5:/path`, a folder of pictures, a folder or prefix of IDX files), "-" is standard input. `task` is
    "classify" (targets become indices into `classes`, or into the sorted labels), "mimic" (indices into `classes` where
    there are labels), "regress", "reconstruct" (no targets) or None (labels as stored). Columns of a name in
    `spare` are left out where there are such, as those that a model was trained without. Columns in `category` hold
    names, also where these are numbers. `weight` is the column or array of the training cases' weights. Pictures are
    brought to `size`, "28x28"; svmlight has so many columns. What the cases are to be `like`, a model's Preparation or
    a Dataset, tells the shape of pictures and svmlight, and what the columns of a table are.
    DataError: one sentence with file, row, column and remedy.
    """
    options = Options(label, tuple(ignore), task, tuple(spare), tuple(category), weight, size, like)
    if source in GENERATORS:
        refuse_columns(source, options)
        refuse_label(source, options)
        if weight is not None:
            raise DataError(f"{source} has no columns, and its cases no weights; leave out --weight {shown(weight)}")
        if size is not None:
            raise UsageError(f"--size {shown(size)} is for pictures and svmlight; drop it")
        return tasks.apply(GENERATORS[source](lambda: load("mnist")), task, classes)
    path, key = locate(os.fspath(source))
    if os.path.isdir(path):
        dataset = read(Source(os.path.normpath(path), None, 0), options)
    elif path == "-":
        data = read_stdin(LONGEST_STDIN)
        dataset = read(Source("standard input", io.BytesIO(data), len(data)), options)
    else:
        with open_input(path) as stream:
            dataset = read(Source(path, stream, os.fstat(stream.fileno()).st_size, key), options)
    name = source if source in shipped() else dataset.name
    return tasks.apply(replace(dataset, name=name), task, classes)


def locate(text):
    """(path, key or None) of what a user typed."""
    if text == "-":
        return text, None
    if _WORD.fullmatch(text):
        known = shipped()
        if text in known:
            return known[text], None
        if not os.path.exists(text):
            names = ", ".join((*GENERATORS, *known))
            raise DataError(
                f"no data set {text} comes with deepnet ({names}), nor is there such a file; check the name"
            )
    if "\0" in text or not text:
        raise DataError(f"the data path '{shown(text)}' is no path; give a file")
    if os.path.isfile(text):
        return text, None
    path, colon, key = text.rpartition(":")
    if colon and os.path.isfile(path):
        return path, key
    return images_at(text) or text, None

"""From what a user names to a Dataset: a shipped or generated one, a file, a part of one, or a folder of IDX files."""

import io
import os
import re
from dataclasses import replace
from pathlib import Path

from ..errors import DataError
from ..files import open_input, read_stdin, shown
from . import curves, idx, parquet, shapes, tasks, variations
from .arrays import read_npy, read_npz
from .csv import read as read_csv
from .dataset import Options, Source, fingerprint
from .formats import check_size, sniff
from .hdf5 import read as read_hdf5

READERS = {"idx": idx.read, "npy": read_npy, "npz": read_npz, "hdf5": read_hdf5, "csv": read_csv,
           "parquet": parquet.read}  # fmt: skip
GENERATORS = {"curves": curves.make, "rectangles": shapes.rectangles, "convex": shapes.convex} | {
    name: lambda name=name: variations.make(name, load("mnist")) for name in variations.RULES
}
FOLDERS = (Path(__file__).parents[1] / "datasets", Path(__file__).parents[2] / "datasets")  # installed; checkout
LONGEST_STDIN = 128 << 20  # bytes; a file may be longer, as it is read piece by piece
_WORD = re.compile(r"\w[A-Za-z0-9_-]*", re.ASCII)


def shipped():
    """{name: path} of the data sets that come with deepnet."""
    return {path.stem: str(path) for folder in reversed(FOLDERS) for path in sorted(folder.glob("*.h5"))}


def load(source, *, label=None, ignore=(), task=None, classes=None, spare=(), category=(), fields=None, weight=None):
    """The Dataset that `source` names.

    A bare word is a shipped or generated data set, anything with a suffix or a slash a path (also `file.npz:key`,
    `file.h5:/path`, a folder or prefix of IDX files), "-" is standard input. `task` is "classify" (targets become
    indices into `classes`, or into the sorted labels), "mimic" (indices into `classes` where there are labels),
    "regress", "reconstruct" (no targets) or None (labels as stored). Columns of a name in `spare` are left out where
    there are such, as those that a model was trained without. Columns in `category` hold names, also where these are
    numbers; `fields` are those of a model, () where it takes numbers alone, None where they are to be learned. `weight`
    is the column or array of the training cases' weights.
    DataError: one sentence with file, row, column and remedy.
    """
    if source in GENERATORS:
        if weight is not None:
            raise DataError(f"{source} has no columns, and its cases no weights; leave out --weight {shown(weight)}")
        return tasks.apply(GENERATORS[source](), task, classes)
    path, key = locate(os.fspath(source))
    options = Options(label, tuple(ignore), task, tuple(spare), tuple(category), fields, weight)
    if path == "-":
        data = read_stdin(LONGEST_STDIN)
        dataset = read(Source("standard input", io.BytesIO(data), len(data)), options)
    else:
        with open_input(path) as stream:
            dataset = read(Source(path, stream, os.fstat(stream.fileno()).st_size, key), options)
    name = source if _WORD.fullmatch(os.fspath(source)) else dataset.name
    return tasks.apply(replace(dataset, name=name), task, classes)


def read(source, options):
    """The Dataset of an open file, whatever its format, with its fingerprint."""
    format_ = sniff(source)
    if source.key is not None and format_ not in ("npz", "hdf5"):
        raise DataError(f"{source} has no parts to name; leave out :{shown(source.key)}")
    if options.weight is not None and format_ in ("idx", "npy"):
        raise DataError(f"{source}: --weight {shown(options.weight)} is for tables, NPZ and HDF5; save it as one")
    if format_ != "hdf5":
        check_size(source, source.size)
    dataset = READERS[format_](source, options)
    return replace(dataset, fingerprint=dataset.fingerprint or fingerprint(dataset.splits))


def locate(text):
    """(path, key or None) of what a user typed."""
    if text == "-":
        return text, None
    if _WORD.fullmatch(text):
        known = shipped()
        if text in known:
            return known[text], None
        hint = f"for the file or folder here give ./{text}" if os.path.exists(text) else "check the name"
        raise DataError(f"no data set {text} comes with deepnet ({', '.join((*GENERATORS, *known))}); {hint}")
    if "\0" in text or not text:
        raise DataError(f"the data path '{shown(text)}' is no path; give a file")
    if os.path.isfile(text):
        return text, None
    path, colon, key = text.rpartition(":")
    if colon and os.path.isfile(path):
        return path, key
    images = idx.images_at(text)
    if images is None and os.path.isdir(text):
        raise DataError(f"{shown(text)} is a folder without {idx.IMAGES[0]}; give a file")
    return images or text, None

"""Cases as they come: CSV, JSON lines and NPY piece by piece, from a file of any length or a pipe that never ends."""

import contextlib
import gzip
import io
import itertools
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import DataError
from ..files import open_input, open_stdin, shown
from .dataset import Dataset, Options, Source
from .generators import GENERATORS
from .loading import load, locate
from .readers import STREAMS
from .readers.formats import HEAD, check_unpacked, reading, unpacked
from .readers.sniffing import sniff


@dataclass(frozen=True, eq=False)
class Stream:
    """The cases of one split.

    dataset: all of it, or its first piece where it comes piece by piece. datasets: it, and all further pieces. cases:
    how many of the split there are, None where that is not known yet.
    """

    dataset: Dataset
    split: str
    datasets: Iterator[Dataset]
    cases: int | None


def stream(source, *, like, split=None, label=None, ignore=(), spare=()):
    """The Stream of what `source` names, as `load` has it; of a split, by default of the test cases or else of all.

    What is not read piece by piece is one. DataError: one sentence; what lies before a faulty row comes before.
    """
    words = {"label": label, "ignore": tuple(ignore), "spare": tuple(spare), "like": like}
    cases, datasets = _opened(source, Options(**words))
    first = load(source, **words) if datasets is None else next(datasets)
    split = split or ("test" if "test" in first.splits else "train")
    if split not in first.splits:
        raise DataError(f"{first.name} has no split {shown(split)}; give --split {' or '.join(first.splits)}")
    if datasets is None:
        return Stream(first, split, iter([first]), len(first.splits[split]))
    return Stream(first, split, itertools.chain([first], datasets), cases)


def _opened(source, options):
    """(number of cases or None, Datasets piece by piece), or (None, None) for what is not read so."""
    if source in GENERATORS:
        return None, None
    path, key = locate(os.fspath(source))
    if os.path.isdir(path):
        return None, None
    if path == "-":
        return _standard_input(options)
    with contextlib.ExitStack() as closing:
        file = closing.enter_context(open_input(path))
        opened = Source(path, file, os.fstat(file.fileno()).st_size, key)
        format_ = sniff(opened)
        if key is not None or format_ not in STREAMS:
            return None, None
        check_unpacked(opened)
        cases, datasets = STREAMS[format_](opened, options, unpacked(opened))
        return cases, datasets and _kept(closing.pop_all(), datasets)


def _kept(opened, datasets):
    """The same Datasets of a file that is closed after the last."""
    with opened:
        yield from datasets


def _standard_input(options):
    """The same of standard input, which may be gzipped."""
    flow = open_stdin()
    source = Source("standard input", flow, None)
    with reading(source):
        head = flow.peek()[:HEAD]
        packed = head[:2] == b"\x1f\x8b"
        head = zlib.decompressobj(31).decompress(head, HEAD) if packed else head
    format_ = sniff(Source(source.path, io.BytesIO(head), len(head)))
    if format_ not in STREAMS:
        return None, None
    return STREAMS[format_](source, options, gzip.GzipFile(fileobj=flow) if packed else flow)

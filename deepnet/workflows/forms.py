"""How predictions are written: CSV, JSON lines, NPY, from blocks of cases as they come.

A form is a function of (names of the columns, names of the classes, blocks, number of cases or None, name of each
case's file or None) that gives bytes. Blocks are numbers (B, T), or classes (B,) where there are names of them. Numbers
become text of seven digits, in one go for all of a block, which takes half as long as one by one; in NPY they stay
float32, bit for bit.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator

import numpy as np

from ..files import as_cell, shown, spooled

NUMBER = "%.7g"
FILE = "file"  # the column of their names


def csv_lines(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases, files) -> Iterator[bytes]:
    """A header, then a line a case."""
    yield _row(map(as_cell, names if files is None else [FILE, *names])).encode()
    starts = files and (_row([as_cell(shown(name))]).removesuffix("\n") + "," for name in files)
    known = [_row([as_cell(name)]) for name in classes]
    yield from _lines(",".join([NUMBER] * len(names)) + "\n", known, blocks, starts)


def json_lines(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases, files) -> Iterator[bytes]:
    """An object a case, with the columns' names."""
    keys, start = list(map(_quoted, names)), "{" if files is None else ""
    known = [f"{start}{keys[0]}: {_quoted(name)}}}\n" for name in classes]
    line = ", ".join(f"{key.replace('%', '%%')}: {NUMBER}" for key in keys)
    starts = files and (f"{{{_quoted(FILE)}: {_quoted(shown(name))}, " for name in files)
    yield from _lines(f"{start}{line}}}\n", known, blocks, starts)


def npy(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases: int | None, files) -> Iterator[bytes]:
    """One array, float32 (N, T), or text (N,) for classes; all at the end where the number of cases is not known.

    It has no place for the files' names.
    """
    known = np.array(classes)
    kind, shape = (known.dtype, ()) if classes else (np.dtype(np.float32), (len(names),))
    body = (np.ascontiguousarray(known[b] if classes else b, kind).tobytes() for b in blocks)
    if cases is None:
        size, body = spooled(body)
        cases = size // (kind.itemsize * math.prod(shape))
    head = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (cases, *shape)}
    np.lib.format.write_array_header_1_0(head, facts)
    yield head.getvalue()
    yield from body


FORMS = {"csv": csv_lines, "jsonl": json_lines, "npy": npy}


def _lines(template: str, known: list[str], blocks: Iterable, starts: Iterator[str] | None) -> Iterator[bytes]:
    """Blocks as text: a template filled with a case's numbers, or the line known of its class; after its start."""
    for block in blocks:
        if starts is not None:
            rows = block.tolist()
            lines = [known[c] for c in rows] if known else [template % tuple(row) for row in rows]
            yield "".join(start + line for line, start in zip(lines, starts, strict=False)).encode()
        elif known:
            yield "".join([known[c] for c in block.tolist()]).encode()
        else:
            yield (template * len(block) % tuple(block.ravel().tolist())).encode()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()

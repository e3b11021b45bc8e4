"""How predictions are written: CSV, JSON lines, NPY, from blocks of cases as they come.

A form is a function of (names of the columns, names of the classes, blocks, number of cases or None) that gives bytes.
Blocks are numbers (B, T), or classes (B,) where there are names of them. Numbers become text of seven digits, in one go
for all of a block, which takes half as long as one by one; in NPY they stay float32, bit for bit.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator

import numpy as np

from ..files import as_cell, spooled

NUMBER = "%.7g"


def csv_lines(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases: int | None) -> Iterator[bytes]:
    """A header, then a line a case."""
    yield _row(map(as_cell, names)).encode()
    yield from _lines(",".join([NUMBER] * len(names)) + "\n", [_row([as_cell(name)]) for name in classes], blocks)


def json_lines(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases: int | None) -> Iterator[bytes]:
    """An object a case, with the columns' names."""
    keys = [json.dumps(name, ensure_ascii=False) for name in names]
    known = [f"{{{keys[0]}: {json.dumps(name, ensure_ascii=False)}}}\n" for name in classes]
    line = ", ".join(f"{key.replace('%', '%%')}: {NUMBER}" for key in keys)
    yield from _lines(f"{{{line}}}\n", known, blocks)


def npy(names: list[str], classes: tuple[str, ...], blocks: Iterable, cases: int | None) -> Iterator[bytes]:
    """One array, float32 (N, T), or text (N,) for classes; all at the end where the number of cases is not known."""
    known = np.array(classes)
    kind, shape = (known.dtype, ()) if classes else (np.dtype(np.float32), (len(names),))
    body = (np.ascontiguousarray(known[b] if classes else b, kind).tobytes() for b in blocks)
    if cases is None:
        size, body = spooled(body)
        cases = size // (kind.itemsize * max(1, *shape, 1))
    head = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (cases, *shape)}
    np.lib.format.write_array_header_1_0(head, facts)
    yield head.getvalue()
    yield from body


FORMS = {"csv": csv_lines, "jsonl": json_lines, "npy": npy}


def _lines(template: str, known: list[str], blocks: Iterable) -> Iterator[bytes]:
    """Blocks as text: a template filled with a case's numbers, or the line known of its class."""
    for block in blocks:
        if known:
            yield "".join([known[c] for c in block.tolist()]).encode()
        else:
            yield (template * len(block) % tuple(block.ravel().tolist())).encode()


def _row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()

"""The fields of a table of mixed columns as JSON, within bounds."""

from dataclasses import asdict

import numpy as np

from ..errors import ModelError
from ..nn.fields import KINDS, Field, units
from . import settings
from .tree import FOREIGN

MOST_BYTES, LARGEST = 4 << 20, float(np.finfo(np.float32).max)
_TYPES = {"name": str, "kind": str, "values": list, "fill": float, "missing": bool}
_COUNTS = {"number": range(1), "flag": range(1, 3), "category": range(3, MOST_BYTES)}  # of values


def dump(fields: tuple[Field, ...]) -> np.ndarray:
    """JSON as bytes; OutputError for what `parse` would refuse."""
    return settings.dump({"fields": [asdict(field) for field in fields]}, "columns", MOST_BYTES)


def parse(text: bytes, inputs: int, name: str) -> tuple[Field, ...]:
    """The fields that give a model its inputs; ModelError for what `dump` does not write."""
    found = settings.parse(text, name, MOST_BYTES).get("fields")
    fields = tuple(_field(row, name) for row in found) if isinstance(found, list) else ()
    if sum(count for _, count in units(fields)) != inputs:
        raise ModelError(f"{name} has fields that do not fill its {inputs} columns; {FOREIGN}")
    return fields


def _field(row, name: str) -> Field:
    """One field, each of its facts of its type and within its bounds."""
    if not isinstance(row, dict) or {key: type(value) for key, value in row.items()} != _TYPES:
        raise ModelError(f"{name} has a field of unexpected facts; {FOREIGN}")
    values, kind = row["values"], row["kind"]
    if kind not in KINDS or len(values) not in _COUNTS[kind] or not -LARGEST <= row["fill"] <= LARGEST:
        raise ModelError(f"{name} has a field of a kind or values unknown here; install a newer deepnet")
    if not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
        raise ModelError(f"{name} has a field whose values are no different texts; {FOREIGN}")
    if kind == "category" and (row["fill"] or row["missing"]):
        raise ModelError(f"{name} has a category that is filled; {FOREIGN}")
    return Field(row["name"], kind, tuple(values), row["fill"], row["missing"])

"""Settings and lineage: small tables as JSON, written only as they can be read again."""

import json
import math

import numpy as np

from ..errors import ModelError, OutputError

MOST_BYTES, DEEPEST = 64 << 10, 8
# What other pages rely on, where it is there at all.
_TYPES = {"command": str, "task": str, "valid": str, "seed": int, "best_epoch": int, "data": str, "data_name": str,
          "numerics": str, "normal": list, "teachers": list, "labels": int}  # fmt: skip


def dump(value: dict, what: str) -> np.ndarray:
    """JSON as bytes; OutputError for what `parse` would refuse."""
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False).encode()
        parse(text, "the model file")
    except (ModelError, ValueError, TypeError, RecursionError) as problem:
        raise OutputError(f"the model's {what} cannot be saved ({problem}); give shorter options") from None
    return np.frombuffer(text, np.uint8)


def parse(text: bytes, name: str) -> dict:
    """The table of a JSON text; ModelError for what `dump` does not write."""
    if len(text) > MOST_BYTES:
        raise ModelError(
            f"{name}: its settings take {len(text)} bytes, at most {MOST_BYTES} are read; it was not written by deepnet"
        )
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    if not isinstance(value, dict):
        raise ModelError(f"{name}: its settings are no table; it was not written by deepnet")
    if _depth(value) > DEEPEST:
        raise ModelError(f"{name}: its settings are nested more than {DEEPEST} deep; it was not written by deepnet")
    for key, kind in _TYPES.items():
        if value.get(key) is not None and type(value[key]) is not kind:
            raise ModelError(f"{name}: its setting {key} is not of type {kind.__name__}; it was not written by deepnet")
    return value


def _unique(pairs: list) -> dict:
    """A table of which no name comes twice."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a setting comes twice")
    return table


def _finite(text: str) -> float:
    """A number that JSON can hold: not NaN, not infinite."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"a setting is {number}")
    return number


def _depth(value) -> int:
    """How many tables and lists lie in each other."""
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)

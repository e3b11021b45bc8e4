"""Settings and lineage: small tables as JSON, written only as they can be read again."""

import json
import math
import re

import numpy as np

from ..errors import ModelError, OutputError

MOST_BYTES, DEEPEST = 64 << 10, 8
# What other pages rely on, where it is there at all.
_TYPES = {"command": str, "task": str, "valid": str, "seed": int, "best_epoch": int, "data": str, "data_name": str,
          "numerics": str, "normal": list, "teachers": list, "labels": int}  # fmt: skip


def dump(value: dict, what: str, most: int = MOST_BYTES) -> np.ndarray:
    """JSON as bytes; OutputError for what `parse` would refuse."""
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False).encode()
        parse(text, "the model file", most)
    except (ModelError, ValueError, TypeError, RecursionError) as problem:
        raise OutputError(f"the model's {what} cannot be saved ({problem}); give shorter options") from None
    return np.frombuffer(text, np.uint8)


def parse(text: bytes, name: str, most: int = MOST_BYTES) -> dict:
    """The table of a JSON text of at most so many bytes; ModelError for what `dump` does not write."""
    if len(text) > most:
        raise ModelError(
            f"{name}: its settings take {len(text)} bytes, at most {most} are read; it was not written by deepnet"
        )
    letters = text.decode()
    if _depth(letters) > DEEPEST:  # before json goes down there
        raise ModelError(f"{name}: its settings are nested more than {DEEPEST} deep; it was not written by deepnet")
    value = json.loads(
        letters, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite, parse_int=_whole
    )
    if not isinstance(value, dict):
        raise ModelError(f"{name}: its settings are no table; it was not written by deepnet")
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


def _whole(text: str) -> int:
    """An integer of 64 bits."""
    if len(text.lstrip("-")) > 20:
        raise ValueError(f"a setting has {len(text)} digits")
    return int(text)


def _depth(text: str) -> int:
    """How many tables and lists lie in each other, as the brackets outside of strings say."""
    depth = deepest = 0
    for bracket in re.sub(r'"(?:[^"\\]|\\.)*"|[^][}{"]', "", text, flags=re.DOTALL):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest

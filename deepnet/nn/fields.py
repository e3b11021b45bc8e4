"""Fields: what the columns of a table are, and the visible units that stand for them.

A `number` is one linear unit, a `flag`, which has two values, one logistic unit, a `category` as many softmax units as
it has values. Units come in this order: numbers, flags, whether a cell is missing, then category after category.
"""

from collections.abc import Iterator
from dataclasses import dataclass

KINDS = ("number", "flag", "category")


@dataclass(frozen=True)
class Field:
    """One column: its name ("" in a table without a header) and kind.

    `values` are the texts of a flag (its 0 and its 1; one where the training data have no other) or a category.
    `fill` stands for a missing number or flag: the mean of the training cases. `missing`: whether one was missing
    there; a unit of its own then tells of it. A missing category is 0 in all of its units.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    fill: float = 0.0
    missing: bool = False


def places(fields: tuple[Field, ...]) -> Iterator[tuple[int, str | int]]:
    """(place of the field, what of it) of each unit: its "value", whether it is "missing", or a value's place."""
    for kind in ("number", "flag"):
        yield from ((n, "value") for n, field in enumerate(fields) if field.kind == kind)
    yield from ((n, "missing") for n, field in enumerate(fields) if field.missing)
    for n, field in enumerate(fields):
        if field.kind == "category":
            yield from ((n, place) for place in range(len(field.values)))


def names(fields: tuple[Field, ...]) -> tuple[str, ...]:
    """The name of each unit: `age`, `smoker=yes`, `age missing`, `colour=red`."""
    found = []
    for n, what in places(fields):
        field, name = fields[n], named(fields, n)
        if what == "missing":
            found.append(f"{name} missing")
        elif field.kind == "number" or field.values == ("0", "1"):
            found.append(name)
        else:
            found.append(f"{name}={field.values[what if isinstance(what, int) else -1]}")
    return tuple(found)


def named(fields: tuple[Field, ...], n: int) -> str:
    """A field's name, or which of the input columns it is."""
    return fields[n].name or f"column {n + 1}"


def units(fields: tuple[Field, ...]) -> tuple[tuple[str, int], ...]:
    """Runs of visible units: (("linear", 3), ("logistic", 2), ("softmax", 4), ("softmax", 3)); () for no fields."""
    linear = sum(field.kind == "number" for field in fields)
    logistic = sum((field.kind == "flag") + field.missing for field in fields)
    groups = [("softmax", len(field.values)) for field in fields if field.kind == "category"]
    return tuple((unit, count) for unit, count in (("linear", linear), ("logistic", logistic), *groups) if count)

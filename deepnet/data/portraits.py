"""What each column of a table is like, for a person who looks before training.

Axes: N cases, D visible units.
"""

import numpy as np

from ..nn.fields import Field, named, places
from .scaling import extremes, moments

NUMBERING = "numbers the rows"  # the note on a column that tells nothing of another file
COMMON = 3  # most common values that are told


def portraits(dataset):
    """One dict a column of a table, [] for other data: name, kind, missing, values, note; of the training cases.

    values: least, greatest and mean of numbers, the most common texts and their shares of others.
    """
    fields = dataset.fields or tuple(Field(name, "number") for name in dataset.columns)
    if not fields:
        return []
    train = dataset.splits["train"].inputs
    (low, high), mean = extremes(train), moments(train)[0]
    first = {}  # unit of each field
    flags = {}  # unit that tells whether it is missing
    for unit, (n, what) in enumerate(places(fields)):
        (flags if what == "missing" else first).setdefault(n, unit)
    rows = []
    for n, field in enumerate(fields):
        unit, missing = first[n], round(len(train) * mean[flags[n]]) if n in flags else 0
        row = {"name": named(fields, n), "kind": field.kind, "missing": missing, "note": None}
        if field.kind == "number":
            values = f"{low[unit]:.6g} to {high[unit]:.6g}, mean {mean[unit]:.6g}"
            row["note"] = "constant" if low[unit] == high[unit] else _numbering(train[:, unit])
        else:
            shares, row["missing"] = _shares(field, mean[unit:], missing, len(train))
            row["note"] = "constant" if len(shares) == 1 else None
            values = ", ".join(f"{value} {100 * share:.3g} %" for value, share in shares[:COMMON])
            values += f", {len(shares) - COMMON} more" if len(shares) > COMMON else ""
        rows.append({**{k: row[k] for k in ("name", "kind", "missing")}, "values": values, "note": row["note"]})
    return rows


def _numbering(cells):
    """The note on a column that counts the rows."""
    steps = np.diff(cells)
    return NUMBERING if len(cells) > 2 and (steps == 1).all() else None


def _shares(field, means, missing, cases):
    """[(value, its share of the cells that are there)], the most common first, and how many are missing."""
    if field.kind == "category":
        counts = np.rint(cases * means[: len(field.values)])
        missing = int(cases - counts.sum())
    else:
        there = cases - missing
        ones = np.rint(cases * means[0] - missing * field.fill)
        counts = np.array([there - ones, ones][: len(field.values)])
    found = [
        (value, count / max(1, cases - missing)) for value, count in zip(field.values, counts, strict=True) if count
    ]
    return sorted(found, key=lambda pair: -pair[1]), missing

"""What each column of a table is like, for a person who looks before training.

Axes: N cases, D visible units.
"""

import numpy as np

from ..files import shown
from ..nn.fields import Field, named, places
from .scaling import extremes, moments

CONSTANT, NUMBERING = "constant", "numbers the rows"  # notes; what numbers the rows tells nothing of other files
COMMON = 3  # most common values that are told


def portraits(dataset):
    """One dict a column of a table, [] for other data: name, kind, missing, values, a note on some; of training cases.

    values: least, greatest and mean of numbers, the most common texts and their shares of others.
    """
    fields = dataset.fields or tuple(Field(name, "number") for name in dataset.columns)
    if not fields:
        return []
    train = dataset.splits["train"].inputs
    (low, high), mean = extremes(train), moments(train)[0]
    first, flags, rows = {}, {}, []  # first unit of each field, the one that tells whether it is missing
    for unit, (n, what) in enumerate(places(fields)):
        (flags if what == "missing" else first).setdefault(n, unit)
    for n, field in enumerate(fields):
        unit, missing = first[n], round(len(train) * mean[flags[n]]) if n in flags else 0
        if field.kind == "number":
            values = f"{low[unit]:.6g} to {high[unit]:.6g}, mean {mean[unit]:.6g}"
            note = CONSTANT if low[unit] == high[unit] else _numbering(train[:, unit])
        else:
            shares, missing = _shares(field, mean[unit:], missing, len(train))
            values, note = _told(shares), CONSTANT if len(shares) == 1 else None
        row = {"name": shown(named(fields, n)), "kind": field.kind, "missing": missing, "values": values}
        rows.append(row | ({"note": note} if note else {}))
    return rows


def _numbering(cells):
    """The note on a column that counts the rows."""
    return NUMBERING if len(cells) > 2 and (np.diff(cells) == 1).all() else None


def _told(shares):
    """`red 40 %, blue 30 %, green 20 %, 4 more`."""
    few = [f"{shown(value)} {100 * share:.3g} %" for value, share in shares[:COMMON]]
    return ", ".join([*few, f"{len(shares) - COMMON} more"] if len(shares) > COMMON else few)


def _shares(field, means, missing, cases):
    """[(value, its share of the cells that are there)], the most common first, and how many are missing."""
    if field.kind == "category":
        counts = np.rint(cases * means[: len(field.values)])
        missing = int(cases - counts.sum())
    else:
        ones = np.rint(cases * means[0] - missing * field.fill)
        counts = np.array([cases - missing - ones, ones][: len(field.values)])
    pairs = zip(field.values, counts / max(1, cases - missing), strict=True)
    return sorted((pair for pair in pairs if pair[1]), key=lambda pair: -pair[1]), missing

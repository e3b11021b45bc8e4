"""Which array of a file is what: the names that NPZ and HDF5 files give to inputs and labels."""

from ..errors import DataError
from ..files import shown

TRAIN = (
    ("x_train", "y_train"),
    ("x", "y"),
    ("data", "label"),
    ("data", "labels"),
    ("data", "target"),
    ("samples", "labels"),
    ("images", "labels"),
)
OTHERS = {"valid": (("x_valid", "y_valid"), ("x_val", "y_val")), "test": (("x_test", "y_test"),)}

NAMES = {name for pairs in (TRAIN, *OTHERS.values()) for pair in pairs for name in pair}


def choose(source, names, options, key=None):
    """{split: (name of inputs, name of labels or None)} among the arrays of a file; DataError with the names there.

    That of the weights is none of them, nor are those to spare.
    """
    label, weight = options.label, options.weight
    if weight is not None and weight not in names:
        raise DataError(f"{source}: no array {shown(weight)} for --weight; it holds {listed(names)}")
    names = [name for name in names if name == label or name not in (*options.spare, weight)]
    lower = {name.lower(): name for name in reversed(names)}
    if label is not None and label not in names:
        raise DataError(f"{source}: no array {shown(label)} for --label; it holds {listed(names)}")
    if key is not None:
        if key not in names:
            raise DataError(f"{source}: no array {shown(key)}; it holds {listed(names)}")
        pairs = TRAIN + tuple(pair for pairs in OTHERS.values() for pair in pairs)
        partners = [lower[y] for x, y in pairs if x == key.lower() and y in lower]
        return {"train": (key, label or next(iter(partners), None))}
    train = _first(TRAIN, lower)
    if train is None and len([name for name in names if name != label]) == 1:
        train = next(name for name in names if name != label), None
    if train is None:
        raise DataError(
            f"{source} holds {listed(names)}, none named X, data or x_train; give one as {source}:NAME"
            if names
            else f"{source} holds no arrays; give a file with x_train and y_train, or X and y"
        )
    found = {"train": (train[0], label or train[1])}
    return found | {split: pair for split, pairs in OTHERS.items() if (pair := _first(pairs, lower))}


def _first(pairs, lower):
    """The first pair whose inputs are there, with labels or None: pairs with both come first."""
    whole = [(lower[x], lower[y]) for x, y in pairs if x in lower and y in lower]
    return next(iter(whole + [(lower[x], None) for x, _ in pairs if x in lower]), None)


def listed(names):
    """Names for a message, ten at most."""
    return ", ".join(shown(name) for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def refuse_label(source, options):
    """DataError where a label is named in a format that has one place for it."""
    if options.label is not None:
        raise DataError(f"{source}: --label {shown(options.label)} is for tables and files of arrays; drop it")

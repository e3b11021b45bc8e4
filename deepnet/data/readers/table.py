"""The plan of a table: which of its columns are inputs, labels, weights or left out."""

import difflib
from dataclasses import dataclass

from ...errors import DataError, UsageError
from ...files import shown
from ...nn.fields import Field
from ..conventions import listed
from ..fields import matched
from .dialects import DELIMITERS, LAST_NAMES, dialect_of, has_header

FIRST_NAMES = {"label", "class", "target"}  # and a first one of these, as in the tables of Kaggle


@dataclass(frozen=True)
class Table:
    """Positions count from 0. `numeric`: labels are numbers to be predicted, not classes. `weights`: one or none.

    `category`: inputs that a user called names. `fields`: what a model knows of the inputs, one each; None where they
    are to be learned, () where all are numbers. `surplus`: names of inputs that it does not know.
    """

    dialect: dict
    width: int
    header: tuple[str, ...]
    inputs: tuple[int, ...]
    labels: tuple[int, ...]
    numeric: bool
    weights: tuple[int, ...] = ()
    category: tuple[int, ...] = ()
    fields: tuple[Field, ...] | None = None
    surplus: tuple[str, ...] = ()

    @property
    def learns(self):
        """Whether inputs may turn out to be of other kinds than numbers."""
        return self.fields is None

    @property
    def names(self):
        """The names of the inputs, () where there are none."""
        return tuple(self.header[n] for n in self.inputs) if self.header else ()

    @property
    def numbers(self):
        """The columns that are read as numbers."""
        return self.inputs + (self.labels if self.numeric else ()) + self.weights

    @property
    def texts(self):
        """The columns that are read as text."""
        return () if self.numeric else self.labels

    def named(self, column):
        """A column for a message, counted from 1, with its name."""
        name = f" '{shown(self.header[column])}'" if self.header and self.header[column] else ""
        return f"column {column + 1}{name}"

    def notes(self, source):
        """Sentences on what is left out."""
        more = f" and {len(self.surplus) - 5} more" if len(self.surplus) > 5 else ""
        few = ", ".join(map(shown, self.surplus[:5])) + more
        return (f"{source} has columns that the model does not take, left out: {few}",) if self.surplus else ()


def read_table(source, text, options, delimiter=None, named=None):
    """The plan, from the first lines and the options; DataError when the label column is not said or not there.

    The delimiter, and whether the first line is names, are found out where they are not given.
    """
    dialect, records = dialect_of(source, text, DELIMITERS if delimiter is None else delimiter)
    named = has_header(records, options) if named is None else named
    header = tuple(cell.strip() for cell in records[0]) if named else ()
    return plan(source, dialect, header, len(records[0]), options)


def plan(source, dialect, header, width, options):
    """The Table of so many columns, which the header names, if there is one."""
    ignored = {position(source, header, width, word, "--ignore") for word in options.ignore}
    spare = set(options.spare)
    ignored |= {n for n, name in enumerate(header) if name in spare}
    labels = _labels(source, header, width, options)
    weights = () if options.weight is None else (position(source, header, width, options.weight, "--weight"),)
    if set(weights) & set(labels):
        raise DataError(f"{source}: --weight {shown(options.weight)} is the column of the labels; name another")
    inputs = tuple(n for n in range(width) if n not in ignored and n not in labels + weights)
    if not inputs:
        columns = f"{width} column{'' if width == 1 else 's'}"
        raise DataError(f"{source} has {columns} and none left for inputs; check --label and --ignore")
    category = tuple(position(source, header, width, word, "--category") for word in options.category)
    for n in category:
        if n not in inputs:
            raise UsageError(f"--category: column {n + 1} of {source} is the label or left out; name inputs")
    surplus = ()
    if options.fields:
        known = matched(source, options.fields, header, inputs, category)
        taken = set(known)
        inputs, surplus = known, tuple(header[n] for n in inputs if n not in taken)
    elif category and options.fields is not None:
        raise UsageError(f"--category: the model was trained on numbers, in column {category[0] + 1} too; leave it out")
    numeric = options.task == "regress" or len(labels) > 1
    return Table(dialect, width, header, inputs, labels, numeric, weights, category, options.fields, surplus)


def position(source, header, width, word, option):
    """The column that a name or a position from 1 means."""
    count = header.count(word)
    if count == 1:
        return header.index(word)
    if count > 1:
        raise DataError(f"{source}: {count} columns are named '{shown(word)}'; give {option} a position from 1")
    if word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= width and len(word) < 10:
        return int(word) - 1
    near = difflib.get_close_matches(word, header, n=3) or header
    known = f"; the header has {listed(near)}" if header else "; it has no header"
    raise DataError(f"{source}: no column '{shown(word)}' for {option}{known}; give a name or a position 1 to {width}")


def _labels(source, header, width, options):
    """Positions of the label columns: as told, else by name, else none."""
    if options.label is not None:
        words = [options.label] if options.label in header else options.label.split(",")
        if len(words) > 1 and options.task == "classify":
            raise DataError(f"{source}: --label {shown(options.label)} names {len(words)} columns; classes need one")
        places = tuple(position(source, header, width, word.strip(), "--label") for word in words)
        if len(set(places)) < len(places):
            raise DataError(f"{source}: --label {shown(options.label)} names a column twice; leave one of them")
        return places
    if header and width > 1:
        if header[-1].lower() in LAST_NAMES and header[-1] not in options.inputs:
            return (width - 1,)
        if header[0].lower() in FIRST_NAMES and header[0] not in options.inputs:
            return (0,)
    if options.task in ("classify", "regress"):
        names = f" (its columns: {listed(header)})" if header else ""
        raise DataError(f"{source} does not say which column holds the labels{names}; give --label NAME or a position")
    return ()

"""The plan of a CSV table: delimiter, header, and which columns are inputs, labels or left out."""

import csv
import difflib
from collections import Counter
from dataclasses import dataclass

from ..errors import DataError, UsageError
from ..files import shown
from ..nn.fields import Field
from .columns import is_missing, is_number
from .fields import matched

SAMPLE = 20  # records that are looked at
MOST_COLUMNS = 250_000
DELIMITERS = ",\t;|"
LAST_NAMES = {"label", "class", "target", "y"}  # a last column of this name holds the labels
FIRST_NAMES = {"label", "class", "target"}  # and so does a first one, as in the tables of Kaggle


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


def read_table(source, text, options):
    """The plan, from the first lines and the options; DataError when the label column is not said or not there."""
    dialect, records = sniff(source, text)
    header = tuple(cell.strip() for cell in records[0]) if has_header(records, options) else ()
    return plan(source, dialect, header, len(records[0]), options)


def plan(source, dialect, header, width, options):
    """The Table of so many columns, which the header names, if there is one."""
    ignored = {position(source, header, width, word, "--ignore") for word in options.ignore}
    ignored |= {n for n, name in enumerate(header) if name in options.spare}
    labels = _labels(source, header, width, options)
    weights = () if options.weight is None else (position(source, header, width, options.weight, "--weight"),)
    if set(weights) & set(labels):
        raise DataError(f"{source}: --weight {shown(options.weight)} is the column of the labels; name another")
    inputs = tuple(n for n in range(width) if n not in ignored and n not in labels + weights)
    if not inputs:
        raise DataError(f"{source} has {width} columns and none left for inputs; check --label and --ignore")
    category = tuple(position(source, header, width, word, "--category") for word in options.category)
    for n in category:
        if n not in inputs:
            raise UsageError(f"--category: column {n + 1} of {source} is the label or left out; name inputs")
    surplus = ()
    if options.fields:
        known = matched(source, options.fields, header, inputs, category)
        inputs, surplus = known, tuple(header[n] for n in inputs if n not in set(known))
    elif category and options.fields is not None:
        raise UsageError(f"--category: the model was trained on numbers, in column {category[0] + 1} too; leave it out")
    numeric = options.task == "regress" or len(labels) > 1
    return Table(dialect, width, header, inputs, labels, numeric, weights, category, options.fields, surplus)


def lines_of(text, delimiter):
    """The lines of a text with their ends, one at a time; without the blanks around them where these delimit.

    csv.Error for a line of so many cells that their list would be the larger part of the memory.
    """
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        line = text[start:end].strip() + "\n" if delimiter == " " else text[start:end]
        if line.count(delimiter) >= MOST_COLUMNS:
            raise csv.Error(f"more than {MOST_COLUMNS} columns")
        yield line
        start = end


def sniff(source, text):
    """The csv module's options, and the first records, for the delimiter under which these agree best.

    Spaces are one only where no other delimiter splits the first record: they stand in names and labels too.
    """
    found = [plan for delimiter in DELIMITERS if (plan := _plan(text, delimiter)) is not None]
    split = [plan for plan in found if len(plan[1][0]) > 1]
    spaced = None if split else _plan(text, " ")
    best = max(split or found, key=_agreement, default=None) if spaced is None or len(spaced[1][0]) < 2 else spaced
    if best is None:
        raise DataError(
            f"{source} has no rows that can be read as CSV or TSV, or more than {MOST_COLUMNS} columns; "
            "give a table with cases"
        )
    return best


def _plan(text, delimiter):
    """(the csv module's options, the first records) under a delimiter, None if it can read no record."""
    dialect = {"delimiter": delimiter, "skipinitialspace": True}
    records = _records(text, dialect)
    return (dialect, records) if records else None


def _agreement(plan):
    """(share of the records as wide as the first, its width)."""
    width = len(plan[1][0])
    return sum(len(record) == width for record in plan[1]) / len(plan[1]), width


def _records(text, dialect):
    """The first records that are not empty; stops at what cannot be read, which the reader will name."""
    records = []
    try:
        for record in csv.reader(lines_of(text, dialect["delimiter"]), **dialect):
            if not is_blank(record):
                records.append(record)
            if len(records) == SAMPLE:
                break
    except csv.Error:
        pass
    return records


def is_blank(record):
    """Whether this is what the csv module makes of an empty line."""
    return len(record) < 2 and not "".join(record).strip()


def has_header(records, options):
    """Whether the first record is names: some column has text there and a number below, or it names what options do.

    A cell that stands for no value is no name, but that of a case; save one above an index, as pandas writes it.
    """
    first, rest = [cell.strip() for cell in records[0]], records[1:]
    if {first[0].lower(), first[-1].lower()} & LAST_NAMES or _names(options) & set(first):
        return True
    known = {field.name for field in options.fields or ()} - {""}
    if known and known <= set(first):
        return True
    if not rest:
        return not any(is_number(cell) or is_missing(cell) for cell in first)
    texts = [n for n, cell in enumerate(first) if not is_number(cell) and not is_missing(cell)]
    if not first[0] and (not any(map(is_number, first)) or first[1:] == [str(n) for n in range(len(first) - 1)]):
        texts.append(0)
    return any(n < len(record) and is_number(record[n]) for n in texts for record in rest[:1])


def _names(options):
    """What options call columns by name."""
    label = () if options.label is None else (options.label, *options.label.split(","))
    words = {word.strip() for word in (*label, *options.ignore, *options.category)}
    return {word for word in words if word and not is_number(word)}


def position(source, header, width, word, option):
    """The column that a name or a position from 1 means."""
    count = Counter(header)[word]
    if count == 1:
        return header.index(word)
    if count > 1:
        raise DataError(f"{source}: {count} columns are named '{shown(word)}'; give {option} a position from 1")
    if word.isascii() and word.isdigit() and 1 <= int(word[:9]) <= width and len(word) < 10:
        return int(word) - 1
    near = difflib.get_close_matches(word, header, n=3) or list(header[:3]) + list(header[-1:])
    known = f"; the header has {', '.join(shown(name) for name in near)}" if header else "; it has no header"
    raise DataError(f"{source}: no column '{shown(word)}' for {option}{known}; give a name or a position 1 to {width}")


def _labels(source, header, width, options):
    """Positions of the label columns: as told, else by name, else none."""
    if options.label is not None:
        words = [options.label] if options.label in header else options.label.split(",")
        if len(words) > 1 and options.task == "classify":
            raise DataError(f"{source}: --label {shown(options.label)} names {len(words)} columns; classes need one")
        return tuple(position(source, header, width, word.strip(), "--label") for word in words)
    if header and width > 1:
        if header[-1].lower() in LAST_NAMES:
            return (width - 1,)
        if header[0].lower() in FIRST_NAMES:
            return (0,)
    if options.task in ("classify", "regress"):
        names = f" (its columns: {', '.join(shown(name) for name in header[:6])})" if header else ""
        raise DataError(f"{source} does not say which column holds the labels{names}; give --label NAME or a position")
    return ()

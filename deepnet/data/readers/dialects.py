"""From the first lines of a CSV table: its delimiter, and whether it has a header."""

import csv

from ...errors import DataError
from ..columns import is_missing, is_number

SAMPLE = 20  # records that are looked at
MOST_COLUMNS = 250_000
DELIMITERS = ",\t;|"
LAST_NAMES = {"label", "class", "target", "y"}  # a last column of this name holds the labels


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


def dialect_of(source, text, delimiters=DELIMITERS):
    """The csv module's options, and the first records, for the delimiter under which these agree best.

    Spaces are one only where no other delimiter splits the first record: they stand in names and labels too.
    """
    found = [plan for delimiter in delimiters if (plan := _plan(text, delimiter)) is not None]
    split = [plan for plan in found if len(plan[1][0]) > 1]
    spaced = None if split or len(delimiters) == 1 else _plan(text, " ")
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

    A cell that stands for no value is no name, but that of a case; save one above an index, as pandas writes it. Of the
    names that a model knows one tells it that none of its columns has as a value.
    """
    first, rest = [cell.strip() for cell in records[0]], records[1:]
    if {first[0].lower(), first[-1].lower()} & LAST_NAMES or _names(options) & set(first):
        return True
    fields = options.fields or ()
    known, values = {field.name for field in fields} - {""}, {value for field in fields for value in field.values}
    if known and (known <= set(first) or any(name in first for name in known - values if not is_number(name))):
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

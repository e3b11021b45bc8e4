"""Columns of a table as they are read, before it is known what they are: numbers, or texts and where each stands."""

import re
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..files import shown
from .checks import LONGEST_LABEL

NONE = {"", "na", "n/a", "nan", "null", "?"}  # cells without a value, in any case of letters
TRUTHS = {"0": "false", "1": "true", "false": "0", "true": "1"}  # as JSON lines and tables of booleans have them
MISSING, UNSEEN = -1, -2  # in place of a text's place
LARGEST = float(np.finfo(np.float32).max)
MOST_VALUES, MOST_BY_HAND = 100, 10_000  # different texts of a column
MARKS = "%‰°$€£¥₹"
AMOUNT = re.compile(  # a number with a comma, as much of Europe writes it, or with commas between thousands, or a mark
    rf"(-?[{MARKS}])?\s*[+-]?(\d+([.,]\d+)?|\d{{1,3}}(,\d{{3}})+(\.\d+)?)\s*[{MARKS}]?", re.ASCII
)
THOUSANDS = re.compile(r"[^,\d]*[1-9]\d{0,2}(,\d{3})+([^,\d].*)?", re.ASCII)


@dataclass(frozen=True, eq=False)
class Column:
    """A name ("" for none), the position in the file from 1, and N cells.

    cells: float32 numbers, NaN for a missing one; or, where there are `values`, int32 places in these, MISSING or
    UNSEEN.
    """

    name: str
    position: int
    cells: np.ndarray
    values: tuple[str, ...] | None = None

    def __str__(self):
        return f"column {self.position}" + (f" '{shown(self.name)}'" if self.name else "")

    @property
    def word(self):
        """What an option calls it."""
        return shown(self.name) if self.name else str(self.position)


def is_missing(cell):
    """Whether a cell stands for no value."""
    return cell.strip().lower() in NONE


def is_number(cell):
    """Whether a cell is a number; NaN is none."""
    try:
        return float(cell) == float(cell) and "_" not in cell
    except ValueError:
        return False


def canonical(cell):
    """One text for what is the same: `1`, `1.0` and `01`; `True` and `true`; without the blanks around it."""
    text = cell.strip()
    if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 39:
        return str(int(text))  # also of an account's number, which float64 rounds
    if is_number(text) and abs(float(text)) <= LARGEST:
        value = float(text)
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return text.lower() if text.lower() in ("true", "false") else text


class NoCategories(DataError):
    """Columns of texts that are no categories, as (column, `what` it has)."""

    def __init__(self, source, *columns):
        self.columns = columns
        held = ", ".join(f"{column} has {what}" for column, what in columns)
        them = "it" if len(columns) == 1 else "them"
        words = ",".join(column.word for column, _ in columns)
        super().__init__(f"{source}: {held}, as names and free text have; leave {them} out with --ignore '{words}'")


def over(source, items, use):
    """[use(*item)] of these; NoCategories with all the columns that are none, once every one was tried."""
    found, refused = [], []
    for item in items:
        try:
            found.append(use(*item))
        except NoCategories as error:
            refused += error.columns
    if refused:
        raise NoCategories(source, *refused)
    return found


def refuse_amounts(source, column, texts):
    """DataError where nearly all of these texts are numbers, with commas or a mark, as % or $: no categories."""
    found = [text for text in texts if not is_number(text) and AMOUNT.fullmatch(text.strip())]
    marks, commas = {c for text in found for c in text if c in MARKS}, [text for text in found if "," in text]
    others = sum(not is_number(text) for text in texts) - len(found)
    if not found or len(marks) > 1 or 10 * others > len(texts):
        return
    ways = [f"without {mark}" for mark in marks]
    if commas and all(map(THOUSANDS.fullmatch, commas)):
        ways.append("without commas")
    elif commas:
        ways.append("with points (`tr , . < OLD > NEW` where no comma separates columns)")
    held = " and ".join([*marks, *(["commas"] if commas else [])])
    raise DataError(
        f"{source}: {column} holds numbers with {held}, such as '{shown(found[0])}'; write them {' and '.join(ways)}, "
        f"or give --category '{column.word}' if all are names"
    )


class Builder:
    """A column that grows block by block.

    What its first value is, a number or a text, all must be. `kind` "number" says so before; with "text" numbers are
    texts too, and where `known` ones are given all others are UNSEEN; true is 1 to a flag of 0 and 1, and 1 is true.
    """

    def __init__(self, source, name, position, kind=None, known=None):
        self.source, self.column, self.kind, self.known = source, Column(name, position, np.zeros(0)), kind, known
        self.free, self.most = kind == "text", MOST_BY_HAND if kind == "text" else MOST_VALUES
        self.values = {value: n for n, value in enumerate(known or ())}
        self.places = {}  # of texts as they are written
        self.pieces = []

    @property
    def size(self):
        """Bytes that the cells take."""
        return sum(piece.nbytes for piece in self.pieces)

    def add(self, cells, rows):
        """More cells, as texts, and the numbers of their rows; DataError for one that has no place here."""
        numbers = None if self.free else _numbers(cells)
        if numbers is not None:
            self.add_numbers(numbers, cells, rows)
            return
        if not self.free:
            if self.kind == "number" or any(map(is_number, set(cells))):
                self._refuse(cells, rows, lambda cell: not is_number(cell) and not is_missing(cell))
            self.kind = "text"
        for cell in dict.fromkeys(cells):
            if cell not in self.places:
                self.places[cell] = self._place(cell)
        self.pieces.append(np.array([self.places[cell] for cell in cells], np.int32))

    def add_numbers(self, numbers, cells, rows):
        """The same of `numbers`, float64 with NaN for missing ones, which are in these cells."""
        wrong = np.flatnonzero(np.abs(numbers) > LARGEST)
        if len(wrong):
            row, cell = rows[wrong[0]], shown(cells[wrong[0]])
            raise DataError(f"{self.source}: row {row}, {self.column} holds {cell}, not a finite float32; mend it")
        if not np.isnan(numbers).all():
            if self.kind == "text":
                self._refuse(cells, rows, is_number)
            self.kind = "number"
        self.pieces.append(numbers.astype(np.float32))

    def _refuse(self, cells, rows, odd):
        """DataError for the first odd cell of a column that holds both numbers and texts."""
        row, cell = next((row, cell) for row, cell in zip(rows, cells, strict=True) if odd(cell))
        refuse_amounts(self.source, self.column, [text for text in (*self.values, *cells) if not is_missing(text)])
        due = "among texts" if is_number(cell) else "where a number is due"
        word = self.column.word
        raise DataError(
            f"{self.source}: row {row}, {self.column} holds '{shown(cell)}' {due}; mend it, or give --label "
            f"'{word}' if that is the label, --category '{word}' if all are names, --ignore '{word}' to leave it out"
        )

    def _place(self, cell):
        """The place of a text among the values, which may be a new one."""
        if is_missing(cell):
            return MISSING
        text = canonical(cell)
        if self.known is not None:
            known = text if text in self.values or not self.values.keys() <= TRUTHS.keys() else TRUTHS.get(text)
            return self.values.get(known, UNSEEN)
        if len(text) > LONGEST_LABEL:
            raise NoCategories(self.source, (self.column, f"a text of more than {LONGEST_LABEL} characters"))
        if text not in self.values and len(self.values) >= self.most:
            refuse_amounts(self.source, self.column, self.values)
            raise NoCategories(self.source, (self.column, f"more than {self.most} different texts"))
        return self.values.setdefault(text, len(self.values))

    def finish(self):
        """The Column; where all is missing, numbers."""
        name, position = self.column.name, self.column.position
        if self.kind != "text":
            return Column(name, position, np.concatenate([np.zeros(0, np.float32), *self.pieces]))
        pieces = [np.full(len(p), MISSING, np.int32) if p.dtype == np.float32 else p for p in self.pieces]
        return Column(name, position, np.concatenate([np.zeros(0, np.int32), *pieces]), tuple(self.values))


def _numbers(cells):
    """float64 (N,), NaN for missing ones, or None where some cell is neither a number nor missing."""
    if any("_" in cell for cell in cells):  # which float() takes
        return None
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        pass
    try:
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    except ValueError:
        return None

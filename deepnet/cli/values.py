"""Words of the command line become values: parsers for options that are lists, bounded numbers, times or conditions.

Each maker returns a function text -> value that Typer calls; a text it cannot use raises `typer.BadParameter`.
"""

import difflib
import math
import re
from decimal import Decimal

import typer

Bound = float | None

_CONDITION = re.compile(r"\s*([A-Za-z][\w ]*?)\s*(<=|>=|==|<|>)\s*(\S+?)(\s*%)?\s*")
_TIMES = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")

LARGEST = 3.4e38  # of float32, in which all is computed


def nearest(word, known):
    """A clause with the known word most like this one, or all of them where none is."""
    close = difflib.get_close_matches(str(word), known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def _number(text, kind, low, high):
    """The int or float of a text, finite and within [low, high]."""
    what = "a whole number" if kind is int else "a number"
    try:
        value = kind(text.strip()) if text.isascii() and "_" not in text else None  # Python takes 1_0 and other digits
    except ValueError:
        value = None
    if value is None:
        raise typer.BadParameter(f"{_short(text)} is not {what}")
    if not math.isfinite(value) or (kind is float and abs(value) > LARGEST):
        raise typer.BadParameter(f"{_short(text)} is not a finite number that float32 can hold")
    if (low is not None and value < low) or (high is not None and value > high):
        raise typer.BadParameter(f"{_short(text)} is not {_span(low, high)}")
    return value


def _short(text):
    """The text in quotes, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _span(low, high):
    """The allowed interval in words."""
    if high is None:
        return f"{low} or more"
    return f"{high} or less" if low is None else f"from {low} to {high}"


def integer(low: Bound = None, high: Bound = None):
    """A parser of one whole number within bounds, which are allowed values."""
    return lambda text: _number(str(text), int, low, high)


def number(low: Bound = None, high: Bound = None):
    """A parser of one finite number within bounds, which are allowed values."""
    return lambda text: _number(str(text), float, low, high)


def positive(text):
    """A finite number above zero."""
    value = _number(str(text), float, 0, None)
    if value == 0:
        raise typer.BadParameter(f"{_short(str(text))} is not above 0")
    return value


def word(text):
    """A name, which is not empty."""
    if not text:
        raise typer.BadParameter("the name is empty; give one, or leave the option out")
    return text


def texts(text):
    """A comma-separated list of words as a tuple; empty words are refused."""
    words = tuple(word.strip() for word in str(text).split(","))
    if not all(words):
        raise typer.BadParameter(f"{_short(str(text))} has an empty place: write a,b,c")
    return words


def several(parse):
    """A parser of a comma-separated list, each member parsed by `parse`: a tuple."""
    return lambda text: tuple(parse(word) for word in texts(text))


def names(known, numbered=(), high=None):
    """A parser of a comma-separated list of known names: a tuple.

    Those that are `numbered` may carry a number from 2 to `high`, as in maxout:3.
    """

    def parse(word):
        name, sign, number = word.partition(":")
        if (name if name in numbered else word) not in known:
            raise typer.BadParameter(f"{_short(word)} is not known: {nearest(word, known)}")
        if sign:
            _number(number, int, 2, high)
        return word

    return several(parse)


def duration(text):
    """Seconds of a time such as 2h, 90m, 1h30m, 45s or 3600."""
    found = _TIMES.fullmatch(str(text).strip().lower())
    hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if total <= 0:
        raise typer.BadParameter(f"{_short(str(text))} is not a time above 0: write 2h, 90m, 1h30m or 45s")
    return total


def requirement(text):
    """A condition on a metric, such as error<=0.015 or error<=1.5%: its name, the comparison, the bound."""
    found = _CONDITION.fullmatch(str(text))
    if found is None:
        raise typer.BadParameter(
            f"{_short(str(text))} is not a condition: write METRIC<=NUMBER, such as 'error<=0.015' or 'error<=1.5%'"
        )
    bound = _number(found[3], float, None, None)
    bound = float(Decimal(repr(bound)) / 100) if found[4] else bound  # 1.4 / 100 is not 0.014
    return found[1].replace(" ", "_"), found[2], bound


def assignment(text):
    """NAME=NUMBER, as it is."""
    pair(text)
    return str(text)


def pair(text):
    """The name and the number of NAME=NUMBER."""
    name, sign, number = str(text).partition("=")
    if not sign or not name.strip().isidentifier():
        raise typer.BadParameter(f"{_short(str(text))} is not an assignment: write NAME=NUMBER, such as damping=1")
    return name.strip(), _number(number, float, None, None)

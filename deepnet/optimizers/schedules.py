"""SCHEDULES: a rate or a momentum as a function of the number of updates made.

Written as text, `0.1` or `NAME:VALUE:...`, with times in epochs; `parse` turns epochs into updates. A number is the
schedule `constant`. A schedule that runs over the whole training says so, since more epochs would change its past.
`warmup:EPOCHS:` before any of them multiplies its values by a line from 0 to 1 over the first epochs (Goyal et al.
2017, section 2.2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UsageError

LARGEST = 3.4e38  # of float32, in which rates are used


@dataclass(frozen=True)
class Schedule:
    """A rule of SCHEDULES with its values, in a run of so many updates an epoch and so many epochs.

    `warmup`: the epochs over which it is reached.
    """

    name: str
    values: tuple[float, ...]
    per_epoch: int
    epochs: int
    warmup: float = 0.0

    def at(self, updates: int) -> float:
        """The value for the update after `updates` of them."""
        rule = SCHEDULES[self.name]
        if rule.in_updates:
            value = rule.rule(updates, self.per_epoch * self.epochs, *self.values)
        else:
            value = rule.rule(updates / self.per_epoch, self.epochs, *self.values)
        rise = self.warmup * self.per_epoch
        return value * (updates + 1) / rise if updates + 1 < rise else value

    @property
    def needs_total(self) -> bool:
        """Whether its past depends on the number of epochs planned."""
        return SCHEDULES[self.name].needs_total


@dataclass(frozen=True)
class Rule:
    """A schedule's function of (epochs passed, epochs planned, *values), and how it is written.

    `needs_total`: whether its past depends on the number of epochs planned. `in_updates`: it counts updates instead.
    """

    rule: Callable[..., float]
    form: str
    count: int
    needs_total: bool = False
    in_updates: bool = False


def _step(time: float, total: float, *values: float) -> float:
    """a, and from epoch e on b, and so on: step:a:b:e or step:a:b:e:c:f."""
    current = values[0]
    for value, epoch in zip(values[1::2], values[2::2], strict=True):
        current = value if time >= epoch else current
    return current


def _exponential(time: float, total: float, first: float, factor: float) -> float:
    """first factor^time, infinite where it leaves the numbers."""
    try:
        return first * factor**time
    except OverflowError:
        return math.inf if first else 0.0


def _inverse(time: float, total: float, first: float, rate: float) -> float:
    """first / (1 + rate time): a sum without end of squares with one (Robbins and Monro 1951)."""
    return first / (1 + rate * time)


def _cosine(time: float, total: float, first: float, last: float) -> float:
    """Half a cosine from first to last (Loshchilov and Hutter 2017, eq. 5)."""
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, time / total))) / 2


def _rising(time: float, total: float, most: float, last: float, final: float) -> float:
    """min(1 - 1 / (2 (floor(t / 250) + 1)), most), `last` for the `final` last updates.

    Source: Sutskever et al. 2013, eq. 5 and section 3.
    """
    return last if time >= total - final else min(1 - 0.5 / (time // 250 + 1), most)


SCHEDULES: dict[str, Rule] = {
    "constant": Rule(lambda time, total, value: value, "VALUE", 1),
    "step": Rule(_step, "step:FIRST:NEXT:EPOCH", 3),
    "linear": Rule(lambda time, total, a, b: a + (b - a) * min(1.0, time / total), "linear:FIRST:LAST", 2, True),
    "exponential": Rule(_exponential, "exponential:FIRST:FACTOR", 2),
    "inverse": Rule(_inverse, "inverse:FIRST:RATE", 2),
    "cosine": Rule(_cosine, "cosine:FIRST:LAST", 2, True),
    "rising": Rule(_rising, "rising:MOST:LAST:UPDATES", 3, True, True),
}


WARMUP = "warmup"


def parse(
    option: str, text: str | float, per_epoch: int, epochs: int, most: float = LARGEST, positive: bool = False
) -> Schedule:
    """The schedule that `text` writes, levels in [0, most), above 0 if `positive`.

    `option` is named where it cannot be read.
    """
    warmup, name, values = _read(str(text))
    text = str(text)[:80]  # for messages
    rule = SCHEDULES[name]
    fits = len(values) == rule.count or (name == "step" and len(values) > 3 and len(values) % 2 == 1)
    if not fits or not all(0 <= v < math.inf for v in (warmup, *values)):
        forms = ", ".join(r.form for r in SCHEDULES.values())
        raise UsageError(
            f"{option} {text}: not a number of at least 0 or a schedule; write {forms}, or {WARMUP}:EPOCHS: before one"
        )
    levels = values if name != "step" else (values[0], *values[1::2])
    levels = (values[0], rule.rule(epochs, epochs, *values)) if name == "exponential" else levels
    levels = values[:2] if name == "rising" else levels[:1] if name == "inverse" else levels
    if positive and levels[0] == 0:
        raise UsageError(f"{option} {text}: must be above 0")
    if any(v >= most for v in levels):
        raise UsageError(f"{option} {text}: must stay below {most:g}")
    return Schedule(name, values, per_epoch, epochs, warmup)


def _read(text: str) -> tuple[float, str, tuple[float, ...]]:
    """The epochs of warm-up, the name and the values that a text writes; NaN, or no values, where it writes none."""
    warmup, rest = "0", text
    if text.startswith(f"{WARMUP}:"):
        warmup, _, rest = text.removeprefix(f"{WARMUP}:").partition(":")
    name, _, numbers = rest.partition(":")
    if name not in SCHEDULES:
        name, numbers = "constant", rest
    try:
        return float(warmup), name, tuple(float(part) for part in numbers.split(":"))
    except ValueError:
        return math.nan, name, ()


def constant(value: float) -> Schedule:
    """A schedule that never changes."""
    return Schedule("constant", (value,), 1, 1)

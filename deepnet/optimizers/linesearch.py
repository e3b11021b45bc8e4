"""A step along a descent direction that lowers the objective enough and leaves little slope (Wolfe 1969; Powell 1976).

phi(s) is the objective at theta + s direction, phi'(s) its slope. Accepted is phi(s) <= phi(0) + lower s phi'(0) with
|phi'(s)| <= upper |phi'(0)|. Steps are widened by cubic extrapolation until a minimum is bracketed, then narrowed by
interpolation: cubic, or quadratic where the far end is above (Fletcher 1987, section 2.6).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

INSIDE, BEYOND = 0.1, 3.0  # nearest a new step comes to the ends of its bracket; furthest it goes past the last one


class Point(NamedTuple):
    """A step with the objective and its slope there."""

    step: float
    value: float
    slope: float


def search(
    phi: Callable[[float], tuple[float, float]],
    begin: Point,
    first: float,
    lower: float = 0.05,
    upper: float = 0.1,
    most: int = 20,
) -> tuple[Point, bool]:
    """(the accepted point, True), or after `most` evaluations (the lowest of all, maybe `begin`, False).

    phi(step) -> (value, slope); `begin` is the point at step 0, its slope below 0; `first` the first step, above 0.
    Values that are not finite count as far too high.
    """
    low, high, best, step = begin, None, begin, first
    for _ in range(most):
        new = Point(step, *phi(step))
        finite = math.isfinite(new.value) and math.isfinite(new.slope)
        if finite and new.value < best.value:
            best = new
        if not finite or new.value > begin.value + lower * step * begin.slope or new.slope > -upper * begin.slope:
            high = new
        elif new.slope < upper * begin.slope:
            low = new
        else:
            return new, True
        step = _beyond(low, best if best.step < low.step else begin, first) if high is None else _between(low, high)
    return best, False


def _beyond(low: Point, before: Point, first: float) -> float:
    """A wider step: the minimum of the cubic through the last two points, within (1 + INSIDE, BEYOND) of the last."""
    step = _cubic(before, low)
    if not math.isfinite(step) or step <= 0:
        step = BEYOND * low.step
    return min(max(step, (1 + INSIDE) * low.step), BEYOND * max(low.step, first * INSIDE))


def _between(low: Point, high: Point) -> float:
    """A step within the bracket: where the curve through both ends is lowest, away from the ends."""
    if not (math.isfinite(high.value) and math.isfinite(high.slope)):
        return (low.step + high.step) / 2
    width = high.step - low.step
    if high.value > low.value:  # a parabola through both values and the slope below
        step = low.step - 0.5 * low.slope * width**2 / (high.value - low.value - low.slope * width)
    else:
        step = _cubic(low, high)
    if not math.isfinite(step):
        return (low.step + high.step) / 2
    return min(max(step, low.step + INSIDE * width), high.step - INSIDE * width)


def _cubic(a: Point, b: Point) -> float:
    """The minimum of the cubic through two points and their slopes; not finite where it has none."""
    width = b.step - a.step
    if width == 0:
        return math.nan
    bend = a.slope + b.slope - 3 * (b.value - a.value) / width
    inner = bend * bend - a.slope * b.slope
    if not inner >= 0:
        return math.nan
    root = math.copysign(math.sqrt(inner), width)
    below = b.slope - a.slope + 2 * root
    return b.step - width * (b.slope + root - bend) / below if below else math.nan

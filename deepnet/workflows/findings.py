"""FINDINGS: what can be amiss in a run that goes on, told from its figures; a row a finding, causes before effects.

Each test is a pure function of `Figures`: the words for its sentence, or None where all is well. Bands are those of
healthy runs on MNIST with room to spare. Sources: Hinton 2010, sections 5, 6, 7, 11 and 14; Glorot and Bengio 2010;
Karpathy 2015 (notes of CS231n) on the size of updates, about a thousandth of the weights.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .causes import WIDE
from .collapse import tells_no_more
from .vitals import Figures

FLAT = 0.02  # deviation of the columns over the root mean square of all inputs
UNIT = 0.1, 3.0  # deviation of the columns that linear visible units, of unit variance, may have
ALIKE = 0.05  # how far the weights of a layer's units differ, over their norm
DEAD, SATURATED, ALWAYS = 0.5, 0.2, 0.2  # shares of a layer's units
SMALL, LARGE = 1e-4, 0.1  # last update over weights; healthy about 1e-3
STANDING, UPDATES = 0.01, 100  # fall of the loss an epoch, below which it stands still, after so many updates
LEARNT = 0.1  # fall of the loss since the first epoch, from which on it may
RISE, RISES, LATELY = 1.05, 3, 6  # how often the loss rose so much in the last epochs
LOW = 0.2  # of the first loss, below which rises mean little
WAIT, WORSE, FITTED = 5, 1.05, 0.8  # epochs since the best; validation loss now, and training loss, over those then
GROWN = 0.5  # growth of the free-energy gap, in deviations of the free energy of training cases


@dataclass(frozen=True)
class Finding:
    """A test, the sentence that its words fill, and the findings that follow from it, which are then not told."""

    test: Callable[[Figures], dict | None]
    sentence: str
    covers: tuple[str, ...] = ()


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _worst(found: Figures, figure: str, bound: float) -> dict | None:
    """The first layer of which a share lies above a bound."""
    for layer in found.layers:
        if (value := getattr(layer, figure)) > bound:
            return {"layer": layer.name, "unit": layer.unit, "share": _percent(value)}
    return None


def _range(found: Figures) -> dict | None:
    x = found.inputs
    wrong = x is not None and (
        x.size > WIDE or (x.unit == "linear" and x.deviation > 0 and not UNIT[0] <= x.deviation <= UNIT[1])
    )
    return {"low": x.low, "high": x.high, "deviation": x.deviation, "remedy": found.below} if wrong else None


def _flat(found: Figures) -> dict | None:
    x = found.inputs
    flat = x is not None and x.deviation <= FLAT * x.size
    return {"deviation": x.deviation, "size": x.size, "remedy": found.below} if flat else None


def _alike(found: Figures) -> dict | None:
    layer = next((layer for layer in found.layers if layer.spread < ALIKE), None)
    return {"layer": layer.name, "spread": layer.spread} if layer else None


def _stands(found: Figures) -> bool:
    """Whether the loss of a run with a rate, from random weights, hardly falls and hardly has, in three epochs."""
    loss = found.loss
    if not (found.by_rate and found.fresh) or len(loss) < 3 or found.curves["updates"][-1] < UPDATES:
        return False
    return bool(loss[-1] > loss[-3] * (1 - 2 * STANDING) and loss[-1] > loss[0] * (1 - LEARNT))


def _vanishing(found: Figures) -> dict | None:
    if not _stands(found) or len(found.layers) < 3:
        return None
    low, high = found.layers[0], max(found.layers[:-1], key=lambda layer: layer.step)
    told = {"layer": low.name, "step": low.step, "other": high.name, "more": high.step}
    return told if low.step < SMALL and high.step > 10 * low.step else None


def _small(found: Figures) -> dict | None:
    most = max(found.layers, key=lambda layer: layer.step, default=None)
    if most is None or most.step >= SMALL or not _stands(found):
        return None
    return {"layer": most.name, "step": most.step, "first": found.loss[0], "last": found.loss[-1]}


def _large(found: Figures) -> dict | None:
    if not (found.by_rate and len(found.loss) >= 3) or found.loss[-1] < LOW * found.loss[0]:
        return None
    return next(({"layer": n.name, "step": n.step} for n in found.layers if n.step > LARGE), None)


def _swings(found: Figures) -> dict | None:
    last = found.loss[-LATELY - 1 :]
    rises = int((last[1:] > RISE * last[:-1]).sum())
    swings = found.by_rate and rises >= RISES and last[-1] > LOW * found.loss[0]
    return {"rises": rises, "epochs": len(last) - 1, "low": last.min(), "high": last.max()} if swings else None


def _constant(found: Figures) -> dict | None:
    if found.constant is None or not tells_no_more(found.curves, found.constant):
        return None
    return {"loss": found.loss[-1], "theirs": found.constant[0], "error": 100 * found.curves["error"][-1]}


def _overfitting(found: Figures) -> dict | None:
    held, loss = found.curves.get("validation_loss"), found.loss
    if held is None or found.watched or len(held) <= WAIT:
        return None
    best = int(np.argmin(held))
    since = len(held) - 1 - max(best, int(np.argmin(found.curves["score"])))
    if since < WAIT or held[-1] < WORSE * held[best] or loss[-1] > FITTED * loss[best]:
        return None
    return {"best": held[best], "epoch": best + 1, "now": held[-1], "before": loss[best], "after": loss[-1]}


def _gap(found: Figures) -> dict | None:
    gap = found.curves.get("gap")
    grown = gap is not None and len(gap) > 1 and gap[-1] - gap.min() > GROWN * found.gap_unit
    return {"layer": found.layers[0].name, "first": gap.min(), "last": gap[-1]} if grown else None


_OF_INPUTS = "alike", "dead", "saturated", "always_on", "constant", "vanishing", "small_steps", "large_steps", "swings"
_OF_UNITS = "constant", "vanishing", "small_steps", "large_steps", "swings"

FINDINGS: dict[str, Finding] = {
    "input_range": Finding(
        _range,
        "inputs run from {low:.4g} to {high:.4g}, with a deviation of {deviation:.3g}; first weights and rates are for "
        "values near 1: {remedy}",
        ("input_flat", *_OF_INPUTS),
    ),
    "input_flat": Finding(
        _flat,
        "inputs hardly vary (deviation {deviation:.3g} beside a size of {size:.3g}), so that all cases look alike: "
        "{remedy}",
        _OF_INPUTS,
    ),
    "alike": Finding(
        _alike,
        "the units of {layer} are all alike (their weights differ by {spread:.2g} of their norm) and learn the same: "
        "use another --init, such as glorot",
        ("dead", "saturated", *_OF_UNITS),
    ),
    "dead": Finding(
        lambda found: _worst(found, "silent", DEAD),
        "{share} of the {unit} units of {layer} are on in hardly any of the cases looked at and learn no more: use a "
        "smaller --learning-rate, or another --init or --units",
        ("saturated", *_OF_UNITS),
    ),
    "saturated": Finding(
        lambda found: _worst(found, "saturated", SATURATED),
        "{share} of the {unit} units of {layer} stay within 0.01 of an end, where they hardly learn: use a smaller "
        "--init or --learning-rate",
        _OF_UNITS,
    ),
    "always_on": Finding(
        lambda found: _worst(found, "always", ALWAYS),
        "{share} of the hidden units of {layer} are on for nearly all cases and tell nothing: use a smaller "
        "--learning-rate, or --sparsity-target 0.1",
        _OF_UNITS,
    ),
    "vanishing": Finding(
        _vanishing,
        "the loss stands still: an update moves {layer} by {step:.1g} of its weights, {other} by {more:.1g}: pre-train "
        "the layers, or use another --init (glorot:4 for logistic units) or --units",
        ("constant", "small_steps"),
    ),
    "small_steps": Finding(
        _small,
        "the loss stands still ({first:.4g} at first, {last:.4g} now) and an update moves weights by {step:.1g} of "
        "their size at most ({layer}; about 0.001 is healthy): use a larger --learning-rate",
        ("constant",),
    ),
    "large_steps": Finding(
        _large,
        "an update moves {layer} by {step:.1g} of its weights (about 0.001 is healthy): use a smaller --learning-rate",
        ("swings", "constant"),
    ),
    "swings": Finding(
        _swings,
        "the loss rose in {rises} of the last {epochs} epochs, between {low:.4g} and {high:.4g}: use a smaller "
        "--learning-rate, or one that falls (linear:0.1:0.001)",
        ("constant",),
    ),
    "constant": Finding(
        _constant,
        "the network tells no more than the class frequencies do (loss {loss:.4g}, theirs {theirs:.4g}; error "
        "{error:.3g} %); if that stays so, try another --learning-rate, --init or --scale",
        ("alike", "dead", "saturated", "vanishing", "small_steps", "large_steps", "swings"),
    ),
    "overfitting": Finding(
        _overfitting,
        "overfitting: the validation loss rose from {best:.4g} in epoch {epoch} to {now:.4g} while that of training "
        "fell from {before:.3g} to {after:.3g}: try --dropout or --weight-decay, or stop at the best epoch by "
        "--patience 5",
    ),
    "free_energy_gap": Finding(
        _gap,
        "{layer} overfits: the free energy of held-out cases came to lie {last:.3g} above that of training cases "
        "({first:.3g} at its least): use fewer --epochs, fewer units or more --weight-decay",
    ),
}


def first(found: Figures, said: list[str]) -> tuple[str, dict] | None:
    """The first finding that was not said, nor follows from one that was, with its words; None if all is well."""
    known = {*said, *(name for n in said for name in FINDINGS[n].covers)}
    for name, finding in FINDINGS.items():
        if name not in known and (words := finding.test(found)) is not None:
            return name, words
    return None

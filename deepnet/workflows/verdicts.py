"""verdicts: what the nets of `efficiency` tell, in figures and in words."""

from itertools import combinations

import numpy as np

from .. import evaluation
from .cells import NONE, SELF_TRAINED, Cell, Record

CERTAIN = 0.05  # a difference that chance makes less often is called one
WORDS = {
    "rbm": "restricted Boltzmann machines",
    "dae": "denoising autoencoders",
    "sae": "sparse autoencoders",
    "cae": "contractive autoencoders",
}


def facts(record: Record, cells: list[Cell], there: int, data: str) -> dict:
    """The verdict, what was found, a row a method and number of labels, and a row a pair of methods.

    `there` is how many labels there are. Intervals are by Student's t over draws, of a single draw Wilson's. A pair is
    tested twice: over draws (labels, first weights) by Student's t of paired differences, and over test cases by the
    normal law of each case's mean difference, with one draw by McNemar's test; a difference must pass both.
    """
    wrong: dict[int, dict[str, list]] = {}
    for cell in cells:
        wrong.setdefault(cell.labels, {}).setdefault(cell.name, []).append(record.of(cell))
    found = {n: {method: np.array(w) for method, w in own.items()} for n, own in sorted(wrong.items())}
    rows = [_row(n, method, w) for n, own in found.items() for method, w in own.items()]
    pairs = [
        _pair(n, method, own[method], against, own[against])
        for n, own in found.items()
        for against, method in combinations(own, 2)
    ]
    first = cells[0].name
    told = [pair for pair in pairs if pair["against"] == first]
    sentences = [{"finding": _sentence(pair, rows, there)} for pair in told]
    return {
        "verdict": _summary(told, first, there, data),
        "findings": sentences,
        "errors": rows,
        "differences": pairs,
    }


def _row(labels: int, method: str, wrong: np.ndarray) -> dict:
    """The mean error of some draws (draws, N)."""
    errors = wrong.mean(axis=1)
    if len(errors) > 1:
        error, interval = evaluation.mean_of_draws(errors)
    else:
        error, interval = float(errors[0]), evaluation.wilson(int(wrong.sum()), wrong.size)
    ends = [max(0.0, interval[0]), min(1.0, interval[1])]
    return {"labels": labels, "method": method, "draws": len(errors), "error": error, "error_interval": ends}


def _pair(labels: int, method: str, own: np.ndarray, against: str, other: np.ndarray) -> dict:
    """A method held against another on the same draws and cases."""
    apart = own.mean(axis=1) - other.mean(axis=1)
    if len(own) > 1:
        _, interval = evaluation.mean_of_draws(apart)
        over_draws = evaluation.paired_draws(own.mean(axis=1), other.mean(axis=1))
        over_cases = evaluation.paired(own.mean(axis=0), other.mean(axis=0))
    else:
        _, interval = evaluation.mean_with_interval(own[0].astype(np.float64) - other[0])
        over_draws, over_cases = None, evaluation.mcnemar(own[0], other[0])
    certain = max(over_draws or 0.0, over_cases) < CERTAIN
    difference = float(apart.mean())
    return {
        "labels": labels,
        "method": method,
        "against": against,
        "draws": len(own),
        "difference": float(f"{difference:.3g}"),
        "difference_interval": interval,
        "p_draws": None if over_draws is None else float(f"{over_draws:.3g}"),
        "p_cases": float(f"{over_cases:.3g}"),
        "verdict": "no difference" if not certain else "better" if difference < 0 else "worse",
    }


def _of(labels: int, there: int) -> str:
    """How many labels, in words."""
    return f"all {labels:,} labels" if labels == there else f"{labels:,} labels"


def _doing(method: str) -> str:
    """What a method does."""
    base = method.removesuffix(SELF_TRAINED)
    doing = "no pre-training" if base == NONE else f"pre-training with {WORDS[base]}"
    if base == method:
        return doing
    return "self-training without pre-training" if base == NONE else f"{doing} and self-training"


def _sentence(pair: dict, rows: list[dict], there: int) -> str:
    """What a pair tells."""
    errors = {row["method"]: 100 * row["error"] for row in rows if row["labels"] == pair["labels"]}
    own, other = f"{errors[pair['method']]:.1f} %", f"{errors[pair['against']]:.1f} %"
    if own == other and pair["verdict"] != "no difference":
        own, other = f"{errors[pair['method']]:.2f} %", f"{errors[pair['against']]:.2f} %"
    draws = f"{pair['draws']} draw{'s' * (pair['draws'] > 1)}"
    p = max(pair["p_draws"] or 0.0, pair["p_cases"])
    chance = f"({draws}, p {'< 0.001' if p < 0.001 else f'= {p:.2g}'})"
    begin = f"With {_of(pair['labels'], there)}, {_doing(pair['method'])}"
    if pair["against"] != NONE:
        begin += f", against {_doing(pair['against'])},"
    if pair["verdict"] == "no difference":
        without = "without it" if pair["against"] == NONE else f"with {pair['against']}"
        return f"{begin} makes no difference that we could measure: {own} of errors, {other} {without} {chance}."
    verb = "lowers" if pair["verdict"] == "better" else "raises"
    return f"{begin} {verb} the error from {other} to {own} {chance}."


def _summary(pairs: list[dict], first: str, there: int, data: str) -> str | None:
    """With which numbers of labels pre-training pays, where nets without it are the measure."""
    if first != NONE or not pairs:
        return None
    counts = sorted({pair["labels"] for pair in pairs})
    better = [p for p in pairs if p["verdict"] == "better" and not p["method"].endswith(SELF_TRAINED)]
    helped = [n for n in counts if any(p["labels"] == n for p in better)]
    if not helped:
        return f"We could not measure that pre-training helps on {data}."
    if helped == counts:
        return f"Pre-training helps on {data}, with every number of labels that was tried."
    return f"Pre-training helps on {data} with {', '.join(_of(n, there) for n in helped)}, of those that were tried."

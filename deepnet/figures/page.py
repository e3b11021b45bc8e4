"""All that is to be seen of a model as one page of HTML: a section a kind, tables of layers, settings and lineage."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.figure import Figure

from deepnet.figures.html import document, flat, named, picture, table, words_of
from deepnet.files import shown


def _whole(given: tuple) -> list[tuple]:
    """One picture."""
    return [given]


def _each(given: tuple) -> list[tuple]:
    """A picture a panel, so that each is as wide as a telephone."""
    return [([panel], *given[1:]) for panel in given[0]]


def _curves(given: tuple) -> list[tuple]:
    """A picture a metric and stage, training and validation of one together; what is always 0 is left out."""
    found = []
    for stage in given[0]:
        groups: dict[str, dict] = {}
        for name, values in stage["metrics"].items():
            groups.setdefault(name.removeprefix("training ").removeprefix("validation "), {})[name] = values
        found += [([{**stage, "metrics": metrics}],) for metrics in groups.values() if np.any([*metrics.values()])]
    return found


@dataclass(frozen=True)
class Section:
    """A kind's heading, what to look for in its pictures, and the pictures that its arrays make."""

    title: str
    words: str
    pieces: Callable[[tuple], list[tuple]] = _whole


SECTIONS = {
    "summary": Section("Layers", "From the input at the top to the output; widths grow with the root of the units."),
    "history": Section(
        "While training",
        "Each curve ends in its last value, an epoch a step; what was 0 all the time, as dead units, is left out.",
        _curves,
    ),
    "confusion": Section("Which classes are taken for which", "Right answers are blue, mistakes orange."),
    "mistakes": Section(
        "The surest mistakes", "Cases that the model is wrong about and sure of: some of them may be labelled wrongly."
    ),
    "calibration": Section(
        "Can its probabilities be believed?",
        "On the grey line a probability of 90 % is right in 90 of 100 cases; below it the model is too sure.",
    ),
    "reconstructions": Section(
        "Reconstructions", "Cases, what as many principal components leave of them, and what the model does."
    ),
    "codes": Section(
        "A map of the codes", "Cases by the model's code and by the principal components of the data.", _each
    ),
    "samples": Section(
        "What it believes the world to be like",
        "Chains of Gibbs sampling in the top machine, brought down through the layers below; a row a chain.",
    ),
    "filters": Section(
        "What each unit looks for",
        "Incoming weights in the shape of a case; those of deeper layers as if the layers below were linear.",
        _each,
    ),
    "features": Section(
        "What deeper units like best",
        "The input of an ordinary case's length that each unit answers to most, found by gradient ascent.",
        _each,
    ),
    "histograms": Section(
        "Weights, activations and gradients",
        "Heaps at the ends of activations are units that are always off or saturated; gradients are those of cases "
        "seen now, not of the training that was.",
        _each,
    ),
    "gradients": Section(
        "Gradients while training", "Where lines lie decades below the others, the gradient vanishes.", _each
    ),
    "landscape": Section(
        "The loss around it",
        "The network is in the middle; to the sides its weights are moved along two random directions. Wide and round "
        "is a flat minimum, narrow a sharp one.",
    ),
}


def model_page(
    facts: dict,
    figures: dict[str, Callable[..., Figure]],
    drawn: dict[str, tuple],
    absent: dict[str, str],
    follow: dict[str, str],
) -> bytes:
    """The page as UTF-8, all text escaped.

    `facts` are those of inspect, `drawn` the arrays of each kind of `figures`, `absent` says why a kind is not there,
    `follow` has commands to type next, {what it does: command}.
    """
    title = f"{shown(facts['name'])}: {facts['kind']} {facts['network']}"
    names = [name for name in figures if name in drawn]
    links = "".join(f'<a href="#{name}">{escape(SECTIONS[name].title)}</a> ' for name in names)
    sections = [_section(name, figures[name], drawn[name], facts) for name in names]
    why = [f"<p><b>{escape(SECTIONS[name].title)}</b>: {escape(reason)}.</p>" for name, reason in absent.items()]
    safe = {words: "".join(map(shown, line)) for words, line in follow.items()}  # whole, however long
    commands = [f"<p>{escape(words)}</p><code>{escape(line)}</code>" for words, line in safe.items()]
    return document(
        title,
        [
            f"<h1>{escape(title)}</h1>",
            *(f"<p>{escape(line)}</p>" for line in facts["lines"]),
            f'<nav class="m">{links}<a href="#lineage">Lineage</a> <a href="#settings">Settings</a> '
            '<a href="#next">What to do next</a></nav>',
            *sections,
            *(['<h2 id="absent">What is not here</h2>', *why] if why else []),
            f'<h2 id="lineage">Lineage</h2>{named(("what", "is"), facts["lineage"])}',
            f'<h2 id="settings">Settings</h2>{named(("setting", "value"), flat(facts["settings"]))}',
            '<h2 id="next">What to do next</h2>',
            *commands,
        ],
    )


def _section(name: str, draw: Callable[..., Figure], given: tuple, facts: dict) -> str:
    """A kind's heading, its words, its pictures."""
    section = SECTIONS[name]
    pictures = []
    for piece in section.pieces(given):
        figure = draw(*piece)
        pictures.append(picture(figure, f"{section.title}: {words_of(figure) or section.words}"))
    body = f'<div class="f">{"".join(pictures)}</div>' if len(pictures) > 1 else "".join(pictures)
    more = _layers(facts["layers"]) if name == "summary" else ""
    return f'<h2 id="{name}">{escape(section.title)}</h2><p class="m">{escape(section.words)}</p>{body}{more}'


def _layers(rows: list[dict]) -> str:
    """The table of layers."""
    heads = ["layer", "kind", "unit", "inputs", "outputs", "parameters", "norm of weights"]
    cells = [
        [escape(shown(row["name"])), escape(row["kind"]), escape(shown(row["unit"]))]
        + [f"{row[key]:,}" for key in ("inputs", "outputs", "parameters")]
        + [f"{row['norm']:.4g}"]
        for row in rows
    ]
    return f"<details><summary>As a table</summary>{table(heads, cells)}</details>"

"""A comparison as one page of HTML. All text from files is escaped."""

from html import escape

from deepnet.figures.comparison import along_all, colour, one_panel
from deepnet.figures.html import document, picture, table
from deepnet.files import shown

_PERCENT = "\N{NO-BREAK SPACE}%"
_NAMES = {"epoch": "epoch", "updates": "update", "gradients": "gradients", "seconds": "time"}


def report(facts: dict, settings: dict[str, list], metric: str, lines: list[dict]) -> bytes:
    """The page as UTF-8: verdicts, charts, the table and `settings`, {name: a value a model} where models differ.

    `facts` are what compare found: task, data, split, cases and `models`, a dict a row; `metric` and `lines` are those
    of `comparison`, in the order of the models.
    """
    rows = facts["models"]
    title = f"{len(rows)} networks on {shown(facts['data'])}"
    names = [_name(i, shown(line["name"])) for i, line in enumerate(lines)]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="m">{escape(_method(facts))}</p>',
        *(f"<p>{_sentence(row, names[i], names[0], facts['task'])}</p>" for i, row in enumerate(rows) if i),
        '<h2>While training</h2><div class="f">',
        *(_figure(metric, along, lines) for along in along_all(lines)),
        f"</div><h2>On the same cases</h2>{_results(rows, names, facts['task'])}",
        f"<h2>Settings that differ</h2>{_settings(settings, lines, names)}",
    ]
    return document(title, parts)


def _name(number: int, name: str) -> str:
    """A model's name after the number that its line has."""
    return f'<span class="n" style="background:{colour(number)}">{number + 1}</span>{escape(name)}'


def _method(facts: dict) -> str:
    """What was compared, and how."""
    how = "McNemar's exact test" if facts["task"] == "classify" else "the normal interval of the paired differences"
    return (
        f"{facts['cases']:,} cases of {shown(facts['data'])} ({facts['split']}). "
        f"Each network is held against the first, case by case, by {how}; "
        "better or worse is said where chance makes such a difference in fewer than 5 of 100. Intervals are 95 %."
    )


def _sentence(row: dict, name: str, first: str, task: str) -> str:
    """The verdict on one network."""
    if row["verdict"] == "no difference":
        return f"{name} and {first} do not differ by more than chance ({_chance(row['p'])})."
    figure = "an error" if task == "classify" else "a squared error"
    gap = _value(abs(row["difference"]), task) + (" of the cases" if task == "classify" else "")
    way = f"{figure} {'higher' if row['verdict'] == 'worse' else 'lower'} by {escape(gap)}"
    return f"{name} is {_verdict(row)} than {first}: {way} ({_chance(row['p'])})."


def _verdict(row: dict) -> str:
    """Better, worse or neither, in its colour."""
    return f'<span class="{row["verdict"].replace(" ", "-")}">{row["verdict"]}</span>'


def _chance(p: float) -> str:
    """How often chance alone makes such a difference."""
    words = f"p = {p:g}" if p > 0 else "p &lt; 1e-300"
    return words.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")


def _figure(metric: str, along: str, lines: list[dict]) -> str:
    """One chart, with its words for those who do not see it."""
    ends = "; ".join(
        f"{i}, {shown(line['name'])}, ends at {line['values'][-1]:.4g}" if len(line["values"]) else f"{i}: no epoch"
        for i, line in enumerate(lines, 1)
    )
    return picture(one_panel(metric, along, lines), f"{metric} by {_NAMES[along]}: {ends}")


def _value(value: float | None, task: str) -> str:
    """A figure: shares of classifiers as percentages."""
    if value is None:
        return "–"
    return (f"{100 * value:.2f}{_PERCENT}" if task == "classify" else f"{value:.4g}").replace("-", "−")


def _results(rows: list[dict], names: list[str], task: str) -> str:
    """The table of compare."""
    figure = "error" if task == "classify" else "squared_error"
    heads = ["network", "epochs", figure.replace("_", " "), "difference", "p", "verdict"]
    cells = []
    for name, row in zip(names, rows, strict=True):
        numbers = [f"{row['epochs']:,}"]
        for key in (figure, "difference"):
            ends = [_value(end, task) for end in row[f"{key}_interval"] or ()]
            between = f" ({ends[0].removesuffix(_PERCENT)} to {ends[1]})" if ends else ""
            numbers.append(_value(row[key], task) + between)
        chance = "–" if row["p"] is None else _chance(row["p"])[2:].removeprefix("=").strip()
        cells.append([name, *map(escape, numbers), chance, _verdict(row)])
    return table(heads, cells)


def _settings(settings: dict[str, list], lines: list[dict], names: list[str]) -> str:
    """A row a setting that is not the same in all models, a column a model."""
    if not settings:
        return "<p>None: all were trained alike.</p>"
    heads = [f"{i} {shown(line['name'])}" for i, line in enumerate(lines, 1)]
    rows = [[escape(shown(name)), *(escape(shown(v)) for v in values)] for name, values in settings.items()]
    return table(["setting", *heads], rows, ["setting", *names])

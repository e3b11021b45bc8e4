"""A comparison as one page of HTML: pictures within, no scripts, nothing from the net, for paper-white and for dark.

All text from files is escaped; the page's own policy forbids what would be loaded or run all the same.
"""

import base64
from html import escape

from deepnet.figures import style
from deepnet.figures.comparison import along_all, colour, one_panel
from deepnet.files import shown

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_PERCENT = "\N{NO-BREAK SPACE}%"
_NAMES = {"epoch": "epoch", "updates": "update", "gradients": "gradients", "seconds": "time"}
# Pictures are made for white paper; in the dark their lightness is turned round and their hues stay.
_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2933;--muted:#5f6b76;--line:#dfe3e8;--good:#2e6b2a;--bad:#a8430a}
@media(prefers-color-scheme:dark){:root{--paper:#12161a;--ink:#e4e8ec;--muted:#9aa6b1;--line:#333c45;--good:#8ccb87;
--bad:#f0a06a}img,.n{filter:invert(1) hue-rotate(180deg)}img{mix-blend-mode:screen}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem 1rem 3rem;max-width:64rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .4rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.m{max-width:44rem;color:var(--muted)}
.f{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:0}img{display:block;width:100%;max-width:30rem;height:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--muted);font-size:.85rem}
tbody th{color:var(--ink);font-size:1rem;overflow-wrap:break-word}
.n{display:inline-block;min-width:1.5em;padding:0 .3em;margin-right:.5em;border-radius:.3em;color:#fff;
text-align:center;font-weight:700;font-size:.85em;text-shadow:0 0 3px #000,0 0 2px #000}
.better{color:var(--good);font-weight:600}.worse{color:var(--bad);font-weight:600}
@media(max-width:46rem){thead{display:none}table,tbody,tr,th,td{display:block;border:0}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}th,td{padding:.1rem 0}
td::before{content:attr(data-of) ": ";color:var(--muted)}}
"""


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
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    )
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"
    return page.encode()


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
    picture = base64.b64encode(style.encode(one_panel(metric, along, lines), "svg")).decode()
    ends = "; ".join(
        f"{i}, {shown(line['name'])}, ends at {line['values'][-1]:.4g}" if len(line["values"]) else f"{i}: no epoch"
        for i, line in enumerate(lines, 1)
    )
    words = f"{metric} by {_NAMES[along]}: {ends}"
    return f'<figure><img src="data:image/svg+xml;base64,{picture}" alt="{escape(words)}"></figure>'


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
    return _table(heads, cells)


def _settings(settings: dict[str, list], lines: list[dict], names: list[str]) -> str:
    """A row a setting that is not the same in all models, a column a model."""
    if not settings:
        return "<p>None: all were trained alike.</p>"
    heads = [f"{i} {shown(line['name'])}" for i, line in enumerate(lines, 1)]
    rows = [[escape(shown(name)), *(escape(shown(v)) for v in values)] for name, values in settings.items()]
    return _table(["setting", *heads], rows, ["setting", *names])


def _table(heads: list[str], rows: list[list[str]], marked: list[str] | None = None) -> str:
    """A table of cells in HTML under heads in text (or `marked`, in HTML); on a narrow screen they precede cells."""
    top = "".join(f'<th scope="col">{head}</th>' for head in marked or map(escape, heads))
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f'<td data-of="{escape(head)}">{cell}</td>' for head, cell in zip(heads[1:], rest, strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"

"""What few labels cost, with and without pre-training: the chart of errors, and the page with table and verdict."""

from html import escape

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from deepnet.figures import style
from deepnet.figures.comparison import colour
from deepnet.figures.html import document, flat, named, picture, table
from deepnet.files import shown

_SPREAD = 0.012  # by which methods are set beside each other, in decades, so that their intervals do not cover
_LEAST = 1e-4  # the smallest error on a logarithmic axis


def efficiency(rows: list[dict]) -> Figure:
    """Error in per cent against labels, a line a method, with 95 % intervals; both axes are logarithmic.

    `rows`: {"labels", "method", "error", "error_interval"}, errors as shares.
    """
    methods = list(dict.fromkeys(row["method"] for row in rows))
    with style.look():
        figure = style.page(4.6, 3.3)
        axes = figure.subplots()
        for i, method in enumerate(methods):
            own = [row for row in rows if row["method"] == method]
            x = np.array([row["labels"] for row in own]) * 10 ** (_SPREAD * (i - (len(methods) - 1) / 2))
            low, y, high = 100 * np.maximum(_LEAST, [_three(row) for row in own]).T
            axes.errorbar(x, y, [y - low, high - y], color=colour(i), marker="o", markersize=3.5, capsize=2.5,
                          label=style.plain(method, 30))  # fmt: skip
        axes.set(xscale="log", yscale="log", xlabel="labels", title="error, %")
        counts = sorted({row["labels"] for row in rows})
        axes.xaxis.set_major_locator(FixedLocator(counts))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        ends = 100 * np.maximum(_LEAST, [_three(row) for row in rows])
        style.decades(axes.yaxis, ends.min(), ends.max())
        axes.grid(axis="y", color=style.FAINT, linewidth=0.5)
        axes.legend(frameon=False, fontsize=7.5)
        return style.settle(figure)


def _three(row: dict) -> list[float]:
    """Low end, error, high end."""
    return [row["error_interval"][0], row["error"], row["error_interval"][1]]


def efficiency_page(facts: dict, plan: dict) -> bytes:
    """The page: verdict, chart, errors, differences, and the plan by which all was trained; all text is escaped."""
    rows, pairs = facts["errors"], facts["differences"]
    title = f"Does pre-training help on {shown(facts['data'])}?"
    words = "; ".join(f"{row['method']}, {row['labels']:,} labels: {_percent(row['error'])}" for row in rows)
    return document(
        title,
        [
            f"<h1>{escape(title)}</h1>",
            *([f"<p><b>{escape(facts['verdict'])}</b></p>"] if facts["verdict"] else []),
            *(f"<p>{escape(row['finding'])}</p>" for row in facts["findings"]),
            picture(efficiency(rows), f"error against labels: {words}"),
            f'<p class="m">{escape(_method(facts, plan))}</p>',
            f"<h2>Errors</h2>{table(['labels', 'method', 'draws', 'error'], [_error(row) for row in rows])}",
            f"<h2>Differences</h2>{_differences(pairs)}",
            f"<h2>How it was done</h2>{named(('setting', 'value'), flat(plan))}",
        ],
    )


def _method(facts: dict, plan: dict) -> str:
    """What was measured, and how."""
    taught = (
        "Self-trained: the net teaches one that begins as it did what to say of all training inputs, that one another "
        f"({plan.get('self_training')}), and the last is measured. "
    )
    return (
        f"Errors on {facts['cases']:,} cases ({facts['split']}) that no training saw. For every draw so many labels "
        "are chosen, as many from each class, and the same net is trained on them by every method; pre-training sees "
        "all training inputs and no label. Epochs are fixed beforehand: few labels leave none to stop early by. "
        f"{taught if 'self_training' in plan else ''}Intervals are 95 %, over draws (of a single draw over the cases). "
        "p over draws is of Student's paired test, p over cases of each case's mean difference (one draw: McNemar's "
        "test), neither corrected for their number; a difference is called one where both are below 0.05."
    )


def _percent(share: float) -> str:
    """A share as a percentage."""
    return f"{100 * share:.2f}\N{NO-BREAK SPACE}%".replace("-", "−")


def _between(interval: list[float]) -> str:
    """An interval of shares."""
    low, high = map(_percent, interval)
    return f"{low.split(chr(0xA0))[0]} to {high}"


def _error(row: dict) -> list[str]:
    """A row of the table of errors."""
    error = f"{_percent(row['error'])} ({_between(row['error_interval'])})"
    return [f"{row['labels']:,}", escape(row["method"]), str(row["draws"]), error]


def _differences(pairs: list[dict]) -> str:
    """The table of pairs."""
    if not pairs:
        return "<p>None: there is one method only.</p>"
    rows = [
        [
            f"{pair['labels']:,}",
            escape(f"{pair['method']} against {pair['against']}"),
            f"{_percent(pair['difference'])} ({_between(pair['difference_interval'])})",
            "–" if pair["p_draws"] is None else f"{pair['p_draws']:g}",
            f"{pair['p_cases']:g}",
            f'<span class="{pair["verdict"].replace(" ", "-")}">{pair["verdict"]}</span>',
        ]
        for pair in pairs
    ]
    return table(["labels", "methods", "difference", "p over draws", "p over cases", "verdict"], rows)

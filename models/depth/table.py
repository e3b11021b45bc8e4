"""The experiment's data, its table in card.md and its chart.

python table.py --data FILE.npz      12,000 cases of MNIST
python table.py --rate UNIT DEPTH    the learning rate of each layer's machine
python table.py RUNS                 table and chart of the results in a folder
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import record

TITLES = {
    "title": "Depth: one to ten hidden layers, which of them learn (Glorot and Bengio 2010)",
    "published": "sigmoid nets of five layers learn slowly or not at all from random weights",
}
LEARNT = 0.2  # error below which a net has learnt
DEPTHS = (1, 2, 3, 4, 5, 6, 8, 10)
UNITS = ("logistic", "tanh", "relu")
STARTS = ("gaussian", "glorot", "sparse", "pre-trained")
RATES = ("0.1", "0.01")
WORDS = {"gaussian": "N(0, 0.01²)", "glorot": "Glorot", "sparse": "sparse", "pre-trained": "pre-trained"}


def slice_of_mnist(path):
    """Write the first 12,000 training cases."""
    from deepnet.data import load

    train = load("mnist").splits["train"]
    rows = np.arange(12_000)
    np.savez(path, x_train=np.asarray(train.inputs[rows]).reshape(-1, 28, 28), y_train=train.targets[rows])


def rates(unit, depth):
    """0.1 for logistic units, 0.001 for rectifiers."""
    return ",".join([{"logistic": "0.1", "relu": "0.001"}[unit]] * depth)


def best(runs, unit, start, depth):
    """The lowest held-out error of both rates, or None where nothing learnt a finite one."""
    errors = []
    for rate in RATES:
        path = runs / f"{unit}-{start}-{depth}-{rate}.json"
        if path.exists() and (text := path.read_text().strip()):
            errors.append(json.loads(text)["validation_error"])
    return min(errors, default=None)


def table(runs):
    """A row a unit and start, a column a depth."""
    rows = ["| units | start | " + " | ".join(map(str, DEPTHS)) + " |", "|" + "---|" * (2 + len(DEPTHS))]
    for unit in UNITS:
        for start in STARTS:
            found = [best(runs, unit, start, depth) for depth in DEPTHS]
            if any(e is not None for e in found):
                cells = ("-" if e is None else f"{100 * e:.1f}" for e in found)
                rows.append(f"| {unit} | {WORDS[start]} | {' | '.join(cells)} |")
    return "\n".join(rows)


def summary(runs):
    """For each unit and start the deepest net that learnt."""
    words = []
    for unit in UNITS:
        deepest = {
            start: max((d for d in DEPTHS if (e := best(runs, unit, start, d)) is not None and e < LEARNT), default=0)
            for start in STARTS
            if best(runs, unit, start, DEPTHS[0]) is not None
        }
        words.append(f"{unit}: " + ", ".join(f"{WORDS[start]} {depth}" for start, depth in deepest.items()))
    return "hidden layers that still learn, " + "; ".join(words)


def chart(runs, path):
    """Held-out error by depth, a panel a unit."""
    from deepnet.figures import style

    with style.look():
        figure = style.page(7.2, 2.7)
        for axes, unit in zip(figure.subplots(1, len(UNITS), sharey=True), UNITS, strict=True):
            for k, start in enumerate(STARTS):
                found = [(d, e) for d in DEPTHS if (e := best(runs, unit, start, d)) is not None]
                if found:
                    x, y = zip(*found, strict=True)
                    look = {"marker": "o", "markersize": 3, "color": style.CLASS_COLOURS[k], "label": WORDS[start]}
                    axes.plot(x, 100 * np.array(y), **look)
            axes.set_title(unit)
            axes.set_xlabel("hidden layers")
            axes.set_yscale("log")
            axes.set_yticks([2, 5, 10, 20, 50, 90], ["2", "5", "10", "20", "50", "90"])
            axes.grid(axis="y", color=style.FAINT, linewidth=0.5)
        figure.axes[0].set_ylabel("held-out error, %")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(STARTS), frameon=False, fontsize=7.5)
        style.settle(figure).savefig(path)


def main():
    """As the page says."""
    match sys.argv[1:]:
        case ["--data", path]:
            slice_of_mnist(path)
        case ["--rate", unit, depth]:
            print(rates(unit, int(depth)))
        case [runs]:
            record.rewrite(Path("card.md"), table(Path(runs)))
            chart(Path(runs), "depth.png")
            (Path("results.json")).write_text(json.dumps(TITLES | {"summary": summary(Path(runs))}, indent=1) + "\n")
            record.rewrite(Path("../../README.md"), record.summary())


if __name__ == "__main__":
    main()

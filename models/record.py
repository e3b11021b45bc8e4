"""Record a run's figure in its model's results.json, and write the tables of its card.md and of README anew.

    python models/record.py FOLDER --seed 0 --name pre-trained --result net.json --log stack.log --log net.log
    (--train TRAIN.json adds the training cases' figure, --codes CODES.json how well neighbours of a map agree)
    python models/record.py FOLDER --seed 0 --has          exit 0 where results of that seed are complete
    python models/record.py FOLDER --tables                write the tables anew
    python models/record.py FOLDER --quick OUTPUT          put what `deepnet evaluate` printed into README

Tables stand between `<!-- results -->` and `<!-- end of results -->`, README's example between `quick` marks.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path


def machine():
    """Processor and number of cores, as a card states them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def facts_of(logs):
    """Seconds in epochs, threads, and the last log's epochs and updates, of the runs that wrote these JSON lines."""
    seconds, threads, now, epochs, updates = 0.0, None, None, 0, None
    for log in logs:
        epochs = 0
        for line in Path(log).read_text().splitlines():
            record = json.loads(line)
            if record.get("event") == "run_start":
                now = record["plan"].get("threads")
            elif record.get("event") == "epoch":
                seconds, threads, epochs = seconds + record["seconds"], now, record["epoch"]
                updates = record.get("counters", {}).get("updates")
    return seconds, threads, epochs, updates


# What is kept of `deepnet evaluate --json`: of a classifier, of an autoencoder.
KEPT = (
    ("error", "error_interval", "wrong", "cross_entropy"),
    ("squared_error", "squared_error_interval", "pca_squared_error"),
)
# Whether figures are of the test cases, or, where an experiment is about optimization, of the training cases.
# "wrong" tells errors of test cases by their number.
FIGURES = {"test": "squared_error", "training": "training_squared_error"}


def places(value):
    """A squared error as text: two places, three where it is small."""
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def shown(run, figure="test"):
    """A run's figure, marked where the run was cut."""
    if figure == "wrong":
        value = f"{run['wrong']:,}"
    else:
        value = f"{100 * run['error']:.2f} %" if "error" in run else places(run[FIGURES[figure]])
    return value + (" (short)" if run.get("short") else "")


def cells(run, figure):
    """A run's figure, the 95 % interval of the test's, and what goes with it."""
    if "error" in run:
        low, high = (f"{100 * v:.2f}" for v in run["error_interval"])
        beside = [f"{100 * run['error']:.2f} %" if figure == "wrong" else f"{run['wrong']} wrong"]
        beside += [f"as the teacher {100 * run['agreement']:.2f} %"] if run.get("agreement", 1) < 1 else []
        return shown(run, figure), f"{low} to {high} %", ", ".join(beside)
    low, high = map(places, run["squared_error_interval"])
    other = "training" if figure == "test" else "test"
    beside = [f"{other} {places(run[FIGURES[other]])}"] if FIGURES[other] in run else []
    beside += [f"PCA {run['pca_squared_error']:.2f}"]
    if "logistic_pca_squared_error" in run:
        beside += [f"logistic PCA {run['logistic_pca_squared_error']:.2f}"]
    if "neighbour_error" in run:
        ours, pca = (f"{100 * run[name]:.1f} %" for name in ("neighbour_error", "pca_neighbour_error"))
        beside += [f"nearest neighbour wrong {ours}, PCA {pca}"]
    return shown(run, figure), f"{low} to {high}", ", ".join(beside)


def count(number):
    """A whole number as text."""
    return f"{int(number):,}" if number else "-"


def table(results):
    """The rows of a card."""
    figure = results.get("figure", "test")
    head = [
        f"| start | seed | {figure} | 95 % interval in test | | epochs | updates | minutes | threads | machine |",
        "|" + "---|" * 10,
    ]
    runs = sorted(results["runs"], key=lambda r: (results["names"].index(r["name"]), r["seed"]))
    rows = [
        f"| {r['name']} | {r['seed']} | {' | '.join(cells(r, figure))} | {r.get('epochs') or '-'} "
        f"| {count(r.get('updates'))} | {r['minutes']:.1f} | {r['threads']} | {r['machine']} |"
        for r in runs
    ]
    return "\n".join(head + rows)


def summary():
    """The rows of README's table of models."""
    rows = ["| model | published | ours, by seed |", "|---|---|---|"]
    for path in sorted(Path(__file__).resolve().parent.glob("*/results.json")):
        results = json.loads(path.read_text())
        ours = [results["summary"]] if results.get("summary") else []
        for name in results.get("names", ()):
            figure = results.get("figure", "test")
            errors = [shown(r, figure) for r in sorted(results["runs"], key=lambda r: r["seed"]) if r["name"] == name]
            ours += [f"{name} {', '.join(errors)}"] if errors else []
        folder = path.parent.name
        if any(ours):
            title = f"[{results['title']}](models/{folder}/card.md)"
            rows.append(f"| {title} | {results['published']} | {'; '.join(ours)} |")
    return "\n".join(rows)


def rewrite(page, rows, mark="results"):
    """Put the rows between the marks of a page."""
    before, rest = page.read_text().split(f"<!-- {mark} -->")
    after = rest.split(f"<!-- end of {mark} -->")[1]
    page.write_text(f"{before}<!-- {mark} -->\n{rows}\n<!-- end of {mark} -->{after}")


def main():
    """Record or ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--result", type=Path, help="what `deepnet evaluate --json` printed for the test cases")
    parser.add_argument("--train", type=Path, help="and for the training cases")
    parser.add_argument("--codes", type=Path, help="what `deepnet visualize --kind codes --json` printed")
    parser.add_argument("--log", action="append", default=[])
    parser.add_argument("--has", action="store_true")
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--short", action="store_true", help="the run was cut; --has does not count it")
    asked = parser.parse_args()
    readme = Path(__file__).resolve().parents[1] / "README.md"
    if asked.quick is not None:
        rewrite(readme, f"```\n{asked.quick.read_text().rstrip()}\n```", "quick")
        return
    path = asked.folder / "results.json"
    results = json.loads(path.read_text())
    if asked.has:
        if "summary" in results:
            sys.exit(0)
        have = {r["name"] for r in results["runs"] if r["seed"] == asked.seed and not r.get("short")}
        sys.exit(0 if have >= set(results["names"]) else 1)
    if asked.tables:
        rewrite(asked.folder / "card.md", table(results))
        rewrite(readme, summary())
        return
    measured = json.loads(asked.result.read_text())
    seconds, threads, epochs, updates = facts_of(asked.log)
    run = {
        "name": asked.name,
        "seed": asked.seed,
        "epochs": epochs,
        "updates": updates,
        "minutes": round(seconds / 60, 1),
        "threads": threads,
        "machine": machine(),
    }
    run |= {key: measured[key] for key in next(keys for keys in KEPT if keys[0] in measured) if key in measured}
    run |= {key: measured[key] for key in ("logistic_pca_squared_error", "agreement") if key in measured}
    if asked.train is not None:
        run["training_squared_error"] = json.loads(asked.train.read_text())["squared_error"]
    if asked.codes is not None:
        codes = json.loads(asked.codes.read_text())
        run |= {"neighbour_error": codes["code_neighbour_error"], "pca_neighbour_error": codes["pca_neighbour_error"]}
    if asked.short:
        run["short"] = True
    kept = [r for r in results["runs"] if (r["name"], r["seed"]) != (run["name"], run["seed"])]
    results["runs"] = sorted([*kept, run], key=lambda r: (r["seed"], r["name"]))
    path.write_text(json.dumps(results, indent=1) + "\n")
    rewrite(asked.folder / "card.md", table(results))
    rewrite(readme, summary())


if __name__ == "__main__":
    main()

"""Record a run's figure in its model's results.json, and write the tables of its card.md and of README anew.

    python models/record.py FOLDER --seed 0 --name pre-trained --result net.json --log stack.log --log net.log
    python models/record.py FOLDER --seed 0 --has          exit 0 where results of that seed are complete
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
    """Seconds in epochs, threads, and the last log's number of epochs, of the runs that wrote these JSON lines."""
    seconds, threads, now, epochs = 0.0, None, None, 0
    for log in logs:
        epochs = 0
        for line in Path(log).read_text().splitlines():
            record = json.loads(line)
            if record.get("event") == "run_start":
                now = record["plan"].get("threads")
            elif record.get("event") == "epoch":
                seconds, threads, epochs = seconds + record["seconds"], now, epochs + 1
    return seconds, threads, epochs


# What is kept of `deepnet evaluate --json`: of a classifier, of an autoencoder.
KEPT = (
    ("error", "error_interval", "wrong", "cross_entropy"),
    ("squared_error", "squared_error_interval", "pca_squared_error"),
)


def shown(run):
    """A run's figure, marked where the run was cut."""
    value = f"{100 * run['error']:.2f} %" if "error" in run else f"{run['squared_error']:.2f}"
    return value + (" (short)" if run.get("short") else "")


def cells(run):
    """A run's figure, what goes with it, and its 95 % interval."""
    if "error" in run:
        low, high = (f"{100 * v:.2f}" for v in run["error_interval"])
        return shown(run), f"{run['wrong']} wrong", f"{low} to {high} %"
    low, high = (f"{v:.2f}" for v in run["squared_error_interval"])
    return shown(run), f"PCA {run['pca_squared_error']:.2f}", f"{low} to {high}"


def table(results):
    """The rows of a card."""
    head = ["| start | seed | test | | 95 % interval | epochs | minutes | threads | machine |", "|" + "---|" * 9]
    runs = sorted(results["runs"], key=lambda r: (results["names"].index(r["name"]), r["seed"]))
    rows = [
        f"| {r['name']} | {r['seed']} | {' | '.join(cells(r))} | {r.get('epochs', '-')} "
        f"| {r['minutes']:.1f} | {r['threads']} | {r['machine']} |"
        for r in runs
    ]
    return "\n".join(head + rows)


def summary():
    """The rows of README's table of models."""
    rows = ["| model | published | ours, by seed |", "|---|---|---|"]
    for path in sorted(Path(__file__).resolve().parent.glob("*/results.json")):
        results = json.loads(path.read_text())
        ours = []
        for name in results["names"]:
            errors = [shown(r) for r in sorted(results["runs"], key=lambda r: r["seed"]) if r["name"] == name]
            ours += [f"{name} {', '.join(errors)}"] if errors else []
        folder = path.parent.name
        rows.append(f"| [{results['title']}](models/{folder}/card.md) | {results['published']} | {'; '.join(ours)} |")
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
    parser.add_argument("--result", type=Path)
    parser.add_argument("--log", action="append", default=[])
    parser.add_argument("--has", action="store_true")
    parser.add_argument("--short", action="store_true", help="the run was cut; --has does not count it")
    asked = parser.parse_args()
    readme = Path(__file__).resolve().parents[1] / "README.md"
    if asked.quick is not None:
        rewrite(readme, f"```\n{asked.quick.read_text().rstrip()}\n```", "quick")
        return
    path = asked.folder / "results.json"
    results = json.loads(path.read_text())
    if asked.has:
        have = {r["name"] for r in results["runs"] if r["seed"] == asked.seed and not r.get("short")}
        sys.exit(0 if have >= set(results["names"]) else 1)
    measured = json.loads(asked.result.read_text())
    seconds, threads, epochs = facts_of(asked.log)
    run = {
        "name": asked.name,
        "seed": asked.seed,
        "epochs": epochs,
        "minutes": round(seconds / 60, 1),
        "threads": threads,
        "machine": machine(),
    }
    run |= {key: measured[key] for key in next(keys for keys in KEPT if keys[0] in measured)}
    if asked.short:
        run["short"] = True
    kept = [r for r in results["runs"] if (r["name"], r["seed"]) != (run["name"], run["seed"])]
    results["runs"] = sorted([*kept, run], key=lambda r: (r["seed"], r["name"]))
    path.write_text(json.dumps(results, indent=1) + "\n")
    rewrite(asked.folder / "card.md", table(results))
    rewrite(readme, summary())


if __name__ == "__main__":
    main()

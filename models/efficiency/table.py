"""The experiment's table in card.md, its chart and its line in README.

python table.py RESULT.json [--log FILE]    what `deepnet efficiency --json` printed, and the log of its run
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import record

FOLDER = Path(__file__).resolve().parent


def percent(share):
    """A share as a percentage."""
    return f"{100 * share:.2f}"


def table(found):
    """A row a number of labels and method, then a row a pair."""
    rows = ["| labels | method | draws | error, % | 95 % interval |", "|---|---|---|---|---|"]
    for row in found["errors"]:
        low, high = map(percent, row["error_interval"])
        cells = (f"{row['labels']:,}", row["method"], row["draws"], percent(row["error"]), f"{low} to {high}")
        rows.append(f"| {' | '.join(map(str, cells))} |")
    rows += ["", "| labels | methods | difference, % | p over draws | p over cases | verdict |", "|" + "---|" * 6]
    for pair in found["differences"]:
        chance = "-" if pair["p_draws"] is None else f"{pair['p_draws']:g}"
        names = f"{pair['method']} against {pair['against']}"
        cells = (
            f"{pair['labels']:,}",
            names,
            percent(pair["difference"]),
            chance,
            f"{pair['p_cases']:g}",
            pair["verdict"],
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, "", *(f"* {row['finding']}" for row in found["findings"])])


def summary(found):
    """The mean errors by number of labels."""
    words = {}
    for row in found["errors"]:
        name = row["method"].replace(",", "")
        words.setdefault(row["labels"], []).append(f"{name} {percent(row['error'])}")
    return "; ".join(f"{count:,} labels: {', '.join(errors)} %" for count, errors in words.items())


def write(result, log, folder=FOLDER, readme=None):
    """Card, chart, results and README."""
    from deepnet import figures

    found = json.loads(Path(result).read_text())
    rows = table(found)
    if log is not None:
        seconds, threads, _, _ = record.facts_of([log])
        rows += f"\n\n{seconds / 60:.0f} minutes on {threads} thread(s) of {record.machine()}."
    record.rewrite(folder / "card.md", rows)
    (folder / "chart.png").write_bytes(figures.encode(figures.efficiency(found["errors"]), "png"))
    path = folder / "results.json"
    results = json.loads(path.read_text()) | {"summary": summary(found)}
    path.write_text(json.dumps(results, indent=1) + "\n")
    if readme is not None:
        record.rewrite(readme, record.summary())


def main():
    """As the page says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("--log", type=Path)
    asked = parser.parse_args()
    write(asked.result, asked.log, readme=FOLDER.parents[1] / "README.md")


if __name__ == "__main__":
    main()

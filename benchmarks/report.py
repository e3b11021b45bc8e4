"""Rewrites the tables of README.md and benchmarks/README.md, between their markers, from results/*/*.json."""

import json
from pathlib import Path

HERE = Path(__file__).parent
BEGIN, END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"
SHORT = ("contrastive", "backprop")  # the results that README shows
PEERS = ("deepnet", "torch bfloat16", "torch", "torch.compile", "jax", "jax scan", "numpy", "scikit-learn")


def table(result):
    """The Markdown table of one page's figures: our time, each peer's over ours, our share of the ceiling, bounds."""
    rows = result["rows"]
    if "unit" in rows[0]:
        return f"| {result['title']} | |\n|---|---|\n" + "".join(
            f"| {row['job']} | {row['value']:.3g} {row['unit']} |\n" for row in rows
        )
    peers = [name for name in PEERS if any(name in row["ratios"] for row in rows)]
    shared = any("of_ceiling" in row for row in rows)
    bounded = any("alone" in row for row in rows)
    last = (["of ceiling"] if shared else []) + (["products alone", "at most"] if bounded else [])
    head = [result["title"], "ours, ms", *peers, *last]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        ratios = [f"{row['ratios'][name]:.2f}" if name in row["ratios"] else "-" for name in peers]
        share = [f"{100 * row['of_ceiling']:.0f} %" if "of_ceiling" in row else "-"] if shared else []
        bound = [f"{row[name]:.2f}" if name in row else "-" for name in ("alone", "at_most")] if bounded else []
        lines.append([row["job"], f"{row['ms']:.3g}", *ratios, *share, *bound])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def text(results):
    """All tables of one machine, and which it was."""
    machines = sorted({result["machine"] for result in results})
    said = f"Measured on {'; '.join(machines)}. Peers: how many times our time they take, so above 1 we are faster.\n"
    return said + "".join("\n" + table(result) for result in results)


def rewrite(page, machines):
    """The page with the text between its markers replaced, machine after machine."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + "\n" + "\n".join(map(text, machines)) + END + rest.split(END)[1]


def main():
    """Rewrite both pages."""
    found = [
        {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
        for folder in sorted((HERE / "results").iterdir(), reverse=True)
    ]
    for page, names in ((HERE.parent / "README.md", SHORT), (HERE / "README.md", None)):
        machines = [[results[name] for name in names or results if name in results] for results in found]
        page.write_text(rewrite(page.read_text(), machines))


if __name__ == "__main__":
    main()

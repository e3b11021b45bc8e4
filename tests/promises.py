"""Writes the two tables of tests/README.md: what is promised and what was measured, and which test guards which bug.

From three sources: promises.toml has the sentences; tests marked `@pytest.mark.promise(NAME)` are found by reading the
source of the tests; figures.json, written by `pytest -m promise --figures tests/figures.json`, has what they measured.

    python tests/promises.py            # write the tables
    python tests/promises.py --check    # exit 1 with a line for each thing that does not fit
"""

import ast
import json
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
README = HERE / "README.md"
MOST_FIGURES = 8  # of one test; more than these are counted


def names(text, listed):
    """The promises of a mark, `R1, R2`; one may say more behind its name, `H2 npz`."""
    words = (word.strip() for word in text.split(","))
    return {word if word in listed else word.split()[0] for word in words}


def marks(node, listed):
    """Names of the promises among the decorators of a test, or in the marks of a parameter of theirs."""
    calls = [n for decorator in node.decorator_list for n in ast.walk(decorator) if isinstance(n, ast.Call)]
    given = [call.args[0] for call in calls if getattr(call.func, "attr", "") == "promise"]
    texts = (n.value if isinstance(n, ast.Constant) else n.values[0].value for n in given)  # of an f-string, its start
    return {name for text in texts for name in names(text, listed)}


def tests(listed):
    """{test: (names of its promises, whether it is slow)} of every test function, as in `data/test_idx.py::test_x`."""
    found = {}
    for path in sorted(HERE.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                slow = any("slow" in ast.unparse(d) for d in node.decorator_list)
                found[f"{path.relative_to(HERE).as_posix()}::{node.name}"] = marks(node, listed), slow
    return found


def figures(listed):
    """{(promise, test): rows of figures.json}, parameters left out of the test's name."""
    file, found = HERE / "figures.json", {}
    for row in json.loads(file.read_text()) if file.exists() else []:
        test = row["test"].partition("[")[0].removeprefix("tests/")
        for name in names(row["promise"], listed):
            found.setdefault((name, test), []).append(row)
    return found


def measured(rows):
    """(figure, form): each different one."""
    texts = [row["figure"] + (f", the worst of {row['of']}" if row.get("of", 1) > 1 else "") for row in rows]
    different = list(dict.fromkeys(texts))
    more = f"; and {len(different) - MOST_FIGURES} more" if len(different) > MOST_FIGURES else ""
    return "; ".join(different[:MOST_FIGURES]) + more, " ".join(sorted({row["form"] for row in rows}))


def link(test):
    """A test as a link to its page."""
    page, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}]({page})"


def table(head, rows):
    """Lines of a table."""
    lines = [" | ".join(cells) for cells in (head, ["---"] * len(head), *rows)]
    return [f"| {line} |" for line in lines]


def tables(listed, known, noted):
    """The lines of both tables."""
    rows = []
    for name, sentence in listed["promises"].items():
        holders = [test for test, (held, _) in known.items() if name in held]
        for n, test in enumerate(holders):
            figure, form = measured(noted.get((name, test), []))
            rows.append([*(("", "") if n else (name, sentence)), link(test) + " (slow)" * known[test][1], figure, form])
        if not holders:
            rows.append([name, sentence, "no test yet", "", ""])
    bugs = [[bug["found"], link(bug["test"])] for bug in listed["bugs"]]
    return [
        *table(["promise", "in a sentence", "held by", "latest figure", "form"], rows),
        "",
        "## Bugs found, and the test that guards each now",
        "",
        *table(["what was wrong", "guarded by"], bugs),
    ]


def faults(listed, known, noted):
    """A line for everything that does not fit."""
    marked = {name for held, _ in known.values() for name in held}
    out = [f"no test is marked as holding {name}" for name in listed["promises"] if name not in marked]
    out += [f"{test} holds {name}, which promises.toml does not list" for test, (held, _) in known.items()
            for name in sorted(held - set(listed["promises"]))]  # fmt: skip
    out += [f"there is no test {bug['test']}" for bug in listed["bugs"] if bug["test"] not in known]
    out += [f"figures.json tells of {test} for {name}, which is marked so no more" for name, test in noted
            if name not in known.get(test, ((), False))[0]]  # fmt: skip
    return out


def page(listed, known, noted):
    """tests/README.md with its tables as they should be."""
    start, mark, _ = README.read_text().partition("<!-- tables: promises.py -->\n")
    return start + mark + "\n" + "\n".join(tables(listed, known, noted)) + "\n"


def sources():
    """Promises and bugs, tests, figures."""
    listed = tomllib.loads((HERE / "promises.toml").read_text())
    return listed, tests(listed["promises"]), figures(listed["promises"])


def main(words):
    """Write the tables, or check them."""
    now = sources()
    if words == ["--check"]:
        wrong = faults(*now)
        stale = [] if page(*now) == README.read_text() else ["tests/README.md: run `python tests/promises.py`"]
        sys.exit("\n".join(wrong + stale) or None)
    README.write_text(page(*now))


if __name__ == "__main__":
    main(sys.argv[1:])

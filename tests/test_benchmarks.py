"""The harness of the benchmarks, on contestants that do nothing, and the report."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
PAGE = f"""
import os, sys, time
sys.path.insert(0, {str(FOLDER)!r})
import contest

def missing(job):
    raise ImportError

contest.main(
    __file__,
    "Naps",
    {{
        "deepnet": lambda job: lambda: time.sleep(job),
        "slow": lambda job: lambda: time.sleep(2 * job),
        "dying": lambda job: lambda: os._exit(1),
        "missing": missing,
    }},
    {{"short": 0.01, "long": 0.02}},
)
"""


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_contestants_that_die_or_are_not_there_are_dashes(tmp_path):
    (tmp_path / "page.py").write_text(PAGE)
    command = [sys.executable, str(tmp_path / "page.py"), "--rounds", "3", "--jobs", "short", "--json", "out/naps.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    cells = next(line for line in done.stdout.splitlines() if line.startswith("| short")).strip("| ").split(" | ")
    assert cells[-3:-1] == ["-", "-"]
    assert 1 < float(cells[-1]) < 4
    assert "dying died in short" in done.stderr
    row = json.loads((tmp_path / "out/naps.json").read_text())["rows"][0]
    assert list(row["ratios"]) == ["slow"]


@pytest.mark.parametrize(
    "page", ["products", "contrastive", "backprop", "dropout", "bfloat16", "curvature", "growth", "process", "watching"]
)
def test_every_page_tells_its_options(page):
    done = subprocess.run([sys.executable, FOLDER / f"{page}.py", "-h"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout


def test_the_report_changes_only_what_lies_between_its_markers():
    report = load("report")
    rows = [{"job": "a", "ms": 1.5, "noise": 2, "ratios": {"torch": 2.0}, "best": 2.0, "of_ceiling": 0.9}]
    results = [
        {"title": "Steps", "machine": "M, 2 cores, 2 threads", "rows": rows},
        {"title": "Whole", "machine": "M, 2 cores, 2 threads", "rows": [{"job": "b", "value": 3.0, "unit": "s"}]},
    ]
    other = [{"title": "Steps", "machine": "N, 4 cores, 4 threads", "rows": rows}]
    page = report.rewrite(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", [results, other])
    assert page.startswith(f"before\n{report.BEGIN}\nMeasured on M, 2 cores, 2 threads.")
    assert page.endswith(f"{report.END}\nafter\n")
    assert "| a | 1.5 | 2.00 | 90 % |" in page
    assert "| b | 3 s |\n\nMeasured on N, 4 cores, 4 threads." in page
    assert "old" not in page


def test_the_exponent_of_a_power_is_found():
    sys.path.insert(0, str(FOLDER))
    try:
        assert load("growth").slope([(1, 2), (10, 200), (100, 20000)]) == pytest.approx(2)
    finally:
        sys.path.remove(str(FOLDER))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux moves a thread to a core")
def test_who_computes_too_little_is_measured_again(monkeypatch):
    contest, spread = load("contest"), []
    monkeypatch.setattr(contest, "threads", lambda: 1)
    cores, plain = os.sched_getaffinity(0), contest._spread
    monkeypatch.setattr(contest, "_spread", lambda: spread.append(plain()))
    assert contest._timed(lambda: time.sleep(0.002), 5) >= 0.002
    assert len(spread) == contest.TRIES
    assert os.sched_getaffinity(0) == cores
    spread.clear()
    monkeypatch.setattr(contest, "BUSY", 0)
    contest._timed(lambda: sum(range(1000)), 5)
    assert not spread

"""The recipes in models/: pipelines a shell can read, settings that commands take, cards as they are written."""

import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.__main__ import main
from deepnet.cli.config import METHODS
from deepnet.nn.layers import Dense
from deepnet.nn.network import Network

FOLDER = Path(__file__).parents[1] / "models"
SETTINGS = sorted(FOLDER.glob("*/*.toml"))
RESULTS = sorted(FOLDER.glob("*/results.json"))


@pytest.fixture(scope="module")
def record():
    spec = importlib.util.spec_from_file_location("record", FOLDER / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_recipes():
    assert len(SETTINGS) >= 10
    assert len(RESULTS) >= 6


@pytest.mark.parametrize("page", sorted(FOLDER.glob("**/*.sh")), ids=lambda page: page.parent.name)
def test_pipelines_can_be_read(page):
    assert "set -eu" in page.read_text()
    assert subprocess.run(["sh", "-n", str(page)], check=False).returncode == 0


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A classifier of digits that knows nothing."""
    path = str(tmp_path_factory.mktemp("teacher") / "teacher.h5")
    arrays = [{"W": np.zeros((784, 10), np.float32), "b": np.zeros(10, np.float32)}]
    one = np.ones(784, np.float32)
    preparation = checkpoint.Preparation("none", 0 * one, one, (28, 28), tuple("0123456789"))
    network = Network((Dense(784, 10, "softmax"),), "cross_entropy")
    checkpoint.save(path, checkpoint.Checkpoint(network, arrays, preparation, {}))
    return path


@pytest.mark.parametrize("page", SETTINGS, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_settings_are_taken(page, teacher, capsys):
    """Each table resolves to a plan; what a stack or teacher would give is given by hand, and any CPU will do."""
    data = {"curves": "curves", "variations": "mnist-basic"}.get(page.parent.name, "mnist")
    tables = tomllib.loads(page.read_text())
    for command, options in tables.items():
        if command in METHODS:
            continue  # part of [efficiency], which resolves it
        words = [command, data, "-c", str(page), "-n", "--json", "--precision", "float32"]
        dropout = options.get("dropout")
        hidden = len(dropout) - 1 if isinstance(dropout, list) else 1
        layers = "500,500,2000" if "efficiency" in tables else ",".join(["30"] * hidden)
        words += [] if "layers" in options else ["--layers", layers]
        words += ["--teacher", teacher] if options.get("task") == "mimic" else []
        assert main(words) == 0, capsys.readouterr().err
        assert json.loads(capsys.readouterr().out)["plan"]["parameters"] > 0


@pytest.mark.parametrize("page", RESULTS, ids=lambda page: page.parent.name)
def test_cards_hold_their_results(page, record):
    results, card = json.loads(page.read_text()), page.with_name("card.md").read_text()
    if "summary" not in results:
        assert record.table(results) in card or not results["runs"]
        assert {run["name"] for run in results["runs"]} <= set(results["names"])
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", card):
        assert page.with_name(picture).exists() or not (results.get("runs") or results.get("summary"))


def test_the_table_in_the_readme(record):
    assert record.summary() in (FOLDER.parent / "README.md").read_text()


def test_a_result_is_recorded(record, tmp_path):
    """A figure, its training figure and its log become a row; recorded again, it takes its own place."""
    results = {"title": "t", "published": "p", "figure": "training", "names": ["a"], "runs": []}
    log = [
        {"event": "run_start", "plan": {"threads": 2}},
        {"event": "epoch", "epoch": 1, "seconds": 30.0, "counters": {"updates": 300}},
        {"event": "run_start", "plan": {"threads": 1}},
        {"event": "epoch", "epoch": 2, "seconds": 90.0, "counters": {"updates": 600}},
    ]
    path = tmp_path / "net.log"
    path.write_text("".join(json.dumps(line) + "\n" for line in log))
    assert record.facts_of([path]) == (120.0, 1, 2, 600)
    run = {"name": "a", "seed": 0, "epochs": 2, "updates": 600, "minutes": 2.0, "threads": 1, "machine": "m",
           "squared_error": 3.0, "squared_error_interval": [2.9, 3.1], "pca_squared_error": 13.9,
           "training_squared_error": 1.234}  # fmt: skip
    row = record.table(results | {"runs": [run]}).splitlines()[-1]
    assert row == "| a | 0 | 1.23 | 2.90 to 3.10 | test 3.00, PCA 13.90 | 2 | 600 | 2.0 | 1 | m |"


def test_errors_may_be_told_by_their_number(record):
    """A student's row, and a teacher's, which is as itself."""
    run = {"name": "a", "seed": 0, "epochs": 2, "minutes": 2.0, "threads": 1, "machine": "m", "error": 0.0074,
           "error_interval": [0.0059, 0.0093], "wrong": 74, "agreement": 0.9912}  # fmt: skip
    results = {"figure": "wrong", "names": ["a"], "runs": [run]}
    head, _, row = record.table(results).splitlines()
    assert head.startswith("| start | seed | wrong |")
    assert row == "| a | 0 | 74 | 0.59 to 0.93 % | 0.74 %, as the teacher 99.12 % | 2 | - | 2.0 | 1 | m |"
    assert "teacher" not in record.table(results | {"runs": [run | {"agreement": 1.0}]})
    assert record.cells(run, "test") == ("0.74 %", "0.59 to 0.93 %", "74 wrong, as the teacher 99.12 %")


def test_the_card_of_efficiency(tmp_path):
    """What the command prints becomes table, chart and summary."""
    spec = importlib.util.spec_from_file_location("efficiency_table", FOLDER / "efficiency/table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("card.md", "results.json"):
        (tmp_path / name).write_bytes((FOLDER / "efficiency" / name).read_bytes())
    found = {
        "errors": [
            {"labels": 100, "method": m, "draws": 5, "error": e, "error_interval": [e - 0.01, e + 0.01]}
            for m, e in (("none", 0.25), ("rbm", 0.125))
        ],
        "differences": [
            {"labels": 100, "method": "rbm", "against": "none", "difference": -0.125, "p_draws": 0.01, "p_cases": 1e-9,
             "verdict": "better"}
        ],
        "findings": [{"finding": "It helps."}],
    }  # fmt: skip
    (tmp_path / "found.json").write_text(json.dumps(found))
    module.write(tmp_path / "found.json", None, tmp_path)
    card = (tmp_path / "card.md").read_text()
    assert "| 100 | rbm | 5 | 12.50 | 11.50 to 13.50 |" in card
    assert "| 100 | rbm against none | -12.50 | 0.01 | 1e-09 | better |" in card
    assert "* It helps." in card
    assert json.loads((tmp_path / "results.json").read_text())["summary"] == "100 labels: none 25.00, rbm 12.50 %"
    assert (tmp_path / "chart.png").stat().st_size > 5000

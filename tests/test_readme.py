"""README's examples in Python and for other tools, run as they stand there."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepnet.__main__ import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def examples(title, language):
    """The blocks of code of a section."""
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.S)


def run(code):
    """Run it here, or skip where something that it imports is not installed."""
    for name in re.findall(r"^(?:import|from) (\w+)", code, re.M):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_first_steps(folder):
    """The whole section as a stranger types it: its block, the command within the text, Python."""
    section = README.split("\n## First steps\n")[1].split("\n## ")[0]
    (block,), (code,) = examples("First steps", "sh"), examples("First steps", "python")
    (again,) = re.findall(r"`(deepnet finetune [^`]*)`", section)
    (folder / "deepnet").write_text(f'#!/bin/sh\nexec {sys.executable} -m deepnet "$@"\n')
    (folder / "deepnet").chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{folder}:{os.environ['PATH']}"}
    words = ["bash", "-euo", "pipefail", "-c", f"{block}\n{again}"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(re.findall("^deepnet ", block, re.M)) == 10
    for name in (
        "first.h5",
        "digits.h5",
        "random.h5",
        "compare.html",
        "digits.html",
        "digits.csv",
        "digits.toml",
        "more.h5",
    ):
        assert (folder / name).stat().st_size > 300, name
    run(code)


def test_the_functions(folder, capsys):
    (code, _) = examples("From Python", "python")
    run(code)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == list("12345")
    assert 0.02 < float(lines[5]) < 0.2
    assert (folder / "net.h5").exists()


def test_the_estimators(folder, capsys):
    (_, code) = examples("From Python", "python")
    run(code)
    assert float(capsys.readouterr().out.splitlines()[0]) > 0.94
    assert main(["inspect", "digits.h5"]) == 0


def test_the_exports(folder, capsys):
    for extra in ("onnx", "safetensors", "tensorboardX"):
        pytest.importorskip(extra)
    words = ["--layers", "200", "--labels", "500", "--epochs", "1", "--log", "run.jsonl", "-o", "net.h5", "-q"]
    assert main(["finetune", "mnist", *words]) == 0
    (folder / "runs").mkdir()
    (block,) = examples("Beside other tools", "sh")
    commands = [line.partition("#")[0].split()[1:] for line in block.splitlines()]
    assert len(commands) == 5
    capsys.readouterr()
    for words in commands:
        assert main(words) == 0
        assert (folder / words[3]).stat().st_size > 100
    told = capsys.readouterr().out
    with np.load("codes.npz") as file:
        assert file["steps"].tolist() == ["(x - offset1) / scale1", "x W2 + b2", "logistic"]
    (code,) = examples("Beside other tools", "python")
    modules = "nn.Sequential(nn.Linear(784, 200), nn.Sigmoid(), nn.Linear(200, 10), nn.Softmax(dim=1))"
    assert modules in code
    assert modules in told
    run(code)

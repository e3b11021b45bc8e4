"""The command line on top of fake workflows: in this process, or in one of its own."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import deepnet
from deepnet.__main__ import main

FAKE = Path(__file__).with_name("fake.py")
ROOT = FAKE.parents[2]


@dataclass(frozen=True)
class Outcome:
    """What a run left: its exit code and its streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def fake(monkeypatch):
    """The fake workflows in the place of the real ones."""
    spec = importlib.util.spec_from_file_location("deepnet.workflows", FAKE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "deepnet.workflows", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(deepnet, "workflows", module, raising=False)
    assert isinstance(module, ModuleType)
    return module


@pytest.fixture
def call(fake, capsys, tmp_path, monkeypatch):
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(list(words))
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def spawn(tmp_path):
    """Start the command line in a process of its own, on the fake workflows."""
    started = []

    def start(*words, environment=None, **settings):
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
        surrounding = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        process = subprocess.Popen(
            [sys.executable, str(FAKE), *words], env=surrounding, cwd=tmp_path, text=True, **settings
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

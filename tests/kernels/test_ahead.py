"""The second process of a first run: when there is one, what it compiles, what it leaves."""

import subprocess
from pathlib import Path

import pytest

from deepnet.kernels import ahead, jit

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ahead.CALLS)
def test_calls_are_calls(name):
    ahead.CALLS[name]()


@pytest.mark.parametrize(("cache", "warm", "threads"), [(None, False, 2), (ROOT, True, 2), (ROOT, False, 1)])
def test_no_second_process_where_it_is_of_no_use(cache, warm, threads, monkeypatch):
    monkeypatch.setattr(jit, "CACHE", cache)
    monkeypatch.setattr(jit, "warm", lambda: warm)
    monkeypatch.setattr(jit, "threads", lambda: threads)
    monkeypatch.setattr(subprocess, "Popen", None)
    with ahead.compiling("machines"):
        pass


@pytest.mark.parametrize("problem", [None, OSError("no more processes"), RuntimeError("of the run")])
def test_it_ends_with_the_run(problem, monkeypatch):
    told = []

    class Process:
        def __init__(self, command, **options):
            if isinstance(problem, OSError):
                raise problem
            told.append(command[-1].rpartition("main(")[2].strip("')"))

        def terminate(self):
            told.append("terminate")

        def wait(self):
            told.append("wait")

    monkeypatch.setattr(jit, "CACHE", ROOT)
    monkeypatch.setattr(jit, "warm", lambda: False)
    monkeypatch.setattr(jit, "threads", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", Process)
    if isinstance(problem, RuntimeError):
        with pytest.raises(RuntimeError), ahead.compiling("networks"):
            raise problem
    else:
        with ahead.compiling("networks"):
            told.append("run")
    expected = {OSError: ["run"], RuntimeError: ["networks", "terminate", "wait"]}
    assert told == expected.get(type(problem), ["networks", "run", "terminate", "wait"])


@pytest.mark.slow
@pytest.mark.skipif(
    not jit.ENABLED or jit.most_threads() < ahead.SPARE, reason="without a JIT, or on one thread, no second process"
)
@pytest.mark.parametrize(
    ("words", "last"),
    [
        (("pretrain", "mnist", "--layers", "64", "--epochs", "1"), "_pair-"),
        (("finetune", "mnist", "--layers", "64", "--epochs", "1"), "_block-"),
    ],
)
def test_a_first_run_finds_what_the_second_process_compiled(words, last, deepnet, tmp_path):
    names = deepnet(*words, "-o", "out.h5", "--threads", "2")
    assert any(name.startswith("_tile-") for name in names)
    assert not any(name.startswith(last) for name in names), names
    (folder,) = (tmp_path / "cache" / "deepnet").iterdir()
    assert any(path.name.startswith(last) for path in folder.iterdir())
    assert not [path.name for path in folder.iterdir() if path.suffix != ".nbc"]

"""warmup: what it says, what it removes, and that after it nothing is compiled any more."""

import os
import sys
import time

import numpy as np
import pytest

from deepnet.cli import options
from deepnet.kernels import jit
from deepnet.workflows import warmup as page_of  # the function; its page is found by its name
from deepnet.workflows.warmup import _note, _purge

PAGE = sys.modules["deepnet.workflows.warmup"]


def test_tasks_are_the_command_line_s():
    assert PAGE.TASKS == options.TASKS


def test_it_counts_what_was_compiled(monkeypatch):
    monkeypatch.setattr(jit, "COMPILED", {"before.nbc": True})
    monkeypatch.setattr(PAGE, "_purge", lambda cache: 2)
    monkeypatch.setattr(PAGE, "_groups", lambda folder: [("machines", lambda: jit.COMPILED.update({"new.nbc": True}))])
    said = []
    found = page_of(say=said.append)
    assert (found["compiled"], found["removed"]) == (1, 2)
    assert said[0].startswith("machines: 1 compiled, ")


def test_only_old_cache_folders_go(tmp_path):
    own, old, new, other = (tmp_path / name for name in ("0" * 16, "a" * 16, "b" * 16, "notes"))
    for folder in (own, old, new, other):
        folder.mkdir()
        (folder / "x.nbc").touch()
    (tmp_path / ("c" * 16)).touch()
    long_ago = time.time() - 86400 * (PAGE.UNUSED_DAYS + 1)
    for path in (own, old, other, tmp_path / ("c" * 16)):
        os.utime(path, (long_ago, long_ago))
    assert _purge(own) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([own.name, new.name, "notes", "c" * 16])
    assert _purge(None) == 0


@pytest.mark.skipif(not jit.ENABLED, reason="without a JIT there is no cache")
def test_it_tells_a_cache_that_took_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "CACHE", tmp_path)
    monkeypatch.setattr(jit, "COMPILED", {"a.nbc": True, "b.nbc": False})
    assert "start at once" in _note({"a.nbc"})
    assert "did not take all" in _note({"a.nbc", "b.nbc"})
    monkeypatch.setattr(jit, "CACHE", None)
    assert "XDG_CACHE_HOME" in _note(set())


@pytest.mark.slow
@pytest.mark.skipif(not jit.ENABLED, reason="without a JIT there is nothing to compile")
def test_after_it_no_command_compiles(deepnet, tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "t.csv").write_text(
        "a,b,label\n" + "".join(f"{a},{b},{'xyz'[i % 3]}\n" for i, (a, b) in enumerate(random.random((41, 2))))
    )
    (tmp_path / "x.csv").write_text(
        "a,b,c,label\n"
        + "".join(f"{a},{'ny'[int(a < 0.5)]},{'rgb'[i % 3]},{i % 2}\n" for i, a in enumerate(random.random(41)))
    )
    small = ("--layers", "6,3", "--epochs", "2", "--batch-size", "8", "--valid", "0.2")
    noisy = ("--noise", "0.1", "--dropout", "0.1", "--label-smoothing", "0.1")
    held = ("--max-norm", "1", "--l1", "1e-5", "--average", "0.9")
    assert deepnet("warmup")
    for words in (
        ("warmup",),
        ("pretrain", "t.csv", "-o", "ts.h5", *small, "--visible", "linear", "--scale", "standard"),
        ("finetune", "t.csv", "--from", "ts.h5", "-o", "tn.h5", "--epochs", "2", "--valid", "0.2"),
        ("evaluate", "ts.h5", "t.csv", "--split", "valid"),
        ("evaluate", "tn.h5", "t.csv", "--split", "valid"),
        ("predict", "tn.h5", "t.csv"),
        ("visualize", "tn.h5", "t.csv", "-o", "p/"),
        ("pretrain", "x.csv", "-o", "xs.h5", *small),
        ("finetune", "x.csv", "--from", "xs.h5", "-o", "xa.h5", "--epochs", "2", "--task", "reconstruct"),
        ("evaluate", "xs.h5", "x.csv"),
        ("evaluate", "xa.h5", "x.csv"),
        ("visualize", "xs.h5", "x.csv", "-o", "w/"),
        ("visualize", "xa.h5", "x.csv", "-o", "v/"),
        ("pretrain", "mnist", "-o", "s.h5", "--layers", "20,10", "--epochs", "1"),
        ("finetune", "mnist", "--from", "s.h5", "-o", "n.h5", "--epochs", "1"),
        ("finetune", "mnist", "--from", "s.h5", "-o", "a.h5", "--epochs", "1", "--task", "reconstruct"),
        ("finetune", "mnist", "--layers", "20", "-o", "m.h5", "--epochs", "1", *noisy, *held),
        ("evaluate", "m.h5", "mnist", "--mc", "2"),
        (
            "finetune",
            "mnist",
            "--layers",
            "20",
            "-o",
            "y.h5",
            "--epochs",
            "1",
            "--task",
            "mimic",
            "--teacher",
            "m.h5,n.h5",
        ),
        ("evaluate", "y.h5", "mnist", "--teacher", "m.h5"),
        ("pretrain", "mnist", "-o", "d.h5", "--layers", "20,10", "--epochs", "1", "--method", "dae"),
        ("pretrain", "mnist", "-o", "u.h5", "--layers", "20", "--epochs", "1", "--method", "sae", "--untied"),
        ("pretrain", "mnist", "-o", "c.h5", "--layers", "20", "--epochs", "1", "--method", "cae"),
        ("evaluate", "s.h5", "mnist"),
        ("evaluate", "n.h5", "mnist"),
        ("evaluate", "a.h5", "mnist", "--logistic-pca"),
        ("predict", "n.h5", "mnist", "--give", "codes"),
        ("visualize", "a.h5", "mnist", "-o", "q/"),
        ("visualize", "s.h5", "mnist", "-o", "r/"),
    ):
        assert deepnet(*words) == [], words

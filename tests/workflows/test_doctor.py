"""doctor: what it tells of an installation, and that it sees what is wrong with one."""

import json

import pytest

from deepnet.kernels import jit
from deepnet.workflows import doctor as command
from deepnet.workflows.doctor import PACKAGES, _advice

SOUND = {"threads": 2, "cores": 2, "load": 0.1, "threading_layer": "omp"}


def test_what_it_tells(call):
    done = call("doctor", "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert all(found[name] for name in PACKAGES)
    assert found["threads"] >= 1
    if jit.ENABLED:
        assert found["product_gflops"] > 0
        assert found["ceiling_gflops"] > 0
        assert found["cached_kernels"] > 0


def test_a_table_for_a_report(call):
    lines = call("doctor", "--markdown").out.splitlines()
    assert lines[:2] == ["| what | found |", "|---|---|"]
    assert all(line.count(" | ") == 1 for line in lines[2:])
    assert call("doctor", "--markdown", "--json").code == 2


@pytest.mark.skipif(not jit.ENABLED, reason="without a JIT that alone is said")
@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"threads": 8}, "--threads 2"),
        ({"load": 3.0}, "keep 3.0 cores busy"),
        ({"threading_layer": "workqueue"}, "libgomp1"),
    ],
)
def test_what_is_wrong_is_said(facts, word):
    assert _advice(SOUND) == []
    (said,) = _advice(SOUND | facts)
    assert word in said


def test_without_a_cache_or_a_jit(monkeypatch):
    monkeypatch.setattr(jit, "CACHE", None)
    monkeypatch.setattr(jit, "ENABLED", True)
    assert any("XDG_CACHE_HOME" in said for said in _advice(SOUND))
    monkeypatch.setattr(jit, "ENABLED", False)
    found = command()
    assert found["ceiling_gflops"] is None
    assert "NUMBA_DISABLE_JIT" in found["advice"]

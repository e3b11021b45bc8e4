"""How far the tests themselves reach: bounds of arrays, branches taken, faults seen. Each runs others in a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepnet.kernels.jit import ENABLED

ROOT = Path(__file__).parents[1]
# The rooms that meet files of strangers and what users type, and the quick tests that are theirs.
ROOMS = "checkpoint", "data", "cli", "files"
THEIRS = [f"tests/{name}" for name in ("checkpoint", "test_checkpoint.py", "test_round_trips.py", "test_files.py",
                                       "test_cli.py", "data", "cli")]  # fmt: skip
STRANGERS, ALL = 94, 85  # least per cent of checkpoint and data, and of all; 98 and 96 where this was written


def run(*words, **environment):
    """A Python process in the root of the project; what it said, where it failed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=3000
    )
    assert done.returncode == 0, f"{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.promise("bounds")
@pytest.mark.skipif(not ENABLED, reason="nothing is compiled")
def test_no_kernel_leaves_its_arrays(tmp_path, promise):
    """The tests of kernels once more, with NUMBA_BOUNDSCHECK=1 and a cache of their own; a minute of compilation."""
    left = ["--ignore", "tests/kernels/test_jit.py", "--ignore", "tests/kernels/test_bits.py"]
    said = run("-m", "pytest", "-p", "tests.serial", "-p", "no:cacheprovider", "-vv", "tests/kernels", *left,
               NUMBA_BOUNDSCHECK="1", XDG_CACHE_HOME=str(tmp_path))  # fmt: skip
    assert said.count("test_bounds.py::test_a_read_beyond_the_end_is_seen") == 2, "the check was not at work"
    assert "test_bounds.py::test_so_is_one_behind_an_address PASSED" in said
    promise(f"0 of {said.count(' PASSED')} tests of kernels")


@pytest.mark.slow
@pytest.mark.promise("coverage")
def test_branches_are_taken(tmp_path, promise):
    pytest.importorskip("coverage")
    rooms = ",".join(f"deepnet/{room}" for room in ROOMS)
    place = {"NUMBA_DISABLE_JIT": "1", "COVERAGE_FILE": str(tmp_path / "data")}
    run("-m", "coverage", "run", "--branch", "--source", rooms, "-m", "pytest", "-p", "no:cacheprovider", "-q", *THEIRS,
        **place)  # fmt: skip
    run("-m", "coverage", "json", "-q", "-o", str(tmp_path / "told.json"), **place)
    told = json.loads((tmp_path / "told.json").read_text())
    shares = {}
    for room in ROOMS:
        pages = [page["summary"] for name, page in told["files"].items() if name.startswith(f"deepnet/{room}/")]
        taken = sum(page["covered_branches"] + page["covered_lines"] for page in pages)
        shares[room] = 100 * taken / sum(page["num_branches"] + page["num_statements"] for page in pages)
    promise(", ".join(f"{room} {share:.0f} %" for room, share in shares.items()))
    assert min(shares["checkpoint"], shares["data"]) >= STRANGERS
    assert told["totals"]["percent_covered"] >= ALL


@pytest.mark.slow
@pytest.mark.promise("mutation")
@pytest.mark.parametrize(("package", "least"), [("checkpoint", 0.75), ("data", 0.75)])
def test_planted_faults_are_seen(package, least, request, promise):
    """A sample: a few mutants live because they change nothing, as a limit of 10,001 for one of 10,000 does."""
    if not request.config.getoption("--torture"):
        pytest.skip("half an hour: in the long form, and by `make mutants`")
    count = 100
    said = run("tests/mutants.py", "--count", str(count), package)
    seen, _, of = said.splitlines()[-1].partition(": ")[2].removesuffix(" seen").partition(" of ")
    promise(f"{seen} of {of} in {package}")
    assert int(of) == count
    assert int(seen) >= least * count, said

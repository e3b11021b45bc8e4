"""Same seed, same bits: for any number of threads, either threading layer, and code for an older CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepnet.kernels.jit import ENABLED
from deepnet.kernels.microkernel import target

pytestmark = pytest.mark.skipif(not ENABLED, reason="nothing is compiled, so there is one form only")

ROOT = Path(__file__).parents[2]
HASWELL = (
    "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+crc32,+cx16,+cx8,+f16c,+fma,+fsgsbase,+fxsr,+invpcid,+lzcnt,+mmx,+movbe,"
    "+pclmul,+popcnt,+rdrnd,+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave,+xsaveopt,-avx512f"
)


def run(*arguments, **environment):
    """What bits.py prints in a process with these variables."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.kernels.bits", *arguments],
        cwd=ROOT,
        env=os.environ | {"NUMBA_NUM_THREADS": "4"} | environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def ours():
    """The run on one to four threads of OpenMP, where it is there."""
    return run("assembly", "1", "2", "3", "4", NUMBA_THREADING_LAYER_PRIORITY="omp workqueue tbb")


@pytest.mark.promise("R2")
def test_threads_change_nothing(ours):
    assert list(ours["hashes"]) == ["1", "2", "3", "4"]
    assert len(set(ours["hashes"].values())) == 1


def test_the_threading_layer_changes_nothing(ours):
    if ours["layer"] != "omp":
        pytest.skip(f"there is no OpenMP here, only {ours['layer']}")
    other = run("-", "1", "3", NUMBA_THREADING_LAYER="workqueue")
    assert other["layer"] == "workqueue"
    assert set(other["hashes"].values()) == set(ours["hashes"].values())


@pytest.mark.slow
def test_the_first_run_has_the_bits_of_the_next(ours, tmp_path):
    """Code compiled in this process against the same code from the cache.

    Numba optimises what it links once more, so they were not the same while a sum of two products left it open which
    of them is fused.
    """
    hashes = [run("-", "2", XDG_CACHE_HOME=str(tmp_path))["hashes"]["2"] for _ in range(2)]
    assert hashes == [ours["hashes"]["2"]] * 2


@pytest.mark.slow
@pytest.mark.promise("R4")
def test_an_older_cpu_changes_nothing(ours, tmp_path, promise):
    """All kernels compiled for AVX2 against those for AVX-512 (twenty seconds of compilation)."""
    if target()[0] != 16:
        pytest.skip("this CPU has no AVX-512, so that there is nothing to compare AVX2 with")
    assert ours["lanes"] == 16
    assert ours["zmm"][0], "the native block should use 512-bit registers, else this test proves nothing"
    older = run("assembly", "2", NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES=HASWELL, XDG_CACHE_HOME=str(tmp_path))
    assert older["lanes"] == 8
    assert older["zmm"] == [False, False]
    assert older["ymm"] == [True, True]
    assert set(older["hashes"].values()) == set(ours["hashes"].values())
    promise("one hash of trainings compiled for 8 and for 16 lanes")

"""Every kind of run gives the same file where the kernels are compiled for AVX2 and where they are for AVX-512."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepnet.kernels.jit import ENABLED
from deepnet.kernels.microkernel import target
from tests.kernels.test_bits import HASWELL

ROOT = Path(__file__).parents[2]


def hashes(files, folder, **environment):
    """What hashes.py prints in a process with these variables."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflows.hashes", json.dumps(files), str(folder)],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=40_000,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.promise("R4")
@pytest.mark.skipif(not ENABLED, reason="nothing is compiled, so there is one form only")
def test_every_kind_of_run_is_the_same_on_an_older_cpu(files, tmp_path, size, promise):
    """On 500 digits in the short form, on all of MNIST in the long one; bfloat16 is for CPUs that have it."""
    if target()[0] != 16:
        pytest.skip("this CPU has no AVX-512, so that there is nothing to compare AVX2 with")
    files = files | {"digits": size(files["digits"], "mnist")}
    ours = hashes(files, tmp_path / "ours")
    older = hashes(files, tmp_path / "older", NUMBA_CPU_NAME="haswell",
                   NUMBA_CPU_FEATURES=HASWELL, XDG_CACHE_HOME=str(tmp_path / "cache"))  # fmt: skip
    assert (ours["lanes"], older["lanes"]) == (16, 8)
    both = [name for name in ours["hashes"] if "bfloat16" not in name]
    unlike = [name for name in both if ours["hashes"][name] != older["hashes"].get(name)]
    promise(f"{len(unlike)} of {len(both)} kinds of run unlike")
    assert not unlike
    assert len(set(ours["hashes"].values())) > len(both) - 5, "kinds that are alike prove little"

"""No two numbers that a run draws come from one counter, and none from a counter that made a key."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# First-order methods alone: the others ask for the same noise again, as one function of theta.
DRAWING = ["pretrain, CD-2, sparse", "pretrain, relu on relu", "pretrain, softmax on logistic", "pretrain, untied",
           "finetune, dropout", "finetune, fading noise", "finetune, moved"]  # fmt: skip


@pytest.mark.promise("R5")
def test_no_counter_of_a_run_is_used_twice(digits, flowers, houses, stack, net, tmp_path, promise):
    files = {"digits": digits, "flowers": flowers, "houses": houses, "stack": stack, "net": net}
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflows.counters", json.dumps(files), str(tmp_path), *DRAWING],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told) == DRAWING
    assert all(found["drawn"] > 1000 for found in told.values()), told
    assert not any(found["twice"] or found["folded"] for found in told.values()), told
    promise(f"{sum(found['drawn'] for found in told.values())} counters, 0 twice")

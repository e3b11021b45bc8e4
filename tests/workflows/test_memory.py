"""What is foretold of a run's memory and files, beside what it takes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from deepnet import files

OUTPUT = 5
SCRIPT = """
import json, sys
from deepnet import workflows
from deepnet.files import resident
command, minibatches, words = json.loads(sys.argv[1])
left = [minibatches]
def stop():
    left[0] -= 1
    return "interrupted" if left[0] == -1 else None
records = getattr(workflows, command)(stop=stop, **words)
start = next(records)
for record in records:
    pass
print(json.dumps([start.plan, resident()[1] / 2**20]))
"""
ALL = -2  # minibatches: to the end
RUNS = {
    "machine stopped": ("pretrain", 3, {"layers": [3000]}),
    "stack": ("pretrain", ALL, {"layers": [300, 2500], "epochs": [1], "batch_size": [250]}),
    "network": ("finetune", ALL, {"layers": [2000, 1000], "epochs": 1, "batch_size": 500}),
    "network stopped": ("finetune", 3, {"layers": [1500, 1500]}),
    "second order": ("finetune", 2, {"layers": [800, 300], "optimizer": "hessian_free", "units": ["tanh"]}),
    "Kronecker factors": (
        "finetune", 2, {
            "layers": [1500, 300], "optimizer": "hessian_free", "batch_size": 1000,
            "settings": (("kronecker", 1), ("share", 0.5), ("iterations", 3)),
        },
    ),
    "second layer stopped": ("pretrain", 50 + 4 + 3, {"layers": [300, 4000], "epochs": [1], "batch_size": [100]}),
    "autoencoder stopped": ("pretrain", 3, {"layers": [2500], "method": "dae", "units": ["relu"]}),
    "contractive stopped": ("pretrain", 3, {"layers": [2000], "method": "cae", "batch_size": [1000]}),
    "activations of MNIST": ("pretrain", ALL, {"data": "mnist", "layers": [600, 600, 9], "epochs": [1]}),
    "small": ("finetune", 10, {"layers": [20]}),
    "adam, held out": ("finetune", 3, {"layers": [1500, 1500], "optimizer": "adam", "valid": "0.2"}),
    "lbfgs": ("finetune", 2, {"layers": [800], "optimizer": "lbfgs"}),
    "deep autoencoder": ("finetune", 3, {"layers": [1500, 100], "task": "reconstruct", "batch_size": 1000}),
}  # fmt: skip
SHORT = 6


@pytest.fixture(scope="module")
def five_thousand(folder, mnist):
    path, cases = folder / "five-thousand.npz", mnist.splits["train"]
    np.savez(path, x_train=cases.inputs[:5000].reshape(-1, 28, 28), y_train=cases.targets[:5000].astype(np.uint8))
    return str(path)


@pytest.mark.slow
@pytest.mark.promise("memory foretold")
def test_the_peak_and_the_files_are_foretold(five_thousand, tmp_path, size, promise):
    """Within 20 %: runs to the end, and runs stopped within an epoch, whose state is saved too."""
    chosen = list(RUNS.items())[: size(SHORT, len(RUNS))]
    environment = os.environ | {"NUMBA_NUM_THREADS": "1"}
    worst, spread = {}, []
    for name, (command, minibatches, words) in chosen:
        words = {"data": five_thousand, "output": str(tmp_path / "o.h5"), "force": True} | words
        facts = json.dumps([command, minibatches, words])
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, facts], capture_output=True, text=True, timeout=600, env=environment
        )
        assert done.returncode == 0, done.stderr
        plan, peak = json.loads(done.stdout)
        whole = minibatches == ALL
        foretold = plan["peak_memory_MB" if whole else "peak_memory_if_stopped_MB"]
        written, file = (tmp_path / "o.h5").stat().st_size / 2**20, plan["file_MB"] if whole else plan["disk_MB"] / 3
        spread.append(foretold / peak)
        if not (0.8 < foretold / peak < 1.2 and file == pytest.approx(written, rel=0.2)):
            worst[name] = (foretold, peak, file, written)
    assert not worst
    promise(f"{min(spread):.2f} to {max(spread):.2f} of the peak in {len(chosen)} kinds of run")


def test_a_plan_tells_memory_and_files(digits, call):
    plan = json.loads(call("pretrain", digits, "--layers", "50,20", "-n", "--json").out)["plan"]
    assert plan["peak_memory_MB"] <= plan["peak_memory_if_stopped_MB"]
    assert plan["file_MB"] == pytest.approx((784 * 50 + 50 * 20) * 4 / 2**20, rel=0.2)
    assert "peak memory MB" in call("finetune", digits, "--layers", "50", "-n").out


def test_stacks_that_do_not_fit_the_memory_are_refused(digits, call, monkeypatch, tmp_path):
    monkeypatch.setattr(files.memory, "free_memory", lambda root: 60 << 20)
    monkeypatch.setattr(files.memory, "resident", lambda root: (0, 0))
    words = ("pretrain", digits, "--epochs", "1", "-o", tmp_path / "o.h5", "--layers")
    done = call(*words, "2000")
    assert (done.code, done.err.count("\n")) == (OUTPUT, 1)
    assert "more than 90 % of the 60 MB that this program may have; give smaller --layers" in done.err
    assert call(*words, "2000", "-n").code == OUTPUT
    assert list(tmp_path.iterdir()) == []
    assert call(*words, "10").code == 0


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_runs_that_do_not_fit_the_disk_are_refused(command, digits, call, monkeypatch, tmp_path):
    monkeypatch.setattr(files.memory, "free_disk", lambda folder: 1 << 20)
    words = (command, digits, "--epochs", "1", "-o", tmp_path / "o.h5", "--layers")
    done = call(*words, "500")
    assert (done.code, done.err.count("\n")) == (OUTPUT, 1)
    assert "free some or choose another --output" in done.err
    assert list(tmp_path.iterdir()) == []
    assert call(*words, "1").code == 0

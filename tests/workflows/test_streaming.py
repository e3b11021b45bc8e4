"""Data larger than memory, read from their HDF5 file as they are asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import data, files
from deepnet.data.readers import hdf5
from deepnet.files import rows

MB = 1 << 20
LIMIT, TIMES = 64 * MB, 8
SCRIPT = """
import json, sys, time
from deepnet import files, workflows
from deepnet.workflows import finetune, pretrain
limit, command, words = json.loads(sys.argv[1])
if limit:
    files.memory.free_memory = lambda root: max(0, limit - files.resident()[0])
began = time.process_time()
for record in getattr(workflows, command)(**words):
    pass
print(json.dumps([files.resident()[1], time.process_time() - began]))
"""


def run(limit, command, words):
    """Peak memory in bytes and seconds of work of a run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([limit, command, words])],
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"NUMBA_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(path, cases, columns, dtype, **storage):
    """Bytes, or sparse floats in [0, 1], and ten classes."""
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        inputs = file.create_dataset("X", (cases, columns), dtype, **storage)
        block = generator.integers(0, 256, (2048, columns), dtype=np.uint8)
        if dtype != np.uint8:
            block = np.where(block < 240, 0, block / 255).astype(dtype)
        for first in range(0, cases, len(block)):
            inputs[first : first + len(block)] = np.roll(block, first // 2048, axis=1)[: cases - first]
        file["y"] = generator.integers(0, 10, cases, dtype=np.uint8)
    return str(path)


KINDS = {
    "contiguous bytes, pretrain": (np.uint8, {}, "pretrain", {"layers": [100], "epochs": [1]}),
    "packed floats, finetune": (
        np.float32,
        {"chunks": (64, 3072), "compression": "gzip", "compression_opts": 1},
        "finetune",
        {"layers": [100], "epochs": 1, "valid": "last:1000"},
    ),
}


@pytest.mark.slow
@pytest.mark.promise("data streamed")
@pytest.mark.parametrize("kind", KINDS)
def test_data_of_eight_times_the_limit(kind, tmp_path, size, promise):
    """64 MB beside what the same run takes on few cases: within that, and the same bits as in memory."""
    dtype, storage, command, words = KINDS[kind]
    limit = size(1, 4) * LIMIT
    if (files.free_disk(tmp_path) or 0) < 3 * TIMES * limit or files.spare_memory() < 2 * TIMES * limit:
        pytest.skip("too little memory, or too small a disk for temporary files, here")
    cases = TIMES * limit // (3072 * np.dtype(dtype).itemsize) + 1
    few, many = (write(tmp_path / f"{n}.h5", n, 3072, dtype, **storage) for n in (2000, cases))
    words = words | {"force": True}
    base, _ = run(None, command, words | {"data": few, "output": str(tmp_path / "few.out")})
    in_memory, usual = run(None, command, words | {"data": many, "output": str(tmp_path / "a.out")})
    streamed, longer = run(base + limit, command, words | {"data": many, "output": str(tmp_path / "b.out")})
    assert in_memory > base + limit
    assert streamed <= base + limit
    assert (tmp_path / "a.out").read_bytes() == (tmp_path / "b.out").read_bytes()
    promise(f"{kind}: {(streamed - base) >> 20} of {limit >> 20} MB, {longer / usual:.2f} times the time")
    assert longer < 2 * usual  # 1.5 on a machine of one's own


@pytest.fixture
def streamed(monkeypatch):
    """All data and activations are taken for large from here on."""

    def begin():
        for page in (hdf5, rows):
            monkeypatch.setattr(page, "is_large", lambda size: True)

    return begin


STORAGE = {
    "contiguous": {},
    "packed": {"chunks": (7, 28, 14), "compression": "gzip"},
    "double": {"dtype": np.float64},
    "big-endian": {"dtype": ">f4"},
    "float": {"dtype": np.float32},
}


def store(path, digits, storage):
    """The digits of an NPZ file in HDF5."""
    with np.load(digits) as arrays, h5py.File(path, "w") as file:
        for name in ("train", "test"):
            inputs = arrays[f"x_{name}"]
            given = inputs if "dtype" not in storage else inputs / 255
            file.create_dataset(f"x_{name}", data=given, **storage)
            file[f"y_{name}"] = arrays[f"y_{name}"]
    return str(path)


@pytest.mark.parametrize("storage", STORAGE)
def test_the_same_data(storage, digits, tmp_path, streamed):
    path = store(tmp_path / "d.h5", digits, STORAGE[storage])
    plain = data.load(path, task="classify")
    streamed()
    later = data.load(path, task="classify")
    assert later.fingerprint == plain.fingerprint
    for name, cases in later.splits.items():
        assert isinstance(cases.inputs, rows.Rows)
        np.testing.assert_array_equal(cases.inputs[:], plain.splits[name].inputs)
    assert data.audit(later) == data.audit(plain)


COMMANDS = {
    "stack, scaled, held out": ("pretrain", "--layers", "30,20", "--scale", "unit", "--valid", "0.2", "--epochs", "1"),
    "visible means": ("pretrain", "--layers", "30", "--visible-bias", "mean", "--epochs", "1"),
    "components": ("pretrain", "--layers", "20", "--visible", "linear", "--scale", "standard", "--pca", "9"),
    "held out": ("finetune", "--layers", "30", "--valid", "0.2", "--epochs", "2"),
    "few labels, moved": ("finetune", "--layers", "30", "--labels", "100", "--jitter", "2", "--epochs", "2"),
    "whole batch": ("finetune", "--layers", "10", "--optimizer", "lbfgs", "--epochs", "2"),
    "autoencoder": ("finetune", "--layers", "10", "--task", "reconstruct", "--epochs", "1", "--batch-norm"),
    "normal": ("finetune", "--layers", "10", "--task", "one_class", "--normal", "3", "--no-bias", "--epochs", "1"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_the_same_model(words, digits, call, tmp_path, streamed):
    path = store(tmp_path / "d.h5", digits, {})
    command, *options = words
    assert (done := call(command, path, "-o", tmp_path / "a", *options)).code == 0, done.err
    evaluated, predicted = call("evaluate", tmp_path / "a", path).out, call("predict", tmp_path / "a", path).out
    streamed()
    assert (done := call(command, path, "-o", tmp_path / "b", *options)).code == 0, done.err
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert call("predict", tmp_path / "b", path).out == predicted
    assert call("evaluate", tmp_path / "a", path).out == evaluated


def test_a_run_goes_on_either_way(digits, tmp_path, finish, cut, streamed):
    from deepnet import workflows

    path, words = store(tmp_path / "d.h5", digits, {}), {"layers": (20, 10), "epochs": (2,), "valid": "0.2"}
    whole, parts = str(tmp_path / "a"), str(tmp_path / "b")
    finish(workflows.pretrain(path, whole, **words))
    finish(workflows.pretrain(path, parts, stop=cut(6), **words))
    streamed()
    finish(workflows.pretrain(path, parts, stop=cut(5), resume=True, **words))
    finish(workflows.pretrain(path, parts, resume=True, **words))
    assert Path(parts).read_bytes() == Path(whole).read_bytes()


def test_data_that_are_cut_while_a_run_reads_them(digits, call, tmp_path, streamed, monkeypatch):
    path = store(tmp_path / "d.h5", digits, {})
    streamed()
    real = data.load
    monkeypatch.setattr(data, "load", lambda *words, **more: (real(*words, **more), os.truncate(path, 9000))[0])
    done = call("pretrain", path, "--layers", "5", "-o", tmp_path / "o.h5")
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "were cut while they were read" in done.err

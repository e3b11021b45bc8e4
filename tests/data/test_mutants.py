"""H2: data files and settings with random damage are read as what they say or refused; no crash, traceback or hang.

A mutant is a function of its format and number, so that a failure can be had again: `Mutants("npy").make(17)`.
"""

import contextlib
import gzip
import io
import json
import math
import os
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.hostile import IMAGES, PLAIN_ROWS, X, Y, archive, drawn, encode, mat, npy, put, tree

TABLE = b"length,width,kind\n" + b"5.1,3.5,setosa\n6.4,3.2,versicolor\n5.8,2.7,virginica\n4.9,3.0,\n" * 3
SETTINGS = b"""[inspect]
label = "y"
verbose = true
json = false

[pretrain]
layers = [500, 500, 2_000]
learning-rate = 0.1
seed = 0x1f
"""
LOG = b"""{"command": "finetune", "event": "run_start", "plan": {"layers": [3]}, "time": 1795875649.01}
{"epoch": 1, "event": "epoch", "metrics": {"training_loss": 1.25}, "seconds": 0.25, "stage": "a", "time": 1795875649.1}
{"event": "checkpoint", "path": "net.h5", "seconds": 0.05, "time": 1795875649.2}
{"epoch": 2, "event": "epoch", "metrics": {"training_loss": null}, "seconds": 0.25, "stage": "a", "time": 1795875649.3}
"""
TOKENS = [
    *(b"\0", b"\xff", b"\n", b"\r", b'"', b",", b";", b"'", b"-1", b"nan", b"inf", b"1e999", b"9" * 25, b"=", b"("),
    *(b"[" * 200, b"{'a':", b"True", b"<f8", b"|O", b"|S9", b"<U3", b"PK\1\2", b"\x1f\x8b\x08", b"\x93NUMPY", b"[[x]]"),
    *(b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\xe2\x80\xae", b"1979-05-27T07:32:00Z", b"\xef\xbb\xbf"),
]  # fmt: skip
LINES = b"""{"label": "a cat of no colour that anybody could name, and of no age", "a": 1.5, "x": [[2, 3e-1], [4, 5]]}
{"x": [6, "7", 8, null], "a": true, "label": "a d\\u00f6g, which is what dogs are called where nobody spells them"}
{"a": -2,   "x":  [1, 2, 3, 4],     "label": "a cat of no colour that anybody could name, and of no age"}
"""
ARRAYS = b"[1.234567890123456789,    2.5,   -3.000000000000000000e2]\n\n[4, 5.5, 6]\n[0.25000000000000000000, 7, 80]\n"
SPARSE = b"+1 1:0.5 7:1 # a\n-1 2:1e-3 3:-4\n# a comment\n-1\n" * 3
PICTURES = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF", "webp": "WEBP"}
PACKED = ("npz", "idx.gz", "csv.gz", "jsonl.gz", "svm.gz")
FORMATS = ("npy", "idx", "csv", "parquet", "jsonl", "toml", "log", "svm", "mat", *PACKED, *PICTURES, "folder")


class Mutants:
    """The damaged files of one format."""

    def __init__(self, format_):
        self.format = format_

    def make(self, number):
        """The bytes of one, or those of a folder's files; of packed formats every other one is damaged before."""
        rng = np.random.default_rng([number, *self.format.encode()])
        if self.format == "folder":
            return folder(rng, number)
        array = [X, Y.reshape(2, 3), X.astype(">f8"), np.asfortranarray(X), (X * 9).astype(np.int8)][number % 5]
        inner = {
            "npy": npy(array),
            "npz": npy(array),
            "idx": encode(IMAGES) if number % 3 else encode(X, 0x0D, ">f4"),
            "csv": TABLE,
            "parquet": PLAIN_ROWS,
            "toml": SETTINGS,
            "log": LOG,
            "jsonl": LINES if number % 3 else ARRAYS,
            "svm": SPARSE,
            "mat": mat(number % 3 == 0, X=array, y=Y[: len(array)]),
        }.get(self.format.removesuffix(".gz")) or self.picture(number)
        packed, inside = self.format in PACKED, number % 2
        if inside or not packed:
            inner = damaged(rng, inner)
        if self.format == "npz":
            inner = archive(("X.npy", inner), ("y.npy", npy(Y[: len(array)])), method=8 * (number % 4 > 1))
        elif packed:
            inner = gzip.compress(inner, mtime=0)
        return damaged(rng, inner) if packed and not inside else inner

    def picture(self, number):
        """A good one, grey or in colour, packed in one of the ways that its format has."""
        kind, mode = PICTURES[self.format], ("L", "RGB", "P")[number % 3]
        mode = "RGB" if kind in ("JPEG", "WEBP") and mode == "P" else mode
        ways = ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg" if mode == "RGB" else "raw")
        return drawn(kind, mode, (15, 17), **({"compression": ways[number % 5]} if kind == "TIFF" else {}))


def folder(rng, number):
    """{path: bytes} of a folder of five pictures in two classes, of which one is damaged, or the name of one."""
    found, bad = {}, int(rng.integers(5))
    for n in range(5):
        parts, content = ["cat" if n % 2 else "dog", f"{n}.png"], drawn(size=(15, 17), mode="1" if n == 4 else "L")
        if n == bad and number % 2:
            content = damaged(rng, content)
        elif n == bad:
            which = int(rng.integers(2))
            name = damaged(rng, parts[which].encode()).translate(None, b"/\0_")[:200]
            parts[which] = os.fsdecode(name if name.strip(b".") else b"x")
        found["__".join(["train" if n < 4 else "test", *parts] if number % 3 == 0 else parts)] = content
    return found


def damaged(rng, content):
    """Bytes after one to four accidents."""
    for _ in range(rng.integers(1, 5)):
        content = accident(rng, content)
    return content


def accident(rng, content):
    """Bytes with one flipped, replaced, put in, put over, lost, doubled or cut off; every other time near the start."""
    end = len(content) if rng.random() < 0.5 else min(len(content), 128)
    place, length, bit = int(rng.integers(end + 1)), int(rng.integers(1, 20)), int(rng.integers(8))
    start, rest = content[:place], content[place:]
    token = TOKENS[rng.integers(len(TOKENS))]
    return (
        start + bytes([rest[0] ^ 1 << bit]) + rest[1:] if rest else start,
        start + bytes([int(rng.integers(256))]) + rest[1:],
        start + token + rest,
        start + token + rest[len(token) :],
        start + rest[length:],
        start + rest[:length] + rest,
        content[:-length] if bit else start,
    )[rng.integers(7)]


def read_mutants(format_, first, count):
    """Read some mutants in the folder one is in; printed is how many were refused. Runs in a child."""
    refused = 0
    for number in range(first, first + count):
        print(f"mutant {number}", flush=True)  # noqa: T201
        path, content = Path(f"m.{format_}"), Mutants(format_).make(number)
        shutil.rmtree(path, ignore_errors=True)
        put(path, tree(**content) if format_ == "folder" else content)
        refused += not READ.get(format_, numbers_hold)(path, format_)
    print(f"refused {refused}")  # noqa: T201


def numbers_hold(path, format_):
    """Whether the file was read, and then as finite numbers of the shape that it says."""
    from deepnet import data
    from deepnet.errors import DataError

    try:
        found = data.load(str(path), label="3" if "csv" in format_ else None)
    except DataError as problem:
        if not str(problem).isprintable():
            raise AssertionError(str(problem)) from None
        return False
    for cases in found.splits.values():
        assert cases.inputs.dtype in (np.uint8, np.float32)
        assert cases.inputs.shape == (len(cases), np.prod(found.shape))
        assert cases.inputs.size
        assert np.isfinite(cases.inputs).all()
        assert cases.targets is None or len(cases.targets) == len(cases)
    if format_ in (*PICTURES, "folder"):
        assert found.splits["train"].inputs.dtype == np.uint8
        for name, files in found.files.items():
            with contextlib.ExitStack() as closing:
                images = [closing.enter_context(Image.open(path / file)) for file in files]
                if all(image.mode == "L" for image in images):
                    pixels = [np.asarray(image).reshape(-1) for image in images]
                    np.testing.assert_array_equal(found.splits[name].inputs, pixels)
        return True
    told = None if found.fields else says(path, format_)
    if told is not None:
        np.testing.assert_array_equal(told.reshape(len(told), -1), found.splits["train"].inputs)
    return True


def says(path, format_):
    """The array of a file by other means than ours; None where they cannot tell."""
    if format_.startswith("idx"):
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        shape = struct.unpack(f">{content[3]}I", content[4 : 4 + 4 * content[3]])
        kinds = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
        return np.frombuffer(content[4 + 4 * len(shape) :], kinds[content[2]]).reshape(shape).astype(np.float32)
    if format_.startswith("jsonl"):
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        rows = [
            json.loads(line) for line in content.decode("utf-8-sig").replace("\r", "\n").split("\n") if line.strip()
        ]
        return np.array(rows, np.float32) if isinstance(rows[0], list) else None
    if format_ not in ("npy", "npz"):
        return None
    with contextlib.suppress(Exception):  # NumPy refuses more than we do
        found = np.load(path)
        return (found if format_ == "npy" else found["X"]).astype(np.float32)
    return None


def taken(*words):
    """Whether a command ended well; else it must have said one line."""
    from deepnet.__main__ import main

    streams, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), io.StringIO(), io.StringIO()
    try:
        code, out, err = main([*words]), sys.stdout.getvalue(), sys.stderr.getvalue()
    finally:
        sys.stdout, sys.stderr = streams
    assert (code == 0) == (err == ""), (code, err)
    assert code == 0 or (code in (2, 3) and out == "" and err.count("\n") == 1 and err.startswith("deepnet: error: "))
    return code == 0


def settings_hold(path, format_):
    """Whether `inspect` took the settings."""
    np.savez("good.npz", X=X, y=Y)
    return taken("inspect", "good.npz", "-c", str(path))


def log_holds(path, format_):
    """Whether TensorBoard's file was made of the log; the chart by the clock is to read the same lines."""
    from deepnet.errors import DataError
    from deepnet.workflows import charts

    with contextlib.suppress(DataError):
        assert all(math.isfinite(seconds) for _, seconds, _ in charts.epochs(path))
    return taken("export", str(path), "-o", "made.tfevents", "--force")


READ = {"toml": settings_hold, "log": log_holds}


@pytest.mark.parametrize("format_", [pytest.param(f, marks=pytest.mark.promise(f"H2 {f}")) for f in FORMATS])
def test_mutants(format_, apart, tmp_path, size, promise):
    """Most are refused, some are read: neither would tell of a test that tests nothing."""
    count, refused = size(100, 2000), 0
    for first in range(0, count, 100):
        found = apart.call("tests.data.test_mutants:read_mutants", format_, first, 100, folder=tmp_path)
        assert found.code == 0, (found.out[-20:], found.err[-2000:])
        assert found.memory < 400 << 20, found
        refused += int(found.out.split()[-1])
    assert 0.1 * count < refused < 0.99 * count
    promise(f"{format_}: {refused} of {count} refused, the others read as they say")


def test_a_reader_that_believes_its_file_is_caught(tmp_path, monkeypatch):
    """Planted: one that takes the numbers of an array for those of another order, one that lets NaN through."""
    from deepnet.data import checks
    from deepnet.data.readers import arrays

    monkeypatch.chdir(tmp_path)
    Path("m.npy").write_bytes(npy(np.asfortranarray(X)))
    assert numbers_hold(Path("m.npy"), "npy")
    monkeypatch.setattr(arrays, "_ORDER", arrays.re.compile(r"fortran_(order)"))
    with pytest.raises(AssertionError):
        numbers_hold(Path("m.npy"), "npy")
    Path("m.npy").write_bytes(npy(np.full((2, 2), np.nan)))
    monkeypatch.setattr(checks, "check_finite", lambda *_: None)
    with pytest.raises(AssertionError):
        numbers_hold(Path("m.npy"), "npy")

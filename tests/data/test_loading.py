"""What a user may name, and labels by task."""

import gzip
import os

import numpy as np
import pytest

from deepnet import data, files
from deepnet.data.readers.sniffing import FORMATS
from deepnet.errors import DataError, OutputError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x_train=np.eye(3), y_train=[2, 0, 4], x_test=np.eye(3), y_test=[1, 1, 5])
    return path


def test_what_is_named(tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for source, words in (
        ("minst", r"no data set minst comes with deepnet \(.*mnist.*\), nor is there such a file; check the name"),
        ("word", "word is a folder without"),
        ("", "is no path"),
        ("a\0b.h5", r"a\\x00b\.h5' is no path"),
        ("e.npz", r"e\.npz does not exist; did you mean d\.npz"),
        ("./word", "is a folder without"),
        ("pipe.csv", "is a pipe"),
        ("/dev/zero", "is a device"),
        ("d.npz:nothing", "no array nothing; it holds x_train"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            data.load(source)
        assert len(str(caught.value).splitlines()) == 1
    for words, option in (({"label": "y"}, "--label y"), ({"ignore": ("a", "b")}, "--ignore a,b"),
                          ({"category": ("a",)}, "--category a"), ({"weight": "w"}, "--weight w")):  # fmt: skip
        with pytest.raises(DataError, match=option):
            data.load("rectangles", **words)
    (tmp_path / "t.csv").write_text("1,2\n")
    with pytest.raises(DataError, match="has no parts to name; leave out :x"):
        data.load("t.csv:x")
    (tmp_path / "a:b.csv").write_text("1,2\n")
    assert data.load("a:b.csv").shape == (2,)
    for name in ("rows", "mnist-basic", "curves"):  # shipped and generated names win
        (tmp_path / name).write_text("1,2\n")
        shapes = [data.load(source).shape for source in (name, f"./{name}")]
        assert shapes == [(2,) if name == "rows" else (28, 28), (2,)]


@pytest.mark.parametrize(
    "name,content,words",
    [
        ("x.pdf", b"%PDF-1.4", "a PDF document; deepnet reads IDX, NPY, NPZ, .*, pictures and folders of them"),
        ("x.wav", b"RIFF\x40\0\0\0WAVEfmt ", "a sound or a film"),
        ("x.orc", b"ORC\3", "an ORC table"),
        ("x.mat", b"MATLAB 5.0 MAT-file", "a damaged MATLAB file"),
        ("x.mat", b"MATLAB 7.3 MAT-file", "is text, not MATLAB as its name says"),
        ("x.mat", bytes(30), "is binary data of another kind, not MATLAB as its name says"),
        ("x.mat", b"\0\0\3\xe8" + bytes(30), "is binary data of another kind, not MATLAB as its name says"),
        ("x.mat", b"\0\0\x08\1" + bytes(4), "it holds labels|rank 1"),
        ("x.svm", b"1,2\n", "is text, not svmlight as its name says"),
        ("x.png", b"1,2\n", "is text, not a picture as its name says"),
        ("x.mat.gz", gzip.compress(b"MATLAB 5.0 MAT-file", mtime=0), "a gzipped MATLAB 5 file; unpack it first"),
        ("x.pkl", b"\x80\x04\x95", "a Python pickle"),
        ("x.bin", b"\x07\0\x01", "of a format unknown here"),
        ("x.npz", b"a,b\n1,2\n", "is text, not NPZ as its name says"),
        ("x.npy.gz", gzip.compress(b"\x93NUMPY", mtime=0), "a gzipped NPY file; unpack it first"),
        ("x.csv.gz", b"\x1f\x8b\x08\0" + bytes(9), "damaged gzip|is empty|NUL"),
    ],
)
def test_other_formats(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        data.load(tmp_path / name)


def test_tasks(table):
    raw = data.load(table)
    assert raw.classes == ()
    np.testing.assert_array_equal(raw.splits["train"].targets, [2, 0, 4])
    classes = data.load(table, task="classify")
    assert classes.classes == ("0", "1", "2", "3", "4", "5")
    assert classes.splits["test"].targets.dtype == np.int64
    numbers = data.load(table, task="regress")
    assert numbers.splits["train"].targets.dtype == np.float32
    np.testing.assert_array_equal(numbers.splits["test"].targets, [[1], [1], [5]])
    inputs = data.load(table, task="reconstruct")
    assert all(cases.targets is None for cases in inputs.splits.values())
    assert len({d.fingerprint for d in (raw, classes, numbers, inputs)}) == 1
    with pytest.raises(ValueError, match="no task 'cluster'"):
        data.load(table, task="cluster")


def test_what_is_mimicked_may_have_labels(table, tmp_path):
    """The classes are those given; splits with labels have their places, others none."""
    known = ("5", "4", "2", "1", "0")
    dataset = data.load(table, task="mimic", classes=known)
    assert dataset.classes == known
    np.testing.assert_array_equal(dataset.splits["train"].targets, [2, 4, 1])
    with pytest.raises(DataError, match="none of the model's classes"):
        data.load(table, task="mimic", classes=("0", "1"))
    arrays = {"x_train": np.zeros((2, 3)), "x_test": np.zeros((1, 3))}
    for labels in ({}, {"y_test": np.array([4])}):
        np.savez(tmp_path / "part.npz", **arrays, **labels)
        part = data.load(tmp_path / "part.npz", task="mimic", classes=known)
        assert part.classes == known
        assert part.splits["train"].targets is None
        np.testing.assert_array_equal(part.splits["test"].targets, [1] if labels else None)


def test_classes_of_a_model(table):
    known = ("5", "4", "2", "1", "0")
    dataset = data.load(table, task="classify", classes=known)
    assert dataset.classes == known
    np.testing.assert_array_equal(dataset.splits["train"].targets, [2, 4, 1])
    np.testing.assert_array_equal(dataset.splits["test"].targets, [3, 3, 0])
    with pytest.raises(DataError, match=r"labels of test: row 3 holds '5', which is none of the model's classes 0, 1"):
        data.load(table, task="classify", classes=("0", "1", "2", "3", "4"))


def test_fingerprint_sees_shape_type_value_order_and_labels(tmp_path):
    x = np.arange(12, dtype=np.uint8).reshape(4, 3)
    y = np.array([0, 1, 0, 1])
    variants = [(x, y), (x.reshape(2, 6), y[:2]), (x.astype("f4"), y), (x[::-1], y), (x, 1 - y), (x, y.astype("U1"))]
    found = []
    for inputs, labels in variants + variants[:1]:
        np.savez(tmp_path / "d.npz", X=inputs, y=labels)
        found.append(data.load(tmp_path / "d.npz").fingerprint)
    assert found[0] == found[-1]
    assert len(set(found)) == len(variants)
    assert all(len(text) == 64 for text in found)


def test_splits_of_other_shape(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=np.eye(3), x_test=np.eye(4))
    with pytest.raises(DataError, match=r"shape \(4,\) in test but \(3,\) in train"):
        data.load(tmp_path / "d.npz")


def test_the_catalogue_of_readers():
    assert list(data.READERS) == list(FORMATS)
    assert all(reader.__doc__ for reader in data.READERS.values())


def test_data_that_cannot_be_streamed_and_do_not_fit(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros((1000, 100), np.uint8))
    monkeypatch.setattr(files.memory, "free_memory", lambda root: 100_000)
    monkeypatch.setattr(files.memory, "resident", lambda root: (0, 0))
    with pytest.raises(OutputError, match=r"x\.npy, read at once, would take .*; save it as HDF5"):
        data.load(tmp_path / "x.npy")

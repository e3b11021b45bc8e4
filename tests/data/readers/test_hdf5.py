"""HDF5: names, groups and types, and the files that would have us read something else."""

import io
import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import data
from deepnet.errors import DataError

X = np.linspace(0, 1, 60, dtype=np.float32).reshape(6, 5, 2)
Y = np.array([0, 1, 2, 2, 1, 0])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (2, 5, 1), "compression": "gzip", "shuffle": True, "fletcher32": True},
        {"chunks": (4, 2, 2), "compression": "lzf"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["u1", "f4", ">f8", "f2", ">i4", "?"])
def test_types_and_filters(tmp_path, options, dtype):
    stored = (X * 200).astype(dtype)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_dataset("X", data=stored, **options)
        file["y"] = Y[:, None]
    dataset = data.load(tmp_path / "d.h5", task="classify")
    cases = dataset.splits["train"]
    assert cases.inputs.dtype == (np.uint8 if dtype == "u1" else np.float32)
    assert cases.inputs.flags.c_contiguous
    assert cases.inputs.flags.writeable
    np.testing.assert_array_equal(cases.inputs, stored.reshape(6, 10).astype(np.float32))
    np.testing.assert_array_equal(cases.targets, Y)
    assert dataset.shape == (5, 2)


@pytest.mark.parametrize("names", [("X", "y"), ("data", "label"), ("samples", "labels"), ("x_train", "y_train")])
def test_names_and_groups(tmp_path, names):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        for group in (file, file.create_group("deep/inside")):
            group[names[0]], group[names[1]], group["other"] = X, Y, X[:3]
        file["loop"] = file  # a group that holds itself
    for source in (path, f"{path}:/deep/inside", f"{path}:/", f"{path}:/deep/inside/{names[0]}"):
        cases = data.load(source, task="classify").splits["train"]
        np.testing.assert_array_equal(cases.inputs, X.reshape(6, 10))
        np.testing.assert_array_equal(cases.targets, Y)
    assert len(data.load(f"{path}:other").splits["train"]) == 3
    assert data.load(f"{path}:other").splits["train"].targets is None
    with pytest.raises(DataError, match="nothing is at /deep/none"):
        data.load(f"{path}:/deep/none")
    with pytest.raises(DataError, match=r"holds other, .*none named X|no array deep"):
        data.load(path, label="deep/inside")


def test_splits_text_labels_and_shape_attribute(tmp_path):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file["x_train"] = X.reshape(6, 10)
        file["x_train"].attrs["shape"] = [2, 5]
        file["y_train"] = np.array([b"cat", b"dog", "größe".encode(), b"dog", b"cat", b"cat"])
        file["x_test"], file["y_test"] = X[:2].reshape(2, 10), np.array([b"dog", b"cat"])
    dataset = data.load(path, task="classify")
    assert dataset.classes == ("cat", "dog", "größe")
    assert dataset.shape == (2, 5)
    np.testing.assert_array_equal(dataset.splits["test"].targets, [1, 0])
    with h5py.File(path, "r+") as file:
        file["x_train"].attrs["shape"] = [3, 5]
    assert data.load(path).shape == (10,)


def write_external_storage(file, folder):
    (folder / "secret").write_bytes(bytes(48))
    file.create_dataset("X", (6, 2), "f4", external=[(str(folder / "secret"), 0, h5py.h5f.UNLIMITED)])


def write_virtual(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["X"] = X
    layout = h5py.VirtualLayout(X.shape, X.dtype)
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "X", X.shape)
    file.create_virtual_dataset("X", layout)


def write_external_link(file, folder):
    with h5py.File(folder / "other.h5", "w") as other:
        other["X"] = X
    file["X"] = h5py.ExternalLink(str(folder / "other.h5"), "/X")


def write_soft_link(file, folder):
    file["elsewhere"] = X
    file["X"] = h5py.SoftLink("/elsewhere")


def write_soft_labels(file, folder):
    file["X"], file["elsewhere"], file["y"] = X, Y, h5py.SoftLink("/elsewhere")


def write_ragged(file, folder):
    file.create_dataset("X", (3,), h5py.vlen_dtype(np.float32))


def write_vlen_text(file, folder):
    file["X"] = X
    file.create_dataset("y", data=["a"] * 6, dtype=h5py.string_dtype())


def write_references(file, folder):
    file.create_dataset("X", (3, 2), h5py.ref_dtype)


def write_records(file, folder):
    file["X"] = np.zeros((3, 2), "i4,f4")


def write_petabytes(file, folder):
    file.create_dataset("X", (2**40, 2**13), "u1", chunks=(1024, 1024))


def write_fill_value(file, folder):
    file.create_dataset("X", (2**15, 2**15), "u1", chunks=(1024, 1024), fillvalue=7)


def write_bomb(file, folder):
    data = file.create_dataset("X", (2**14, 2**13), "u1", chunks=(64, 2**13), compression="gzip")
    data[:64] = 0


def write_large_chunks(file, folder):
    file.create_dataset("X", data=np.zeros((2, 2), "u1"), maxshape=(None, None), chunks=(2**13, 2**14), compression=9)


def write_unknown_filter(file, folder):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((6, 2))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, b"X", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((6, 2)), plist)


def write_scaleoffset(file, folder):
    file.create_dataset("X", data=np.zeros((6, 2), "i4"), scaleoffset=0)


def write_null(file, folder):
    file["X"] = h5py.Empty("f4")


HOSTILE = {
    write_external_storage: "takes its values from another file",
    write_virtual: "takes its values from another file",
    write_external_link: "soft or external link",
    write_soft_link: "soft or external link",
    write_soft_labels: "soft or external link",
    write_ragged: "variable length, references or records",
    write_vlen_text: "variable length, references or records",
    write_references: "variable length, references or records",
    write_records: "variable length, references or records",
    write_petabytes: "says shape .* but stores 0",
    write_fill_value: "says shape .* but stores 0",
    write_bomb: "says shape .* but stores",
    write_large_chunks: "more than 64 MiB",
    write_unknown_filter: "filter .32015.",
    write_scaleoffset: "filter .6.",
    write_null: "holds no array",
}


@pytest.mark.parametrize("write", HOSTILE, ids=lambda write: write.__name__)
def test_hostile(tmp_path, write):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        write(file, tmp_path)
    began = time.monotonic()
    for source in (path, f"{path}:/X"):
        with pytest.raises(DataError, match=HOSTILE[write]) as caught:
            data.load(source, label="y" if write is write_vlen_text else None)
        assert "d.h5" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "inputs,labels,words",
    [
        (X, Y[:5], "6 cases but 5 labels"),
        (X[:0], Y[:0], "no cases"),
        (np.float32(1), Y, "holds no array"),
        (X.reshape(-1), Y, "rank 1"),
        (np.zeros((3, 2), "S4"), Y, "holds text, not numbers"),
        (np.zeros((3, 2), complex), Y, "records|complex"),
        (np.where(X[4, 2, 1] == X, np.nan, X), Y, r"d\.h5:X: row 5, column 6 holds nan"),
        (X.astype(float) * 1e39, Y, "row 3, column 2 holds inf"),
        (X, Y - 2, r"labels of train: row 1 holds -2, below 0"),
        (X, Y + 0.5, "row 1 holds 0.5, not a whole number"),
        (X, np.where(Y == 1, np.inf, Y), "row 2 holds inf"),
        (X, np.where(Y == 0, -1, 1), "labels -1 and 1, and -1 stands for no label"),
        (X, Y + 65533, "row 3 holds 65535, too many; classes are 0 to at most 65534"),
        (X, np.eye(3)[Y], "argmax of one-hot"),
        (X, np.zeros((6, 2, 2, 2)), "give one label"),
        (X, np.array([b"\xff"] * 6), "not UTF-8"),
        (X, np.array([b"a" * 300] * 6), "more than 256 characters"),
    ],
)
def test_faults_of_content(tmp_path, inputs, labels, words):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file["X"], file["y"] = inputs, labels
    with pytest.raises(DataError, match=words):
        data.load(path, task="classify")


def test_damaged_files(tmp_path):
    path = tmp_path / "d.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=X, chunks=X.shape, fletcher32=True)
    whole = path.read_bytes()
    place = whole.index(X.tobytes())
    for bad, words in (
        (whole[:-100], "damaged HDF5"),
        (whole[:200], "damaged HDF5"),
        (whole[: place + 9] + bytes([whole[place + 9] ^ 1]) + whole[place + 10 :], "damaged HDF5"),
        (b"", "is empty"),
        (b"1,2,3\n", "is text, not HDF5 as its name says"),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "is a damaged picture"),
        (bytes([7, 0, 9]) * 99, "binary data of another kind, not HDF5"),
    ):
        path.write_bytes(bad)
        with pytest.raises(DataError, match=words) as caught:
            data.load(path)
        assert len(str(caught.value).splitlines()) == 1


def test_user_block(tmp_path):
    with h5py.File(tmp_path / "d.mat", "w", userblock_size=512) as file:
        file["X"] = X
    np.testing.assert_array_equal(data.load(tmp_path / "d.mat").splits["train"].inputs, X.reshape(6, 10))


def test_no_plugin_is_ever_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("HDF5_PLUGIN_PRELOAD", "elsewhere")
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["X"] = X
    data.load(tmp_path / "d.h5")
    assert os.environ["HDF5_PLUGIN_PRELOAD"] == "::"


def test_standard_input(tmp_path, stdin):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["X"] = X
    stdin(stream.getvalue())
    dataset = data.load("-")
    assert dataset.name == "standard input"
    np.testing.assert_array_equal(dataset.splits["train"].inputs, X.reshape(6, 10))


def test_a_model_is_no_data():
    golden = Path(__file__).parents[2] / "golden" / "stack-1.h5"
    with pytest.raises(DataError, match=r"stack-1\.h5 is a deepnet model, not data; "):
        data.load(golden)

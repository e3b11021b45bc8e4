"""NPY and NPZ: names, shapes and types, and what is wrong with them."""

import io
import struct
import time
import zipfile

import numpy as np
import pytest

from deepnet import data
from deepnet.errors import DataError

X = np.linspace(0, 1, 30, dtype=np.float32).reshape(6, 5)
Y = np.array([0, 1, 2, 2, 1, 0])


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text, version=b"\1\0", body=b""):
    width = "<H" if version == b"\1\0" else "<I"
    return b"\x93NUMPY" + version + struct.pack(width, len(text)) + text.encode() + body


@pytest.mark.parametrize(
    "array",
    [
        X,
        X.astype(np.float64),
        np.asfortranarray(X),
        X.astype(">f4"),
        X.astype(np.float16),
        X > 0.5,
        (X * 9).astype(">i8"),
    ],
    ids=lambda a: f"{a.dtype.str} {'C' if a.flags.c_contiguous else 'F'}",
)
def test_npy(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    cases = data.load(tmp_path / "x.npy").splits["train"]
    assert cases.inputs.dtype == np.float32
    assert cases.inputs.dtype.isnative
    assert cases.inputs.flags.c_contiguous
    assert cases.inputs.flags.writeable
    assert cases.targets is None
    np.testing.assert_array_equal(cases.inputs, array.astype(np.float32))


@pytest.mark.parametrize(
    "shape,case", [((6, 20), (20,)), ((6, 4, 5), (4, 5)), ((6, 4, 5, 1), (4, 5)), ((6, 2, 5, 2), (2, 5, 2))]
)
def test_shape_of_a_case(tmp_path, shape, case):
    np.save(tmp_path / "x.npy", np.arange(120, dtype=np.uint8).reshape(shape))
    dataset = data.load(tmp_path / "x.npy")
    assert dataset.shape == case
    assert dataset.splits["train"].inputs.dtype == np.uint8
    assert dataset.splits["train"].inputs.shape == (6, 20)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("names", [("X", "y"), ("x_train", "y_train"), ("data", "labels"), ("data", "target")])
def test_names(tmp_path, save, names):
    save(tmp_path / "d.npz", **{names[0]: X, names[1]: Y, "other": X[:2]})
    dataset = data.load(tmp_path / "d.npz", task="classify")
    np.testing.assert_array_equal(dataset.splits["train"].inputs, X)
    np.testing.assert_array_equal(dataset.splits["train"].targets, Y)
    assert dataset.classes == ("0", "1", "2")
    assert dataset.name == "d.npz"


def test_all_splits_key_and_label(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x_train=X, y_train=Y, x_val=X[:3], y_val=Y[:3], x_test=X[:2], y_test=Y[:2], extra=Y[::-1])
    dataset = data.load(path, task="classify")
    assert {name: len(cases) for name, cases in dataset.splits.items()} == {"train": 6, "valid": 3, "test": 2}
    part = data.load(f"{path}:x_test", task="classify")
    np.testing.assert_array_equal(part.splits["train"].inputs, X[:2])
    np.testing.assert_array_equal(part.splits["train"].targets, Y[:2])
    other = data.load(f"{path}:x_train", label="extra", task="classify")
    np.testing.assert_array_equal(other.splits["train"].targets, Y[::-1])
    np.savez(path, only=X)
    assert data.load(path).splits["train"].targets is None


def test_text_labels(tmp_path):
    names = np.array(["cat", "dog", "eel", "eel", "dog", "cat"])
    for labels in (names, names.astype("S")):
        np.savez(tmp_path / "d.npz", X=X, y=labels)
        dataset = data.load(tmp_path / "d.npz", task="classify")
        assert dataset.classes == ("cat", "dog", "eel")
        np.testing.assert_array_equal(dataset.splits["train"].targets, Y)


def test_content_comes_before_the_name(tmp_path):
    (tmp_path / "x.csv").write_bytes(npy(X))
    np.testing.assert_array_equal(data.load(tmp_path / "x.csv").splits["train"].inputs, X)


PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n"
NPY_FAULTS = {
    "objects": (npy(np.array([[1, None]], object)), "no plain numbers"),
    "records": (npy(np.zeros((2, 2), "i4,f4")), "no plain numbers"),
    "dates": (npy(np.zeros((2, 2), "M8[s]")), "no plain numbers"),
    "complex": (npy(np.zeros((2, 2), complex)), "no plain numbers"),
    "text": (npy(np.array([["a", "b"]])), "holds text, not numbers"),
    "rank 0": (npy(np.float32(1)), "rank 0"),
    "rank 1": (npy(X[0]), "rank 1"),
    "rank 5": (npy(np.zeros((1, 1, 1, 1, 1))), "rank 5"),
    "no cases": (npy(X[:0]), "no cases"),
    "no columns": (npy(X[:, :0]), "no cases or no columns"),
    "nan": (npy(np.where(X[3, 1] == X, np.nan, X)), "row 4, column 2 holds nan"),
    "infinite": (npy(np.full((2, 3), -np.inf)), "row 1, column 1 holds -inf"),
    "too large": (npy(np.array([[0.0, 1e39]])), "row 1, column 2 holds inf"),
    "short": (npy(X)[:-1], "120 bytes, but holds 119"),
    "long": (npy(X) + b"x", "120 bytes, but holds 121"),
    "declared": (header(PLAIN % "(1000000000000, 2)", body=b"abcd"), "but holds 4"),
    "overflow": (header(PLAIN % "(4294967296, 4294967296)", body=b"abcd"), "but holds 4"),
    "2^64": (header(PLAIN % "(18446744073709551616, 0)"), "but holds 0"),
    "negative": (header(PLAIN % "(-1, 4)"), "cannot be read"),
    "digits": (header(PLAIN % f"({'9' * 5000}, 4)"), "cannot be read"),
    "brackets": (header("[" * 9000), "cannot be read"),
    "4 GiB": (b"\x93NUMPY\2\0\xff\xff\xff\xff{", "header of 4294967295 bytes"),
    "version": (b"\x93NUMPY\x09\0" + bytes(90), "version 1 or 2"),
    "cut": (b"\x93NUMPY\1\0\5", "header of 5 bytes"),
}


@pytest.mark.parametrize("fault", NPY_FAULTS)
def test_npy_faults(tmp_path, fault):
    content, words = NPY_FAULTS[fault]
    (tmp_path / "x.npy").write_bytes(content)
    began = time.monotonic()
    with pytest.raises(DataError, match=words) as caught:
        data.load(tmp_path / "x.npy")
    assert time.monotonic() - began < 1
    assert "x.npy" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def archive(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_faults(tmp_path):
    path = tmp_path / "d.npz"
    zeros = npy(np.zeros((1, 3_000_000), np.float32))
    for members, words in (
        ([("X.npy", npy(X)), ("X.npy", npy(X))], "twice or outside"),
        ([("../../evil.npy", npy(X)), ("X.npy", npy(X))], "twice or outside"),
        ([("X.npy", npy(X)), ("y.npy", npy(Y[:5]))], "6 cases but 5 labels"),
        ([("readme.txt", b"hello")], "holds no arrays"),
        ([("a.npy", npy(X)), ("b.npy", npy(X))], r"holds a, b, none named X.* give one as .*d\.npz:NAME"),
        ([("X.npy", npy(np.array([None])))], "no plain numbers"),
        ([("X.npy", b"hello")], "not an NPY file"),
        ([("X.npy", zeros[:-4])], "says shape"),
    ):
        archive(path, members)
        with pytest.raises(DataError, match=words):
            data.load(path)
    archive(path, [("X.npy", npy(X)), ("y.npy", npy(Y))])
    for name, words in (("z", r"no array z; it holds X, y"), ("../X", "no array")):
        with pytest.raises(DataError, match=words):
            data.load(f"{path}:{name}")
    with pytest.raises(DataError, match="no array z for --label"):
        data.load(path, label="z")
    with pytest.raises(DataError, match="--ignore 1 is for columns of CSV"):
        data.load(path, ignore=("1",))
    whole = path.read_bytes()
    for bad in (whole[:-30], whole[: len(whole) // 2], whole.replace(X[2].tobytes()[:8], b"12345678")):
        path.write_bytes(bad if bad != whole else whole[:60] + b"\0\0\0\0" + whole[64:])
        with pytest.raises(DataError, match="damaged or encrypted"):
            data.load(path)
    path.write_bytes(whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"))
    with pytest.raises(DataError, match="encrypted"):
        data.load(path)


def test_zip_that_declares_more_than_deflate_can_pack(tmp_path):
    path = tmp_path / "d.npz"
    archive(path, [("X.npy", npy(X))])
    whole = bytearray(path.read_bytes())
    entry = whole.rindex(b"PK\x01\x02")
    whole[entry + 24 : entry + 28] = struct.pack("<I", 2**31)  # size when unpacked
    path.write_bytes(whole)
    with pytest.raises(DataError, match="2147483648 bytes in"):
        data.load(path)

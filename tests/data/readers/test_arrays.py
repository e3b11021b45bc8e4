"""NPY and NPZ: names, shapes and types, and what is wrong with them."""

import numpy as np
import pytest

from deepnet import data, files
from deepnet.errors import DataError, OutputError
from tests.hostile import GOOD, NPY, NPZ, X, Y, npy, put


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


@pytest.mark.parametrize("fault", [*NPY, *NPZ])
def test_faults(tmp_path, fault):
    name, content, words = (NPY | NPZ)[fault]
    put(tmp_path / name, content)
    with pytest.raises((DataError, OutputError), match=words) as caught:
        data.load(tmp_path / name)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_keys_that_are_not_there(tmp_path):
    path = tmp_path / "d.npz"
    path.write_bytes(GOOD)
    for name, words in (("z", r"no array z; it holds X, y"), ("../X", "no array")):
        with pytest.raises(DataError, match=words):
            data.load(f"{path}:{name}")
    with pytest.raises(DataError, match="no array z for --label"):
        data.load(path, label="z")
    with pytest.raises(DataError, match="--ignore 1 is for columns of CSV"):
        data.load(path, ignore=("1",))


def test_an_array_that_does_not_fit_the_memory(tmp_path, monkeypatch):
    """Of 8-bit integers the float32 form counts too."""
    many = np.tile(X, (10, 1))
    monkeypatch.setattr(files.memory, "free_memory", lambda root: 2 * many.size)
    monkeypatch.setattr(files.memory, "resident", lambda root: (0, 0))
    np.save(tmp_path / "x.npy", many.astype(np.uint8))
    assert data.load(tmp_path / "x.npy").shape == (5,)
    np.save(tmp_path / "x.npy", many.astype(np.int8))
    with pytest.raises(OutputError, match=r"x\.npy, read at once, would take"):
        data.load(tmp_path / "x.npy")


def test_zeros_that_pack_well_are_data(tmp_path):
    """Not all that packs a thousandfold is a bomb."""
    np.savez_compressed(tmp_path / "d.npz", X=np.zeros((4000, 1000), np.float32))
    assert (tmp_path / "d.npz").stat().st_size * 900 < 16_000_000
    assert data.load(tmp_path / "d.npz").splits["train"].inputs.shape == (4000, 1000)

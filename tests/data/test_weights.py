"""Weights of cases: where each format has them, and what is refused."""

import h5py
import numpy as np
import pytest

from deepnet import data
from deepnet.data import checks as page
from deepnet.errors import DataError

X = np.arange(24, dtype=np.float32).reshape(8, 3)
KINDS = np.array([2, 0, 0, 1, 1, 2, 0, 0])
WEIGHTS = np.array([1, 0, 2.5, 0.125, 3, 1e-3, 7, 1])


def table(path, weights, quote="", header=True, label=True):
    """A CSV with the weights in its second column."""
    kinds = KINDS if label else [""] * 8
    rows = [[x[0], f"{quote}{w}{quote}", x[1], x[2], k] for x, w, k in zip(X, weights, kinds, strict=True)]
    lines = [*(["a,w,b,c,kind"] if header else []), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def archive(path, weights):
    np.savez(path, x=X, y=KINDS, w=weights, x_test=X[:2], y_test=KINDS[:2])
    return str(path)


def hdf5(path, weights):
    with h5py.File(path, "w") as file:
        file["x"], file["y"], file["w"], file["x_test"], file["y_test"] = X, KINDS, weights, X[:2], KINDS[:2]
    return str(path)


WRITERS = {"d.csv": table, "d.npz": archive, "d.h5": hdf5}


def read(name, folder, weights=WEIGHTS, weight="w", task="classify", **more):
    """The data of a format, written and read."""
    path = WRITERS[name](folder / name, weights)
    return data.load(path, weight=weight, task=task, label="kind" if name == "d.csv" else None, **more)


@pytest.mark.parametrize("task", ["classify", "regress", "reconstruct", None])
@pytest.mark.parametrize("name", WRITERS)
def test_formats(name, task, tmp_path):
    found = read(name, tmp_path, task=task)
    train = found.splits["train"]
    np.testing.assert_array_equal(train.weights, WEIGHTS.astype(np.float32))
    np.testing.assert_array_equal(train.inputs, X)
    if task == "classify":
        np.testing.assert_array_equal(train.targets, KINDS)
    assert all(cases.weights is None for split, cases in found.splits.items() if split != "train")
    assert found.columns == (("a", "b", "c") if name == "d.csv" else ())


@pytest.mark.parametrize("name", WRITERS)
def test_they_stay_with_their_cases(name, tmp_path):
    """Through splits and choices."""
    found = data.split(read(name, tmp_path), "3", 0)
    for cases in (found.splits["train"], found.splits["valid"]):
        np.testing.assert_array_equal(cases.weights, WEIGHTS[(cases.inputs[:, 0] / 3).astype(int)].astype(np.float32))
    only = data.only(read(name, tmp_path), ["0"]).splits["train"]
    np.testing.assert_array_equal(only.weights, WEIGHTS[KINDS == 0].astype(np.float32))


@pytest.mark.parametrize("name", WRITERS)
def test_a_model_that_was_trained_with_them_reads_the_file_without(name, tmp_path):
    """The same inputs and the same fingerprint."""
    one, other = read(name, tmp_path), read(name, tmp_path, weight=None, spare=("w",))
    assert other.splits["train"].weights is None
    assert one.fingerprint == other.fingerprint
    assert one.columns == other.columns


def test_tables_in_other_forms(tmp_path):
    """Quoted cells, a position, no header, several targets."""
    for more in ({"quote": '"'}, {"header": False}):
        path = table(tmp_path / "t.csv", WEIGHTS, **more)
        found = data.load(path, weight="2", label="5", task="classify").splits["train"]
        np.testing.assert_array_equal(found.weights, WEIGHTS.astype(np.float32))
        np.testing.assert_array_equal(found.inputs, X)
    found = data.load(table(tmp_path / "t.csv", WEIGHTS), weight="w", label="a,c", ignore=("kind",), task="regress")
    np.testing.assert_array_equal(found.splits["train"].targets, X[:, [0, 2]])
    np.testing.assert_array_equal(found.splits["train"].weights, WEIGHTS.astype(np.float32))


def test_one_array_beside_its_weights(tmp_path):
    np.savez(tmp_path / "d.npz", pixels=X, w=WEIGHTS)
    for words in ({"weight": "w"}, {"spare": ("w",)}):
        np.testing.assert_array_equal(data.load(str(tmp_path / "d.npz"), **words).splits["train"].inputs, X)


def put(value, row=3):
    """The weights with another value in a row."""
    return np.where(np.arange(8) == row, value, WEIGHTS)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("weights", "hint"),
    [
        (put(-1), "case 4 has the weight -1"),
        (put(np.nan), "nan"),
        (put(np.inf), "inf"),
        (0 * WEIGHTS, "weights are zero"),
    ],
    ids=["negative", "nan", "infinite", "zero"],
)
def test_weights_that_are_none(name, weights, hint, tmp_path):
    with pytest.raises(DataError, match=hint):
        read(name, tmp_path, weights)


@pytest.mark.parametrize("name", WRITERS)
def test_a_name_that_is_not_there(name, tmp_path):
    with pytest.raises(DataError, match=r"v.* for --weight"):
        read(name, tmp_path, weight="v")


def test_refused(tmp_path):
    path = table(tmp_path / "t.csv", ["heavy"] * 8)
    with pytest.raises(DataError, match="row 2, column 2 'w' holds 'heavy'"):
        data.load(path, weight="w", label="kind")
    with pytest.raises(DataError, match="--weight kind is the column of the labels"):
        data.load(path, weight="kind", label="kind")
    np.save(tmp_path / "x.npy", X)
    for source in (str(tmp_path / "x.npy"), "rectangles"):
        with pytest.raises(DataError, match="--weight w"):
            data.load(source, weight="w")
    for wrong in (np.ones(7), np.ones((8, 2))):
        with pytest.raises(DataError, match=r"shape .* for 8 cases"):
            page.as_weights(wrong, 8, "here")
    with pytest.raises(DataError, match="holds text"):
        page.as_weights(np.array(["a"] * 8), 8, "here")

"""Targets from labels: places of classes, the cases of some of them, and labels that are none."""

import h5py
import numpy as np
import pytest

from deepnet import data
from deepnet.data import Cases, Dataset
from deepnet.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(6, 2)
LETTERS = Dataset(
    "letters",
    {
        "train": Cases(X, np.array([0, 2, 2, 0, 2, 0])),
        "valid": Cases(X[:2], np.array([1, 1])),
        "test": Cases(X[:3], np.array([1, 2, -1])),
    },
    classes=("a", "b", "c"),
)


def test_places():
    assert data.places(LETTERS, ("c", "a")) == [2, 0]
    with pytest.raises(DataError, match="letters has no class 'd'; it has a, b, c"):
        data.places(LETTERS, ("a", "d"))


def test_only_some_classes():
    """Their cases in their order, without targets; splits with none of them go; a case without a label is of none."""
    found = data.only(LETTERS, ("c",))
    assert list(found.splits) == ["train", "test"]
    np.testing.assert_array_equal(found.splits["train"].inputs, X[[1, 2, 4]])
    np.testing.assert_array_equal(found.splits["test"].inputs, X[[1]])
    assert found.splits["train"].targets is None
    assert found.classes == ()
    assert data.only(LETTERS, ()) is LETTERS
    with pytest.raises(DataError, match="no training case of class b"):
        data.only(LETTERS, ("b",))


def test_many_classes(monkeypatch):
    monkeypatch.setattr("deepnet.data.tasks.MOST_CLASSES", 3)
    for count in (3, 4):
        dataset = Dataset("texts", {"train": Cases(X[:count], np.array(list("abcd")[:count]))})
        if count == 3:
            assert data.apply(dataset, "classify").classes == ("a", "b", "c")
        else:
            with pytest.raises(DataError, match="texts has 4 classes; at most 3"):
                data.apply(dataset, "classify")


def test_signs_alone_make_no_number():
    for labels in (["--1", "2"], ["-+1", "2"], ["-", "2"], ["+1", "2"]):
        dataset = Dataset("signs", {"train": Cases(X[:4], np.array(labels * 2))})
        assert data.apply(dataset, "classify").classes == tuple(labels)


@pytest.mark.parametrize("kind", [str, np.int64])
def test_amounts_are_no_classes(kind):
    """Whole numbers that are nearly all different are to be predicted; few, repeated or given classes are classes."""
    inputs = np.zeros((42, 1), np.float32)

    def classes(count, known=None):
        labels = np.array([kind(i % count) for i in range(42)])
        return data.apply(Dataset("rents", {"train": Cases(inputs, labels)}), "classify", known).classes

    for count in (22, 42):
        with pytest.raises(DataError, match=f"{count} different numbers in 42 cases.*--task regress"):
            classes(count)
    assert len(classes(21)) == 21
    assert len(classes(42, tuple(map(str, range(42))))) == 42
    names = Dataset("people", {"train": Cases(inputs, np.array([f"p{i}" for i in range(42)]))})
    assert len(data.apply(names, "classify").classes) == 42


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([b"caf\xe9"] * 6), "text that is not UTF-8"),
        (np.zeros(6, np.complex64), "not labels|variable length, references or records"),
    ],
)
def test_labels_that_are_none(labels, words, tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["X"], file["y"] = X, labels
    with pytest.raises(DataError, match=words):
        data.load(tmp_path / "d.h5", task="classify")

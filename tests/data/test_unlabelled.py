"""Cases without a label: how each format says so, how they are split and drawn."""

import h5py
import numpy as np
import pytest

from deepnet import data
from deepnet.data import Cases, splits
from deepnet.errors import DataError

X = np.arange(24, dtype=np.float32).reshape(8, 3)
FROZEN = [357, 423, 443, 644, 662, 915]  # a draw of six under seed 0: must never change
KINDS = np.array([2, -1, 0, 1, -1, 2, 0, 0])
NUMBERS = np.where(KINDS < 0, np.nan, KINDS).astype(np.float32)
TEXTS = np.where(KINDS < 0, "", KINDS.astype(str))


def table(path, labels, header=True):
    rows = [",".join([*map(str, row), str(label)]) for row, label in zip(X, labels, strict=True)]
    path.write_text("\n".join([*(["a,b,c,kind"] if header else []), *rows]) + "\n")
    return str(path)


def archive(path, labels):
    np.savez(path, x=X, y=labels)
    return str(path)


def hdf5(path, labels):
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = X, labels.astype("S") if labels.dtype.kind == "U" else labels
    return str(path)


@pytest.mark.parametrize("labels", [KINDS, NUMBERS, TEXTS], ids=["integers", "floats", "texts"])
@pytest.mark.parametrize("write", [archive, hdf5])
def test_classes_of_arrays(write, labels, tmp_path):
    found = data.load(write(tmp_path / ("d.h5" if write is hdf5 else "d.npz"), labels), task="classify")
    np.testing.assert_array_equal(found.splits["train"].targets, KINDS)
    assert found.classes == ("0", "1", "2")


@pytest.mark.parametrize("quote", [False, True], ids=["plain", "quoted"])
@pytest.mark.parametrize("words", [("0", "1", "2"), ("cat", "dog", "eel"), ("0.0", "1.0", "2.0")])
def test_classes_of_tables(words, quote, tmp_path):
    labels = ["" if k < 0 else f'"{words[k]}"' if quote else words[k] for k in KINDS]
    found = data.load(table(tmp_path / "t.csv", labels), task="classify", label="kind")
    np.testing.assert_array_equal(found.splits["train"].targets, KINDS)
    assert found.classes == tuple(word.removesuffix(".0") for word in words)


@pytest.mark.parametrize("word", ["NA", "?", "null", "N/A", "NaN"])
def test_words_for_no_value_are_no_class(word, tmp_path):
    """As among inputs; a note says so. Numbers to predict need none, and arrays know an empty text alone."""
    labels = ["" if n == 1 else word if k < 0 else f"kind {k}" for n, k in enumerate(KINDS)]
    (tmp_path / "more.csv").write_text("".join(f"{n},{'xy'[n % 2]},{label}\n" for n, label in enumerate(labels)))
    tables = {table(tmp_path / "t.csv", labels): "kind", str(tmp_path / "more.csv"): "3"}
    for path, name in tables.items():
        found = data.load(path, task="classify", label=name)
        np.testing.assert_array_equal(found.splits["train"].targets, KINDS)
        assert found.classes == ("kind 0", "kind 1", "kind 2")
        (note,) = found.notes
        assert note == f"{path}: the label '{word}' counts as none, in 1 case; a class needs another name"
    numbers = data.load(table(tmp_path / "n.csv", [word if k < 0 else k for k in KINDS]), task="regress", label="kind")
    np.testing.assert_array_equal(numbers.splits["train"].targets[:, 0], NUMBERS)
    assert numbers.notes == ()
    arrays = data.load(archive(tmp_path / "d.npz", np.array(labels)), task="classify")
    assert (word in arrays.classes, (arrays.splits["train"].targets < 0).sum()) == (True, 1)


def test_a_table_without_a_header_may_begin_without_a_label(tmp_path):
    labels = ["", *TEXTS[1:]]
    found = data.load(table(tmp_path / "t.csv", labels, header=False), task="classify", label="4")
    np.testing.assert_array_equal(found.splits["train"].targets, [-1, *KINDS[1:]])
    assert len(found.splits["train"]) == len(X)
    assert found.columns == ()


def test_a_header_may_begin_with_an_empty_name(tmp_path):
    (tmp_path / "t.csv").write_text(",0,1\n0,5.1,7\n1,4.9,8\n")
    assert data.load(str(tmp_path / "t.csv"), ignore=("1",)).columns == ("", "0")


@pytest.mark.parametrize("labels", [NUMBERS, TEXTS], ids=["floats", "texts"])
def test_numbers_to_predict(labels, tmp_path):
    for path in (archive(tmp_path / "d.npz", labels), table(tmp_path / "t.csv", TEXTS)):
        found = data.load(path, task="regress", label="kind" if path.endswith("csv") else None)
        np.testing.assert_array_equal(found.splits["train"].targets[:, 0], NUMBERS)


def test_minus_one_is_a_number_to_predict(tmp_path):
    found = data.load(archive(tmp_path / "d.npz", KINDS), task="regress")
    np.testing.assert_array_equal(found.splits["train"].targets[:, 0], KINDS)


def test_a_row_of_numbers_is_whole_or_none(tmp_path):
    labels = np.array([[1, 2], [np.nan, np.nan], *[[3, 4]] * 6])
    found = data.load(archive(tmp_path / "d.npz", labels), task="regress")
    assert data.has_label(found.splits["train"].targets).tolist() == [True, False, *[True] * 6]
    labels[0, 1] = np.nan
    with pytest.raises(DataError, match="row 1, column 2 holds nan"):
        data.load(archive(tmp_path / "e.npz", labels), task="regress")


def test_an_empty_input_is_no_empty_label(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,kind\n1,2,x\n3,,\n")
    found = data.load(str(tmp_path / "t.csv"), task="classify", label="kind")
    np.testing.assert_array_equal(found.splits["train"].inputs, [[1, 2, 0], [3, 2, 1]])
    np.testing.assert_array_equal(found.splits["train"].targets, [0, -1])


def mixed(count=1000):
    """Cases of four classes, the fourth rare, three of four without a label."""
    rng = np.random.default_rng(5)
    kinds = rng.choice(4, count, p=[0.4, 0.35, 0.23, 0.02])
    kinds[rng.random(count) < 0.75] = -1
    return kinds


FORMS = {
    "integers": lambda k: k.astype(np.int8),
    "floats": lambda k: np.where(k < 0, np.nan, k).astype(np.float64),
    "texts": lambda k: np.where(k < 0, "", k.astype(str)),
}


@pytest.mark.parametrize("count", [1, 37, 200, 777])
@pytest.mark.parametrize("form", FORMS)
def test_held_out_cases_do_not_depend_on_how_no_label_is_written(form, count):
    kinds = mixed()
    wanted = splits.choose(Cases(np.zeros((len(kinds), 1)), kinds), count, 3)
    found = splits.choose(Cases(np.zeros((len(kinds), 1)), FORMS[form](kinds)), count, 3)
    np.testing.assert_array_equal(found, wanted)
    share = np.bincount(kinds + 1) * count / len(kinds)
    assert (np.abs(np.bincount(kinds[wanted] + 1, minlength=5) - share) < 1).all()


def test_drawn_labels_are_balanced_nested_and_seeded():
    kinds = mixed()
    cases, there = Cases(np.zeros((len(kinds), 1)), kinds), np.bincount(kinds[kinds >= 0])
    before = np.zeros(len(kinds), bool)
    for count in (1, 4, 12, 13, 100, int(there.sum())):
        chosen = data.draw(cases, count, 7)
        found = np.bincount(kinds[chosen], minlength=4)
        assert chosen.sum() == count == found.sum()
        assert not (before & ~chosen).any()
        most = found.max()
        assert all(n >= most - 1 or n == limit for n, limit in zip(found, there, strict=True))
        before = chosen
    assert (data.draw(cases, 20, 1) != data.draw(cases, 20, 2)).any()
    assert np.flatnonzero(data.draw(cases, 6, 0)).tolist() == FROZEN
    with pytest.raises(
        DataError, match=f"--labels 999 is more than the {there.sum()} training cases that have a label"
    ):
        data.draw(cases, 999, 0)


def test_labels_are_drawn_of_all_cases_alike():
    """Each case of a class is as likely as another: the mean place over many seeds is the middle."""
    cases = Cases(np.zeros((50, 1)), np.arange(50) % 2)
    counts = sum(data.draw(cases, 10, seed) for seed in range(400))
    assert counts.sum() == 4000
    assert abs(counts - 80).max() < 5 * np.sqrt(400 * 0.2 * 0.8)

"""Validation cases: by fraction, count, end, none, and from another file."""

import numpy as np
import pytest

from deepnet import data
from deepnet.data import Cases, Dataset
from deepnet.errors import DataError, UsageError

COUNTS = (503, 97, 300, 1, 99)
FROZEN = [0, 1, 3, 14, 16, 18, 24, 42]  # first cases of a fifth under seed 0: must never change


def dataset(classes=True):
    rng = np.random.default_rng(0)
    targets = rng.permutation(np.repeat(np.arange(len(COUNTS)), COUNTS))
    rows = np.arange(len(targets), dtype=np.float32)[:, None]
    names = tuple("abcde") if classes else ()
    splits = {"train": Cases(rows, targets if classes else rows.copy()), "test": Cases(rows[:5], targets[:5])}
    return Dataset("d", splits, names, (1,), (), "f" * 64)


@pytest.mark.parametrize("valid,count", [("0.1", 100), ("10", 10), ("999", 999), ("0.0001", 1), ("last:10", 10)])
@pytest.mark.parametrize("classes", [True, False])
def test_disjoint_complete_and_in_order(valid, count, classes):
    before = dataset(classes)
    after = data.split(before, valid, 3)
    train, held = after.splits["train"], after.splits["valid"]
    assert len(held) == count
    both = np.concatenate([train.inputs, held.inputs])[:, 0]
    np.testing.assert_array_equal(np.sort(both), np.arange(1000))
    for part in (train, held):
        rows = part.inputs[:, 0].astype(int)
        assert (np.diff(rows) > 0).all()
        np.testing.assert_array_equal(part.targets, before.splits["train"].targets[rows])
    assert after.splits["test"] is before.splits["test"]
    assert after.fingerprint == before.fingerprint


@pytest.mark.parametrize("count", [1, 7, 100, 333, 998])
def test_stratified_by_largest_remainder(count):
    held = data.split(dataset(), str(count), 0).splits["valid"].targets
    share = np.array(COUNTS) * count / 1000
    found = np.bincount(held, minlength=5)
    assert found.sum() == count
    assert (np.abs(found - share) < 1).all()
    up = found > np.floor(share)
    rest = share - np.floor(share)
    assert rest[up].min(initial=1) >= rest[~up].max(initial=0)


def test_seeded():
    def rows(seed):
        return data.split(dataset(), "0.2", seed).splits["valid"].inputs[:, 0].tolist()

    assert rows(1) == rows(1)
    assert len(set(rows(1)) & set(rows(2))) < 100  # 40 expected of 200
    assert rows(0)[:8] == FROZEN


def test_last_and_none():
    after = data.split(dataset(), "last:3", 0)
    np.testing.assert_array_equal(after.splits["valid"].inputs[:, 0], [997, 998, 999])
    again = data.split(after, "none", 0)
    assert set(again.splits) == {"train", "test"}
    assert list(data.split(after, "5", 0).splits) == ["train", "valid", "test"]


def test_what_valid_says():
    assert data.parse_valid("0.25") == ("fraction", 0.25)
    assert data.parse_valid("10000") == ("count", 10000)
    assert data.parse_valid("last:7") == ("last", 7)
    assert data.parse_valid("none") == ("none", 0)
    assert data.parse_valid("held/out.csv") == ("path", "held/out.csv")
    for text in ("0", "1.0", "1.5", "-0.1", "-3", "last:0", "last:x", "last:", "nan", "inf", "9" * 30):
        with pytest.raises(UsageError, match="--valid"):
            data.parse_valid(text)
    with pytest.raises(DataError, match="takes all of the 1000 training cases"):
        data.split(dataset(), "1000", 0)
    with pytest.raises(UsageError, match=r"--valid x\.h5"):
        data.split(dataset(), "x.h5", 0)


def test_join(tmp_path):
    path, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("a,b,class\n1,2,x\n3,4,y\n")
    other.write_text("a,b,class\n5,6,y\n")
    first = data.load(path, task="classify")
    second = data.load(other, task="classify", classes=first.classes)
    both = data.join(first, second)
    np.testing.assert_array_equal(both.splits["valid"].targets, [1])
    assert both.fingerprint not in (first.fingerprint, second.fingerprint)
    other.write_text("b,a,class\n5,6,y\n")
    with pytest.raises(DataError, match=r"b\.csv: column 'b' stands where a\.csv has 'a'"):
        data.join(first, data.load(other, task="classify", classes=first.classes))
    other.write_text("a,class\n5,y\n")
    with pytest.raises(DataError, match=r"shape \(1,\), in a\.csv \(2,\)"):
        data.join(first, data.load(other, task="classify", classes=first.classes))
    other.write_text("a,b,class\n5,6,y\n")
    with pytest.raises(DataError, match="other classes"):
        data.join(first, data.load(other, task="classify"))


LABELS = {
    "integers": np.array([7, 3, 3, 10, 1] * 41),
    "whole floats": np.array([7.0, 3, 3, 10, 1] * 41),
    "text": np.array(["b", "a", "a", "c", "d d"] * 41),
    "text of numbers": np.array(["9", "10", "10", "2.0", "11"] * 41),
    "booleans": np.arange(205) % 3 == 0,
    "bytes": np.arange(205, dtype=np.uint8) % 9,
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("valid", ["0.1", "17", "99"])
def test_pretraining_holds_out_what_fine_tuning_does(kind, valid, tmp_path):
    """Labels as stored and class indices give the same cases, of each class its share."""
    rows = np.arange(205, dtype=np.float32)[:, None]
    np.savez(tmp_path / "d.npz", X=rows, y=LABELS[kind])
    held = [
        data.split(data.load(tmp_path / "d.npz", task=task), valid, 5).splits["valid"] for task in (None, "classify")
    ]
    np.testing.assert_array_equal(held[0].inputs, held[1].inputs)
    found = {name: (held[0].targets == name).sum() for name in np.unique(LABELS[kind])}
    share = {name: (LABELS[kind] == name).sum() * len(held[0]) / 205 for name in found}
    assert all(abs(found[name] - share[name]) < 1 for name in found)


def test_the_same_cases_of_a_table(tmp_path):
    path = tmp_path / "d.csv"
    kinds = ["late one", "early", "early", "12", "3"]
    path.write_text("a,b,kind\n" + "".join(f"{n},{n * n},{kinds[n % 5]}\n" for n in range(100)))
    held = [data.split(data.load(path, label="kind", task=task), "0.21", 0).splits["valid"]
            for task in (None, "classify")]  # fmt: skip
    np.testing.assert_array_equal(held[0].inputs, held[1].inputs)
    assert len(held[0]) == 21


@pytest.mark.parametrize("whole", [True, False])
def test_numbers_to_predict_are_drawn_from_all_of_their_range(tmp_path, whole):
    """Values that hardly repeat must not hold out the smallest of them; pre-training holds out the same."""
    path = tmp_path / "d.csv"
    prices = [1000 + n if whole else 1000.5 + n / 7 for n in range(400)]
    path.write_text("a,price\n" + "".join(f"{n},{price}\n" for n, price in enumerate(prices)))
    held = [data.split(data.load(path, label="price", task=task), "0.1", 0).splits["valid"]
            for task in (None, "regress")]  # fmt: skip
    np.testing.assert_array_equal(held[0].inputs, held[1].inputs)
    assert len(held[0]) == 40
    assert 120 < held[0].inputs.mean() < 280

"""svmlight: sparse lines, what they count from, how wide they are, and what is wrong with them."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet import data, files
from deepnet.errors import DataError, OutputError, UsageError
from tests.hostile import SVMLIGHT, put

TEXT = b"# a comment\n+1 1:0.5 4:-2e1 # another\n\n-1\r\n+1 2:3\n"
ROWS = [[0.5, 0, 0, -20], [0, 0, 0, 0], [0, 3, 0, 0]]
ROW = st.dictionaries(st.integers(1, 40), st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=9)


def load(folder, text, **options):
    (folder / "t.svm").write_bytes(text)
    return data.load(folder / "t.svm", **options)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_lines(tmp_path, pack):
    found = load(tmp_path, pack(TEXT), task="classify")
    np.testing.assert_array_equal(found.splits["train"].inputs, np.float32(ROWS))
    assert found.classes == ("-1", "1")
    np.testing.assert_array_equal(found.splits["train"].targets, [1, 0, 1])
    assert (found.columns, found.shape, found.format) == (("1", "2", "3", "4"), (4,), "svmlight")
    numbers = load(tmp_path, TEXT, task="regress").splits["train"].targets
    np.testing.assert_array_equal(numbers, [[1], [-1], [1]])


@given(st.lists(ROW, min_size=1, max_size=6).filter(any))
def test_what_is_written_is_read(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("svm")
    lines = [" ".join(["1", *(f"{i}:{v!r}" for i, v in sorted(row.items()))]) for row in rows]
    found = load(folder, "\n".join(sorted(lines, key=len, reverse=True)).encode() + b"\n", size="40")
    rows = [row for _, row in sorted(zip(lines, rows, strict=True), key=lambda pair: len(pair[0]), reverse=True)]
    first = 0 if any(0 in row for row in rows) else 1
    expected = np.zeros((len(rows), 40), np.float32)
    for n, row in enumerate(rows):
        for i, v in row.items():
            expected[n, i - first] = v
    np.testing.assert_array_equal(found.splits["train"].inputs, expected)


def test_what_indices_count_from(tmp_path):
    """The model's data tell where the file does not, so that a file without an index 0 is not read one column off."""
    known = load(tmp_path, b"1 0:1 3:1\n")
    assert (known.columns, known.shape) == (("0", "1", "2", "3"), (4,))
    other = load(tmp_path, b"1 1:5\n", like=known)
    np.testing.assert_array_equal(other.splits["train"].inputs, [[0, 5, 0, 0]])
    np.testing.assert_array_equal(load(tmp_path, b"1 1:5\n").splits["train"].inputs, [[5]])


def test_width(tmp_path):
    assert load(tmp_path, TEXT, size="123").shape == (123,)
    assert load(tmp_path, TEXT, size="2x3").shape == (2, 3)
    with pytest.raises(DataError, match="row 2 has index 4, beyond the 3 columns of --size 3; give data"):
        load(tmp_path, TEXT, size="3")
    narrow = load(tmp_path, b"1 2:1\n")
    with pytest.raises(DataError, match="row 2 has index 4, beyond the 2 columns of what it is to be read like"):
        load(tmp_path, TEXT, like=narrow)
    for size in ("0", "x", "3x", "2x2x2", "-3", "1000000000", "３"):
        with pytest.raises(UsageError, match=r"--size .*: write HEIGHTxWIDTH"):
            load(tmp_path, TEXT, size=size)
    with pytest.raises(DataError, match="--label a is for tables"):
        load(tmp_path, TEXT, label="a")


def test_rows_of_labels_are_those_of_the_file(tmp_path):
    with pytest.raises(DataError, match=r"row 1 holds a, no number|row 1 holds 'a', no number"):
        load(tmp_path, b"a 1:1\n2 1:2\n", task="regress")


def test_standard_input(tmp_path, stdin):
    stdin(TEXT)
    np.testing.assert_array_equal(data.load("-").splits["train"].inputs, np.float32(ROWS))


def test_a_table_is_none(tmp_path):
    """Times of day are no pairs of an index and a value."""
    for name, text in (("t.csv", b"1 2:3\n"), ("t.txt", b"day,2:30:00,5\n1,2:3,4\n")):
        (tmp_path / name).write_bytes(text)
        with pytest.raises(DataError, match=r"where a number is due|a header but no rows|no rows"):
            data.load(tmp_path / name, like=data.Dataset("a model of numbers", {}))


@pytest.mark.parametrize("fault", [name for name in SVMLIGHT if "GB" not in name and "together" not in name])
def test_faults(tmp_path, fault):
    name, content, words = SVMLIGHT[fault]
    put(tmp_path / name, content)
    with pytest.raises(DataError, match=words):
        data.load(tmp_path / name)


def test_cases_too_large_together_are_refused_on_the_way(tmp_path, monkeypatch):
    """Before all of a long file is read, and so before the fault that it ends in."""
    monkeypatch.setattr(files.memory, "free_memory", lambda root: 1 << 30)
    monkeypatch.setattr(files.memory, "resident", lambda root: (0, 0))
    with pytest.raises(OutputError, match=r"t\.svm, read at once, would take"):
        load(tmp_path, b"1 2:3\n1 99999:1\n" * 4096 + b"1 x\n")
    with pytest.raises(DataError, match="row 8193 holds 'x'"):
        load(tmp_path, b"1 2:3\n1 999:1\n" * 4096 + b"1 x\n")

"""Cases as they come are those of the file read whole, wherever it is cut; all good ones come before a fault."""

import gzip
import io
import itertools
import json

import numpy as np
import pytest

from deepnet import data
from deepnet.data.readers import arrays, csv, faults
from deepnet.errors import DataError

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
TABLE = "a,b,c,d,e\n" + "".join(",".join(map(repr, row)) + "\n" for row in X.tolist())
LINES = "".join(json.dumps(dict(zip("abcde", row, strict=True))) + "\n" for row in X.tolist())
NUMBERS = data.Dataset("a model of numbers", {})


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


FILES = {
    "t.csv": TABLE.encode(),
    "t.csv.gz": gzip.compress(TABLE.encode()),
    "quoted.csv": TABLE.replace(",", '","').replace("\n", '"\r\n"').join('""').removesuffix('""').encode(),
    "t.jsonl": LINES.encode(),
    "t.npy": npy(X),
    "double.npy": npy(X.astype(np.float64)),
}


@pytest.fixture(params=[1, 7, 64, 1 << 20])
def pieces(request, monkeypatch):
    """Streams are read in pieces of so many bytes."""

    def cut(stream, most):
        return iter(lambda: stream.read(request.param), b"")

    for page in (csv, arrays):
        monkeypatch.setattr(page, "pieces", cut)


def all_of(stream):
    return np.concatenate([dataset.splits[stream.split].inputs for dataset in stream.datasets])


@pytest.mark.parametrize("name", FILES)
def test_a_stream_is_the_file(name, tmp_path, pieces, stdin):
    (tmp_path / name).write_bytes(FILES[name])
    stdin(FILES[name])
    for source in (tmp_path / name, "-"):
        stream = data.stream(source, like=NUMBERS)
        np.testing.assert_array_equal(all_of(stream), X)
        assert stream.cases in (None, 60)
        assert stream.dataset.columns == (() if name.endswith("npy") else tuple("abcde"))


def test_labels_and_columns_are_left_out(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    np.testing.assert_array_equal(
        all_of(data.stream(tmp_path / "t.csv", label="c", ignore=("a",), like=NUMBERS)), X[:, [1, 3, 4]]
    )
    np.testing.assert_array_equal(all_of(data.stream(tmp_path / "t.csv", label="a,e", like=NUMBERS)), X[:, 1:4])


def test_what_is_not_streamed_is_one_piece(tmp_path, stdin):
    np.savez(tmp_path / "t.npz", x_train=X, x_test=X[:9])
    np.save(tmp_path / "fortran.npy", np.asfortranarray(X))
    stdin((tmp_path / "t.npz").read_bytes())
    for source, split, count in (
        (tmp_path / "t.npz", None, 9),
        (tmp_path / "t.npz", "train", 60),
        (tmp_path / "fortran.npy", None, 60),
        ("-", "test", 9),
    ):
        stream = data.stream(source, split=split, like=NUMBERS)
        assert stream.cases == count
        np.testing.assert_array_equal(all_of(stream), X[:count])
    with pytest.raises(DataError, match="no split test; give --split train"):
        data.stream(tmp_path / "fortran.npy", split="test", like=NUMBERS)


def test_an_array_that_is_not_case_by_case_has_no_stream(stdin):
    stdin(npy(np.asfortranarray(X)))
    with pytest.raises(DataError, match=r"standard input is in Fortran order.*numpy.ascontiguousarray"):
        data.stream("-", like=NUMBERS)


def nan(array, row):
    array = array.copy()
    array[row, 2] = np.nan
    return array


FAULTS = {  # content, cases before the fault, words
    "ragged": (TABLE.encode() + b"1,2\n" + TABLE.encode(), 60, "row 62 has 2 columns, the first row has 5"),
    "text": (TABLE.encode() + b"1,2,3,4,x\n1,2,3,4,5\n", 60, "row 62, column 5 'e' holds 'x' where a number is due"),
    "quote": (TABLE.encode() + b'1,2,3,4,"5\n1,2,3,4,5\n', 60, "row 62 cannot be read as CSV"),
    "NUL": (TABLE.encode() + b"1,2,3,4,\0\n", 60, "row 62 holds a NUL byte"),
    "no UTF-8": (TABLE.encode() + b"1,2,3,4,\xe9\n1,2,3,4,5\n", 60, "row 62 is not UTF-8"),
    "JSON": (LINES.encode() + b'{"a": 1}\n[1]\n', 60, "row 61, column 2 'b' is empty"),
    "no JSON": (LINES.encode() + b"{\n" + LINES.encode(), 60, "row 61 is no JSON"),
    "NaN": (npy(nan(X, 33)), 33, "row 34, column 3 holds nan"),
    "too short": (npy(X)[:-5], 59, "says that it has 60 cases, but holds only 59"),
    "too long": (npy(X) + b"x", 60, "says that it has 60 cases, but more follow"),
    "cut": (gzip.compress(TABLE.encode())[:-9], None, "damaged gzip"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_lies_before_a_fault_comes_before_it(name, pieces, stdin):
    content, count, words = FAULTS[name]
    stdin(content)
    found = []
    with pytest.raises(DataError, match=rf"standard input.* {words}"):
        found.extend(dataset.splits["train"].inputs for dataset in data.stream("-", like=NUMBERS).datasets)
    if count is not None:
        np.testing.assert_array_equal(np.concatenate(found), X[:count])


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:-8] + bytes(8)])
@pytest.mark.parametrize("text", [TABLE, LINES])
def test_a_damaged_gzip_file_is_refused_before_its_first_case(text, damage, tmp_path):
    (tmp_path / "t.gz").write_bytes(damage(gzip.compress(text.encode())))
    with pytest.raises(DataError, match=r"t\.gz is a damaged gzip file"):
        data.stream(tmp_path / "t.gz", like=NUMBERS)


def test_halves_leave_no_quote_open():
    text = '1,"2\n\n3"\n4,5\n"a\nb",6\n'
    for cut in (faults.halves(text, 1), faults.halves(text, 7)):
        assert "".join(part for part, _ in cut) == text
        assert all(part.count('"') % 2 == 0 and part.endswith("\n") for part, _ in cut)
    assert faults.halves("1,2\n", 1) == []
    assert faults.halves('1,"2\n3\n', 1) == []


def test_a_header_waits_for_its_first_case(monkeypatch):
    """Numbers are a case at once; names wait for a second line, which tells that they are names."""
    read = []

    def come(*parts):
        for part in parts:
            read.append(part)
            yield part

    for parts, before in (([b"1,2\n", b"3,4\n"], 1), ([b"\n\n", b"a,2\n", b"3,4\n", b"5,6\n"], 3)):
        read.clear()
        monkeypatch.setattr(csv, "pieces", lambda *_, parts=parts: come(*parts))
        _, datasets = csv.stream(data.dataset.Source("t", None, None), data.Options(like=NUMBERS), None)
        first = next(datasets)
        assert len(read) == before
        assert len(list(itertools.chain([first], datasets))) == 2

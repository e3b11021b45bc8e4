"""What pyarrow makes of plain lines is what np.loadtxt makes of them, cell for cell, or nothing."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepnet import data
from deepnet.data.readers import arrow, csv
from deepnet.data.readers.table import Table

NUMBER = st.floats(width=64).map(repr) | st.integers(-(10**25), 10**25).map(str)
DIGITS = st.text("0123456789+-.eExXnaif _", min_size=1, max_size=12)
ODD = st.sampled_from(["", " 1", "1 ", "+1", "1.", ".5", "1e5", "1E-5", "0x10", "1e999", "nan", "inf", "1_0", "true",
                       "\u0661", "NULL", "'1'", "#1", "1f", "1d0", "4.9e-324", "16777217", "3.4028236e38"])  # fmt: skip
CELL = NUMBER | DIGITS | ODD
LABEL = st.text(st.characters(exclude_characters='\n\r\0,"', exclude_categories=["Cs"]), max_size=8)


def table(width, labels=()):
    inputs = tuple(n for n in range(width) if n not in labels)
    return Table({"delimiter": ","}, width, (), inputs, labels, False)


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(arrow, "LEAST", 0)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4))
@example([("1", "+1")])
@example([(" 1", "2 ")])
@example([("1", "2"), ("", "3")])
def test_numbers(rows):
    lines = [",".join(row) for row in rows]
    found, plain = arrow.parse(table(2), lines), csv._loaded(table(2), lines)
    if found is not None and np.isfinite(found[0]).all():
        assert plain is not None
        np.testing.assert_array_equal(found[0].view(np.uint32), plain[0].view(np.uint32))


@given(st.lists(st.tuples(st.floats(-(2.0**99), 2.0**99), LABEL), min_size=1, max_size=4))
def test_labels(rows):
    lines = [f"{number!r},{text}" for number, text in rows]
    found, plain = arrow.parse(table(2, (1,)), lines), csv._loaded(table(2, (1,)), lines)
    if plain is not None:
        np.testing.assert_array_equal(found[0], plain[0])
        assert found[1] == plain[1]


def test_whole_files_have_the_same_fingerprint(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    values = rng.normal(size=(500, 6)) * 10.0 ** rng.integers(-30, 30, (500, 6))
    text = "".join(",".join(map(repr, row)) + f",k{n % 3}\n" for n, row in enumerate(values.tolist()))
    (tmp_path / "t.csv").write_text(text)
    calls = []
    monkeypatch.setattr(csv, "_loaded", lambda *given: calls.append(given))
    fast = data.load(str(tmp_path / "t.csv"), label="7")
    assert not calls
    monkeypatch.undo()
    monkeypatch.setattr(arrow, "LEAST", 1 << 60)
    slow = data.load(str(tmp_path / "t.csv"), label="7")
    assert fast.fingerprint == slow.fingerprint


def test_without_pyarrow_nothing_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "optional", lambda name: None)
    assert arrow.parse(table(1), ["1", "2"]) is None
    (tmp_path / "t.csv").write_text("1,2\n3,4\n")
    assert data.load(str(tmp_path / "t.csv")).shape == (2,)

"""Columns as they grow: what a cell is, and what a column may hold."""

import numpy as np
import pytest

from deepnet.data.columns import MISSING, MOST_BY_HAND, MOST_VALUES, UNSEEN, Builder, canonical, is_missing, is_number
from deepnet.errors import DataError

LONG = "-10000000000000001", "10000000000000000", "10000000000000001", "10000000000000002"  # as one number of two


def column(*blocks, kind=None, known=None):
    builder, row = Builder("t.csv", "c", 3, kind, known), 2
    for cells in blocks:
        builder.add(cells, range(row, row + len(cells)))
        row += len(cells)
    return builder.finish()


@pytest.mark.parametrize("cell", ["", " ", "NA", "na", "N/A", "nan", "NaN", "null", "NULL", "?", " ? "])
def test_missing_cells(cell):
    assert is_missing(cell)
    assert not is_number(cell)
    np.testing.assert_array_equal(column(["1", cell, "2.5"]).cells, np.float32([1, np.nan, 2.5]))
    found = column(["x", cell, "y"])
    assert found.cells.tolist() == [0, MISSING, 1]


def test_one_text_for_what_is_the_same():
    for same in (("1", "1.0", " 01", "1e0"), ("true", "True", "TRUE"), ("-0.5", "-.5"), ("red", " red ")):
        assert len({canonical(cell) for cell in same}) == 1
    for other in (("1", "1.5"), ("red", "Red"), ("1_0", "10"), ("inf", "1e999"), ("1e30", "1e31"), LONG):
        assert len({canonical(cell) for cell in other}) == len(other)


def test_true_is_1_to_a_flag_that_knows_1():
    for known, cells in ((("0", "1"), ["true", "False", "1"]), (("false", "true"), ["1", "0", "TRUE"])):
        assert column(cells, kind="text", known=known).cells.tolist() == [1, 0, 1]
    assert column(["true"], kind="text", known=("0", "1", "2")).cells.tolist() == [UNSEEN]
    assert column(["2", "yes"], kind="text", known=("0", "1")).cells.tolist() == [UNSEEN, UNSEEN]


def test_blocks_of_nothing_may_come_first():
    np.testing.assert_array_equal(column(["", "?"], ["1"]).cells, np.float32([np.nan, np.nan, 1]))
    found = column(["", "?"], ["x", "y"], ["", ""], ["x"])
    assert (found.cells.tolist(), found.values) == ([-1, -1, *found.cells[2:4], -1, -1, found.cells[2]], found.values)
    assert {found.values[n] for n in found.cells[2:4]} == {"x", "y"}


@pytest.mark.parametrize(
    "blocks,words",
    [
        ([["1", "x"]], "row 3, column 3 'c' holds 'x' where a number is due; .*--category 'c'.*--ignore 'c'"),
        ([["1", "2"], ["", "x"]], "row 5, column 3 'c' holds 'x' where a number is due"),
        ([["x", "y"], ["", "7"]], "row 5, column 3 'c' holds '7' among texts"),
        ([["1", "1_0"]], "row 3, .*holds '1_0' where a number is due"),
        ([["1", "inf"]], "row 3, .*holds inf, not a finite float32"),
        ([["?", "1e39"]], "row 3, .*holds 1e39, not a finite float32"),
        ([["1", "0,5"]], "column 3 'c' holds numbers with commas, such as '0,5'; .*tr , [.] .*--category 'c'"),
        ([["0,5", "?"], ["", "7"]], "holds numbers with commas, such as '0,5'"),
        ([[f"{n},5" for n in range(MOST_VALUES + 1)]], "holds numbers with commas, such as '0,5'"),
        (
            [["900", "1,234", "1,234,567"]],
            "numbers with commas, such as '1,234'; write them without commas, or give --c",
        ),
        ([["900", "1,234", "0,5"]], "numbers with commas, such as '1,234'; write them with points"),
        ([["7", "8", "9 €", "10"]], "holds numbers with €, such as '9 €'; write them without €, or"),
        ([["1", "0,5", "x"]], "row 3, column 3 'c' holds '0,5' where a number is due"),
        ([["x" * 257]], "has a text of more than 256 characters, .*--ignore 'c'"),
        ([[f"x{n}" for n in range(60)], [f"y{n}" for n in range(60)]], f"has more than {MOST_VALUES} different texts"),
    ],
)
def test_refusals(blocks, words):
    with pytest.raises(DataError, match=words) as caught:
        column(*blocks)
    assert "t.csv: " in str(caught.value)


def test_by_hand_numbers_are_texts_too():
    found = column(["1", "1.0", "x", ""], kind="text")
    assert [found.values[n] if n >= 0 else None for n in found.cells] == ["1", "1", "x", None]
    many = [str(n) for n in range(MOST_BY_HAND)]
    assert len(column(many, kind="text").values) == MOST_BY_HAND
    with pytest.raises(DataError, match=f"more than {MOST_BY_HAND} different"):
        column([*many, "x"], kind="text")


def test_of_known_texts_others_are_unseen():
    found = column(["b", "z", "", "a"], [f"{n}" for n in range(200)], kind="text", known=("a", "b"))
    assert found.cells[:4].tolist() == [1, UNSEEN, MISSING, 0]
    assert found.values == ("a", "b")
    assert (found.cells[4:] == UNSEEN).all()


def test_a_model_s_numbers_are_numbers():
    with pytest.raises(DataError, match=r"row 2, .*holds 'x' where a number is due"):
        column(["x", "y"], kind="number")

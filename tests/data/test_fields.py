"""Fields learned from columns, and columns encoded by fields."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet.data import Cases, Dataset
from deepnet.data import fields as page
from deepnet.data.columns import Builder, canonical
from deepnet.errors import DataError, UsageError
from deepnet.nn.fields import Field, named, names, places, units

NUMBERS = st.lists(st.none() | st.floats(-(2.0**99), 2.0**99, width=32, allow_subnormal=False), min_size=8, max_size=8)
TEXTS = st.lists(st.none() | st.sampled_from(["red", "green", "blue", "Red", "a b", "ü"]), min_size=8, max_size=8)
COLUMNS = st.lists(NUMBERS | TEXTS, min_size=1, max_size=5).filter(
    lambda columns: all(any(cell is not None for cell in column) for column in columns)
)


def built(cells, name="c", position=1, kind=None, known=None):
    builder = Builder("t.csv", name, position, kind, known)
    builder.add(["" if cell is None else str(cell) for cell in cells], range(2, 2 + len(cells)))
    return builder.finish()


def table(columns):
    return [built(cells, f"c{n}", n + 1) for n, cells in enumerate(columns)]


def again(fields, columns):
    """Columns as a model of these fields has them read."""
    known = [("number", None) if f.kind == "number" else ("text", f.values) for f in fields]
    return [built(cells, f"c{n}", n + 1, *how) for n, (cells, how) in enumerate(zip(columns, known, strict=True))]


def decoded(fields, inputs):
    """Cells of the encoded cases, None for missing ones, NaN where that cannot be told."""
    unit = {place: n for n, place in enumerate(places(fields))}
    found = []
    for n, field in enumerate(fields):
        if field.kind == "category":
            group = inputs[:, [unit[n, k] for k in range(len(field.values))]]
            cells = [field.values[row.argmax()] if row.any() else None for row in group]
        else:
            values = inputs[:, unit[n, "value"]]
            none = inputs[:, unit[n, "missing"]] == 1 if field.missing else np.zeros(len(inputs), bool)
            whole = [field.values[int(v)] if v in (0, 1) else np.nan for v in values] if field.values else values
            cells = [None if gone else cell for gone, cell in zip(none, whole, strict=True)]
        found.append(cells)
    return found


@given(COLUMNS)
def test_what_is_encoded_can_be_read_back(columns):
    read = table(columns)
    fields = page.learn("t.csv", read)
    inputs = page.encode("t.csv", fields, read)
    assert inputs.shape == (8, len(names(fields)))
    assert np.isfinite(inputs).all()
    for field, cells, back in zip(fields, columns, decoded(fields, inputs), strict=True):
        if field.kind == "number":
            assert [None if c is None else np.float32(c) for c in cells] == back
        else:
            assert [None if c is None else canonical(str(c)) for c in cells] == back


@given(COLUMNS)
def test_a_model_reads_the_same_table_the_same(columns):
    read = table(columns)
    fields = page.learn("t.csv", read)
    other = again(fields, columns)
    np.testing.assert_array_equal(page.encode("t.csv", fields, other), page.encode("t.csv", fields, read))
    assert page.fingerprint(fields, other, None) == page.fingerprint(fields, read, None)
    assert page.strange(fields, other) == {}


@given(COLUMNS, st.permutations(range(8)))
def test_fields_do_not_depend_on_the_order_of_rows(columns, order):
    one, other = page.learn("t", table(columns)), page.learn("t", table([[c[n] for n in order] for c in columns]))
    assert [replace(f, fill=0.0) for f in one] == [replace(f, fill=0.0) for f in other]
    np.testing.assert_allclose([f.fill for f in one], [f.fill for f in other], rtol=1e-6, atol=1e23)


@given(COLUMNS)
def test_units_are_what_their_columns_hold(columns):
    fields = page.learn("t.csv", table(columns))
    inputs, first = page.encode("t.csv", fields, table(columns)), 0
    for unit, width in units(fields):
        part, first = inputs[:, first : first + width], first + width
        if unit == "logistic":
            assert (part >= 0).all() and (part <= 1).all()  # noqa: PT018
        if unit == "softmax":
            assert set(np.unique(part)) <= {0, 1}
            assert set(part.sum(axis=1)) <= {0, 1}
    assert first == inputs.shape[1]


def test_kinds():
    rows = {
        "number": [["1", "2"], ["0", "1", "2"], ["1", "1"], ["0", "0"], ["5.5", ""]],
        "flag": [["0", "1"], ["1.0", "0.0"], ["yes", "no"], ["True", "False"], ["x", "x"], ["x", "?"], ["0", "1", ""]],
        "category": [["x", "y", "z"], ["x", "y", "z", ""]],
    }
    for kind, tables in rows.items():
        for cells in tables:
            assert page.learn("t", [built(cells)])[0].kind == kind, cells
    for cells, kind in ((["1", "2", "3"], "category"), (["1", "2"], "flag"), (["x", "1"], "flag")):
        (field,) = page.learn("t", [built(cells, kind="text")], {1})
        assert field.kind == kind
    assert page.learn("t", [built(["10", "9", "10.0", "x"], kind="text")], {1})[0].values == ("9", "10", "x")


def test_what_stands_for_missing_cells():
    columns = table([[1, 3, None, 5], ["no", "yes", None, "yes"], ["a", "b", None, "c"]])
    fields = page.learn("t", columns)
    assert fields == (
        Field("c0", "number", (), 3.0, True),
        Field("c1", "flag", ("no", "yes"), float(np.float32(2 / 3)), True),
        Field("c2", "category", ("a", "b", "c")),
    )
    expected = [3, np.float32(2 / 3), 1, 1, 0, 0, 0]
    np.testing.assert_array_equal(page.encode("t", fields, columns)[2], np.float32(expected))


def test_notes_count_what_training_did_not_have():
    flag, category = Field("f", "flag", ("no", "yes"), 0.25), Field("c", "category", tuple("abc"))
    fields = Field("n", "number", (), 7.0), flag, category
    columns = again(fields, [[1, None, 2], ["yes", "maybe", None], ["z", "a", "y"]])
    inputs = page.encode("t", fields, columns)
    np.testing.assert_array_equal(inputs, [[1, 1, 0, 0, 0], [7, 0.25, 1, 0, 0], [2, 0.25, 0, 0, 0]])
    assert page.notes("t", page.strange(fields, columns)) == (
        "t has texts that training did not see, taken as missing: f (1 cell), c (2 cells)",
        "t lacks values where training lacked none, taken as the mean: n (1 cell), f (1 cell)",
    )


def test_notes_tell_columns_of_one_name_apart():
    fields = tuple(Field("c", "category", tuple(values)) for values in ("abc", "def"))
    columns = again(fields, [["z", "a", "y"], ["d", "e", "f"]])
    assert page.notes("t", page.strange(fields, columns)) == (
        "t has texts that training did not see, taken as missing: c (2 cells)",
    )


def test_refusals():
    with pytest.raises(DataError, match="column 1 'c' has no values; leave it out with --ignore 'c'"):
        page.learn("t", [built(["", "?"])])
    names_ = [f"x{n}" for n in range(11)]
    with pytest.raises(DataError, match=r"column 1 'c' has 11 different texts in 21 rows, .*--ignore 'c'"):
        page.learn("t", [built([*names_, *names_[1:]])])
    commas = ["0,5", "-1,25", "", "0,5"]
    with pytest.raises(DataError, match="column 1 'c' holds numbers with commas, such as '0,5'; write them"):
        page.learn("t", [built(commas)])
    assert page.learn("t", [built(commas, kind="text")], {1})[0].values == ("-1,25", "0,5")
    shares = [f"{n} %" for n in range(9)]
    for cells, words in (
        (["12 %", "5 %", "7,5 %", "NA"], "% and commas, such as '12 %'; write them without % and with points"),
        (["$5", "-$1,234.50", "$ 7"], "[$] and commas, such as '[$]5'; write them without [$] and without commas"),
        (["$5", "$5", "$6"], "[$], such as '[$]5'; write them without [$]"),
        ([*shares, "none"], "%, such as '0 %'; write them without %"),
        (["1,234", "9,876", "12,345"], "commas, such as '1,234'; write them without commas"),
    ):
        with pytest.raises(DataError, match=f"column 1 'c' holds numbers with {words}.*, or give --category 'c'"):
            page.learn("t", [built(cells)])
        page.learn("t", [built(cells, kind="text")], {1})
    for cells in (["1,2", "none", "1"], ["5%", "$5", "7%"], ["<5%", "5%", "%"], ["1.2.3", "1.2.4", "a"],
                  ["T1", "T2", "3 kg"], ["5%", "6%", "none"], ["12,34,5", "1,2345", "1,23"]):  # fmt: skip
        assert page.learn("t", [built(cells, kind="text")])[0].kind == "category", cells
    assert page.learn("t", [built([*names_, *names_])])[0].kind == "category"
    assert page.learn("t", [built(names_, kind="text")], {1})[0].kind == "category"
    wide = [built(["x" * 200 + str(k) for k in range(10_000)], kind="text") for _ in range(4)]
    with pytest.raises(DataError, match="too many names and texts"):
        page.learn("t", wide, {1})


def test_matching():
    fields = (Field("a", "number"), Field("b", "category", tuple("xyz")))
    assert page.matched("t", fields, ("b", "id", "a"), (0, 1, 2), ()) == (2, 0)
    assert page.matched("t", fields, (), (1, 3), ()) == (1, 3)
    assert page.matched("t", fields, ("a", "b"), (0, 1), (1,)) == (0, 1)
    for header, inputs, category, error, words in (
        (("a", "c"), (0, 1), (), DataError, "has no column 'b', which the model takes"),
        (("a", "b", "b"), (0, 1, 2), (), DataError, "2 columns are named 'b'"),
        ((), (0, 1, 2), (), DataError, "3 input columns without names and the model takes 2"),
        (("a", "b"), (0, 1), (0,), UsageError, "a is a column of numbers in the model"),
    ):
        with pytest.raises(error, match=words):
            page.matched("t", fields, header, inputs, category)
    twins = (Field("a", "number"), Field("a", "number"))
    assert page.matched("t", twins, ("a", "a"), (0, 1), ()) == (0, 1)
    index = (Field("", "number"), Field("a", "number"), Field("b", "number"))  # as pandas writes it
    assert page.matched("t", index, ("", "a", "b"), (0, 1, 2), ()) == (0, 1, 2)
    with pytest.raises(DataError, match="t: column 2 is 'b' where the model takes 'a' as input 2"):
        page.matched("t", index, ("", "b", "a"), (0, 1, 2), ())
    assert page.matched("t", (Field("", "number"), Field("", "number")), ("b", "a"), (0, 1), ()) == (0, 1)


def test_the_mean_is_that_of_training_cases():
    columns = table([[1, 3, None, 100], ["no", None, "yes", "yes"], ["a", "b", "c", "a"]])
    fields = page.learn("t", columns)
    inputs = page.encode("t", fields, columns)
    whole = Dataset("t", {"train": Cases(inputs)}, (), (7,), names(fields), fields=fields)
    assert page.refilled(whole) is whole
    split = replace(whole, splits={"train": Cases(inputs[:3]), "valid": Cases(inputs[3:])})
    found = page.refilled(split)
    assert [f.fill for f in found.fields] == [2.0, 0.5, 0.0]
    np.testing.assert_array_equal(found.splits["train"].inputs[:, :2], [[1, 0], [3, 0.5], [2, 1]])
    np.testing.assert_array_equal(found.splits["valid"].inputs, inputs[3:])
    np.testing.assert_array_equal(split.splits["train"].inputs, inputs[:3])
    assert page.refilled(found) is found
    assert page.refilled(split, found.fields).fields == found.fields
    known = page.refilled(whole, found.fields)  # by what a model knows, whatever there is to train with
    np.testing.assert_array_equal(known.splits["train"].inputs[:, :2], [[1, 0], [3, 0.5], [2, 1], [100, 1]])


def test_names_of_columns_without_a_name():
    fields = page.learn("t", [built(["1", ""], ""), built(["x", "y"], "")])
    assert [named(fields, n) for n in range(2)] == ["column 1", "column 2"]
    assert names(fields) == ("column 1", "column 2=y", "column 1 missing")

"""CSV tables of mixed columns, from the file to the units: kinds, options, other files for a model, refusals."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepnet import data
from deepnet.data import Dataset
from deepnet.data.readers import lines, mixed
from deepnet.errors import DataError, OutputError, UsageError
from deepnet.nn.fields import Field

PATIENTS = Path(__file__).parents[1] / "patients.csv"  # made up
OPTIONS = {"label": "state", "ignore": ("id",), "task": "classify"}
SMALL = "size,colour,ok,y\n1,red,yes,a\n?,blue,no,b\n3,,yes,a\n4,green,no,b\n"


def load(folder, text, name="t.csv", **options):
    path = folder / name
    path.write_text(text)
    return data.load(str(path), **options)


def test_patients():
    found = data.load(str(PATIENTS), **OPTIONS, category=("ward",))
    assert [(field.name, field.kind) for field in found.fields] == [
        *(("age", "number"), ("colour", "category"), ("smoker", "flag"), ("height", "number"), ("left", "flag")),
        ("ward", "category"),
    ]
    assert found.columns == (
        *("age", "height", "smoker=yes", "left", "age missing", "height missing"),
        *("colour=blue", "colour=green", "colour=red", "ward=1", "ward=2", "ward=3"),
    )
    assert found.units == (("linear", 2), ("logistic", 4), ("softmax", 3), ("softmax", 3))
    assert (found.numbers, found.shape, found.classes) == (2, (12,), ("ill", "well"))
    inputs = found.splits["train"].inputs
    assert inputs.shape == (120, 12)
    rows = [line.split(",") for line in PATIENTS.read_text().splitlines()[1:]]
    ages = [float(row[1]) for row in rows if row[1] != "NA"]
    assert inputs[:, 4].sum() == 120 - len(ages)
    np.testing.assert_allclose(inputs[inputs[:, 4] == 1, 0], np.mean(ages), rtol=1e-6)
    np.testing.assert_array_equal(inputs[inputs[:, 4] == 0, 0], np.float32(ages))
    assert (inputs[:, 6:9].sum(axis=1) == 0).sum() == sum(row[2] == "?" for row in rows)
    without = data.load(str(PATIENTS), **OPTIONS)
    assert {field.name: field.kind for field in without.fields}["ward"] == "number"
    with pytest.raises(DataError, match=r"column 1 'id' has more than 100 different texts, .*--ignore 'id'"):
        data.load(str(PATIENTS))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            200,
            "column 1 'a' has more than 100 different texts, column 3 'c' has more than 100 different texts, as names",
        ),
        (
            30,
            "column 1 'a' has 30 different texts in 30 rows, column 3 'c' has 30 different texts in 30 rows, as names",
        ),
    ],
)
def test_all_columns_that_are_no_categories_are_named_at_once(tmp_path, rows, words):
    text = "a,b,c\n" + "".join(f"k{n},{n % 3},x{n}\n" for n in range(rows))
    with pytest.raises(DataError, match=rf"{words} and free text have; leave them out with --ignore 'a,c'$"):
        load(tmp_path, text)
    assert load(tmp_path, text, ignore=("a", "c")).columns == ("b",)


def test_numbers_alone_are_no_fields(tmp_path):
    text = "a,b\n1,0\n2,1\n3,1\n"
    found = load(tmp_path, text)
    assert (found.fields, found.units, found.numbers, found.columns) == ((), (), None, ("a", "b"))
    np.testing.assert_array_equal(found.splits["train"].inputs, [[1, 0], [2, 1], [3, 1]])
    assert load(tmp_path, text, category=("a",)).columns == ("b", "a=1", "a=2", "a=3")
    assert load(tmp_path, text, category=("1",)).columns == ("b", "a=1", "a=2", "a=3")


def test_blocks_and_parts_agree_with_one_piece(tmp_path, monkeypatch):
    text = PATIENTS.read_text()
    whole = load(tmp_path, text, **OPTIONS)
    for size, cells in ((300, 1 << 18), (16 << 20, 50), (700, 1)):
        monkeypatch.setattr(lines, "BLOCK", size)
        monkeypatch.setattr(mixed, "CELLS", cells)
        parts = load(tmp_path, text, **OPTIONS)
        assert (parts.fingerprint, parts.fields) == (whole.fingerprint, whole.fields)
        np.testing.assert_array_equal(parts.splits["train"].inputs, whole.splits["train"].inputs)
        np.testing.assert_array_equal(parts.splits["train"].targets, whole.splits["train"].targets)
        broken = text.replace("P100,", "P100,x", 1)
        with pytest.raises(DataError, match=r"row 101, column 2 'age' holds 'x\w+' where a number is due"):
            load(tmp_path, broken, **OPTIONS)


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("quote", [True, False])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_dialects(head, quote, delimiter, tmp_path):
    rows = [line.split(",") for line in SMALL.splitlines()[0 if head else 1 :]]
    text = "".join(delimiter.join(f'"{c}"' if quote and c else c for c in row) + "\r\n" for row in rows)
    found = load(tmp_path, text, label="y" if head else "4", task="classify")
    np.testing.assert_allclose(
        found.splits["train"].inputs,
        [[1, 1, 0, 0, 0, 1], [8 / 3, 0, 1, 1, 0, 0], [3, 1, 0, 0, 0, 0], [4, 0, 0, 0, 1, 0]],
        rtol=1e-6,
    )
    first = ("size", "ok=yes", "size missing") if head else ("column 1", "column 3=yes", "column 1 missing")
    assert found.columns[:3] == first
    assert found.classes == ("a", "b")


def test_a_header_above_texts_alone(tmp_path):
    text = "colour,size,kind\nred,S,x\nblue,L,y\nred,M,x\n"
    for options in ({"label": "kind"}, {"ignore": ("kind",)}, {"category": ("colour",)}):
        assert load(tmp_path, text, **options).fields[0].name == "colour"
    fields = (Field("size", "category", ("L", "M", "S")), Field("colour", "flag", ("blue", "red")))
    found = load(tmp_path, text, like=Dataset("a model", {}, fields=fields))
    np.testing.assert_array_equal(found.splits["train"].inputs, [[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 1, 0]])
    with pytest.raises(DataError, match="has no column 'size', which the model takes"):
        load(tmp_path, text.replace("size", "form"), like=Dataset("a model", {}, fields=fields))
    without = load(tmp_path, "?,1\nred,2\nblue,3\n")
    assert (without.columns[0], len(without.splits["train"])) == ("column 2", 3)


def test_a_model_reads_other_files(tmp_path):
    known = load(tmp_path, SMALL, label="y", task="classify")
    same = load(tmp_path, SMALL, label="y", task="classify", like=known)
    assert same.fingerprint == known.fingerprint
    np.testing.assert_array_equal(same.splits["train"].inputs, known.splits["train"].inputs)
    other = load(tmp_path, "ok,extra,colour,size\nno,7,red,2\nNO,8,mauve,NA\n", like=known)
    fill = np.float32(8 / 3)
    np.testing.assert_array_equal(other.splits["train"].inputs, [[2, 0, 0, 0, 0, 1], [fill, 0.5, 1, 0, 0, 0]])
    assert other.columns == known.columns
    assert tuple(note.rpartition("/")[2] for note in other.notes) == (
        "t.csv has columns that the model does not take, left out: extra",
        "t.csv has texts that training did not see, taken as missing: colour (1 cell), ok (1 cell)",
    )
    only = load(tmp_path, "size,colour,ok\n1,red,yes\n", like=known)
    np.testing.assert_array_equal(only.splits["train"].inputs, [[1, 1, 0, 0, 0, 1]])
    bare = load(tmp_path, "1,red,yes\n2,blue,no\n", like=known)
    np.testing.assert_array_equal(bare.splits["train"].inputs, [[1, 1, 0, 0, 0, 1], [2, 0, 0, 1, 0, 0]])
    for text, words in (
        ("size,ok\n1,yes\n", "has no column 'colour', which the model takes"),
        ("size,colour,ok\nx,red,yes\n1,red,yes\n", "row 2, column 1 'size' holds 'x' where a number is due"),
        ("1,red\n2,blue\n", "2 input columns without names and the model takes 3"),
    ):
        with pytest.raises(DataError, match=words):
            load(tmp_path, text, like=known)


def test_the_fingerprint_tells_tables_apart(tmp_path):
    texts = [
        SMALL,
        SMALL.replace("3,,", "3,red,"),
        SMALL.replace("?", "2"),
        SMALL.replace("red", "rot"),
        SMALL + SMALL[-13:],
    ]
    found = [load(tmp_path, text, label="y").fingerprint for text in texts]
    assert len(set(found)) == len(texts)
    assert load(tmp_path, SMALL.replace("?", "NA"), label="y").fingerprint == found[0]


def test_refusals_of_options(tmp_path):
    for options, error, words in (
        ({"category": ("hue",)}, DataError, "no column 'hue' for --category; the header has"),
        ({"category": ("y",), "label": "y"}, UsageError, "--category: column 4 of .*t.csv is the label or left out"),
        ({"category": ("size",), "like": Dataset("", {})}, UsageError, "--category: the model was trained on numbers"),
    ):
        with pytest.raises(error, match=words):
            load(tmp_path, SMALL, **options)
    np.savez(tmp_path / "d.npz", X=np.eye(3))
    with pytest.raises(DataError, match="--category a is for columns of CSV and TSV"):
        data.load(str(tmp_path / "d.npz"), category=("a",))
    with pytest.raises(DataError, match="holds numbers alone and the model takes a table of mixed columns"):
        data.load(str(tmp_path / "d.npz"), like=Dataset("a model", {}, fields=(Field("a", "number"),)))


def test_numbers_to_predict(tmp_path):
    found = load(tmp_path, "a,b,price\nx,1,2.5\ny,?,\nz,3,4\n", label="price", task="regress")
    np.testing.assert_array_equal(found.splits["train"].targets, [[2.5], [np.nan], [4]])
    with pytest.raises(DataError, match="row 3, column 3 'price' holds 'much' where a number is due"):
        load(tmp_path, "a,b,price\nx,1,2.5\ny,?,much\n", label="price", task="regress")


def test_what_would_unfold_beyond_memory_is_refused(tmp_path, monkeypatch):
    text = "a,b\n" + "".join(f"{n % 50}x,1\n" for n in range(3000))
    assert load(tmp_path, text).splits["train"].inputs.shape == (3000, 51)
    monkeypatch.setattr("deepnet.files.memory.free_memory", lambda root: 500_000)
    monkeypatch.setattr("deepnet.files.memory.resident", lambda root: (0, 0))
    with pytest.raises(OutputError, match=r"t\.csv, read at once, would take"):
        load(tmp_path, text)


def test_only_numbers_are_scaled():
    found = data.load(str(PATIENTS), **OPTIONS)
    inputs = found.splits["train"].inputs
    for kind in ("auto", "standard", "unit", "none"):
        scaling = data.scaling.fit(kind, inputs, found.shape, found.numbers)
        assert scaling.kind == kind
        assert not scaling.offset[found.numbers :].any()
        assert (scaling.scale[found.numbers :] == 1).all()
        x = data.scaling.apply(scaling, inputs)[:, : found.numbers]
        if kind in ("auto", "standard"):
            np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
            np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-5)
        if kind == "unit":
            assert (x.min(), x.max()) == (0, 1)
    flags = replace(found, fields=tuple(field for field in found.fields if field.kind == "flag"))
    np.testing.assert_array_equal(data.scaling.fit("auto", inputs[:, 3:5], (2,), flags.numbers).scale, [1, 1])


def test_many_columns_are_found_at_once(tmp_path):
    """A set of them for each took 14 s here."""
    names, cells = [f"c{n}" for n in range(28_000)], ["1"] * 28_000
    text = "\n".join([",".join(names), ",".join(["x", *cells[1:]]), ",".join(["y", *cells[1:]])])
    known = load(tmp_path, text)
    began = time.process_time()
    assert load(tmp_path, text, like=known, ignore=()).fingerprint == known.fingerprint
    assert time.process_time() - began < 7


@pytest.mark.parametrize("cell", ["2", "x"])
def test_an_input_called_label_stays_an_input(cell, tmp_path):
    """Of a model that was trained with another label; what it predicts has none."""
    text = f"a,kind,label\n1,p,0.5\n{cell if cell == '2' else ''},q,1.5\n"
    known = load(tmp_path, text, label="kind", task="classify")
    again = load(tmp_path, text, spare=("kind",), like=known)
    assert again.columns == known.columns
    np.testing.assert_array_equal(again.splits["train"].inputs, known.splits["train"].inputs)

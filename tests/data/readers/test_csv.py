"""CSV and TSV: delimiters, headers and label columns, and the row and column of what is wrong."""

import codecs
import gzip
import time

import numpy as np
import pytest

from deepnet import data
from deepnet.data import Dataset
from deepnet.data.readers import csv as page
from deepnet.data.readers import lines
from deepnet.errors import DataError

IRIS = "5.1,3.5,setosa\n6.4,3.2,versicolor\n5.8,2.7,virginica\n4.9,3.0,setosa\n"
INPUTS = np.array([[5.1, 3.5], [6.4, 3.2], [5.8, 2.7], [4.9, 3.0]], np.float32)

NUMBERS = Dataset("a model of numbers", {})


def load(folder, text, name="t.csv", **options):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return data.load(path, **options)


def check(dataset):
    assert dataset.classes == ("setosa", "versicolor", "virginica")
    cases = dataset.splits["train"]
    np.testing.assert_array_equal(cases.inputs, INPUTS)
    assert cases.inputs.dtype == np.float32
    assert cases.inputs.flags.c_contiguous
    np.testing.assert_array_equal(cases.targets, [0, 1, 2, 0])
    assert dataset.shape == (2,)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", ", ", "  "])
@pytest.mark.parametrize("head", ["", "length,width,species\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_dialects(tmp_path, delimiter, head, end, pack):
    text = (head + IRIS).replace(",", delimiter).replace("\n", end).encode()
    dataset = load(tmp_path, pack(text), "t.data", label="3", task="classify")
    check(dataset)
    assert dataset.columns == (("length", "width") if head else ())


def test_label_by_name_position_and_convention(tmp_path):
    for head, label in (("a,b,kind\n", "kind"), ("a,b,kind\n", "3"), ("a,b,Class\n", None), ("a,b,y\n", None)):
        check(load(tmp_path, head + IRIS, label=label, task="classify"))
    first = "label,a,b\n" + "".join(
        f"{line.rsplit(',', 1)[1]},{line.rsplit(',', 1)[0]}\n" for line in IRIS.splitlines()
    )
    check(load(tmp_path, first, task="classify"))
    assert load(tmp_path, "a,b,target\n1,2,3\n").splits["train"].inputs.shape == (1, 2)
    assert load(tmp_path, "a,b,c\n1,2,3\n").splits["train"].inputs.shape == (1, 3)
    for task in ("classify", "regress"):
        with pytest.raises(DataError, match=r"does not say which column holds the labels .*a, b, kind\); give --label"):
            load(tmp_path, "a,b,kind\n" + IRIS, task=task)
    with pytest.raises(DataError, match=r"row 1, column 3 holds 'setosa' where a number is due; .*--label '3' if"):
        load(tmp_path, IRIS, like=NUMBERS)


def test_header_with_units_quotes_and_commas(tmp_path):
    head = '"length, petal (cm)","5\'\' ""width""",species µ\n'
    dataset = load(tmp_path, head + IRIS, label="species µ", task="classify")
    check(dataset)
    assert dataset.columns == ("length, petal (cm)", "5'' \"width\"")
    check(load(tmp_path, codecs.BOM_UTF8 + (head + IRIS).encode(), label="3", task="classify"))
    quoted = "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in IRIS.splitlines())
    check(load(tmp_path, quoted, label="3", task="classify"))
    check(load(tmp_path, "\n\n" + head + "\n" + IRIS.replace("\n", "\n\n"), label="3", task="classify"))


def test_ignore(tmp_path):
    text = "id,a,b,note,kind\n" + "".join(
        f"no{n},{line.rsplit(',', 1)[0]},some text,{line.rsplit(',', 1)[1]}\n"
        for n, line in enumerate(IRIS.splitlines())
    )
    for ignore in (("id", "note"), ("1", "4"), ("id", "4")):
        dataset = load(tmp_path, text, label="kind", ignore=ignore, task="classify")
        check(dataset)
        assert dataset.columns == ("a", "b")
    with pytest.raises(DataError, match="no column 'nite' for --ignore; the header has note"):
        load(tmp_path, text, label="kind", ignore=("nite",))
    for label in ("a,a", "a,1"):
        with pytest.raises(DataError, match=f"--label {label} names a column twice; leave one of them"):
            load(tmp_path, "a,b,c\n1,2,3\n", label=label, task="regress")
    letters = "abcdefghijkl"
    for count, known in ((2, "a, b"), (5, "a, b, c, d, e"), (12, "a, b, c, d, e, f, g, h, i, j and 2 more")):
        with pytest.raises(DataError, match=f"the header has {known}; give a name"):
            load(tmp_path, f"{','.join(letters[:count])}\n{','.join('1' * count)}\n", label="xyz")
    with pytest.raises(DataError, match=r"no column '6' for --label.* a position 1 to 5"):
        load(tmp_path, text, label="6")
    with pytest.raises(DataError, match="2 columns are named 'a'"):
        load(tmp_path, "a,a,b\n1,2,3\n", label="a")
    with pytest.raises(DataError, match="none left for inputs"):
        load(tmp_path, "a,b\n1,2\n", label="a", ignore=("b",))


def test_classes_sort_as_numbers_and_whole_numbers_are_one(tmp_path):
    dataset = load(tmp_path, "1,10\n2,9\n3,-1\n4,9\n", label="2", task="classify")
    assert dataset.classes == ("-1", "9", "10")
    np.testing.assert_array_equal(dataset.splits["train"].targets, [2, 1, 0, 1])
    assert load(tmp_path, "1,2.0\n2,1e0\n", label="2", task="classify").classes == ("1", "2")
    with pytest.raises(DataError, match=r"row 3 holds 0\.7, not a whole number; .*--task regress"):
        load(tmp_path, "a,y\n1,1\n2,0.7\n", task="classify")


def test_regression(tmp_path):
    dataset = load(tmp_path, "a,b,y\n1,2,-3.5\n4,5,6e2\n", task="regress")
    cases = dataset.splits["train"]
    assert cases.targets.dtype == np.float32
    np.testing.assert_array_equal(cases.targets, [[-3.5], [600]])
    np.testing.assert_array_equal(cases.inputs, [[1, 2], [4, 5]])
    cases = load(tmp_path, "a,b,c\n1,2,3\n4,5,6\n", label="c,a", task="regress").splits["train"]
    np.testing.assert_array_equal(cases.targets, [[3, 1], [6, 4]])
    np.testing.assert_array_equal(cases.inputs, [[2], [5]])
    assert load(tmp_path, "a,b,c\n1,2,3\n4,5,6\n", label="c,a").splits["train"].inputs.shape == (2, 1)
    with pytest.raises(DataError, match="names 2 columns; classes need one"):
        load(tmp_path, "a,b,c\n1,2,3\n", label="a,c", task="classify")
    with pytest.raises(DataError, match="row 3, column 2 'y' holds 'six' where a number is due"):
        load(tmp_path, "a,y\n1,2\n4,six\n", task="regress")


@pytest.mark.parametrize(
    "text,words",
    [
        (b"", "is empty"),
        (b"\n\n\n", "no rows"),
        (b"a,b,c\n", "a header but no rows"),
        (b"1,2\n3\n", "row 2 has 1 columns, the first row has 2"),
        (b"1,2\n3,4\n\n5,6,7\n", "row 4 has 3 columns"),
        (b'1,2\n"3",4\n5,6,7\n', "row 3 has 3 columns"),
        (b"1,2\n3,4\n,,,\n", "row 3 has 4 columns"),
        (b"a,b\n1,2\n3,4x\n", "row 3, column 2 'b' holds '4x' where a number is due; .*--ignore 'b'"),
        (b"a,b\n1,2\n3,1_0\n", "row 3, column 2 'b' holds '1_0'"),
        (b"a,b\n1,2\n3,\xe2\x80\xaex\n", r"holds '\\u202ex'"),
        (b"a,b\n1,2\n3,-inf\n", "row 3, column 2 'b' holds -inf"),
        (b"1,2\n1e999,4\n", "row 2, column 1 holds 1e999"),
        (b"1,2\n3,4e38\n", "row 2, column 2 holds 4e38"),
        (b"1,2\n3,4\0\n", "row 2 holds a NUL byte"),
        (b"1,2\n" * 3000 + b"3,\0\n", "row 3001 holds a NUL byte"),
        ("1,2\n3,4\n".encode("utf-16"), "is UTF-16 text; .*iconv"),
        ("1,2\n3,4\n".encode("utf-16-be"), "row 1 holds a NUL byte"),
        ("a,größe\n1,2\n".encode("latin-1"), "row 1 is not UTF-8"),
        (b'1,2\n3,"4\n', "row 2 cannot be read as CSV"),
        (b'1,2\n"3"x,4\n', "row 2 cannot be read as CSV"),
        (b'1,"' + b"2" * 200_000 + b'"\n', "no rows that can be read|cannot be read as CSV"),
        (b"[1, 2,\n3]\n", "row 1, column 1 holds '.1'|row 2 has 1 columns"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_faults(tmp_path, text, words, pack):
    with pytest.raises(DataError, match=words) as caught:
        load(tmp_path, pack(text))
    assert "t.csv" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text,words",
    [
        (b"1,2\n3,4\n5,6\n7,", "row 4, column 2 is empty; fill it in"),
        (b"a,b\n1,2\n\n3,\n", "row 4, column 2 'b' is empty"),
        (b"a,b\n1,2\nnan,4\n", "row 3, column 1 'a' holds nan, not a finite"),
        (b"a,b\n1,2\n3,?\n", "row 3, column 2 'b' holds '.' where a number is due"),
    ],
)
def test_a_model_of_numbers_takes_no_other_cells(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        load(tmp_path, text, like=NUMBERS)


def test_faults_of_labels(tmp_path):
    with pytest.raises(DataError, match="row 2, column 2 'class' has a label of more than 256"):
        load(tmp_path, f"a,class\n1,{'x' * 300}\n", task="classify")
    with pytest.raises(DataError, match=r"row 3 holds 'z', which is none of the model's classes x, y;"):
        load(tmp_path, "a,class\n1,x\n2,z\n", task="classify", classes=("x", "y"))


def test_blocks_agree_with_one_piece(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    rows = [
        f'{a!r},"text, with\nline {n}",{b:.3f},k{n % 3}' for n, (a, b) in enumerate(rng.normal(size=(300, 2)).tolist())
    ]
    text = "a,note,b,class\r\n" + "\r\n".join(rows)
    whole = load(tmp_path, text, ignore=("note",), task="classify")
    for size in (500, 1000, 5001):
        monkeypatch.setattr(lines, "BLOCK", size)
        parts = load(tmp_path, text, ignore=("note",), task="classify")
        assert parts.fingerprint == whole.fingerprint
        with pytest.raises(DataError, match="row 602, column 1 'a' holds 'x'"):
            load(tmp_path, text + "\r\nx,y,1,k0\r\n", ignore=("note",))
    assert len(whole.splits["train"]) == 300


def test_fast_path_and_cells_agree(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(200, 7)) * 10.0 ** rng.integers(-30, 30, (200, 7))
    text = "\n".join(",".join(map(repr, row)) for row in values.tolist())
    cells = load(tmp_path, text.replace(",", '","').replace("\n", '"\n"').join('""'))
    monkeypatch.setattr(page, "_parse_cells", None)  # plain text must not come there
    fast = load(tmp_path, text)
    np.testing.assert_array_equal(fast.splits["train"].inputs, values.astype(np.float32))
    assert cells.fingerprint == fast.fingerprint


def test_lines_without_end_are_refused_soon(tmp_path, monkeypatch):
    began = time.monotonic()
    with pytest.raises(DataError, match="more than 16 MB"):
        load(tmp_path, gzip.compress(b"1," * (20 << 20), 1), "t.csv.gz")
    with pytest.raises(DataError, match="NUL"):
        load(tmp_path, gzip.compress(bytes(40 << 20), 1), "t.csv.gz")
    monkeypatch.setattr(lines, "BLOCK", 1 << 20)
    with pytest.raises(DataError, match="a line or a quoted cell"):
        load(tmp_path, '1,2\n"' + "1,2\n" * (1 << 20))
    assert time.monotonic() - began < 8


def test_wide_tables(tmp_path):
    columns = 100_000
    text = ",".join(f"c{n}" for n in range(columns)) + "\n" + ",".join(["0.5"] * columns) + "\n"
    assert load(tmp_path, text).splits["train"].inputs.shape == (1, columns)


def test_a_space_in_names_is_no_delimiter(tmp_path):
    """Both split every row into as many words: the comma is the delimiter."""
    path = tmp_path / "flowers.csv"
    path.write_text("petal length,kind of it\n1.2,late red Iris flower\n3.4,early red Iris flower\n")
    found = data.load(path, label="kind of it", task="classify")
    assert found.columns == ("petal length",)
    assert found.classes == ("early red Iris flower", "late red Iris flower")
    path.write_text("petal length;kind of it\n1.2;Iris setosa\n3.4;Iris virginica\n")
    assert data.load(path, label="kind of it", task="classify").classes == ("Iris setosa", "Iris virginica")
    path.write_text("length kind\n1.2 late\n3.4 early\n")
    assert data.load(path, label="kind", task="classify").classes == ("early", "late")


def test_text_where_numbers_are_to_be_predicted(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text("length,kind\n1.2,late\n3.4,early\n")
    with pytest.raises(DataError, match=r"row 2, column 2 'kind' holds 'late' .* give --task classify$"):
        data.load(path, label="kind", task="regress")
    numpy_path = tmp_path / "flowers.npz"
    np.savez(numpy_path, X=np.eye(2), y=np.array(["late", "early"]))
    with pytest.raises(DataError, match=r"row 1 holds 'late'.* give --task classify$"):
        data.load(numpy_path, task="regress")

"""Parquet tables: the same as CSV tables of the same cells; types, labels and what is wrong."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from deepnet import data
from deepnet.errors import DataError, OutputError, UsageError

PATIENTS = Path(__file__).parents[1] / "patients.csv"
OPTIONS = {"label": "state", "ignore": ("id",), "task": "classify"}


def write(folder, columns, **how):
    path = folder / "t.parquet"
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **how)
    return str(path)


def load(folder, columns, **options):
    return data.load(write(folder, columns), **options)


@pytest.mark.parametrize("how", [{}, {"row_group_size": 7}, {"compression": "zstd"}, {"use_dictionary": False}])
def test_what_a_csv_holds_too(how, tmp_path):
    convert = pyarrow.csv.ConvertOptions(null_values=["NA", "?", ""], strings_can_be_null=True)
    path = write(tmp_path, pyarrow.csv.read_csv(PATIENTS, convert_options=convert), **how)
    for category in ((), ("ward",)):
        ours = data.load(str(PATIENTS), **OPTIONS, category=category)
        found = data.load(path, **OPTIONS, category=category)
        assert (found.fields, found.fingerprint, found.classes) == (ours.fields, ours.fingerprint, ours.classes)
        np.testing.assert_array_equal(found.splits["train"].inputs, ours.splits["train"].inputs)
        known = data.load(path, **OPTIONS, like=ours)
        np.testing.assert_array_equal(known.splits["train"].inputs, ours.splits["train"].inputs)


def test_types(tmp_path):
    columns = {
        "small": pa.array([1, 2, None], pa.int8()),
        "large": pa.array([2**40, 2**53, 3], pa.uint64()),
        "half": pa.array(np.float16([0.5, 1, 2])),
        "decimal": pa.array([1, 2, 3]).cast(pa.decimal128(22, 2)),
        "truth": pa.array([True, None, False]),
        "word": pa.array(["x", "y", "?"]).dictionary_encode(),
        "number": pa.array(["1", "2.5", "NA"], pa.large_string()),
    }
    found = load(tmp_path, columns)
    kinds = {field.name: (field.kind, field.values, field.missing) for field in found.fields}
    assert kinds == {
        "small": ("number", (), True), "large": ("number", (), False), "half": ("number", (), False),
        "decimal": ("number", (), False), "number": ("number", (), True),
        "truth": ("flag", ("false", "true"), True), "word": ("flag", ("x", "y"), True),
    }  # fmt: skip
    np.testing.assert_array_equal(found.splits["train"].inputs[:, :5].T, np.float32(
        [[1, 2, 1.5], [2**40, 2**53, 3], [0.5, 1, 2], [1, 2, 3], [1, 2.5, 1.75]]))  # fmt: skip


def test_numbers_alone_are_no_fields(tmp_path):
    found = load(tmp_path, {"a": [1, 2], "b": [0.5, 1.5], "y": [1, 0]}, task="classify")
    assert (found.fields, found.columns, found.classes) == ((), ("a", "b"), ("0", "1"))
    np.testing.assert_array_equal(found.splits["train"].inputs, np.float32([[1, 0.5], [2, 1.5]]))
    assert load(tmp_path, {"a": [1, 2]}, like=found).fields == ()
    with pytest.raises(DataError, match="column 1 'a' has texts or missing cells and the model takes numbers alone"):
        load(tmp_path, {"a": [1, None]}, like=found)


@pytest.mark.parametrize("labels", [[2.5, None, 3], ["2.5", "", "3"], pa.array([2.5, None, 3], pa.float32())])
def test_numbers_to_predict(labels, tmp_path):
    found = load(tmp_path, {"a": [1, 2, 3], "y": labels}, task="regress")
    np.testing.assert_array_equal(found.splits["train"].targets, np.float32([[2.5], [np.nan], [3]]))


def test_classes(tmp_path):
    for labels, classes in (
        ([3, 10, None], ("3", "10")),
        ([True, False, None], ("false", "true")),
        (["b", "a", ""], tuple("ab")),
    ):
        found = load(tmp_path, {"a": [1, 2, 3], "y": labels}, task="classify")
        assert found.classes == classes
        assert found.splits["train"].targets[2] == -1


@pytest.mark.parametrize(
    "columns,words",
    [
        ({"a": [1], "b": pa.array([0], pa.timestamp("s"))}, r"column 2 'b' holds timestamp\[.*\], .*--ignore 'b'"),
        ({"a": [[1, 2]]}, "column 1 'a' holds list<.*>, neither numbers nor texts"),
        ({"a": [{"b": 1}]}, "column 1 'a' holds struct<.*>, neither"),
        ({"a": [b"x"]}, "column 1 'a' holds binary, neither"),
        ({"a": pa.array([], pa.int8())}, "has a header but no rows"),
        ({"a": [1.0, np.inf]}, "row 2, column 1 'a' holds inf, not a finite float32"),
        ({"a": [1, 2], "b": pa.array([None, None])}, "column 2 'b' has no values; .*--ignore 'b'"),
        ({"a": ["x", "7"]}, "row 2, column 1 'a' holds '7' among texts|row 1, column 1 'a' holds 'x' where"),
        (pa.table([[1], [2]], names=["a", "a"]), "2 columns are named 'a'"),
    ],
)  # fmt: skip
def test_refusals(columns, words, tmp_path):
    with pytest.raises(DataError, match=words) as caught:
        load(tmp_path, columns)
    assert "t.parquet" in str(caught.value)


def test_foreign_types_may_be_left_out(tmp_path):
    columns = {"a": [1, 2], "when": pa.array([0, 1], pa.timestamp("s")), "list": [[1], []]}
    assert load(tmp_path, columns, ignore=("when", "list")).columns == ("a",)


def test_damage(tmp_path):
    path = Path(write(tmp_path, {"a": list(range(1000)), "b": ["x", "y"] * 500}))
    content = path.read_bytes()
    for damaged in (content[:-1], content[:40], content[:-8] + b"\xff\xff\xff\x7fPAR1", b"PAR1" + bytes(40) + b"PAR1"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"t\.parquet is a damaged Parquet file"):
            data.load(str(path))
    path.write_bytes(b"PARE" + content[4:])
    with pytest.raises(DataError, match="an encrypted Parquet table"):
        data.load(str(path))


def test_few_bytes_for_many_rows(tmp_path, monkeypatch):
    path = write(tmp_path, {"a": np.zeros(40_000_000, np.int8)})
    with pytest.raises(DataError, match="says that it unpacks to 160000000 bytes"):
        data.load(path)
    monkeypatch.setattr("deepnet.files.memory.free_memory", lambda root: 100_000)
    monkeypatch.setattr("deepnet.files.memory.resident", lambda root: (0, 0))
    with pytest.raises(OutputError, match=r"t\.parquet, read at once, would take"):
        load(tmp_path, {"a": np.zeros(100_000, np.int8)})


def test_without_pyarrow_the_line_to_type_is_told(tmp_path, monkeypatch):
    path = write(tmp_path, {"a": [1]})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'deepnet-cli\[table\]'"):
        data.load(path)


def test_standard_input(tmp_path, stdin):
    content = Path(write(tmp_path, {"a": [1, 2], "b": ["x", "y"]})).read_bytes()
    stdin(content)
    assert data.load("-").columns == ("a", "b=y")


def test_weights(tmp_path):
    for weights in ([1, 0, 2], ["1", "0.0", "2"]):
        found = load(tmp_path, {"a": [1, 2, 3], "c": ["x", "y", None], "w": weights}, weight="w")
        np.testing.assert_array_equal(found.splits["train"].weights, np.float32([1, 0, 2]))
        assert found.columns == ("a", "c=y", "c missing")
    with pytest.raises(DataError, match="case 2 has the weight nan"):
        load(tmp_path, {"a": [1, 2, 3], "w": [1, None, 2]}, weight="w")


def test_many_columns(tmp_path):
    """Asking the file for each name anew took 70 s here."""
    path = write(tmp_path, {f"c{n}": [n, n + 1] for n in range(12_000)})
    began = time.process_time()
    assert data.load(path).shape == (12_000,)
    assert time.process_time() - began < 15

import gzip
import json
import time

import numpy as np
import pytest

from deepnet import data
from deepnet.data.readers import lines
from deepnet.errors import DataError


def load(folder, text, name="t.jsonl", **words):
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return data.load(folder / name, **words)


NUMBERS = data.Dataset("a model of numbers", {})
ARRAYS = "[1, 2.5, -3e2]\n\n[4, true, null]\n".replace("null", "0")


def test_arrays_are_cases(tmp_path):
    found = load(tmp_path, ARRAYS)
    np.testing.assert_array_equal(found.splits["train"].inputs, np.float32([[1, 2.5, -300], [4, 1, 0]]))
    assert found.columns == ()
    packed = load(tmp_path, gzip.compress(ARRAYS.encode()), "t.jsonl.gz")
    assert packed.fingerprint == found.fingerprint
    assert load(tmp_path, ARRAYS, "told by its first byte").fingerprint == found.fingerprint


def test_objects_have_names(tmp_path):
    """In any order; a list counts as its members, an image as its rows; the label is a column like others."""
    text = '{"a": 1, "x": [[2, 3], [4, 5]], "label": "cat"}\n{"label": "dog\\n", "x": [6, 7, 8, "9"], "a": false}\n'
    found = load(tmp_path, text, task="classify")
    assert found.columns == ("a", "x1", "x2", "x3", "x4")
    assert found.classes == ("cat", "dog")
    np.testing.assert_array_equal(found.splits["train"].inputs, [[1, 2, 3, 4, 5], [0, 6, 7, 8, 9]])
    np.testing.assert_array_equal(found.splits["train"].targets, [0, 1])


def test_rows_of_labels_count_as_in_the_file(tmp_path):
    for text in ('{"a": 1, "y": "x"}\n{"a": 2, "y": "z"}\n', '[1, "x"]\n[2, "z"]\n', '\n{"a": 1, "y": "z"}\n'):
        with pytest.raises(DataError, match="row 2 holds 'z', which is none"):
            load(tmp_path, text, label="y" if "y" in text else "2", task="classify", classes=("x",))


def test_names_that_are_numbers_and_texts_that_hold_delimiters(tmp_path):
    assert load(tmp_path, '{"1": 5, "2": 6}\n').columns == ("1", "2")
    text = "".join(json.dumps({"a": n, "label": f'a;b;"c|d|{n % 2},e'}) + "\n" for n in range(6))
    assert load(tmp_path, text, task="classify").classes == ('a;b;"c|d|0,e', 'a;b;"c|d|1,e')


def test_it_is_what_csv_is(tmp_path):
    rows = np.random.default_rng(0).normal(size=(50, 4)).tolist()
    (tmp_path / "t.csv").write_text("".join(",".join(map(repr, row)) + "\n" for row in rows))
    table = data.load(tmp_path / "t.csv")
    assert load(tmp_path, "".join(json.dumps(row) + "\n" for row in rows)).fingerprint == table.fingerprint
    named = load(tmp_path, "".join(json.dumps(dict(zip("abcd", row, strict=True))) + "\n" for row in rows))
    assert named.fingerprint == table.fingerprint


@pytest.mark.parametrize(
    "text,words",
    [
        ("[1, 2]\n\n[1, 2, 3]\n", "row 3 has 3 columns, the first row has 2"),
        ('[1, 2]\n{"a": 1}\n', "row 2 holds an object, the first row an array"),
        ('{"a": 1}\n[1]\n', "row 2 holds an array, the first row an object"),
        ('{"a": 1}\n{"a": 1, "b": 2}\n', "row 2 has 'b', which the first row has not"),
        ('{"a": {"b": 1}}\n', "row 1 holds an object within"),
        ("[1, 2]\n[1, NaN]\n", "row 2, column 2 holds NaN, not a finite|row 2, column 2 .* missing"),
        ("[1, 2]\n[1, 1e999]\n", "row 2, column 2 holds 1e999, not a finite"),
        ("[\n  [1, 2],\n  [3, 4]\n]\n", "row 1 is no JSON array or object; write one a line"),
        ("[1, 2]\n3\n", "row 2 is no JSON"),
        ('{"a": 1}\n\n{"a": "x\\ud800"}\n', "row 3 holds half a character"),
        ('{"x": [1, 2], "x1": 5}\n', "row 1 has 2 values of the name 'x1'"),
        ('{"a\\uDC00": 1}\n', "row 1 holds half a character"),
        ("[" * 100_000 + "\n", "row 1 is no JSON"),
        (json.dumps([[1]])[:-1] * 3 + "\n", "row 1 is no JSON"),
        ("[1]\n[" + "9" * 5000 + "]\n", "row 2, column 1 holds 9"),
        ("\n\n", "no rows"),
        ("[]\n[]\n", "no rows|no columns|none left"),
        (b"[1]\n[2\0]\n", "row 2 holds a NUL byte"),
        (b'{"a": 1}\n{"\xe9": 1}\n', "row 2 is not UTF-8"),
    ],
)
def test_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        load(tmp_path, text, like=NUMBERS)


def test_a_quote_within_a_text_ends_no_line(tmp_path, monkeypatch):
    """An odd number of quotes in a line is nothing here, where CSV would go on with its cell."""
    monkeypatch.setattr(lines, "BLOCK", 100)
    text = "".join(json.dumps({"a": n, "label": '"inch'}) + "\n" for n in range(99))
    assert load(tmp_path, text, task="classify").classes == ('"inch',)


def test_pairs_of_escapes_are_one_character(tmp_path):
    found = load(tmp_path, '{"a": 1, "label": "\\ud83d\\ude00"}\n{"a": 2, "label": "b"}\n', task="classify")
    assert found.classes == ("b", "\N{GRINNING FACE}")


def test_names_in_another_order_are_found_at_once(tmp_path):
    """Looking each up in a list took 30 s here."""
    names = [f"c{n}" for n in range(30_000)]
    lines = [json.dumps(dict.fromkeys(own, 1)) for own in (names, *[names[::-1]] * 4)]
    began = time.process_time()
    assert load(tmp_path, "\n".join(lines)).splits["train"].inputs.sum() == 5 * 30_000
    assert time.process_time() - began < 10


@pytest.mark.parametrize("line", ["[%s]", '{"a": %s}', '{"a": [%s]}'])
def test_a_case_without_its_only_value_is_a_case(line, tmp_path):
    text = "".join(line % cell + "\n\n" for cell in ("1", "null", '""', "3"))
    found = load(tmp_path, text).splits["train"].inputs
    np.testing.assert_array_equal(found, [[1, 0], [2, 1], [2, 1], [3, 0]])
    with pytest.raises(DataError, match=r"row 3, column 1.*holds 'null' where a number is due"):
        load(tmp_path, text, like=NUMBERS)

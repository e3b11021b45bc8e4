"""What is told of each column of a table."""

from pathlib import Path

import numpy as np

from deepnet import data
from deepnet.data.portraits import CONSTANT, NUMBERING, portraits

PATIENTS = Path(__file__).parent / "patients.csv"


def told(path, **options):
    return {row["name"]: row for row in portraits(data.load(str(path), **options))}


def test_patients():
    rows = [line.split(",") for line in PATIENTS.read_text().splitlines()[1:]]
    found = told(PATIENTS, label="state", ignore=("id",), category=("ward",))
    assert list(found) == ["age", "colour", "smoker", "height", "left", "ward"]
    ages = [float(row[1]) for row in rows if row[1] != "NA"]
    assert found["age"]["missing"] == 120 - len(ages)
    assert found["age"]["values"] == f"{min(ages):.6g} to {max(ages):.6g}, mean {np.mean(ages):.6g}"
    colours = [row[2] for row in rows if row[2] != "?"]
    assert found["colour"]["missing"] == 120 - len(colours)
    shares = sorted(((colours.count(c) / len(colours), c) for c in set(colours)), reverse=True)
    assert found["colour"]["values"] == ", ".join(f"{c} {100 * share:.3g} %" for share, c in shares)
    yes = sum(row[3] == "yes" for row in rows) / 120
    assert f"yes {100 * yes:.3g} %" in found["smoker"]["values"]
    assert [row["kind"] for row in found.values()] == ["number", "category", "flag", "number", "flag", "category"]


def test_notes_and_flags_with_missing_cells(tmp_path):
    rows = [f"{n},{n % 7},5,x,{['yes', 'no', 'no', ''][n % 4]},c{n % 5}" for n in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["id,a,same,word,ok,few", *rows]) + "\n")
    found = told(tmp_path / "t.csv")
    assert {name: row["note"] for name, row in found.items() if "note" in row} == {
        "id": NUMBERING, "same": CONSTANT, "word": CONSTANT}  # fmt: skip
    assert (found["ok"]["missing"], found["ok"]["values"]) == (10, "no 66.7 %, yes 33.3 %")
    assert found["word"]["values"] == "x 100 %"
    assert found["few"]["values"] == "c0 20 %, c1 20 %, c2 20 %, 2 more"
    assert data.audit(data.load(str(tmp_path / "t.csv")))["constant"] == {"count": 2, "first": [3, 4]}


def test_numbers_have_portraits_and_images_none(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,2\n")
    assert told(tmp_path / "t.csv")["a"] == {"name": "a", "kind": "number", "missing": 0, "values": "1 to 3, mean 2"}
    np.savez(tmp_path / "d.npz", X=np.zeros((4, 3, 3)))
    assert portraits(data.load(str(tmp_path / "d.npz"))) == []


def test_names_from_strangers_are_printable(tmp_path):
    (tmp_path / "t.csv").write_text("a\x1b[31m,b\nx\x1b[0m,1\ny,2\nz,4\n")
    assert all(row["name"].isprintable() and row["values"].isprintable() for row in told(tmp_path / "t.csv").values())

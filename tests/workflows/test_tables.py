"""A table of mixed columns through the commands: from the file to a net, and on to other files."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import DataWarning

PATIENTS = Path(__file__).parents[1] / "data" / "patients.csv"
OPTIONS = ("--label", "state", "--ignore", "id", "--category", "ward")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder one is in, with the table and another of fewer columns in another order, with new texts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text(PATIENTS.read_text())
    header, *rows = [line.split(",") for line in PATIENTS.read_text().splitlines()]
    order = [header.index(name) for name in ("ward", "smoker", "colour", "left", "height", "age")]
    new = [[row[n] for n in order] for row in (header, *rows[:20])]
    (tmp_path / "same.csv").write_text("\n".join(",".join(row) for row in new) + "\n")
    new[3][2] = "mauve"
    (tmp_path / "new.csv").write_text("\n".join(",".join([*row, "more"]) for row in new) + "\n")
    return tmp_path


@pytest.fixture
def models(folder, call):
    """A stack and a net of the table, by three lines."""
    for line in (
        "pretrain own.csv -o stack.h5 --layers 12 --epochs 3 -q",
        "finetune own.csv --from stack.h5 -o net.h5 --epochs 60 --valid 0.2 -q --force",
    ):
        done = call(*line.split(), *OPTIONS)
        assert done.code == 0, done.err
    return folder


def test_the_way_from_a_table_to_answers(models, call):
    net = checkpoint.load("net.h5")
    assert net.config["category"] == ["ward"]
    assert net.preparation.units == (("linear", 2), ("logistic", 4), ("softmax", 3), ("softmax", 3))
    assert net.preparation.fields == checkpoint.load("stack.h5").preparation.fields
    found = json.loads(call("evaluate", "net.h5", "own.csv", "--split", "train", "--json").out)
    assert found["cases"] == 96
    assert "trained on these cases" in found["note"]
    assert json.loads(call("evaluate", "net.h5", "own.csv", "--split", "valid", "--json").out)["cases"] == 24
    ours = call("predict", "net.h5", "own.csv", "--give", "probabilities")
    assert ours.err == ""
    assert (
        call("predict", "net.h5", "same.csv", "--give", "probabilities").out.splitlines() == ours.out.splitlines()[:21]
    )
    for line in ("visualize net.h5 own.csv -o page.html", "compare own.csv net.h5 net.h5 --split train",
                 "visualize stack.h5 own.csv -o stack.html", "evaluate stack.h5 own.csv"):  # fmt: skip
        done = call(*line.split())
        assert (done.code, done.err) == (0, ""), done.err


def test_what_training_did_not_see_is_told(models, call):
    done = call("predict", "net.h5", "new.csv")
    assert done.out.count("\n") == 21
    assert done.err.splitlines() == [
        "deepnet: warning: new.csv has columns that the model does not take, left out: more",
        "deepnet: warning: new.csv has texts that training did not see, taken as missing: colour (1 cell) so far",
    ]
    with pytest.warns(DataWarning) as told:
        assert len(b"".join(workflows.predict("net.h5", "new.csv")).splitlines()) == 21
    assert len(told) == 2
    (models / "less.csv").write_text("age,colour,smoker,left,ward\n30,red,no,0,1\n")
    done = call("predict", "net.h5", "less.csv")
    assert done.code == 3
    assert "less.csv has no column 'height', which the model takes" in done.err
    (models / "row.csv").write_text("age,colour,smoker,height,left,ward\n30,red,no,170,0,1\n")
    assert call("predict", "net.h5", "row.csv").out.count("\n") == 2


def test_what_is_strange_is_counted_to_the_end_of_a_stream(models, call, monkeypatch):
    """A piece a line: what is met first is told at once, the whole at the end, each once."""
    monkeypatch.setattr("deepnet.data.readers.csv.pieces", lambda stream, most: iter(stream.readline, b""))
    header, *rows = Path("same.csv").read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for n in (3, 5, 9):
        cells[n][2] = "mauve"
    cells[7][3] = cells[8][3] = ""
    Path("odd.csv").write_text("\n".join([header, *map(",".join, cells)]) + "\n")
    unseen, lacks = (
        "odd.csv has texts that training did not see, taken as missing: colour",
        "odd.csv lacks values where",
    )
    done = call("predict", "net.h5", "odd.csv")
    assert done.out.count("\n") == 21
    told = done.err.replace("deepnet: warning: ", "").splitlines()
    assert told[0] == f"{unseen} (1 cell) so far"
    assert told[-2] == f"{unseen} (3 cells) in all"
    assert told[-1].startswith(lacks)
    assert told[-1].endswith("left (2 cells) in all")
    assert sum(text.startswith(lacks) and text.endswith("(1 cell) so far") for text in told) == 1
    assert len(told) == 5


def test_the_mean_of_training_cases_stands_for_missing_cells(folder, call):
    line = "finetune own.csv -o net.h5 --layers 4 --epochs 1 -q --valid last:40"
    assert call(*line.split(), *OPTIONS).code == 0
    field = next(f for f in checkpoint.load("net.h5").preparation.fields if f.name == "age")
    ages = [row.split(",")[1] for row in PATIENTS.read_text().splitlines()[1:81]]
    assert field.fill == pytest.approx(np.mean([float(age) for age in ages if age != "NA"]), rel=1e-6)


def test_a_run_goes_on_and_a_recipe_makes_it_again(folder, call, cut):
    line = ("finetune", "own.csv", "-o", "net.h5", "--layers", "4", "--epochs", "2", *OPTIONS, "-q")
    assert call(*line).code == 0
    first = Path("net.h5").read_bytes()
    assert call(*line, "--resume").code == 0
    Path("settings.toml").write_text(call("inspect", "net.h5", "--toml").out)
    assert call("finetune", "own.csv", "-c", "settings.toml", "-o", "again.h5", "-q").code == 0
    assert Path("again.h5").read_bytes() == first
    refused = call(*line[:-3], "--resume")
    assert refused.code == 2
    assert "category" in refused.err


def test_held_out_cases_from_another_file(folder, call):
    rows = PATIENTS.read_text().splitlines(keepends=True)
    Path("train.csv").write_text("".join(rows[:81]))
    Path("valid.csv").write_text("".join([rows[0], *rows[81:]]).replace(",red,", ",mauve,"))
    done = call(
        "finetune", "train.csv", "--valid", "valid.csv", "-o", "net.h5", "--layers", "4", "--epochs", "1", *OPTIONS
    )
    assert done.code == 0
    assert "deepnet: warning: valid.csv has texts that training did not see" in done.err


def test_a_model_of_numbers_refuses_mixed_cells(folder, call):
    Path("plain.csv").write_text("a,b,y\n1,2,u\n3,4,v\n5,7,u\n")
    assert call("finetune", "plain.csv", "-o", "plain.h5", "--layers", "2", "--epochs", "1", "-q").code == 0
    Path("gaps.csv").write_text("a,b\n1,\n")
    done = call("predict", "plain.h5", "gaps.csv")
    assert done.code == 3
    assert "row 2, column 2 'b' is empty" in done.err
    done = call("finetune", "plain.csv", "--from", "plain.h5", "-o", "x.h5", "--category", "a")
    assert done.code == 2
    assert "--category: the model was trained on numbers" in done.err


def test_students_read_as_their_teachers_do(models, call):
    line = "finetune own.csv --task mimic --teacher net.h5 -o student.h5 --layers 4 --epochs 2 -q"
    done = call(*line.split(), *OPTIONS[:4])
    assert done.code == 0, done.err
    assert checkpoint.load("student.h5").preparation.fields == checkpoint.load("net.h5").preparation.fields


def test_does_pretraining_help_on_a_table(folder, call):
    line = "efficiency own.csv --layers 4 --labels 20 --seeds 1 --methods none,rbm --epochs 1 --updates 1 -o page.html"
    done = call(*line.split(), *OPTIONS, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["cases"] == 24


def test_inspect_names_columns_and_the_next_command(folder, call):
    done = call("inspect", "own.csv", *OPTIONS)
    assert done.code == 0
    for words in ("age     number", "colour  category", "smoker  flag", "train  ill ", "height  number"):
        assert words in done.out
    follow = json.loads(call("inspect", "own.csv", *OPTIONS, "--json").out)["next"]
    assert (
        follow == "deepnet pretrain own.csv -o stack.h5 --layers 48 --epochs 500 --valid 0.2 --label state --ignore id "
        "--category ward"
    )
    words = shlex.split(follow)[1:]
    assert call(*words, "--dry-run").code == 0
    rows = PATIENTS.read_text().splitlines()
    Path("counted.csv").write_text(
        "\n".join(["n," + rows[0], *(f"{n},{row}" for n, row in enumerate(rows[1:]))]) + "\n"
    )
    found = json.loads(call("inspect", "counted.csv", *OPTIONS, "--json").out)
    assert "--ignore id,n" in found["next"]
    found = json.loads(call("inspect", "own.csv", "--ignore", "id", "--json").out)
    assert found["labels"].startswith("none named")


def test_contrast_is_refused(folder, call):
    done = call("pretrain", "own.csv", "-o", "s.h5", "--contrast", "l2", "--visible", "linear", *OPTIONS)
    assert done.code == 2
    assert "--contrast l2: the columns of own.csv are of mixed kinds" in done.err


def test_folds_and_weights(folder, call):
    header, *rows = PATIENTS.read_text().splitlines()
    Path("weighed.csv").write_text("\n".join([f"{header},w", *(f"{row},{n % 3}" for n, row in enumerate(rows))]) + "\n")
    line = "finetune weighed.csv --layers 4 --epochs 1 --cv 3 --weight w -o nets -q --json"
    done = call(*line.split(), *OPTIONS)
    assert done.code == 0, done.err
    assert json.loads(done.out)["cases"] == 80
    fills = {checkpoint.load(f"nets/fold-{n}.h5").preparation.fields[0].fill for n in (1, 2, 3)}
    assert len(fills) == 3, "the mean of its own training cases"
    Path("gap.csv").write_text(Path("weighed.csv").read_text().replace(",0\n", ",\n", 1))
    done = call(*line.replace("weighed", "gap").split(), *OPTIONS, "--force")
    assert done.code == 3
    assert "row 2, column 9 'w' is empty" in done.err

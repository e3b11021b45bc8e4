"""predict: a line a case, in the model's words."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from deepnet import workflows
from tests.hostile import drawn, tree

KIND = ["--label", "kind, as told"]


def table(text):
    """Header and rows of a CSV text."""
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_labels_are_names_of_classes(flower_net, flowers, call):
    header, rows = table(call("predict", flower_net, flowers, *KIND).out)
    with open(flowers, newline="", encoding="utf-8") as file:
        truth = [row[-1] for row in list(csv.reader(file))[1:]]
    assert header == ["label"]
    assert len(rows) == 240
    assert {row[0] for row in rows} == {"Iris, early", "late Iris", "marsh Iris"}
    assert np.mean([row[0] == name for row, name in zip(rows, truth, strict=True)]) > 0.9


def test_new_rows_need_no_label(flower_net, flowers, call, tmp_path):
    """Measures alone, as they come in practice, get the labels that they got with their name."""
    with open(flowers, newline="", encoding="utf-8") as file:
        rows = [row[:-1] for row in csv.reader(file)]
    with open(tmp_path / "new.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    assert call("predict", flower_net, tmp_path / "new.csv").out == call("predict", flower_net, flowers, *KIND).out


def test_probabilities_have_the_classes_as_header(flower_net, flowers, call):
    header, rows = table(call("predict", flower_net, flowers, *KIND, "--give", "probabilities").out)
    assert header == ["Iris, early", "late Iris", "marsh Iris"]
    values = np.array(rows, float)
    assert values.shape == (240, 3)
    assert np.allclose(values.sum(axis=1), 1, atol=1e-5)
    labels = [row[0] for row in table(call("predict", flower_net, flowers, *KIND).out)[1]]
    assert [header[c] for c in values.argmax(axis=1)] == labels


def test_codes(stack, net, coder, digits, call):
    """A stack's top layer, a classifier's last hidden one, an autoencoder's narrowest."""
    for model in (stack, net, coder):
        header, rows = table(call("predict", model, digits, "--give", "codes").out)
        assert header == [f"code{n}" for n in range(1, 21)]
        values = np.array(rows, float)
        assert values.shape == (200, 20)
        assert values.min() >= 0
        assert values.max() <= 1
        assert values.std(axis=0).max() > 0.01


def test_codes_of_a_classifier_with_as_many_classes_as_columns(tmp_path, call):
    """It is no autoencoder for that: its code is the last hidden layer, not the narrowest."""
    data, net = tmp_path / "t.csv", tmp_path / "n.h5"
    rows = np.random.default_rng(0).random((30, 3))
    lines = (f"{','.join(map(str, row))},{i % 3}\n" for i, row in enumerate(rows))
    data.write_text("a,b,c,label\n" + "".join(lines))
    assert call("finetune", data, "--layers", "4,9", "--epochs", "1", "-o", net).code == 0
    header, rows = table(call("predict", net, data, "--give", "codes").out)
    assert (len(header), len(rows)) == (9, 30)


def test_codes_of_a_stack_are_its_formula(stack, digits, call):
    import h5py

    with h5py.File(stack) as file:
        arrays = [{name: file[f"model/{n}/{name}"][()].astype(np.float64) for name in "Wb"} for n in (1, 2)]
    a = np.load(digits)["x_test"].reshape(200, -1) / 255
    for layer in arrays:
        a = 1 / (1 + np.exp(-(a @ layer["W"] + layer["b"])))
    rows = table(call("predict", stack, digits).out)[1]
    assert np.allclose(np.array(rows, float), a, atol=2e-6)


def test_reconstructions(stack, coder, digits, call):
    for model in (stack, coder):
        header, rows = table(call("predict", model, digits, "--give", "reconstructions").out)
        assert (len(header), len(rows)) == (784, 200)
        assert np.isfinite(np.array(rows, float)).all()


def test_numbers_of_a_regressor_are_in_the_targets_units(house_net, houses, call):
    header, rows = table(call("predict", house_net, houses, "--label", "price").out)
    truth = np.loadtxt(houses, delimiter=",", skiprows=1)[:, -1]
    values = np.array(rows, float)[:, 0]
    assert header in (["label"], ["price"])
    assert abs(values.mean() - truth.mean()) < 0.2 * truth.std()
    assert values.std() > 0.5 * truth.std()


def test_a_file_holds_what_stdout_gets(net, digits, call, tmp_path):
    done = call("predict", net, digits, "-o", tmp_path / "p.csv")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "p.csv").read_text() == call("predict", net, digits).out


def test_test_cases_found_beside_a_file_are_told(net, idx, call):
    """A file of training images that is named, and what is predicted is the test pair beside it; a folder is both."""
    images = next(Path(idx).glob("train-images*"))
    for source, split, count, told in (
        (images, (), 200, True),
        (images, ("--split", "train"), 500, False),
        (images, ("--split", "test"), 200, False),
        (idx, (), 200, False),
        (next(Path(idx).glob("t10k-images*")), (), 200, False),
    ):
        done = call("predict", net, source, *split)
        assert (done.code, len(done.out.splitlines()) - 1) == (0, count)
        note = "the test cases found beside it are predicted; --split train predicts its own"
        assert done.err == (f"deepnet: warning: {images}: {note}\n" if told else "")


def test_a_model_does_not_come_from_stdin(flowers, call):
    done = call("predict", "-", flowers)
    assert (done.code, done.out) == (4, "")
    assert done.err == "deepnet: error: a model cannot come from standard input; give its file\n"


def test_table_from_stdin(flower_net, flowers, call, stdin):
    stdin(Path(flowers).read_bytes())
    assert call("predict", flower_net, "-", *KIND).out == call("predict", flower_net, flowers, *KIND).out


def test_pictures_of_a_folder_have_their_names(call, tmp_path, stdin):
    """In each form that has a place for them; a single one has none. The size is the model's."""
    tree(**{f"{kind}__{n}.png": drawn(size=(4 + n, 3)) for kind in ("=cat", "dog") for n in range(3)})(tmp_path / "p")
    net, known = tmp_path / "n.h5", ("'=cat/0.png", "'=cat/1.png", "'=cat/2.png", "dog/0.png", "dog/1.png", "dog/2.png")
    assert call("finetune", tmp_path / "p", "--size", "3x4", "--layers", "3", "--epochs", "1", "-o", net).code == 0
    for give, names in (("labels", ["label"]), ("probabilities", ["=cat", "dog"])):
        words = "predict", net, tmp_path / "p", "--give", give
        header, rows = table(call(*words).out)
        assert header == ["file", *(name.replace("=", "'=") for name in names)]
        assert tuple(row[0] for row in rows) == known
        cases = [json.loads(line) for line in call(*words, "--format", "jsonl").out.splitlines()]
        assert [list(case) for case in cases] == [["file", *names]] * 6
        assert [case["file"] for case in cases] == [name.removeprefix("'") for name in known]
        found = [[cell.removeprefix("'") for cell in row[1:]] for row in rows]
        assert [[f"{v:.7g}" if give != "labels" else v for v in list(case.values())[1:]] for case in cases] == found
    stdin(drawn())
    assert table(call("predict", net, "-", "--give", "probabilities").out) == (["'=cat", "dog"], [rows[0][1:]])
    done = call("predict", net, tmp_path / "p", "-o", tmp_path / "p.npy")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert "warning: an NPY has no room for the names of the pictures" in done.err
    _, labels = table(call("predict", net, tmp_path / "p").out)
    assert np.load(tmp_path / "p.npy").tolist() == [label.removeprefix("'") for _, label in labels]


def test_a_regressor_s_numbers_are_called_as_its_targets(call, tmp_path, monkeypatch):
    """Names that --label gave; a position, or a column found by its name, has none."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{n % 3},{n / 2},{-n},{n + 1}\n" for n in range(20)]
    Path("t.csv").write_text("a,b,price,=net,target\n" + "".join(rows))
    Path("new.csv").write_text("a,b\n1,2\n")
    for label, ignore, names in (
        ("price", "=net,target", ["price"]),
        ("=net", "price,target", ["'=net"]),
        ("price, target", "=net", ["price", "target"]),
        ("3", "=net,target", ["label"]),
        ("5,price", "=net", ["label1", "label2"]),
        (None, "price,=net", ["label"]),
    ):
        words = [*(() if label is None else ("--label", label)), "--ignore", ignore, "--task", "regress"]
        words += ["--layers", "2", "--epochs", "1", "-o", "n.h5", "--force", "-q"]
        assert call("finetune", "t.csv", *words).code == 0
        header, found = table(call("predict", "n.h5", "new.csv").out)
        assert (header, len(found)) == (names, 1)
        (case,) = call("predict", "n.h5", "new.csv", "--format", "jsonl").out.splitlines()
        assert list(json.loads(case)) == [name.removeprefix("'") for name in names]


def test_names_that_a_spreadsheet_would_run_are_quoted(tmp_path):
    """Text cells that begin with = + - @ get an apostrophe; numbers do not."""
    draw = np.random.default_rng(0)
    x = draw.normal(0, 1, (60, 3)) + np.repeat([[-3.0], [0.0], [3.0]], 20, axis=0)
    lines = [
        f"{a:.3f},{b:.3f},{c:.3f},{name}"
        for (a, b, c), name in zip(x, np.repeat(["=1+1", "@x", "ok"], 20), strict=True)
    ]
    (tmp_path / "t.csv").write_text("a,b,c,label\n" + "\n".join(lines) + "\n")
    data, net = str(tmp_path / "t.csv"), str(tmp_path / "n.h5")
    list(workflows.finetune(data, net, layers=(8,), epochs=20, batch_size=10, scale="standard"))
    made = b"".join(workflows.predict(net, data)).decode().split()
    assert set(made[1:]) == {"'=1+1", "'@x", "ok"}


@pytest.mark.parametrize("give", ["labels", "probabilities", "codes"])
def test_predictions_do_not_depend_on_threads_or_company(give, net, digits, call, tmp_path):
    """Each case on its own gives what it gives among others."""
    whole = call("predict", net, digits, "--give", give).out
    assert call("predict", net, digits, "--give", give, "--threads", "1").out == whole
    arrays = np.load(digits)
    np.savez(tmp_path / "few.npz", x=arrays["x_test"][3:8])
    few = call("predict", net, tmp_path / "few.npz", "--give", give).out
    assert few.splitlines()[1:] == whole.splitlines()[4:9]

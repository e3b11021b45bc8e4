"""finetune --cv: folds, figures, what is kept and how it goes on."""

import csv
import importlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, data, evaluation, workflows
from deepnet.data import Cases
from deepnet.errors import UsageError

folds = importlib.import_module("deepnet.workflows.cross_validate")  # the page, not its function
FROZEN = [0, 1, 2, 1, 1, 0, 2, 2, 2, 0, 0, 1]  # must never change
NET = ("--layers", "6", "--scale", "standard", "--epochs", "3", "--batch-size", "20")
KIND = ("--label", "kind, as told")


@pytest.mark.parametrize("count", [2, 3, 7, 60])
def test_folds(count):
    """Every case in one, sizes and classes as even as can be, drawn by the seed."""
    kinds = np.array(["a"] * 31 + ["b"] * 20 + ["c"] * 9)
    cases = Cases(np.zeros((60, 1)), kinds)
    fold = data.folds(cases, count, 0, stratified=True)
    for own in (slice(None), *(kinds == kind for kind in "abc")):
        sizes = np.bincount(fold[own], minlength=count)
        assert sizes.max() - sizes.min() <= 1
    assert (fold == data.folds(cases, count, 0, stratified=True)).all()
    assert (fold != data.folds(cases, count, 1, stratified=True)).any()
    plain = data.folds(cases, count, 0, stratified=False)
    assert np.bincount(plain, minlength=count).min() == 60 // count


def test_a_draw_that_must_never_change():
    cases = Cases(np.zeros((12, 1)), np.arange(12) % 3)
    assert data.folds(cases, 3, 0, stratified=True).tolist() == FROZEN


@pytest.fixture(scope="module")
def run(flowers, folder):
    """A run that keeps its nets: the folder and the result."""
    path = str(folder / "folds")
    records = list(workflows.cross_validate(flowers, path, **SETTINGS))
    return path, records


SETTINGS = {"cv": 4, "label": "kind, as told", "layers": (6,), "scale": "standard", "epochs": 3, "batch_size": 20}


def test_the_figures_are_those_of_the_nets_on_what_they_have_not_seen(run, flowers):
    path, records = run
    result = records[-1].result
    whole = data.load(flowers, label="kind, as told")
    fold = data.folds(whole.splits["train"], 4, 0, stratified=True)
    errors = []
    for n, row in enumerate(result["folds"]):
        net = checkpoint.load(os.path.join(path, f"fold-{n + 1}.h5"))
        cases = whole.splits["train"].at(fold == n)
        called = workflows.outputs(net, cases.inputs).argmax(axis=1)
        errors.append(np.mean(np.array(net.preparation.classes)[called] != cases.targets))
        assert row["cases"] == len(cases) == 60
        assert row["error"] == pytest.approx(errors[-1])
        seen = whole.splits["train"].at(fold != n).inputs  # not even for scaling
        np.testing.assert_allclose(net.preparation.offset, seen.mean(axis=0), rtol=1e-4)
    assert result["error"] == pytest.approx(np.mean(errors))
    assert result["fold_error"] == pytest.approx(errors)
    _, student = evaluation.mean_of_draws(np.array(errors))
    assert result["error_interval"][0] <= max(0, student[0])
    assert result["error_interval"][1] >= student[1]
    mean, interval = evaluation.mean_of_draws(np.array([row["cross_entropy"] for row in result["folds"]]))
    assert result["cross_entropy"] == mean
    assert result["cross_entropy_interval"] == [max(0.0, interval[0]), interval[1]]


def test_a_net_of_a_fold_is_what_finetune_makes_without_it(run, flowers, finish, tmp_path):
    path, _ = run
    whole = data.load(flowers, label="kind, as told")
    fold = data.folds(whole.splits["train"], 4, 0, stratified=True)
    alone = data.in_memory(*(lambda own: (own.inputs, own.targets))(whole.splits["train"].at(fold != 2)), whole.columns)
    own = {name: value for name, value in SETTINGS.items() if name != "cv"}
    finish(workflows.finetune(alone, str(tmp_path / "n.h5"), **own))
    one, other = checkpoint.load(tmp_path / "n.h5"), checkpoint.load(os.path.join(path, "fold-3.h5"))
    for a, b in zip(one.arrays, other.arrays, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def test_nothing_is_kept_unless_asked_for(call, flowers, tmp_path, monkeypatch, run):
    """The same figures as with a folder, and no file."""
    monkeypatch.chdir(tmp_path)
    done = call("finetune", flowers, *KIND, *NET, "--cv", "4", "--json", "--threads", "1")
    assert done.code == 0
    assert list(tmp_path.iterdir()) == []
    found, kept = json.loads(done.out), run[1][-1].result
    assert found["folds"] == kept["folds"]
    assert found["models"] is None
    shown = call("finetune", flowers, *KIND, *NET, "--cv", "4", "-q").out
    assert "fold error" in shown
    assert "95 % interval" in shown
    assert call("finetune", flowers, *KIND, *NET, "--cv", "4", "-n").code == 0


@pytest.mark.parametrize("minibatches", [4, 30])
def test_a_run_that_was_cut_goes_on(minibatches, flowers, cut, tmp_path, run):
    """Within the first fold or a later one, with the same bytes."""
    path = str(tmp_path / "folds")
    end = list(workflows.cross_validate(flowers, path, **SETTINGS, stop=cut(minibatches)))[-1]
    assert (end.outcome, end.result["finished"]) == ("interrupted", f"{minibatches // 28} of 4 folds")
    done = list(workflows.cross_validate(flowers, path, **SETTINGS, resume=True))[-1]
    assert done.result | {"models": None} == run[1][-1].result | {"models": None}
    for kept in Path(run[0]).iterdir():
        assert Path(path, kept.name).read_bytes() == kept.read_bytes()
    for other in ({"cv": 3}, {"seed": 1}, {"epochs": 2}):
        with pytest.raises(UsageError, match="--resume"):
            list(workflows.cross_validate(flowers, path, **SETTINGS | other, resume=True))
    with pytest.raises(UsageError, match="exists; give --force"):
        list(workflows.cross_validate(flowers, path, **SETTINGS))


@pytest.mark.parametrize(
    ("words", "metric"),
    [
        (("--task", "regress", "--label", "petal width", "--ignore", "5"), "rmse"),
        (("--task", "regress", "--label", "sepal length,sepal width", "--ignore", "5"), "rmse"),
        (("--task", "reconstruct", *KIND, "--layers", "2"), "squared_error"),
        ((*KIND, "--loss", "squared_hinge", "--class-weight", "balanced", "--weight", "sepal width"), "error"),
        ((*KIND, "--valid", "0.2", "--patience", "1"), "error"),
        ((*KIND, "--labels", "30"), "error"),
    ],
)
def test_tasks(words, metric, call, flowers):
    done = call("finetune", flowers, *NET, *words, "--cv", "3", "--json", "-q")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    low, high = found[f"{metric}_interval"]
    assert low <= found[metric] <= high
    assert len(found[f"fold_{metric}"]) == len(found["folds"]) == 3
    assert sum(row["cases"] for row in found["folds"]) == found["cases"] == 240


def test_what_it_begins_with_may_have_seen_the_folds(call, digits, stack, net):
    """A test split is left alone."""
    for start, note in ((stack, "inputs of all folds"), (net, "inputs of all folds, and their labels too")):
        done = call("finetune", digits, "--from", start, "--epochs", "1", "--cv", "2", "--json")
        found = json.loads(done.out)
        assert found["note"].endswith(note)
        assert note in done.err
        assert found["cases"] == 500


def test_cases_without_a_label_are_counted_apart(call, flowers, tmp_path):
    rows = list(csv.reader(Path(flowers).read_text().splitlines()))
    for row in rows[1::8]:
        row[-1] = ""
    with open(tmp_path / "f.csv", "w") as file:
        csv.writer(file).writerows(rows)
    found = json.loads(call("finetune", tmp_path / "f.csv", *KIND, *NET, "--cv", "3", "--json").out)
    assert (found["cases"], found["unlabelled"]) == (210, 30)
    assert sum(row["cases"] for row in found["folds"]) == 210


REFUSED = {
    "one fold": (["--cv", "1"], 2, "'1' is not from 2"),
    "more folds than cases": (["--cv", "241"], 3, "--cv 241 is more folds than the 240 training cases"),
    "a file as folder": (["--cv", "3", "-o", "file"], 2, "is a file, and with --cv a folder"),
    "no folder to go on with": (["--cv", "3", "--resume"], 2, "without -o FOLDER"),
    "one class": (["--cv", "3", "--task", "one_class"], 2, "a centre of its own"),
    "patience without cases": (["--cv", "3", "--patience", "2"], 2, "add --valid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, call, flowers, tmp_path, tree, monkeypatch):
    words, code, hint = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    before = tree(tmp_path)
    done = call("finetune", flowers, *KIND, *NET, *words)
    assert (done.code, tree(tmp_path)) == (code, before)
    assert hint in done.err


def test_missing_cells_are_filled_as_the_net_knows_them(finish, tmp_path, monkeypatch):
    """Which held out cases of its own, so that its means are not those of the other folds."""
    rows = (f"{'' if n % 4 == 3 else n * n},{'abc'[n % 3]},{n % 2}" for n in range(60))
    (tmp_path / "t.csv").write_text("\n".join(["size,kind,label", *rows]))
    seen = []

    def measured(net, dataset, *words):
        seen.append((net.preparation.fields, dataset))
        return honest_measured(net, dataset, *words)

    honest_measured = folds.measured
    monkeypatch.setattr(folds, "measured", measured)
    words = {"cv": 3, "layers": (4,), "epochs": 1, "valid": "0.3"}
    finish(workflows.cross_validate(str(tmp_path / "t.csv"), **words))
    for fields, dataset in seen:
        inputs = dataset.splits["test"].inputs
        assert (inputs[inputs[:, 1] == 1, 0] == np.float32(fields[0].fill)).all()
    assert len({fields[0].fill for fields, _ in seen}) == len(seen) == 3

"""Few labels among many cases: who uses which cases, and who says so."""

import json

import numpy as np
import pytest

from deepnet import checkpoint, workflows

NET = ("--layers", "8", "--epochs", "2", "--batch-size", "20", "-q")


@pytest.fixture(scope="module")
def sparse(tmp_path_factory, digits):
    """The digits with a label for every fifth training case and every second test case."""
    arrays = dict(np.load(digits))
    for name, step in (("y_train", 5), ("y_test", 2)):
        labels = np.full(len(arrays[name]), -1)
        labels[::step] = arrays[name][::step]
        arrays[name] = labels
    path = tmp_path_factory.mktemp("sparse") / "sparse.npz"
    np.savez(path, **arrays)
    return str(path)


def test_inspect_counts_them(call, sparse):
    found = json.loads(call("inspect", sparse, "--json").out)
    assert found["unlabelled"] == "400 train, 100 test"
    assert sum(found["balance"]["train"].values()) == 100


def test_pretraining_uses_all_and_finetuning_the_labelled(call, sparse, digits, tmp_path):
    stack, net = tmp_path / "s.h5", tmp_path / "n.h5"
    assert call("pretrain", sparse, "-o", stack, "--layers", "8", "--epochs", "1", "-q").code == 0
    assert checkpoint.load(stack).history["layer 1"]["updates"][-1] == 5
    done = call("finetune", sparse, "--from", stack, "-o", net, "--epochs", "2", "--batch-size", "20", "--json")
    assert "500 train" not in done.err
    assert "unlabelled 400 train" in done.err
    assert json.loads(done.out)["unlabelled"] == "400 train, 100 test"
    assert checkpoint.load(net).history["fine-tuning"]["updates"][-1] == 10
    measured = json.loads(call("evaluate", net, sparse, "--json").out)
    assert (measured["cases"], measured["unlabelled"]) == (100, 100)
    full = json.loads(call("evaluate", net, digits, "--json").out)
    assert full["cases"] == 200
    assert "unlabelled" not in full


def test_only_the_labelled_matter(finish, sparse, tmp_path):
    """The same net as from a file that holds the labelled cases alone."""
    arrays = dict(np.load(sparse))
    for part in ("train", "test"):
        kept = arrays[f"y_{part}"] >= 0
        arrays |= {f"{v}_{part}": arrays[f"{v}_{part}"][kept] for v in "xy"}
    np.savez(tmp_path / "alone.npz", **arrays)
    options = {"layers": (8,), "epochs": 2, "batch_size": 20}
    for name, source in (("a", sparse), ("b", str(tmp_path / "alone.npz"))):
        finish(workflows.finetune(source, str(tmp_path / f"{name}.h5"), **options))
    one, other = (checkpoint.load(tmp_path / f"{name}.h5") for name in "ab")
    np.testing.assert_array_equal(one.arrays[0]["W"], other.arrays[0]["W"])


def test_numbers_are_scaled_by_the_known_ones(finish, houses, tmp_path):
    with open(houses, encoding="utf-8") as file:
        lines = file.read().splitlines()
    blank = [line if n % 4 or not n else line.rsplit(",", 1)[0] + "," for n, line in enumerate(lines)]
    (tmp_path / "t.csv").write_text("\n".join(blank) + "\n")
    net = str(tmp_path / "n.h5")
    options = {"task": "regress", "label": "price", "scale": "standard", "layers": (4,), "epochs": 3, "batch_size": 20}
    end = finish(workflows.finetune(str(tmp_path / "t.csv"), net, **options))[-1]
    assert end.result["unlabelled"] == "100 train"
    known = [float(line.rsplit(",", 1)[1]) for line in blank[1:] if not line.endswith(",")]
    assert len(known) == 300
    assert checkpoint.load(net).preparation.target_offset[0] == pytest.approx(np.mean(known), rel=1e-6)
    measured = workflows.evaluate(net, str(tmp_path / "t.csv"))
    assert (measured["cases"], measured["unlabelled"]) == (300, 100)
    assert np.isfinite(measured["rmse"])


def test_labels_drawn(call, finish, digits, tmp_path):
    net = tmp_path / "n.h5"
    done = call("finetune", digits, *NET, "-o", net, "--labels", "40", "--json")
    assert json.loads(done.out)["unlabelled"] == "460 train"
    assert checkpoint.load(net).config["labels"] == 40
    assert checkpoint.load(net).history["fine-tuning"]["updates"][-1] == 4
    assert "labels" not in checkpoint.load(finish_plain(finish, digits, tmp_path)).config
    again = call("finetune", digits, *NET, "-o", net, "--labels", "30", "--resume")
    assert again.code == 2
    assert "labels was 40, is 30" in again.err


def finish_plain(finish, digits, folder):
    """A net of all labels."""
    path = str(folder / "plain.h5")
    finish(workflows.finetune(digits, path, layers=(4,), epochs=1))
    return path


REFUSED = {
    "more labels than there are": (["--labels", "501"], 3, "--labels 501 is more than the 500 training cases"),
    "labels to reconstruct": (["--labels", "5", "--task", "reconstruct"], 2, "--labels is for --task classify"),
    "no labels": (["--labels", "0"], 2, "'0' is not 1 or more"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, call, digits, tmp_path, tree):
    words, code, hint = REFUSED[name]
    before = tree(tmp_path)
    done = call("finetune", digits, *NET, "-o", tmp_path / "n.h5", *words)
    assert done.code == code
    assert hint in done.err
    assert tree(tmp_path) == before


@pytest.mark.parametrize(("valid", "code"), [("5", 3), ("250", 0)])
def test_held_out_cases_need_a_label(valid, code, call, sparse, tmp_path):
    """The classes' shares of a few cases round down to none."""
    arrays = dict(np.load(sparse))
    arrays["y_train"][100:] = -1
    np.savez(tmp_path / "few.npz", **arrays)
    done = call("finetune", tmp_path / "few.npz", *NET, "-o", tmp_path / "n.h5", "--valid", valid, "--batch-size", "2")
    assert done.code == code
    if code:
        assert "none of the 5 valid cases has a label" in done.err


def test_a_test_split_without_any_label(call, net, sparse, tmp_path):
    arrays = dict(np.load(sparse))
    arrays["y_test"][:] = -1
    np.savez(tmp_path / "none.npz", **arrays)
    done = call("evaluate", net, tmp_path / "none.npz")
    assert done.code == 3
    assert "none of the 200 test cases has a label" in done.err


def test_maps_name_the_labelled(call, stack, sparse, tmp_path):
    done = call("visualize", stack, sparse, "-o", tmp_path / "codes.svg", "--kind", "codes", "--json")
    assert json.loads(done.out)["neighbour_cases"] == 100


def test_words_for_no_value_are_told_once(call, tmp_path, monkeypatch):
    """Whatever is made of the table, however many nets are."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{n * n % 7},{('no', 'yes', 'NA')[n % 3]}\n" for n in range(90)]
    (tmp_path / "t.csv").write_text("a,b,ill\n" + "".join(rows))
    told = "deepnet: warning: t.csv: the label 'NA' counts as none, in 30 cases; a class needs another name\n"
    net = "--layers 3 --epochs 1 --label ill"
    for line in (
        f"pretrain t.csv {net} --visible linear --scale standard -o stack.h5",
        f"finetune t.csv {net} -o net.h5",
        f"finetune t.csv {net} --cv 3",
        "evaluate net.h5 t.csv",
        "inspect t.csv --label ill",
        "efficiency t.csv --layers 3 --labels 10 --seeds 2 --methods none --epochs 1 --updates 1 --label ill -o e.html",
    ):
        done = call(*line.split())
        assert done.code == 0, done.err
        assert done.err.count(told) == 1, line
    assert json.loads(call("evaluate", "net.h5", "t.csv", "--json").out)["unlabelled"] == 30

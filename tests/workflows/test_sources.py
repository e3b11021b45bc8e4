"""Data that are not those a model was made for are refused by what shows it: width, names of columns, range."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepnet import checkpoint
from deepnet.checkpoint import Preparation
from deepnet.data import Cases, Dataset
from deepnet.errors import DataError
from deepnet.workflows import sources


def preparation(scale=1.0, columns=()):
    return Preparation("auto", np.zeros(2, np.float32), np.full(2, scale, np.float32), (2,), columns=columns)


def dataset(values, columns=()):
    return Dataset("table", {"train": Cases(np.array(values))}, shape=(2,), columns=columns)


def test_what_fits_passes():
    sources.check_width(dataset([[0.5, 2]], ("a", "b")), preparation(columns=("a", "b")), "net.h5")
    sources.check_width(dataset([[0.5, 2]], ("a", "b")), preparation(), "net.h5")
    sources.check_width(dataset([[0.5, 2]]), preparation(columns=("a", "b")), "net.h5")
    sources.check_width(dataset([[7.0, 200]]), preparation(255), "net.h5")
    sources.check_width(Dataset("", {"train": Cases(np.ones((1, 2), np.uint8))}), preparation(255), "net.h5")


@pytest.mark.parametrize(
    ("data", "given", "hint"),
    [
        (dataset([[1.0, 2, 3]]), preparation(), "has 3 columns but"),
        (dataset([[1.0]]), preparation(), "has 1 column but"),
        (dataset([[1.0, 2]], ("b", "a")), preparation(columns=("a", "b")), "column 1 is 'b'"),
        (dataset([[0.0, 0.5]]), preparation(255), "bytes"),
    ],
)
def test_what_does_not_is_refused(data, given, hint):
    with pytest.raises(DataError, match=hint):
        sources.check_width(data, given, "net.h5")


def test_a_split_that_is_asked_for_is_there_or_refused(tmp_path, call, monkeypatch):
    """By evaluate, compare and predict alike: a bound in a job must not be met by other cases than were named."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{n},{n % 3},{'xyz'[n % 3]}\n" for n in range(30)]
    Path("t.csv").write_text("id,a,label\n" + "".join(rows))
    for net, valid in (("whole.h5", "none"), ("held.h5", "0.2")):
        words = ("--ignore", "id", "--layers", "2", "--epochs", "1", "--valid", valid, "-o", net, "-q")
        assert call("finetune", "t.csv", *words).code == 0
    for net, split, found, count in (
        ("whole.h5", None, "all", 30),
        ("whole.h5", "train", "all", 30),
        ("whole.h5", "valid", "leave --split out for all cases", 0),
        ("whole.h5", "test", "leave --split out for all cases", 0),
        ("held.h5", None, "all", 30),
        ("held.h5", "train", "train", 24),
        ("held.h5", "valid", "valid", 6),
        ("held.h5", "test", "give --split train or valid, or leave it out for all cases", 0),
    ):
        asked = () if split is None else ("--split", split)
        for words in (("evaluate", net, "t.csv", "--require", "error<=1"), ("compare", "t.csv", net, net)):
            done = call(*words, *asked, "--json")
            if count:
                facts = json.loads(done.out)
                assert (done.code, facts["split"], facts["cases"]) == (0, found, count)
            else:
                assert (done.code, done.out) == (3, "")
                assert done.err == f"deepnet: error: t.csv has no split {split}; {found}\n"
        done = call("predict", net, "t.csv", *asked)
        assert (done.code, len(done.out.splitlines()[1:])) == (0 if count else 3, 30 if split == "train" else count)
    for split, code in (("train", 2), ("valid", 2), (None, 0)):
        asked = () if split is None else ("--split", split)
        done = call("compare", "t.csv", "whole.h5", "held.h5", *asked)
        assert (done.code, "not measured on the same cases; compare" in done.err) == (code, code == 2)


def test_held_out_cases_are_predicted_as_they_are_evaluated(tmp_path, call, monkeypatch):
    """Rows of a table, pictures with their names, and the normal ones among them."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    x = draw.random((40, 3)).round(3)
    Path("t.csv").write_text(
        "a,b,c,label\n" + "".join(f"{a},{b},{c},{'xyz'[n % 3]}\n" for n, (a, b, c) in enumerate(x))
    )
    for kind, n in itertools.product(("cat", "dog"), range(10)):
        (tmp_path / "p" / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (4, 3), np.uint8)).save(f"p/{kind}/{n}.png")
    for source, options in (("t.csv", ()), ("p", ()), ("p", ("--task", "one_class", "--normal", "dog"))):
        words = (*options, "--layers", "2", "--epochs", "1", "--valid", "0.2", "-o", "n.h5", "--force", "-q")
        assert call("finetune", source, *words).code == 0
        give = ("--give", "codes", "--format", "jsonl")
        every, held = (
            [json.loads(line) for line in call("predict", "n.h5", source, *give, *split).out.splitlines()]
            for split in ((), ("--split", "valid"))
        )
        loaded = checkpoint.load("n.h5")
        task = sources.task_of(loaded.model.loss, loaded.preparation)
        _, cases, _ = sources.open_split(loaded, "n.h5", source, task, "valid", None, ())
        stream = sources.stream_of(loaded, source, "valid", None, (), ())
        np.testing.assert_array_equal(stream.dataset.splits["valid"].inputs, cases.inputs)
        assert 0 < len(held) == len(cases) == stream.cases < len(every)
        assert [case for case in every if case in held] == held
        if "--normal" in options:
            assert all(case["file"].startswith("dog/") for case in held)


def test_classes_without_a_training_case_are_told(flowers, tmp_path, call):
    words = ("finetune", flowers, "--label", "kind, as told", "--layers", "3", "--epochs", "1", "-o", tmp_path / "n.h5")
    assert "no training case" not in call(*words).err
    done = call(*words, "--labels", "2", "--force")
    assert done.code == 0
    assert done.err.count("no training case is of class") == 1

"""finetune with weights of cases and of classes: what they change, who remembers them, what is refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.data import apply, in_memory
from deepnet.errors import UsageError
from deepnet.workflows import weighting

NET = {"layers": (6,), "epochs": 3, "batch_size": 20, "scale": "none"}


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """A table of 300 cases, every tenth of class yes, with weights; and its arrays."""
    draw = np.random.default_rng(4)
    y = np.arange(300) % 10 == 0
    X = np.round(draw.normal(0, 1, (300, 3)) + 1.2 * y[:, None], 3)
    w = np.round(draw.random(300) + 0.5, 2)
    path = tmp_path_factory.mktemp("rare") / "rare.csv"
    rows = [f"{a},{b},{c},{v},{'yes' if k else 'no'}" for (a, b, c), v, k in zip(X, w, y, strict=True)]
    path.write_text("\n".join(["a,b,c,w,kind", *rows]) + "\n")
    return SimpleNamespace(path=str(path), X=X, y=y.astype(int), w=w)


def trained(finish, path, source, **settings):
    """The bytes of all parameters of a net, and its checkpoint."""
    finish(workflows.finetune(source, str(path), **NET | settings))
    model = checkpoint.load(path)
    return b"".join(array.tobytes() for own in model.arrays for array in own.values()), model


def test_a_case_of_weight_0_is_as_if_it_were_not_there(finish, rare, tmp_path):
    """Bit for bit, and so is a power of two that all weights share."""
    kept = np.arange(300) % 3 > 0
    with_zeros = in_memory(rare.X, rare.y, weights=np.where(kept, 8 * rare.w, 0))
    without = in_memory(rare.X[kept], rare.y[kept], weights=rare.w[kept])
    one, other = (trained(finish, tmp_path / f"{n}.h5", d)[0] for n, d in enumerate((with_zeros, without)))
    plain, _ = trained(finish, tmp_path / "plain.h5", in_memory(rare.X[kept], rare.y[kept]))
    assert one == other != plain


@pytest.mark.parametrize("value", [1, 3.5])
def test_equal_weights_change_no_bit(value, finish, rare, tmp_path):
    for task in ("classify", "regress"):
        same = in_memory(rare.X, rare.y, weights=np.full(300, value))
        one, _ = trained(finish, tmp_path / "a.h5", same, task=task, force=True)
        other, _ = trained(finish, tmp_path / "b.h5", in_memory(rare.X, rare.y), task=task, force=True)
        assert one == other


def test_weights_of_classes_are_those_of_their_cases(finish, rare, tmp_path):
    """balanced, written out, as a mapping, and as a column: one net; classes not named count 1."""
    balanced = np.where(rare.y, 300 / 2 / 30, 300 / 2 / 270)
    found = [
        trained(finish, tmp_path / f"{n}.h5", in_memory(rare.X, rare.y, weights=weights), class_weight=asked)[0]
        for n, (weights, asked) in enumerate(
            [(None, "1=9"), (None, "0=1,1=9"), (None, {"1": 9}), (np.where(rare.y, 9, 1), None), (None, "balanced")]
        )
    ]
    assert len(set(found[:4])) == 1
    np.testing.assert_allclose(*(np.frombuffer(own, np.float32) for own in found[3:]), rtol=1e-3, atol=1e-5)
    settled = weighting.settled(in_task(rare, None), "balanced").splits["train"].weights
    np.testing.assert_allclose(settled, balanced, rtol=1e-6)


def in_task(rare, weights):
    """The table as a classifier trains on it."""
    return apply(in_memory(rare.X, rare.y, weights=weights), "classify")


def test_balanced_classes_have_equal_sums_of_weights(rare):
    settled = weighting.settled(in_task(rare, rare.w), "balanced").splits["train"]
    sums = np.bincount(settled.targets, settled.weights)
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)
    assert settled.weights.mean(dtype=float) == pytest.approx(1, rel=1e-6)
    within = settled.weights[settled.targets == 1] / rare.w[rare.y == 1]
    np.testing.assert_allclose(within, within[0], rtol=1e-5)


def test_a_rare_class_is_found(call, rare, tmp_path):
    """Recall rises with its weight; figures in training are by weight, those of evaluate are not and say so."""
    recalls = {}
    words = ["--label", "kind", "--weight", "w", "--layers", "6", "--scale", "standard", "--epochs", "30", "--json"]
    for asked in ("yes=1", "balanced"):
        path = tmp_path / f"{asked}.h5"
        done = call("finetune", rare.path, *words, "--class-weight", asked, "-o", path)
        assert json.loads(done.out)["weighted"] is True
        found = json.loads(call("evaluate", path, rare.path, "--json").out)
        assert found["weighted"] is False
        assert found["cases"] == 300
        recalls[asked] = found["classes"][1]["recall"]
        if asked == "balanced":
            assert json.loads(done.out)["training_error"] == pytest.approx(found["balanced_error"], abs=0.1)
    assert recalls["balanced"] > 0.6 > recalls["yes=1"]


def test_the_column_is_left_out_ever_after(call, rare, tmp_path):
    """By evaluate, predict and compare, whether new data have it or not; the report of a headerless table says so."""
    words = ["--label", "kind", "--weight", "w", "--layers", "4", "--epochs", "1", "-q"]
    assert call("finetune", rare.path, *words, "-o", tmp_path / "n.h5").code == 0
    assert call("evaluate", tmp_path / "n.h5", rare.path, "--split", "train").code == 0
    (tmp_path / "new.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "old.csv").write_text("a,b,c,w\n1,2,3,5\n")
    one, other = (call("predict", tmp_path / "n.h5", tmp_path / f"{name}.csv") for name in ("new", "old"))
    assert one.out == other.out != ""
    bare = tmp_path / "bare.csv"
    bare.write_text(Path(rare.path).read_text().partition("\n")[2])
    words[1:4] = ["5", "--weight", "4"]
    done = call("finetune", bare, *words, "--json", "-o", tmp_path / "m.h5")
    assert json.loads(done.out)["next"].endswith("--label 5 --ignore 4")


def test_held_out_cases_count_by_weight_too(finish, rare, tmp_path):
    """What early stopping looks at is the error by weight."""
    _, model = trained(finish, tmp_path / "n.h5", rare.path, label="kind", class_weight="balanced", valid="0.4")
    _, plain = trained(finish, tmp_path / "m.h5", rare.path, label="kind", valid="0.4")
    errors = [m.history["fine-tuning"]["validation_error"][-1] for m in (model, plain)]
    assert errors[1] == pytest.approx(0.1, abs=1e-9), "all are called no"
    assert errors[0] > 0.15
    assert model.config["class_weight"] == "balanced"


def test_other_weights_are_another_run(finish, rare, cut, tmp_path):
    path = str(tmp_path / "n.h5")
    data = [in_memory(rare.X, rare.y, weights=w) for w in (rare.w, rare.w + 1)]
    list(workflows.finetune(data[0], path, **NET, stop=cut(5)))
    with pytest.raises(UsageError, match=r"weights was .*, is "):
        list(workflows.finetune(data[1], path, **NET, resume=True))
    assert list(workflows.finetune(data[0], path, **NET, resume=True))[-1].outcome == "finished"


PARSED = {
    "balanced": "balanced",
    "no=1,yes=5": {"no": 1.0, "yes": 5.0},
    "Iris, early=2,late Iris=0.5": {"Iris, early": 2.0, "late Iris": 0.5},
    "a=b=3": {"a=b": 3.0},
}


@pytest.mark.parametrize("text", PARSED)
def test_words_for_weights_of_classes(text):
    found = weighting.parse(text, "classify")
    assert found == PARSED[text]
    assert weighting.parse(weighting.written(found), "classify") == found


@pytest.mark.parametrize(
    "text", ["", "balance", "yes", "yes=", "yes=0", "yes=-1", "yes=nan", "no=inf", "a=1,b", "a=1,a=2", {}, 3]
)
def test_words_that_are_none(text):
    with pytest.raises(UsageError, match=r"--class-weight .*: give balanced, or CLASS=NUMBER"):
        weighting.parse(text, "classify")


REFUSED = {
    "a class that is not there": (
        ["--label", "kind", "--class-weight", "maybe=2"],
        3,
        "no class 'maybe'; it has no, yes",
    ),
    "no classes": (
        ["--label", "a", "--ignore", "kind", "--task", "regress", "--class-weight", "balanced"],
        2,
        "leave it",
    ),
    "no number": (["--label", "kind", "--class-weight", "yes=much"], 2, "CLASS=NUMBER"),
    "no such column": (["--label", "kind", "--weight", "v"], 3, "no column 'v' for --weight"),
    "text": (["--label", "w", "--weight", "kind"], 3, "where a number is due"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, call, rare, tmp_path, tree):
    words, code, hint = REFUSED[name]
    done = call("finetune", rare.path, *words, "--layers", "4", "-o", tmp_path / "n.h5")
    assert (done.code, tree(tmp_path)) == (code, {})
    assert hint in done.err


def test_held_out_cases_without_any_weight(call, rare, tmp_path):
    lines = Path(rare.path).read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    for row in rows[-50:]:
        row[3] = "0"
    (tmp_path / "t.csv").write_text("\n".join([lines[0], *map(",".join, rows)]) + "\n")
    words = ["--label", "kind", "--weight", "w", "--layers", "4", "--valid", "last:50", "-o", tmp_path / "n.h5"]
    done = call("finetune", tmp_path / "t.csv", *words)
    assert done.code == 3
    assert "the weights of all 50 valid cases are zero" in done.err

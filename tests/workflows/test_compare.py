"""compare: what it says of networks that are alike, and of ones that are not."""

import json
import math

import numpy as np
import pytest

from deepnet import evaluation, workflows
from deepnet.errors import UsageError


@pytest.fixture(scope="module")
def nets(digits, tmp_path_factory):
    """A network that learned little, one that learned more, and an autoencoder, with their logs."""
    folder = tmp_path_factory.mktemp("nets")
    made = {}
    for name, words in {
        "poor": {"epochs": 1, "learning_rate": "0.001"},
        "good": {"epochs": 30, "optimizer": "cg", "batch_size": 250},
        "coder": {"epochs": 2, "task": "reconstruct", "optimizer": "cg"},
        "worse coder": {"epochs": 1, "task": "reconstruct", "learning_rate": "1e-6"},
    }.items():
        made[name] = str(folder / f"{name}.h5")
        list(workflows.finetune(digits, made[name], layers=(20,), **words))
    return made


def test_a_network_against_itself(nets, digits):
    found = workflows.compare(digits, (nets["good"], nets["good"]))
    first, second = found["models"]
    assert first["error"] == second["error"]
    assert (second["difference"], second["p"], second["verdict"]) == (0, 1, "no difference")
    assert first["verdict"] == "the measure"


def test_better_and_worse(nets, digits):
    rows = workflows.compare(digits, (nets["poor"], nets["good"]))["models"]
    assert rows[1]["verdict"] == "better"
    low, high = rows[1]["difference_interval"]
    assert low < rows[1]["difference"] < high < 0
    assert rows[1]["difference"] == pytest.approx(rows[1]["error"] - rows[0]["error"], rel=0.01)
    rows = workflows.compare(digits, (nets["good"], nets["poor"]))["models"]
    assert rows[1]["verdict"] == "worse"
    for name in ("poor", "good"):
        alone = workflows.evaluate(nets[name], digits)
        row = next(row for row in rows if row["model"] == nets[name])
        assert (row["error"], row["error_interval"]) == (alone["error"], alone["error_interval"])


def test_autoencoders(nets, digits):
    rows = workflows.compare(digits, (nets["worse coder"], nets["coder"]))["models"]
    assert rows[1]["verdict"] == "better"
    assert rows[1]["squared_error"] == workflows.evaluate(nets["coder"], digits)["squared_error"]


def test_a_chart_with_and_without_the_clock(nets, digits, call, tmp_path):
    pictures = []
    for words in ((), ("--log", tmp_path / "a.log", "--log", tmp_path / "b.log")):
        for k, log in enumerate(words[1::2]):
            lines = [{"event": "epoch", "stage": "fine-tuning 784-20-10", "seconds": 1.5} for _ in range(4)]
            for e, line in enumerate(lines):
                line["metrics"] = {"training_error": 0.1 / (e + k + 1)}
            log.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = call("compare", digits, nets["poor"], nets["good"], "-o", tmp_path / "c.png", "--force", *words)
        assert done.code == 0, done.err
        assert "verdict" in done.out
        assert max(map(len, done.out.splitlines())) < 200
        pictures.append((tmp_path / "c.png").read_bytes())
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(("words", "hint"), [
    (("good",), "at least two networks"),
    (("good", "coder"), "one task"),
    (("good", "stack"), "is a stack"),
])  # fmt: skip
def test_what_cannot_be_compared(words, hint, nets, stack, digits):
    with pytest.raises(UsageError, match=hint):
        workflows.compare(digits, [nets.get(word, stack) for word in words])


@pytest.mark.parametrize(
    "text", ["", "{", '{"event": "epoch"}', '{"event": "epoch", "stage": "fine-tuning", "seconds": "x"}', "[]"]
)
def test_logs_that_are_none(text, nets, digits, call, tmp_path):
    log = tmp_path / "a.log"
    log.write_text(text)
    done = call("compare", digits, nets["poor"], nets["good"], "--log", log, "--log", log, "-o", tmp_path / "c.png")
    assert done.code == 3
    assert done.err.count("\n") == 1
    assert not (tmp_path / "c.png").exists()


def test_mcnemar_is_the_binomial_test():
    wrong = np.zeros((2, 20), bool)
    wrong[0, :3], wrong[1, 5:14] = True, True
    expected = 2 * sum(math.comb(12, k) for k in range(4)) / 2**12
    assert evaluation.mcnemar(*wrong) == pytest.approx(expected, rel=1e-12)
    assert evaluation.mcnemar(wrong[0], wrong[0]) == 1
    assert evaluation.mcnemar(np.ones(5000, bool), np.zeros(5000, bool)) < 1e-300


def test_paired_differences_keep_their_promise():
    """Of differences with mean 0 about one in twenty is called one."""
    rng = np.random.default_rng(0)
    called = [evaluation.paired(rng.normal(size=200), np.zeros(200)) < 0.05 for _ in range(2000)]
    assert 0.035 < np.mean(called) < 0.065
    assert evaluation.paired(np.ones(3), np.zeros(3)) == 0
    assert evaluation.paired(np.ones(3), np.ones(3)) == 1

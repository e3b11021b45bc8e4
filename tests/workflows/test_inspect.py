"""inspect: models and data."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, workflows


def facts(call, *words):
    """The JSON object of a call."""
    done = call("inspect", *words, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_network_and_its_lineage(net, stack, call):
    found = facts(call, net)
    assert found["kind"] == "network"
    assert found["network"] == "784-40-20-10"
    assert found["finished"] is True
    assert found["parent"] == facts(call, stack)["digest"] == checkpoint.load(stack).digest
    assert found["parameters"] == 784 * 40 + 40 + 40 * 20 + 20 + 20 * 10 + 10
    assert [row["unit"] for row in found["layers"]] == ["logistic", "logistic", "softmax"]
    assert found["classes"] == list("0123456789")
    assert found["settings"]["optimizer"] == "nesterov"


def test_counters_stand_beside_the_metrics(net, call):
    found = facts(call, net)
    assert set(found["history"]["fine-tuning"]) == {"training_error", "training_loss", "validation_error",
                                                    "validation_loss"}  # fmt: skip
    work = found["work"]["fine-tuning"]
    assert (work["updates"], work["gradients"], work["curvature_products"]) == (32, 4, 0)
    assert "updates 32, " in call("inspect", net, "-v").out


def test_a_stack(stack, call):
    found = facts(call, stack)
    assert found["kind"] == "stack"
    assert found["parameters"] == 784 * 40 + 40 + 784 + 40 * 20 + 20 + 40
    assert found["history"]["layer 1"]["reconstruction_error"] > 0
    assert "free_energy_gap" in found["history"]["layer 2"]


def test_a_run_that_was_cut(digits, cut, call, tmp_path):
    list(workflows.pretrain(digits, str(tmp_path / "s.h5"), layers=(8,), epochs=(1,), stop=cut(2)))
    assert facts(call, tmp_path / "s.h5")["finished"] is False


def test_data(digits, call):
    found = facts(call, digits)
    assert found["shape"] == [28, 28]
    assert found["cases"] == "500 train, 200 test"
    assert (found["minimum"], found["maximum"]) == (0, 255)
    assert sum(found["balance"]["train"].values()) == 500
    assert (found["visible"], found["scale"]) == ("logistic", "auto")
    assert "--valid" not in found["next"]
    cells, scaled = (np.load(digits)["x_train"].reshape(500, -1) / scale for scale in (1.0, 255.0))
    assert found["mean_of_cells"] == pytest.approx(cells.mean())
    assert found["squared_error_of_mean_case"] == pytest.approx(((scaled - scaled.mean(axis=0)) ** 2).sum() / 500)


def test_what_to_type_next_of_stdin_names_a_file_to_put_in(flowers, call, stdin, tmp_path):
    for words in (["inspect", "-"], ["finetune", "-", "--layers", 3, "--epochs", 1, "-o", tmp_path / "n.h5"]):
        stdin(Path(flowers).read_bytes())
        done = call(*words, "--label", "kind, as told", "--json")
        assert done.code == 0, done.err
        following = shlex.split(json.loads(done.out)["next"])
        assert "DATA" in following
        assert "-" not in following


def test_a_table(flowers, call):
    found = facts(call, flowers, "--label", "kind, as told")
    assert found["columns"] == 4
    assert found["balance"]["train"] == {"Iris, early": 80, "late Iris": 80, "marsh Iris": 80}
    assert (found["visible"], found["scale"]) == ("linear", "standard")
    assert " --valid 0.2 " in found["next"]


def test_a_target_of_numbers(call, tmp_path):
    """Its range in place of a class for every amount; many classes of texts are counted, and listed with -v alone."""
    rents = tmp_path / "rents.csv"
    rows = [f"{n % 9},{'ab'[n % 2]},{1000 + 7 * n},tenant {n % 70}" for n in range(140)]
    rents.write_text("\n".join(["rooms,garden,rent,name", *rows]))
    done = call("inspect", str(rents), "--label", "rent", "--ignore", "name")
    assert "numbers, 1000 to 1973, mean 1486.5; for --task regress" in done.out
    assert "classes" not in done.out
    assert "balance" not in done.out
    many = ("inspect", str(rents), "--label", "name", "--ignore", "rent")
    assert re.search("^classes +70$", short := call(*many).out, re.M)
    assert "balance" not in short
    assert "tenant 69 2" in call(*many, "-v").out


@pytest.mark.parametrize("name", ["flowers", "digits"])
def test_the_command_it_suggests_can_be_typed(name, request, call, tmp_path, monkeypatch):
    """Also where a column's name holds blanks."""
    data = request.getfixturevalue(name)
    words = ["--label", "kind, as told"] if name == "flowers" else []
    monkeypatch.chdir(tmp_path)
    suggested = shlex.split(facts(call, data, *words)["next"])
    assert suggested[:2] == ["deepnet", "pretrain"]
    done = call(*suggested[1:], "--epochs", "1")
    assert done.code == 0, done.err


def test_for_a_person(net, digits, call):
    for path in (net, digits):
        done = call("inspect", path)
        assert done.code == 0
        assert done.err == ""
        assert max(len(line) for line in done.out.splitlines() if not line.startswith("next")) <= 130
        assert len(call("inspect", path, "-v").out) > len(done.out)

"""The whole way, as a user goes it: own data through all commands, learning that is real, signals and streams."""

import csv
import gzip
import itertools
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import checkpoint, data, workflows
from deepnet.__main__ import main

ROOT = Path(__file__).parents[1]


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Run a command in this process and an own folder; it must succeed. Gives its stdout."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert code == 0, err
        assert "error:" not in err
        return out

    return run


def result(call, *words):
    """The JSON object of a command."""
    return json.loads(call(*words, "--json"))


@pytest.fixture(scope="module")
def arrays():
    """MNIST: 2,000 training and 1,000 test cases."""
    splits = data.load("mnist", task="classify").splits
    out = {}
    for name, count in (("train", 2000), ("test", 1000)):
        out[f"x_{name}"] = splits[name].inputs[:count].reshape(-1, 28, 28)
        out[f"y_{name}"] = splits[name].targets[:count].astype(np.uint8)
    return out


@pytest.fixture(scope="module")
def digits(arrays, tmp_path_factory):
    """2,000 and 1,000 digits as an NPZ file."""
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, **arrays)
    return str(path)


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    """A stack of 200-200 and the classifier made of it, with the records of both runs."""
    folder = tmp_path_factory.mktemp("trained")
    stack, net = str(folder / "stack.h5"), str(folder / "net.h5")
    first = list(workflows.pretrain(digits, stack, layers=(200, 200), epochs=(15,), batch_size=(50,), valid="200"))
    second = list(workflows.finetune(digits, net, start=stack, epochs=15, batch_size=50, valid="200"))
    return stack, net, first, second


def test_learning_is_real(trained, digits):
    """Chance is 90 %; the nearest class mean gives about 22 % here, a linear classifier about 14 %."""
    facts = workflows.evaluate(trained[1], digits)
    assert facts["cases"] == 1000
    assert facts["error"] <= 0.12
    assert min(row["recall"] for row in facts["classes"]) > 0.6


def test_what_pretraining_tells_is_plausible(trained):
    epochs = [record for record in trained[2] if isinstance(record, workflows.Epoch)]
    for stage in ("layer 1/2 784-200", "layer 2/2 200-200"):
        own = [record.metrics for record in epochs if record.stage == stage]
        assert [record.epoch for record in epochs if record.stage == stage] == list(range(1, 16))
        errors = [metrics["reconstruction_error"] for metrics in own]
        assert errors[-1] < 0.5 * errors[0]
        assert sum(b < a for a, b in itertools.pairwise(errors)) >= 10
        assert all(np.isfinite(metrics["free_energy_gap"]) for metrics in own)
        assert all(0 < metrics["mean_activation"] < 1 for metrics in own)
        assert all(0 <= metrics["dead_units"] <= 1 for metrics in own)
        assert all(0 <= metrics["saturated_units"] <= 1 for metrics in own)


def test_the_free_energy_gap_grows_where_a_machine_learns_by_heart(tmp_path, arrays):
    """50 cases, many epochs: what was seen lies lower than what was held out."""
    path = str(tmp_path / "few.npz")
    np.savez(path, x=arrays["x_train"][:250], y=arrays["y_train"][:250])
    words = {"layers": (200,), "epochs": (60,), "batch_size": (10,), "valid": "last:200"}
    records = list(workflows.pretrain(path, str(tmp_path / "s.h5"), **words))
    gaps = [record.metrics["free_energy_gap"] for record in records if isinstance(record, workflows.Epoch)]
    assert gaps[-1] > 10
    assert gaps[-1] > gaps[0] + 10


def test_finetuning_lowers_loss_and_error(trained):
    epochs = [record.metrics for record in trained[3] if isinstance(record, workflows.Epoch)]
    assert epochs[-1]["training_loss"] < 0.3 * epochs[0]["training_loss"]
    assert epochs[-1]["training_error"] < 0.02
    assert min(metrics["validation_error"] for metrics in epochs) < 0.15


def test_freezing_moves_the_output_layer_alone(trained, digits, tmp_path, monkeypatch):
    """Cut at the end of the frozen epochs, the layers below are the stack's, bit for bit."""
    path, left = str(tmp_path / "n.h5"), [40]  # 2 epochs of 20 minibatches

    def stop():
        left[0] -= 1
        return "interrupted" if left[0] < 0 else None

    list(workflows.finetune(digits, path, start=trained[0], freeze_epochs=2, epochs=1, stop=stop))
    stack, net = checkpoint.load(trained[0]), checkpoint.load(path)
    for a, b in zip(stack.arrays, net.arrays[:2], strict=True):
        assert a["W"].tobytes() == b["W"].tobytes()
        assert a["b"].tobytes() == b["b"].tobytes()
    losses = net.history["output layer alone"]["training_loss"]
    assert len(losses) == 2
    assert losses[1] < losses[0]


def test_an_unrolled_stack_learns_to_reconstruct(call, digits):
    """Below what the stack alone does, and below the mean; PCA of the same width stands beside it."""
    call("pretrain", digits, "-o", "s.h5", "--layers", "100,10", "--units", "logistic,linear", "--epochs", "10,20",
         "--batch-size", "50", "--learning-rate", "0.1,0.005")  # fmt: skip
    call("finetune", digits, "--from", "s.h5", "--task", "reconstruct", "-o", "c.h5", "--epochs", "20",
             "--batch-size", "50",
         "--learning-rate", "0.02")  # fmt: skip
    alone, tuned = result(call, "evaluate", "s.h5", digits), result(call, "evaluate", "c.h5", digits)
    assert tuned["code"] == 10
    assert tuned["squared_error"] < 0.9 * alone["reconstruction_error"]
    assert tuned["squared_error"] < 0.6 * tuned["mean_case_squared_error"]
    assert tuned["squared_error"] < tuned["pca_squared_error"]


@pytest.mark.parametrize("visible", ["logistic", "linear", "relu", "softmax"])
@pytest.mark.parametrize("units", ["logistic", "linear", "relu", "softmax"])
def test_every_pair_of_units_trains_finitely(visible, units, digits, tmp_path):
    scale = "standard" if visible == "linear" else "auto"
    words = {"layers": (24,), "visible": visible, "units": (units,), "scale": scale, "epochs": (3,), "valid": "100"}
    records = list(workflows.pretrain(digits, str(tmp_path / "s.h5"), **words))
    epochs = [record.metrics for record in records if isinstance(record, workflows.Epoch)]
    assert len(epochs) == 3
    assert all(np.isfinite(list(metrics.values())).all() for metrics in epochs)
    if "softmax" not in (visible, units):  # one state of many for a whole image is no model of digits
        assert epochs[-1]["reconstruction_error"] < epochs[0]["reconstruction_error"]
    assert np.isfinite(workflows.evaluate(str(tmp_path / "s.h5"), digits)["free_energy"])


@pytest.mark.parametrize("units", ["logistic", "linear", "relu", "tanh"])
def test_every_unit_learns_from_random_weights(units, digits, tmp_path):
    path = str(tmp_path / "n.h5")
    init = "he" if units == "relu" else "glorot"
    rate = "0.02" if units in ("relu", "linear") else "0.1"
    list(workflows.finetune(digits, path, layers=(50,), units=(units,), init=(init,), epochs=8, learning_rate=rate))
    assert workflows.evaluate(path, digits)["error"] < 0.2


# Own data.


def write_csv(path, header, rows):
    """A table as a spreadsheet writes it."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def test_an_own_table_goes_all_the_way(call, capsys, tmp_path):
    """Text labels, a header, commas in quoted names, columns of different size."""
    draw = np.random.default_rng(5)
    names = ("Iris, setosa", 'Iris "versicolor"', "virginica ☀")
    kinds = np.arange(240) % 3
    x = np.array([[50, 3.4, 0.15, 200], [59, 2.8, 0.43, 1300], [66, 3.0, 0.56, 2100]])[kinds]
    x = x * (1 + draw.normal(0, 0.06, (240, 4)))
    header = ["sepal length, mm", "sepal width", "petal", "weight", "species"]
    rows = [[*(f"{v:.4g}" for v in row), names[k]] for row, k in zip(x, kinds, strict=True)]
    write_csv("own.csv", header, rows[:180])
    write_csv("held.csv", header, rows[180:])
    write_csv("new.csv", header[:-1], [row[:-1] for row in rows[180:]])
    seen = result(call, "inspect", "own.csv", "--label", "species")
    assert seen["balance"]["train"] == dict.fromkeys(names, 60)
    call("pretrain", "own.csv", "--label", "species", "-o", "stack.h5", "--layers", "20", "--visible", seen["visible"],
         "--scale", seen["scale"], "--batch-size", "20", "--epochs", "20")  # fmt: skip
    call("finetune", "own.csv", "--label", "species", "--from", "stack.h5", "-o", "net.h5", "--batch-size", "20",
         "--epochs", "20", "--valid", "0.1")  # fmt: skip
    facts = result(call, "evaluate", "net.h5", "held.csv", "--label", "species")
    assert facts["cases"] == 60
    assert facts["error"] <= 0.1
    assert sorted(row["class"] for row in facts["classes"]) == sorted(names)
    assert "free_energy" in result(call, "evaluate", "stack.h5", "held.csv", "--label", "species")
    made = list(csv.reader(call("predict", "net.h5", "new.csv").splitlines()))
    assert made[0] == ["label"]
    right = sum(row[0] == names[k] for row, k in zip(made[1:], kinds[180:], strict=True))
    assert right == 60 - facts["wrong"]
    pictures = call("visualize", "net.h5", "held.csv", "--label", "species", "-o", "pictures/").split()
    assert "pictures/confusion.png" in pictures
    assert all(Path(path).stat().st_size > 1000 for path in pictures)
    assert result(call, "inspect", "net.h5")["classes"] == sorted(names)


def test_each_command_names_the_next_one_as_it_can_be_typed(call):
    """Also for a table with a label column, and for names with blanks."""
    draw = np.random.default_rng(7)
    kinds = np.arange(120) % 2
    x = draw.normal(0, 1, (120, 3)) + 3 * kinds[:, None]
    rows = [[*(f"{v:.3f}" for v in row), ("early", "late")[k]] for row, k in zip(x, kinds, strict=True)]
    write_csv("my table.csv", ["a", "b", "c", "its kind"], rows)
    first = call("inspect", "my table.csv", "--label", "its kind", "--json")
    commands = []
    for _ in range(3):
        words = shlex.split(json.loads(first)["next"])
        assert words[0] == "deepnet"
        commands.append(words[1])
        first = call(*words[1:], "--json")
    assert commands == ["pretrain", "finetune", "evaluate"]
    assert json.loads(first)["error"] < 0.5


@pytest.mark.parametrize("form", ["idx", "idx.gz", "npz", "npz of floats", "h5", "csv of pixels"])
def test_own_digits_in_each_format_go_all_the_way(form, call, arrays, tmp_path):
    """The same cases in every format give the same errors."""
    small = {name: array[:400] for name, array in arrays.items()}
    words = []
    if form.startswith("idx"):
        source = "./idx"
        Path(source).mkdir()
        for name, file in (("x_train", "train-images-idx3-ubyte"), ("y_train", "train-labels-idx1-ubyte"),
                           ("x_test", "t10k-images-idx3-ubyte"), ("y_test", "t10k-labels-idx1-ubyte")):  # fmt: skip
            a = small[name]
            content = struct.pack(f">HBB{a.ndim}I", 0, 8, a.ndim, *a.shape) + a.tobytes()
            packed = form.endswith("gz")
            Path(source, file + (".gz" if packed else "")).write_bytes(gzip.compress(content) if packed else content)
    elif form == "h5":
        source = "own.h5"
        with h5py.File(source, "w") as file:
            for name, array in small.items():
                file.create_dataset(name, data=array, compression="gzip")
    elif form == "csv of pixels":
        source, words = "own.csv", ["--label", "digit"]
        header = ["digit", *(f"p{n}" for n in range(784))]
        write_csv(source, header, [[y, *x.ravel()] for x, y in zip(small["x_train"], small["y_train"], strict=True)])
    else:
        source = "own.npz"
        np.savez(
            source, **{n: a / np.float32(255) if "floats" in form and n[0] == "x" else a for n, a in small.items()}
        )
    scale = ["--scale", "unit"] if form == "csv of pixels" else []
    call("pretrain", source, *words, *scale, "-o", "s.h5", "--layers", "60", "--epochs", "5", "--batch-size", "50")
    call("finetune", source, *words, "--from", "s.h5", "-o", "n.h5", "--epochs", "12", "--batch-size", "50")
    facts = result(call, "evaluate", "n.h5", source, *words)
    assert facts["cases"] == 400
    assert facts["error"] < (0.05 if form == "csv of pixels" else 0.3)
    assert call("predict", "n.h5", source, *words).count("\n") == 401
    assert "filters" in call("visualize", "n.h5", source, *words, "-o", "p/")
    assert result(call, "inspect", source, *words)["cases"].startswith("400 train")


def house_table(path, count):
    """Prices that depend on three of five columns of very different size."""
    draw = np.random.default_rng(6)
    x = draw.normal(0, 1, (count, 5)) * [1, 10, 100, 0.1, 3] + [5, 50, -200, 1, 0]
    price = 200 + 30 * (x[:, 0] - 5) - 2 * (x[:, 1] - 50) + 15 * np.tanh(x[:, 4]) + draw.normal(0, 5, count)
    header = ["rooms", "area", "height", "age", "noise", "price"]
    write_csv(path, header, [[*row, p] for row, p in zip(x.tolist(), price.tolist(), strict=True)])
    return price


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_regression_after_pretraining_with_linear_visibles_is_no_constant(optimizer, call):
    """What DeepLearnToolbox 134 and 154 complain of: one number for all cases."""
    price = house_table("houses.csv", 500)
    target = ["--label", "price"]
    call("pretrain", "houses.csv", *target, "-o", "s.h5", "--layers", "30,10", "--visible", "linear", "--scale",
             "standard",
         "--epochs", "20", "--batch-size", "20")  # fmt: skip
    call("finetune", "houses.csv", *target, "--from", "s.h5", "--task", "regress", "-o", "n.h5", "--epochs", "60",
         "--batch-size", "20", "--optimizer", optimizer, "--learning-rate", "0.01", "--valid", "100")  # fmt: skip
    facts = result(call, "evaluate", "n.h5", "houses.csv", *target, "--split", "valid")
    assert facts["cases"] == 100
    assert facts["r2"] > 0.7
    assert facts["rmse"] < 0.6 * price.std()
    made = np.array(call("predict", "n.h5", "houses.csv", *target).split()[1:], float)
    assert made.std() > 0.6 * price.std()
    assert len(np.unique(made)) > 400
    assert abs(made.mean() - price.mean()) < 0.2 * price.std()


def test_defaults_suit_a_table(call):
    """What `inspect` suggests and default rates give a regressor that is of use."""
    house_table("houses.csv", 400)
    call("pretrain", "houses.csv", "--label", "price", "-o", "s.h5", "--layers", "20", "--visible", "linear", "--scale",
         "standard")  # fmt: skip
    call("finetune", "houses.csv", "--label", "price", "--from", "s.h5", "--task", "regress", "-o", "n.h5")
    assert result(call, "evaluate", "n.h5", "houses.csv", "--label", "price")["r2"] > 0.3


# Processes of their own: streams and signals.


def spawn(words, folder, **settings):
    """Start the command line in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "deepnet", *map(str, words)], cwd=folder, env=environment, text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings,
    )  # fmt: skip


def ended(process):
    """(exit code, stdout, stderr)."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        *(pytest.param(n, 128 + n, marks=pytest.mark.slow) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)),
    ],
)
def test_a_signal_saves_and_the_run_goes_on_with_the_same_bits(number, code, digits, tmp_path):
    words = ["pretrain", digits, "--layers", "100,50", "--epochs", "15", "--batch-size", "20"]
    assert ended(spawn([*words, "-o", "whole.h5", "-q"], tmp_path))[0] == 0
    process = spawn([*words, "-o", "cut.h5"], tmp_path)
    for line in process.stderr:
        if "epoch 3/15" in line:
            break
    process.send_signal(number)
    sent = time.monotonic()
    found, out, err = ended(process)
    assert time.monotonic() - sent < 5
    assert found == code, err
    assert "interrupted" in out
    assert "--resume" in out
    assert "error" not in err.replace("reconstruction error", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.h5", "whole.h5"]
    assert not checkpoint.load(str(tmp_path / "cut.h5")).complete
    found, out, err = ended(spawn([*words, "-o", "cut.h5", "--resume", "--threads", "1"], tmp_path))
    assert found == 0
    assert "finished" in out
    assert (tmp_path / "cut.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    found, out, _ = ended(spawn([*words, "-o", "cut.h5", "--resume"], tmp_path))
    assert found == 0
    assert "already finished" in out


def test_until_resume_ends(digits, tmp_path):
    """`until deepnet ... --resume --max-time 1s; do :; done` comes to an end with the same bits.

    However short the time: each start takes a minibatch at least, and here there are six.
    """
    words = ["finetune", digits, "--layers", "100", "--epochs", "3", "--batch-size", "1000", "-q", "--json"]
    assert ended(spawn([*words, "-o", "whole.h5"], tmp_path))[0] == 0
    left = []
    for _ in range(7):
        code, out, err = ended(spawn([*words, "-o", "cut.h5", "--resume", "--max-time", "0.001s"], tmp_path))
        assert (code, err) == (0, "")
        facts = json.loads(out)
        if facts["outcome"] != "out of time":
            break
        left.append(facts["epochs_left"])
        assert facts["minutes_left"] >= 0
        assert facts["next"].endswith("--resume --max-time 0.001s")
    assert left == [2.5, 2.0, 1.5, 1.0, 0.5]
    assert facts["outcome"] == "finished"
    assert "epochs_left" not in facts
    assert (tmp_path / "cut.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_streams_of_a_run(digits, tmp_path):
    """stdout has the result only, stderr plain lines, the log JSON lines."""
    words = ["pretrain", digits, "--layers", "20", "--epochs", "2", "-o", "s.h5", "--log", "log.jsonl", "--json"]
    code, out, err = ended(spawn(words, tmp_path))
    assert code == 0
    facts = json.loads(out)
    assert out.count("\n") == 1
    assert facts["schema"] == "deepnet.result/1"
    assert facts["outcome"] == "finished"
    assert "\x1b" not in out + err
    assert len([line for line in err.splitlines() if "epoch" in line]) == 2
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["run_start", "epoch", "epoch", "checkpoint", "run_end"]
    assert all(event["seconds"] >= 0 for event in events if event["event"] == "epoch")


def test_quiet_says_nothing_but_the_result(digits, tmp_path):
    code, out, err = ended(spawn(["pretrain", digits, "--layers", "20", "--epochs", "1", "-o", "s.h5", "-q"], tmp_path))
    assert (code, err) == (0, "")
    assert out


def test_a_reader_that_goes_away_ends_predict_quietly(digits, trained, tmp_path):
    words = ["predict", trained[1], digits, "--give", "codes"]
    process = spawn(words, tmp_path)
    assert process.stdout.readline().startswith("code1,")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_plan_costs_nothing_and_writes_nothing(digits, tmp_path):
    code, out, _ = ended(spawn(["pretrain", digits, "--layers", "500,500", "-n"], tmp_path))
    assert code == 0
    assert "784-500-500" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pretrain", "--layers", "9,8"], {"learning-rate": "0.1", "init": "gaussian:0.1", "batch-size": "100"}),
        (["pretrain", "--layers", "9,8", "--visible", "logistic", "--units", "logistic,linear"],
         {"learning-rate": "0.1,0.001"}),
        (["pretrain", "--layers", "9", "--method", "cae"], {"contraction": "0.1", "cd-steps": "-"}),
        (["finetune", "--layers", "9", "--optimizer", "adam"], {"learning-rate": "0.001", "momentum": "-"}),
        (["finetune", "--layers", "9", "--cv", "3"], {"learning-rate": "0.1", "init": "glorot", "label": "-"}),
        (["finetune", "--layers", "9", "--learning-rate", "0.2"], {"learning-rate": "0.2"}),
    ],
)  # fmt: skip
def test_a_plan_shows_the_defaults_that_hang_on_other_options(words, expected, digits, capsys):
    assert main([words[0], digits, *words[1:], "-n"]) == 0
    shown = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines() if len(line.split()) > 1)
    assert {name: shown[name] for name in expected} == expected


@pytest.mark.slow
def test_the_issues_command_has_one_result(tmp_path):
    """`deepnet pretrain mnist --layers 500 --epochs 1 --seed 0`, twice, and with 1 and 2 threads."""
    words = ["pretrain", "mnist", "--layers", "500", "--epochs", "1", "--seed", "0", "-q", "-o"]
    more = {"a.h5": [], "b.h5": [], "c.h5": ["--threads", "1"], "d.h5": ["--threads", "2"]}
    for name, threads in more.items():
        assert ended(spawn([*words, name, *threads], tmp_path))[0] == 0
    first, *others = (tmp_path.joinpath(name).read_bytes() for name in more)
    assert others == [first] * 3

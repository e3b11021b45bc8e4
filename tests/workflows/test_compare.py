"""compare: what it says of networks that are alike, and of ones that are not."""

import json
import math

import numpy as np
import pytest

from deepnet import checkpoint, evaluation, workflows
from deepnet.cli import console
from deepnet.errors import UsageError
from deepnet.workflows import charts
from deepnet.workflows.runs import metrics_of


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


def log_of(net, path, seconds=1.5):
    """The log that the run of a network may have left."""
    history = metrics_of(checkpoint.load(net).history["fine-tuning"])
    lines = [{"event": "run_start", "time": 0.0}]
    for e in range(len(history["training_loss"])):
        metrics = {name: float(values[e]) for name, values in history.items()}
        lines.append({"event": "epoch", "stage": "fine-tuning 784-20-10", "epoch": e + 1, "seconds": seconds,
                      "metrics": metrics})  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_chart_with_and_without_the_clock(nets, digits, call, tmp_path):
    pictures = []
    logs = [word for name in ("poor", "good") for word in ("--log", log_of(nets[name], tmp_path / f"{name}.log"))]
    for words in ((), logs):
        done = call("compare", digits, nets["poor"], nets["good"], "-o", tmp_path / "c.png", "--force", *words)
        assert done.code == 0, done.err
        assert "verdict" in done.out
        assert max(map(len, done.out.splitlines())) < 200
        pictures.append((tmp_path / "c.png").read_bytes())
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert pictures[0] != pictures[1]


def test_lines_have_what_their_files_tell(nets, tmp_path):
    """Work where it was counted; the present fine-tuning alone; seconds from the log."""
    loaded = [checkpoint.load(nets[name]) for name in ("poor", "good")]
    loaded[0].history["fine-tuning 1"] = loaded[1].history["fine-tuning"]
    logs = [log_of(nets["poor"], tmp_path / "p.log"), log_of(nets["good"], tmp_path / "g.log", 0.5)]
    metric, lines = charts.lines([nets["poor"], nets["good"]], loaded, logs)
    assert metric == "training error"
    assert [line["name"] for line in lines] == ["poor.h5", "good.h5"]
    assert [len(line["values"]) for line in lines] == [1, 30]
    part = loaded[1].history["fine-tuning"]
    np.testing.assert_allclose(lines[1]["along"]["updates"], part["updates"])
    np.testing.assert_allclose(lines[1]["along"]["gradients"], part["gradients"] + 4 / 3 * part["curvature_products"])
    np.testing.assert_allclose(lines[1]["along"]["seconds"], 0.5 * np.arange(1, 31))
    del part["curvature_products"]
    assert "gradients" not in charts.lines([nets["poor"], nets["good"]], loaded, ())[1][1]["along"]


def test_settings_that_differ(nets):
    found = charts.differing([checkpoint.load(nets[name]) for name in ("poor", "good")])
    assert found["optimizer"] == ["nesterov", "cg"]
    assert found["batch size"] == ["100", "250"]
    assert found["learning rate"] == ["0.001", "-"]
    assert not {"seed", "command", "training data", "parent"} & set(found)


def test_a_report_is_one_page(nets, digits, call, tmp_path):
    for name in ("a", "b"):
        done = call("compare", digits, nets["poor"], nets["good"], "-o", tmp_path / f"{name}.html")
        assert done.code == 0, done.err
    page = (tmp_path / "a.html").read_text()
    assert page == (tmp_path / "b.html").read_text()
    for words in ("200 cases of digits.npz", "better", "optimizer", "nesterov", "by gradients: 1, poor.h5"):
        assert words in page, words


def told(log, *records):
    """A log of these records."""
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    return log


def start(time):
    """A run begins."""
    return {"event": "run_start", "time": time}


def epoch(number, time, seconds, stage="fine-tuning 4-2"):
    """An epoch is over."""
    return {"event": "epoch", "stage": stage, "epoch": number, "time": time, "seconds": seconds, "metrics": {}}


def saved(time, seconds=0.0):
    """A checkpoint was written."""
    return {"event": "checkpoint", "time": time, "seconds": seconds}


def test_an_epoch_that_was_cut_has_both_its_parts(tmp_path):
    """Cut twice in the third epoch, after 4 and 3 seconds; the pauses between the runs do not count."""
    log = told(tmp_path / "a.log", start(0), epoch(1, 10, 10), epoch(2, 20, 10), saved(25, 1), start(1000),
               saved(1004, 1), start(5000), epoch(3, 5002, 2), epoch(4, 5012, 10), saved(5012))  # fmt: skip
    assert [(stage[1], seconds) for stage, seconds, _ in charts.epochs(log)] == [(1, 10), (2, 10), (3, 9), (4, 10)]


def test_epochs_done_anew_after_a_crash_count_once(tmp_path):
    """Killed in the fourth epoch, two after its last save."""
    log = told(tmp_path / "a.log", start(0), epoch(1, 10, 10), saved(10), epoch(2, 20, 10), epoch(3, 30, 10),
               start(100), epoch(2, 108, 8), epoch(3, 117, 9), saved(117))  # fmt: skip
    assert [(stage[1], seconds) for stage, seconds, _ in charts.epochs(log)] == [(1, 10), (2, 8), (3, 9)]


def test_a_run_that_began_anew_in_its_log_counts_once(tmp_path):
    log = told(tmp_path / "a.log", start(0), epoch(1, 10, 10), epoch(2, 20, 10), saved(20), start(100),
               epoch(1, 108, 8), epoch(2, 116, 8), saved(116))  # fmt: skip
    assert [seconds for _, seconds, _ in charts.epochs(log)] == [8, 8]


def test_the_output_layer_alone_is_another_stage(tmp_path):
    alone = "output layer alone 4-2"
    log = told(tmp_path / "a.log", start(0), epoch(1, 10, 10, alone), saved(14), start(100), epoch(2, 103, 3, alone),
               epoch(1, 110, 7))  # fmt: skip
    assert [(stage[0][:6], seconds) for stage, seconds, _ in charts.epochs(log)] == [
        ("output", 10), ("output", 7), ("fine-t", 7),
    ]  # fmt: skip


def test_the_log_of_a_run_that_was_cut_and_resumed(digits, cut, tmp_path):
    """Written as the command line does; its clock has every epoch once."""
    net, log = str(tmp_path / "net.h5"), tmp_path / "net.log"
    words = {"layers": (8,), "epochs": 4, "batch_size": 100}
    for minibatches in (7, 6, 100):  # 5 are an epoch
        if log.exists():
            log.write_text(log.read_text() + '{"epoch": 9, "ev')  # as a full disk leaves it
        journal = console.Journal(log, resume=log.exists())
        for record in workflows.finetune(digits, net, resume=True, stop=cut(minibatches), **words):
            name = {"Start": "run_start", "Epoch": "epoch", "Saved": "checkpoint"}.get(type(record).__name__)
            if name is not None:
                journal.write(name, **({} if name == "run_start" else vars(record)))
        journal.end()
    assert log.read_text().count("run_start") == 3
    (line,) = charts.lines([net], [checkpoint.load(net)], [log])[1]
    assert len(line["values"]) == len(line["along"]["seconds"]) == 4
    assert (np.diff(line["along"]["seconds"]) > 0).all()
    (own,) = charts.lines([net], [checkpoint.load(net)], [])[1]
    np.testing.assert_array_equal(own["along"]["gradients"], np.arange(1, 5))


def test_logs_of_other_runs_are_refused(nets, digits, call, tmp_path):
    poor, good = log_of(nets["poor"], tmp_path / "p.log"), log_of(nets["good"], tmp_path / "g.log")
    words = ["compare", digits, nets["poor"], nets["good"], "-o", tmp_path / "c.png"]
    done = call(*words, "--log", good, "--log", good)
    assert done.code == 3
    assert "g.log is not the log of" in done.err
    done = call(*words, "--log", poor, "--log", poor)
    assert "p.log has 1 of the 30 epochs of" in done.err


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

"""Streams, exit codes, the log, signals and pipes of the command line, on fake workflows."""

import json
import os
import shlex
import signal
import subprocess
import time

import pytest

from deepnet.cli.signals import GRACE, STOPPING
from deepnet.errors import DataError, ModelError, OutputError

TRAIN = ("pretrain", "mnist", "-o", "stack.h5", "--layers", "500")


def one_error(outcome, code):
    """The message of an outcome that must be one error line and nothing else."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("deepnet: error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    return outcome.err


def test_result_on_stdout_progress_on_stderr(call):
    outcome = call(*TRAIN)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "next                  deepnet finetune mnist --from stack.h5"
    assert "best epoch            2" in outcome.out
    assert "layer 1/1 784-500, epoch 2/2, reconstruction error 2.5" in outcome.err
    assert "20,000 cases/s" in outcome.err
    assert "seed 0" in outcome.err
    assert "\x1b" not in outcome.out + outcome.err


def test_quiet_is_the_result_without_hints(call):
    told, quiet = call(*TRAIN), call(*TRAIN, "-q", "--force")
    assert quiet.err == ""
    assert quiet.out.splitlines()[-1].startswith("outcome ")
    assert "next" in told.out
    assert "next" not in quiet.out
    assert json.loads(call(*TRAIN, "-q", "--force", "--json").out)["next"].startswith("deepnet finetune")


def test_json_is_one_object_with_sorted_keys(call):
    outcome = call(*TRAIN, "--json", "-q")
    assert outcome.err == ""
    found = json.loads(outcome.out)
    assert found["schema"] == "deepnet.result/1"
    assert found["outcome"] == "finished"
    assert found["command"] == "pretrain"
    assert outcome.out == json.dumps(found, sort_keys=True) + "\n"


def test_log_file_has_one_object_a_line(call, tmp_path):
    assert call(*TRAIN, "--log", "run.jsonl").code == 0
    records = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert [r["event"] for r in records] == ["run_start", "epoch", "epoch", "checkpoint", "run_end"]
    assert records[0]["options"]["layers"] == [500]
    assert records[1]["seconds"] == 0.5
    assert records[1]["metrics"] == {"reconstruction_error": 5.0, "gap": None}
    assert records[-1]["outcome"] == "finished"


def test_log_on_stdout_takes_the_place_of_the_result(call):
    outcome = call(*TRAIN, "--log", "-", "--progress", "none")
    assert [json.loads(line)["event"] for line in outcome.out.splitlines()][-1] == "run_end"
    assert outcome.err == ""
    assert "--json" in one_error(call(*TRAIN, "--log", "-", "--json"), 2)


def test_existing_log_is_not_lost(call, tmp_path):
    (tmp_path / "run.jsonl").write_text("{}\n")
    assert "--force" in one_error(call(*TRAIN, "--log", "run.jsonl", "--progress", "none"), 2)
    assert call(*TRAIN, "--log", "run.jsonl", "--resume").code == 0
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 6
    assert call(*TRAIN, "--log", "run.jsonl", "--force").code == 0
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 5


def test_a_refused_run_writes_nothing(call, fake, monkeypatch, tmp_path):
    def refuse(*words, **options):
        raise DataError("no.csv does not exist; check the path")
        yield

    monkeypatch.setattr(fake, "pretrain", refuse)
    assert "no.csv" in one_error(call(*TRAIN, "--log", "run.jsonl"), 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(DataError("x"), 3), (ModelError("x"), 4), (OutputError("x"), 5), (MemoryError(), 5), (ZeroDivisionError("x"), 1)],
)
def test_each_error_has_its_exit_code(call, fake, monkeypatch, error, code):
    def fail(*words, **options):
        raise error

    monkeypatch.setattr(fake, "inspect", fail)
    one_error(call("inspect", "net.h5"), code)
    assert "Traceback" in call("inspect", "net.h5", "--debug").err


def test_a_diverged_run_ends_with_6_and_a_whole_log(call, monkeypatch, tmp_path):
    monkeypatch.setenv("FAKE_DIVERGE", "1")
    one_error(call(*TRAIN, "--log", "run.jsonl", "--progress", "none"), 6)
    last = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["outcome"], last["exit"]) == ("run_end", "failed", 6)


@pytest.mark.parametrize(("progress", "said"), [("plain", 1), ("none", 0)])
def test_a_warning_is_said_once_and_logged(call, monkeypatch, tmp_path, progress, said):
    monkeypatch.setenv("FAKE_WARNING", "1")
    monkeypatch.setenv("FAKE_EPOCHS", "1")
    done = call(*TRAIN, "--log", "run.jsonl", "--progress", progress)
    assert done.err.count("deepnet: warning: layer 1 diverged") == said
    events = [json.loads(line)["event"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert events.count("warning") == 1


@pytest.mark.parametrize(("words", "said"), [((), 1), (("--progress", "none"), 0), (("-q",), 0)])
def test_a_note_is_said_and_logged(call, monkeypatch, tmp_path, words, said):
    monkeypatch.setenv("FAKE_NOTE", "1")
    monkeypatch.setenv("FAKE_EPOCHS", "1")
    done = call(*TRAIN, "--log", "run.jsonl", *words)
    assert done.err.count("deepnet: note: 51 % of the relu units") == said
    events = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    (note,) = (event for event in events if event["event"] == "note")
    assert (note["name"], note["figures"]) == ("dead", {"share": "51 %"})


def test_an_error_stays_on_one_line(call, fake, monkeypatch):
    def fail(*words, **options):
        raise DataError("a\nb\x1b[31m\u202ec cannot be read")

    monkeypatch.setattr(fake, "inspect", fail)
    message = one_error(call("inspect", "x.h5"), 3)
    assert r"a\nb\x1b[31m\u202ec" in message


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("pretrian",), "pretrian"),
        (("pretrain",), "DATA"),
        (("pretrain", "mnist"), "-o FILE"),
        (("pretrain", "mnist", "--epoch", "3"), "--epochs"),
        ((*TRAIN, "--force", "--resume"), "--force"),
        ((*TRAIN, "--layers", "0"), "'0'"),
        ((*TRAIN, "--layers", "-5"), "'-5'"),
        ((*TRAIN, "--layers", "1e12"), "'1e12'"),
        ((*TRAIN, "--layers", "1000000000000"), "1000000"),
        ((*TRAIN, "--layers", "784,abc"), "'abc' is not a whole number"),
        ((*TRAIN, "--layers", "784,,5"), "empty place"),
        ((*TRAIN, "--layers", "500,400", "--units", "relu,relu,relu"), "3 values for 2 layers"),
        ((*TRAIN, "--units", "logistics"), "did you mean 'logistic'"),
        ((*TRAIN, "--epochs", "-1"), "'-1'"),
        ((*TRAIN, "--batch-size", "0"), "1 or more"),
        ((*TRAIN, "--weight-decay", "nan"), "finite"),
        (("finetune", "mnist", "--from", "s.h5", "-o", "n.h5", "--units", "logistic"), "--units"),
        (("finetune", "mnist", "--from", "s.h5", "-o", "n.h5", "--scale", "auto"), "--scale"),
        ((*TRAIN, "--seed", "-1"), "from 0 to 18446744073709551615"),
        ((*TRAIN, "--seed", str(2**64)), "from 0 to 18446744073709551615"),
        ((*TRAIN, "--threads", "0"), "from 1 to 1024"),
        ((*TRAIN, "--threads", "1000000"), "from 1 to 1024"),
        ((*TRAIN, "--max-time", "soon"), "2h"),
        ((*TRAIN, "--max-time", "0"), "above 0"),
        ((*TRAIN, "--progress", "loud"), "'loud'"),
        (("finetune", "mnist", "-o", "net.h5"), "--from"),
        (("finetune", "mnist", "-o", "net.h5", "--from", "a.h5", "--layers", "5"), "leave one"),
        (("finetune", "mnist", "-o", "net.h5", "--from", "a.h5", "--clip", "0"), "above 0"),
        (("evaluate", "net.h5", "mnist", "--require", "error"), "METRIC<=NUMBER"),
        (("visualize", "net.h5"), "--output"),
        (("visualize", "net.h5", "-o", "a.png", "--kind", "filter"), "filters"),
    ],
)
def test_wrong_usage_is_one_line_with_2(call, fake, words, part):
    assert part in one_error(call(*words), 2)
    assert fake.CALLS == []


def test_threads_and_filters_are_set_before_the_heavy_imports(call, fake, monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "numba", raising=False)
    assert call(*TRAIN, "--threads", "3").code == 0
    assert os.environ["NUMBA_NUM_THREADS"] == "3"
    assert os.environ["HDF5_PLUGIN_PRELOAD"] == "::"
    assert fake.CALLS[-1][2]["threads"] == 3
    monkeypatch.setenv("NUMBA_NUM_THREADS", "abc")
    assert "NUMBA_NUM_THREADS=abc" in one_error(call(*TRAIN), 2)


def test_the_callee_gets_plain_values(call, fake):
    words = (
        "--layers",
        "500,250",
        "--units",
        "logistic,linear",
        "--learning-rate",
        "0.1,step:0.1:0.01:5",
        "--max-time",
        "1h30m",
    )
    assert call("pretrain", "wine.csv", "-o", "stack.h5", *words, "--ignore", "id,name").code == 0
    command, places, options = fake.CALLS[-1]
    assert (command, places) == ("pretrain", ("wine.csv", "stack.h5"))
    assert options["layers"] == (500, 250)
    assert options["units"] == ("logistic", "linear")
    assert options["learning_rate"] == ("0.1", "step:0.1:0.01:5")
    assert options["momentum"] == ("step:0.5:0.9:5",)
    assert options["weight_decay"] is None
    assert options["max_time"] == 5400.0
    assert options["ignore"] == ("id", "name")
    assert options["sparsity_target"] is None
    assert options["seed"] == 0
    assert call("finetune", "mnist", "--from", "stack.h5", "-o", "net.h5", "--dropout", "0.2,0.5").code == 0
    options = fake.CALLS[-1][2]
    assert options["start"] == "stack.h5"
    assert options["dropout"] == (0.2, 0.5)
    assert options["layers"] is None
    assert (options["epochs"], options["clip"]) == (30, None)


def test_evaluate_prints_lines_tables_and_json(call):
    brief = call("evaluate", "net.h5", "mnist").out
    assert brief.splitlines() == ["error  1.25 %  (95 % interval 1.05 to 1.49 %)", "wrong  125"]
    tables = call("evaluate", "net.h5", "mnist", "-v").out
    assert "confusion: rows true, columns predicted\n     0   1\n  0  9   1\n  1  0  10\n" in tables
    assert "  class  precision\n      0    50.00 %\n      1          -\n" in tables
    plain = json.loads(call("evaluate", "net.h5", "mnist", "--json").out)
    assert (plain["wrong"], plain["error"], plain["error_interval"]) == (125, 0.0125, [0.0105, 0.0149])


def test_require_ends_with_7_after_the_result(call):
    assert call("evaluate", "net.h5", "mnist", "--require", "error<=0.015,wrong<200").code == 0
    outcome = call("evaluate", "net.h5", "mnist", "--require", "error<=0.01", "--json")
    assert outcome.code == 7
    assert json.loads(outcome.out)["error"] == 0.0125
    assert outcome.err == "deepnet: error: error is 0.0125, required is error<=0.01\n"
    assert "did you mean 'error'" in one_error(call("evaluate", "net.h5", "mnist", "--require", "eror<=1"), 2)


def test_evaluate_trains_logistic_pca_where_asked(call, fake):
    for words in ((), ("--logistic-pca",), ("--logistic-pca", "-q")):
        assert call("evaluate", "net.h5", "mnist", *words).err == ""
        assert fake.CALLS[-1][2]["logistic_pca"] is bool(words)
        assert fake.CALLS[-1][2]["meter"].done == 0


def test_visualize_takes_kinds_repeated_or_with_commas(call, fake):
    words = ("--kind", "filters,codes", "--kind", "history", "--kind", "codes")
    outcome = call("visualize", "net.h5", "mnist", "-o", "pictures/", *words)
    assert outcome.out == "pictures/filters.png\npictures/history.png\n"
    assert fake.CALLS[-1][2]["kind"] == ("filters", "codes", "history")
    told = json.loads(call("visualize", "net.h5", "mnist", "-o", "pictures/", "--json").out)
    assert told["written"] == ["pictures/filters.png", "pictures/history.png"]
    assert told["code_neighbour_error"] == 0.25
    assert call("visualize", "net.h5", "-o", "pictures/").code == 0
    assert fake.CALLS[-1][1] == ("net.h5", None, "pictures/")
    assert (fake.CALLS[-1][2]["kind"], fake.CALLS[-1][2]["earlier"]) == ((), ())
    assert call("visualize", "net.h5", "-o", "g.gif", "--kind", "filters", "--earlier", "1.h5,2.h5").code == 0
    assert fake.CALLS[-1][2]["earlier"] == ("1.h5", "2.h5")


def test_predict_writes_to_stdout_or_a_new_file(call, tmp_path):
    assert call("predict", "net.h5", "new.csv").out == "0,cat\n1,cat\n2,cat\n"
    assert call("predict", "net.h5", "new.csv", "-o", "answer.csv").out == ""
    assert (tmp_path / "answer.csv").read_text() == "0,cat\n1,cat\n2,cat\n"
    one_error(call("predict", "net.h5", "new.csv", "-o", "answer.csv"), 2)
    assert call("predict", "net.h5", "new.csv", "-o", "answer.csv", "--force").code == 0


def test_predict_tells_what_must_not_be_overwritten(call, monkeypatch):
    seen = []
    monkeypatch.setattr("deepnet.files.check_output", lambda *words, **more: seen.append((words, more)))
    assert call("predict", "net.h5", "new.csv", "-o", "answer.csv", "--force").code == 0
    assert seen == [(("answer.csv", True), {"inputs": ("net.h5", "new.csv")})]


@pytest.mark.parametrize("words", [("evaluate", "n.h5", "d.csv"), ("visualize", "n.h5", "d.csv", "-o", "p/"),
                                   ("inspect", "d.csv"), ("predict", "n.h5", "d.csv")])  # fmt: skip
def test_columns_are_left_out_everywhere(call, fake, words):
    assert call(*words).code == 0
    assert fake.CALLS[-1][2]["ignore"] == ()
    assert call(*words, "--ignore", "id, name").code == 0
    assert fake.CALLS[-1][2]["ignore"] == ("id", "name")


def test_minibatches_follow_the_data_unless_told(call, fake):
    assert call(*TRAIN).code == 0
    assert fake.CALLS[-1][2]["batch_size"] is None
    assert call(*TRAIN, "--batch-size", "20").code == 0
    assert fake.CALLS[-1][2]["batch_size"] == (20,)
    assert call("finetune", "mnist", "--from", "s.h5", "-o", "n.h5", "--init", "he").code == 0
    assert fake.CALLS[-1][2]["batch_size"] is None
    assert "or all if there are fewer" in " ".join(call("finetune", "-h").out.replace("│", " ").split())


def test_what_is_fixed_by_the_start_may_be_told_beside_layers(call, fake):
    words = ("finetune", "mnist", "--layers", "5", "-o", "n.h5", "--units", "relu", "--scale", "unit")
    assert call(*words).code == 0
    assert (fake.CALLS[-1][2]["units"], fake.CALLS[-1][2]["scale"]) == (("relu",), "unit")


@pytest.mark.parametrize("outcome", ["interrupted", "out of time"])
def test_a_cut_run_says_how_to_go_on_as_it_was_typed(call, fake, monkeypatch, outcome):
    def cut(data, output, **options):
        yield fake.Start("pretrain", {"data": data})
        yield fake.End(outcome, {}, "")

    monkeypatch.setattr(fake, "pretrain", cut)
    words = ("pretrain", "my data.csv", "-o", "a stack.h5", "--label", "it's", "--force", "--max-time", "1s")
    found = json.loads(call(*words, "-q", "--json").out)["next"]
    expected = [word for word in words if word != "--force"]
    assert shlex.split(found) == ["deepnet", *expected, "-q", "--json", "--resume"]
    found = json.loads(call("pretrain", "d", "-o", "s", "--resume", "--json", "-q").out)["next"]
    assert found == "deepnet pretrain d -o s --resume --json -q"


def test_warmup_tells_each_group_and_what_there_is(call):
    outcome = call("warmup")
    assert outcome.err == "machines: 3 compiled, 1.0 s\n"
    assert "compiled  3" in outcome.out
    quiet = call("warmup", "-q", "--json")
    assert quiet.err == ""
    assert json.loads(quiet.out)["compiled"] == 3


def test_selfcheck_ends_with_7_where_something_fails(call, monkeypatch):
    good = call("selfcheck")
    assert (good.code, good.err) == (0, "products: passed\n")
    assert "passed" in good.out
    monkeypatch.setenv("FAKE_FAULT", "1")
    bad = call("selfcheck", "-q", "--json")
    assert bad.code == 7
    assert json.loads(bad.out)["failed"] == {"units": "a slope: off by 3 times what is allowed"}
    assert bad.err.startswith("deepnet: error: failed: units; ")


def test_verify_resume_ends_with_7_where_a_run_differs(call, fake, monkeypatch):
    good = call("verify-resume")
    assert (good.code, good.err) == (0, "dropout: cut 3 times: the same\n")
    assert (
        "runs\n  run      minibatches  cuts  threads  bits\n  dropout           10     3  2 1      the same" in good.out
    )
    assert fake.CALLS[-1][2]["threads"] == 4
    monkeypatch.setenv("FAKE_FAULT", "1")
    bad = call("verify-resume", "-q", "--json", "--threads", "2")
    assert bad.code == 7
    assert json.loads(bad.out)["differ"] == {"dropout": "W of layer 1 differs"}
    assert bad.err.startswith("deepnet: error: not the same: dropout; ")


def test_numbers_of_an_optimizer_come_from_everywhere(call, fake, tmp_path, monkeypatch):
    words = ("finetune", "mnist", "--layers", "5", "-o", "n.h5", "--optimizer", "cg")
    assert call(*words, "--set", "searches=2", "--set", "upper=0.3").code == 0
    assert fake.CALLS[-1][2]["settings"] == (("searches", 2.0), ("upper", 0.3))
    (tmp_path / "s.toml").write_text('[finetune]\nset = ["searches=4"]\n')
    assert call(*words, "-c", str(tmp_path / "s.toml")).code == 0
    assert fake.CALLS[-1][2]["settings"] == (("searches", 4.0),)
    monkeypatch.setenv("DEEPNET_FINETUNE_SET", "searches=5")
    assert call(*words).code == 0
    assert fake.CALLS[-1][2]["settings"] == (("searches", 5.0),)
    assert call(*words, "--set", "searches").code == 2


def test_lapack_has_one_thread(call, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert call("evaluate", "net.h5", "mnist").code == 0
    assert (os.environ["OPENBLAS_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")


def wait_for(process, text):
    """Read stderr until a line holds the text."""
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"{text!r} was not said")


@pytest.mark.promise("signals")
@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_ends_the_run_after_it_was_saved(spawn, tmp_path, number):
    process = spawn(*TRAIN, "--log", "run.jsonl", environment={"FAKE_EPOCHS": "1000", "FAKE_SLEEP": "0.01"})
    wait_for(process, "epoch 1/1000")
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 128 + number
    assert "outcome  interrupted" in out
    assert "once more to leave at once" in err
    assert "Traceback" not in err
    assert out.splitlines()[-1].endswith("  deepnet pretrain mnist -o stack.h5 --layers 500 --log run.jsonl --resume")
    events = [json.loads(line)["event"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert events[-2:] == ["checkpoint", "run_end"]


@pytest.mark.promise("signals")
@pytest.mark.parametrize("number", STOPPING)
def test_a_second_signal_leaves_at_once(spawn, number):
    """Also within a long kernel, which neither signal can end."""
    process = spawn(*TRAIN, environment={"FAKE_SLEEP": "60", "FAKE_KERNEL": "1"})
    wait_for(process, "pretrain: ")
    time.sleep(0.5)  # it is in its kernel
    process.send_signal(number)
    wait_for(process, "once more")
    process.send_signal(number)  # at once: the same signal again, as `timeout` sends it to a process and its group
    time.sleep(GRACE + 0.1)
    assert process.poll() is None
    process.send_signal(number)
    sent = time.monotonic()
    process.communicate(timeout=30)
    assert time.monotonic() - sent < 10  # a second on a machine that has nothing else to do
    assert process.returncode == 128 + number


@pytest.mark.promise("signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(spawn, number):
    """A shell that starts a job in the background has it ignore INT, `nohup` HUP."""
    process = spawn(
        *TRAIN,
        environment={"FAKE_EPOCHS": "30", "FAKE_SLEEP": "0.002"},
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    )
    wait_for(process, "epoch 1/30")
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "outcome               finished" in out


@pytest.mark.promise("signals")
@pytest.mark.parametrize("number", STOPPING)
def test_a_command_with_nothing_to_save_leaves_quietly(spawn, number):
    process = spawn("predict", "net.h5", "new.csv", environment={"FAKE_EPOCHS": "1000000000"})
    assert process.stdout.readline() == "0,cat\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert err == ""


@pytest.mark.parametrize(
    "words",
    [("predict", "net.h5", "new.csv"), (*TRAIN, "--log", "-"), ("evaluate", "net.h5", "mnist"), ("pretrain", "-h")],
)
def test_a_reader_that_went_away_ends_it_quietly(spawn, words):
    read, write = os.pipe()
    os.close(read)
    process = spawn(*words, stdout=write, environment={"FAKE_EPOCHS": "100"})
    os.close(write)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 141
    assert "error" not in err.replace("reconstruction error", "")


@pytest.mark.promise("pipes")
def test_a_log_whose_reader_went_away_costs_no_work(spawn):
    """The run stops at the next minibatch and is saved, before it ends quietly."""
    process = spawn(*TRAIN, "--log", "-", environment={"FAKE_EPOCHS": "1000", "FAKE_SLEEP": "0.01", "FAKE_TELL": "1"})
    assert process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141
    assert err.count("saved: stack.h5") == 1
    assert "epoch 3/1000" not in err
    assert "Traceback" not in err


FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


@FULL
@pytest.mark.promise("pipes")
def test_a_full_stdout_or_stderr_loses_no_run(spawn):
    with open("/dev/full", "w") as full:
        process = spawn(*TRAIN, stdout=full, environment={"FAKE_TELL": "1"})
        _, err = process.communicate(timeout=30)
        assert process.returncode == 5
        assert err.count("saved: stack.h5") == 1
        assert err.splitlines()[-1].startswith("deepnet: error: stdout cannot be written")
        assert "Traceback" not in err
        process = spawn(*TRAIN, "--log", "-", stdout=full, environment={"FAKE_TELL": "1", "FAKE_SLEEP": "0.01"})
        _, err = process.communicate(timeout=30)
        assert process.returncode == 5
        assert err.count("saved: stack.h5") == 1
        process = spawn(*TRAIN, stderr=full)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "finished" in out
        process = spawn("pretrain", "mnist", "--debug", stderr=full)
        process.communicate(timeout=30)
        assert process.returncode == 2


@FULL
def test_a_full_stdout_is_an_output_error(spawn):
    with open("/dev/full", "w") as full:
        process = spawn("predict", "net.h5", "new.csv", stdout=full)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 5
    assert err == "deepnet: error: stdout cannot be written: No space left on device\n"


def test_a_closed_stdout_or_stderr_is_no_traceback(spawn):
    process = spawn("evaluate", "net.h5", "mnist", preexec_fn=lambda: os.close(1))
    _, err = process.communicate(timeout=10)
    assert process.returncode == 5
    assert err.count("\n") == 1
    process = spawn(*TRAIN, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.close(2))
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "finished" in out


@pytest.mark.parametrize("log", ["data.csv", "out.h5"])
def test_a_log_never_takes_the_place_of_an_input_or_the_output(log, tmp_path, monkeypatch, capsys):
    from deepnet.cli.run import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("a,label\n1,x\n2,y\n")
    assert run(["finetune", "data.csv", "--layers", "2", "-o", "out.h5", "--log", log, "--force"]) == 2
    assert "--log" in capsys.readouterr().err
    assert (tmp_path / "data.csv").read_text().startswith("a,label")

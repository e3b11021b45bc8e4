"""Does pre-training help here? Cells, their record, their tests, and a run that is cut and goes on."""

import json
from itertools import pairwise

import numpy as np
import pytest

from deepnet import checkpoint, data, workflows
from deepnet.workflows import cells, verdicts

TINY = {
    "layers": (12,),
    "epochs": 2,
    "updates": 30,
    "seeds": 2,
    "methods": ("none", "rbm", "dae"),
    "labels": ((20, None), (None, 1)),
    "pretraining": {"rbm": {"epochs": (2,)}, "dae": {"epochs": (1,), "corruption": ("masking:0.5",)}},
}
WORDS = ("--labels", "20,all:1", "--layers", "12", "--epochs", "2", "--updates", "30", "--seeds", "2",
         "--pretrain-epochs", "2", "-q")  # fmt: skip


def run(finish, source, output, **options):
    return finish(workflows.efficiency(source, str(output), **TINY | options))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, digits):
    """A whole run: its folder and its records."""
    folder = tmp_path_factory.mktemp("efficiency")
    return folder, list(workflows.efficiency(digits, str(folder / "r.html"), **TINY))


def test_it_leaves_a_page_and_a_record_and_no_model(finished):
    folder, records = finished
    assert sorted(path.name for path in folder.iterdir()) == ["r.html", "r.json"]
    page = (folder / "r.html").read_text()
    assert "Does pre-training help on digits.npz?" in page
    assert "<svg" not in page
    assert "data:image/" in page
    assert "<script" not in page
    assert "http:" not in page.replace("http-equiv", "")
    for row in records[-1].result["findings"]:
        assert row["finding"].split("(")[0].rstrip() in page


def test_rows_and_stages(finished):
    records = finished[1]
    facts = records[-1].result
    rows = {(row["labels"], row["method"]): row["draws"] for row in facts["errors"]}
    assert rows == {(n, m): d for n, d in ((20, 2), (500, 1)) for m in TINY["methods"]}
    assert {(p["method"], p["against"]) for p in facts["differences"]} == {
        ("rbm", "none"), ("dae", "none"), ("dae", "rbm")}  # fmt: skip
    stages = [(r.stage, r.epoch, r.epochs) for r in records if isinstance(r, workflows.Epoch)]
    assert stages.count(("rbm, pre-training", 1, 2)) == 1, "one stack for both numbers of labels"
    assert ("none, 20 labels", 2, 2) in stages
    assert ("dae, 500 labels", 1, 1) in stages
    assert not any("none, pre" in stage for stage, _, _ in stages)
    assert facts["cases"] == 200


def test_a_cell_is_what_the_commands_make(finished, finish, digits, tmp_path):
    """Pre-training, fine-tuning and evaluation by hand give the same wrong cases."""
    stack, net = str(tmp_path / "s.h5"), str(tmp_path / "n.h5")
    finish(workflows.pretrain(digits, stack, layers=(12,), epochs=(2,), seed=1))
    options = {"labels": 20, "epochs": 30, "batch_size": 20, "learning_rate": "linear:0.1:0.001", "dropout": (0.2, 0.5)}
    finish(workflows.finetune(digits, net, start=stack, seed=1, **options))
    wrong = workflows.evaluate(net, digits)["wrong"]
    record = json.loads((finished[0] / "r.json").read_text())
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(record["wrong"]["rbm-1-20"]), np.uint8))
    assert bits.sum() == wrong


def test_self_training_is_what_the_commands_make(finish, cut, digits, tmp_path):
    """Two students, one after the other, of a net of few labels; none of a net of all; also where it was cut."""
    asked = {"methods": ("none",), "seeds": 1, "self_training": 2}
    records = run(finish, digits, tmp_path / "r.html", **asked)
    stages = [record.stage for record in records if isinstance(record, workflows.Epoch)]
    few = "none, 20 labels"
    assert stages == [few, f"{few}, student 1", f"{few}, student 2", "none, 500 labels"]
    options = {"layers": (12,), "learning_rate": "linear:0.1:0.001", "dropout": (0.2, 0.5)}
    nets = [str(tmp_path / f"{n}.h5") for n in range(3)]
    finish(workflows.finetune(digits, nets[0], labels=20, epochs=30, batch_size=20, **options))
    options |= {"task": "mimic", "temperature": 1.0, "hard_weight": 0.0, "epochs": 6, "batch_size": 100}
    for teacher, student in pairwise(nets):
        finish(workflows.finetune(digits, student, teacher=(teacher,), **options))
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["wrong"].keys() == {"none-0-20", "none-0-20-2", "none-0-500"}
    for name, net in (("none-0-20", nets[0]), ("none-0-20-2", nets[2])):
        bits = np.unpackbits(np.frombuffer(bytes.fromhex(record["wrong"][name]), np.uint8))
        assert bits.sum() == workflows.evaluate(net, digits)["wrong"]
    rows = {(row["labels"], row["method"]) for row in records[-1].result["errors"]}
    assert rows == {(20, "none"), (20, "none, self-trained"), (500, "none")}
    assert run(finish, digits, tmp_path / "cut.html", **asked, stop=cut(45))[-1].outcome == "interrupted"
    run(finish, digits, tmp_path / "cut.html", **asked, resume=True)
    assert json.loads((tmp_path / "cut.json").read_text())["wrong"] == record["wrong"]
    errors = [record.metrics["error"] for record in records if isinstance(record, workflows.Epoch)]
    assert errors[2] == workflows.evaluate(nets[2], digits)["error"]


@pytest.mark.parametrize("after", [3, 60, 200])
def test_cut_and_resumed_it_is_the_same(after, finished, finish, cut, digits, tmp_path):
    page = tmp_path / "r.html"
    end = run(finish, digits, page, stop=cut(after))[-1]
    assert end.outcome == "interrupted"
    assert not page.exists()
    again = run(finish, digits, page, resume=True)
    assert again[-1].outcome == "finished"
    for name in ("r.html", "r.json"):
        assert (tmp_path / name).read_bytes() == (finished[0] / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json"]


def test_more_draws_and_labels_go_on_with_what_is_there(finished, finish, digits, tmp_path):
    for name in ("r.html", "r.json"):
        (tmp_path / name).write_bytes((finished[0] / name).read_bytes())
    records = run(finish, digits, tmp_path / "r.html", resume=True, labels=((20, 3), (30, 1)), methods=("none",))
    stages = [(r.stage, r.epoch) for r in records if isinstance(r, workflows.Epoch)]
    assert stages == [("none, 30 labels", 1), ("none, 20 labels", 3)]
    kept = json.loads((tmp_path / "r.json").read_text())
    assert len(kept["wrong"]) == 9 + 2
    assert "pre-training by dae" in kept["settings"]


def test_other_settings_are_refused(finished, finish, call, digits, tmp_path):
    for name in ("r.html", "r.json"):
        (tmp_path / name).write_bytes((finished[0] / name).read_bytes())
    done = call("efficiency", digits, *WORDS, "-o", tmp_path / "r.html", "--resume", "--units", "relu")
    assert done.code == 2
    assert "units was ['logistic'], is ['relu']" in done.err
    (tmp_path / "r.json").write_text(
        '{"format": "deepnet.efficiency/1", "cases": 200, "settings": {}, "wrong": {"a": "zz"}}'
    )
    done = call("efficiency", digits, *WORDS, "-o", tmp_path / "r.html", "--resume")
    assert done.code == 3
    assert "is no record of `deepnet efficiency`" in done.err


def test_models_are_kept_where_asked(finish, digits, tmp_path):
    run(
        finish,
        digits,
        tmp_path / "r.html",
        keep=str(tmp_path / "m"),
        methods=("none", "rbm"),
        seeds=1,
        labels=((20, 1),),
    )
    found = {path.name: checkpoint.load(path).complete for path in (tmp_path / "m").iterdir()}
    assert found == {"rbm-0.h5": True, "none-0-20.h5": True, "rbm-0-20.h5": True}


def test_without_test_cases_some_are_held_out(finish, flowers, tmp_path):
    options = {"label": "kind, as told", "scale": "standard", "methods": ("none",), "labels": ((9, 2), (None, 1))}
    facts = run(finish, flowers, tmp_path / "r.html", valid="0.25", **options)[-1].result
    assert (facts["split"], facts["cases"]) == ("held out", 60)
    assert [row["labels"] for row in facts["errors"]] == [9, 180]
    assert facts["findings"] == []
    assert facts["verdict"] is None


def test_a_table_of_measures(call, flowers, tmp_path):
    """Standardised columns want linear visible units, which the error that names them can be answered with."""
    words = (
        "efficiency",
        flowers,
        "--label",
        "kind, as told",
        "--scale",
        "standard",
        *WORDS,
        "-o",
        tmp_path / "r.html",
    )
    done = call(*words)
    assert done.code == 3
    assert "--visible linear" in done.err
    assert list(tmp_path.iterdir()) == []
    done = call(*words, "--visible", "linear", "--json")
    assert done.code == 0, done.err
    assert {row["method"] for row in json.loads(done.out)["errors"]} == {"none", "rbm", "dae"}


def test_unlabelled_cases_count_as_inputs(finish, digits, tmp_path):
    arrays = dict(np.load(digits))
    arrays["y_train"] = np.where(np.arange(500) < 50, arrays["y_train"].astype(int), -1)
    np.savez(tmp_path / "d.npz", **arrays)
    start = run(finish, str(tmp_path / "d.npz"), tmp_path / "r.html", methods=("rbm",), seeds=1)[0]
    assert start.plan["cases"] == "500 train, 200 test"
    assert start.plan["labels"] == "20 (1 draw), 50 (1 draw)"


REFUSED = {
    "more labels than there are": (["--labels", "501"], 3, "--labels 501 is more than the 500 training cases"),
    "no number": (["--labels", "many"], 2, "'many' is not a whole number"),
    "no draws": (["--labels", "10:0"], 2, "'0' is not 1 or more"),
    "a method twice": (["--methods", "rbm,rbm"], 2, "names one twice"),
    "an unknown method": (["--methods", "rbn"], 2, "did you mean 'rbm'"),
    "no page": (["-o", "report.txt"], 2, "end its name with .html"),
    "students of no labels": (["--self-training", "-1"], 2, "'-1' is not from 0 to 100"),
    "values for other layers": (["--pretrain-epochs", "1,2"], 2, "has 2 values for 1 layers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, call, digits, tmp_path, tree, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, code, hint = REFUSED[name]
    output = [] if "-o" in words else ["-o", "r.html"]
    done = call("efficiency", digits, *WORDS, *output, *words)
    assert done.code == code
    assert hint in done.err
    assert done.err.count("\n") == 1
    assert tree(tmp_path) == {}


def test_data_without_a_label_are_refused(call, tmp_path):
    (tmp_path / "t.csv").write_text("a,b,kind\n" + "0.1,0.2,\n" * 20)
    done = call("efficiency", str(tmp_path / "t.csv"), *WORDS, "-o", str(tmp_path / "r.html"), "--label", "kind")
    assert (done.code, "none of the 20 train cases has a label" in done.err) == (3, True)


def test_files_of_others_in_its_folder_stay(finish, digits, tmp_path):
    (tmp_path / "r.work").mkdir()
    for name in ("thesis.txt", "rbm-0.h5", "none-0-20.h5"):
        (tmp_path / "r.work" / name).write_text("mine")
    run(finish, digits, tmp_path / "r.html", methods=("none",), seeds=1)
    assert [path.name for path in (tmp_path / "r.work").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("methods", ["none", "rbm"])
def test_the_next_command_prepares_data_alike(methods, call, flowers, tmp_path):
    words = ["--methods", methods, "--label", "kind, as told", "--scale", "standard", "--visible", "linear"]
    done = call("efficiency", flowers, *WORDS, *words, "-o", str(tmp_path / "r.html"), "--json")
    after = json.loads(done.out)["next"]
    assert "--scale standard" in after
    assert ("--visible linear" in after) == (methods == "rbm")


def test_help_names_the_tables(call):
    told = call("efficiency", "-h").out
    assert all(f"[{name}]" in told for name in ("efficiency", "pretrain", "rbm", "dae", "sae", "cae", "finetune"))


def test_a_dry_run_resolves_every_table(call, digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(
        "[efficiency]\nlabels = [50, 'all:1']\nlayers = 12\n[pretrain]\nepochs = 3\n"
        "[dae]\ncorruption = 'masking:0.5'\n[finetune]\ndropout = 0.3\nset = ['beta1=0.8']\noptimizer = 'adam'\n"
    )
    done = call("efficiency", digits, "-c", "s.toml", "-n", "--json")
    plan = json.loads(done.out)["plan"]
    assert plan["labels"] == "50 (5 draws), 500 (1 draw)"
    assert plan["pretraining"]["dae"]["corruption"] == ["masking:0.5"]
    assert plan["pretraining"]["rbm"]["epochs"] == [3]
    assert plan["finetuning"]["settings"] == [["beta1", 0.8]]
    assert plan["finetuning"]["dropout"] == [0.3]
    assert "learning_rate" not in plan["finetuning"]
    assert list(tmp_path.iterdir()) == [tmp_path / "s.toml"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[efficiency]\n[finetune]\nlayers = 5\n", "[finetune] has no option 'layers'"),
        ("[efficiency]\n[dae]\nlerning_rate = 5\n", "did you mean 'learning-rate'"),
        ("[efficiency]\n[dbm]\nepochs = 5\n", "'dbm' is not the table of a command"),
        ("[efficiency]\n[rbm]\nepochs = 0\n", "(from s.toml [rbm])"),
        ("[efficiency]\nlabels = 20\nself_training = 1\n[finetune]\nlabel_smoothing = 0.1\n", "leave label_smoothing"),
    ],
)
def test_tables_that_are_wrong(text, hint, call, digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(text)
    done = call("efficiency", digits, "-c", "s.toml", "-n")
    assert done.code == 2
    assert hint in done.err


class Made:
    """A record of made-up faults: each cell's number of wrong cases among 1000, the same first ones."""

    def __init__(self, wrong):
        self.wrong = wrong

    def of(self, cell):
        return np.arange(1000) < self.wrong[cell.name, cell.labels][cell.draw - 1]


def test_words_and_figures():
    wrong = {("none", 100): [240, 230, 250], ("rbm", 100): [150, 145, 160], ("none", 900): [20], ("rbm", 900): [21]}
    made = [cells.Cell(m, k, n, k + 1, len(w)) for (m, n), w in wrong.items() for k in range(len(w))]
    facts = verdicts.facts(Made(wrong), made, 900, "digits")
    assert facts["verdict"] == "Pre-training helps on digits with 100 labels, of those that were tried."
    first, second = (row["finding"] for row in facts["findings"])
    assert first.startswith(
        "With 100 labels, pre-training with restricted Boltzmann machines lowers the error from 24.0 % to 15.2 % (3 dra"
    )
    assert second == (
        "With all 900 labels, pre-training with restricted Boltzmann machines makes no difference that we could "
        "measure: 2.1 % of errors, 2.0 % without it (1 draw, p = 1)."
    )
    row = facts["errors"][0]
    assert (row["error"], row["draws"]) == (0.24, 3)
    np.testing.assert_allclose(row["error_interval"], [0.24 - 0.0248414, 0.24 + 0.0248414], rtol=1e-5)
    assert facts["differences"][0]["verdict"] == "better"
    assert facts["differences"][0]["p_draws"] == pytest.approx(0.000356, rel=0.01)


def test_words_of_self_training():
    """It has sentences of its own, and is not taken for pre-training."""
    students = {"none": 0, "none, self-trained": 2, "rbm, self-trained": 2}
    wrong = {(name, 100): [300 - 100 * n] for n, name in enumerate(students)}
    made = [cells.Cell(name.partition(",")[0], 0, 100, 1, 1, n) for name, n in students.items()]
    facts = verdicts.facts(Made(wrong), made, 900, "digits")
    assert facts["verdict"] == "We could not measure that pre-training helps on digits."
    alone, both = (row["finding"] for row in facts["findings"])
    assert alone.startswith(
        "With 100 labels, self-training without pre-training lowers the error from 30.0 % to 20.0 %"
    )
    words = "pre-training with restricted Boltzmann machines and self-training lowers the error from 30.0 % to 10.0 %"
    assert both.startswith(f"With 100 labels, {words}")


def test_a_difference_must_hold_over_draws_too():
    """Many cases make a difference certain in one draw that another draw turns round."""
    wrong = {("none", 50): [200, 200], ("rbm", 50): [50, 220]}
    made = [cells.Cell(m, k, n, k + 1, 2) for (m, n), w in wrong.items() for k in range(2)]
    (pair,) = verdicts.facts(Made(wrong), made, 900, "digits")["differences"]
    assert pair["p_cases"] < 1e-6
    assert pair["p_draws"] > 0.3
    assert pair["verdict"] == "no difference"


def test_data_may_be_given_in_memory(finish, digits, tmp_path):
    """Workflows take a data set with labels as stored in the place of a path."""
    for name, source in (("a", digits), ("b", data.load(digits))):
        finish(workflows.finetune(source, str(tmp_path / f"{name}.h5"), layers=(4,), epochs=1))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()

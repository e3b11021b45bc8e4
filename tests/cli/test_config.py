"""Precedence of flag, environment, TOML and default, and the errors of a settings file."""

import json

import pytest
import typer.main

from deepnet.cli import app, config

TRAIN = ("pretrain", "mnist", "-o", "stack.h5", "-q")


@pytest.fixture
def settings(tmp_path):
    """Write settings.toml in the folder the command line runs in."""
    return lambda text: (tmp_path / "settings.toml").write_text(text)


def plan(call, *words):
    """The options of a dry run: name -> value, from."""
    outcome = call("pretrain", "mnist", "-n", "--json", *words)
    assert (outcome.code, outcome.err) == (0, "")
    return json.loads(outcome.out)["options"]


def test_flag_before_environment_before_file_before_default(call, settings, monkeypatch):
    settings("[pretrain]\nepochs = 7\nbatch-size = 20\nl1 = 0.5\n")
    monkeypatch.setenv("DEEPNET_PRETRAIN_EPOCHS", "8")
    monkeypatch.setenv("DEEPNET_PRETRAIN_BATCH_SIZE", "30")
    options = plan(call, "-c", "settings.toml", "--epochs", "9")
    assert options["epochs"] == {"value": [9], "from": "command line"}
    assert options["batch-size"] == {"value": [30], "from": "environment DEEPNET_PRETRAIN_BATCH_SIZE"}
    assert options["l1"] == {"value": [0.5], "from": "settings.toml [pretrain]"}
    assert options["momentum"] == {"value": ["step:0.5:0.9:5"], "from": "default"}


def test_the_dry_run_says_where_each_value_came_from(call, settings):
    settings("[pretrain]\nlayers = [50, 20]\n")
    outcome = call("pretrain", "mnist", "-n", "-c", "settings.toml")
    assert outcome.code == 0
    lines = [line.split("  ") for line in outcome.out.splitlines()]
    cells = {line[0]: [cell.strip() for cell in line[1:] if cell] for line in lines}
    assert cells["layers"] == ["50,20", "settings.toml [pretrain]"]
    assert cells["data"] == ["mnist", "command line"]
    assert cells["seed"] == ["0", "default"]
    assert outcome.err == ""


def test_short_flags_are_the_long_ones(call, fake, settings):
    settings("[pretrain]\nlayers = [50, 20]\n")
    short = call("pretrain", "mnist", "-n", "-v", "-q", "-c", "settings.toml", "-o", "stack.h5")
    long = ("--dry-run", "--verbose", "--quiet", "--config", "settings.toml", "--output", "stack.h5")
    assert call("pretrain", "mnist", *long) == short
    assert short.code == 0
    one, other = ({k: v for k, v in options.items() if k not in ("stop", "meter")} for _, _, options in fake.CALLS)
    assert one == other
    assert one["dry_run"] is True


def test_lists_and_single_values_both_fit(call, fake, settings):
    settings(
        '[pretrain]\nlayers = [500, 250]\nunits = ["logistic", "linear"]\nepochs = 3\nforce = true\n'
        'learning_rate = [0.1, "step:0.1:0.01:5"]\n'
    )
    assert call(*TRAIN, "-c", "settings.toml").code == 0
    options = fake.CALLS[-1][2]
    assert options["layers"] == (500, 250)
    assert options["units"] == ("logistic", "linear")
    assert options["learning_rate"] == ("0.1", "step:0.1:0.01:5")
    assert options["epochs"] == (3,)
    assert options["force"] is True


def test_words_that_are_python_names_or_lists_of_names(call, fake, settings, monkeypatch):
    settings('[finetune]\ndata = "mnist"\nfrom = "stack.h5"\nvalid = 10000\n[visualize]\nkind = ["filters", "codes"]\n')
    assert call("finetune", "-o", "net.h5", "-c", "settings.toml").code == 0
    command, places, options = fake.CALLS[-1]
    assert (command, places) == ("finetune", ("mnist", "net.h5"))
    assert (options["start"], options["valid"]) == ("stack.h5", "10000")
    assert call("visualize", "net.h5", "-o", "pictures/", "-c", "settings.toml").code == 0
    assert fake.CALLS[-1][2]["kind"] == ("filters", "codes")
    monkeypatch.setenv("DEEPNET_FINETUNE_FROM", "other.h5")
    assert call("finetune", "-o", "net.h5", "-c", "settings.toml").code == 0
    assert fake.CALLS[-1][2]["start"] == "other.h5"


def test_settings_from_standard_input(call, fake, stdin):
    stdin(b"[pretrain]\nseed = 5\n")
    assert call(*TRAIN, "-c", "-").code == 0
    assert fake.CALLS[-1][2]["seed"] == 5


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[pretrain]\nepoch = 3\n", ("'epoch'", "did you mean 'epochs'")),
        ("[pretrain]\nconfig = 'a'\n", ("'config'",)),
        ("[pretrian]\nepochs = 3\n", ("'pretrian'", "did you mean 'pretrain'")),
        ("epochs = 3\n", ("'epochs' is not the table",)),
        ("[finetune]\nepochs = 3\n", ("no table [pretrain]", "[finetune]")),
        ("", ("no table [pretrain]", "none")),
        ("[pretrain]\nbatch-size = 1\nbatch_size = 2\n", ("twice",)),
        ("[pretrain]\nepochs = {a = 1}\n", ("settings.toml: [pretrain] epochs",)),
        ("[pretrain]\nepochs = 1979-05-27\n", ("neither text",)),
        ("[pretrain]\nlayers = [[5, 4], 3]\n", ("layers is neither text, number nor a list of them",)),
        *(
            (f"[pretrain]\n{name} = true\n", (f"{name} is neither text, number",))
            for name in ("label", "output", "epochs")
        ),
        ("[pretrain]\nignore = [true]\n", ("ignore is neither text",)),
        ("[pretrain]\nforce = [true]\n", ("force is neither true nor false",)),
        ("[pretrain\n", ("not TOML", "line 1")),
        ("[pretrain]\nepochs = 'three'\n", ("'three'", "settings.toml [pretrain]", "--epochs")),
        ("[pretrain]\nseed = 1.5\n", ("'1.5'", "settings.toml [pretrain]")),
        ("[pretrain]\nlayers = " + "[" * 5000 + "]" * 5000, ("settings.toml",)),
    ],
)
def test_an_error_of_the_file_names_file_and_key(call, fake, settings, text, parts):
    settings(text)
    outcome = call(*TRAIN, "-c", "settings.toml")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert all(part in outcome.err for part in parts), outcome.err
    assert fake.CALLS == []


def test_a_missing_or_binary_file_is_wrong_usage(call, tmp_path):
    assert call(*TRAIN, "-c", "none.toml").code == 2
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    outcome = call(*TRAIN, "-c", "bytes.toml")
    assert outcome.code == 2
    assert "UTF-8" in outcome.err


def test_a_wrong_environment_is_named(call, monkeypatch):
    monkeypatch.setenv("DEEPNET_PRETRAIN_EPOCHS", "three")
    outcome = call(*TRAIN)
    assert outcome.code == 2
    assert "(from environment DEEPNET_PRETRAIN_EPOCHS)" in outcome.err


EXAMPLES = {"layers": [5, 4], "labels": 10, "set": ["damping=2"], "loss": "hinge", "init": ["he"], "cd-steps": 2,
            "batch-size": 10, "learning-rate": "linear:0.1:0.01", "momentum": 0.5, "zca": 0.1, "pca": 3,
            "require": "error<=0.5", "max-time": "1h", "clip": 1.5, "max-norm": [1.5, 2], "threads": 1,
            "share": 0.1, "codes": "cosine", "kind": ["filters", "codes"], "teacher": ["a.h5", "b.h5"],
            "give": "codes", "format": "jsonl", "layer-rates": [1, 0.5], "average": 0.5, "corruption": "gaussian:0.2",
            "visible-bias": "mean", "temperature": 4, "hard-weight": 0.2, "mc": 3, "patience": 3,
            "emphasis": 0.5, "sparsity-target": 0.1,
            "nets": ["a.h5", "b.h5"], "log": "run.jsonl"}  # fmt: skip
COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_can_stand_in_the_file(name, settings, tmp_path, monkeypatch):
    """With its default or an example as TOML has it; the context tells that it came from there."""
    monkeypatch.chdir(tmp_path)
    table = {}
    for parameter in COMMANDS[name].params:
        key, default = config.spelled(parameter), parameter.default
        if key == "config":
            continue
        if isinstance(default, bool):
            table[key] = True
        elif key in EXAMPLES:
            table[key] = EXAMPLES[key]
        else:
            table[key] = default if isinstance(default, str) else "word" if parser_less(parameter) else 2
    settings(f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()))
    context = COMMANDS[name].make_context(name, ["-c", "settings.toml"], obj={})
    found = config.origins(context)
    assert {key: found[key]["from"] for key in table} == dict.fromkeys(table, f"settings.toml [{name}]")
    assert all(found[key]["value"] is True for key, value in table.items() if value is True)


def parser_less(parameter):
    """Whether an option takes any text."""
    return type(parameter.type).__name__ == "StringParamType" or parameter.param_type_name == "argument"

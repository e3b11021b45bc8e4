"""The command line as a whole: cheap start, complete help, the tables' names, calls that the workflows take."""

import importlib
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import typer.main

import deepnet
from deepnet.__main__ import main
from deepnet.cli import app, config, man, options

ROOT = Path(__file__).parents[1]
LOADED = (
    "import json, sys; from deepnet.__main__ import main; main(sys.argv[1:]); print(json.dumps(sorted(sys.modules)))"
)
HEAVY = ("numpy", "numba", "llvmlite", "h5py", "matplotlib")
COMMANDS = typer.main.get_command(app).commands


def fresh(code, *words):
    """Run code in a new interpreter."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "words", [("--help",), ("pretrain", "--help"), ("finetune", "-h"), ("pretrain", "mnist", "--layers", "x")]
)
def test_help_imports_nothing_heavy(words):
    done = fresh(LOADED, *words)
    modules = json.loads(done.stdout.splitlines()[-1])
    assert "typer" in modules
    assert [name for name in HEAVY if name in modules] == []


def test_version_comes_before_typer():
    done = fresh(LOADED, "--version")
    version, modules = done.stdout.splitlines()
    assert version == f"deepnet {deepnet.__version__}"
    assert "typer" not in json.loads(modules)


def test_import_of_the_package_is_cheap():
    done = fresh("import json, sys, deepnet; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in (*HEAVY, "typer", "rich") if name in json.loads(done.stdout)] == []
    assert {"pretrain", "finetune", "evaluate", "visualize", "load"} <= set(dir(deepnet))
    with pytest.raises(AttributeError, match="predictt"):
        deepnet.predictt  # noqa: B018


def test_the_commands_are_those_of_the_configuration():
    assert tuple(COMMANDS) == config.COMMANDS


def test_no_words_are_a_call_for_help(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in shown] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained(name, capsys):
    command = COMMANDS[name]
    assert command.help.count(f"  deepnet {name} ") == 4, "four examples on top"
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name} has no help"
        if parameter.param_type_name == "option":
            assert parameter.rich_help_panel in ("Data", "Architecture", "Training", "Output", "Runtime"), (
                parameter.name
            )
    assert main([name, "-h"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for parameter in command.params for option in parameter.opts if option.startswith("--"))
    assert main([name, "--help"]) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_line_in_readme_and_a_test(name):
    readme = (ROOT / "README.md").read_text()
    tests = "\n".join(page.read_text() for page in (ROOT / "tests").rglob("*.py"))
    assert f"deepnet {name} " in readme
    for parameter in COMMANDS[name].params:
        long = [flag for flag in parameter.opts if flag.startswith("--")]
        for flag in long:
            word = re.compile(rf"(?<![\w-]){flag}(?![\w-])")
            assert word.search(readme), f"{flag} is not in README.md"
            assert word.search(tests), f"{flag} is in no test"


@pytest.mark.parametrize("name", COMMANDS)
def test_panels_and_variables_follow_one_rule(name):
    prefix = f"DEEPNET_{name.upper().replace('-', '_')}"
    context = COMMANDS[name].make_context(name, ["x"], obj={}, resilient_parsing=True, auto_envvar_prefix=prefix)
    for parameter in COMMANDS[name].params:
        wanted = f"{prefix}_{config.spelled(parameter).upper().replace('-', '_')}"
        assert config.variable(context, parameter) == wanted
    found = [p.rich_help_panel for p in COMMANDS[name].params if p.param_type_name == "option"]
    assert list(dict.fromkeys(found)) == [panel for panel in man.PANELS if panel in found]


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_the_terminal(name, columns):
    done = subprocess.run(
        [sys.executable, "-m", "deepnet", name, "-h"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert "\x1b" not in done.stdout
    prose = done.stdout[: done.stdout.index("╭")]
    assert "…" not in done.stdout
    # Examples that go on do so after a backslash, further in.
    assert len(re.findall(rf"^   deepnet {name} ", prose, re.M)) == 4
    assert re.findall(r"\\ *\n(?!       -)", prose) == []
    told = " ".join(prose.split())
    assert f"(DEEPNET_{name.upper().replace('-', '_')}_ and its name in capitals" in told
    assert f"the table [{name}] of a TOML file (-c)" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_can_be_typed(name, monkeypatch, tmp_path):
    examples = COMMANDS[name].help.replace("\\\n", " ").splitlines()
    examples = [line.split()[1:] for line in examples if line.startswith("  deepnet ")]
    (tmp_path / "settings.toml").write_text("[pretrain]\ndata = 'mnist'\n[efficiency]\ndata = 'mnist'\n")
    monkeypatch.chdir(tmp_path)
    for words in examples:
        words = [word.strip("'") for word in words[: words.index("|") if "|" in words else None]]
        context = COMMANDS[name].make_context(name, words[1:], obj={})
        assert context.params


PLACES = {
    "UNITS": "deepnet.nn.units.UNITS",
    "OPTIMIZERS": "deepnet.optimizers.OPTIMIZERS",
    "INITIALIZERS": "deepnet.nn.initializers.INITIALIZERS",
    "KINDS": "deepnet.figures.FIGURES",
}


@pytest.mark.parametrize("name", PLACES)
def test_names_are_those_of_the_tables(name):
    page, _, table = PLACES[name].rpartition(".")
    try:
        found = importlib.import_module(page)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing.name} is not there yet")
    if not hasattr(found, table):
        pytest.skip(f"{PLACES[name]} is not there yet")
    assert set(getattr(options, name)) == set(getattr(found, table))


CALLS = {
    "pretrain": ("pretrain", "mnist", "-o", "stack.h5"),
    "finetune": ("finetune", "mnist", "--from", "stack.h5", "-o", "net.h5"),
    "cross_validate": ("finetune", "mnist", "--layers", "5", "--cv", "3"),
    "efficiency": ("efficiency", "mnist", "-o", "report.html"),
    "evaluate": ("evaluate", "net.h5", "mnist"),
    "visualize": ("visualize", "net.h5", "-o", "pictures/"),
    "predict": ("predict", "net.h5", "mnist"),
    "inspect": ("inspect", "net.h5"),
}


@pytest.fixture
def rooms():
    """The real workflows."""
    if importlib.util.find_spec("deepnet.workflows") is None:
        pytest.skip("deepnet.workflows is not there yet")
    return importlib.import_module("deepnet.workflows")


@pytest.fixture
def fake(monkeypatch):
    """The fake workflows of tests/cli."""
    spec = importlib.util.spec_from_file_location("fake_workflows", ROOT / "tests/cli/fake.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fake_workflows", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CALLS)
def test_the_workflows_take_what_the_command_gives(name, rooms, fake, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "deepnet.workflows", fake)
    monkeypatch.setattr(deepnet, "workflows", fake)
    assert main([*CALLS[name]]) == 0
    ((command, places, given),) = fake.CALLS
    assert command == name
    inspect.signature(getattr(rooms, name)).bind(*places, **given)


@pytest.mark.parametrize("record", ["Start", "Epoch", "Saved", "Warned", "End"])
def test_the_fake_records_are_the_real_ones(record, rooms, fake):
    real = {field.name for field in fields(getattr(rooms, record))}
    assert {field.name for field in fields(getattr(fake, record))} == real
    assert {"label", "done", "total", "detail"} <= set(vars(rooms.Meter()))


def test_the_manual_page_is_that_of_the_commands():
    found = (ROOT / "deepnet" / "cli" / "deepnet.1").read_text()
    assert found == man.page(), "make man"
    options = {name for command in COMMANDS.values() for p in command.params for name in p.opts if name[:2] == "--"}
    assert [name for name in options if name.replace("-", r"\-") not in found] == []


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_reads_the_manual_page():
    words = ["groff", "-man", "-Tutf8", "-ww", "deepnet/cli/deepnet.1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "EXIT STATUS" in re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)

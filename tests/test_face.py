"""The Python face: the commands' names and parameters, typed and explained."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import deepnet
from deepnet.cli import app

COMMANDS = typer.main.get_command(app).commands
RECORDS = ("Start", "Epoch", "Saved", "Warned", "Noted", "End")
# What only a shell needs, and options that the face has in another form.
SHELL = {"config", "debug", "json", "log", "progress", "quiet", "verbose"}
OTHERS = {
    "finetune": {"no_bias", "cv"},  # bias=False, `cross_validate`
    "evaluate": {"require"},  # the figures are in the dict
    "efficiency": {"pretrain_epochs", "visible"},  # pretraining={"rbm": {"epochs": 10, "visible": "linear"}}
    "visualize": {"terminal"},  # what is drawn is told to `show`
    "predict": {"output", "force"},  # the pieces are given
    "inspect": {"toml"},  # `workflows.recipe`
    "doctor": {"markdown"},
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_function(name):
    function = getattr(deepnet, name.replace("-", "_"))
    assert function.__name__ == name.replace("-", "_")
    assert function.__doc__
    options = {parameter.name for parameter in COMMANDS[name].params}
    left = OTHERS.get(name, set())
    assert left <= options - set(inspect.signature(function).parameters)
    assert options - SHELL - left <= set(inspect.signature(function).parameters)


def test_what_the_face_names_is_there():
    commands = {name.replace("-", "_") for name in COMMANDS}
    assert commands | {"load", "outputs", "cross_validate", "__version__", *RECORDS} == set(deepnet.__all__)
    for name in set(deepnet.__all__) - {"__version__"}:
        assert callable(getattr(deepnet, name))
        assert name in dir(deepnet)


def test_type_checkers_are_told_of_every_name():
    tree = ast.parse(Path(deepnet.__file__).read_text())
    told = [node.names[0].asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert sorted(told) == sorted(set(deepnet.__all__) - {"__version__"})


def test_the_package_says_that_it_is_typed():
    assert (Path(deepnet.__file__).parent / "py.typed").exists()


USER = """
import numpy as np

import deepnet

losses: list[float] = []
for record in deepnet.finetune("mnist", "net.h5", layers=(20,), labels=500, epochs=2):
    reveal_type(record)
    if isinstance(record, deepnet.Epoch):
        losses.append(record.metrics["training_loss"])
error: float = deepnet.evaluate("net.h5", "mnist")["error"]
reveal_type(deepnet.load("net.h5").model)
reveal_type(deepnet.outputs(deepnet.load("net.h5"), np.zeros((3, 784), np.uint8)))
pieces = b"".join(deepnet.predict("net.h5", "mnist"))
for call in (deepnet.compare, deepnet.doctor, deepnet.export, deepnet.inspect, deepnet.visualize, deepnet.warmup):
    print(call.__doc__)
"""


@pytest.mark.slow
def test_a_type_checker_knows_the_face(tmp_path):
    """A user's script under mypy --strict: it passes, names have their types, a wrong name is found."""
    script = tmp_path / "user.py"

    def check(text):
        script.write_text(text)
        words = [sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--cache-dir", str(tmp_path / "cache")]
        environment = {**os.environ, "MYPYPATH": ""}
        done = subprocess.run([*words, "user.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return [line for line in done.stdout.splitlines() if line.startswith("user.py")]

    found = check(USER)
    assert [line for line in found if "error" in line] == []
    told = "\n".join(found)
    assert '"deepnet.workflows.records.Start | deepnet.workflows.records.Epoch' in told
    assert "Network" in told
    assert "ndarray" in told
    (wrong,) = check("import deepnet\n\ndeepnet.finetunee()\n")
    assert "finetunee" in wrong

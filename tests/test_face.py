"""The Python face: the commands' names and parameters, typed and explained."""

import inspect
from pathlib import Path

import pytest
import typer.main

import deepnet
from deepnet.cli import app

COMMANDS = typer.main.get_command(app).commands
RECORDS = ("Start", "Epoch", "Saved", "Warned", "End")
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


def test_the_package_says_that_it_is_typed():
    assert (Path(deepnet.__file__).parent / "py.typed").exists()

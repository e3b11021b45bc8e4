"""The tables hold what the command line names, in its order; every entry says what it is and where it comes from."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from deepnet.cli import options
from deepnet.data.readers.sniffing import FORMATS, KNOWN
from deepnet.figures import FIGURES
from deepnet.kernels.minibatch import CONTRASTS
from deepnet.kernels.operands import PRECISIONS
from deepnet.nn import autoencoder
from deepnet.nn.corruptions import CORRUPTIONS
from deepnet.nn.initializers import INITIALIZERS
from deepnet.nn.layers import LAYERS, MOST_PIECES
from deepnet.nn.losses import CLASSIFIERS, LOSSES
from deepnet.nn.units import UNITS
from deepnet.optimizers import OPTIMIZERS
from deepnet.optimizers.schedules import SCHEDULES
from deepnet.workflows import bounds
from deepnet.workflows.finetune import NUMBERS
from deepnet.workflows.forms import FORMS
from deepnet.workflows.plans import METHODS
from deepnet.workflows.retrieval import DISTANCES

NAMED = {
    "units": (UNITS, options.Unit, options.UNITS),
    "optimizers": (OPTIMIZERS, options.Optimizer, options.OPTIMIZERS),
    "initializers": (INITIALIZERS, options.Initializer, options.INITIALIZERS),
    "precisions": (PRECISIONS, options.Precision, options.PRECISIONS),
    "methods": (METHODS, options.Method, options.METHODS),
    "corruptions": (CORRUPTIONS, options.Corruption, options.CORRUPTIONS),
    "losses": (CLASSIFIERS, options.Loss, options.LOSSES),
    "distances": (DISTANCES, options.Distance, options.DISTANCES),
    "figures": (FIGURES, options.Kind, options.KINDS),
    "forms": (FORMS, options.Format, options.FORMATS),
    "contrasts": (("none", *CONTRASTS), options.Contrast, options.CONTRASTS),
}
SOURCE = re.compile(r"[A-Z][a-z]+(,| and| et al\.)?.* (19|20)\d\d")


@pytest.mark.parametrize("kind", NAMED)
def test_names_are_the_command_line_s(kind):
    table, literal, names = NAMED[kind]
    assert tuple(table) == get_args(literal) == names


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_have_a_page_with_their_source(name):
    kind = OPTIMIZERS[name]
    page = inspect.getmodule(kind)
    assert page.__name__ == f"deepnet.optimizers.{name}"
    assert SOURCE.search(page.__doc__), page.__doc__
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_have_their_source(name):
    function, default = INITIALIZERS[name]
    assert function.__name__ == name
    assert SOURCE.search(function.__doc__)
    assert default >= 0


def test_units_losses_and_layers_have_theirs():
    for table, row in ((UNITS, next(iter(UNITS.values()))), (LOSSES, next(iter(LOSSES.values())))):
        assert inspect.getmodule(type(row)).__doc__
        assert SOURCE.search(inspect.getmodule(type(row)).__doc__), type(row)
        assert all(type(other) is type(row) for other in table.values())
        assert type(row).__doc__
    for name, layer in LAYERS.items():
        assert layer.__name__.lower() == name
        assert layer.__doc__
        assert not layer.__doc__.startswith(f"{layer.__name__}(")


@pytest.mark.parametrize("name", FIGURES)
def test_figures_have_a_docstring(name):
    assert FIGURES[name].__name__ == name
    assert len(FIGURES[name].__doc__) > 20


def test_schedules_are_written_as_they_are_read():
    for name, rule in SCHEDULES.items():
        parts = rule.form.split(":")
        assert parts[0] == ("VALUE" if name == "constant" else name)
        assert len(parts) - (name != "constant") == rule.count


def test_visible_units_are_those_of_the_table_and_two_more():
    assert get_args(options.VisibleUnit) == ("auto", "mixed", *options.UNITS)
    assert set(bounds.NAMES["pretrain"]["visible"]) == set(get_args(options.VisibleUnit))


def test_losses_end_in_a_unit():
    for loss in LOSSES.values():
        assert loss.unit in UNITS


def test_a_machine_s_units_have_a_rate():
    assert tuple(name for name, unit in UNITS.items() if unit.rate is not None) == options.MACHINES
    assert tuple(name for name, unit in UNITS.items() if not unit.rowwise) == options.HIDDEN[:-1]
    assert options.HIDDEN[-1] in LAYERS
    assert options.ENCODERS == autoencoder.HIDDEN
    assert options.MOST_PIECES == MOST_PIECES
    assert all(unit.rate > 0 for unit in UNITS.values() if unit.rate is not None)


def test_numbers_of_optimizers_are_explained():
    """--help has every number that --set takes, with its default first."""
    own = {}
    for name, kind in OPTIMIZERS.items():
        numbers = {f.name: f.default for f in dataclasses.fields(kind) if type(f.default) in NUMBERS}
        if numbers:
            own[name] = numbers
    assert list(own) == list(options.NUMBERS)
    for name, numbers in own.items():
        assert list(numbers) == list(options.NUMBERS[name])
        for setting, default in numbers.items():
            told = options.NUMBERS[name][setting].partition(",")[0]
            assert float(told) == pytest.approx(float(default), rel=1e-3), (name, setting)


def test_formats_are_told_alike():
    """By the messages, the table of README and the help of DATA."""
    readme = (
        (Path(__file__).parents[1] / "README.md").read_text().split("| format | what is read |")[1].split("\n\n")[0]
    )
    told = " ".join(line.split("|")[1] for line in readme.splitlines()[2:])
    for name, words in FORMATS.items():
        assert words in told, words
        assert words in KNOWN or name in ("picture", "folder")
        shown = {
            "hdf5": ".h5",
            "mat5": ".mat",
            "mat73": ".mat",
            "csv": ".csv",
            "jsonl": ".jsonl",
            "npz": ".npz",
            "npy": ".npy",
        }
        assert shown.get(name, words) in options.SHIPPED or name == "picture", name

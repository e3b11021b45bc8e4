"""`deepnet inspect`: options -> `workflows.inspect`."""

from typing import Annotated

import typer

from deepnet.errors import UsageError

from . import options as o
from .options import option

MOST_ROWS = 60  # columns of a table, and classes, that are shown without -v

HELP = """Say what is in a file: a model, or data.

[bold]Examples[/]
  deepnet inspect net.h5 --json
  deepnet inspect net.h5 --toml
  deepnet inspect own.csv --label species
  deepnet inspect photos/ --size 28x28

Of a model: architecture, history, settings, the files it descends from;
--toml prints settings for -c that make the same file again.
Of data: format, shape, range, balance, what each column of a table is, cells
that are missing, and the command to type next. Minimum, maximum and mean are of
cells as they are stored; the squared error of the mean case is what is left of
a case, scaled as suggested, by the mean of all: a model should leave less."""

Toml = Annotated[bool, option("Output", "--toml", help="Of a model, print the settings as a TOML file for -c.")]
Thing = Annotated[str, o.argument("FILE", "A model file, a data file or folder, or a shipped data set (mnist).")]


def inspect(
    ctx: typer.Context,
    file: Thing,
    label: o.Label = None,
    ignore: o.Ignore = None,
    category: o.Category = None,
    size: o.Size = None,
    json: o.Json = False,
    toml: Toml = False,
    verbose: o.Verbose = False,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Look, and print."""
    from . import console, run

    rooms = run.workflows(None)
    if toml:
        if json:
            raise UsageError("--json and --toml both want stdout: leave one of them")
        console.write(rooms.recipe(file))
    else:
        found = rooms.inspect(file, label=label, ignore=ignore or (), category=category or (), size=size)
        classes = found.get("balance", {}).get("train", {})
        tables = ("fields", "balance") if 0 < len(classes) <= MOST_ROWS else ("fields",)
        tables = tables if 0 < len(found.get("fields") or ()) <= MOST_ROWS else ()
        console.result("inspect", found, as_json=json, verbose=verbose or tables)

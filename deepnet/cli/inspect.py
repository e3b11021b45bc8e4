"""`deepnet inspect`: options -> `workflows.inspect`."""

from typing import Annotated

import typer

from . import options as o

HELP = """Say what is in a file: a model, or data.

[bold]Examples[/]
  deepnet inspect net.h5
  deepnet inspect net.h5 -v
  deepnet inspect own.csv --label species
  deepnet inspect mnist --json

Of a model: architecture, history, settings, the files it descends from.
Of data: shape, range, balance, and the units that suit them."""

Thing = Annotated[str, o.argument("FILE", "A model file, a data file, or a shipped data set (mnist).")]


def inspect(
    ctx: typer.Context,
    file: Thing,
    label: o.Label = None,
    ignore: o.Ignore = None,
    json: o.Json = False,
    verbose: o.Verbose = False,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Look, and print."""
    from . import console, run

    console.result(
        "inspect", run.workflows(None).inspect(file, label=label, ignore=ignore or ()), as_json=json, verbose=verbose
    )

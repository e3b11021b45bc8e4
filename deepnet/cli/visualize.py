"""`deepnet visualize`: options -> `workflows.visualize`."""

from typing import Annotated

import typer

from . import options as o
from . import values
from .options import option

HELP = """Draw pictures of a model: its filters, its history, what it makes of data.

[bold]Examples[/]
  deepnet visualize stack.h5 -o pictures/
  deepnet visualize net.h5 mnist -o pictures/ --kind filters,confusion
  deepnet visualize coder.h5 mnist -o coder.svg --kind reconstructions
  deepnet visualize net.h5 -o history.png --kind history

A folder (a name that ends in /) gets one picture a kind; a file (.png,
.svg, .pdf) takes one kind. Without --kind: all that the model allows.
Filters of deeper layers are projected through the layers below; codes tell how
often a case's nearest neighbour is of another class (--json: the numbers)."""

Kinds = Annotated[
    list[str] | None,
    option(
        "Output",
        "--kind",
        help=f"What to draw: {', '.join(o.KINDS)}; repeat it or use commas.",
        metavar="KIND,...",
        parser=values.names(o.KINDS),
        show_default="all",
    ),
]
Picture = Annotated[
    str, option("Output", "-o", "--output", help="A file, or a folder for several.", metavar="FILE|DIR/")
]


def visualize(
    ctx: typer.Context,
    model: o.Model,
    data: o.MaybeData = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    output: Picture = ...,
    kind: Kinds = None,
    force: o.Force = False,
    json: o.Json = False,
    verbose: o.Verbose = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Draw, and print the names of the files; as JSON also the numbers that the pictures state."""
    from . import console, run

    kinds = tuple(dict.fromkeys(name for names in kind or () for name in names))
    found = run.workflows(threads).visualize(
        model, data, output, kind=kinds, label=label, ignore=ignore or (), force=force, threads=threads
    )
    if json:
        console.result("visualize", found, as_json=True, verbose=verbose)
    else:
        console.write("".join(f"{console.printable(path)}\n" for path in found["written"]))

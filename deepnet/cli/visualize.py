"""`deepnet visualize`: options -> `workflows.visualize`."""

from typing import Annotated

import typer

from deepnet.errors import UsageError

from . import options as o
from . import values
from .options import option

HELP = """Draw pictures of a model: its filters, its history, what it makes of data.

[bold]Examples[/]
  deepnet visualize net.h5 mnist -o report.html
  deepnet visualize net.h5 mnist -o pictures/ --kind filters,confusion
  deepnet visualize stack.h5 -o growing.gif --kind filters --earlier 1.h5,2.h5
  deepnet visualize net.h5 --terminal --kind history

The name of the output decides: report.html is one page with everything, to be
read anywhere; a folder (a name that ends in /) gets one picture a kind; .png,
.svg, .pdf take one kind; .gif takes samples, moving, or filters, growing from
the models of --earlier to this one. Without --kind: all that the model and the
data allow; more with data than without.
--data-out keeps the numbers that pictures are made from, --terminal shows
pictures as text, in colours where there are some (NO_COLOR: shades)."""

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
    str | None,
    option(
        "Output", "-o", "--output", help="A page (.html), a picture, or a folder for several.", metavar="FILE|DIR/",
        show_default="none",
    ),
]  # fmt: skip
Earlier = Annotated[
    str | None,
    option(
        "Output", "--earlier", help="Files of the same model after fewer epochs, first to last: a GIF of filters.",
        metavar="FILE,...", parser=values.texts, show_default="none",
    ),
]  # fmt: skip
Numbers = Annotated[
    str | None,
    option(
        "Output", "--data-out", help="Write what the pictures are made from, as JSON.", metavar="FILE.json",
        show_default="none",
    ),
]  # fmt: skip
Terminal = Annotated[bool, option("Output", "--terminal", help="Show the pictures here, as text.")]


def visualize(
    ctx: typer.Context,
    model: o.Model,
    data: o.MaybeData = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    output: Picture = None,
    kind: Kinds = None,
    earlier: Earlier = None,
    data_out: Numbers = None,
    terminal: Terminal = False,
    force: o.Force = False,
    json: o.Json = False,
    verbose: o.Verbose = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Draw, and print the names of the files or the pictures; as JSON also the numbers that the pictures state."""
    from . import console, run
    from .show import printable
    from .terminal import screen

    if output == "" or data_out == "":
        raise UsageError(f"--{'output' if output == '' else 'data-out'} is empty; give a name, or leave it")
    if output is None and data_out is None and not terminal:
        raise UsageError("there is nowhere to draw to; give --output report.html, --terminal or --data-out FILE.json")
    if terminal and json:
        raise UsageError("--terminal and --json both write to stdout; leave one of them")
    if terminal and earlier:
        raise UsageError("--terminal shows one file; leave out --earlier, and run it for each file")
    kinds = tuple(dict.fromkeys(name for names in kind or () for name in names))
    more = {}
    if terminal:
        text = screen()
        more["show"] = lambda name, numbers: console.write(text.draw(name, numbers))
    found = run.workflows(threads).visualize(
        model, data, output, kind=kinds, data_out=data_out, label=label, ignore=ignore or (), earlier=earlier or (),
        force=force, threads=threads, **more,
    )  # fmt: skip
    if json:
        console.result("visualize", found, as_json=True, verbose=verbose)
    else:
        console.write("".join(f"{printable(path)}\n" for path in found["written"]))

"""`deepnet compare`: options -> `workflows.compare`."""

from typing import Annotated

import typer

from . import options as o
from .evaluate import Split
from .options import option

HELP = """Compare networks on the same cases, and their histories on one chart.

[bold]Examples[/]
  deepnet compare mnist a.h5 b.h5 c.h5 -o chart.png
  deepnet compare mnist a.h5 b.h5 -o report.html
  deepnet compare mnist a.h5 b.h5 --log a.log --log b.log -o chart.svg
  deepnet compare own.csv a.h5 b.h5 --label species --json

Each network is held against the first, case by case: classifiers by McNemar's
exact test, others by the normal interval of the paired differences. Better
or worse is said where chance makes such a difference in fewer than 5 of 100.
The chart has histories by epoch and, where all files tell them, by updates, by
gradients and by the clock; the report has chart, table and settings in a page."""

Nets = Annotated[list[str], o.argument("NET...", "Network files written by finetune; the first is the measure.")]
Logs = Annotated[
    list[str] | None,
    option(
        "Data",
        "--log",
        help="The file that --log wrote, one for each network: adds the clock.",
        metavar="FILE",
        envvar="DEEPNET_COMPARE_LOG",
    ),
]
Chart = Annotated[
    str | None,
    option("Output", "-o", "--output", help="Picture (.png, .svg, .pdf) or page (.html) to write.", metavar="FILE"),
]


def compare(
    ctx: typer.Context,
    data: o.Data,
    nets: Nets,
    split: Split = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    logs: Logs = None,
    output: Chart = None,
    force: o.Force = False,
    json: o.Json = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Compare, print the table, write the chart or the page."""
    from . import console, run

    found = run.workflows(threads).compare(
        data,
        tuple(nets),
        output,
        logs=tuple(logs or ()),
        split=split,
        label=label,
        ignore=ignore or (),
        force=force,
        threads=threads,
    )
    console.result("compare", found, as_json=json, verbose=True)

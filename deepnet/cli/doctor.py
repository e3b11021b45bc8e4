"""`deepnet doctor`: options -> `workflows.doctor`."""

from typing import Annotated

import typer

from deepnet.errors import UsageError

from . import options as o
from .options import option

HELP = """Describe this installation: versions, CPU, kernels, speed, cache.

[bold]Examples[/]
  deepnet doctor --threads 2
  deepnet doctor --threads 1
  deepnet doctor --json
  deepnet doctor --markdown --threads 1

The ceiling is what the multipliers do with data in the first cache, and a
product of 1000 x 1000 x 1000 is timed beside it, on all threads in use."""

Markdown = Annotated[bool, option("Output", "--markdown", help="Print a table for a bug report.")]


def doctor(
    ctx: typer.Context,
    json: o.Json = False,
    markdown: Markdown = False,
    threads: o.Threads = None,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Look, and print."""
    from . import console, run, show

    if json and markdown:
        raise UsageError("--json and --markdown both want stdout: leave one of them")
    found = run.workflows(threads).doctor(threads=threads)
    if markdown:
        console.write("".join(line + "\n" for line in show.markdown(found)))
    else:
        console.result("doctor", found, as_json=json, verbose=False)

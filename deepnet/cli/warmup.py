"""`deepnet warmup`: options -> `workflows.warmup`."""

import typer

from . import options as o

HELP = """Compile all kernels now, so that no later command has to.

[bold]Examples[/]
  deepnet warmup -q
  deepnet warmup --json
  deepnet warmup --threads 1
  deepnet warmup -q --json

A first command compiles what it needs, on two threads in about ten seconds.
Compiled kernels are kept in $XDG_CACHE_HOME/deepnet or ~/.cache/deepnet.
Those of other versions go when they were not used for 30 days."""


def warmup(
    ctx: typer.Context,
    json: o.Json = False,
    quiet: o.Quiet = False,
    threads: o.Threads = None,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Compile, and say what there is."""
    from . import console, run

    found = run.workflows(threads).warmup(threads=threads, say=(lambda line: None) if quiet else console.say)
    console.result("warmup", found, as_json=json, verbose=False)

"""`deepnet selfcheck`: options -> `workflows.selfcheck`."""

import typer

from deepnet.errors import RequirementError

from . import options as o

HELP = """Check on this machine that what is computed is right.

[bold]Examples[/]
  deepnet selfcheck -q
  deepnet selfcheck -q --json
  deepnet selfcheck --threads 1
  deepnet selfcheck --json --threads 2

Gradients are held against differences, Gauss-Newton products against the
explicit matrix, contrastive divergence against enumeration, the random
numbers against their known answers, float32 against float64, and the
optimizers must lower a loss. Exit code 7 if one of them fails."""


def selfcheck(
    ctx: typer.Context,
    json: o.Json = False,
    quiet: o.Quiet = False,
    threads: o.Threads = None,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Check, and say what passed."""
    from . import console, run

    found = run.workflows(threads).selfcheck(threads=threads, say=(lambda line: None) if quiet else console.say)
    console.result("selfcheck", found, as_json=json, verbose=False)
    if found["failed"]:
        names = ", ".join(found["failed"])
        raise RequirementError(
            f"failed: {names}; numbers of this installation are not to be trusted: reinstall deepnet, numba and numpy"
        )

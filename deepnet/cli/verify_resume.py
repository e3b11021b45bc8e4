"""`deepnet verify-resume`: options -> `workflows.verify_resume`."""

import os

import typer

from deepnet.errors import RequirementError

from . import options as o

THREADS = 4  # are tried, also where there are fewer cores

HELP = """Show on this machine that a run which was cut goes on with the same bits.

[bold]Examples[/]
  deepnet verify-resume -q
  deepnet verify-resume --threads 2
  deepnet verify-resume --seed 1 --threads 8
  deepnet verify-resume -q --json

Small nets of each kind are trained on MNIST's first digits in a temporary
folder: whole, and again cut up to ten times at minibatches drawn by the seed,
on another number of threads after each cut. The files must be the same, byte
for byte. It takes about a minute. Exit code 7 if two files differ."""


def verify_resume(
    ctx: typer.Context,
    json: o.Json = False,
    quiet: o.Quiet = False,
    seed: o.Seed = "0",
    threads: o.Threads = None,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Compare, and say what was the same."""
    from . import console, run

    os.environ.setdefault("GOMP_SPINCOUNT", "0")  # more threads than cores are not to wait for each other awake
    say = (lambda line: None) if quiet else console.say
    threads = threads or THREADS
    found = run.workflows(threads).verify_resume(threads=threads, seed=seed, say=say)
    console.result("verify-resume", found, as_json=json, verbose=True)
    if found["differ"]:
        names = ", ".join(found["differ"])
        raise RequirementError(
            f"not the same: {names}; do not rely on --resume in this installation: reinstall deepnet, numba and numpy"
        )

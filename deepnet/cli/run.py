"""From arguments to an exit code; and the way of a training command from its options to its records and its result."""

import contextlib
import os
import signal
import sys
import warnings

import typer

from deepnet import files
from deepnet.errors import DataWarning, UsageError

from . import app, console, progress
from .follow import follow, typed
from .options import MOST_THREADS
from .signals import STOPPING, Interruption, leave_on_request

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
# LAPACK serves PCA alone: two threads that spin on busy cores took 2.5 to 4 s for what one does in 0.09 s.
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NOTE = "deepnet: stopping: the run is being saved; once more to leave at once"


def run(arguments):
    """Run the command line and return its exit code; nothing but the exit code leaves this function."""
    facts: dict[str, object] = {"debug": False, "words": list(arguments)}
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with _signals_restored(), warnings.catch_warnings():
        warnings.simplefilter("once", DataWarning)
        warnings.showwarning = _shown(warnings.showwarning)
        leave_on_request()
        try:
            code = app(arguments or ["--help"], prog_name="deepnet", standalone_mode=False, obj=facts)
            return code if isinstance(code, int) else 0
        except SystemExit as ended:
            # Rich and Typer, not we, end with 1, and only where the reader of a help page went away.
            return console.BROKEN_PIPE if ended.code == 1 else ended.code or 0
        except typer.Abort:
            return 130
        except Exception as error:  # whatever it is, it becomes one line
            return console.failure(error, facts["debug"])


def _shown(others):
    """What shows warnings: those on data in one line, `others` as before."""

    def show(message, category, *where, **more):
        if issubclass(category, DataWarning):
            console.say(f"deepnet: warning: {message}")
        else:
            others(message, category, *where, **more)

    return show


@contextlib.contextmanager
def _signals_restored():
    """Leave the process's signals as they were, for those who call `run` from Python."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def workflows(threads):
    """The workflows, imported after the variables that heavy imports read once are set."""
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # an unknown filter must not make HDF5 load libraries
    os.environ.update(dict.fromkeys(BLAS_VARIABLES, "1"))
    if "numba" not in sys.modules:
        given = os.environ.get("NUMBA_NUM_THREADS")
        if threads is not None:
            os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
        elif given is not None and not (given.isdecimal() and 1 <= int(given) <= MOST_THREADS):
            raise UsageError(
                f"NUMBA_NUM_THREADS={given} is not a number from 1 to {MOST_THREADS}; unset it or use --threads"
            )
    from deepnet import workflows

    return workflows


def one_or_each(ctx, layers, *options):
    """Refuse options that have neither one value nor one for each of the layers."""
    count = len(ctx.params[layers])
    for name in options:
        given = ctx.params[name]
        if given is not None and len(given) not in (1, count):
            flag = f"--{name.replace('_', '-')} {typed(given)}"
            raise UsageError(f"{flag} has {len(given)} values for {count} layers: give one value, or one a layer")


def watch(ctx, begin):
    """Run a training command: `begin(workflows, stop=..., meter=...)` gives its records. Ends with `typer.Exit`."""
    asked = ctx.params
    _check(asked)
    rooms = workflows(asked["threads"])
    from deepnet.kernels import ahead

    with Interruption() as interruption:
        meter = rooms.Meter()
        mode = "none" if asked["quiet"] or asked["dry_run"] else asked["progress"]
        display = progress.choose(mode, meter, interruption, shared=asked["log"] == "-" and _stdout_is_terminal())
        interruption.note = NOTE if isinstance(display, progress.Plain) else ""
        if mode != "none":
            _announce_compilation()
        calls = "machines" if asked.get("method") == "rbm" else "networks"
        with contextlib.nullcontext() if asked["dry_run"] else ahead.compiling(calls):
            end = follow(ctx, rooms, begin(rooms, stop=interruption.stop, meter=meter), display, interruption)
    if end is not None and end.outcome == "interrupted" and interruption.number:
        raise typer.Exit(interruption.exit_code)


def _check(asked):
    """Refuse names that are none and options that contradict each other."""
    for name in ("output", "log", "keep"):
        if asked.get(name) == "":
            raise UsageError(f"--{name} is empty; give a name, or leave it")
    if asked["output"] is None and not asked["dry_run"] and not asked.get("cv"):
        raise UsageError("there is no output: add -o FILE, or -n to see the plan only")
    if asked["log"] not in (None, "-"):
        others = [
            *(asked.get(name) for name in ("data", "start", "valid", "output", "config")),
            *(asked.get("teacher") or ()),
        ]
        if asked["log"] == asked["output"] or files.is_one_of(asked["log"], others):
            raise UsageError(f"--log {asked['log']} is an input or the output of this command too; choose another file")
    if asked["force"] and asked["resume"]:
        raise UsageError("--force starts anew and --resume goes on: leave one of them")
    if asked["log"] == "-" and asked["json"]:
        raise UsageError("--log - and --json both want stdout: write the log to a file or leave --json")


def _stdout_is_terminal():
    """Whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def _announce_compilation():
    """Say on a terminal that the first run takes longer."""
    if progress.on_terminal():
        from deepnet.kernels import jit

        if jit.ENABLED and not jit.warm():
            console.say("compiling kernels (first run)")

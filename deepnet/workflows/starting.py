"""How a training run begins: alone at its output, anew or where an earlier one was cut."""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from typing import ParamSpec

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..errors import UsageError
from ..files import check_output, hold, is_one_of, previous, restore_previous, shown, tidy
from .records import Told, Warned

Given = ParamSpec("Given")


def alone(run: Callable[Given, Iterator[Told]]) -> Callable[Given, Iterator[Told]]:
    """The run, a generator function, with the lock of its output held to its end, unless it writes nothing."""
    given = inspect.signature(run)

    @functools.wraps(run)
    def locked(*words: Given.args, **more: Given.kwargs) -> Iterator[Told]:
        asked = given.bind(*words, **more).arguments
        output = asked.get("output")
        if output is None or asked.get("dry_run"):
            yield from run(*words, **more)
            return
        check_output(output, force=True)
        with hold(output):
            yield from run(*words, **more)

    return locked


def open_run(
    output, kind: str, force: bool, resume: bool, dry_run: bool, inputs
) -> tuple[Checkpoint | None, str | None]:
    """The run to go on with, where `resume` finds one, and a warning where its last save is damaged or gone.

    Checks before any work that the output can be written.
    """
    if dry_run or output is None:
        return None, None
    before = previous(output)
    if is_one_of(before, inputs):
        raise UsageError(f"{shown(before)} is an input, and output {shown(output)} would replace it; choose another")
    if not (resume and (os.path.exists(output) or os.path.exists(before))):
        check_output(output, force=force, inputs=inputs, resumable=True)
        if os.path.exists(before) and not force:
            raise UsageError(
                f"{shown(before)} is left of a run to {shown(output)}; give --resume to go on from it or --force to "
                "start anew"
            )
        return None, None
    check_output(output, force=True, inputs=inputs)
    old, warning = checkpoint.load_last(output)
    if old.kind != kind:
        raise UsageError(f"--resume: {shown(output)} is a {old.kind}, not a {kind}; choose another --output")
    return old, warning


def settle(output, warning: str | None, done: bool) -> Iterator[Warned]:
    """Before a run goes on: what it goes on from takes the place of a file that is damaged or gone.

    Where nothing is left to do, what a finished run needs no more is removed.
    """
    if warning is not None:
        restore_previous(output)
        yield Warned(warning)
    if done:
        tidy(output)

"""visualize: pictures of a model, in a file each."""

import os

from ..errors import UsageError
from ..files import check_output, write_output
from ..kernels import jit
from ..nn.stack import Stack
from . import models, sources
from .kinds import KINDS, View
from .sources import open_split


def visualize(model, data, output, *, kind=(), label=None, ignore=(), force=False, threads=None) -> dict:
    """Draw the kinds asked for, or all that the model and the data allow.

    Returns the files, `written`, and the numbers that the pictures state.
    """
    if threads is not None:
        jit.set_threads(threads)
    loaded = models.load(model, data)
    task = None if isinstance(loaded.model, Stack) else sources.task_of(loaded.model.loss, loaded.preparation)
    view = View(loaded, task)
    if data is not None:
        # What reconstructs needs no labels, but its cases are sorted and named by them where there are such.
        wanted = None if task in sources.BLIND else task
        dataset, cases, _ = open_split(loaded, model, data, wanted, "test", label, ignore)
        view = View(loaded, task, dataset, cases)
    kinds = _allowed(view, kind)
    paths = _paths(output, kinds, force)
    from .. import figures

    os.makedirs(os.path.dirname(paths[0]) or ".", exist_ok=True)
    for name, path in zip(kinds, paths, strict=True):
        figure = figures.FIGURES[name](*KINDS[name].arrays(view))
        write_output(path, figures.encode(figure, os.path.splitext(path)[1].lstrip(".") or "png"))
    return {"written": paths, **view.facts}


def _allowed(view: View, asked) -> list[str]:
    """The kinds to draw; a sentence for one that was asked for and cannot be."""
    for name in asked:
        if (reason := KINDS[name].lacks(view)) is not None:
            raise UsageError(f"--kind {name}: {reason}")
    return list(asked) or [name for name, kind in KINDS.items() if kind.lacks(view) is None]


def _paths(output: str, kinds: list[str], force: bool) -> list[str]:
    """A file a kind: the output itself for one, else a folder."""
    folder = output.endswith(os.sep) or os.path.isdir(output)
    if not folder and len(kinds) > 1:
        raise UsageError(
            f"-o {output} is one file for {len(kinds)} kinds ({', '.join(kinds)}); give a folder, {output}/, or --kind"
        )
    if folder and not os.path.isdir(output):
        check_output(output.rstrip(os.sep))
        return [os.path.join(output, f"{name}.png") for name in kinds]
    paths = [os.path.join(output, f"{name}.png") for name in kinds] if folder else [output]
    for path in paths:
        check_output(path, force)
    return paths

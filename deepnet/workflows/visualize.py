"""visualize: pictures of a model, in a file each, on one page, moving, or as numbers."""

import os
from inspect import signature

from ..errors import UsageError
from ..files import check_output, write_alone
from ..kernels import jit
from . import growth, models, pages, views
from .kinds import KINDS
from .views import View

PAGES = (".html", ".htm")


def visualize(
    model,
    data,
    output=None,
    *,
    kind=(),
    data_out=None,
    label=None,
    ignore=(),
    earlier=(),
    force=False,
    threads=None,
    show=lambda name, numbers: None,
) -> dict:
    """Draw the kinds asked for, or all that the model and the data allow.

    Into a file each in a folder, one page of HTML with all of them, a GIF of what moves, or a picture of one kind; and
    the arrays of each kind as JSON into `data_out`. `show` is told the kind and its arrays by name, kind after kind.
    A GIF of filters has a picture for each of the files `earlier`, states of the same model, and one for the model.
    Returns the files, `written`, and the numbers that the pictures state.
    """
    if threads is not None:
        jit.set_threads(threads)
    view = views.of(models.load(model, data), model, data, label, ignore)
    kinds = _allowed(view, kind)
    _check_moving(output, kinds, earlier, data_out)
    paths = _paths(output, kinds, force, (model, data, *earlier))
    if data_out is not None:
        check_output(data_out, force, (model, data, *earlier, *paths))
    from .. import figures

    drawn, numbers = {}, {}
    for name in kinds:
        given = KINDS[name].arrays(view)
        drawn[name] = given
        numbers[name] = dict(zip(signature(figures.FIGURES[name]).parameters, given, strict=True))
        show(name, numbers[name])
    if _is_page(output):
        absent = {} if kind else {n: why for n, k in KINDS.items() if (why := k.lacks(view)) is not None}
        facts, follow = pages.facts(view, model), pages.follow(view, model, data)
        write_alone(output, figures.model_page(facts, figures.FIGURES, drawn, absent, follow))
    else:
        for name, path in zip(kinds, paths, strict=False):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            moving = growth.states(view, model, earlier) if earlier else drawn[name]
            write_alone(path, _picture(figures, name, moving, path))
    if data_out is not None:
        write_alone(data_out, pages.numbers(view, numbers))
        paths.append(data_out)
    return {"written": paths, **view.facts}


def _picture(figures, name: str, given: tuple, path: str) -> bytes:
    """The bytes of one kind as the file's name asks for."""
    if (suffix := _suffix(path)) == "gif":
        frames, milliseconds = figures.MOVING[name]
        return figures.animate(frames(*given), milliseconds)
    return figures.encode(figures.FIGURES[name](*given), suffix)


def _suffix(path: str) -> str:
    """The format that a picture's name asks for."""
    return os.path.splitext(path)[1].lstrip(".").lower() or "png"


def _is_page(output) -> bool:
    """Whether the output is a page of HTML."""
    return output is not None and os.path.splitext(output)[1].lower() in PAGES


def _allowed(view: View, asked) -> list[str]:
    """The kinds to draw; a sentence for one that was asked for and cannot be."""
    for name in asked:
        if (reason := KINDS[name].lacks(view)) is not None:
            raise UsageError(f"--kind {name}: {reason}")
    return list(asked) or [name for name, kind in KINDS.items() if kind.lacks(view) is None]


def _check_moving(output, kinds: list[str], earlier, data_out) -> None:
    """A sentence where a GIF is asked for of what stands still, or earlier states for anything but a GIF of filters."""
    gif = output is not None and os.path.splitext(output)[1].lower() == ".gif" and not os.path.isdir(output)
    if earlier and not (gif and kinds == ["filters"]):
        raise UsageError("--earlier is for filters that grow; give --kind filters -o growing.gif, or leave it out")
    if earlier and data_out is not None:
        raise UsageError("--data-out tells the numbers of one file; leave out --earlier, and run it for each file")
    if not gif or earlier or kinds == ["samples"]:
        return
    if kinds == ["filters"]:
        raise UsageError(
            f"-o {output}: filters move from state to state; name earlier ones, --earlier first.h5,second.h5, "
            "or a file in .png"
        )
    raise UsageError(
        f"-o {output}: a GIF shows what moves; give --kind samples, or --kind filters with --earlier, "
        "or a file in .html or .png"
    )


def _paths(output, kinds: list[str], force: bool, inputs) -> list[str]:
    """A file a kind: the output itself for a page or one kind, else a folder."""
    if output is None:
        return []
    folder = output.endswith(os.sep) or os.path.isdir(output)
    if not folder and not _is_page(output) and len(kinds) > 1:
        raise UsageError(
            f"-o {output} is one file for {len(kinds)} kinds ({', '.join(kinds)}); give a page, report.html, a folder, "
            f"{output}/, or --kind"
        )
    if not folder:
        check_output(output, force, inputs)
        if _suffix(output) != "gif" and not _is_page(output):
            from .. import figures

            figures.format_of(_suffix(output))
        return [output]
    if not os.path.isdir(output):
        check_output(output.rstrip(os.sep))
        return [os.path.join(output, f"{name}.png") for name in kinds]
    paths = [os.path.join(output, f"{name}.png") for name in kinds]
    for path in paths:
        check_output(path, force)
    return paths

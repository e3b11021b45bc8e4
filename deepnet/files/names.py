"""Names and failures of files in words."""

import difflib
import errno
import itertools
import os

LONGEST = 300  # characters of a name or cell that a message shows
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would run a text cell that begins so
_REASONS = {
    errno.EACCES: "permission denied; check its mode with `ls -l`",
    errno.EPERM: "permission denied; check its mode with `ls -l`",
    errno.ELOOP: "a loop of symbolic links; give the file itself",
    errno.ENAMETOOLONG: "the name is too long; give a shorter path",
    errno.ENXIO: "it is a socket or a device; give a regular file",
    errno.ENOTDIR: "a part of the path is a file, not a folder; check the path",
    errno.ENOSPC: "the disk is full; free some space or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EFBIG: "the file would pass the size limit (`ulimit -f`); raise it or write elsewhere",
    errno.EROFS: "the file system is read-only; write elsewhere",
    errno.EMFILE: "too many files are open; raise `ulimit -n`",
}


def shown(text):
    """The text for a message, the middle of a long one left out.

    Escapes stand for what does not print: control, bidi, surrogate and unknown characters, spaces other than the usual.
    """
    text = _shortened(str(text))
    return _shortened("".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text))


def _shortened(text):
    """The text without its middle where it is long."""
    return text if len(text) <= LONGEST else text[: LONGEST // 2] + "..." + text[-LONGEST // 2 :]


def as_cell(name):
    """A name as a cell of CSV: with an apostrophe before what a spreadsheet would run, but for numbers."""
    return f"'{name}" if name.startswith(_FORMULA) and not is_float(name) else name


def is_float(text):
    """Whether float() takes this text."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def reason(problem):
    """What an OSError or a refused name says, with a remedy."""
    if isinstance(problem, OSError):
        return _REASONS.get(problem.errno) or f"{problem.strerror or 'input/output error'}; check the path and the disk"
    return "the path holds a character that no file name can have; check the path"


def missing(path):
    """The sentence for a file that is not there, with near names of its folder."""
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in itertools.islice(entries, 10_000)]
    except OSError:
        return f"{shown(path)} does not exist, nor can its folder be read; check the path"
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(shown(os.path.join(folder, n)) for n in near)}?" if near else "check the path"
    return f"{shown(path)} does not exist; {hint}"

"""The guarded open of what comes in, the atomic write of what goes out; knows no model.

What comes in must be a regular file: a pipe could hang us and a device has no end. What goes out is written to
`.NAME.tmp` beside the target, flushed to the disk and renamed, so that the target is at any moment either the old
file or the new one, whole.
"""

import contextlib
import difflib
import errno
import hashlib
import itertools
import os
import stat
import unicodedata
from pathlib import Path

from .errors import DataError, OutputError, UsageError

LONGEST = 300  # characters of a name or cell that a message shows
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (bidi), surrogate, line and paragraph separators
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
    """The text for a message: control, bidi and surrogate characters as escapes, the middle of long texts left out."""
    text = str(text)
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + "..." + text[-LONGEST // 2 :]
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _HIDDEN else c for c in text
    )


def _reason(problem):
    """What an OSError or a refused name says, with a remedy."""
    if isinstance(problem, OSError):
        return _REASONS.get(problem.errno) or f"{problem.strerror or 'input/output error'}; check the path and the disk"
    return "the path holds a character that no file name can have; check the path"


def _missing(path):
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


def open_input(path, error=DataError):
    """A regular file, opened for reading bytes; anything else raises `error` with one sentence."""
    path = os.fspath(path)
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe without a writer must not hang us
    except FileNotFoundError:
        raise error(_missing(path)) from None
    except (OSError, ValueError) as problem:
        raise error(f"cannot read {shown(path)}: {_reason(problem)}") from None
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(number, "rb")
    os.close(number)
    kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
    raise error(f"{shown(path)} is {kind}; give a regular file")


def read_input(path, error=DataError):
    """All bytes of a regular file."""
    with open_input(path, error) as file:
        try:
            return file.read()
        except OSError as problem:
            raise error(f"cannot read {shown(path)}: {_reason(problem)}") from None


def check_output(path, force=False, inputs=()):
    """Refuse before any work what could not be written after it.

    OutputError: a folder, a missing or read-only folder, no regular file. UsageError: a file is there, no `force`; or
    it is one of the inputs (paths, names of data sets, None).
    """
    path = os.fspath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    except (OSError, ValueError) as problem:
        raise OutputError(f"cannot write {shown(path)}: {_reason(problem)}") from None
    if (mode is not None and stat.S_ISDIR(mode)) or path.endswith(os.sep) or not path:
        raise OutputError(f"output '{shown(path)}' is a folder; give the name of a file")
    if mode is not None and not stat.S_ISREG(mode):
        raise OutputError(f"output {shown(path)} is a pipe or a device; give the name of a regular file")
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise OutputError(f"the folder of output {shown(path)} does not exist; make it with `mkdir -p {shown(folder)}`")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder of output {shown(path)} cannot be written; choose another --output")
    if mode is not None and is_one_of(path, inputs):
        raise UsageError(f"output {shown(path)} is an input of this command too; choose another --output")
    if mode is not None and not force:
        raise UsageError(f"output {shown(path)} exists; give --force to replace it or choose another --output")


def is_one_of(path, sources):
    """Whether the file at `path` is one of these, `FILE`, `FILE:part`, a data set's name or None."""
    names = [name for source in sources if source for name in (str(source), str(source).rpartition(":")[0]) if name]
    return os.path.exists(path) and any(os.path.exists(name) and Path(path).samefile(name) for name in names)


def temporary(path):
    """The name under which `path` is written first: `.NAME.tmp` beside it, with a hash for very long names."""
    folder, name = os.path.split(os.path.realpath(path))
    if len(os.fsencode(name)) > 250:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return os.path.join(folder, f".{name}.tmp")


def _write_synced(path, data):
    """Make a new file with these bytes and see it to the disk; short writes go on, EINTR is Python's (PEP 475)."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # left by a run that was killed
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[os.write(number, rest[: 1 << 30]) :]
        os.fsync(number)
    finally:
        os.close(number)


def _sync_folder(path):
    """See a rename to the disk; file systems that cannot flush a folder say EINVAL, which is no failure."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(number)


def write_output(path, data):
    """Write these bytes so that `path` holds the old file or the new one at any moment; OutputError when it fails.

    A symbolic link is followed, so that the file it names is replaced, not the link.
    """
    path = os.fspath(path)
    try:
        target, temp = os.path.realpath(path), temporary(path)
        try:
            _write_synced(temp, data)
            os.replace(temp, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temp)
            raise
        _sync_folder(os.path.dirname(target))
    except (OSError, ValueError) as problem:
        raise OutputError(f"cannot write {shown(path)}: {_reason(problem)}") from None


def free_memory():
    """Bytes that a program may still take: what the kernel would give without swapping, else the pages free."""
    with contextlib.suppress(OSError, ValueError, StopIteration), open("/proc/meminfo", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("MemAvailable:"))
        return 1024 * int(line.split()[1])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def scratch(shape):
    """An uninitialised float32 array.

    In a temporary file, gone with the program, where it would take half of the free memory.
    """
    import tempfile

    import numpy as np

    size = 4 * int(np.prod(shape))
    if size <= free_memory() // 2:
        return np.empty(shape, np.float32)
    try:
        with tempfile.TemporaryFile() as file:
            return np.memmap(file, np.float32, "w+", shape=shape)
    except OSError as problem:
        raise OutputError(
            f"no room for {size >> 20} MB of activations: {_reason(problem)} (TMPDIR names the folder)"
        ) from None

"""The atomic write of what goes out.

It is written to `.NAME.tmp` beside the target, flushed to the disk and renamed, so that the target is at any moment
either the old file or the new one, whole.
"""

import contextlib
import errno
import hashlib
import os
import stat
from pathlib import Path

from ..errors import OutputError, UsageError
from .names import reason, shown


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
        raise OutputError(f"cannot write {shown(path)}: {reason(problem)}") from None
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
        raise OutputError(f"cannot write {shown(path)}: {reason(problem)}") from None

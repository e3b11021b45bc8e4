"""The atomic write of what goes out.

It is written to `.NAME.tmp` beside the target, flushed to the disk and renamed, so that the target is at any moment
either the old file or the new one, whole. A run that saves again and again keeps the save before as `NAME.prev`.
"""

import contextlib
import errno
import hashlib
import os
import stat
from pathlib import Path

from ..errors import OutputError, UsageError
from .disk import DISK
from .names import reason, shown

# What a file system says that has no hard links, or a kernel that allows none to another user's file.
_LINKLESS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV}


def check_output(path, force=False, inputs=(), resumable=False):
    """Refuse before any work what could not be written after it; `resumable`: a run could go on with what is there.

    OutputError: a folder, a missing or read-only folder, no regular file. UsageError: a file is there, no `force`; or
    it is one of the inputs (paths, names of data sets, None).
    """
    path = os.fspath(path)
    if path == "-":
        raise UsageError(
            "output - is stdout, where only predict writes; give the name of a file (./- for one called -)"
        )
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
        ways = "--resume to go on with it, --force to replace it" if resumable else "--force to replace it"
        raise UsageError(f"output {shown(path)} exists; give {ways} or choose another --output")


def is_one_of(path, sources):
    """Whether the file at `path` is one of these, `FILE`, `FILE:part`, a data set's name or None."""
    names = [name for source in sources if source for name in (str(source), str(source).rpartition(":")[0]) if name]
    return os.path.exists(path) and any(os.path.exists(name) and Path(path).samefile(name) for name in names)


def beside(path, before="", after=""):
    """A name made of that of the file which `path` stands for, in its folder; with a hash for very long names."""
    folder, name = os.path.split(os.path.realpath(path))
    if len(os.fsencode(before + name + after)) > 255:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return os.path.join(folder, before + name + after)


def temporary(path):
    """The name under which `path` is written first."""
    return beside(path, ".", ".tmp")


def previous(path):
    """The name under which a run keeps the save before the last."""
    return beside(path, "", ".prev")


@contextlib.contextmanager
def told(path):
    """What goes wrong in here as an OutputError that names `path`."""
    try:
        yield
    except (OSError, ValueError) as problem:
        raise OutputError(f"cannot write {shown(path)}: {reason(problem)}") from None


def _write(path, number, data, disk):
    """Write all of these bytes; short writes go on, EINTR is Python's (PEP 475)."""
    with told(path):
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[disk.write(number, rest[: 1 << 30]) :]


def _create(path, disk):
    """Make a new file; its descriptor."""
    with contextlib.suppress(FileNotFoundError):
        disk.unlink(path)  # left by a run that was killed
    return disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def _sync_folder(path, disk):
    """See new names to the disk; file systems that cannot flush a folder say EINVAL, which is no failure."""
    number = disk.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.fsync(number)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        disk.close(number)


def _keep(target, disk):
    """Give the file its second name, by which it outlives the next rename; without hard links it takes that name."""
    second = previous(target)
    with contextlib.suppress(FileNotFoundError):
        disk.unlink(second)
    try:
        disk.link(target, second)
    except OSError as problem:
        if problem.errno not in _LINKLESS:
            raise
        disk.rename(target, second)


def write_output(path, data, keep=False, disk=DISK):
    """Write these bytes so that `path` holds the old file or the new one at any moment; OutputError when it fails."""
    with writing(path, keep, disk) as write:
        write(data)


@contextlib.contextmanager
def writing(path, keep=False, disk=DISK):
    """A function that writes bytes, piece by piece, to what takes the name `path` at the end.

    What is raised meanwhile leaves the old file. A symbolic link is followed, so that the file it names is replaced,
    not the link. With `keep` the old file, which must be there, stays as `previous(path)`.
    """
    path = os.fspath(path)
    with told(path):
        target, temp = os.path.realpath(path), temporary(path)
    try:
        with told(path):
            number = _create(temp, disk)
        try:
            yield lambda data: _write(path, number, data, disk)
            with told(path):
                disk.fsync(number)  # once: after a failure the kernel may call lost pages clean
        finally:
            with told(path):
                disk.close(number)
        with told(path):
            if keep:
                _keep(target, disk)
            disk.rename(temp, target)
    except BaseException:
        with contextlib.suppress(OSError):
            disk.unlink(temp)
        raise
    with told(path):
        _sync_folder(os.path.dirname(target), disk)


def restore_previous(path, disk=DISK):
    """Put the save before the last in the place of `path`, which is damaged or gone."""
    with told(path):
        target = os.path.realpath(path)
        disk.rename(previous(path), target)
        _sync_folder(os.path.dirname(target), disk)


def tidy(path, disk=DISK):
    """Remove what a finished run needs no more: the save before the last, and a temporary of one that was killed."""
    for name in (previous(path), temporary(path)):
        with told(name), contextlib.suppress(FileNotFoundError):
            disk.unlink(name)

"""One run to an output: `.NAME.lock` beside it, held by flock, which a process gives back however it ends.

What the file holds only names the holder; a file left by a process that was killed is held by nobody.
"""

import contextlib
import errno
import fcntl
import os

from ..errors import OutputError
from .disk import DISK
from .names import shown
from .outputs import beside, told, write_output, writing

# What a file system says that has no locks: then there are none.
_LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}


@contextlib.contextmanager
def hold(path, disk=DISK):
    """Be the only one to write `path` meanwhile; OutputError at once where another process is, naming it."""
    name = beside(path, ".", ".lock")
    with told(path):
        number = _take(name, path, disk)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            disk.unlink(name)  # while it is held: who has it open by now will see that it is gone
        disk.close(number)


def write_alone(path, data, disk=DISK):
    """`write_output` of a command that holds no lock for all its time; OutputError where another process writes there.

    Two that wrote at once would share the temporary, and one rename what the other has not written yet.
    """
    with hold(path, disk):
        write_output(path, data, disk=disk)


@contextlib.contextmanager
def writing_alone(path, disk=DISK):
    """`writing`, piece by piece, under the same lock."""
    with hold(path, disk), writing(path, disk=disk) as write:
        yield write


def _take(name, path, disk):
    """The descriptor of the lock, held; its file is at the name for as long as it is held."""
    while True:
        number, own = _open(name, disk)
        taken = False
        try:
            _lock(number, path)
            if _still_at(name, number):
                if own:
                    _sign(name, number, disk)
                    taken = True
                    return number
                disk.unlink(name)  # another user's, left by a process that was killed
        finally:
            if not taken:
                disk.close(number)


def _sign(name, number, disk):
    """Say in the file who holds it; a disk too full for that is one that no model can be written to."""
    try:
        os.ftruncate(number, 0)
        disk.write(number, f"process {os.getpid()} on {os.uname().nodename}\n".encode())
    except OSError:
        disk.unlink(name)
        raise


def _open(name, disk):
    """The descriptor of the lock's file, and whether it can be written to: another user's may only be read."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return disk.open(name, os.O_RDWR | os.O_CREAT | flags, 0o666), True
    except PermissionError:
        try:
            return disk.open(name, os.O_RDONLY | flags), False
        except FileNotFoundError:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _lock(number, path):
    """Lock the open file where the file system can; OutputError where another process has."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(number, 300, 0).decode(errors="replace").strip() or "it began just now"
        raise OutputError(
            f"output {shown(path)} is being written by another run ({shown(holder)}); wait for its end or choose "
            "another --output"
        ) from None
    except OSError as problem:
        if problem.errno not in _LOCKLESS:
            raise


def _still_at(name, number):
    """Whether the open file is the one of that name: its last holder may have removed it before we locked it."""
    try:
        return os.path.samestat(os.stat(name, follow_symlinks=False), os.fstat(number))
    except FileNotFoundError:
        return False

"""A look at a file by a child of this program, before the program itself reads it.

A library in C may crash on a crafted file, loop for ever or fill the memory; that ends the child alone, and becomes a
sentence here.
"""

import contextlib
import faulthandler
import gc
import os
import resource
import signal
import warnings

from ..errors import DataError

SECONDS, PATIENCE = 2, 60  # of CPU, beside one for every RATE bytes; by the clock
RATE = 64 << 20
MEMORY = 256 << 20  # beside SHARE bytes for every byte of the file
SHARE = 3
_TOO_LARGE = 77  # the child's exit code
_SLOW = (signal.SIGALRM, signal.SIGXCPU)
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)  # meant for the parent, which goes on


def probe(walk, size, name, error=DataError, work=None):
    """Have a child call `walk()`, which reads a file of `size` bytes; `error` where it does not live through it.

    It may take the time and memory of `work` bytes, by default those of the file. What `walk` raises is left to the
    real read, which says it better. The child may touch no lock and no thread, so that it is safe beside them. Where no
    child can be had, nothing is done.
    """
    work = size if work is None else work
    status = _status(walk, SECONDS + work // RATE, MEMORY + SHARE * work)
    if status in (0, None):
        return
    if status == _TOO_LARGE:
        raise error(f"{name} takes more memory to read than a file of {size:,} bytes may; fetch or make it again")
    if -status in _SLOW:
        raise error(f"{name} takes too long to read for a file of {size:,} bytes; fetch or make it again")
    raise error(f"{name} is damaged so that reading it crashes ({_name(-status)}); fetch or make it again")


def _name(number):
    """What a signal is called."""
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _status(walk, seconds, memory):
    """The child's exit code, a signal as a negative one, or None where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later: of threads beside a fork
        try:
            number = os.fork()
        except (AttributeError, OSError):  # not on this system; too many processes, too little memory
            return None
    if number == 0:
        _child(walk, seconds, memory)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    except ChildProcessError:  # we were started with SIGCHLD ignored
        return None
    except BaseException:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        raise


def _child(walk, seconds, memory):
    """All that the child does."""
    code = 0
    try:
        _confine(seconds, memory)
        walk()
    except MemoryError:
        code = _TOO_LARGE
    finally:
        os._exit(code)  # no clean-up of what is the parent's; also swallows what was raised


def _confine(seconds, memory):
    """Take from this process what it does not need: its parent's signals and streams, time, memory, core dumps."""
    gc.disable()
    faulthandler.disable()
    signal.set_wakeup_fd(-1)
    for number in (*_IGNORED, *_SLOW):
        signal.signal(number, signal.SIG_IGN if number in _IGNORED else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SLOW)
    signal.alarm(PATIENCE + seconds)
    with contextlib.suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDWR)  # for what C libraries say when they give up
        for number in range(3):
            os.dup2(nothing, number)
    _limit(resource.RLIMIT_CORE, 1)  # not even to a program that collects them, which 0 would let pass
    _limit(resource.RLIMIT_CPU, seconds)
    with contextlib.suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
        _limit(resource.RLIMIT_AS, int(file.read().split()[0]) * resource.getpagesize() + memory)


def _limit(kind, number):
    """Lower a limit of this process; it is never raised."""
    soft, hard = resource.getrlimit(kind)
    lowest = min(n for n in (number, soft, hard) if n != resource.RLIM_INFINITY)
    resource.setrlimit(kind, (lowest, hard))

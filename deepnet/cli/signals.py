"""Two-stage interruption of a run: the first signal asks it to save and stop, the second leaves at once.

The handler sets a flag, which `stop` tells to the run at every minibatch, and gives the signals back to the operating
system: the second one ends the process even within a long kernel. A signal that the parent told us to ignore (`nohup`,
a background job) stays ignored.
"""

import contextlib
import os
import signal
import sys

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
_SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """A context in which signals set `number` (0: none came) and `stop()` gives the reason to stop, or None."""

    def __init__(self, note=""):
        """`note` is the line shown on stderr when the first signal comes."""
        self.number, self.note = 0, note
        self._before = {}

    def __enter__(self):
        for number in STOPPING:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._receive)
        return self

    def __exit__(self, *error):
        for number, before in self._before.items():
            signal.signal(number, before)

    def _receive(self, number, frame):
        """Note the first signal; the kernel ends the process at the second, which needs no more word of Python's."""
        self.number = number
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        _tell(_SHOW_CURSOR if _on_terminal() else b"")
        _tell(self.note.encode() + b"\n" if self.note else b"")

    def stop(self):
        """Why the run is to end now, or None."""
        return "interrupted" if self.number else None

    @property
    def exit_code(self):
        """The exit code of a run that a signal ended."""
        return 128 + self.number


def leave(number, frame):
    """A handler for commands that have nothing to save: end, cleaning up on the way out."""
    raise SystemExit(128 + number)


def leave_on_request():
    """End at once on TERM and HUP, and on INT too, without a word."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def _on_terminal():
    """Whether a display may have hidden the cursor."""
    return sys.stderr is not None and sys.stderr.isatty()


def _tell(content):
    """Write to stderr from a handler, where only a plain system call is safe."""
    with contextlib.suppress(OSError):
        os.write(2, content)

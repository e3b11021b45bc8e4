"""Two-stage interruption of a run: the first signal asks it to save and stop, a later one leaves at once.

Python's own handlers wait for a long kernel to return. So a thread reads the signals from a pipe, into which they are
written the moment they come; kernels leave it free to run. The first one sets a flag, which `stop` tells to the run at
every minibatch; one that comes GRACE later ends the process. Within GRACE it is taken for the same one: `timeout` and
schedulers send theirs to a process and to its group. A signal that the parent told us to ignore (`nohup`, a background
job) stays ignored.
"""

import contextlib
import os
import signal
import sys
import threading
import time

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
GRACE = 0.3  # seconds
_SHOW_CURSOR = b"\x1b[?25h"


class Interruption:
    """A context in which signals set `number` (0: none came) and `stop()` gives the reason to stop, or None.

    `asked` may be set instead, where the run is to stop for another reason.
    """

    def __init__(self, note=""):
        """`note` is the line shown on stderr when the first signal comes."""
        self.number, self.asked, self.note = 0, False, note
        self._before, self._since = {}, 0.0

    def __enter__(self):
        for number in STOPPING:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, _heard)
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._former = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *error):
        signal.set_wakeup_fd(self._former)
        os.close(self._write)
        self._reader.join()
        os.close(self._read)
        for number, before in self._before.items():
            signal.signal(number, before)

    def _listen(self):
        """Receive each signal until the pipe is closed."""
        while received := os.read(self._read, 64):
            for number in received:
                if number in self._before:
                    self._receive(number)

    def _receive(self, number):
        """Note the first signal; leave at a later one."""
        if not self.number:
            self.number, self._since = number, time.monotonic()
            _tell(_SHOW_CURSOR if _on_terminal() else b"")
            _tell(self.note.encode() + b"\n" if self.note else b"")
        elif time.monotonic() - self._since >= GRACE:
            os._exit(128 + number)

    def stop(self):
        """Why the run is to end now, or None."""
        return "interrupted" if self.number or self.asked else None

    @property
    def exit_code(self):
        """The exit code of a run that a signal ended."""
        return 128 + self.number


def _heard(number, frame):
    """A handler, so that the signal comes to the pipe and does nothing else."""


def leave(number, frame):
    """A handler for commands that have nothing to save: end, cleaning up on the way out."""
    raise SystemExit(128 + number)


def leave_on_request():
    """End at once on a signal of STOPPING, without a word."""
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def _on_terminal():
    """Whether a display may have hidden the cursor."""
    return sys.stderr is not None and sys.stderr.isatty()


def _tell(content):
    """Write to stderr, past its buffer, which the run may be writing to."""
    with contextlib.suppress(OSError):
        os.write(2, content)

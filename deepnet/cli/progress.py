"""What a person sees of a run while it goes on: a display on a terminal, plain lines elsewhere, or nothing.

A display never sees a minibatch: it looks at the run's meter at most four times a second, from a thread of its own.
All of it goes to stderr.
"""

import os
import sys
import threading
import time

from .console import say
from .headline import announce
from .show import text

PATIENCE = 30.0


def choose(mode, meter, interruption, shared=False):
    """The display of a mode: auto, rich, plain or none. `shared`: the log goes to the same terminal."""
    if mode == "none":
        return Silent()
    if mode == "rich" or (mode == "auto" and on_terminal() and not shared):
        from .live import Live

        return Live(meter, interruption, force=mode == "rich")
    return Plain(meter)


def on_terminal():
    """Whether stderr is a terminal that can redraw a line."""
    asked = os.environ.get("TERM") != "dumb" and os.environ.get("TTY_COMPATIBLE") != "0"
    return asked and sys.stderr is not None and sys.stderr.isatty()


def rate(epoch):
    """Cases a second of an epoch, as text."""
    return f"{epoch.cases / epoch.seconds:,.0f} cases/s" if epoch.seconds > 0 else ""


def clock(seconds):
    """Seconds as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def left(meter):
    """The time that the run has left as text, at the pace so far; "" where it is not known or over."""
    seconds = meter.left()
    return f"{'up to ' if meter.early else ''}{clock(seconds)} left" if seconds else ""


class Silent:
    """No display."""

    def tell(self, kind, line):
        """Nothing is shown of a warning or a note; the log has it."""

    def start(self, line):
        """Nothing is shown of the start."""

    def epoch(self, record):
        """Nothing is shown of an epoch."""

    def close(self):
        """There is nothing to close."""


class Plain:
    """One line an epoch, and one every half minute while an epoch lasts; no escape codes."""

    def __init__(self, meter, patience=PATIENCE):
        """`patience`: the seconds after which a silent run says where it is."""
        self.meter, self.patience = meter, patience
        self.told, self.ended = time.monotonic(), threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self, line):
        """Say what begins."""
        announce(line)
        self.watcher.start()

    def epoch(self, record):
        """Say how an epoch went."""
        self.told = time.monotonic()
        metrics = [f"{name.replace('_', ' ')} {text(value, name, 5)}" for name, value in record.metrics.items()]
        title = f"{record.stage}, {record.counted} {record.epoch}/{record.epochs}"
        _list(title, *metrics, f"{record.seconds:.1f} s", rate(record), left(self.meter))

    def _watch(self):
        """Say where the run is when nothing was said for long."""
        while not self.ended.wait(max(0.01, self.told + self.patience - time.monotonic())):
            if time.monotonic() - self.told >= self.patience:
                self.told = time.monotonic()
                _list(self.meter.label, self.meter.detail, _share(self.meter), left(self.meter))

    def tell(self, kind, line):
        """Say what a user should know: a warning or a note."""
        say(f"deepnet: {kind}: {line}")

    def close(self):
        """End the watch."""
        self.ended.set()
        if self.watcher.is_alive():
            self.watcher.join()


def _list(*facts):
    """Say what there is of these facts on one line."""
    say(", ".join(filter(None, facts)))


def _share(meter):
    """How much of the meter's total is done, as text."""
    return f"{meter.done:,} of {meter.total:,} ({meter.done / meter.total:.0%})" if meter.total else ""

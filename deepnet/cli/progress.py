"""What a person sees of a run while it goes on: a display on a terminal, plain lines elsewhere, or nothing.

A display never sees a minibatch: it looks at the run's meter at most four times a second, from a thread of its own.
All of it goes to stderr.
"""

import contextlib
import os
import sys
import textwrap
import threading
import time

from .console import printable, say
from .show import text

PER_SECOND = 4
PATIENCE = 30.0


def choose(mode, meter, interruption, shared=False):
    """The display of a mode: auto, rich, plain or none. `shared`: the log goes to the same terminal."""
    if mode == "none":
        return Silent()
    if mode == "rich" or (mode == "auto" and on_terminal() and not shared):
        return Live(meter, interruption, force=mode == "rich")
    return Plain(meter)


def on_terminal():
    """Whether stderr is a terminal that can redraw a line."""
    asked = os.environ.get("TERM") != "dumb" and os.environ.get("TTY_COMPATIBLE") != "0"
    return asked and sys.stderr is not None and sys.stderr.isatty()


def headline(command, plan, seed):
    """One line on what is about to run: the short facts of the plan."""
    facts = [
        f"{key.replace('_', ' ')} {text(value)}"
        for key, value in plan.items()
        if not isinstance(value, dict | list | tuple)
    ]
    return ", ".join(
        [f"{command}: {facts[0]}" if facts else command, *facts[1:], *([] if "seed" in plan else [f"seed {seed}"])]
    )


def announce(line):
    """Say what begins: on one line, on a terminal on as many as it takes, broken between facts."""
    for part in wrapped(line, columns()) if sys.stderr is not None and sys.stderr.isatty() else [line]:
        say(part)


def columns():
    """The width of the terminal at stderr."""
    asked = os.environ.get("COLUMNS", "")
    with contextlib.suppress(OSError, ValueError):
        return (
            int(asked) if asked.isdecimal() and int(asked) else os.get_terminal_size(sys.stderr.fileno()).columns or 80
        )
    return 80


def wrapped(line, width):
    """The lines of a list of facts: broken at its commas, between words only where a fact is longer than a line."""
    bound = ", ".join(fact.replace(" ", "\0") for fact in line.split(", "))
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": "  "}
    lines = []
    for part in textwrap.wrap(bound, width, **options):
        inner = part.replace("\0", " ")
        lines += [inner] if len(inner) <= width else textwrap.wrap(inner, width, **options)
    return lines


def rate(epoch):
    """Cases a second of an epoch, as text."""
    return f"{epoch.cases / epoch.seconds:,.0f} cases/s" if epoch.seconds > 0 else ""


def clock(seconds):
    """Seconds as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Silent:
    """No display."""

    def warn(self, line):
        """Nothing is shown of a warning; the log has it."""

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
        say(
            ", ".join(
                [
                    f"{record.stage}, {record.counted} {record.epoch}/{record.epochs}",
                    *metrics,
                    f"{record.seconds:.1f} s",
                    rate(record),
                ]
            )
        )

    def _watch(self):
        """Say where the run is when nothing was said for long."""
        while not self.ended.wait(max(0.01, self.told + self.patience - time.monotonic())):
            if time.monotonic() - self.told >= self.patience:
                self.told = time.monotonic()
                say(", ".join(filter(None, [self.meter.label, self.meter.detail, _share(self.meter)])))

    def warn(self, line):
        """Say what a user should know."""
        say(f"deepnet: warning: {line}")

    def close(self):
        """End the watch."""
        self.ended.set()
        if self.watcher.is_alive():
            self.watcher.join()


def _share(meter):
    """How much of the meter's total is done, as text."""
    return f"{meter.done:,} of {meter.total:,} ({meter.done / meter.total:.0%})" if meter.total else ""


class Live:
    """A table with a row a stage: epochs, a bar, the main metric, speed, time left."""

    def __init__(self, meter, interruption, force=False):
        """`force`: write escape codes even where stderr is no terminal."""
        from rich.console import Console
        from rich.live import Live as Screen

        self.meter, self.interruption = meter, interruption
        self.rows = {}
        console = Console(stderr=True, force_terminal=force or None, highlight=False)
        self.screen = Screen(
            get_renderable=self.render,
            console=console,
            refresh_per_second=PER_SECOND,
            redirect_stdout=False,
            vertical_overflow="visible",
        )

    def start(self, line):
        """Say what begins and open the display."""
        announce(line)
        self.screen.start()

    def epoch(self, record):
        """Remember the last epoch of each stage."""
        self.rows[record.stage] = record

    def warn(self, line):
        """Say what a user should know, above the table."""
        self.screen.console.print(f"deepnet: warning: {printable(line)}", markup=False, highlight=False)

    def close(self):
        """Leave the last picture standing."""
        self.screen.stop()

    def render(self):
        """The table as it is now."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        rows, done, total = dict(self.rows), self.meter.done, self.meter.total
        grid = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", show_edge=False)
        for name in ("stage", _counted(rows), "", _metric(rows), "cases/s", "left"):
            right = name not in ("stage", "")
            flexible = name == "stage"
            grid.add_column(
                name, no_wrap=True, overflow="ellipsis" if flexible else "fold", justify="right" if right else "left"
            )
        label = self.meter.label
        if label and label not in rows:
            rows[label] = None
        for stage, record in rows.items():
            part = min(1.0, done / total) if stage == label and total and not _complete(record) else 0.0
            bar = ProgressBar(
                total=record.epochs if record else 1, completed=(record.epoch if record else 0) + part, width=10
            )
            grid.add_row(stage, *_cells(record, part, bar, self.meter.detail))
        if self.interruption.number:
            grid.add_row("stopping: the run is being saved; once more to leave at once")
        return grid


def _complete(record):
    """Whether a stage has had all its epochs."""
    return record is not None and record.epoch >= record.epochs


def _counted(rows):
    """What the latest stage numbers, the heading of its column."""
    return next((record.counted for record in reversed(rows.values()) if record), "epoch")


def _metric(rows):
    """The name of the first metric of the latest stage, the heading of its column."""
    names = [next(iter(record.metrics), "") for record in rows.values() if record]
    return names[-1].replace("_", " ") if names else "metric"


def _cells(record, part, bar, detail):
    """The cells of a stage after its name."""
    if record is None:
        return "", bar, "", "", ""
    name, value = next(iter(record.metrics.items()), ("", None))
    remaining = (record.epochs - record.epoch - part) * record.seconds
    left = "" if _complete(record) else clock(remaining)
    speed = f"{record.cases / record.seconds:,.0f}" if record.seconds > 0 else ""
    return f"{record.epoch}/{record.epochs}", bar, text(value, name, 4) if value is not None else "", speed, left

"""The display on a terminal: a table that is drawn anew four times a second, by a thread of Rich's."""

from .headline import announce
from .progress import clock
from .show import printable, text

PER_SECOND = 4
STOPPING = "stopping: the run is being saved; once more to leave at once"
WIDE = 80  # columns of a terminal that has room for the bar and the speed


class Live:
    """A table with a row a stage: epochs, a bar, the main metric, speed; beside the last one the run's time left."""

    def __init__(self, meter, interruption, force=False):
        """`force`: write escape codes even where stderr is no terminal."""
        from rich.console import Console
        from rich.live import Live as Screen

        self.meter, self.interruption = meter, interruption
        self.rows = {}
        self.console = Console(stderr=True, force_terminal=force or None, highlight=False)
        self.screen = Screen(
            get_renderable=self.render,
            console=self.console,
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

    def tell(self, kind, line):
        """Say what a user should know, a warning or a note, above the table."""
        self.console.print(f"deepnet: {kind}: {printable(line)}", markup=False, highlight=False)

    def close(self):
        """Leave the last picture standing."""
        self.screen.stop()

    def render(self):
        """The table as it is now."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        rows, done, total = dict(self.rows), self.meter.done, self.meter.total
        names = ("stage", _counted(rows), "", _metric(rows), "cases/s", "up to" if self.meter.early else "left")
        kept = (0, 1, 2, 3, 4, 5) if self.console.width >= WIDE else (0, 1, 3, 5)
        grid = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", show_edge=False)
        for n in kept:
            left = names[n] in ("stage", "")
            grid.add_column(names[n], no_wrap=n > 0, overflow="ellipsis", justify="left" if left else "right")
        label = self.meter.label
        if label and label not in rows:
            rows[label] = None
        for stage, record in rows.items():
            part = min(1.0, done / total) if stage == label and total and not _complete(record) else 0.0
            bar = ProgressBar(
                total=record.epochs if record else 1, completed=(record.epoch if record else 0) + part, width=10
            )
            name = Text(stage, no_wrap=True, overflow="ellipsis")  # gives way, before a figure does
            cells = (name, *_cells(record, bar), _left(self.meter, record, part) if stage == label else "")
            grid.add_row(*(cells[n] for n in kept))
        return Group(grid, STOPPING) if self.interruption.number else grid


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


def _cells(record, bar):
    """The cells of a stage between its name and the time left."""
    if record is None:
        return "", bar, "", ""
    name, value = next(iter(record.metrics.items()), ("", None))
    speed = f"{record.cases / record.seconds:,.0f}" if record.seconds > 0 else ""
    return f"{record.epoch}/{record.epochs}", bar, text(value, name, 4) if value is not None else "", speed


def _left(meter, record, part):
    """The time left of the run, or where its work is not known of the stage, of whose epoch a part is done."""
    seconds = meter.left()
    if seconds is None and record is not None:
        seconds = (record.epochs - record.epoch - part) * record.seconds
    return clock(seconds) if seconds else ""

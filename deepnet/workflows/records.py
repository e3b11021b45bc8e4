"""What a run tells its caller, in this order: Start, then Epochs with Saved, Warned, Noted between them, then End."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Start:
    """What is about to run: the resolved plan, in the order to show, and options with the defaults that it settled."""

    command: str
    plan: dict[str, object]
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    """An epoch of a stage is over; numbers count from 1, `seconds` are wall clock.

    `counters` tell the work done since the stage began (`runs.COUNTERS`), `counted` what is numbered where it is more
    than an epoch.
    """

    stage: str
    epoch: int
    epochs: int
    metrics: dict[str, float]
    cases: int
    seconds: float
    counters: dict[str, float] = field(default_factory=dict)
    counted: str = "epoch"


@dataclass(frozen=True)
class Saved:
    """A checkpoint was written."""

    path: str
    seconds: float


@dataclass(frozen=True)
class Warned:
    """Something that a user should know while the run goes on, in one sentence."""

    text: str


@dataclass(frozen=True)
class Noted:
    """What was seen to be amiss (`findings.FINDINGS`), once a run: its name, a sentence, the figures in it."""

    name: str
    text: str
    figures: dict[str, object]


@dataclass(frozen=True)
class End:
    """How it ended: finished, interrupted, out of time, early stop, already finished; its result; what to type next."""

    outcome: str
    result: dict[str, object]
    next: str


Told = Start | Epoch | Saved | Warned | Noted | End

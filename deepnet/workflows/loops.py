"""What every stage of training has around it: it stops in time, is counted, saved, looked at, and goes back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import DivergedError
from ..training import Course, Good, Halved, Meter, Stopped, fit
from .causes import of_rate
from .records import Epoch, Warned
from .runs import Clock, Saver
from .vitals import Figures
from .watching import Watch, due
from .work import Work


@dataclass
class Loop:
    """When to stop, what a display polls, how it is saved, who looks at it."""

    clock: Clock
    meter: Meter
    saver: Saver
    watch: Watch

    def through(
        self,
        course: Course,
        work: Work,
        objective,
        optimizer,
        theta: np.ndarray,
        state: dict[str, np.ndarray],
        good: Good,
        figures: Callable[[int], tuple[dict, dict]],
        look: Callable[[np.ndarray], Figures],
        cause: Callable[[], str | None],
        over: Callable[[int], bool] = lambda epoch: False,
    ) -> Iterator:
        """Train through the course; yields Epoch, Warned, Noted and Saved records. Stopped where there is a reason to.

        `figures(epoch)` gives its metrics and counters, before the objective's tally begins anew; one that is Stopped
        is asked again when the run goes on. `look(before)` is what the doctor sees, with theta at the course's places
        before the last update. `cause()` is why a run diverged that went back to theta, as far as it is not the rate.
        `over(epoch)`: whether this epoch is the last one, before its time.
        """

        def rate() -> str:
            updates = int(state["updates"][0])
            return of_rate(optimizer, (updates, updates + course.minibatches - 1), 0.5 ** int(state["halvings"][0]))

        self.meter.each, epochs_here = work.case, 0
        records = fit(objective, optimizer, theta, state, good, course, self.clock.reason, self.meter)
        for passed in _explained(records, lambda: cause() or rate()):
            if isinstance(passed, Halved):
                again = f"back to the start of the epoch with {passed.factor:g} times the learning rate"
                yield Warned("; ".join(filter(None, [passed.reason, cause(), again])))
                continue
            if passed.stopped:
                raise Stopped(passed.stopped)
            trained = time.monotonic()
            if passed.before is not None:
                self.watch.before = passed.before
            try:
                metrics, counters = figures(passed.epoch)
            except Stopped:
                state["position"][:] = passed.epoch - 1, course.minibatches  # it is trained, and still to be measured
                raise
            before = self.watch.take(course.places)
            seen = look(before) if before is not None and due(passed.epoch, course.epochs) else None
            for tally in objective.tally.values():
                tally[:] = 0
            self.meter.done, self.meter.behind = 0, self.meter.behind + work.epoch
            if not epochs_here:
                self.meter.pass_over(trained, work.extra)
            epochs_here += 1
            yield Epoch(course.stage, passed.epoch, course.epochs, metrics, course.cases, passed.seconds, counters)
            if seen is not None:
                yield from self.watch.notes(seen)
            if over(passed.epoch):
                return
            if passed.epoch < course.epochs:
                yield from self.saver.in_time()


def _explained(records: Iterator, cause: Callable[[], str]) -> Iterator:
    """The records of `fit`; an error at which they end names the cause too."""
    try:
        yield from records
    except DivergedError as problem:
        raise DivergedError(f"{problem}; {cause()}") from None

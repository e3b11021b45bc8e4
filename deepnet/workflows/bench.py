"""bench: where the nets of `efficiency` are trained, one after the other, by the workflows that a user has too."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from .. import checkpoint
from ..data import Cases, Dataset
from ..training import Meter
from .cells import NONE, Cell, Recipe, Record
from .finetune import finetune
from .models import outputs_of
from .pretrain import pretrain
from .records import End, Epoch, Saved, Warned
from .runs import Clock

CUT = ("interrupted", "out of time")


@dataclass
class Bench:
    """Where cells are trained: their data, test cases with classes, recipe, record, and the folder of models."""

    dataset: Dataset
    cases: Cases
    recipe: Recipe
    record: Record
    folder: str
    keep: bool
    resume: bool
    clock: Clock
    meter: Meter

    def train(self, cells: list[Cell]) -> Iterator:
        """Stack after stack, each for its cells; yields Epoch and Warned records, returns why it was cut, or None."""
        left = [cell for cell in cells if cell not in self.record]
        groups: dict[tuple[str, int], dict[int, list[Cell]]] = {}
        for cell in left:
            groups.setdefault((cell.method, cell.seed), {}).setdefault(cell.labels, []).append(cell)
        lines = [line for own in groups.values() for line in own.values()]
        nets = sum(sum(self.recipe.passes(line[-1], self._inputs)) for line in lines)
        self.meter.whole = nets + sum(self._stack_passes(method) for method, _ in groups)
        self.meter.each = 1
        os.makedirs(self.folder, exist_ok=True)
        for (method, seed), own in groups.items():
            start = None
            if method != NONE:
                start = os.path.join(self.folder, f"{method}-{seed}.h5")
                run = pretrain(self.dataset, start, **self.recipe.stack(method), **self._live(seed))
                stage, first = f"{method}, pre-training", next(iter(own.values()))[0]
                if (ended := (yield from self._one(run, stage, first, self._stack_passes(method)))) is not None:
                    return ended
            for line in own.values():
                if (ended := (yield from self._line(line, start))) is not None:
                    return ended
            if start and not self.keep:
                os.unlink(start)
        return None

    @property
    def _inputs(self) -> int:
        """Training cases, with labels and without."""
        return len(self.dataset.splits["train"])

    def _line(self, line: list[Cell], start: str | None) -> Iterator:
        """A net and its students, each of which learns from the one before; returns why it was cut, or None.

        `line` has the cells of these nets that are to be recorded.
        """
        due, last, paths = {cell.students: cell for cell in line}, line[-1], []
        for number, passes in enumerate(self.recipe.passes(last, self._inputs)):
            paths.append(os.path.join(self.folder, f"{replace(last, students=number)}.h5"))
            stage, options = f"{last.method}, {last.labels:,} labels", self.recipe.net(last, start)
            if number:
                stage, options = f"{stage}, student {number}", self.recipe.student(start, paths[-2], self._inputs)
            run = finetune(self.dataset, paths[-1], **options, **self._live(last.seed))
            judge = partial(self._judge, paths[-1], due.get(number))
            if (ended := (yield from self._one(run, stage, last, passes, judge))) is not None:
                return ended
            if number in due:
                yield Saved(self.record.path, 0.0)
        if not self.keep:
            for path in paths:
                os.unlink(path)
        return None

    def _judge(self, path: str, cell: Cell | None) -> dict[str, float]:
        """The error of a net on the test cases; those that it gets wrong are recorded for a cell, if there is one."""
        outputs, _ = outputs_of(checkpoint.load(path), self.cases, "classify")
        wrong = outputs.argmax(axis=1) != self.cases.targets
        if cell is not None:
            self.record.put(cell, wrong)
        return {"error": float(wrong.mean())}

    def _one(self, run: Iterator, stage: str, cell: Cell, passes: int, judge=None) -> Iterator:
        """Follow a training; at its end an Epoch record, numbered by draw. Returns why it was cut, or None."""
        began = time.perf_counter()
        self.meter.label, self.meter.total = stage, passes
        self.meter.count(0)
        for record in run:
            if isinstance(record, Warned):
                yield Warned(f"{stage}, seed {cell.seed}: {record.text}")
            elif isinstance(record, Epoch):
                self.meter.count(min(passes, self.meter.done + record.cases))
            elif isinstance(record, End):
                end = record
        if end.outcome in CUT:
            return end.outcome
        metrics = judge() if judge else {"reconstruction_error": end.result["reconstruction_error"][-1]}
        self.meter.done, self.meter.behind = 0, self.meter.behind + passes
        metrics["minutes_left"] = round((self.meter.left() or 0.0) / 60, 1)
        yield Epoch(stage, cell.draw, cell.draws, metrics, passes, time.perf_counter() - began, counted="draw")
        return None

    def _live(self, seed: int) -> dict:
        """Options of both kinds of training."""
        return {"seed": seed, "stop": self.clock.reason, "resume": self.resume, "force": not self.resume}

    def _stack_passes(self, method: str) -> int:
        """Cases that a stack sees in training."""
        if method == NONE:
            return 0
        epochs = self.recipe.stacks[method]["epochs"]
        each = epochs if len(epochs) > 1 else epochs * len(self.recipe.layers)
        return sum(each) * self._inputs

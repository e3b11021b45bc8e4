"""cells: the nets that `efficiency` trains, and the record of their faults, from which a cut run goes on."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from .. import checkpoint
from ..data import Cases, Dataset
from ..errors import DataError, UsageError
from ..files import read_input, shown, write_output
from ..training import Meter
from .evaluate import outputs_of
from .finetune import finetune
from .pretrain import pretrain
from .records import End, Epoch, Saved, Warned
from .runs import Clock

NONE = "none"  # the method that pre-trains nothing
FORMAT = "deepnet.efficiency/1"
CUT = ("interrupted", "out of time")


@dataclass(frozen=True)
class Cell:
    """One net: how it begins, the seed of its labels and weights, the number of labels, its draw of `draws`."""

    method: str
    seed: int
    labels: int
    draw: int
    draws: int

    def __str__(self):
        return f"{self.method}-{self.seed}-{self.labels}"


@dataclass(frozen=True)
class Recipe:
    """What all cells are trained with: `stacks` are options of `pretrain` by method, `nets` those of `finetune`."""

    layers: tuple[int, ...]
    units: tuple[str, ...]
    scale: str
    precision: str
    epochs: int
    updates: int
    stacks: dict[str, dict]
    nets: dict

    def stack(self, method: str) -> dict:
        """Options of `pretrain`."""
        own = {"layers": self.layers, "units": self.units, "scale": self.scale, "precision": self.precision}
        return own | {"method": method} | self.stacks[method]

    def net(self, cell: Cell, start: str | None) -> dict:
        """Options of `finetune`: minibatches of no more than there are, epochs as many as make the updates."""
        size = min(self.nets["batch_size"], cell.labels)
        epochs = max(self.epochs, -(-self.updates // -(-cell.labels // size)))
        own = {"start": start} if start else {"layers": self.layers, "units": self.units, "scale": self.scale}
        own |= {"labels": cell.labels, "precision": self.precision, "epochs": epochs}
        return own | self.nets | {"batch_size": size}

    def passes(self, cell: Cell) -> int:
        """Cases that a net sees in training, twice, since gradients are looked at after each epoch too."""
        return 2 * cell.labels * self.net(cell, None)["epochs"]


class Record:
    """Finished cells by name, with the test cases that each gets wrong, in a JSON file written after each one."""

    def __init__(self, path: str, recipe: Recipe, data: dict, cases: int):
        self.path, self.cases, self.wrong = path, cases, {}
        own = asdict(recipe)
        stacks = {f"pre-training by {method}": options for method, options in own.pop("stacks").items()}
        self.settings = json.loads(json.dumps(own | data | stacks))

    def __contains__(self, cell: Cell):
        return str(cell) in self.wrong

    def of(self, cell: Cell) -> np.ndarray:
        """bool (N,): the cases that it gets wrong."""
        return np.unpackbits(np.frombuffer(bytes.fromhex(self.wrong[str(cell)]), np.uint8), count=self.cases) > 0

    def put(self, cell: Cell, wrong: np.ndarray) -> None:
        """Note a cell and write the file."""
        self.wrong[str(cell)] = np.packbits(wrong).tobytes().hex()
        self.write()

    def write(self, **more) -> None:
        """Write the file."""
        content = {"format": FORMAT, "settings": self.settings, "cases": self.cases, **more, "wrong": self.wrong}
        write_output(self.path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())

    def restore(self) -> None:
        """Take the cells of a file of the same settings, where there is one.

        Methods may be others: what they share counts. UsageError for other settings, DataError for another file.
        """
        if not os.path.exists(self.path):
            return
        found = self._read()
        before, now = found["settings"], self.settings
        shared = [k for k in sorted({*before, *now}) if not (k.startswith("pre-training by") and {k} - {*before, *now})]
        differs = [k for k in shared if k in before and k in now and before[k] != now[k]]
        differs += [k for k in shared if (k in before) != (k in now) and not k.startswith("pre-training by")]
        if differs or found["cases"] != self.cases:
            told = "; ".join(f"{k} was {shown(before.get(k))}, is {shown(now.get(k))}" for k in differs)
            raise UsageError(
                f"--resume: {shown(self.path)} was made otherwise ({told or 'other test cases'}); use those settings, "
                "or --force"
            )
        self.wrong, self.settings = found["wrong"], before | now

    def _read(self) -> dict:
        """The file's contents, checked."""
        try:
            found = json.loads(read_input(self.path))
            size = -(-found["cases"] // 8)
            fits = found["format"] == FORMAT and isinstance(found["settings"], dict) and all(
                len(bytes.fromhex(wrong)) == size for wrong in found["wrong"].values()
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            fits = False
        if not fits:
            raise DataError(f"--resume: {shown(self.path)} is no record of `deepnet efficiency`; use --force")
        return found


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
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0

    def train(self, cells: list[Cell]) -> Iterator:
        """Stack after stack, each for its cells; yields Epoch and Warned records, returns why it was cut, or None."""
        left = [cell for cell in cells if cell not in self.record]
        groups: dict[tuple[str, int], list[Cell]] = {}
        for cell in left:
            groups.setdefault((cell.method, cell.seed), []).append(cell)
        self.total = sum(map(self.recipe.passes, left)) + sum(self._stack_passes(method) for method, _ in groups)
        os.makedirs(self.folder, exist_ok=True)
        for (method, seed), own in groups.items():
            start = None
            if method != NONE:
                start = os.path.join(self.folder, f"{method}-{seed}.h5")
                run = pretrain(self.dataset, start, **self.recipe.stack(method), **self._live(seed))
                stage = f"{method}, pre-training"
                if (ended := (yield from self._one(run, stage, own[0], self._stack_passes(method)))) is not None:
                    return ended
            for cell in own:
                if (ended := (yield from self._cell(cell, start))) is not None:
                    return ended
            if start and not self.keep:
                os.unlink(start)
        return None

    def _cell(self, cell: Cell, start: str | None) -> Iterator:
        """A net; returns why it was cut, or None."""
        path = os.path.join(self.folder, f"{cell}.h5")
        run = finetune(self.dataset, path, **self.recipe.net(cell, start), **self._live(cell.seed))

        def judge() -> dict[str, float]:
            outputs, _ = outputs_of(checkpoint.load(path), self.cases, "classify")
            wrong = outputs.argmax(axis=1) != self.cases.targets
            self.record.put(cell, wrong)
            return {"error": float(wrong.mean())}

        stage = f"{cell.method}, {cell.labels:,} labels"
        ended = yield from self._one(run, stage, cell, self.recipe.passes(cell), judge)
        if ended is None and not self.keep:
            os.unlink(path)
        return ended

    def _one(self, run: Iterator, stage: str, cell: Cell, passes: int, judge=None) -> Iterator:
        """Follow a training; at its end an Epoch record, numbered by draw. Returns why it was cut, or None."""
        began, before = time.perf_counter(), self.done
        self.meter.label, self.meter.total, self.meter.done = stage, passes, 0
        for record in run:
            if isinstance(record, Warned):
                yield Warned(f"{stage}, seed {cell.seed}: {record.text}")
            elif isinstance(record, Epoch):
                self.meter.done = min(passes, self.meter.done + (1 + (judge is not None)) * record.cases)
                self.done = before + self.meter.done
                self.meter.detail = f"{self._minutes_left():.0f} minutes left in all"
            elif isinstance(record, End):
                end = record
        if end.outcome in CUT:
            return end.outcome
        metrics = judge() if judge else {"reconstruction_error": end.result["reconstruction_error"][-1]}
        self.done = before + passes
        metrics["minutes_left"] = round(self._minutes_left(), 1)
        yield Epoch(stage, cell.draw, cell.draws, metrics, passes, time.perf_counter() - began)
        if judge:
            yield Saved(self.record.path, 0.0)
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
        return sum(each) * len(self.dataset.splits["train"])

    def _minutes_left(self) -> float:
        """At the pace so far."""
        return (time.monotonic() - self.began) * (self.total - self.done) / max(1, self.done) / 60

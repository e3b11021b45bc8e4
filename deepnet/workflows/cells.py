"""cells: the nets of `efficiency`, what they are trained with, and the record of their faults."""

import json
import os
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import DataError, UsageError
from ..files import read_input, shown, write_output

NONE = "none"  # the method that pre-trains nothing
SELF_TRAINED = ", self-trained"  # behind the name of a method
FORMAT = "deepnet.efficiency/1"


@dataclass(frozen=True)
class Cell:
    """One net: how it begins, the seed of its labels and weights, the number of labels, its draw of `draws`.

    With `students` it is the last of so many that follow on the net of these labels.
    """

    method: str
    seed: int
    labels: int
    draw: int
    draws: int
    students: int = 0

    def __str__(self):
        return f"{self.method}-{self.seed}-{self.labels}" + (f"-{self.students}" if self.students else "")

    @property
    def name(self) -> str:
        """The method, and whether it is self-trained."""
        return self.method + SELF_TRAINED if self.students else self.method


@dataclass(frozen=True)
class Recipe:
    """What all cells are trained with: `stacks` are options of `pretrain` by method, `nets` those of `finetune`.

    `self_training` is how many nets follow on one another that learn from the one before, on all inputs.
    """

    layers: tuple[int, ...]
    units: tuple[str, ...]
    scale: str
    precision: str
    epochs: int
    updates: int
    self_training: int
    stacks: dict[str, dict]
    nets: dict

    def stack(self, method: str) -> dict:
        """Options of `pretrain`."""
        own = {"layers": self.layers, "units": self.units, "scale": self.scale, "precision": self.precision}
        return own | {"method": method} | self.stacks[method]

    def net(self, cell: Cell, start: str | None) -> dict:
        """Options of `finetune`: minibatches of no more than there are, epochs as many as make the updates."""
        return self._finetuning(start, cell.labels, self.epochs) | {"labels": cell.labels}

    def student(self, start: str | None, teacher: str, cases: int) -> dict:
        """Options of `finetune` for a net that begins as its teacher did and sees none of the labels."""
        own = {"task": "mimic", "teacher": (teacher,), "temperature": 1.0, "hard_weight": 0.0}
        return self._finetuning(start, cases, 1) | own

    def rounds(self, labels: int, cases: int) -> tuple[int, ...]:
        """The students of the nets that are measured: none, and the last one, unless each of the inputs has a label."""
        return (0, self.self_training) if self.self_training and labels < cases else (0,)

    def passes(self, cell: Cell, cases: int) -> list[int]:
        """Cases that the net of a cell's labels sees in training, and each student after it, of so many inputs."""
        student = cases * self.student(None, "", cases)["epochs"]
        return [cell.labels * self.net(cell, None)["epochs"]] + cell.students * [student]

    def _finetuning(self, start: str | None, cases: int, epochs: int) -> dict:
        size = min(self.nets["batch_size"], cases)
        own = {"start": start} if start else {"layers": self.layers, "units": self.units, "scale": self.scale}
        own |= {"precision": self.precision, "epochs": max(epochs, -(-self.updates // -(-cases // size)))}
        return own | self.nets | {"batch_size": size}


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

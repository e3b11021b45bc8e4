"""Teachers: trained classifiers that another one learns from, and what it learns of them.

Sources: Ba and Caruana 2014; Hinton, Vinyals and Dean 2015.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..data import Cases, Dataset
from ..errors import ModelError, UsageError
from ..files import shown
from ..kernels import losses as sums
from ..kernels import units
from ..nn.losses import LOSSES, Loss
from ..nn.network import Network
from ..nn.stack import Stack
from ..training import Meter
from . import feeds, models, sources

LEAST, MOST = 0.01, 1000.0  # temperatures; at higher ones float32 sees no difference between classes
RARE = np.float32(2**-126)  # probability, so that a class that all teachers rule out has a finite logit


@dataclass(frozen=True)
class Teachers:
    """Classifiers of the same classes, by their paths."""

    models: dict[str, Checkpoint]

    @property
    def classes(self) -> tuple[str, ...]:
        """What they tell apart."""
        return next(iter(self.models.values())).preparation.classes

    def check_data(self, dataset: Dataset) -> None:
        """DataError where the data are visibly not those that a teacher takes."""
        for path, model in self.models.items():
            sources.check_width(dataset, model.preparation, shown(path))

    def logits(self, cases: Cases, temperature: float | None, meter: Meter) -> np.ndarray:
        """(N, classes): a teacher's logits; of several their mean, or T log of their mean probabilities at T.

        Without noise, and centred on 0 in each case: a softmax is the same wherever its inputs lie together, and where
        a teacher has them is left from its first weights, which no student should be made to learn.
        """
        total = np.zeros((len(cases), len(self.classes)), np.float32)
        count, meter.done, meter.detail = np.float32(len(self.models)), 0, ""
        meter.label, meter.total = "teachers" if count > 1 else "teacher", len(cases) * len(self.models)
        for model in self.models.values():
            for rows, z in logits_of(model, cases):
                if count > 1 and temperature is not None:
                    z = z * np.float32(1 / temperature)
                    units.softmax(z, z)
                total[rows] += z
                meter.done += len(rows)
        total /= count
        if count > 1 and temperature is not None:
            np.maximum(total, RARE, out=total)
            sums.logarithm(total.reshape(-1))
            total *= np.float32(temperature)
        return _centred(total)


def load(paths, student: str = "--from", classes: tuple[str, ...] | None = None) -> Teachers:
    """The teachers of these files; UsageError for what is no classifier, or has other classes.

    `classes` are those that the `student` has already, None where it takes its teachers'.
    """
    found: dict[str, Checkpoint] = {}
    for path in paths:
        model = checkpoint.load(path)
        if isinstance(model.model, Stack) or model.model.loss != "cross_entropy" or not model.preparation.classes:
            raise UsageError(f"--teacher: {shown(path)} {_told(model)}; give a classifier with probabilities")
        own = model.preparation.classes
        if classes is None:
            classes, student = own, shown(path)
        if own != classes:
            raise UsageError(
                f"--teacher: {shown(path)} tells {_listed(own)} apart and {student} {_listed(classes)}; give nets of "
                "the same classes"
            )
        found[str(path)] = model
    return Teachers(found)


def _told(model: Checkpoint) -> str:
    """What a model is, in words."""
    if isinstance(model.model, Stack):
        return "is a stack"
    return f"was made to {sources.task_of(model.model.loss, model.preparation)} by {model.model.loss}"


def _listed(classes: tuple[str, ...]) -> str:
    """A few names, and how many they are."""
    return f"{len(classes)} classes ({', '.join(map(shown, classes[:3]))}{', ...' if len(classes) > 3 else ''})"


def reader(model: Checkpoint) -> models.Reader:
    """From visible units to a classifier's logits: the inputs of its softmax."""
    whole = models.whole(model)
    *below, top = whole.network.layers
    return models.Reader(Network((*below, replace(top, unit="linear")), "squared_error"), whole.parts)


def logits_of(model: Checkpoint, cases: Cases) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rows, logits (B, classes)) block by block; ModelError where they are not finite."""
    for rows, _, z in reader(model).run(feeds.visible_feed(cases.inputs, model.preparation), len(cases)):
        if not np.isfinite(z).all():
            raise ModelError(
                "--teacher: its outputs are not finite for these data; look at their range with `deepnet inspect`"
            )
        yield rows, z


def _centred(z: np.ndarray) -> np.ndarray:
    """z (N, C) less each row's mean, summed in a fixed order."""
    mean = np.zeros(len(z), np.float32)
    sums.dots(z, np.full(z.shape[1], 1 / z.shape[1], np.float32), mean)
    return z - mean[:, None]


@dataclass(frozen=True)
class Mimicry:
    """What a student learns: its teachers, and the loss that holds it to them.

    The targets are made once, before the first epoch, from the cases as they are: N x classes numbers. A student whose
    inputs are changed while it trains is still held to what its teachers say of them unchanged, so that it learns to
    overlook the change.
    """

    teachers: Teachers
    name: str
    loss: Loss

    def targets(self, cases: Cases, meter: Meter) -> np.ndarray:
        """(N, classes): the logits that the loss takes."""
        return self.teachers.logits(cases, self.loss.temperature if self.name == "soft_targets" else None, meter)

    @property
    def summary(self) -> dict:
        """What a plan shows of it."""
        paths = ", ".join(map(shown, self.teachers.models))
        soft = {"temperature": self.loss.temperature} if self.name == "soft_targets" else {}
        return {"teacher": paths, **soft, "hard_weight": self.loss.hard_weight}

    @property
    def settings(self) -> dict:
        """What a model file keeps of it; digests in place of names, so that a run resumes with the same nets alone."""
        own = {"temperature": self.loss.temperature} if self.name == "soft_targets" else {"logits": True}
        digests = [model.digest for model in self.teachers.models.values()]
        return {"teachers": digests, **own, "hard_weight": self.loss.hard_weight}


def mimicry(task: str, paths, temperature, logits: bool, hard_weight, parent: Checkpoint | None) -> Mimicry | None:
    """What is to be mimicked, as asked for; None for other tasks. UsageError where the options contradict each other.

    None stands for a default: that of the loss.
    """
    given = {"--teacher": bool(paths), "--temperature": temperature is not None, "--logits": logits,
             "--hard-weight": hard_weight is not None}  # fmt: skip
    if task != "mimic":
        for option in (name for name, asked in given.items() if asked):
            raise UsageError(f"{option} is for a student, and this is --task {task}; leave it, or give --task mimic")
        return None
    if not paths:
        raise UsageError("--task mimic learns from a trained classifier: add --teacher FILE")
    if logits and temperature is not None:
        raise UsageError("--temperature softens probabilities and --logits uses none: leave one of them")
    if temperature is not None and not LEAST <= temperature <= MOST:
        raise UsageError(f"--temperature {temperature:g}: must be above 0, from {LEAST:g} to {MOST:g}")
    name = "logits" if logits else "soft_targets"
    asked = {"temperature": temperature, "hard_weight": hard_weight}
    loss = replace(LOSSES[name], **{key: float(value) for key, value in asked.items() if value is not None})
    network = parent is not None and isinstance(parent.model, Network)
    if network and parent.preparation.classes and parent.model.loss != "cross_entropy":
        raise UsageError(
            f"--from: the network was made to classify by {parent.model.loss}, and a student tells probabilities; "
            "start from a stack or --layers"
        )
    return Mimicry(load(paths, classes=parent.preparation.classes or None if network else None), name, loss)

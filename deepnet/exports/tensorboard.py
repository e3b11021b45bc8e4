"""TensorBoard: the figures of a run's log (`--log FILE`), epoch by epoch, as one event file."""

import json
import re
import tempfile
from pathlib import Path

from ..errors import DataError
from ..extras import extra


def write(log: bytes, name: str) -> bytes:
    """An event file of a log of JSON lines: a curve for each metric of each stage, at the time it was written.

    A last line that is not whole yet is left out, as of a run that goes on. DataError for what is no log.
    """
    curves = list(_figures(log, name))
    if not curves:
        raise DataError(f"{name} holds no epoch yet; give the file that pretrain or finetune wrote by --log")
    board = extra("tensorboardX", "tensorboard")
    with tempfile.TemporaryDirectory() as folder:
        with board.SummaryWriter(folder) as writer:
            for tag, value, epoch, seconds in curves:
                writer.add_scalar(tag, value, epoch, walltime=seconds)
        (made,) = Path(folder).iterdir()
        return made.read_bytes()


def _figures(log: bytes, name: str):
    """(stage/metric, value, epoch, time) of each figure of each epoch of the log."""
    lines = log.split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            record = json.loads(line)
            if record["event"] != "epoch":
                continue
            stage = re.sub(r"[^\w.-]+", "_", record["stage"].replace("/", " of "))
            facts, epoch = record["metrics"] | {"seconds": record["seconds"]}, int(record["epoch"])
            if not 0 <= epoch < 2**63:  # what an event can count to
                raise ValueError
            for metric, value in facts.items():
                if value is not None:  # not finite
                    yield f"{stage}/{metric}", float(value), epoch, float(record["time"])
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
            raise DataError(
                f"{name}: line {number} is none of a log; give the file that pretrain or finetune wrote by --log"
            ) from None

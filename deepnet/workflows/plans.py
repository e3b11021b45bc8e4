"""What each layer of a stack is trained with, from options given once or once a layer."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import UsageError
from ..nn import initializers
from ..nn.rbm import RBM, Penalties
from ..nn.units import UNITS
from ..optimizers.schedules import Schedule, parse
from . import sources


@dataclass(frozen=True)
class Plan:
    """One layer's settings."""

    rbm: RBM
    init: str
    epochs: int
    batch_size: int
    learning_rate: Schedule
    momentum: Schedule
    cd_steps: int
    penalties: Penalties


def spread(value, count: int) -> list:
    """One value a layer, from one value or as many."""
    value = [None] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    if len(value) not in (1, count):
        raise UsageError(f"{value} has {len(value)} values for {count} layers; give one, or one a layer")
    return value * count if len(value) == 1 else value


def written(schedule: Schedule) -> str:
    """A schedule as the text that gives it."""
    values = ":".join(f"{v:g}" for v in schedule.values)
    return values if schedule.name == "constant" else f"{schedule.name}:{values}"


def plans_of(each: dict, visible: str, shape: tuple[int, int]) -> Iterator[Plan]:
    """Every layer's settings; the rate, where none is given, is the smaller of its two unit types' defaults."""
    below, inputs = visible, shape[1]
    for i, outputs in enumerate(each["layers"]):
        own = {name: values[i] for name, values in each.items()}
        for side, unit in (("--visible", below), ("--units", own["units"])):
            if UNITS[unit].rate is None:
                able = ", ".join(name for name, u in UNITS.items() if u.rate is not None)
                raise UsageError(f"{side} {unit}: not a unit of Boltzmann machines; use one of {able}")
        batch_size = each["batch_size"][i] = sources.batch_of(own["batch_size"], shape[0])
        initializers.parse(own["init"])
        rate = own["learning_rate"]
        if rate is None:
            rate = min(UNITS[below].rate, UNITS[own["units"]].rate)
        per_epoch = -(-shape[0] // batch_size)
        penalties = Penalties(own["weight_decay"], own["l1"], own["sparsity_target"], own["sparsity_cost"])
        yield Plan(
            RBM(inputs, outputs, below, own["units"]),
            own["init"],
            own["epochs"],
            batch_size,
            parse("--learning-rate", rate, per_epoch, own["epochs"], positive=True),
            parse("--momentum", own["momentum"], per_epoch, own["epochs"], most=1.0),
            own["cd_steps"],
            penalties,
        )
        below, inputs = own["units"], outputs

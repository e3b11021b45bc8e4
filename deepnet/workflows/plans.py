"""What each layer of a stack is trained with, from options given once or once a layer."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import UsageError
from ..nn import corruptions, initializers
from ..nn.autoencoder import CURVED, HIDDEN, VISIBLE, Autoencoder, Restoration, Restoring
from ..nn.mixed import unit_of
from ..nn.rbm import RBM, ContrastiveDivergence, Penalties
from ..nn.units import UNITS
from ..optimizers.schedules import Schedule, parse
from . import sources

# The methods of pre-training, each with its own options and their defaults. An option that a method has not is refused.
DEEP_WEIGHTS = {"logistic": "glorot:4", "relu": "he"}
PENALTIES = {"weight_decay": 0.0, "l1": 0.0}
METHODS: dict[str, dict[str, object]] = {
    "rbm": {"cd_steps": 1, "visible_bias": "zero", "sparsity_target": None, "sparsity_cost": 0.01} | PENALTIES
    | {"weight_decay": 0.0002},
    "dae": {"corruption": "masking", "emphasis": 1.0, "untied": False} | PENALTIES,
    "sae": {"sparsity_target": 0.05, "sparsity_cost": 0.1, "untied": False} | PENALTIES,
    "cae": {"contraction": 0.1, "untied": False} | PENALTIES,
}  # fmt: skip
SHARED = ("visible_bias", "untied")  # by all layers


@dataclass(frozen=True)
class Plan:
    """One layer's settings."""

    layer: RBM | Autoencoder
    init: str
    epochs: int
    batch_size: int
    learning_rate: Schedule
    momentum: Schedule
    rule: Penalties | Restoring
    cd_steps: int = 1

    def objective(self, feed, precision: str) -> ContrastiveDivergence | Restoration:
        """What is trained, on minibatches that `feed` reads."""
        if isinstance(self.layer, RBM):
            return ContrastiveDivergence(
                self.layer, feed, self.batch_size, self.cd_steps, self.rule, precision=precision
            )
        return Restoration(self.layer, feed, self.batch_size, self.rule, precision=precision)


def spread(value, count: int) -> list:
    """One value a layer, from one value or as many."""
    value = [None] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    if len(value) not in (1, count):
        raise UsageError(f"{value} has {len(value)} values for {count} layers; give one, or one a layer")
    return value * count if len(value) == 1 else value


def written(schedule: Schedule) -> str:
    """A schedule as the text that gives it."""
    values = ":".join(f"{v:g}" for v in schedule.values)
    warmup = f"warmup:{schedule.warmup:g}:" if schedule.warmup else ""
    return warmup + (values if schedule.name == "constant" else f"{schedule.name}:{values}")


def own_options(method: str, given: dict, count: int) -> dict:
    """The method's own options, as given or by default, a list of `count` values where layers may differ.

    UsageError for one that the method has not.
    """
    own = METHODS[method]
    for name, value in given.items():
        if value is not None and value is not False and name not in own:
            able = " or ".join(f"--method {other}" for other, options in METHODS.items() if name in options)
            raise UsageError(f"--{name.replace('_', '-')}: --method {method} has none; it is an option of {able}")
    found = {name: default if given.get(name) is None else given[name] for name, default in own.items()}
    return {name: value if name in SHARED else spread(value, count) for name, value in found.items()}


def plans_of(method: str, each: dict, own: dict, visible: str, shape: tuple[int, int]) -> Iterator[Plan]:
    """Every layer's settings; `each` has a list a layer, where None stands for a default that is put in its place.

    `own` holds what the method has of its own, lists a layer too but for what the whole stack shares.
    """
    below, inputs = visible, shape[1]
    for i, outputs in enumerate(each["layers"]):
        now = {name: values[i] for name, values in each.items()}
        mine = {name: value[i] if isinstance(value, list) else value for name, value in own.items()}
        batch_size = each["batch_size"][i] = sources.batch_of(now["batch_size"], shape[0])
        make = _machine if method == "rbm" else _autoencoder
        layer, rule, rate, weights = make(inputs, outputs, below, now["units"], mine)
        init = each["init"][i] = now["init"] or weights
        initializers.parse(init)
        per_epoch = -(-shape[0] // batch_size)
        yield Plan(
            layer,
            init,
            now["epochs"],
            batch_size,
            parse("--learning-rate", now["learning_rate"] or rate, per_epoch, now["epochs"], positive=True),
            parse("--momentum", now["momentum"], per_epoch, now["epochs"], most=1.0),
            rule,
            mine.get("cd_steps", 1),
        )
        below, inputs = now["units"], outputs


def _machine(inputs: int, outputs: int, below: str, units: str, own: dict):
    """A Boltzmann machine, its penalties, its rate (the smaller of its two unit types') and its first weights."""
    for side, unit in (("--visible", below), ("--units", units)):
        if unit_of(unit).rate is None:
            able = ", ".join(name for name, u in UNITS.items() if u.rate is not None)
            raise UsageError(f"{side} {unit}: not a unit of Boltzmann machines; use one of {able}")
    penalties = Penalties(own["weight_decay"], own["l1"], own["sparsity_target"], own["sparsity_cost"])
    rate = min(unit_of(below).rate, UNITS[units].rate)
    return RBM(inputs, outputs, below, units), penalties, rate, "gaussian:0.1"


def _autoencoder(inputs: int, outputs: int, below: str, units: str, own: dict):
    """An autoencoder, what is asked of it, its rate and its first weights."""
    if units not in HIDDEN:
        raise UsageError(f"--units {units}: not a hidden unit of these autoencoders; use one of {', '.join(HIDDEN)}")
    if own.get("contraction") and units not in CURVED:
        raise UsageError(f"--units {units}: --method cae has {' and '.join(CURVED)} units")
    if own.get("sparsity_target") and units != "logistic":
        raise UsageError(f"--units {units}: --sparsity-target is the mean of logistic units; use those")
    visible = below if below in VISIBLE or below not in UNITS else "linear"
    corruption, level = corruptions.parse(own["corruption"]) if "corruption" in own else (None, 0.0)
    rule = Restoring(
        corruption,
        level,
        own.get("emphasis", 1.0),
        own["weight_decay"],
        own["l1"],
        own.get("sparsity_target") or None,
        own.get("sparsity_cost", 0.0),
        own.get("contraction", 0.0),
    )
    rate = 0.1 if visible == "logistic" and units in CURVED else 0.01
    layer = Autoencoder(inputs, outputs, visible, units, not own["untied"])
    return layer, rule, rate, DEEP_WEIGHTS.get(units, "glorot")

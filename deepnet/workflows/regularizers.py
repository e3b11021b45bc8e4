"""What `finetune` asks of weights beside a low loss: one value a layer, and a sentence where it makes no sense."""

from collections.abc import Sequence

from ..errors import UsageError
from ..nn.layers import Noise
from ..nn.losses import MARGINS
from ..nn.network import Network
from ..optimizers import OPTIMIZERS
from ..optimizers.objective import Span
from ..optimizers.schedules import Schedule, parse


def settings(network: Network, task, optimizer, noise, layer_rates, l1, max_norm, label_smoothing, average) -> dict:
    """What is asked for, as a model file keeps it; what is not asked for leaves no trace there.

    UsageError for what the optimizer or the task cannot do.
    """
    _check_smooth(optimizer, {"--l1": l1, "--max-norm": max_norm, "--loss hinge": network.loss == "hinge"})
    if label_smoothing and task != "classify":
        raise UsageError(f"--label-smoothing is for the labels of --task classify, and this is --task {task}; leave it")
    if label_smoothing and network.loss in MARGINS:
        raise UsageError(f"--label-smoothing is for probabilities, and --loss {network.loss} has margins; leave it")
    found = {
        "noise": list(noise) if any(noise) else None,
        "layer_rates": _each("--layer-rates", layer_rates, network),
        "l1": l1,
        "max_norm": _each("--max-norm", max_norm, network),
        "label_smoothing": label_smoothing,
        "average": average,
    }
    return {name: value for name, value in found.items() if value}


def noise_schedule(text: str | None, network: Network, per_epoch: int, epochs: int) -> Schedule | None:
    """The schedule of the share that noise has of its layers' deviations, if there is one; UsageError without noise."""
    if text is None:
        return None
    if not any(isinstance(layer, Noise) for layer in network.layers):
        raise UsageError(f"--noise-schedule {text}: there is no noise that it could change; add --noise")
    return parse("--noise-schedule", text, per_epoch, epochs)


def check_mixed(network: Network, batch_size: int) -> None:
    """Refuse minibatches of one case where their own statistics normalise them."""
    if network.mixes and batch_size < 2:
        raise UsageError(
            f"--batch-size {batch_size}: batch normalisation compares the cases of a minibatch; give 2 or more"
        )


def _each(option: str, given, network: Network) -> list[float]:
    """One value for each layer of weights, the output layer's last, from one value or as many; none from None."""
    count = len(_weighty(network))
    if given is None:
        return []
    if len(given) not in (1, count):
        raise UsageError(
            f"{option} has {len(given)} values; give one, or {count}: each hidden layer's, then the output layer's"
        )
    return list(given) * count if len(given) == 1 else list(given)


def _check_smooth(optimizer: str, asked: dict) -> None:
    """Refuse what a line search cannot do: it wants a loss without corners, and theta to stay where it put it."""
    if OPTIMIZERS[optimizer].needs != ("gradient",):
        able = ", ".join(n for n, kind in OPTIMIZERS.items() if kind.needs == ("gradient",))
        for option, value in asked.items():
            if value:
                raise UsageError(
                    f"{option}: {optimizer} searches along lines, where this has corners; use --optimizer {able}"
                )


def spans(network: Network, rates: Sequence[float], optimizer: str) -> list[Span]:
    """The pieces of theta that move with the factors of their rates, from a factor a layer; no factors are all 1."""
    if not rates:
        return [(0, network.layout.size, 1.0)]
    if not any(rates):
        raise UsageError("--layer-rates of 0 for every layer leave nothing to train; give one above 0")
    rated = [name for name, kind in OPTIMIZERS.items() if "learning_rate" in kind.__dataclass_fields__]
    if optimizer not in rated and set(rates) - {0.0, 1.0}:
        raise UsageError(
            f"--layer-rates: {optimizer} has no learning rate to change; give 0 or 1, or use --optimizer "
            + ", ".join(rated)
        )
    found: list[Span] = []
    for i, factor in zip(_weighty(network), rates, strict=True):
        own = [s for s in network.layout.segments if s.name.startswith(f"{i}.")]
        if factor:
            found.append((own[0].start, own[-1].stop, factor))
    return found


def _weighty(network: Network) -> list[int]:
    """Which layers have weights."""
    return [i for i, layer in enumerate(network.layers) if "W" in layer.shapes()]

"""What `finetune` asks of weights beside a low loss: one value a layer, and a sentence where it makes no sense."""

from ..errors import UsageError
from ..nn.network import Network
from ..optimizers import OPTIMIZERS
from ..optimizers.objective import Span


def each(option: str, given, network: Network) -> tuple[float, ...]:
    """One value for each layer of weights, the output layer's last, from one value or as many; none from None."""
    count = len(_weighty(network))
    if given is None:
        return ()
    if len(given) not in (1, count):
        raise UsageError(
            f"{option} has {len(given)} values; give one, or {count}: each hidden layer's, then the output layer's"
        )
    return tuple(given) * count if len(given) == 1 else tuple(given)


def check_smooth(optimizer: str, asked: dict) -> None:
    """Refuse what a line search cannot do: it wants a loss without corners, and theta to stay where it put it."""
    if OPTIMIZERS[optimizer].needs != ("gradient",):
        able = ", ".join(n for n, kind in OPTIMIZERS.items() if kind.needs == ("gradient",))
        for option, value in asked.items():
            if value:
                raise UsageError(f"{option}: {optimizer} searches along lines, where this has corners; "
                                 f"use --optimizer {able}")  # fmt: skip


def check_label_smoothing(task: str, share: float) -> None:
    """Refuse it where targets are no classes."""
    if share and task != "classify":
        raise UsageError(f"--label-smoothing is for classes, and --task {task} has none; leave it")


def spans(network: Network, rates: tuple[float, ...], optimizer: str) -> list[Span]:
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

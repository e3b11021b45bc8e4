"""What the command line's parsers refuse, refused for callers of the Python face too: unknown names, numbers too small.

What is written as text, schedules, units of networks, first weights, is checked where it is read.
"""

import math
from numbers import Integral, Real

from ..errors import UsageError
from ..kernels.minibatch import CONTRASTS
from ..kernels.operands import PRECISIONS
from ..nn.units import UNITS
from ..optimizers import OPTIMIZERS
from .plans import METHODS

SHARED = {"precision": PRECISIONS, "contrast": ("none", *CONTRASTS)}
NAMES = {
    "finetune": SHARED
    | {"optimizer": OPTIMIZERS, "task": ("classify", "regress", "reconstruct", "one_class", "mimic")},
    "pretrain": SHARED | {"method": METHODS, "visible": ("auto", "mixed", *UNITS), "units": UNITS},
}
COUNTS = {"layers": 1, "epochs": 1, "batch_size": 1, "cd_steps": 1, "patience": 1, "labels": 1, "pca": 1, "threads": 1,
          "freeze_epochs": 0, "jitter": 0, "seed": 0}  # fmt: skip
NUMBERS = ("noise", "weight_decay", "l1", "emphasis", "contraction", "sparsity_target", "sparsity_cost", "layer_rates",
           "average", "max_norm", "clip", "zca")  # fmt: skip
SHARES = ("dropout", "label_smoothing")  # that end below 1


def check(command: str, options: dict) -> None:
    """UsageError for the first of a command's options, one value or one a layer, that it would refuse as typed."""
    for name, given in options.items():
        for value in given if isinstance(given, list | tuple) else (given,):
            if value is not None and (wanted := _wanted(command, name, value)) is not None:
                raise UsageError(f"--{name.replace('_', '-')} {value}: give {wanted}")


def _wanted(command: str, name: str, value) -> str | None:
    """What would do in the place of a value that will not."""
    if (known := NAMES[command].get(name)) is not None:
        return None if isinstance(value, str) and value in known else f"one of {', '.join(known)}"
    if (least := COUNTS.get(name)) is not None:
        return None if isinstance(value, Integral) and value >= least else f"a whole number of at least {least}"
    if name in SHARES:
        fits = isinstance(value, Real) and math.isfinite(value) and 0 <= value < 1
        return None if fits else "a number from 0 to below 1"
    if name in NUMBERS:
        fits = isinstance(value, Real) and math.isfinite(value) and value >= 0
        return None if fits else "a number of at least 0"
    return None

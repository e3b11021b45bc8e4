"""OPTIMIZERS: rules that move a parameter vector with what an objective tells; one page each.

An optimizer is a frozen dataclass of settings with five things: `needs`, the objective's methods it calls; `batch`, the
minibatch it wants (`BATCHES`); `vectors`, how many of theta's length it holds; `init(theta)`, its starting state as
named arrays; `step(objective, theta, state)`, one update in place.
`objective.spans` are the pieces of theta with the factor of their learning rate; frozen pieces have none.
`state["updates"]` counts the steps, and schedules are functions of it.
"""

from ..errors import UsageError
from .adagrad import Adagrad
from .adam import Adam
from .cg import CG
from .hessian_free import HessianFree
from .lbfgs import LBFGS
from .momentum import Momentum
from .nesterov import Nesterov
from .objective import Objective, Optimizer
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "rprop": Rprop,
    "cg": CG,
    "lbfgs": LBFGS,
    "hessian_free": HessianFree,
}

# Cases in a minibatch, where none are given; None: all there are.
BATCHES = {"minibatch": 100, "large": 1000, "curvature": 5000, "all": None}


def check(name: str, optimizer: Optimizer, objective: Objective) -> None:
    """Refuse, before the first epoch, an optimizer that needs what the objective cannot tell."""
    for method in optimizer.needs:
        if not hasattr(objective, method):
            able = ", ".join(n for n, kind in OPTIMIZERS.items() if all(hasattr(objective, m) for m in kind.needs))
            raise UsageError(
                f"--optimizer {name} needs the objective's {method}, which {objective.name} has not; use one of {able}"
            )

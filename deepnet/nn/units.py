"""UNITS: one record per unit type, one name for its life in an RBM and in a net.

In a net a unit is its activation and its slope; in an RBM it is also a distribution: its mean, its samples, and the
term it adds to the free energy. Sources: Hinton 2010, sections 3 and 13; Nair and Hinton 2010 (relu as NReLU);
Glorot, Bordes and Bengio 2011 (relu, softplus); Maas, Hannun and Ng 2013, section 2 (leaky_relu, slope 0.01);
Clevert, Unterthiner and Hochreiter 2016, section 3 (elu, alpha 1); Collobert 2004 (hard_tanh); Livni, Shalev-Shwartz
and Shamir 2014 (square).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..kernels import units as kernels


@dataclass(frozen=True)
class Unit:
    """What a unit type can do. `code` names its elementwise kernels; softmax units act on a whole row instead.

    `rate` is the default learning rate of an RBM that has it (None: it has no place in an RBM); `bounded` says that its
    values lie within [0, 1], so data for visible units of this type must too. Its slope is a function of what `needs`
    names: its activation a, or its input z.
    """

    code: int
    rowwise: bool = False
    rate: float | None = None
    bounded: bool = False
    needs: Literal["a", "z"] = "a"

    def activate(self, z: np.ndarray) -> None:
        """z (B, N) <- f(z)."""
        if self.rowwise:
            kernels.softmax(z, z)
        elif self.code != kernels.LINEAR:
            kernels.activate(self.code, z)

    @property
    def expected(self) -> int:
        """The code of the expected state of an RBM's unit: f(z), for relu softplus(z)."""
        return kernels.SOFTPLUS if self.code == kernels.RELU else self.code

    def mean(self, z: np.ndarray) -> None:
        """z (B, N) <- the expected state of an RBM's unit with that input."""
        if self.rowwise:
            kernels.softmax(z, z)
        else:
            kernels.activate(self.expected, z)

    def chain(self, given: np.ndarray, d: np.ndarray) -> None:
        """d (B, N) <- d f'(z), given what it needs; for softmax f' is the symmetric matrix diag(a) - a a' of a row."""
        if self.rowwise:
            kernels.softmax_chain(given, d)
        elif self.code != kernels.LINEAR:
            kernels.chain(self.code, given, d)

    @property
    def partition(self) -> int:
        """The code of its term in the free energy (`kernels.units.log_partition`)."""
        return kernels.SOFTMAX if self.rowwise else self.code


UNITS: dict[str, Unit] = {
    "logistic": Unit(kernels.LOGISTIC, rate=0.1, bounded=True),
    "linear": Unit(kernels.LINEAR, rate=0.001),
    "relu": Unit(kernels.RELU, rate=0.001),
    "softmax": Unit(kernels.LINEAR, rowwise=True, rate=0.1, bounded=True),
    "tanh": Unit(kernels.TANH),
    "softplus": Unit(kernels.SOFTPLUS),
    "leaky_relu": Unit(kernels.LEAKY_RELU),
    "elu": Unit(kernels.ELU),
    "hard_tanh": Unit(kernels.HARD_TANH),
    "square": Unit(kernels.SQUARE, needs="z"),
}

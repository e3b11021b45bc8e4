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

from ..kernels import losses as sums
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

    def sample(self, z: np.ndarray, key: int, draw: int, states_t: np.ndarray) -> None:
        """z (B, N), the input of an RBM's units, becomes their mean; states_t (N, B) <- draws from them."""
        if self.rowwise:
            kernels.softmax(z, z)
            kernels.sample_softmax(z, key, draw, states_t)
        else:
            kernels.sample(self.code, z, key, draw, states_t)

    @property
    def partition(self) -> int:
        """The code of its term in the free energy (`kernels.units.log_partition`)."""
        return kernels.SOFTMAX if self.rowwise else self.code

    def log_partition(self, z: np.ndarray, out: np.ndarray) -> None:
        """out (B,) <- log of the sum (or integral) over its states, less constants, for inputs z (B, N)."""
        kernels.log_partition(self.partition, z, out)

    def energy(self, v: np.ndarray, c: np.ndarray, out: np.ndarray) -> None:
        """out (B,) <- what visible units v (B, M) of biases c (M,) add to the free energy.

        That is -v c, of linear ones |v - c|^2 / 2 (Hinton 2010, sections 13.2 and 16.1).
        """
        if self.partition == kernels.LINEAR:
            sums.squared_error(v, np.broadcast_to(c, v.shape).copy(), out)
        else:
            sums.dots(v, c, out)
            np.negative(out, out=out)

    def hide(self, like: np.ndarray, x: np.ndarray) -> None:
        """Nothing: none of its units is missing in a case."""

    def join(self, marks: np.ndarray) -> None:
        """Nothing: each of its units is a thing of its own."""

    def bias(self, mean: np.ndarray) -> np.ndarray:
        """The bias (N,) at which its mean is this (N,) where nothing else is put in; of relu the mean itself.

        Log(m / (1 - m)) for logistic units (Hinton 2010, section 8), log m for softmax.
        """
        on, off = np.clip(mean, 1e-3, 1 - 1e-3), 1 - np.clip(mean, 1e-3, 1 - 1e-3)
        sums.logarithm(on)
        sums.logarithm(off)
        if self.rowwise:
            return on
        return on - off if self.code == kernels.LOGISTIC else mean


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

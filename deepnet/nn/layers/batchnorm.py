"""BatchNorm: a linear map whose results are normalised over the minibatch, and units on top of it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...kernels import batchnorm as kernels
from ...kernels import losses as sums
from ...kernels import operands, products, updates
from ..units import UNITS, Unit
from . import affine
from .affine import LINEAR, Arrays, Key, Pair, Pending


@dataclass(frozen=True)
class BatchNorm:
    """a = f(gamma n + beta), n = (z - mean) / sqrt(variance + 1e-5), z = x W: W (M, N), gamma and beta (N,).

    Mean and variance of each unit are those of the minibatch, or, where p holds such `statistics`, those of the
    training cases. beta is the only bias: one in z would be taken away with the mean. Source: Ioffe and Szegedy 2015.
    """

    draws: ClassVar[bool] = False
    bare: ClassVar[bool] = False

    inputs: int
    outputs: int
    unit: str

    @property
    def _unit(self) -> Unit:
        return UNITS[self.unit]

    @property
    def lasting(self) -> tuple[str, ...]:
        """As of `Dense`, and n with its scale."""
        return ("a", "n", "scale") if self._unit.needs == "a" else ("a", "n", "scale", "z")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters."""
        return {"W": (self.inputs, self.outputs), "gamma": (self.outputs,), "beta": (self.outputs,)}

    def statistics(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of what is known of the training cases once a network is trained."""
        return {"mean": (self.outputs,), "variance": (self.outputs,)}

    def workspace(self, cases: int, dtype: np.dtype) -> dict[str, np.ndarray]:
        """As of `Dense`, z that of the units; n, the gradient at z (dy), and rows of a number a unit."""
        straight = {name: operands.matrix(cases, self.outputs, dtype) for name in ("z", "n", "a", "dy", "d", "r")}
        rows = {name: operands.matrix(1, self.outputs, dtype) for name in ("mean", "scale", "sums", "dots")}
        return straight | rows | {"d_t": operands.matrix(self.outputs, cases, dtype)}

    def forward(self, p: Arrays, w: Arrays, x: np.ndarray, key: Key | None) -> np.ndarray:
        """a (B, N) for x (B, M). `key` is for layers that draw."""
        self.sums_of(p, w["n"], x)
        if "mean" in p:
            w["mean"][...], w["scale"][...] = p["mean"], 1 / np.sqrt(p["variance"] + kernels.EPSILON)
        else:
            kernels.moments(w["n"], w["mean"], w["scale"])
        kernels.normalize(w["mean"], w["scale"], p["gamma"], p["beta"], w["n"], w["z"])
        w["a"][...] = w["z"]
        self._unit.activate(w["a"])
        return w["a"]

    def sums_of(self, p: Arrays, z: np.ndarray, x: np.ndarray | operands.Listed) -> None:
        """z (B, N) <- x W."""
        products.up(x, p["W"], np.zeros(self.outputs, z.dtype), LINEAR, z)

    def r_forward(
        self, p: Arrays, v: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rx: np.ndarray | None
    ) -> np.ndarray:
        """R of gamma n + beta, through mean and variance too: gamma R n + n V_gamma + V_beta."""
        self.sums_of(v, w["r"], x)
        if rx is not None:
            products.up_add(rx, p["W"], w["r"])
        kernels.project(w["r"], w["n"], _share(p, w), p["gamma"] * w["scale"], w["sums"], w["dots"], w["r"])
        w["r"][...] += w["n"] * v["gamma"] + v["beta"]
        return w["r"]

    def r_activate(self, w: Arrays) -> np.ndarray:
        """R a, as f' times R of its input."""
        self._unit.chain(w[self._unit.needs], w["r"])
        return w["r"]

    def pull(self, p: Arrays, w: Arrays, above: Pending) -> Pending:
        """Gradient at a, pending, to those at gamma n + beta, w["dy"], and at x W, w["d"] and w["d_t"]."""
        products.down_chain(*above, self._unit.code, w[self._unit.needs], w["dy"], w["d_t"])
        if self._unit.rowwise:
            self._unit.chain(w[self._unit.needs], w["dy"])
        kernels.project(w["dy"], w["n"], _share(p, w), p["gamma"] * w["scale"], w["sums"], w["dots"], w["d"])
        sums.transpose(w["d"], w["d_t"])
        return self.pending(p, w)

    def backward(self, g: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> None:
        """Gradients of W, gamma and beta."""
        products.outer(x, w["d"], g["W"])
        g["gamma"][...], g["beta"][...] = w["dots"][0], w["sums"][0]

    def pairs(self, p: Arrays, w: Arrays, x: np.ndarray | operands.Listed) -> tuple[Pair, ...]:
        """W, gamma and beta, each alone: a case's part in gradients that are sums over cases.

        The loss of a case depends on all others here, so this is not the gradient of its own loss alone.
        """
        return (
            Pair("W", None, x, w["d"]),
            Pair(None, "gamma", None, w["dy"] * w["n"]),
            Pair(None, "beta", None, w["dy"]),
        )

    def descend(
        self, p: Arrays, velocity: Arrays, w: Arrays, x: np.ndarray | operands.Listed, rule: np.ndarray
    ) -> None:
        """One step of `rule` in place of `backward`: no gradient is stored."""
        products.outer_step(x, w["d"], rule, p["W"], velocity["W"])
        rate, mu, _, _, ahead = rule.tolist()
        for name, row in (("gamma", w["dots"]), ("beta", w["sums"])):
            updates.momentum(p[name], velocity[name], row[0], rate, mu, ahead)

    pending = staticmethod(affine.pending)


def _share(p: Arrays, w: Arrays) -> float:
    """What each case has in the mean; nothing where mean and variance are given."""
    return 0.0 if "mean" in p else 1 / len(w["n"])

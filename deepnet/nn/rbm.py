"""Restricted Boltzmann machines, and contrastive divergence as an objective for optimizers (Hinton 2002).

Energy of logistic units: E(v, h) = -c.v - b.h - v W h; linear visibles have (v - c)^2 / 2 in place of -c.v (unit
variance), mixed ones what each column has. v (B, M) visible, h (B, N) hidden, W (M, N), b (N,) hidden and c (M,)
visible biases; `_t` marks an array stored transposed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..kernels import losses as sums
from ..kernels import operands, products, updates
from ..kernels import units as kernels
from ..kernels.tape import Tapes
from .mixed import Mixed, unit_of
from .parameters import Layout, Views
from .units import Unit

# Writes the scaled visibles (B, M) of some rows into the array it is given.
Feed = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class RBM:
    """Settings of a machine: widths and unit types. Its parameters are W, b (hidden biases), c (visible biases)."""

    inputs: int
    outputs: int
    visible: str
    hidden: str

    @cached_property
    def layout(self) -> Layout:
        """theta's layout."""
        return Layout.of({"W": (self.inputs, self.outputs), "b": (self.outputs,), "c": (self.inputs,)})

    @property
    def units(self) -> tuple[Unit | Mixed, Unit | Mixed]:
        """The records of the visible and the hidden unit."""
        return unit_of(self.visible), unit_of(self.hidden)


class Chain:
    """One machine's arrays for up to `cases` chains, and the conditional laws between its two sides."""

    def __init__(self, rbm: RBM, cases: int, dtype=np.float32):
        self.rbm = rbm
        self._v_t = operands.matrix(rbm.inputs, cases, dtype)
        self._h_t = operands.matrix(rbm.outputs, cases, dtype)
        self._v = operands.matrix(cases, rbm.inputs, dtype)

    def hidden_states(self, p: dict, v: np.ndarray, key: int | np.ndarray, draw: int, mean: np.ndarray) -> np.ndarray:
        """mean (B, N) <- E[h | v]; returns states drawn from P(h | v), transposed (N, B).

        The key is a number, or an array () of one.
        """
        unit, h_t = self.rbm.units[1], self._h_t[:, : len(mean)]
        if unit.rowwise:
            products.up(v, p["W"], p["b"], kernels.LINEAR, mean)
            unit.sample(mean, int(key), draw, h_t)
        else:
            products.up_sample(v, p["W"], p["b"], unit.code, key, draw, mean, h_t)
        return h_t

    def hidden_mean(self, p: dict, v: np.ndarray, mean: np.ndarray) -> None:
        """mean (B, N) <- E[h | v]; v may have any strides."""
        unit = self.rbm.units[1]
        if unit.rowwise:
            products.up(v, p["W"], p["b"], kernels.LINEAR, mean)
            unit.mean(mean)
        else:
            products.up(v, p["W"], p["b"], unit.expected, mean)

    def negative_mean(self, p: dict, v: np.ndarray, mean: np.ndarray) -> None:
        """mean (B, N) <- -E[h | v], as the contrast takes it."""
        unit = self.rbm.units[1]
        if unit.rowwise:
            self.hidden_mean(p, v, mean)
            np.negative(mean, out=mean)
        else:
            products.up_negative(v, p["W"], p["b"], unit.expected, mean)

    def visible_mean(self, p: dict, h_t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E[v | h] (B, M), and the same transposed, for states h_t (N, B)."""
        unit, n = self.rbm.units[0], h_t.shape[1]
        v, v_t = self._v[:n], self._v_t[:, :n]
        if unit.rowwise:
            products.down(p["W"], h_t, p["c"], kernels.LINEAR, v_t, v)
            unit.mean(v)
            sums.transpose(v, v_t)
        else:
            products.down(p["W"], h_t, p["c"], unit.expected, v_t, v)
        return v, v_t


def free_energy(rbm: RBM, p: dict, v: np.ndarray) -> np.ndarray:
    """F(v) (B,) with P(v) proportional to e^-F, less a constant that depends on the unit types alone.

    Source: Hinton 2010, section 16.1.
    """
    dtype = p["W"].dtype
    z = operands.matrix(len(v), rbm.outputs, dtype)
    products.up(v, p["W"], p["b"], kernels.LINEAR, z)
    hidden, visible = np.zeros(len(v), dtype), np.zeros(len(v), dtype)
    rbm.units[1].log_partition(z, hidden)
    rbm.units[0].energy(v, p["c"], visible)
    return visible - hidden


@dataclass(frozen=True)
class Penalties:
    """What is added to the CD gradient.

    Weight decay (L2), L1, and a sparsity target on the hidden units' mean activation.

    Sparsity: q <- 0.9 q + 0.1 (minibatch mean); cost (q - target) is added to the gradient of b, and of W times the
    mean visible (Hinton 2010, section 11).
    """

    weight_decay: float = 0.0
    l1: float = 0.0
    sparsity_target: float | None = None
    sparsity_cost: float = 0.0


class ContrastiveDivergence:
    """CD-k: the gradient -(<v h>_data - <v h>_k) of a minibatch, and nothing else; it has no value (Hinton 2002).

    As in the code of Hinton and Salakhutdinov 2006: hidden states are drawn to drive the visibles, visibles stay at
    their means, and statistics use means on both sides. Running sums over an epoch lie in `tally`; its "loss" is the
    squared error of the reconstruction. Products have the `precision` of that name (`kernels.operands.PRECISIONS`).
    """

    def __init__(
        self,
        rbm: RBM,
        feed: Feed,
        cases: int,
        steps: int,
        penalties: Penalties,
        dtype=np.float32,
        precision: str = "float32",
    ):
        self.rbm, self.layout, self.steps, self.penalties = rbm, rbm.layout, steps, penalties
        self.name = "contrastive divergence"
        self.spans = [(0, self.layout.size, 1.0)]
        self._precision = operands.PRECISIONS[precision]()
        self._feed = feed
        self._chain = Chain(rbm, cases, dtype)
        self._v0, self._lister = operands.matrix(cases, rbm.inputs, dtype), operands.Lister()
        self._h0 = operands.matrix(cases, rbm.outputs, dtype)
        self._h1 = operands.matrix(cases, rbm.outputs, dtype)
        self._error = np.zeros(rbm.inputs, dtype)
        self._sums = {"v": np.zeros(rbm.inputs, dtype), "h0": np.zeros(rbm.outputs, dtype)}
        self.grad = self.layout.zeros(dtype)
        self._views, self._key = Views(self.layout), np.zeros((), np.uint64)
        self._rule, self._tapes = products.descent(0.0, 0.0, penalties.weight_decay, penalties.l1), Tapes()
        self._cuts: dict[int, tuple[np.ndarray, ...]] = {}
        # Whether a step is nothing but kernels that are launched.
        self._bare = not any(unit.rowwise for unit in rbm.units) and np.dtype(dtype) == np.float32
        self.state = {"activity": np.zeros(rbm.outputs, dtype)}
        self.tally = {"cases": np.zeros(1), "loss": np.zeros(1), "hidden": np.zeros(rbm.outputs, np.float64)}

    def at(self, rows: np.ndarray, key: int | None) -> None:
        """Move to the minibatch of these rows; all draws come from the key."""
        self._n = len(rows)
        self._key[...] = 0 if key is None else key
        self._feed(rows, self._cut()[0])

    def _cut(self) -> tuple[np.ndarray, ...]:
        """v0, h0 and h1 of this minibatch, the same objects for all of as many cases."""
        n = self._n
        if n not in self._cuts:
            self._cuts[n] = self._v0[:n], self._h0[:n], self._h1[:n]
        return self._cuts[n]

    @np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told by its loss, not by NumPy
    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The negative of the CD-k statistics per case, plus the penalties' gradients; the next call overwrites it."""
        p, g, scale = self._views.of(theta), self._views.of(self.grad), -1 / self._n
        with self._precision:
            v0, h0, v1_t, h1 = self._statistics(p)
            products.contrast(v0, h0, v1_t, h1, scale, g["W"])
        sums.column_sums(h1, g["b"], scale, self._sums["h0"])
        sums.column_sums(self._sums["v"][None], g["c"], scale)
        self._count()
        self._penalize(theta, g, self._n)
        return self.grad

    @np.errstate(over="ignore", invalid="ignore")
    def descend(self, theta: np.ndarray, velocity: np.ndarray, rate: float, mu: float, ahead: bool = False) -> None:
        """One step of momentum, that of W within the product that makes its gradient."""
        rate *= self.spans[0][2]
        if self.penalties.sparsity_target is not None:
            updates.momentum(theta, velocity, self.gradient(theta), rate, mu, ahead)
            return
        self._rule[0], self._rule[1], self._rule[4] = rate, mu, ahead
        if self._bare:
            self._tapes.play((theta, velocity, self._cut()), self._descend, theta, velocity)
        else:
            self._descend(theta, velocity)
        self._count()

    def _descend(self, theta: np.ndarray, velocity: np.ndarray) -> None:
        p, speed, rule, scale = self._views.of(theta), self._views.of(velocity), self._rule, -1 / self._n
        with self._precision:
            v0, h0, v1_t, h1 = self._statistics(p)
            products.contrast_step(v0, h0, v1_t, h1, scale, rule, p["W"], speed["W"])
        sums.sums_step(h1, rule, p["b"], speed["b"], scale, self._sums["h0"])
        sums.sums_step(self._sums["v"][None], rule, p["c"], speed["c"], scale)

    def _statistics(self, p: dict) -> tuple[operands.Listed | np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Both sides of the contrast, v0, h0, v1_t and -h1, and sums over the cases of h0 and of v0 - v1."""
        v0, h0, h1 = self._cut()
        listed = self._lister.of(v0)
        h_t = self._chain.hidden_states(p, listed, self._key, 0, h0)
        for step in range(1, self.steps):
            v1, _ = self._restored(p, h_t)
            h_t = self._chain.hidden_states(p, v1, self._key, step, h1)
        v1, v1_t = self._restored(p, h_t)
        self._chain.negative_mean(p, v1, h1)
        sums.column_sums(h0, self._sums["h0"])
        sums.contrast_sums(v0, v1, self._sums["v"], self._error)
        return listed, h0, v1_t, h1

    def _count(self) -> None:
        self.tally["cases"][0] += self._n
        self.tally["loss"][0] += sums.total(self._error)
        self.tally["hidden"] += self._sums["h0"]

    def _restored(self, p: dict, h_t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """E[v | h] (B, M), and the same transposed, but for what the data have not."""
        v, v_t = self._chain.visible_mean(p, h_t)
        for array in (v, v_t.T):
            self.rbm.units[0].hide(self._v0[: self._n], array)
        return v, v_t

    def _penalize(self, theta: np.ndarray, g: dict, n: int) -> None:
        rule, first = self.penalties, self.layout.segments[0]
        if rule.weight_decay or rule.l1:
            span = slice(first.start, first.stop)
            updates.decay(theta[span], rule.weight_decay, rule.l1, self.grad[span])
        if rule.sparsity_target is not None:
            q = self.state["activity"]
            q *= q.dtype.type(0.9)
            q += self._sums["h0"] * q.dtype.type(0.1 / n)
            push = (q - q.dtype.type(rule.sparsity_target)) * q.dtype.type(rule.sparsity_cost)
            g["b"] += push
            sums.column_sums(self._v0[:n], self._sums["v"])
            g["W"] += np.multiply.outer(self._sums["v"] * q.dtype.type(1 / n), push)


def start(rbm: RBM, weights: np.ndarray, visible_means: np.ndarray | None) -> np.ndarray:
    """A first theta: the weights given, hidden biases 0, visible biases 0 or fitted to the data's means (M,)."""
    c = np.zeros(rbm.inputs, np.float32)
    if visible_means is not None:
        c[...] = visible_means
        c = rbm.units[0].bias(c)
    return rbm.layout.pack({"W": weights, "b": np.zeros(rbm.outputs), "c": c})

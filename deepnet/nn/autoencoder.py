"""Autoencoders of one hidden layer, a stack's other building block: they restore what was spoilt (Vincent et al. 2010).

h = f(x~ W + b) and y = g(h W' + c), or y = g(h V + c) where the way down has weights of its own; x~ is a spoilt x. v, h
and their letters are those of `rbm`: W (M, N), b (N,) hidden and c (M,) visible biases, V (N, M); `_t` marks an array
stored transposed, d a gradient at a unit's input.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..kernels import losses as sums
from ..kernels import operands, products, updates
from .corruptions import CORRUPTIONS
from .losses import loss_for, loss_of
from .mixed import Mixed, unit_of
from .parameters import Layout, Views
from .rbm import Feed
from .units import UNITS, Unit

VISIBLE = "logistic", "linear"  # beside mixed ones
# Hidden units: those that act one by one and whose slope is a function of h.
HIDDEN = tuple(name for name, unit in UNITS.items() if not unit.rowwise and unit.needs == "a")
CURVED = ("logistic", "tanh")  # hidden units of which the contraction's slope is known here


@dataclass(frozen=True)
class Autoencoder:
    """Settings: widths, unit types, whether the way down is `tied` to the way up. Parameters W, b, c, and V if not."""

    inputs: int
    outputs: int
    visible: str
    hidden: str
    tied: bool = True

    @cached_property
    def layout(self) -> Layout:
        """theta's layout."""
        own = {"W": (self.inputs, self.outputs), "b": (self.outputs,), "c": (self.inputs,)}
        return Layout.of(own if self.tied else own | {"V": (self.outputs, self.inputs)})

    @property
    def units(self) -> tuple[Unit | Mixed, Unit]:
        """The records of the visible and the hidden unit."""
        return unit_of(self.visible), UNITS[self.hidden]


@dataclass(frozen=True)
class Restoring:
    """What is asked of an autoencoder beside a small loss.

    The input is spoilt by `corruption` (None: not at all) at a `level`; errors of elements that were left whole weigh
    `whole` (emphasis; Vincent et al. 2010, section 4.1). `weight_decay` (L2) and `l1` are of the weights. A
    `sparsity_cost` times the Kullback-Leibler distance of the minibatch's mean activations from `sparsity_target`, or
    with no target times the mean of |h|, is added (Ng 2011; Ranzato et al. 2007), and `contraction` times the squared
    norm of the Jacobian of h (Rifai et al. 2011, eq. 7).
    """

    corruption: str | None = None
    level: float = 0.0
    whole: float = 1.0
    weight_decay: float = 0.0
    l1: float = 0.0
    sparsity_target: float | None = None
    sparsity_cost: float = 0.0
    contraction: float = 0.0


class Restoration:
    """The mean loss of an autoencoder over a minibatch, with what `Restoring` adds; it tells its gradient.

    Running sums over an epoch lie in `tally`: the loss and the squared error against the whole x, elements alike.
    Products have the `precision` of that name (`kernels.operands.PRECISIONS`).
    """

    def __init__(
        self, model: Autoencoder, feed: Feed, cases: int, rule: Restoring, dtype=np.float32, precision: str = "float32"
    ):
        self.model, self.layout, self.rule = model, model.layout, rule
        self.name = "an autoencoder's gradient"
        self.spans = [(0, self.layout.size, 1.0)]
        self.loss = loss_of(loss_for(model.visible))
        self._precision = operands.PRECISIONS[precision]()
        self._feed = feed
        inputs, hidden = model.inputs, model.outputs
        self._x = operands.matrix(cases, inputs, dtype)
        self._spoilt, self._lister = operands.matrix(cases, inputs, dtype), operands.Lister()
        self._touched = operands.matrix(cases, inputs, dtype)
        self._straight = {n: operands.matrix(cases, inputs, dtype) for n in ("z", "y", "d")}
        self._narrow = {n: operands.matrix(cases, hidden, dtype) for n in ("h", "e")}
        self._wide_t = {n: operands.matrix(inputs, cases, dtype) for n in ("z_t", "d_t")}
        self._narrow_t = {n: operands.matrix(hidden, cases, dtype) for n in ("h_t", "e_t")}
        self._values, self._errors = np.zeros(cases, dtype), np.zeros(cases, dtype)
        self._zero, self._active = np.zeros(hidden, dtype), np.zeros(hidden, dtype)
        self.grad = self.layout.zeros(dtype)
        self._views = Views(self.layout)
        self.state: dict[str, np.ndarray] = {}
        self.tally = {name: np.zeros(1) for name in ("cases", "loss", "squared_error")} | {
            "hidden": np.zeros(hidden, np.float64)
        }

    def at(self, rows: np.ndarray, key: int | None) -> None:
        """Move to the minibatch of these rows; the corruption comes from the key, none without."""
        n = self._n = len(rows)
        x, spoilt = self._x[:n], self._spoilt[:n]
        self._feed(rows, x)
        if self.rule.corruption is None or key is None:
            spoilt[...], self._touched[:n] = x, 1
        else:
            CORRUPTIONS[self.rule.corruption][0](key, x, self.rule.level, spoilt, self._touched[:n])
            self.model.units[0].join(self._touched[:n])
        with self._precision:
            self._listed = self._lister.of(spoilt)

    @np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told by its loss, not by NumPy
    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """The gradient of all that is asked, in an array that the next call overwrites."""
        p, g = self._views.of(theta), self._views.of(self.grad)
        with self._precision:
            h, e, d, d_t = self._pass(p)
            if self.model.tied:
                products.contrast(self._listed, e, d_t, h, 1.0, g["W"])
            else:
                products.outer(self._listed, e, g["W"])
                products.outer(h, d, g["V"])
        sums.column_sums(e, g["b"])
        sums.column_sums(d, g["c"])
        for s in self.layout.segments:
            if len(s.shape) == 2 and (self.rule.weight_decay or self.rule.l1):
                span = slice(s.start, s.stop)
                updates.decay(theta[span], self.rule.weight_decay, self.rule.l1, self.grad[span])
        if self.rule.contraction:
            g["W"] += p["W"] * self._pull
        return self.grad

    @np.errstate(over="ignore", invalid="ignore")
    def descend(self, theta: np.ndarray, velocity: np.ndarray, rate: float, mu: float, ahead: bool = False) -> None:
        """One step of momentum, that of tied weights within the product that makes their gradient."""
        rate *= self.spans[0][2]
        if not self.model.tied or self.rule.contraction:
            updates.momentum(theta, velocity, self.gradient(theta), rate, mu, ahead)
            return
        p, speed = self._views.of(theta), self._views.of(velocity)
        rule = products.descent(rate, mu, self.rule.weight_decay, self.rule.l1, ahead)
        with self._precision:
            h, e, d, d_t = self._pass(p)
            products.contrast_step(self._listed, e, d_t, h, 1.0, rule, p["W"], speed["W"])
        sums.sums_step(e, rule, p["b"], speed["b"])
        sums.sums_step(d, rule, p["c"], speed["c"])

    def _pass(self, p: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """h (B, N), the gradients e (B, N) at its input and d (B, M) at the visibles', and d transposed."""
        n, hidden, code = self._n, self.model.units[1], UNITS["linear"].code
        h, e = (self._narrow[name][:n] for name in ("h", "e"))
        z, y, d = (self._straight[name][:n] for name in ("z", "y", "d"))
        d_t, e_t = self._wide_t["d_t"][:, :n], self._narrow_t["e_t"][:, :n]
        products.up(self._listed, p["W"], p["b"], hidden.code, h)
        if self.model.tied:
            h_t, z_t = self._narrow_t["h_t"][:, :n], self._wide_t["z_t"][:, :n]
            sums.transpose(h, h_t)
            products.down(p["W"], h_t, p["c"], code, z_t)
            sums.transpose(z_t, z)
        else:
            products.up(h, p["V"], p["c"], code, z)
        values, errors = self._values[:n], self._errors[:n]
        self.loss.finish(z, self._x[:n], 1 / n, y, d, d_t, values, errors)
        if self.rule.whole != 1.0:
            touched = self._touched[:n]
            d *= touched + (1 - touched) * d.dtype.type(self.rule.whole)
            sums.transpose(d, d_t)
        if self.model.tied:
            products.up(d, p["W"], self._zero, code, e)
        else:
            products.down(p["V"], d_t, self._zero, code, e_t)
            sums.transpose(e_t, e)
        active = self._count(h)
        if self.rule.sparsity_cost:
            e += self._sparsity(h, active)
        hidden.chain(h, e)
        if self.rule.contraction:
            e += self._contraction(p["W"], h)
        return h, e, d, d_t

    def _count(self, h: np.ndarray) -> np.ndarray:
        """Add the minibatch to the tally; the sums (N,) of h over its cases."""
        n, active = self._n, self._active
        sums.column_sums(h, active)
        self.tally["cases"] += n
        self.tally["loss"] += sums.total(self._values[:n])
        self.tally["squared_error"] += sums.total(self._errors[:n])
        self.tally["hidden"] += active
        return active

    def _sparsity(self, h: np.ndarray, active: np.ndarray) -> np.ndarray:
        """The gradient at h of what sparsity costs: (N,) where the means count, (B, N) where each |h| does."""
        cost = h.dtype.type(self.rule.sparsity_cost / self._n)
        if self.rule.sparsity_target is None:
            return np.sign(h.real) * cost
        target, one = h.dtype.type(self.rule.sparsity_target), h.dtype.type(1)
        mean = np.clip(active / h.dtype.type(self._n), h.dtype.type(1e-6), one - h.dtype.type(1e-6))
        return ((one - target) / (one - mean) - target / mean) * cost

    def _contraction(self, W: np.ndarray, h: np.ndarray) -> np.ndarray:
        """The gradient at z of sum_j f'(z_j)^2 |W_j|^2; what pulls at W is kept for `gradient`."""
        one, two = h.dtype.type(1), h.dtype.type(2)
        slope, bend = (h * (one - h), one - two * h) if self.model.hidden == "logistic" else (one - h * h, -two * h)
        scale = h.dtype.type(2 * self.rule.contraction / self._n)
        lengths, squares = np.zeros_like(self._zero), np.zeros_like(self._zero)
        sums.column_sums(np.square(W), lengths)
        squared = np.square(slope)
        sums.column_sums(squared, squares)
        self._pull = squares * scale
        return squared * bend * lengths * scale


def start(model: Autoencoder, weights: np.ndarray, downwards: np.ndarray | None) -> np.ndarray:
    """A first theta: these weights up, `downwards` (N, M) where the way down has its own, biases 0."""
    arrays = {"W": weights, "b": np.zeros(model.outputs), "c": np.zeros(model.inputs)}
    return model.layout.pack(arrays if downwards is None else arrays | {"V": downwards})

"""A feed-forward network, and the objective it gives to optimizers.

An autoencoder is a network whose targets are its inputs; there is no other class for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..kernels import losses as sums
from ..kernels import operands, outputs, products, random, updates
from .layers import Dense, Layer
from .losses import LOSSES, Loss
from .parameters import Layout
from .units import UNITS

# Writes the scaled inputs (B, M) and the targets (B, N) of some rows into the arrays it is given.
Feed = Callable[[np.ndarray, np.ndarray, np.ndarray | None], None]


@dataclass(frozen=True)
class Network:
    """Layers in order, the last one dense with the loss's matching output unit."""

    layers: tuple[Layer, ...]
    loss: str

    @cached_property
    def layout(self) -> Layout:
        """theta's layout; layer i's array W is named `i.W`."""
        shapes = {f"{i}.{name}": shape for i, layer in enumerate(self.layers) for name, shape in layer.shapes().items()}
        return Layout.of(shapes)

    @property
    def inputs(self) -> int:
        """Width of a case."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Number of output units."""
        return self.layers[-1].outputs

    @property
    def widths(self) -> tuple[int, ...]:
        """Units layer by layer, from the inputs up, as in 784-500-10."""
        return (self.inputs, *(layer.outputs for layer in self.layers if isinstance(layer, Dense)))

    def split(self, theta: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Each layer's own arrays in theta."""
        parts: list[dict[str, np.ndarray]] = [{} for _ in self.layers]
        for name, view in self.layout.views(theta).items():
            index, _, own = name.partition(".")
            parts[int(index)][own] = view
        return parts

    def workspace(self, cases: int, dtype: np.dtype) -> list[dict[str, np.ndarray]]:
        """Every layer's arrays for minibatches of at most `cases` cases."""
        return [layer.workspace(cases, dtype) for layer in self.layers]

    def forward(self, parts: list, work: list, x: np.ndarray, key: int | None = None) -> np.ndarray:
        """Outputs (B, N) for x (B, M). Without a key nothing is drawn: dropout passes its input on."""
        for i, layer in enumerate(self.layers):
            x = layer.forward(parts[i], work[i], x, None if key is None or not layer.draws else random.fold(key, i))
        return x


def rows_of(work: list[dict[str, np.ndarray]], cases: int) -> list[dict[str, np.ndarray]]:
    """The workspace of a smaller minibatch, as views."""
    return [{n: a[:, :cases] if n.endswith("_t") else a[:cases] for n, a in w.items()} for w in work]


class NetworkObjective:
    """Mean loss of a network over a minibatch, plus weight_decay / 2 times the squared weights; biases are free.

    `at` moves it to a minibatch; dropout is fixed by that key, so all methods speak of the same function. Products have
    the `precision` of that name (`kernels.operands.PRECISIONS`).
    """

    def __init__(
        self,
        network: Network,
        feed: Feed,
        cases: int,
        weight_decay: float = 0.0,
        dtype=np.float32,
        precision: str = "float32",
    ):
        self.network, self.layout = network, network.layout
        self.name = "a network's loss"
        self.spans = [(0, self.layout.size, 1.0)]
        self._below = Network(network.layers[:-1], network.loss)
        self.loss: Loss = LOSSES[network.loss]
        self.weight_decay = weight_decay
        self._precision = operands.PRECISIONS[precision]()
        self._feed = feed
        self._whole = network.workspace(cases, dtype)
        self._x = operands.Listed.room(cases, network.inputs, dtype)
        self._t = operands.matrix(cases, network.outputs, dtype)
        self._value, self._error = np.zeros(cases, dtype), np.zeros(cases, dtype)
        self._views: dict[int, list] = {}
        self._known: dict[int, tuple[np.ndarray, list]] = {}
        self.grad = self.layout.zeros(dtype)
        self._product = self.layout.zeros(dtype)
        self.tally = {"cases": np.zeros(1), "loss": np.zeros(1), "wrong": np.zeros(1), "squared_error": np.zeros(1)}

    @property
    def spans(self) -> list[tuple[int, int, float]]:
        """Pieces of theta with the factor of their learning rate."""
        return self._spans

    @spans.setter
    def spans(self, spans: list[tuple[int, int, float]]) -> None:
        self._spans, self._factors = spans, [0.0] * len(self.network.layers)
        for s in self.layout.segments:
            self._factors[int(s.name.partition(".")[0])] = next((f for a, b, f in spans if a <= s.start < b), 0.0)

    def at(self, rows: np.ndarray, key: int | None) -> None:
        """Move to the minibatch of these rows of the data; noise is drawn from the key, none without."""
        n = len(rows)
        self.x, self.t = self._x.x[:n], self._t[:n]
        self._case_values, self._case_errors = self._value[:n], self._error[:n]
        if n not in self._views:
            self._views[n] = rows_of(self._whole, n)
        self._work, self._key = self._views[n], key
        self._feed(rows, self.x, self.t)
        with self._precision:
            self._first = self._x.listed(n) if isinstance(self.network.layers[0], Dense) else self.x

    def value(self, theta: np.ndarray) -> float:
        """The objective at theta; leaves `outputs` and `case_losses` of the minibatch."""
        with self._precision:
            self._forward(self._parts(theta))
        return self._mean_loss(theta)

    @np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told by its loss, not by NumPy
    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """d value / d theta, in an array that the next call overwrites; counts loss and errors into `tally`."""
        parts, grads = self._parts(theta), self._parts(self.grad)
        with self._precision:
            self._forward(parts)
            for i, layer in self._downwards(parts):
                layer.backward(grads[i], self._work[i], self._input_of(i))
        self.count()
        self._add_decay(theta, self.grad)
        return self.grad

    @np.errstate(over="ignore", invalid="ignore")
    def descend(self, theta: np.ndarray, velocity: np.ndarray, rate: float, mu: float) -> None:
        """One step of momentum, each layer's update within the product that makes its gradient.

        The same bits as `gradient` and `kernels.updates.momentum` over `spans`.
        """
        parts, speeds, grads = self._parts(theta), self._parts(velocity), self._parts(self.grad)
        with self._precision:
            self._forward(parts)
            for i, layer in self._downwards(parts):
                factor = self._factors[i]
                if factor:
                    rule = products.Descent(factor * rate, mu, self.weight_decay)
                    layer.descend(parts[i], speeds[i], grads[i], self._work[i], self._input_of(i), rule)
        self.count()

    def _downwards(self, parts: list) -> Iterator[tuple[int, Layer]]:
        """Each layer from the top, once the layer below has its gradient, so that its parameters may change."""
        for i in range(len(parts) - 1, -1, -1):
            layer = self.network.layers[i]
            if i:
                self.network.layers[i - 1].pull(self._work[i - 1], layer.pending(parts[i], self._work[i]))
            yield i, layer

    def _parts(self, vector: np.ndarray) -> list:
        """Each layer's own arrays in theta, velocity or gradient, made once for a run."""
        known = self._known.get(id(vector))
        if known is None or known[0] is not vector:
            known = self._known[id(vector)] = vector, self.network.split(vector)
        return known[1]

    def count(self) -> None:
        """Add the current minibatch's loss, wrong cases (softmax) or squared error (other outputs) to `tally`."""
        self.tally["cases"][0] += len(self.t)
        self.tally["loss"][0] += sums.total(self._case_values)
        self.tally["wrong" if self.loss.unit == "softmax" else "squared_error"][0] += sums.total(self._case_errors)

    @property
    def outputs(self) -> np.ndarray:
        """Activations (B, N) of the output units for the current minibatch."""
        return self._work[-1]["a"]

    @property
    def case_losses(self) -> np.ndarray:
        """Each case's loss (B,) in the current minibatch, after `value`."""
        return self._case_values

    def curvature_product(self, theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Gauss-Newton product G v plus weight_decay v, in an array that the next call overwrites.

        Source: Schraudolph 2002.
        """
        parts, directions, grads = self._parts(theta), self.network.split(v), self._parts(self._product)
        with self._precision:
            self._forward(parts)
            rx: np.ndarray | None = None
            for i, layer in enumerate(self.network.layers):
                rx = layer.r_forward(parts[i], directions[i], self._work[i], self._input_of(i), rx)
                if i < len(self.network.layers) - 1:
                    rx = layer.r_activate(self._work[i])
            top = self._work[-1]
            self.loss.curvature(top["a"], top["r"])
            sums.scaled(top["r"], 1 / len(self.t), top["d"], top["d_t"])
            for i, layer in self._downwards(parts):
                layer.backward(grads[i], self._work[i], self._input_of(i))
        self._add_decay(v, self._product)
        return self._product

    def _forward(self, parts: list) -> None:
        """All that is known at the top: outputs, losses and errors of the cases, the gradient at the last z."""
        x, top, n = self._below.forward(parts, self._work, self._first, self._key), self._work[-1], len(self.t)
        products.up(x, parts[-1]["W"], parts[-1]["b"], UNITS["linear"].code, top["z"])
        ready = top["a"], top["d"], top["d_t"], self._case_values, self._case_errors
        outputs.finish(self.loss.code, top["z"], self.t, 1 / n, *ready)

    def _input_of(self, i: int) -> np.ndarray:
        return self._first if i == 0 else self._work[i - 1]["a"]

    def _mean_loss(self, theta: np.ndarray) -> float:
        value = sums.total(self._case_values) / len(self._case_values)
        if self.weight_decay:
            value += 0.5 * self.weight_decay * sum(updates.sum_squares(theta[a:b]) for a, b in self._weights())
        return value

    def _add_decay(self, theta: np.ndarray, grad: np.ndarray) -> None:
        if self.weight_decay:
            for a, b in self._weights():
                updates.decay(theta[a:b], self.weight_decay, 0.0, grad[a:b])

    def _weights(self) -> Iterator[tuple[int, int]]:
        return ((s.start, s.stop) for s in self.layout.segments if len(s.shape) == 2)

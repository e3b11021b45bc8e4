"""What a network tells optimizers: its mean loss over a minibatch, and the derivatives of it.

Axes as in `nn.layers`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np

from ..kernels import losses as sums
from ..kernels import norms, operands, products, random, updates
from ..kernels.tape import Tapes
from .kronecker import Factors
from .layers import Pair, Weighted
from .layers.affine import bias, squares
from .losses import Loss, MixedLoss, loss_of
from .network import Network
from .penalties import WeightPenalties
from .pieces import PIECE, Feed, Minibatch, Piece
from .units import UNITS

MOST_KNOWN = 8  # vectors whose views are remembered
# Sums over an epoch: of cases, their losses and errors; cases of which a gradient or a curvature product was taken.
TALLY = ("cases", "loss", "wrong", "squared_error", "gradients", "curvature_products")
MIMICRY = ("apart", "labelled")  # beside a teacher: cases of another class than its own, cases with a label


class NetworkObjective:
    """Mean loss of a network over a minibatch, plus weight_decay / 2 w^2 and l1 |w| for each weight; biases are free.

    Weights of the output layer have `output_decay` beside weight_decay.

    `at` moves it to a minibatch of any size, which is worked through in pieces; dropout is fixed by that key, so all
    methods speak of the same function. Products have the `precision` of that name (`kernels.operands.PRECISIONS`).
    `everything` is the number of cases of the feed, for optimizers that ask for the `whole`; without it a minibatch is.
    `max_norm` has the limit of each layer of weights, or none, and `project` keeps it. `loss` takes the place of the
    network's own, as where a classifier learns from a teacher; its outputs are then those of the loss's unit. `weights`
    (one a case of the feed) multiply a case's loss, errors and all derivatives; the mean is still over cases. Batch
    normalisation takes the statistics of each piece of a minibatch alone (Hoffer, Hubara and Soudry 2017), or each
    layer's `statistics`. `kronecker` makes room in `state` for factors that outlast this object.
    """

    def __init__(
        self,
        network: Network,
        feed: Feed,
        cases: int,
        weight_decay: float = 0.0,
        dtype=np.float32,
        precision: str = "float32",
        everything: int | None = None,
        l1: float = 0.0,
        max_norm: tuple[float, ...] = (),
        output_decay: float = 0.0,
        statistics: Sequence[Mapping[str, np.ndarray]] = (),
        loss: Loss | MixedLoss | None = None,
        weights: np.ndarray | None = None,
        kronecker: bool = False,
    ):
        self.network, self.layout = network, network.layout
        self.name = "a network's loss"
        self.spans = [(0, self.layout.size, 1.0)]
        self._weighted = {i: layer for i, layer in enumerate(network.layers) if isinstance(layer, Weighted)}
        self._below = Network(network.layers[:-1], network.loss)
        self.loss: Loss | MixedLoss = loss_of(network.loss) if loss is None else loss
        self.everything = everything
        decays = [weight_decay] * (len(network.layers) - 1) + [weight_decay + output_decay]
        self.penalties = WeightPenalties(network.layout, decays, l1)
        self._factors = Factors(network.layers, np.dtype(dtype)) if kronecker else None
        self._limits = list(zip(self._weighted, max_norm, strict=True)) if max_norm else []
        self._precision_name, self._dtype = precision, np.dtype(dtype)
        self._precision = operands.PRECISIONS[precision]()
        self._feed = feed
        self._case_weights = None if weights is None else weights.astype(self._dtype)
        self._minibatch = Minibatch(network.layers, self.loss.targets(network.outputs), feed, cases, self._dtype)
        self._known: dict[int, tuple[np.ndarray, list]] = {}
        # Each layer's `products.descent`, in an array that a tape knows: rates are written there.
        self._rules = np.stack([products.descent(0.0, 0.0, decay, l1) for decay in decays])
        # Whether a step is nothing but kernels that are launched.
        bare = self.loss.bare and all(layer.bare for layer in network.layers[:-1])
        self._bare = bare and weights is None and self._dtype == np.float32
        self.statistics = statistics
        self._pieces: list[Piece] = []
        self.grad = self.layout.zeros(dtype)
        self._part: np.ndarray | None = None
        self._all: NetworkObjective | None = None
        self._product = self.layout.zeros(dtype)
        self.tally = {name: np.zeros(1) for name in (TALLY + MIMICRY if self.loss.mimics else TALLY)}

    @property
    def spans(self) -> list[tuple[int, int, float]]:
        """Pieces of theta with the factor of their learning rate."""
        return self._spans

    @spans.setter
    def spans(self, spans: list[tuple[int, int, float]]) -> None:
        self._spans, self._rates = spans, np.zeros(len(self.network.layers))
        self._stepped: tuple[float, float, bool] | None = None
        self._tapes = Tapes()
        for s in self.layout.segments:
            self._rates[int(s.name.partition(".")[0])] = next((f for a, b, f in spans if a <= s.start < b), 0.0)

    def set_noise(self, share: float) -> None:
        """From here on noise has this share of its layers' deviations."""
        self._minibatch.set_noise(share)

    @property
    def statistics(self) -> Sequence[Mapping[str, np.ndarray]]:
        """Each layer's statistics of the training cases, or none at all: then those of the pieces serve."""
        return self._statistics

    @statistics.setter
    def statistics(self, statistics: Sequence[Mapping[str, np.ndarray]]) -> None:
        self._statistics = statistics
        self._known.clear()

    @property
    def whole(self) -> "NetworkObjective":
        """The same objective over all cases of the feed, without noise; its next gradient counts into `tally`."""
        if self.everything is None:
            return self
        if self._all is None:
            self._all = NetworkObjective(
                self.network,
                self._feed,
                PIECE,
                dtype=self._dtype,
                precision=self._precision_name,
                everything=self.everything,
                loss=self.loss,
                weights=self._case_weights,
            )
            self._all.penalties = self.penalties
            self._all._rules = self._rules.copy()
            # Pieces of cases in the order of the data would not be like those of a minibatch.
            rows = random.permutation(0, self.everything) if self.network.mixes else np.arange(self.everything)
            self._all.at(rows, None)
        self._all.tally, self._all._counted = self.tally, False
        return self._all

    def at(self, rows: np.ndarray, key: int | None) -> None:
        """Move to the minibatch of these rows of the data; noise is drawn from the key, none without."""
        with self._precision:
            self._pieces = self._minibatch.at(rows, key)
        self._counted, self._cases = False, len(rows)

    def value(self, theta: np.ndarray, share: float = 1.0) -> float:
        """The objective at theta; leaves `outputs` and `case_losses` of a minibatch of one piece.

        Of a minibatch of several pieces the first ones are taken, as many as make up `share`.
        """
        parts, (count, cases), total = self._parts(theta), self._first(share), 0.0
        with self._precision:
            for piece in islice(self._minibatch.each(), count):
                self._forward(parts, piece)
                total += sums.total(piece.values)
        return total / cases + self.penalties.value(theta)

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """d value / d theta, in an array that the next call overwrites."""
        return self.value_and_gradient(theta)[1]

    @np.errstate(over="ignore", invalid="ignore")  # a run that diverges is told by its loss, not by NumPy
    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """The objective and its gradient, in an array that the next call overwrites.

        The first call after `at` counts loss and errors into `tally`.
        """
        total = 0.0
        for number, piece in enumerate(self._minibatch.each()):
            into = self._scratch() if number else self.grad
            self._perform(self._pass, theta, into, piece)
            total += sums.total(piece.values)
            self._count(piece)
            if number:
                updates.add(self.grad, into, 1.0)
        self._counted = True
        self.tally["gradients"][0] += self._cases
        self.penalties.add(theta, self.grad)
        return total / self._cases + self.penalties.value(theta), self.grad

    def _perform(self, act: Callable, theta: np.ndarray, other: np.ndarray, piece: Piece) -> None:
        """act(theta, other, piece), from a tape where it is kernels that are launched: dropout's is where it draws."""
        if self._bare and len(self._pieces) == 1 and len(piece.drawn) == len(piece.keys):
            self._tapes.play((theta, other, piece.work), act, theta, other, piece)
        else:
            act(theta, other, piece)

    def _pass(self, theta: np.ndarray, into: np.ndarray, piece: Piece) -> None:
        """The losses of a piece, and its part of the gradient."""
        parts, grads = self._parts(theta), self._parts(into)
        with self._precision:
            self._forward(parts, piece)
            self._backward(parts, piece, grads)

    def descend(self, theta: np.ndarray, velocity: np.ndarray, rate: float, mu: float, ahead: bool = False) -> None:
        """One step of momentum, each layer's update within the product that makes its gradient.

        The same bits as `gradient` and `kernels.updates.momentum` over `spans`.
        """
        if len(self._pieces) > 1:
            g = self.gradient(theta)
            with np.errstate(over="ignore", invalid="ignore"):
                for a, b, factor in self.spans:
                    updates.momentum(theta[a:b], velocity[a:b], g[a:b], factor * rate, mu, ahead)
            return
        (piece,) = self._pieces
        if (rate, mu, ahead) != self._stepped:  # to write them each time would be 6 % of the smallest steps
            self._rules[:, 0], self._rules[:, 1], self._rules[:, 4] = rate * self._rates, mu, ahead
            self._stepped = rate, mu, ahead
        self._perform(self._descend, theta, velocity, piece)
        self._count(piece)
        self._counted = True
        self.tally["gradients"][0] += self._cases

    @np.errstate(over="ignore", invalid="ignore")
    def _descend(self, theta: np.ndarray, velocity: np.ndarray, piece: Piece) -> None:
        parts, speeds = self._parts(theta), self._parts(velocity)
        with self._precision:
            self._forward(parts, piece)
            for i, layer in self._downwards(parts, piece):
                if self._rates[i]:
                    layer.descend(parts[i], speeds[i], piece.work[i], piece.input_of(i), self._rules[i])

    def curvature(self, theta: np.ndarray, share: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
        """The function v -> G v + weight_decay v, G the Gauss-Newton matrix at theta (Schraudolph 2002).

        It holds until theta or the minibatch changes or another method is called, and returns an array that its next
        call overwrites. Activations are kept, so a product costs four thirds of a gradient. It is over the cases that
        `value` takes for a `share`.
        """
        parts, (count, cases), kept = self._parts(theta), self._first(share), self._minibatch.kept
        with self._precision:
            for piece in self._pieces[: min(count, kept)]:
                self._forward(parts, piece)

        def product(v: np.ndarray) -> np.ndarray:
            directions = self._parts(v)
            with self._precision:
                for number, piece in enumerate(islice(self._minibatch.each(), count)):
                    if number >= kept:
                        self._forward(parts, piece)
                    self._curve(parts, directions, piece, cases)
                    into = self._scratch() if number else self._product
                    self._backward(parts, piece, self._parts(into))
                    if number:
                        updates.add(self._product, into, 1.0)
            self.penalties.curve(v, self._product)
            self.tally["curvature_products"][0] += cases
            return self._product

        return product

    def _first(self, share: float) -> tuple[int, int]:
        """How many pieces make up this share of the minibatch, at least one, and their cases."""
        count = max(1, round(share * len(self._pieces)))
        return count, sum(len(piece.rows) for piece in self._pieces[:count])

    def _curve(self, parts: list, directions: list, piece: Piece, cases: int) -> None:
        """The gradient at the last z of the Gauss-Newton product over so many cases: H R z / n (Pearlmutter 1994)."""
        rx: np.ndarray | None = None
        for i, layer in enumerate(self.network.layers):
            rx = layer.r_forward(parts[i], directions[i], piece.work[i], piece.input_of(i), rx)
            if i < len(self.network.layers) - 1:
                rx = layer.r_activate(piece.work[i])
        top = piece.work[-1]
        self.loss.curvature(top["a"], piece.t, top["r"])
        sums.scaled(top["r"], 1 / cases, top["d"], top["d_t"])
        self._weigh(piece, top["d"].T, top["d_t"])

    def _spread(self, piece: Piece, key: int) -> None:
        """In place of the gradient at the last z one of targets drawn from the outputs, times the root of a weight."""
        top = piece.work[-1]
        drawn = random.signs(key, 0, *piece.t.shape).astype(self._dtype)
        top["r"][...] = self.loss.spread(top["a"], piece.t, drawn)
        if self._case_weights is not None:
            top["r"] *= np.sqrt(self._case_weights[piece.rows])[:, None]
        sums.scaled(top["r"], 1.0, top["d"], top["d_t"])

    def gradient_squares(self, theta: np.ndarray, share: float = 1.0) -> np.ndarray:
        """The mean over cases of the squared gradient of each case's loss, elementwise, without weight decay.

        In an array that `curvature` overwrites, and over the same cases. Source: Martens 2010, section 4.7.
        """
        parts, (count, cases) = self._parts(theta), self._first(share)
        with self._precision:
            for number, piece in enumerate(islice(self._minibatch.each(), count)):
                self._forward(parts, piece)
                into = self._scratch() if number else self._product
                own = self._parts(into)
                for i, layer in self._downwards(parts, piece):
                    for pair in layer.pairs(parts[i], piece.work[i], piece.input_of(i)):
                        squares(pair, own[i])
                if number:
                    updates.add(self._product, into, 1.0)
        self._product *= self._dtype.type(self._cases**2 / cases)
        return self._product

    def kronecker(self, theta: np.ndarray, damping: float, kept: float, share: float = 1.0) -> Callable:
        """A function (v, out): out <- M^-1 v, M from the factors of `nn.kronecker`, which take in theirs at theta.

        Of their running means `kept` is kept at most. Over the same cases as `curvature`, and to be called before it.
        """
        if self._factors is None:
            self._factors = Factors(self.network.layers, self._dtype)
        factors, (count, cases) = self._factors, self._first(share)
        with self._precision:
            factors.update(cases, self._drawn(self._parts(theta), count), kept)
        factors.invert(damping)
        return lambda v, out: factors.apply(self._parts(v), self._parts(out))

    def _drawn(self, parts: list, count: int) -> Iterator[tuple[int, tuple[Pair, ...]]]:
        """Each layer's pairs in the first pieces, for targets drawn from the outputs."""
        for number, piece in enumerate(islice(self._minibatch.each(), count)):
            self._forward(parts, piece)
            self._spread(piece, random.fold(piece.key or 0, random.SIGNS, number))
            for i, layer in self._downwards(parts, piece):
                yield i, layer.pairs(parts[i], piece.work[i], piece.input_of(i))

    @property
    def state(self) -> dict[str, np.ndarray]:
        """Arrays that change from update to update and outlast them: the Kronecker factors."""
        return {} if self._factors is None else self._factors.state

    @state.setter
    def state(self, state: dict[str, np.ndarray]) -> None:
        if self._factors is not None:
            self._factors.state = state

    def _backward(self, parts: list, piece: Piece, grads: list) -> None:
        for i, layer in self._downwards(parts, piece):
            layer.backward(grads[i], piece.work[i], piece.input_of(i))

    def _downwards(self, parts: list, piece: Piece) -> Iterator[tuple[int, Weighted]]:
        """Each layer of weights from the top, once the next one below has its gradient, so that weights may change."""
        above = len(parts) - 1
        pending = self._weighted[above].pending(parts[above], piece.work[above])
        for i in range(above - 1, min(self._weighted) - 1, -1):
            pending = self.network.layers[i].pull(parts[i], piece.work[i], pending)
            if i in self._weighted:
                yield above, self._weighted[above]
                above = i
        yield above, self._weighted[above]

    def _parts(self, vector: np.ndarray) -> list:
        """Each layer's own arrays in theta, velocity or gradient, made once for a run."""
        known = self._known.get(id(vector))
        if known is None or known[0] is not vector:
            if len(self._known) > MOST_KNOWN:  # vectors that come and go
                self._known.clear()
            known = self._known[id(vector)] = vector, self.network.split(vector)
            for own, given in zip(known[1], self.statistics, strict=bool(self.statistics)):
                own |= given
        return known[1]

    def _scratch(self) -> np.ndarray:
        """A vector for the part of a piece."""
        if self._part is None:
            self._part = self.layout.zeros(self._dtype)
        return self._part

    def count(self) -> None:
        """Add the minibatch's loss and its errors, as the loss counts them, to `tally`."""
        for piece in self._pieces:
            self._count(piece)

    def _count(self, piece: Piece) -> None:
        if self._counted:
            return
        self.tally["cases"][0] += len(piece.rows)
        self.tally["loss"][0] += sums.total(piece.values)
        self.tally[self.loss.counts][0] += sums.total(piece.errors)
        if self.loss.mimics:
            labels = piece.t[:, -1].real
            known = (labels >= 0).astype(self._dtype)
            self._weigh(piece, known)
            self.tally["labelled"][0] += sums.total(known.real)
            self.tally["wrong"][0] += sums.total(known.real * (piece.work[-1]["a"].real.argmax(axis=1) != labels))

    @property
    def outputs(self) -> np.ndarray:
        """Activations (B, N) of the output units for a minibatch of one piece, after `value`."""
        return self._pieces[0].work[-1]["a"]

    def activations(self) -> list[tuple[str, np.ndarray]]:
        """Unit type and activations (B, N) of each hidden layer of weights, after `gradient`.

        Of a minibatch too large to be kept whole, those of its first pieces, or of the last where none is kept.
        """
        work = [piece.work for piece in (self._pieces[: self._minibatch.kept] or self._pieces[-1:])]
        hidden = list(self._weighted.items())[:-1]
        return [(layer.unit, np.concatenate([own[i]["a"] for own in work])) for i, layer in hidden]

    @property
    def case_losses(self) -> np.ndarray:
        """Each case's loss (B,) in a minibatch of one piece, after `value`."""
        return self._pieces[0].values

    def _forward(self, parts: list, piece: Piece) -> None:
        """All that is known at the top: outputs, losses and errors of the cases, the gradient at the last z."""
        x, top = self._below.forward(parts, piece.work, piece.x, piece.drawn, piece.listers), piece.work[-1]
        products.up(x, parts[-1]["W"], bias(parts[-1]), UNITS["linear"].code, top["z"])
        ready = top["a"], top["d"], top["d_t"], piece.values, piece.errors
        self.loss.finish(top["z"], piece.t, 1 / self._cases, *ready)
        self._weigh(piece, top["d"].T, top["d_t"], piece.values, piece.errors)

    def _weigh(self, piece: Piece, *by_case: np.ndarray) -> None:
        """Multiply arrays (..., B) by the weights of a piece's cases, if there are any."""
        if self._case_weights is not None:
            for array in by_case:
                array *= self._case_weights[piece.rows]

    def project(self, theta: np.ndarray) -> None:
        """Scale the incoming weights of each unit back to `max_norm` at most, in the layers that move.

        Source: Srivastava et al. 2014, section 5.1.
        """
        parts = self._parts(theta)
        for i, most in self._limits:
            if self._rates[i]:
                norms.limit_columns(parts[i]["W"], most)

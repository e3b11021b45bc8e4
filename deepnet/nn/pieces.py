"""A minibatch of any size in pieces of at most PIECE cases, and the arrays that each of them has.

Axes as in `nn.layers`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..kernels import operands, random
from .layers import Layer, Weighted

# Writes the prepared inputs (B, M) and the targets, (B, N) or as wide as the loss wants them, of some rows into the
# arrays it is given. What it changes at random is drawn from the minibatch's key; without one it changes nothing.
Feed = Callable[[np.ndarray, np.ndarray, np.ndarray, int | None], None]
Work = list[dict[str, np.ndarray]]

PIECE = 1000  # cases that pass through a network at a time
KEPT = 1 << 28  # bytes of activations that are kept for the pieces of a larger minibatch


def rows_of(work: Work, cases: int) -> Work:
    """The workspace of a smaller minibatch, as views."""
    return [{n: a[:, :cases] if n.endswith("_t") else a[:cases] for n, a in w.items()} for w in work]


@dataclass
class Piece:
    """At most PIECE cases of a minibatch: their rows, inputs x and targets t, each layer's arrays, losses and errors.

    `listers` list the zeros of what layers of weights see, and `keys` have the keys of layers that draw, by the layer's
    number.
    """

    rows: np.ndarray
    key: int | None
    x: np.ndarray
    t: np.ndarray
    work: Work
    values: np.ndarray
    errors: np.ndarray
    listers: dict[int, operands.Lister]
    keys: dict[int, np.ndarray]

    @property
    def drawn(self) -> dict[int, np.ndarray]:
        """The keys, none where nothing is to be drawn."""
        return {} if self.key is None else self.keys

    def input_of(self, i: int) -> np.ndarray | operands.Listed:
        """What layer i sees."""
        x = self.work[i - 1]["a"] if i else self.x
        return self.listers[i].again(x) if i in self.listers else x


class _Room:
    """The arrays that a piece alone has: its inputs, targets, activations, losses and errors."""

    def __init__(self, layers: Sequence[Layer], targets: int, work: Work, cases: int, dtype: np.dtype):
        self.x = operands.matrix(cases, layers[0].inputs, dtype)
        self.t = operands.matrix(cases, targets, dtype)
        self.lasting = [{name: w[name] for name in layer.lasting} for layer, w in zip(layers, work, strict=True)]
        self.values, self.errors = np.zeros(cases, dtype), np.zeros(cases, dtype)
        self.keys = {i: np.zeros((), np.uint64) for i, layer in enumerate(layers) if layer.draws}


class Minibatch:
    """The pieces of one minibatch after another, in arrays made once: `most` cases a piece, `targets` columns of t.

    The first `kept` pieces keep their activations, as many as take KEPT bytes at most; the others share one room and
    are read anew in each pass.
    """

    def __init__(self, layers: Sequence[Layer], targets: int, feed: Feed, most: int, dtype: np.dtype):
        self.most, self.kept = min(most, PIECE), 0
        self.pieces: list[Piece] = []
        self._layers, self._targets, self._feed, self._dtype = layers, targets, feed, dtype
        self._shared = [layer.workspace(self.most, dtype) for layer in layers]
        self._rooms: list[_Room] = []
        self._views: dict[tuple[int, int], tuple] = {}
        self._listers = {
            i: operands.Lister()
            for i, layer in enumerate(layers[:-1])
            if isinstance(layer, Weighted) and layer.outputs >= operands.BROAD
        }

    def at(self, rows: np.ndarray, key: int | None) -> list[Piece]:
        """Move to these rows of the data; each piece draws from a key of its own."""
        count = max(1, -(-len(rows) // self.most))
        self.kept = 1 if count == 1 else min(count, KEPT // self._bytes(-(-len(rows) // count)))
        self.pieces = []
        for i in range(count):
            part = rows[len(rows) * i // count : len(rows) * (i + 1) // count]
            own = key if key is None or count == 1 else random.fold(key, i)
            self.pieces.append(Piece(part, own, *self._arrays(min(i, self.kept), len(part))))
        for piece in self.pieces[: self.kept]:
            self._fill(piece)
        return self.pieces

    def _bytes(self, cases: int) -> int:
        """What the activations of so many cases take."""
        return cases * (sum(layer.outputs for layer in self._layers) + self._layers[0].inputs) * self._dtype.itemsize

    def each(self) -> Iterator[Piece]:
        """Piece after piece, those that are not kept read anew."""
        for i, piece in enumerate(self.pieces):
            if i >= self.kept:
                self._fill(piece)
            yield piece

    def set_noise(self, share: float) -> None:
        """From here on noise has this share of its layers' deviations."""
        for w in self._shared:
            if "share" in w:
                w["share"][...] = share

    def _arrays(self, i: int, n: int) -> tuple:
        """Views of room i for n cases: x, t, the layers' workspace, losses, errors; listers, and keys."""
        while i >= len(self._rooms):
            work = self._shared if not self._rooms else self._lasting()
            self._rooms.append(_Room(self._layers, self._targets, work, self.most, self._dtype))
        if (i, n) not in self._views:
            room = self._rooms[i]
            pairs = zip(rows_of(self._shared, n), rows_of(room.lasting, n), strict=True)
            work = [shared | own for shared, own in pairs]
            own = room.x[:n], room.t[:n], work, room.values[:n], room.errors[:n]
            self._views[i, n] = *own, self._listers, room.keys
        return self._views[i, n]

    def _lasting(self) -> Work:
        """New arrays like the shared ones of those that last."""
        return [
            {name: operands.matrix(len(w[name]), w[name].shape[1], self._dtype) for name in layer.lasting}
            for layer, w in zip(self._layers, self._shared, strict=True)
        ]

    def _fill(self, piece: Piece) -> None:
        """Read a piece's cases, and make its keys."""
        self._feed(piece.rows, piece.x, piece.t, piece.key)
        if piece.key is not None:
            for i, key in piece.keys.items():
                key[...] = random.fold(piece.key, i)

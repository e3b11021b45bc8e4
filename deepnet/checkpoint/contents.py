"""What a model file holds, and how each kind of layer is written and read."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..nn import fields as kinds
from ..nn.autoencoder import Autoencoder
from ..nn.layers import BatchNorm, Dense, Dropout, Maxout, Noise
from ..nn.network import Network
from ..nn.rbm import RBM
from ..nn.stack import Stack

FORMAT = "deepnet"
NUMERICS = "1: philox4x32-10; fma chains; sums in 16 lanes, cases in blocks of 256"


PROJECTIONS = ("pca", "zca")


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map of the cases, x' = (x - mean) matrix; mean float32 (D,), matrix float32 (D, K).

    pca: onto the first K principal components of the training cases. zca: whitening, K = D.
    """

    kind: str
    mean: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Preparation:
    """What is done to data before the model sees them, and what its outputs are called.

    First x' = (x - offset) / scale, column by column; then each case is brought to one `contrast`, a name of
    `kernels.minibatch.CONTRASTS`, if there is one; then it is projected, if it is. A regressor's outputs become y'
    target_scale + target_offset. `columns` are the names of a table's input columns, `centre` is where a one-class
    network wants its outputs. `fields` are how cells of a table of mixed kinds became these columns, before all else.
    """

    kind: str
    offset: np.ndarray
    scale: np.ndarray
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    target_offset: np.ndarray | None = None
    target_scale: np.ndarray | None = None
    columns: tuple[str, ...] = ()
    centre: np.ndarray | None = None
    contrast: str | None = None
    projection: Projection | None = None
    fields: tuple[kinds.Field, ...] = ()

    @property
    def units(self) -> tuple[tuple[str, int], ...]:
        """Runs of visible units that suit the prepared columns, () where these are all alike."""
        return kinds.units(self.fields) if self.projection is None else ()

    @property
    def width(self) -> int:
        """The number of a model's visible units."""
        return len(self.offset) if self.projection is None else self.projection.matrix.shape[1]

    @property
    def only_scaled(self) -> bool:
        """Whether columns are scaled and nothing else is done."""
        return self.contrast is None and self.projection is None


@dataclass(eq=False)
class Checkpoint:
    """What a model file holds.

    `arrays` are the layers' parameters without padding, and statistics of the training cases where a layer has such;
    `train` the state of a run that was cut.
    """

    model: Stack | Network
    arrays: list[dict[str, np.ndarray]]
    preparation: Preparation
    config: dict
    history: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)
    train: dict[str, np.ndarray] | None = None
    digest: str = ""

    @property
    def kind(self) -> str:
        """stack or network."""
        return "stack" if isinstance(self.model, Stack) else "network"

    @property
    def complete(self) -> bool:
        """Whether the run that made it came to its end."""
        return self.train is None


@dataclass(frozen=True)
class Kind:
    """How a layer of one kind is written and read.

    Its settings as attributes, with their types, and back from attributes and array shapes. `part_of`: the kind of
    model that it has its place in.
    """

    layer: type
    part_of: str
    facts: dict[str, type]
    settings: Callable[[object], dict]
    build: Callable[[dict, dict], object]


KINDS: dict[str, Kind] = {
    "rbm": Kind(
        RBM,
        "stack",
        {"visible": str, "unit": str},
        lambda layer: {"visible": layer.visible, "unit": layer.hidden},
        lambda a, d: RBM(*_matrix(d), a["visible"], a["unit"]),
    ),
    "autoencoder": Kind(
        Autoencoder,
        "stack",
        {"visible": str, "unit": str, "tied": int},
        lambda layer: {"visible": layer.visible, "unit": layer.hidden, "tied": np.int64(layer.tied)},
        lambda a, d: Autoencoder(*_matrix(d), a["visible"], a["unit"], a["tied"] != 0),
    ),
    "dense": Kind(
        Dense,
        "network",
        {"unit": str},
        lambda layer: {"unit": layer.unit} | ({} if layer.bias else {"bias": np.int64(0)}),
        lambda a, d: Dense(*_matrix(d), a["unit"], a.get("bias", 1) != 0),
    ),
    "batchnorm": Kind(
        BatchNorm,
        "network",
        {"unit": str},
        lambda layer: {"unit": layer.unit},
        lambda a, d: BatchNorm(*_matrix(d), a["unit"]),
    ),
    "maxout": Kind(
        Maxout,
        "network",
        {"pieces": int},
        lambda layer: {"pieces": np.int64(layer.pieces)},
        lambda a, d: Maxout(len(d["W"]), d["W"].shape[1] // max(1, a["pieces"]), a["pieces"]),
    ),
    "dropout": Kind(
        Dropout,
        "network",
        {"width": int, "rate": float},
        lambda layer: {"width": np.int64(layer.width), "rate": np.float64(layer.rate)},
        lambda a, d: Dropout(a["width"], a["rate"]),
    ),
    "noise": Kind(
        Noise,
        "network",
        {"width": int, "deviation": float},
        lambda layer: {"width": np.int64(layer.width), "deviation": np.float64(layer.deviation)},
        lambda a, d: Noise(a["width"], a["deviation"]),
    ),
}


def kind_of(layer: object) -> str:
    """The name of a layer's kind."""
    return next(name for name, row in KINDS.items() if row.layer is type(layer))


def _matrix(arrays: dict[str, np.ndarray]) -> tuple[int, int]:
    rows, columns = arrays["W"].shape
    return rows, columns

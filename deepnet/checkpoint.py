"""One HDF5 file a model.

Architecture, parameters, preparation of the data, history, lineage, and what a cut run needs to go on.

The file is built in memory, closed by a trailer of 64 bytes (magic, version, body length, SHA-256 of the body) and
written whole. It holds no clock, thread count or path, so one run gives one file, byte for byte. Nothing in it is
imported or evaluated: names are looked up in tables, arrays are checked against the shapes that the architecture
implies.
"""

import hashlib
import io
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

os.environ.setdefault("HDF5_PLUGIN_PRELOAD", "::")  # an unknown filter must not make HDF5 load libraries

import h5py
import numpy as np

from . import __version__
from .errors import ModelError
from .files import read_input, shown, write_output
from .nn.layers import Dense, Dropout
from .nn.losses import LOSSES
from .nn.network import Network
from .nn.rbm import RBM
from .nn.stack import Stack
from .nn.units import UNITS

FORMAT, VERSION = "deepnet", 1
NUMERICS = (
    "1: philox4x32-10 in groups of 64; products one fma chain over k; sums in 16 lanes, over cases in blocks of 256"
)
MAGIC = b"deepnet checkpoint\n\x00"  # 20 bytes
MOST_JSON, MOST_LAYERS, MOST_UNITS = 64 << 10, 1000, 1 << 20


@dataclass(frozen=True, eq=False)
class Preparation:
    """What is done to data before the model sees them, and what its outputs are called.

    x' = (x - offset) / scale; a regressor's outputs become y' target_scale + target_offset.
    """

    kind: str
    offset: np.ndarray
    scale: np.ndarray
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    target_offset: np.ndarray | None = None
    target_scale: np.ndarray | None = None


@dataclass(eq=False)
class Checkpoint:
    """What a model file holds.

    `arrays` are the layers' parameters without padding, `train` the state of a run that was cut.
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


def save(path: str, checkpoint: Checkpoint) -> str:
    """Write the file, whole or not at all; returns its SHA-256. OutputError when it cannot be written."""
    body = encode(checkpoint)
    write_output(path, body + seal(body))
    return hashlib.sha256(body).hexdigest()


def load(path: str) -> Checkpoint:
    """Read and check a model file; ModelError with one sentence."""
    name = shown(os.path.basename(path))
    data = read_input(path, ModelError)
    body = unseal(data, name)
    try:
        with h5py.File(io.BytesIO(body), "r") as file:
            checkpoint = _decode(_tree(file, name, len(body)), name)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as problem:
        raise ModelError(f"{name} is not a whole deepnet model ({_first_line(problem)}); make it again") from problem
    checkpoint.digest = hashlib.sha256(body).hexdigest()
    return checkpoint


def seal(body: bytes) -> bytes:
    """The trailer: magic (20 bytes), format version (4), body length (8), SHA-256 (32)."""
    return MAGIC + struct.pack("<IQ", VERSION, len(body)) + hashlib.sha256(body).digest()


def unseal(data: bytes, name: str) -> memoryview:
    """The body of a file whose trailer agrees with it."""
    if not data.startswith(b"\x89HDF\r\n\x1a\n"):
        raise ModelError(f"{name} is not an HDF5 file; give a model that deepnet wrote")
    trailer = data[-64:]
    if trailer[:20] != MAGIC:
        raise ModelError(
            f"{name} is no deepnet model, or was cut short or changed by another program (no seal at its end)"
        )
    version, length = struct.unpack("<IQ", trailer[20:32])
    if version > VERSION:
        raise ModelError(f"{name} has format {version}, this deepnet reads up to {VERSION}; install a newer deepnet")
    body = memoryview(data)[:-64]
    if length != len(body) or hashlib.sha256(body).digest() != trailer[32:]:
        raise ModelError(f"{name} is damaged: its bytes do not agree with its seal; use a copy, or make it again")
    return body


def encode(checkpoint: Checkpoint) -> bytes:
    """The HDF5 body, built in memory."""
    with h5py.File("model", "w", driver="core", backing_store=False) as file:
        for key, value in {"format": FORMAT, "deepnet_version": __version__, "kind": checkpoint.kind}.items():
            _label(file, key, value)
        file.attrs["format_version"] = np.int64(VERSION)
        file.attrs["complete"] = np.int64(checkpoint.complete)
        _text(file, "config", checkpoint.config)
        _text(file, "provenance", {**checkpoint.provenance, "numerics": NUMERICS})
        _encode_model(file.create_group("model"), checkpoint)
        _encode_preparation(file.create_group("preprocess"), checkpoint.preparation)
        _encode_arrays(
            file, "history", {f"{s}/{m}": v for s, part in checkpoint.history.items() for m, v in part.items()}
        )
        if checkpoint.train is not None:
            _encode_arrays(file, "train", checkpoint.train)
        file.flush()
        return file.id.get_file_image()


def _label(thing, key: str, value: str) -> None:
    thing.attrs[key] = np.bytes_(value.encode())


def _text(group, name: str, value: dict) -> None:
    data = json.dumps(value, sort_keys=True, allow_nan=False).encode()
    group.create_dataset(name, data=np.frombuffer(data, np.uint8))


def _encode_arrays(file, name: str, arrays: dict[str, np.ndarray]) -> None:
    group = file.create_group(name, track_order=True)
    for path, array in arrays.items():
        parent, _, own = path.rpartition("/")
        if parent and parent not in group:
            group.create_group(parent, track_order=True)
        (group[parent] if parent else group).create_dataset(own, data=array)


def _encode_model(group, checkpoint: Checkpoint) -> None:
    model = checkpoint.model
    layers = model.rbms if isinstance(model, Stack) else model.layers
    if isinstance(model, Network):
        _label(group, "loss", model.loss)
    for i, (layer, arrays) in enumerate(zip(layers, checkpoint.arrays, strict=True)):
        part = group.create_group(str(i + 1))
        kind = next(k for k, row in KINDS.items() if row.type is type(layer))
        _label(part, "kind", kind)
        part.attrs["version"] = np.int64(1)
        for key, value in KINDS[kind].settings(layer).items():
            if isinstance(value, str):
                _label(part, key, value)
            else:
                part.attrs[key] = value
        for key, array in arrays.items():
            part.create_dataset(key, data=np.ascontiguousarray(array, np.float32))


def _encode_preparation(group, p: Preparation) -> None:
    _label(group, "scaling", p.kind)
    arrays = {"offset": p.offset, "scale": p.scale, "shape": np.array(p.shape, np.int64)}
    if p.classes:
        arrays["classes"] = np.array([c.encode() for c in p.classes])
    if p.target_scale is not None:
        arrays |= {"target_offset": p.target_offset, "target_scale": p.target_scale}
    for key, array in arrays.items():
        group.create_dataset(key, data=array)


@dataclass(frozen=True)
class _Kind:
    """How a layer of one kind is written and read.

    Its settings as attributes, and back from attributes and array shapes.
    """

    type: type
    settings: Callable[[object], dict]
    build: Callable[[dict, dict], object]


KINDS: dict[str, _Kind] = {
    "rbm": _Kind(
        RBM,
        lambda layer: {"visible": layer.visible, "unit": layer.hidden},
        lambda a, d: RBM(*_matrix(d), a["visible"], a["unit"]),
    ),
    "dense": _Kind(Dense, lambda layer: {"unit": layer.unit}, lambda a, d: Dense(*_matrix(d), a["unit"])),
    "dropout": _Kind(
        Dropout,
        lambda layer: {"width": np.int64(layer.width), "rate": np.float64(layer.rate)},
        lambda a, d: Dropout(int(a["width"]), float(a["rate"])),
    ),
}


def _matrix(arrays: dict[str, np.ndarray]) -> tuple[int, int]:
    rows, columns = arrays["W"].shape
    return rows, columns


def _tree(file, name: str, size: int) -> dict:
    """All groups, attributes and datasets as nested dicts.

    Hard links only, plain types only, no more data than the file has bytes.
    """
    left = [size]

    def attributes(thing):
        found = {}
        for key in thing.attrs:
            kind = thing.attrs.get_id(key)
            if kind.shape != () or kind.dtype.kind not in "Sif":
                raise ModelError(
                    f"{name}: attribute {shown(key)} has an unexpected type; it was not written by deepnet"
                )
            value = thing.attrs[key]
            found[key] = value.decode() if isinstance(value, bytes) else value.item()
        return found

    def visit(group, depth):
        if depth > 4 or len(group) > 10_000:
            raise ModelError(f"{name} is nested or filled beyond what a model is; it was not written by deepnet")
        out = {"": attributes(group)}
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ModelError(f"{name}: {shown(key)} is a link; a model holds its data itself")
            kind = group.get(key, getclass=True)
            out[key] = visit(group[key], depth + 1) if kind is h5py.Group else array(group[key], key)
        return out

    def array(data, key):
        plain = data.dtype.kind in "fiuS" and not data.is_virtual and data.external is None and data.chunks is None
        left[0] -= data.nbytes if plain and data.shape is not None else 0
        if not plain or data.shape is None or left[0] < 0:
            raise ModelError(
                f"{name}: dataset {shown(key)} has an unexpected type or size; it was not written by deepnet"
            )
        return data[()]

    return visit(file, 0)


def _decode(tree: dict, name: str) -> Checkpoint:
    facts = tree[""]
    if facts.get("format") != FORMAT or facts.get("format_version") != VERSION:
        raise ModelError(f"{name} has an unknown format; this deepnet reads format {VERSION}")
    model, arrays = _decode_model(tree["model"], facts["kind"], name)
    p = tree["preprocess"]
    preparation = Preparation(
        p[""]["scaling"],
        p["offset"],
        p["scale"],
        tuple(int(n) for n in p["shape"]),
        tuple(c.decode() for c in p.get("classes", ())),
        p.get("target_offset"),
        p.get("target_scale"),
    )
    inputs = model.widths[0]
    if preparation.offset.shape != (inputs,) or preparation.scale.shape != (inputs,):
        raise ModelError(f"{name}: its scaling does not fit its {inputs} inputs; make the model again")
    history = {s: {m: v for m, v in part.items() if m} for s, part in tree["history"].items() if s}
    train = tree.get("train")
    return Checkpoint(
        model,
        arrays,
        preparation,
        _json(tree["config"], name),
        history,
        _json(tree["provenance"], name),
        None if train is None else _flat(train),
    )


def _flat(tree: dict, prefix: str = "") -> dict[str, np.ndarray]:
    out = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{key}/") if key else {}
        else:
            out[prefix + key] = value
    return out


def _decode_model(tree: dict, kind: str, name: str) -> tuple[Stack | Network, list[dict[str, np.ndarray]]]:
    layers, arrays = [], []
    count = len(tree) - 1
    if not 1 <= count <= MOST_LAYERS:
        raise ModelError(f"{name} has {count} layers; a model has 1 to {MOST_LAYERS}")
    for i in range(count):
        part = tree[str(i + 1)]
        own = {key: value for key, value in part.items() if key}
        layer = KINDS[part[""]["kind"]].build(part[""], own)
        _check_layer(layer, own, layers[-1] if layers else None, f"{name}: layer {i + 1}")
        layers.append(layer)
        arrays.append(own)
    if kind == "stack":
        return Stack(tuple(layers)), arrays
    network = Network(tuple(layers), tree[""]["loss"])
    if network.loss not in LOSSES or not isinstance(layers[-1], Dense) or layers[-1].unit != LOSSES[network.loss].unit:
        raise ModelError(
            f"{name}: loss {shown(network.loss)} does not fit its output layer; it was not written by deepnet"
        )
    return network, arrays


def _check_layer(layer, arrays: dict, below, where: str) -> None:
    if below is not None and below.outputs != layer.inputs:
        raise ModelError(
            f"{where} takes {layer.inputs} inputs but the one below gives {below.outputs}; make the model again"
        )
    for unit in (getattr(layer, key, "linear") for key in ("unit", "visible", "hidden")):
        if unit not in UNITS:
            raise ModelError(f"{where} has unknown units {shown(unit)}; install a newer deepnet")
    shapes = {s.name: s.shape for s in layer.layout.segments} if isinstance(layer, RBM) else layer.shapes()
    if {key: a.shape for key, a in arrays.items()} != shapes:
        raise ModelError(f"{where} has arrays of unexpected names or shapes; make the model again")
    for key, a in arrays.items():
        if a.dtype != np.float32 or not np.isfinite(a).all():
            raise ModelError(f"{where}: {key} holds values that are no finite float32 numbers; make the model again")


def _json(data: np.ndarray, name: str) -> dict:
    text = data.tobytes()
    if len(text) > MOST_JSON:
        raise ModelError(
            f"{name}: its settings take {len(text)} bytes, at most {MOST_JSON} are read; it was not written by deepnet"
        )
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ModelError(f"{name}: its settings are no table; it was not written by deepnet")
    return value


def _first_line(problem: Exception) -> str:
    return shown(str(problem).splitlines()[0] if str(problem) else type(problem).__name__)

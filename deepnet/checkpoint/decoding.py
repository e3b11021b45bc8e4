"""The nested dicts of a model file as a checkpoint; each part is what its place asks for, or a ModelError says so."""

import math

import numpy as np

from ..errors import ModelError
from ..files import shown
from ..kernels.minibatch import CONTRASTS
from ..nn.autoencoder import HIDDEN, VISIBLE, Autoencoder
from ..nn.layers import MOST_PIECES, BatchNorm, Dense, Dropout, Noise
from ..nn.losses import LOSSES, loss_of
from ..nn.mixed import mixed_of, unit_of
from ..nn.network import Network
from ..nn.rbm import RBM
from ..nn.stack import Stack
from ..nn.units import UNITS
from . import tables
from .contents import FORMAT, KINDS, PROJECTIONS, Checkpoint, Preparation, Projection
from .sealing import VERSION
from .settings import parse
from .tree import FOREIGN

MOST_LAYERS = 1000
SCALINGS = ("auto", "none", "unit", "standard")
_LABEL, _NUMBER = "S", "iuf"  # kinds of NumPy's types
_PARTS = {"", "model", "preprocess", "config", "history", "provenance", "train"}
_PREPARATION = {"", "offset", "scale", "shape", "classes", "columns", "target_offset", "target_scale", "centre",
                "projection_mean", "projection_matrix", "fields"}  # fmt: skip


def decode(tree: dict, name: str) -> Checkpoint:
    """The checkpoint of a tree; ModelError, or one of the errors that `load` turns into one."""
    facts = tree[""]
    version = _fact(facts, "format_version", int, name)
    if version > VERSION:
        raise ModelError(f"{name} has format {version}, this deepnet reads up to {VERSION}; install a newer deepnet")
    if facts.get("format") != FORMAT or version != VERSION:
        raise ModelError(f"{name} has an unknown format; this deepnet reads format {VERSION}")
    model, arrays = _model(_part(tree, "model", dict, name), _fact(facts, "kind", str, name), name)
    preparation = _preparation(_part(tree, "preprocess", dict, name), model, name)
    for key in sorted((set(tree) - _PARTS) | (set(tree["preprocess"]) - _PREPARATION)):
        raise ModelError(f"{name} holds {shown(key)}, which no model has; {FOREIGN}")
    train = _flat(_part(tree, "train", dict, name)) if "train" in tree else None
    for key, array in (train or {}).items():
        if key.endswith("theta") and not np.isfinite(array).all():
            raise ModelError(f"{name}: its state of a cut run has weights that are not finite; {FOREIGN}")
    if _fact(facts, "complete", int, name) != (train is None):
        raise ModelError(f"{name} does not agree with itself on whether its run was finished; {FOREIGN}")
    config, provenance = (parse(_part(tree, key, np.ndarray, name).tobytes(), name) for key in ("config", "provenance"))
    history = _history(_part(tree, "history", dict, name), name)
    return Checkpoint(model, arrays, preparation, config, history, provenance, train)


def _part(tree: dict, key: str, kind: type, where: str):
    """A group (dict) or an array of the tree."""
    if not isinstance(tree.get(key), kind):
        raise ModelError(f"{where} has no {'group' if kind is dict else 'array'} {shown(key)}; {FOREIGN}")
    return tree[key]


def _fact(facts: dict, key: str, kind: type, where: str):
    """An attribute of this type."""
    if type(facts.get(key)) is not kind:
        raise ModelError(f"{where} has no attribute {key} of type {kind.__name__}; {FOREIGN}")
    return facts[key]


def _floats(tree: dict, key: str, width: int, where: str, positive: bool = False) -> np.ndarray:
    """A float32 array (width,), finite, and above 0 if it is to be."""
    array = _part(tree, key, np.ndarray, where)
    if array.dtype != np.float32 or array.shape != (width,):
        raise ModelError(f"{where} has a {key} that is not {width} float32 numbers; make the model again")
    if not np.isfinite(array).all() or (positive and not (array > 0).all()):
        raise ModelError(f"{where} has a {key} that is not finite{' and above 0' * positive}; make the model again")
    return array


def _flat(tree: dict, prefix: str = "") -> dict[str, np.ndarray]:
    """{path: array} of all that lies below."""
    out = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{key}/") if key else {}
        else:
            out[prefix + key] = value
    return out


def _history(tree: dict, name: str) -> dict[str, dict[str, np.ndarray]]:
    """{stage: {metric: numbers}}."""
    found = {}
    for stage in (key for key in tree if key):
        part = _part(tree, stage, dict, f"{name}: its history")
        found[stage] = {metric: value for metric, value in part.items() if metric}
        for metric, value in found[stage].items():
            if not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind not in _NUMBER:
                raise ModelError(f"{name}: its history of {shown(metric)} is no list of numbers; {FOREIGN}")
        if len({len(values) for values in found[stage].values()}) > 1:
            raise ModelError(f"{name}: its history of {shown(stage)} has lists of unlike length; {FOREIGN}")
    return found


def _model(tree: dict, kind: str, name: str) -> tuple[Stack | Network, list[dict[str, np.ndarray]]]:
    """The layers, each fit for its place."""
    if kind not in ("stack", "network"):
        raise ModelError(f"{name} holds a model of unknown kind {shown(kind)}; install a newer deepnet")
    count = len(tree) - 1
    if not 1 <= count <= MOST_LAYERS:
        raise ModelError(f"{name} has {count} layers; a model has 1 to {MOST_LAYERS}")
    layers, arrays = [], []
    for i in range(count):
        part = _part(tree, str(i + 1), dict, name)
        arrays.append({key: value for key, value in part.items() if key})
        layers.append(_layer(part[""], arrays[-1], kind, f"{name}: layer {i + 1}"))
        if i:
            _check_chain(layers[-2], layers[-1], f"{name}: layer {i + 1}")
    if kind == "stack":
        return Stack(tuple(layers)), arrays
    network = Network(tuple(layers), _fact(tree[""], "loss", str, name))
    _check_units(network, name)
    return network, arrays


def _layer(facts: dict, arrays: dict, part_of: str, where: str):
    """A layer from its attributes and arrays."""
    kind = _fact(facts, "kind", str, where)
    if kind not in KINDS or _fact(facts, "version", int, where) != 1:
        raise ModelError(f"{where} is of a kind or version unknown here, {shown(kind)}; install a newer deepnet")
    row = KINDS[kind]
    if row.part_of != part_of:
        raise ModelError(f"{where} is {kind}, which has no place in a {part_of}; {FOREIGN}")
    for key, type_ in row.facts.items():
        _fact(facts, key, type_, where)
    if row.layer not in (Dropout, Noise) and getattr(arrays.get("W"), "ndim", 0) != 2:
        raise ModelError(f"{where} has no weights in rows and columns; make the model again")
    layer = row.build(facts, arrays)
    sides = {"visible": layer.inputs, "unit": layer.outputs if isinstance(layer, Dense) else 0}  # columns if mixed
    for unit, width in ((facts[key], width) for key, width in sides.items() if key in row.facts):
        if unit not in UNITS and getattr(mixed_of(unit), "width", None) != width:
            raise ModelError(f"{where} has unknown units {shown(unit)}; install a newer deepnet")
        if isinstance(layer, RBM) and unit_of(unit).rate is None:
            raise ModelError(f"{where} has {unit} units, which have no place in a Boltzmann machine; {FOREIGN}")
    if isinstance(layer, Autoencoder) and (
        (layer.visible in UNITS and layer.visible not in VISIBLE) or layer.hidden not in HIDDEN
    ):
        raise ModelError(f"{where} has {layer.visible} or {layer.hidden} units, of which no autoencoder is; {FOREIGN}")
    _check_arrays(layer, arrays, where)
    return layer


def _check_arrays(layer, arrays: dict, where: str) -> None:
    """The arrays that such a layer has, of its shapes, float32 and finite; its rate, deviation or pieces."""
    if min(layer.inputs, layer.outputs) < 1:
        raise ModelError(f"{where} has {layer.inputs} inputs and {layer.outputs} units; make the model again")
    if not 0 < np.float32(getattr(layer, "rate", 0.5)) < 1:
        raise ModelError(f"{where} leaves out a share of {layer.rate:g}, which is not between 0 and 1; {FOREIGN}")
    if not 0 < getattr(layer, "deviation", 1.0) < math.inf:
        raise ModelError(f"{where} has noise of deviation {layer.deviation:g}, which is not above 0; {FOREIGN}")
    if not 2 <= getattr(layer, "pieces", 2) <= MOST_PIECES:
        raise ModelError(f"{where} has {layer.pieces} pieces a unit, which are not 2 to {MOST_PIECES}; {FOREIGN}")
    layout = getattr(layer, "layout", None)
    shapes = layer.shapes() if layout is None else {s.name: s.shape for s in layout.segments}
    if isinstance(layer, BatchNorm):
        shapes |= layer.statistics()
    if {key: getattr(a, "shape", None) for key, a in arrays.items()} != shapes:
        raise ModelError(f"{where} has arrays of unexpected names or shapes; make the model again")
    for key, a in arrays.items():
        if a.dtype != np.float32 or not np.isfinite(a).all():
            raise ModelError(f"{where}: {key} holds values that are no finite float32 numbers; make the model again")
    if isinstance(layer, BatchNorm) and (arrays["variance"] < 0).any():
        raise ModelError(f"{where} has units of variance below 0; {FOREIGN}")


def _check_chain(below, layer, where: str) -> None:
    """Each layer takes what the one below gives; in a stack its visible units are the hidden ones below."""
    if below.outputs != layer.inputs:
        raise ModelError(
            f"{where} takes {layer.inputs} inputs but the one below gives {below.outputs}; make the model again"
        )
    if isinstance(layer, RBM) and layer.visible != below.hidden:
        raise ModelError(f"{where} has {layer.visible} visible units over {below.hidden} ones; {FOREIGN}")
    if isinstance(layer, Autoencoder) and layer.visible not in ("linear", below.hidden):
        raise ModelError(f"{where} has {layer.visible} visible units over {below.hidden} ones; {FOREIGN}")


def _check_units(network: Network, name: str) -> None:
    """The output units are the loss's, and only they may be softmax."""
    *hidden, top = network.layers
    own = loss_of(network.loss) if network.loss in LOSSES or mixed_of(network.loss) else None
    if own is None or own.mimics or not isinstance(top, Dense) or top.unit != own.unit:
        raise ModelError(f"{name}: loss {shown(network.loss)} does not fit its output layer; {FOREIGN}")
    if mixed_of(network.loss) and network.outputs != network.inputs:
        raise ModelError(f"{name} restores {network.inputs} columns by {network.outputs} units; {FOREIGN}")
    if network.loss == "svdd" and any("b" in layer.shapes() for layer in network.layers):
        raise ModelError(f"{name} is of one class and has biases; {FOREIGN}")
    for i, layer in enumerate(hidden):
        if isinstance(layer, Dense | BatchNorm) and unit_of(layer.unit).rowwise:
            raise ModelError(f"{name}: layer {i + 1} is hidden and has {layer.unit} units; {FOREIGN}")


def _preparation(tree: dict, model: Stack | Network, name: str) -> Preparation:
    """Scaling, contrast, projection, shape, and the names or numbers of the outputs."""
    contrast, projection = _contrast(tree[""], name), _projection(tree, model.widths[0], name)
    inputs = model.widths[0] if projection is None else len(projection.mean)
    kind = _fact(tree[""], "scaling", str, name)
    if kind not in SCALINGS:
        raise ModelError(f"{name} has unknown scaling {shown(kind)}; install a newer deepnet")
    shape = _part(tree, "shape", np.ndarray, name)
    sizes = [int(n) for n in shape] if shape.ndim == 1 and shape.dtype.kind == "i" and len(shape) <= 8 else [0]
    if min(sizes, default=0) < 1 or math.prod(sizes) != inputs:
        raise ModelError(f"{name}: its shape of a case does not fill its {inputs} columns; make the model again")
    offset, scale = _floats(tree, "offset", inputs, name), _floats(tree, "scale", inputs, name, positive=True)
    classes = _classes(tree, model, name) if "classes" in tree else ()
    if not classes and _classifies(model) and (model.loss != "cross_entropy" or model.outputs != model.inputs):
        raise ModelError(f"{name} tells classes but has no names for them; make the model again")
    columns = _columns(tree, inputs, name) if "columns" in tree else ()
    known = tables.parse(_part(tree, "fields", np.ndarray, name).tobytes(), inputs, name) if "fields" in tree else ()
    more = *_targets(tree, model, name), columns, _centre(tree, model, name), contrast, projection, known
    return Preparation(kind, offset, scale, tuple(sizes), classes, *more)


def _contrast(facts: dict, name: str) -> str | None:
    """The contrast that cases are brought to, if there is one."""
    if "contrast" in facts and facts["contrast"] not in CONTRASTS:
        raise ModelError(f"{name} has an unknown contrast, {shown(facts['contrast'])}; install a newer deepnet")
    return facts.get("contrast")


def _projection(tree: dict, inputs: int, name: str) -> Projection | None:
    """A map of the columns to the model's inputs; one that whitens gives as many as it takes."""
    if "projection" not in tree[""]:
        return None
    kind = tree[""]["projection"]
    if kind not in PROJECTIONS:
        raise ModelError(f"{name} has an unknown projection, {shown(kind)}; install a newer deepnet")
    matrix = _part(tree, "projection_matrix", np.ndarray, name)
    if matrix.dtype != np.float32 or matrix.ndim != 2 or matrix.shape[1] != inputs or not np.isfinite(matrix).all():
        raise ModelError(f"{name} has a projection that is no finite float32 map to its {inputs} inputs; {FOREIGN}")
    if len(matrix) < inputs or (kind == "zca" and len(matrix) != inputs):
        raise ModelError(f"{name} has a projection {kind} of {len(matrix)} columns to {inputs} inputs; {FOREIGN}")
    return Projection(kind, _floats(tree, "projection_mean", len(matrix), name), matrix)


def _classifies(model: Stack | Network) -> bool:
    """Whether its loss is one of classes."""
    return isinstance(model, Network) and loss_of(model.loss).counts == "wrong"


def _columns(tree: dict, inputs: int, name: str) -> tuple[str, ...]:
    """As many names as the model has inputs."""
    names = _part(tree, "columns", np.ndarray, name)
    if names.dtype.kind != _LABEL or names.shape != (inputs,):
        raise ModelError(f"{name} has names of columns that do not fit its {inputs} inputs; {FOREIGN}")
    return tuple(label.decode() for label in names)


def _classes(tree: dict, model: Stack | Network, name: str) -> tuple[str, ...]:
    """As many different names as a classifier has outputs."""
    names = _part(tree, "classes", np.ndarray, name)
    outputs = model.outputs if _classifies(model) else 0
    if names.dtype.kind != _LABEL or names.ndim != 1:
        raise ModelError(f"{name} has classes that are no list of names; {FOREIGN}")
    found = tuple(label.decode() for label in names)
    if len(found) != outputs or len(set(found)) != outputs or outputs < 2:
        raise ModelError(
            f"{name} has names of {len(set(found))} classes for {outputs} outputs of a classifier; {FOREIGN}"
        )
    return found


def _centre(tree: dict, model: Stack | Network, name: str) -> np.ndarray | None:
    """The centre of a one-class network's outputs, which no other model has."""
    one_class = isinstance(model, Network) and model.loss == "svdd"
    if one_class != ("centre" in tree):
        raise ModelError(f"{name} does not agree with itself on whether it has a centre; {FOREIGN}")
    return _floats(tree, "centre", model.outputs, name) if one_class else None


def _targets(tree: dict, model: Stack | Network, name: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Offset and scale of a regressor's outputs, both or neither."""
    if not {"target_offset", "target_scale"} & set(tree):
        return None, None
    if isinstance(model, Stack) or model.loss != "squared_error":
        raise ModelError(f"{name} scales its outputs but is no regressor; {FOREIGN}")
    width = model.outputs
    return _floats(tree, "target_offset", width, name), _floats(tree, "target_scale", width, name, positive=True)

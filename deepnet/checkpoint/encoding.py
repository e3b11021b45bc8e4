"""A checkpoint as the bytes of an HDF5 file: plain contiguous arrays, fixed-length text, no times."""

import h5py
import numpy as np

from .. import __version__
from ..nn.network import Network
from . import tables
from .contents import FORMAT, KINDS, NUMERICS, Checkpoint, Preparation, kind_of
from .sealing import VERSION
from .settings import dump


def encode(checkpoint: Checkpoint) -> bytes:
    """The HDF5 body, built in memory; OutputError for settings that could not be read again."""
    settings = {
        "config": dump(checkpoint.config, "settings"),
        "provenance": dump({**checkpoint.provenance, "numerics": NUMERICS}, "lineage"),
    }
    with h5py.File("model", "w", driver="core", backing_store=False) as file:
        for key, value in {"format": FORMAT, "deepnet_version": __version__, "kind": checkpoint.kind}.items():
            _label(file, key, value)
        file.attrs["format_version"] = np.int64(VERSION)
        file.attrs["complete"] = np.int64(checkpoint.complete)
        for name, text in settings.items():
            file.create_dataset(name, data=text)
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


def _encode_arrays(file, name: str, arrays: dict[str, np.ndarray]) -> None:
    group = file.create_group(name, track_order=True)
    for path, array in arrays.items():
        parent, _, own = path.rpartition("/")
        if parent and parent not in group:
            group.create_group(parent, track_order=True)
        (group[parent] if parent else group).create_dataset(own, data=array)


def _encode_model(group, checkpoint: Checkpoint) -> None:
    model = checkpoint.model
    if isinstance(model, Network):
        _label(group, "loss", model.loss)
    for i, (layer, arrays) in enumerate(zip(model.layers, checkpoint.arrays, strict=True)):
        part = group.create_group(str(i + 1))
        kind = kind_of(layer)
        _label(part, "kind", kind)
        part.attrs["version"] = np.int64(1)
        for key, value in KINDS[kind].settings(layer).items():
            if isinstance(value, str):
                _label(part, key, value)
            else:
                part.attrs[key] = value
        for key, array in sorted(arrays.items()):  # in whatever order they came: the same bytes
            part.create_dataset(key, data=np.ascontiguousarray(array, np.float32))


def _encode_preparation(group, p: Preparation) -> None:
    _label(group, "scaling", p.kind)
    arrays = {"offset": p.offset, "scale": p.scale, "shape": np.array(p.shape, np.int64)}
    if p.classes:
        arrays["classes"] = np.array([c.encode() for c in p.classes])
    if p.columns:
        arrays["columns"] = np.array([c.encode() for c in p.columns])
    if p.target_scale is not None:
        arrays |= {"target_offset": p.target_offset, "target_scale": p.target_scale}
    if p.centre is not None:
        arrays["centre"] = p.centre
    if p.contrast is not None:
        _label(group, "contrast", p.contrast)
    if p.projection is not None:
        _label(group, "projection", p.projection.kind)
        arrays |= {"projection_mean": p.projection.mean, "projection_matrix": p.projection.matrix}
    if p.fields:
        arrays["fields"] = tables.dump(p.fields)
    for key, array in arrays.items():
        group.create_dataset(key, data=array)

"""What is written is read back: data in every format, and model files, whatever they hold."""

import csv
import gzip
import io
import string
import struct

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deepnet import checkpoint, data
from deepnet.checkpoint import Checkpoint, Preparation
from deepnet.data.readers.idx import TYPES
from deepnet.nn.layers import LAYERS, BatchNorm, Dense, Dropout, Maxout, Noise
from deepnet.nn.losses import LOSSES
from deepnet.nn.network import Network
from deepnet.nn.units import UNITS
from tests.test_checkpoint import agree

SIZE = st.integers(1, 5)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs", "Cc"]), max_size=12)


def told(promise, what):
    promise(f"{settings.default.max_examples} {what}")


def numbers(dtype):
    """Values of a type that float32 can hold."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        width = min(32, 8 * dtype.itemsize)
        return st.floats(allow_nan=False, allow_infinity=False, width=width, allow_subnormal=False)
    return arrays.from_dtype(dtype)


def tables(dtypes, least=2, most=4):
    """Arrays of any of these types, of 1 to 5 cases and rank `least` to `most`."""
    kind = st.sampled_from(dtypes)
    return kind.flatmap(
        lambda dtype: arrays.arrays(
            dtype, st.lists(SIZE, min_size=least, max_size=most).map(tuple), elements=numbers(dtype)
        )
    )


def as_read(array):
    """What a Dataset holds of it: bytes as they are, else float32, a case a row."""
    flat = array.reshape(len(array), -1)
    return flat if array.dtype == np.uint8 else flat.astype(np.float32)


def same(found, expected):
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.flags.c_contiguous


def idx(array, dtype):
    code = next(code for code, name in TYPES.items() if name == dtype)
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.mark.promise("properties")
@given(tables(sorted(TYPES.values())), st.booleans(), st.integers(0, 2**32))
def test_idx(tmp_path, promise, images, packed, seed):
    labels = np.random.default_rng(seed).integers(256, size=len(images)).astype(np.uint8)
    pack = gzip.compress if packed else bytes
    for name, array in (("x-images.idx", images), ("x-labels.idx", labels)):
        (tmp_path / name).write_bytes(pack(idx(array, array.dtype.newbyteorder(">").str.replace("|", ">"))))
    cases = data.load(tmp_path / "x-images.idx", label=str(tmp_path / "x-labels.idx")).splits["train"]
    same(cases.inputs, as_read(images))
    np.testing.assert_array_equal(cases.targets, labels)
    told(promise, "IDX pairs")


PLAIN = ["?", "u1", "<u2", ">i4", "<i8", "<f2", "<f4", ">f4", "<f8", ">f8"]


@pytest.mark.promise("properties")
@given(tables(PLAIN), st.booleans())
def test_npy(tmp_path, promise, array, fortran):
    np.save(tmp_path / "x.npy", np.asfortranarray(array) if fortran else array)
    same(data.load(tmp_path / "x.npy").splits["train"].inputs, as_read(array))
    told(promise, "NPY files")


@pytest.mark.promise("properties")
@given(tables(PLAIN), st.booleans(), st.integers(0, 2**32))
def test_npz(tmp_path, promise, train, packed, seed):
    rng, test = np.random.default_rng(seed), train[::-1][:3]
    labels = [rng.integers(9, size=len(x)) for x in (train, test)]
    (np.savez_compressed if packed else np.savez)(
        tmp_path / "d.npz", x_train=train, y_train=labels[0], X_test=test, y_test=labels[1]
    )
    found = data.load(tmp_path / "d.npz").splits
    for name, x, y in zip(("train", "test"), (train, test), labels, strict=True):
        same(found[name].inputs, as_read(x))
        np.testing.assert_array_equal(found[name].targets, y)
    told(promise, "NPZ files")


@pytest.mark.promise("properties")
@given(tables(PLAIN), st.sampled_from([None, "gzip", "lzf"]), st.booleans(), st.booleans())
def test_hdf5(tmp_path, promise, array, packed, shuffle, checked):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        more = {"chunks": True, "compression": packed, "shuffle": shuffle, "fletcher32": checked}
        file.create_dataset("X", data=array, **(more if packed or shuffle or checked else {}))
        file["y"] = np.arange(len(array)) % 3
    cases = data.load(tmp_path / "d.h5").splits["train"]
    same(cases.inputs, as_read(array))
    np.testing.assert_array_equal(cases.targets, np.arange(len(array)) % 3)
    told(promise, "HDF5 files")


# Before 3.13 Python's writer leaves a carriage return without quotes, and the row ends there.
LABEL = (st.text(string.printable.replace("\0", ""), max_size=8) | TEXT).map(lambda text: text.replace("\r", ""))

NO_LABEL = ("na", "n/a", "nan", "null", "?")


@pytest.mark.promise("properties")
@given(
    tables(["<f4"], 2, 2), st.data(), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)  # fmt: skip
def test_csv(tmp_path, promise, array, source, delimiter, end, packed, quoting):
    labels = source.draw(st.lists(LABEL.filter(str.strip), min_size=len(array), max_size=len(array)))
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow([*(f"a{n}" for n in range(array.shape[1])), "kind"])
    writer.writerows([*row, label] for row, label in zip(array.tolist(), labels, strict=True))
    content = file.getvalue().encode()
    (tmp_path / "t.csv").write_bytes(gzip.compress(content) if packed else content)
    dataset = data.load(tmp_path / "t.csv", label="kind")
    same(dataset.splits["train"].inputs, array)
    expected = [label.replace("\r\n", "\n").replace("\r", "\n").strip() for label in labels]
    expected = ["" if label.lower() in NO_LABEL else label for label in expected]
    assert dataset.splits["train"].targets.tolist() == expected
    told(promise, "CSV tables")


def filled(shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@st.composite
def networks(draw):
    """Layers of any kind, one above the other, under a loss and its unit."""
    width, layers = draw(SIZE), []
    units = [name for name, unit in UNITS.items() if not unit.rowwise]
    for kind in draw(st.lists(st.sampled_from([*LAYERS.values()]), max_size=4)):
        out, unit = draw(SIZE), draw(st.sampled_from(units))
        share = draw(st.floats(0.01, 0.99))
        layers.append(
            {
                Dense: lambda: Dense(width, out, unit, draw(st.booleans())),  # noqa: B023
                BatchNorm: lambda: BatchNorm(width, out, unit),  # noqa: B023
                Maxout: lambda: Maxout(width, out, draw(st.integers(2, 5))),  # noqa: B023
                Dropout: lambda: Dropout(width, share),  # noqa: B023
                Noise: lambda: Noise(width, share),  # noqa: B023
            }[kind]()
        )
        width = layers[-1].outputs
    loss = draw(st.sampled_from(["cross_entropy", "binary_cross_entropy", "squared_error", "squared_hinge", "hinge"]))
    outputs = draw(st.integers(2, 5))
    return Network((*layers, Dense(width, outputs, LOSSES[loss].unit)), loss)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
OPTION = st.text(string.ascii_lowercase + "_", min_size=1).filter(
    lambda name: name not in ("command", "task", "valid", "seed", "data", "normal", "teachers", "numerics")
)


@st.composite
def checkpoints(draw):
    """Any network, settings, history and state of a run."""
    network, seed = draw(networks()), draw(st.integers(0, 2**32))
    made = []
    for n, layer in enumerate(network.layers):
        shapes = layer.shapes() | (layer.statistics() if isinstance(layer, BatchNorm) else {})
        made.append({name: np.abs(filled(shape, seed + n)) for name, shape in shapes.items()})
    width, classes = network.inputs, ()
    if LOSSES[network.loss].counts == "wrong":
        names = st.lists(TEXT.filter(str.strip), min_size=network.outputs, max_size=network.outputs, unique=True)
        classes = tuple(draw(names))
    more = {}
    if network.loss == "squared_error" and draw(st.booleans()):
        more = {"target_offset": filled(network.outputs, 1), "target_scale": np.abs(filled(network.outputs, 2)) + 1}
    if draw(st.booleans()):
        more["columns"] = tuple(draw(st.lists(TEXT, min_size=width, max_size=width)))
    preparation = Preparation(draw(st.sampled_from(["auto", "none", "unit", "standard"])), filled(width, seed),
                              np.abs(filled(width, seed)) + 1, (width,), classes, **more)  # fmt: skip
    epochs = draw(st.integers(0, 4))
    history = {
        stage: {metric: filled(epochs, 3).astype(float) for metric in draw(st.sets(st.sampled_from(["loss", "error"])))}
        for stage in draw(st.sets(st.sampled_from(["fine-tuning", "layer 1"])))
    }
    history = {stage: dict(sorted(metrics.items())) for stage, metrics in sorted(history.items()) if metrics}
    state = tables(["<f4", "<f8", "<i8"], 1, 2)
    train = draw(
        st.none() | st.dictionaries(st.sampled_from(["position", "velocity", "tally/loss"]), state, min_size=1)
    )
    config = draw(st.dictionaries(OPTION, JSON, max_size=5))
    return Checkpoint(network, made, preparation, config, history, {"data": "0" * 64}, train)


@pytest.mark.promise("properties")
@given(checkpoints())
def test_checkpoints(tmp_path, promise, model):
    checkpoint.save(str(tmp_path / "a.h5"), model)
    found = checkpoint.load(str(tmp_path / "a.h5"))
    agree(found, model)
    checkpoint.save(str(tmp_path / "b.h5"), found)
    assert (tmp_path / "b.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()
    told(promise, "networks with settings, history and state of any kind")

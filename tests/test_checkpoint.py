"""Model files: what is written is read again, and what was not written by us, or was changed, is refused."""

import importlib.util
import io
import json
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.checkpoint import PROJECTIONS, Checkpoint, Preparation, Projection, decoding
from deepnet.data import scaling
from deepnet.errors import ModelError, OutputError
from deepnet.kernels.minibatch import CONTRASTS
from deepnet.nn.autoencoder import HIDDEN, VISIBLE, Autoencoder
from deepnet.nn.layers import LAYERS, Dense, Dropout, Maxout, Noise, of_units
from deepnet.nn.losses import LOSSES
from deepnet.nn.network import Network
from deepnet.nn.rbm import RBM
from deepnet.nn.stack import Stack
from deepnet.nn.units import UNITS

GOLDEN = Path(__file__).parent / "golden"


def _script():
    spec = importlib.util.spec_from_file_location("golden_make", GOLDEN / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _script()
MADE = {"stack": MAKE.stack, "network": MAKE.network}


def same(a, b):
    """Whether two values of nested dicts and lists of arrays agree, bits and types."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    return type(a) is type(b) and a == b


def agree(found, expected):
    """Assert that two checkpoints are one."""
    assert found.model == expected.model
    assert len(found.arrays) == len(expected.arrays)
    for a, b in zip(found.arrays, expected.arrays, strict=True):
        assert set(a) == set(b)
        assert all(same(a[name], b[name]) for name in a)
    assert same(vars(found.preparation), vars(expected.preparation))
    assert found.config == expected.config
    assert same(found.history, expected.history)
    assert found.provenance == expected.provenance | {"numerics": checkpoint.NUMERICS}
    assert same(found.train, expected.train)
    assert found.kind == expected.kind
    assert found.complete == expected.complete


def network_of(layers, loss, outputs, **more):
    """A small network with arrays of exact numbers."""
    arrays = [{name: MAKE.numbers(*shape) for name, shape in layer.shapes().items()} for layer in layers]
    width = layers[0].inputs
    preparation = Preparation("none", np.zeros(width, np.float32), np.ones(width, np.float32), (width,), **more)
    return Checkpoint(Network(tuple(layers), loss), arrays, preparation, {"seed": 0})


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_round_trip(made, tmp_path):
    path = str(tmp_path / "a.h5")
    digest = checkpoint.save(path, made())
    found = checkpoint.load(path)
    agree(found, made())
    assert found.digest == digest
    checkpoint.save(str(tmp_path / "b.h5"), found)
    assert (tmp_path / "b.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if not loss.mimics])
@pytest.mark.parametrize("unit", [*(name for name, unit in UNITS.items() if not unit.rowwise), "maxout:3"])
def test_round_trip_of_every_unit_and_loss(unit, loss, tmp_path):
    more, bias = {"classes": ("a", "b", "c")} if LOSSES[loss].counts == "wrong" else {}, loss != "svdd"
    if loss == "svdd" and unit.startswith("maxout"):
        return  # it has biases
    if loss == "squared_error":
        more = {"target_offset": MAKE.numbers(3), "target_scale": np.ones(3, np.float32)}
    if loss == "svdd":
        more = {"centre": MAKE.numbers(3)}
    first = of_units(unit, 5, 4) if bias else Dense(5, 4, unit, False)
    layers = Dropout(5, 0.5), first, Noise(4, 0.1), Dense(4, 3, LOSSES[loss].unit, bias)
    model = network_of(layers, loss, 3, **more)
    checkpoint.save(str(tmp_path / "a.h5"), model)
    agree(checkpoint.load(str(tmp_path / "a.h5")), model)


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.mimics])
def test_no_network_has_a_teacher_s_loss(loss, tmp_path):
    checkpoint.save(str(tmp_path / "a.h5"), network_of((Dense(4, 3, LOSSES[loss].unit),), loss, 3))
    with pytest.raises(ModelError, match="does not fit its output layer"):
        checkpoint.load(str(tmp_path / "a.h5"))


@pytest.mark.parametrize("hidden", [name for name, unit in UNITS.items() if unit.rate])
@pytest.mark.parametrize("visible", [name for name, unit in UNITS.items() if unit.rate])
def test_round_trip_of_every_machine(visible, hidden, tmp_path):
    arrays = {"W": MAKE.numbers(3, 2), "b": MAKE.numbers(2), "c": MAKE.numbers(3)}
    preparation = Preparation("none", np.zeros(3, np.float32), np.ones(3, np.float32), (3,))
    model = Checkpoint(Stack((RBM(3, 2, visible, hidden),)), [arrays], preparation, {})
    checkpoint.save(str(tmp_path / "a.h5"), model)
    agree(checkpoint.load(str(tmp_path / "a.h5")), model)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("visible", VISIBLE)
def test_round_trip_of_every_autoencoder(visible, hidden, tied, tmp_path):
    layers = Autoencoder(3, 2, visible, hidden, tied), Autoencoder(2, 4, "linear", "logistic", not tied)
    arrays = [{s.name: MAKE.numbers(*s.shape) for s in layer.layout.segments} for layer in layers]
    preparation = Preparation("none", np.zeros(3, np.float32), np.ones(3, np.float32), (3,))
    model = Checkpoint(Stack(layers), arrays, preparation, {})
    checkpoint.save(str(tmp_path / "a.h5"), model)
    agree(checkpoint.load(str(tmp_path / "a.h5")), model)


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ((Autoencoder(3, 2, "softmax", "logistic"),), "of which no autoencoder is"),
        ((Autoencoder(3, 2, "logistic", "softmax"),), "of which no autoencoder is"),
        ((Autoencoder(3, 2, "logistic", "square"),), "of which no autoencoder is"),
        ((Autoencoder(3, 2, "logistic", "relu"), Autoencoder(2, 2, "logistic", "relu")), "over relu ones"),
        ((Autoencoder(3, 2, "logistic", "relu"), Autoencoder(3, 2, "linear", "relu")), "takes 3 inputs"),
    ],
)
def test_autoencoders_that_cannot_be(layers, word, tmp_path):
    arrays = [{s.name: MAKE.numbers(*s.shape) for s in layer.layout.segments} for layer in layers]
    preparation = Preparation("none", np.zeros(3, np.float32), np.ones(3, np.float32), (3,))
    checkpoint.save(str(tmp_path / "a.h5"), Checkpoint(Stack(layers), arrays, preparation, {}))
    with pytest.raises(ModelError, match=word):
        checkpoint.load(str(tmp_path / "a.h5"))


def test_every_kind_of_layer_can_be_written():
    """A new layer needs its row here."""
    assert set(LAYERS) | {"rbm", "autoencoder"} == set(checkpoint.KINDS)


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_golden_files_of_format_1(made):
    """The file in the repository, not one made today."""
    found = checkpoint.load(str(GOLDEN / f"{made.__name__}-1.h5"))
    expected = made()
    numerics = found.provenance["numerics"]
    assert numerics.startswith("1: philox4x32-10")
    expected.provenance["numerics"] = numerics
    assert found.model == expected.model
    assert all(same(a[n], b[n]) for a, b in zip(found.arrays, expected.arrays, strict=True) for n in b)
    assert same(vars(found.preparation), vars(expected.preparation))
    assert (found.config, found.provenance) == (expected.config, expected.provenance)
    assert same(found.history, expected.history)
    assert same(found.train, expected.train)
    assert found.complete is (made.__name__ == "network")


def test_golden_numbers_written_out():
    """As numbers, so that an error in make.py and in the reader cannot hide each other."""
    stack, network = (checkpoint.load(str(GOLDEN / f"{name}-1.h5")) for name in MADE)
    assert stack.arrays[0]["W"].tolist() == [
        [-0.375, -0.25, -0.125],
        [0, 0.125, 0.25],
        [0.375, 0.5, -0.375],
        [-0.25, -0.125, 0],
    ]
    assert stack.arrays[1]["c"].tolist() == [-0.375, -0.25, -0.125]
    assert stack.config["seed"] == 2**64 - 1
    assert stack.train["position"].tolist() == [1, 5]
    assert stack.model.widths == (4, 3, 2)
    assert network.arrays[2]["W"].tolist() == [[-0.375, -0.25], [-0.125, 0], [0.125, 0.25], [0.375, 0.5]]
    assert network.preparation.classes == ("früh, klein", "late")
    assert network.preparation.scale.tolist() == [0.625, 0.75, 0.875]
    assert network.model.layers[1] == Dropout(4, 0.25)


def test_the_file_is_what_is_told(tmp_path):
    """Opened by another HDF5 program it shows its parts, plain and uncompressed."""
    path = tmp_path / "a.h5"
    checkpoint.save(str(path), MADE["network"]())
    with h5py.File(path) as file:
        assert file.attrs["format"] == b"deepnet"
        assert file.attrs["format_version"] == 1
        assert file.attrs["kind"] == b"network"
        assert {"config", "model", "preprocess", "history", "provenance"} <= set(file)
        assert file["model/1/W"].shape == (3, 4)
        assert file["model/1/W"].dtype == np.float32
        assert file["model/1/W"].compression is None
        assert json.loads(file["config"][()].tobytes())["task"] == "classify"
        assert file["history/fine-tuning/validation_error"][()].tolist() == [0.25, 0.125]
    data = path.read_bytes()
    assert data[-64:-44] == checkpoint.MAGIC
    assert struct.unpack("<IQ", data[-44:-32]) == (1, len(data) - 64)


@pytest.fixture
def file(tmp_path):
    """A whole model file, and a name to write others under."""
    path = tmp_path / "model.h5"
    checkpoint.save(str(path), MADE["network"]())
    return path


def refused(path, *words):
    """Assert that the file is refused in one sentence that names it."""
    with pytest.raises(ModelError) as found:
        checkpoint.load(str(path))
    message = str(found.value)
    assert "\n" not in message
    assert message.startswith(Path(path).name)
    assert len(message) < 500
    assert all(word in message for word in words), message


@pytest.mark.promise("D5")
@pytest.mark.parametrize("made", MADE)
def test_a_flipped_bit_anywhere_is_seen(made, tmp_path, size, promise):
    path = tmp_path / "model.h5"
    checkpoint.save(str(path), MADE[made]())
    whole = path.read_bytes()
    bits = np.random.default_rng(5).choice(8 * len(whole), size(100, 2000), replace=False).tolist()
    for bit in bits:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        refused(path)
    promise(f"{len(bits)} flipped bits of a {made}: 0 silent")


def test_every_flipped_bit_of_the_seal_is_seen(file):
    whole = file.read_bytes()
    for place in range(len(whole) - 64, len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[place] ^= 1 << bit
            file.write_bytes(data)
            refused(file)


@pytest.mark.promise("D5")
@pytest.mark.parametrize("made", MADE)
def test_a_cut_anywhere_is_seen(made, tmp_path, size, promise):
    path = tmp_path / "model.h5"
    checkpoint.save(str(path), MADE[made]())
    whole = path.read_bytes()
    lengths = sorted({*range(0, len(whole), size(997, 97)), *range(len(whole) - 70, len(whole))})
    for length in lengths:
        path.write_bytes(whole[:length])
        refused(path)
    promise(f"{len(lengths)} truncations of a {made}: 0 silent")


def test_added_bytes_are_seen(file):
    whole = file.read_bytes()
    for more in (b"\0", b"\n", bytes(64), whole[-64:], whole):
        file.write_bytes(whole + more)
        refused(file)


OTHERS = {
    "nothing": b"",
    "a letter": b"x",
    "a table": b"W,b\n1,2\n",
    "a zip": b"PK\3\4" + bytes(200),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "the start of HDF5": b"\x89HDF\r\n\x1a\n" + bytes(200),
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_other_files_are_seen(content, tmp_path):
    path = tmp_path / "other.h5"
    path.write_bytes(content)
    refused(path)
    path.write_bytes(content + checkpoint.seal(content))
    refused(path)


@pytest.mark.parametrize("version", [2, 3, 2**31, 2**32 - 1, 0])
def test_other_versions_in_the_seal(version, file):
    data = file.read_bytes()
    file.write_bytes(data[:-44] + struct.pack("<I", version) + data[-40:])
    refused(file, "newer" if version else "format")


def test_hdf5_of_others_is_no_model(tmp_path):
    """Without a seal, and with one."""
    body = io.BytesIO()
    with h5py.File(body, "w") as other:
        other["X"] = np.zeros((3, 2))
    path = tmp_path / "data.h5"
    path.write_bytes(body.getvalue())
    refused(path)
    path.write_bytes(body.getvalue() + checkpoint.seal(body.getvalue()))
    refused(path)


def crafted(path, change, made="network"):
    """Write a model that was changed by someone who can make a seal."""
    body = io.BytesIO(checkpoint.encode(MADE[made]()))
    with h5py.File(body, "r+") as file:
        change(file)
    data = body.getvalue()
    Path(path).write_bytes(data + checkpoint.seal(data))


def put(name, value, **options):
    """Replace a dataset."""

    def change(file):
        if name in file:
            del file[name]
        file.create_dataset(name, data=value, **options)

    return change


def text(name, value):
    """Replace a JSON dataset by this text."""
    return put(name, np.frombuffer(value.encode(), np.uint8))


def mark(name, key, value):
    """Replace an attribute."""

    def change(file):
        (file[name] if name else file).attrs[key] = value

    return change


def noise(deviation):
    """Layer 2 as noise of this deviation."""

    def change(file):
        mark("model/2", "kind", np.bytes_(b"noise"))(file)
        mark("model/2", "deviation", np.float64(deviation))(file)

    return change


def drop(name):
    def change(file):
        del file[name]

    return change


def link(name, kind):
    def change(file):
        file[name] = kind

    return change


def unmark(name, key):
    def change(file):
        del (file[name] if name else file).attrs[key]

    return change


def huge(file):
    """A dataset that says 8 PiB and has no byte of them."""
    space = h5py.h5s.create_simple((1 << 25, 1 << 25))
    del file["model/1/W"]
    h5py.h5d.create(file["model/1"].id, b"W", h5py.h5t.NATIVE_FLOAT, space)


def bomb(file):
    """3 GB of ones in no bytes."""
    del file["model/1/W"]
    file.create_dataset("model/1/W", (3, 1 << 28), "f4", fillvalue=1)


def both(first, second):
    """Two changes."""

    def change(file):
        first(file)
        second(file)

    return change


def external(file):
    del file["model/1/b"]
    file["model/1"].create_dataset("b", (4,), "f4", external=[("/etc/hostname", 0, 16)])


def virtual(file):
    del file["model/1/b"]
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "b", (4,))
    file["model/1"].create_virtual_dataset("b", layout)


def cyclic(file):
    file["model/1/again"] = file["model"]


def ladder(file):
    """A hundred names in each of three groups, all for the next one: a million ways down."""
    below = file.create_group("history/a/b/c")
    for level in (file["history/a/b"], file["history/a"], file["history"]):
        for n in range(100):
            level[f"n{n}"] = below
        below = level


def deep(file):
    file.create_group("a/b/c/d/e/f/g")


def crowd(file):
    group = file.create_group("history/many")
    for n in range(10_001):
        group.create_group(str(n))


def committed_type(file):
    file["model/1/type"] = np.dtype("f4")


def group_for(name):
    def change(file):
        del file[name]
        file.create_group(name)

    return change


def layers_of(kind):
    return mark("", "kind", np.bytes_(kind))


W, B = MAKE.numbers(3, 4), MAKE.numbers(4)
BAD = {
    "no format": unmark("", "format"),
    "another format": mark("", "format", np.bytes_(b"other")),
    "a newer format": mark("", "format_version", np.int64(2)),
    "no version": unmark("", "format_version"),
    "a negative version": mark("", "format_version", np.int64(-1)),
    "a version in words": mark("", "format_version", np.bytes_(b"1")),
    "no kind": unmark("", "kind"),
    "an unknown kind": layers_of(b"forest"),
    "a network as a stack": layers_of(b"stack"),
    "text of any length": mark("", "kind", "network"),
    "a list as an attribute": mark("", "complete", np.arange(4)),
    "soft link": link("model/1/V", h5py.SoftLink("/model/1/W")),
    "external link": link("model/1/V", h5py.ExternalLink("/etc/passwd", "/")),
    "soft link for weights": lambda file: (file.move("model/1/W", "X"), link("model/1/W", h5py.SoftLink("/X"))(file)),
    "external storage": external,
    "virtual dataset": virtual,
    "a group inside itself": cyclic,
    "a deep tree": deep,
    "very many groups": crowd,
    "a committed type": committed_type,
    "8 PiB": huge,
    "a filter": lambda file: (drop("model/1/W")(file), file.create_dataset("model/1/W", data=W, compression="gzip")),
    "chunks": lambda file: (drop("model/1/W")(file), file.create_dataset("model/1/W", data=W, chunks=(1, 4))),
    "a fill value": bomb,
    "vlen text": put("model/1/name", "text", dtype=h5py.string_dtype()),
    "references": put("model/1/name", np.array([None]), dtype=h5py.ref_dtype),
    "nothing": put("model/1/W", h5py.Empty("f4")),
    "no weights": drop("model/1/W"),
    "no biases": drop("model/3/b"),
    "another dataset": put("model/1/extra", B),
    "arrays of a dropout layer": put("model/2/W", W),
    "a layer missing": drop("model/2"),
    "no layer": lambda file: [drop(f"model/{n}")(file) for n in (1, 2, 3)],
    "no model": drop("model"),
    "a model that is an array": put("model", W),
    "a layer that is an array": put("model/2", W),
    "a group for weights": group_for("model/1/W"),
    "weights of rank 3": put("model/1/W", W[None]),
    "weights of rank 1": put("model/1/W", B),
    "a number for weights": put("model/1/W", np.float32(1)),
    "weights turned": put("model/1/W", np.ascontiguousarray(W.T)),
    "no inputs": lambda file: (put("model/1/W", W[:0])(file), put("preprocess/offset", B[:0])(file),
                               put("preprocess/scale", B[:0])(file)),
    "no outputs": lambda file: (put("model/3/W", MAKE.numbers(4, 0))(file), put("model/3/b", B[:0])(file)),
    "layers that do not chain": lambda file: (put("model/3/W", MAKE.numbers(5, 2))(file)),
    "float64 weights": put("model/1/W", W.astype(np.float64)),
    "float16 weights": put("model/1/W", W.astype(np.float16)),
    "integer weights": put("model/1/W", W.astype(np.int32)),
    "complex weights": put("model/1/W", W.astype(np.complex64)),
    "compound weights": put("model/1/W", np.zeros((3, 4), [("a", "f4")])),
    "big-endian weights": put("model/1/W", W.astype(">f4")),
    "nan weights": put("model/1/W", W * np.float32(np.nan)),
    "infinite biases": put("model/3/b", np.array([np.inf, 0], np.float32)),
    "unknown unit": mark("model/1", "unit", np.bytes_(b"gelu")),
    "unknown layer": mark("model/1", "kind", np.bytes_(b"convolution")),
    "a newer layer": mark("model/1", "version", np.int64(2)),
    "unknown loss": mark("model", "loss", np.bytes_(b"hinge")),
    "a loss that does not match": mark("model", "loss", np.bytes_(b"squared_error")),
    "dropout of all": mark("model/2", "rate", np.float64(1)),
    "dropout below 0": mark("model/2", "rate", np.float64(-0.5)),
    "dropout of nan": mark("model/2", "rate", np.float64(np.nan)),
    "dropout of another width": mark("model/2", "width", np.int64(5)),
    "dropout of 10^12 units": mark("model/2", "width", np.int64(10**12)),
    "dropout without a rate": unmark("model/2", "rate"),
    "dropout that says it is noise": mark("model/2", "kind", np.bytes_(b"noise")),
    "noise of deviation 0": noise(0),
    "noise of infinite deviation": noise(np.inf),
    "noise of deviation nan": noise(np.nan),
    "no preparation": drop("preprocess"),
    "no scale": drop("preprocess/scale"),
    "a scale of 0": put("preprocess/scale", np.zeros(3, np.float32)),
    "a scale of nan": put("preprocess/scale", np.full(3, np.nan, np.float32)),
    "an offset of nan": put("preprocess/offset", np.full(3, np.nan, np.float32)),
    "a scale of text": put("preprocess/scale", np.array([b"a", b"b", b"c"])),
    "an offset of another width": put("preprocess/offset", B),
    "a shape that does not fill": put("preprocess/shape", np.array([28, 28])),
    "a shape of text": put("preprocess/shape", np.array([b"a"])),
    "a negative shape": put("preprocess/shape", np.array([-1, -3])),
    "more classes than outputs": put("preprocess/classes", np.array([b"a", b"b", b"c"])),
    "classes of numbers": put("preprocess/classes", np.array([1.0, 2.0])),
    "classes that are no text": put("preprocess/classes", np.array([b"\xff\xfe", b"b"])),
    "targets of another width": both(put("preprocess/target_scale", B), put("preprocess/target_offset", B)),
    "unknown scaling": mark("preprocess", "scaling", np.bytes_(b"magic")),
    "no config": drop("config"),
    "a config that is a group": group_for("config"),
    "a config that is a list": text("config", "[1, 2]"),
    "a config that is no JSON": text("config", "{"),
    "a config of 1 MB": text("config", json.dumps({"a": "x" * (1 << 20)})),
    "a config 30,000 deep": text("config", '{"a":' * 30_000 + "1" + "}" * 30_000),
    "a config with nan": text("config", '{"seed": NaN}'),
    "a config with a number of 5,000 digits": text("config", '{"seed": ' + "9" * 5000 + "}"),
    "a config with a name twice": text("config", '{"seed": 1, "seed": 2}'),
    "a config that is no UTF-8": put("config", np.array([0xFF, 0xFE], np.uint8)),
    "no history": drop("history"),
    "a history that is an array": put("history", B),
    "a history of groups": group_for("history/fine-tuning/training_loss"),
    "a history of unlike lengths": put("history/fine-tuning/training_loss", np.zeros(7)),
    "no provenance": drop("provenance"),
    "softmax below the output": mark("model/1", "unit", np.bytes_(b"softmax")),
    "a machine in a network": mark("model/1", "kind", np.bytes_(b"rbm")),
    "a unit that is a number": mark("model/1", "unit", np.int64(1)),
    "a rate that is text": mark("model/2", "rate", np.bytes_(b"0.5")),
    "a width of nan": mark("model/2", "width", np.float64(np.nan)),
    "a stranger": put("stranger", B),
    "a stranger among the preparation": put("preprocess/stranger", B),
    "an unfinished run without its state": mark("", "complete", np.int64(0)),
    "very many attributes": lambda file: [mark("model/1", f"a{n}", np.int64(n))(file) for n in range(100)],
    "groups that are each other's members": ladder,
    "no class names": drop("preprocess/classes"),
    "a class twice": put("preprocess/classes", np.array([b"a", b"a"])),
    "targets of a classifier": both(put("preprocess/target_scale", B[:2] + 2), put("preprocess/target_offset", B[:2])),
    "an offset in float64": put("preprocess/offset", np.zeros(3)),
    "a group for the offset": group_for("preprocess/offset"),
    "a config nested 9 deep": text("config", '{"a":' * 9 + "1" + "}" * 9),
    "a config beyond float": text("config", '{"rate": 1e999}'),
    "a seed in words": text("config", '{"seed": "seven"}'),
    "a held-out share that is a number": text("config", '{"valid": 0.5}'),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_crafted_files_are_refused(name, tmp_path):
    crafted(tmp_path / "bad.h5", BAD[name])
    refused(tmp_path / "bad.h5")


BAD_STACKS = {
    "a stack as a network": layers_of(b"network"),
    "machines that do not chain": lambda file: [put(f"model/2/{n}", MAKE.numbers(*s))(file) for n, s in
                                                (("W", (5, 2)), ("c", (5,)))],
    "units that do not chain": mark("model/2", "visible", np.bytes_(b"relu")),
    "tanh in a machine": mark("model/1", "visible", np.bytes_(b"tanh")),
    "no visible biases": drop("model/1/c"),
    "a state with weights of nan": put("train/best_theta", np.full(4, np.nan, np.float32)),
    "a state with weights of infinity": put("train/good/theta", np.full(4, np.inf, np.float32)),
    "a state with weights of text": put("train/best_theta", np.array([b"a"])),
    "visible biases of another width": put("model/1/c", MAKE.numbers(5)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_STACKS)
def test_crafted_stacks_are_refused(name, tmp_path):
    crafted(tmp_path / "bad.h5", BAD_STACKS[name], "stack")
    refused(tmp_path / "bad.h5")


def test_the_crafting_itself_does_no_harm(tmp_path):
    """What is only touched, not changed, is read: so the files above are refused for what they hold."""
    for name in MADE:
        crafted(tmp_path / "good.h5", lambda file: put("model/1/W", file["model/1/W"][()])(file), name)
        agree(checkpoint.load(str(tmp_path / "good.h5")), MADE[name]())


def test_what_a_later_minor_version_adds_is_no_harm(tmp_path):
    """Attributes and metrics that this reader does not know are passed over."""
    metric = put("history/fine-tuning/new_metric", np.array([1.0, 2.0]))
    crafted(tmp_path / "a.h5", both(mark("", "license", np.bytes_(b"MIT")), metric))
    assert "new_metric" in checkpoint.load(str(tmp_path / "a.h5")).history["fine-tuning"]


def test_names_of_files_are_shown_safely(tmp_path):
    path = tmp_path / "a\n\x1b[31m\u202eb.h5"
    path.write_text("no model")
    with pytest.raises(ModelError) as found:
        checkpoint.load(str(path))
    assert str(found.value).isprintable()


def test_a_model_opened_for_writing_by_others_is_told(file):
    """h5py in mode r+ cuts the seal off; the message says what may have happened."""
    with h5py.File(file, "r+") as other:
        other.attrs["mine"] = 1
    refused(file, "changed by another program")


def test_a_file_that_cannot_be_written_leaves_the_old_one(file, tmp_path):
    before = file.read_bytes()
    with pytest.raises(OutputError):
        checkpoint.save(str(tmp_path / "no" / "where.h5"), MADE["stack"]())
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.h5"]


BAD_REGRESSORS = {
    "an offset without a scale": drop("preprocess/target_scale"),
    "a scale without an offset": drop("preprocess/target_offset"),
    "a scale of 0": put("preprocess/target_scale", np.zeros(2, np.float32)),
    "an infinite offset": put("preprocess/target_offset", np.full(2, np.inf, np.float32)),
    "a scale of another width": put("preprocess/target_scale", np.ones(3, np.float32)),
    "a scale in float64": put("preprocess/target_scale", np.ones(2)),
    "classes": put("preprocess/classes", np.array([b"a", b"b"])),
}


@pytest.mark.parametrize("name", BAD_REGRESSORS)
def test_crafted_regressors_are_refused(name, tmp_path, monkeypatch):
    more = {"target_offset": MAKE.numbers(2), "target_scale": np.ones(2, np.float32)}
    monkeypatch.setitem(MADE, "regressor", lambda: network_of((Dense(3, 2, "linear"),), "squared_error", 2, **more))
    crafted(tmp_path / "good.h5", lambda file: None, "regressor")
    assert checkpoint.load(str(tmp_path / "good.h5")).preparation.target_scale.tolist() == [1, 1]
    crafted(tmp_path / "bad.h5", BAD_REGRESSORS[name], "regressor")
    refused(tmp_path / "bad.h5")


BAD_MAXOUTS = {
    "no pieces": unmark("model/1", "pieces"),
    "no piece": mark("model/1", "pieces", np.int64(0)),
    "fewer than none": mark("model/1", "pieces", np.int64(-3)),
    "one piece": mark("model/1", "pieces", np.int64(1)),
    "pieces that do not fill the columns": mark("model/1", "pieces", np.int64(5)),
    "more pieces than columns": mark("model/1", "pieces", np.int64(60)),
    "pieces of another number of units": mark("model/1", "pieces", np.int64(2)),
    "pieces as text": text("model/1", "pieces"),
    "a bias a unit": put("model/1/b", MAKE.numbers(4)),
    "a unit as well": mark("model/1", "kind", np.bytes_(b"dense")),
}


@pytest.mark.parametrize("name", BAD_MAXOUTS)
def test_crafted_maxouts_are_refused(name, tmp_path, monkeypatch):
    more = {"classes": ("a", "b", "c")}
    layers = Maxout(5, 4, 3), Dense(4, 3, "softmax")
    monkeypatch.setitem(MADE, "maxout", lambda: network_of(layers, "cross_entropy", 3, **more))
    crafted(tmp_path / "good.h5", lambda file: None, "maxout")
    assert checkpoint.load(str(tmp_path / "good.h5")).model.layers == layers
    crafted(tmp_path / "bad.h5", BAD_MAXOUTS[name], "maxout")
    refused(tmp_path / "bad.h5")


BAD_ONE_CLASSES = {
    "no centre": drop("preprocess/centre"),
    "a centre of another width": put("preprocess/centre", MAKE.numbers(3)),
    "a centre in float64": put("preprocess/centre", np.ones(2)),
    "a centre that is not finite": put("preprocess/centre", np.full(2, np.nan, np.float32)),
    "a bias": put("model/1/b", MAKE.numbers(4)),
    "a bias that is told": both(put("model/1/b", MAKE.numbers(4)), unmark("model/1", "bias")),
    "a bias that is told and not there": unmark("model/1", "bias"),
    "a bias as text": text("model/1", "bias"),
    "a bias of the outputs": put("model/2/b", MAKE.numbers(2)),
    "a centre of a regressor": mark("model", "loss", np.bytes_(b"squared_error")),
    "classes": put("preprocess/classes", np.array([b"a", b"b"])),
    "margins without classes": both(mark("model", "loss", np.bytes_(b"hinge")), drop("preprocess/centre")),
}


@pytest.mark.parametrize("name", BAD_ONE_CLASSES)
def test_crafted_one_class_networks_are_refused(name, tmp_path, monkeypatch):
    layers = Dense(3, 4, "relu", False), Dense(4, 2, "linear", False)
    monkeypatch.setitem(MADE, "one class", lambda: network_of(layers, "svdd", 2, centre=MAKE.numbers(2)))
    crafted(tmp_path / "good.h5", lambda file: None, "one class")
    found = checkpoint.load(str(tmp_path / "good.h5"))
    assert found.model.layers == layers
    assert found.preparation.centre.tolist() == MAKE.numbers(2).tolist()
    crafted(tmp_path / "bad.h5", BAD_ONE_CLASSES[name], "one class")
    refused(tmp_path / "bad.h5")


def prepared(kind="pca", contrast="l2"):
    """A network of 2 inputs, made from 6 columns, or of 6."""
    width = 2 if kind == "pca" else 6
    network = network_of((Dense(width, 2, "softmax"),), "cross_entropy", 2, classes=("a", "b"))
    projection = kind and Projection(kind, MAKE.numbers(6), MAKE.numbers(6, width))
    network.preparation = Preparation(
        "auto", MAKE.numbers(6), np.ones(6, np.float32), (2, 3), ("a", "b"), contrast=contrast, projection=projection
    )
    return network


@pytest.mark.parametrize("contrast", [None, *CONTRASTS])
@pytest.mark.parametrize("kind", [None, *PROJECTIONS])
def test_round_trip_of_every_preparation(kind, contrast, tmp_path):
    path = str(tmp_path / "a.h5")
    checkpoint.save(path, prepared(kind, contrast))
    found, expected = checkpoint.load(path), prepared(kind, contrast)
    one, other = dict(vars(found.preparation)), dict(vars(expected.preparation))
    if kind is not None:
        assert same(vars(one.pop("projection")), vars(other.pop("projection")))
    assert same(one, other)
    assert found.model == expected.model
    checkpoint.save(str(tmp_path / "b.h5"), found)
    assert (tmp_path / "b.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()


def test_a_preparation_without_more_has_the_bytes_of_old(tmp_path):
    """What is not asked for is not in the file, so that digests of older models stay."""
    with h5py.File(io.BytesIO(checkpoint.encode(MADE["network"]()))) as file:
        assert set(file["preprocess"].attrs) == {"scaling"}
        assert not {"projection_matrix", "projection_mean"} & set(file["preprocess"])


MATRIX = MAKE.numbers(6, 2)
BAD_PROJECTIONS = {
    "an unknown contrast": mark("preprocess", "contrast", np.bytes_(b"l3")),
    "a contrast that is a number": mark("preprocess", "contrast", np.int64(1)),
    "an unknown projection": mark("preprocess", "projection", np.bytes_(b"ica")),
    "a projection that is a number": mark("preprocess", "projection", np.float64(np.nan)),
    "no kind of projection": unmark("preprocess", "projection"),
    "whitening to fewer": mark("preprocess", "projection", np.bytes_(b"zca")),
    "no matrix": drop("preprocess/projection_matrix"),
    "no mean": drop("preprocess/projection_mean"),
    "a matrix turned": put("preprocess/projection_matrix", np.ascontiguousarray(MATRIX.T)),
    "a matrix to other inputs": put("preprocess/projection_matrix", MAKE.numbers(6, 3)),
    "a matrix from other columns": put("preprocess/projection_matrix", MAKE.numbers(7, 2)),
    "a matrix from fewer columns than inputs": put("preprocess/projection_matrix", MAKE.numbers(1, 2)),
    "a matrix from no column": put("preprocess/projection_matrix", MATRIX[:0]),
    "a matrix of rank 1": put("preprocess/projection_matrix", MATRIX[:, 0].copy()),
    "a matrix in float64": put("preprocess/projection_matrix", MATRIX.astype(np.float64)),
    "a matrix of text": put("preprocess/projection_matrix", np.full((6, 2), b"a")),
    "a matrix of nan": put("preprocess/projection_matrix", MATRIX * np.float32(np.nan)),
    "a group for the matrix": group_for("preprocess/projection_matrix"),
    "an infinite mean": put("preprocess/projection_mean", np.full(6, np.inf, np.float32)),
    "a mean of another width": put("preprocess/projection_mean", MAKE.numbers(2)),
    "a shape of the inputs": put("preprocess/shape", np.array([2])),
    "an offset of the inputs' width": put("preprocess/offset", MAKE.numbers(2)),
}


@pytest.mark.parametrize("name", BAD_PROJECTIONS)
def test_crafted_projections_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.setitem(MADE, "prepared", prepared)
    crafted(tmp_path / "good.h5", lambda file: None, "prepared")
    assert checkpoint.load(str(tmp_path / "good.h5")).preparation.width == 2
    crafted(tmp_path / "bad.h5", BAD_PROJECTIONS[name], "prepared")
    refused(tmp_path / "bad.h5")


def test_an_autoencoder_of_softmax_units_has_no_classes(tmp_path):
    model = network_of((Dense(3, 2, "logistic"), Dense(2, 3, "softmax")), "cross_entropy", 3)
    checkpoint.save(str(tmp_path / "a.h5"), model)
    agree(checkpoint.load(str(tmp_path / "a.h5")), model)


def test_the_scalings_are_those_of_the_data():
    assert decoding.SCALINGS == scaling.KINDS
    assert len(checkpoint.NUMERICS) <= 75


@pytest.mark.parametrize(
    "value", [{"a": float("nan")}, {"a": [[[[[[[[1]]]]]]]]}, {"a": "x" * (1 << 16)}, {"seed": "7"}, {"a": object()}]
)
def test_settings_that_could_not_be_read_are_refused_at_once(value, tmp_path):
    made = MADE["network"]()
    made.config.update(value)
    with pytest.raises(OutputError, match="cannot be saved"):
        checkpoint.save(str(tmp_path / "a.h5"), made)
    assert list(tmp_path.iterdir()) == []


def test_settings_too_large_to_be_read_are_not_written(tmp_path):
    """Better an error than a file that no one can open."""
    made = MADE["network"]()
    made.config["layers"] = list(range(30_000))
    try:
        checkpoint.save(str(tmp_path / "a.h5"), made)
    except Exception:
        assert not (tmp_path / "a.h5").exists()
    else:
        assert checkpoint.load(str(tmp_path / "a.h5")).config == made.config

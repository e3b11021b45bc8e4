"""HDF5 files that must be refused, as data and as models: {what is wrong: a function that writes the file at a path}.

RELIABILITY, section 3, and some of our own. Those that are only wrong as models, by what they hold, are in
`test_checkpoint`, which are models here too.
"""

import io
import os
import pickle
import struct
import zipfile
import zlib

import h5py
import numpy as np

from tests import test_checkpoint as models
from tests.data.readers import test_hdf5 as data

X = np.linspace(0, 1, 30, dtype=np.float32).reshape(6, 5)
Y = np.array([0, 1, 2, 2, 1, 0])
TREE, HEAP = b"TREE", b"GCOL"


def written(change, **options):
    """A function that writes an HDF5 file of X and y, changed by `change(file)`."""

    def write(path):
        with h5py.File(path, "w", **options) as file:
            file["X"], file["y"] = X, Y
            change(file)

    return write


def instead(name, value, **options):
    """Another array in place of this one."""

    def change(file):
        del file[name]
        file.create_dataset(name, data=value, **options)

    return written(change)


def plain(content):
    return lambda path: path.write_bytes(content)


def patched(write, *changes):
    """What `write` writes with some bytes replaced: (what to look for, which of these, bytes from there, new)."""

    def write_patched(path):
        write(path)
        content = bytearray(path.read_bytes())
        for magic, which, offset, new in changes:
            at = -1
            for _ in range(which + 1):
                at = content.index(magic, at + 1)
            new = struct.pack("<Q", at) if new == "itself" else new
            content[at + offset : at + offset + len(new)] = new
        path.write_bytes(content)

    return write_patched


def cut(write, share):
    """The first part of what `write` writes."""

    def write_cut(path):
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])

    return write_cut


def chunk(stored, mask=0, shape=(64, 64), dtype="u1", **options):
    """X in one chunk of these bytes as they are stored."""

    def change(file):
        del file["X"], file["y"]
        made = file.create_dataset("X", shape, dtype, chunks=shape, **options)
        made.id.write_direct_chunk((0,) * len(shape), stored, mask)
        file["y"] = np.arange(shape[0]) % 3

    return written(change)


def chunked(libver="earliest", rows=64, **options):
    """Random numbers in many chunks."""

    def change(file):
        del file["X"], file["y"]
        draw = np.random.default_rng(0)
        file.create_dataset("X", data=draw.integers(0, 99, (rows, 16), np.uint8), chunks=(2, 8), **options)
        file["y"] = np.arange(rows) % 3

    return written(change, libver=libver)


def many(file):
    """Small by itself, 2 GB together: each fits what the file is said to hold."""
    for n in range(2_000):
        file.create_dataset(f"x{n}", (1 << 10, 1 << 10), "u1", fillvalue=1)


def vlen_text(file):
    del file["X"]
    file.create_dataset("X", data=["some text"] * 6, dtype=h5py.string_dtype())


def vlen_shape(file):
    file["X"].attrs["shape"] = "text of any length"


FULL = bytes(range(256)) * 16
NOISE = np.random.default_rng(1).integers(0, 256, 4096, np.uint8).tobytes()
PACKED = {"compression": "gzip"}
# Data: refused by every command that reads them.
DATA = {
    **{write.__name__.removeprefix("write_"): (
        lambda path, write=write: data_file(path, write)) for write in data.HOSTILE if "labels" not in write.__name__},
    # What the chunks hold is not what they say.
    "a chunk that holds too little": chunk(zlib.compress(NOISE[:2000]), **PACKED),
    "a chunk that holds too much": chunk(zlib.compress(FULL * 2), **PACKED),
    "a chunk of a gigabyte": chunk(zlib.compress(bytes(1 << 28)), **PACKED),
    "a chunk that is cut": chunk(zlib.compress(NOISE)[:3000], **PACKED),
    "a chunk that is no gzip": chunk(NOISE, **PACKED),
    "a chunk that says it is not packed": chunk(NOISE[:2000], mask=1, **PACKED),
    "a chunk with a wrong sum of gzip": chunk(zlib.compress(NOISE)[:-1] + b"x", **PACKED),
    "a checksum that is cut off": chunk(b"abc", mask=2, fletcher32=True, **PACKED),
    "a chunk of a checksum alone": chunk(bytes(4), shape=(2, 2), fletcher32=True),
    "a checksum of something else": chunk(FULL + b"abcd", fletcher32=True),
    "an lzf chunk that holds too little": chunk(b"\x1f" + NOISE[:32] + b"\x00a" * 900, compression="lzf"),
    "an lzf chunk that points before itself": chunk(b"\x00a\xff\xff\xff\xff" + NOISE, compression="lzf"),
    "an lzf chunk that is cut": chunk((b"\x1f" + NOISE[:32]) * 127 + b"\x1f", compression="lzf"),
    "an lzf chunk that holds too much": chunk((b"\x00a\xe0\xff\x00" + b"\x00a") * 600, compression="lzf"),
    "a shuffled chunk that holds too little": chunk(zlib.compress(NOISE[:2047]), shuffle=True, **PACKED),
    # Damage where libhdf5 looks: lists of chunks, groups, heaps, messages.
    "a list of chunks that goes round": patched(chunked(), (TREE, 1, 5, b"\1"), (TREE, 1, 24 + 8 + 8 * 3, "itself")),
    "a list of chunks of 65,535": patched(chunked(), (TREE, 1, 6, b"\xff\xff")),
    "a list of chunks beyond the end": patched(chunked(), (TREE, 1, 24 + 8 + 8 * 3, b"\xff\xff\xff\0\0\0\0\0")),
    "chunks of 4 GB": patched(chunked(**PACKED), (TREE, 1, 24, b"\xff\xff\xff\xff")),
    "chunks that lie on each other": patched(chunked(), (TREE, 1, 24 + 8 + 8 * 3 + 8 + 8 + 8, bytes(8))),
    "a group that goes round": patched(written(lambda file: None), (TREE, 0, 5, b"\1"), (TREE, 0, 32, "itself")),
    "a group of 65,535": patched(written(lambda file: None), (b"SNOD", 0, 6, b"\xff\xff")),
    "a group without names": patched(written(lambda file: None), (b"HEAP", 0, 8, bytes(8))),
    "a heap of texts that goes round": patched(written(vlen_text), (HEAP, 0, 16, bytes(16))),
    "a heap of texts without end": patched(written(vlen_text), (HEAP, 0, 8, b"\xff" * 7 + b"\x7f")),
    "a chunk index that is cut": cut(chunked(), 0.55),
    "a fixed array that is cut": cut(chunked("latest"), 0.8),
    "an extensible array that is wrong": patched(chunked("latest", maxshape=(None, 16)), (b"EAIB", 0, 20, b"\xff" * 8)),
    "a B-tree that is wrong": patched(chunked("latest", maxshape=(None, None)), (b"BTHD", 0, 16, b"\xff" * 8)),
    "a superblock of version 9": patched(written(lambda file: None), (b"\x89HDF", 0, 8, b"\x09")),
    "offsets of 200 bytes": patched(written(lambda file: None), (b"\x89HDF", 0, 13, b"\xc8")),
    "a file said to be larger": patched(written(lambda file: None), (b"\x89HDF", 0, 40, b"\xff\xff\xff\xff\xff\0\0\0")),
    "a root elsewhere": patched(written(lambda file: None), (b"\x89HDF", 0, 64, b"\x07" + bytes(7))),
    # What is in it.
    "rows that are named and not there": written(lambda file: file.move("X", "other/X")),
    "a group as X": written(lambda file: (file.move("X", "X1"), file.create_group("X"))),
    "a label too few": instead("y", Y[:5]),
    "nan": instead("X", np.where(X > 0.99, np.nan, X)),
    "infinite in float32": instead("X", X.astype(np.float64) * 1e39),
    "no rows": instead("X", X[:0]),
    "no columns": instead("X", np.zeros((6, 0), np.float32)),
    "a number": instead("X", np.float32(1)),
    "text": instead("X", np.full((6, 5), b"1")),
    "complex numbers": instead("X", X.astype(np.complex64)),
    "rank 5": instead("X", X.reshape(6, 5, 1, 1, 1)),
    "many datasets": written(lambda file: (file.__delitem__("X"), many(file))),
    "names that steer a terminal": written(lambda file: (file.__delitem__("X"), file.create_dataset(
        "a\x1b[31m\u202eb", data=np.array([b"x"])), file.create_dataset("\x07", data=X))),
}  # fmt: skip
# Wrong for a classifier, or for logistic visible units: {what: (command, ...)}.
LABELS = {
    "labels that are a group": written(lambda file: (file.move("y", "y1"), file.create_group("y"))),
    "labels with fractions": instead("y", Y + 0.5),
    "labels below -1": instead("y", Y - 2),
    "labels too large": instead("y", Y + 65_533),
    "no label at all": instead("y", np.full(6, -1)),
    "labels of nan": instead("y", np.full(6, np.nan)),
    "infinite labels": instead("y", np.where(Y == 1, np.inf, Y)),
    "labels that are no text": instead("y", np.array([b"\xff"] * 6)),
    "labels of any length": written(lambda file: (file.__delitem__("y"), file.create_dataset(
        "y", data=["a"] * 6, dtype=h5py.string_dtype()))),
    "labels that are a link": written(lambda file: (file.move("y", "z"), file.__setitem__("y", h5py.SoftLink("/z")))),
    "labels elsewhere": written(lambda file: (file.__delitem__("y"), file.__setitem__(
        "y", h5py.ExternalLink("other.h5", "/y")))),
}  # fmt: skip
RANGE = {
    "values above 1": instead("X", X * 2),
    "values below 0": instead("X", X - 0.5),
}


def data_file(path, write):
    with h5py.File(path, "w") as file:
        write(file, path.parent)


def many_weights(file):
    """Each as large as all of the file may hold, and no byte of them there."""
    for n in range(2_000):
        file.create_dataset(f"history/fine-tuning/m{n}", (1024,), "f8", fillvalue=1)


def gzip_bomb(file):
    """A gigabyte of zeros in a megabyte, were it unpacked."""
    del file["model/1/W"]
    made = file.create_dataset("model/1/W", (16, 1 << 24), "f4", chunks=(1, 1 << 24), compression="gzip")
    packed = zlib.compress(bytes(1 << 26))
    for n in range(16):
        made.id.write_direct_chunk((n, 0), packed)


def unknown_filter(file):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 4))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    del file["model/1/W"]
    h5py.h5d.create(file["model/1"].id, b"W", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((3, 4)), plist)


def laid_out(kind, time=None):
    """Weights laid out in this way, and allocated at this time."""

    def change(file):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(kind)
        if time is not None:
            plist.set_alloc_time(time)
        del file["model/1/W"]
        made = h5py.h5d.create(file["model/1"].id, b"W", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((3, 4)), plist)
        if time is None:
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.zeros((3, 4), np.float32))

    return change


def attributes(count):
    """Very many attributes of one group."""

    def change(file):
        kind, space = h5py.h5t.NATIVE_INT8, h5py.h5s.create(h5py.h5s.SCALAR)
        for n in range(count):
            h5py.h5a.create(file.id, b"%d" % n, kind, space)

    return change


def groups(count):
    """Very many layers."""

    def change(file):
        group = file.require_group("model").id
        for n in range(4, count):
            h5py.h5g.create(group, b"%d" % n)

    return change


def nested(text):
    return models.text("config", text)


CHANGES = {
    **models.BAD,
    "many datasets": many_weights,
    "a gzip bomb": gzip_bomb,
    "an unknown filter": unknown_filter,
    "weights in the header": laid_out(h5py.h5d.COMPACT),
    "weights that are not there": laid_out(h5py.h5d.CONTIGUOUS, h5py.h5d.ALLOC_TIME_LATE),
    "a name that steers a terminal": models.put("model/1/a\x1b[31m\u202eb", X),
    "a group that steers a terminal": models.put("\x1b[31m\u202eb", X),
    "a type with a name that steers a terminal": lambda file: file.__setitem__("a\x07\u2028", np.dtype("f4")),
    "integers of 16 bits in a history": models.put("history/fine-tuning/training_loss", np.zeros(2, np.int16)),
    "no units": models.mark("model/2", "width", np.int64(0)),
    "fewer units than none": models.mark("model/2", "width", np.int64(-1)),
    "10^12 units": models.mark("model/2", "width", np.int64(10**12)),
    "100 attributes": attributes(100),
    "1,001 layers": groups(1_002),
    "lists 32,000 deep": nested("[" * 32_000 + "]" * 32_000),
    "tables and lists 20,000 deep": nested('{"a":[' * 5_000 + "]}" * 5_000),
    "brackets after a text of brackets": nested('{"a": "]]]\\\"[", "b": ' + "[" * 9 + "]" * 9 + "}"),
    "lists that never end": nested("[" * 60_000),
    "a negative number of 5,000 digits": nested('{"seed": -' + "9" * 5000 + "}"),
    "a number of 21 digits": nested('{"a": 100000000000000000000}'),
    "minus infinity": nested('{"a": -Infinity}'),
    "an inner name twice": nested('{"a": {"b": 1, "b": 2}}'),
    "settings in UTF-16": models.put("config", np.frombuffer('{"a": 1}'.encode("utf-16"), np.uint8)),
}  # fmt: skip


def hosts(change, count):
    """`change(count)` in a file of the newest form, which holds very many of a thing, sealed."""

    def write(path):
        with h5py.File(path, "w", libver="latest") as file:
            change(count)(file)
        sealed(path.read_bytes())(path)

    return write


def crafted(change, made="network"):
    return lambda path: models.crafted(path, change, made)


def sealed(content):
    """With a seal of its own."""
    return lambda path: path.write_bytes(content + models.checkpoint.seal(content))


def resealed(*changes):
    """A model of which bytes were replaced before it was sealed."""

    def write(path):
        patched(lambda path: path.write_bytes(models.checkpoint.encode(models.MADE["network"]())), *changes)(path)
        sealed(path.read_bytes())(path)

    return write


def model(path):
    models.checkpoint.save(str(path), models.MADE["network"]())


def changed(change):
    """A whole model with its bytes changed."""

    def write(path):
        model(path)
        path.write_bytes(change(path.read_bytes()))

    return write


def keras(path):
    """As Keras writes weights in HDF5."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        group = file.create_group("model_weights/dense/dense")
        group["kernel:0"], group["bias:0"] = X, X[0]


def torch(path):
    """As torch.save writes: a zip with a pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"weight": [1.0, 2.0]}))
        file.writestr("archive/data/0", X.tobytes())
        file.writestr("archive/version", "3\n")


def mat(path):
    """As MATLAB 7.3 writes: HDF5 behind a block of 512 bytes."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file["W"] = X
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")


class Evil:
    """What would run on loading, were it unpickled."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


BODY = io.BytesIO()
keras(BODY)
# Models: refused by every command that reads them.
MODELS = {
    **{name: crafted(change) for name, change in CHANGES.items()},
    **{name: crafted(change, "stack") for name, change in models.BAD_STACKS.items()},
    **{f"{name}, {how}": do(content) for name, content in models.OTHERS.items()
       for how, do in (("as it is", plain), ("sealed", sealed))},
    "a cut model": changed(lambda content: content[:5000]),
    "half a seal": changed(lambda content: content[:-32]),
    "bytes appended": changed(lambda content: content + b"\n"),
    "a flipped bit": changed(lambda content: content[:900] + bytes([content[900] ^ 4]) + content[901:]),
    "another seal": changed(lambda content: content[:-44] + struct.pack("<I", 7) + content[-40:]),
    "a seal without a body": changed(lambda content: content[-64:]),
    "Keras": keras,
    "Keras, sealed": sealed(BODY.getvalue()),
    "torch": torch,
    "pickle": plain(pickle.dumps(Evil())),
    "pickle, sealed": sealed(pickle.dumps(Evil())),
    "MATLAB 5": plain(b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\1IM" + bytes(200)),
    "MATLAB 7.3": mat,
    # Damage where libhdf5 looks, with a right seal.
    "a group that goes round": resealed((TREE, 2, 5, b"\1"), (TREE, 2, 32, "itself")),
    "a group of 65,535": resealed((b"SNOD", 1, 6, b"\xff\xff")),
    "names beyond the end": resealed((b"HEAP", 1, 24, b"\xff" * 8)),
    "a free list that goes round": resealed((b"HEAP", 0, 16, bytes(8))),
    "a file said to be larger": resealed((b"\x89HDF", 0, 40, b"\xff\xff\xff\xff\xff\0\0\0")),
    "a superblock of version 9": resealed((b"\x89HDF", 0, 8, b"\x09")),
    "offsets of 200 bytes": resealed((b"\x89HDF", 0, 13, b"\xc8")),
}  # fmt: skip

"""H1: of each group of RELIABILITY's section 3 inputs that nobody listed, in every command that takes such.

They were made by hand when the readers were finished, and refused at once; the list is in the pages beside this one.
"""

import gzip
import re
import shutil
import struct

import h5py
import pyarrow as pa
import pytest

from tests import test_hostile_data, test_hostile_hdf5
from tests.hostile import (
    GOOD,
    PLAIN,
    PLAIN_ROWS,
    ROWS,
    WHOLE,
    drawn,
    header,
    mat,
    parquet,
    patched,
    put,
    spoilt,
)
from tests.hostile_hdf5 import X, crafted, written
from tests.refusal import check_refused, told
from tests.test_hostile_words import BASES


def other_end(file):
    """The same weights, the other byte first."""
    weights = file["model/1/W"][()]
    del file["model/1/W"]
    file["model/1/W"] = weights.astype(">f4")


def lent(file):
    """A layer has the array of another one for its own, by a second hard link."""
    del file["model/3/W"]
    file["model/3/W"] = file["model/1/b"]


def moments(file):
    """Points in time, which HDF5 stores and nobody reads."""
    del file["X"]
    h5py.h5d.create(file.id, b"X", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple(X.shape))


def rounded(file):
    """Packed by a filter that rounds."""
    del file["X"]
    file.create_dataset("X", data=(9 * X).astype("i4"), chunks=X.shape, scaleoffset=0)


def logged(epoch):
    """A log's line of this epoch."""
    return (
        b'{"event": "epoch", "stage": "fine-tuning", "epoch": %s, "seconds": 1.0, "time": 1.0, "metrics": {"a": 1}}\n'
        % epoch.encode()
    )


LOGS = {
    "export": "export {} -o made.tfevents",
    "compare": "compare good.npz net.h5 net.h5 --split train --log {0} --log {0} -o chart.png",
}
MODELS, DATA = test_hostile_hdf5.READ_MODELS, test_hostile_hdf5.READ_DATA
TABLES = test_hostile_data.COMMANDS
FOOTER = ROWS[-8 - int.from_bytes(ROWS[-8:-4], "little") :]
OLD = struct.pack("<iiiii", 0, 6, 5, 0, 2) + b"X\0" + X.astype("<f8").tobytes()  # MATLAB's before 1996
OVERLAPPING = patched(GOOD, GOOD.rfind(b"PK\1\2") + 42, bytes(4))
FILES = {  # group: {what: (name, content, what is said, commands)}
    "model files": {
        "weights of the other end": ("bad.h5", crafted(other_end), "dataset W", MODELS),
        "weights that are another layer's": ("bad.h5", crafted(lent), "layer 3", MODELS),
    },
    "HDF5 data": {
        "points in time": ("bad.h5", written(moments), "records", DATA),
        "a filter that rounds": ("bad.h5", written(rounded), "filter", DATA),
    },
    "NPY": {
        "true for a length": ("x.npy", header(PLAIN % "(True, 3)", body=bytes(12)), "cannot be read", TABLES),
        "digits of another script": ("x.npy", header(PLAIN % "(\u0662, 3)", body=bytes(24)), "cannot be read", TABLES),
    },
    "NPZ": {"two members at one place": ("d.npz", OVERLAPPING, "damaged", TABLES)},
    "IDX": {"two gzips, the second cut": (
        "x.idx.gz", gzip.compress(WHOLE[:9]) + gzip.compress(WHOLE[9:])[:-5], "damaged gzip", TABLES)},
    "CSV": {
        "a longer way to write a 4": ("t.csv", b"1,2\n3,\xc0\xb4\n", "not UTF-8", TABLES),
        "a line that ends as none does": ("t.csv", "1,2\n3,4\u20285,6\n".encode(), "has 3 columns", TABLES),
    },
    "logs": {
        "an epoch without end": ("bad.jsonl", logged("1e999"), "log", LOGS),
        "an epoch beyond all numbers": ("bad.jsonl", logged("1" + "0" * 24), "log", LOGS),
    },
    "mixed CSV": {
        "numbers with their unit": ("t.csv", b"a,b\n1 kg,x\n2 kg,y\n3,x\n", "where a number is due", TABLES),
        "a minus that is none": ("t.csv", "a,b\n1,x\n\u22122,y\n".encode(), "where a number is due", TABLES),
    },
    "Parquet": {
        "maps": ("t.parquet", parquet({"a": pa.array([[(1, 1)]], pa.map_("i4", "i4"))}), "holds map", TABLES),
        "the end of another file": ("t.parquet", PLAIN_ROWS[:60] + FOOTER, "damaged Parquet", TABLES),
    },
    "JSON lines": {
        "two objects in a line": ("t.jsonl", b'{"a": 1}\n{"a": 2} {"a": 3}\n', "row 2 is no JSON", TABLES),
        "quotes of Python": ("t.jsonl", b'{"a": 1}\n{\'a\': 2}\n', "row 2 is no JSON", TABLES),
        "digits of another script": ("t.jsonl", "[1]\n[\u0662]\n".encode(), "row 2 is no JSON", TABLES),
        "a list within that is longer": ("t.jsonl", b'{"x": [1, 2]}\n{"x": [1, 2, 3]}\n', "row 2 has 'x3'", TABLES),
    },
    "svmlight": {
        "digits of another script": ("t.svm", "1 1:2\n2 \u0663:4\n".encode(), "row 2 holds", TABLES),
        "a number of C": ("t.svm", b"1 1:2\n2 3:0x1p-3\n", "row 2 holds '3:0x1p-3'", TABLES),
        "an index with a sign": ("t.svm", b"1 1:2\n2 +3:4\n", "row 2 holds", TABLES),
    },
    "MATLAB": {
        "version 4": ("x.mat", OLD, "not MATLAB as its name says", TABLES),
        "the end of no machine": ("x.mat", patched(mat(X=X), 126, b"XX"), "damaged MATLAB", TABLES),
    },
    "folders": {
        "a folder named as a picture": ("photos/", spoilt("cat/2.png/3.png", drawn()), "a folder within", TABLES),
        "a picture of real numbers": ("photos/", spoilt("cat/2.tif", drawn("TIFF", "F")), "2.tif has pixels", TABLES),
    },
    "images": {"a HEIC behind .png": ("x.png", b"\0\0\0\x18ftypheic" + bytes(50), "not a picture as its name", TABLES)},
}  # fmt: skip
WORDS = {
    "pretrain": ["--layers=1e2", "--layers=--", "--epochs=1e3"],
    "finetune": ["--seed=0x10", "--learning-rate=0x1p-3", "--max-time=1_0s", "--batch-size=5.0"],
    "evaluate": ["--mc=1e1", "--require=auc>>0.9", "--require=error<=\u0665%"],
    "compare": ["--log=net.h5", "--output=page.xhtml"],
    "efficiency": ["--labels=3-5", "--seeds=1.0", "--methods=backprop,,backprop"],
    "visualize": ["--kind=filters,", "--earlier=net.h5,", "--output=p.png.exe"],
    "predict": ["--share=1/2", "--format=CSV", "--give=codes,"],
    "inspect": ["--size=28\u00d728", "--size=28x28x28x28"],
    "export": ["--output=net.pyc", "--output=.onnx", "--give=label"],
    "warmup": ["--threads=1.0"],
    "selfcheck": ["--threads=+-1"],
    "verify-resume": ["--seed=1e3"],
    "doctor": ["--threads=0b1"],
}


@pytest.mark.promise("beyond the list")
@pytest.mark.parametrize("group", FILES)
def test_files(group, apart, place, size, promise):
    found = []
    for what, (name, content, says, commands) in FILES[group].items():
        put(place / name, content)
        names = list(commands)
        for command in size([names[len(what) % len(names)]], names):
            found.append(apart(commands[command].format(name).split(), place))
            line = check_refused(found[-1], name)
            # A stream is held to the model's columns first; where labels are due, a table must say where they are.
            assert re.search(f"{says}|does not say which column|takes 5", line), (what, command, line)
        shutil.rmtree(place / name) if (place / name).is_dir() else (place / name).unlink()
    figure, seconds = told(found)
    promise(f"{group}: {figure}")
    assert seconds <= 4


@pytest.mark.promise("beyond the list")
@pytest.mark.parametrize("command", WORDS)
def test_arguments(command, apart, place, promise):
    found = [apart([*BASES[command].split(), word], place) for word in WORDS[command]]
    for one in found:
        check_refused(one, codes=[2])
    promise(f"{len(found)} of {len(found)} arguments of {command} refused in one line")

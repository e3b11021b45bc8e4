"""H2: damaged HDF5 files, as data and as models that are sealed again, are refused, or what they give is valid.

A batch is a child of the harness; `batch("model", 17, 1)` tries mutant 17 again.
"""

import io
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import checkpoint, data
from deepnet.errors import DeepnetError
from tests import test_checkpoint as models

BATCH = 20
SIGNS = b"TREE SNOD HEAP OHDR OCHK FRHP FSHD FHDB FADB EAHD EAIB BTHD BTLF".split()
EXTREMES = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)


def flip(content, draw, place):
    """A few bits, anywhere near."""
    for _ in range(draw.integers(1, 5)):
        content[(place + draw.integers(64)) % len(content)] ^= 1 << int(draw.integers(8))


def number(content, draw, place):
    """A number of 1 to 8 bytes, often the largest of its kind."""
    width = int(draw.choice([1, 2, 4, 8]))
    value = int(draw.choice(np.array(EXTREMES, np.uint64))) % 2 ** (8 * width)
    at = (place + int(draw.integers(64))) % max(1, len(content) - width)
    content[at : at + width] = value.to_bytes(width, "little")


def address(content, draw, place):
    """What looks like a place in the file becomes another such place: rings and overlaps."""
    words = np.frombuffer(bytes(content[: len(content) // 8 * 8]), "<u8")
    known = np.flatnonzero((words >= 48) & (words < len(content)))
    if len(known):
        to, of = draw.choice(known, 2)
        content[8 * to : 8 * to + 8] = int(words[of]).to_bytes(8, "little")


def swap(content, draw, place):
    """Two blocks change places."""
    size = int(draw.choice([8, 64, 512]))
    one, two = (int(draw.integers(max(1, len(content) - size))) for _ in range(2))
    content[one : one + size], content[two : two + size] = content[two : two + size], content[one : one + size]


def shift(content, draw, place):
    """A few bytes are lost, or come twice."""
    size = int(draw.integers(1, 17))
    if draw.integers(2):
        del content[place : place + size]
    else:
        content[place:place] = content[place : place + size]


def cut(content, draw, place):
    """The end is lost."""
    del content[int(draw.integers(len(content))) :]


MUTATIONS = (flip, number, number, address, address, swap, shift, cut)


def mutant(content, seed):
    """The content after one to three mutations, half of them where structures begin."""
    draw, content = np.random.default_rng(seed), bytearray(content)
    for _ in range(draw.integers(1, 4)):
        signs = [at for sign in SIGNS if (at := content.find(sign, int(draw.integers(len(content) or 1)))) >= 0]
        place = int(draw.choice(signs) if signs and draw.integers(2) else draw.integers(len(content) or 1))
        MUTATIONS[draw.integers(len(MUTATIONS))](content, draw, place)
        if not content:
            break
    return bytes(content)


def data_file(libver, text=False, **options):
    """The bytes of a data set: images, labels, a shape."""
    draw, body = np.random.default_rng(0), io.BytesIO()
    with h5py.File(body, "w", libver=libver) as file:
        for split, n in (("train", 40), ("test", 10)):
            made = file.create_dataset(f"x_{split}", data=draw.integers(0, 99, (n, 12)).astype("u1"), **options)
            made.attrs["shape"] = (3, 4)
            labels = np.arange(n) % 3
            file[f"y_{split}"] = np.array([b"abc"[k : k + 1] for k in labels]) if text else labels
    return body.getvalue()


PACKED = {"chunks": (4, 5), "compression": "gzip", "shuffle": True, "fletcher32": True}
BASES = {
    "model": [models.checkpoint.encode(made()) for made in models.MADE.values()],
    "data": [data_file("earliest"), data_file("earliest", text=True, **PACKED),
             data_file("latest", chunks=(4, 5), compression="lzf", maxshape=(None, 12)),
             data_file("latest", chunks=(4, 5), maxshape=(None, None)), data_file("latest", text=True, **PACKED)],
}  # fmt: skip


def load_model(path):
    """Its bytes as it would be written again, after the checks that a model passes."""
    found = checkpoint.load(path)
    assert all(np.isfinite(a).all() for arrays in found.arrays for a in arrays.values())
    assert np.isfinite(found.preparation.offset).all()
    assert (found.preparation.scale > 0).all()
    return checkpoint.encode(found)


def load_data(path):
    """The fingerprint, after the checks that data pass."""
    found = data.load(path, task="classify")
    for cases in found.splits.values():
        assert cases.inputs.dtype in (np.uint8, np.float32)
        assert cases.inputs.shape == (len(cases.targets), np.prod(found.shape))
        assert np.isfinite(cases.inputs).all()
        assert ((cases.targets >= -1) & (cases.targets < len(found.classes))).all()
    return found.fingerprint


def batch(kind, first, count):
    """Try mutants; prints how many were refused, of these how many by the probe, and how many loaded."""
    refused = caught = loaded = 0
    for seed in range(first, first + count):
        print("mutant", seed, flush=True)  # noqa: T201
        content = mutant(BASES[kind][seed % len(BASES[kind])], seed)
        path = Path("mutant.h5")
        path.write_bytes(content + (checkpoint.seal(content) if kind == "model" else b""))
        load = load_model if kind == "model" else load_data
        try:
            once = load(str(path))
            assert load(str(path)) == once, "what happens to lie in memory"
            loaded += 1
        except DeepnetError as problem:
            words = str(problem)
            refused += 1
            caught += "crashes" in words or "takes" in words
            if not words.isprintable() or len(words) > 1000:
                return 1
    print(json.dumps([refused, caught, loaded]))  # noqa: T201
    return 0


@pytest.mark.promise("H2")
@pytest.mark.parametrize("kind", BASES)
def test_mutants(kind, apart, tmp_path, size, promise):
    total, count = np.zeros(3, int), size(100, 2000)
    for first in range(0, count, BATCH):
        found = apart.call("tests.test_mutants_hdf5:batch", kind, first, BATCH, folder=tmp_path)
        assert (found.code, found.err) == (0, ""), found
        total += json.loads(found.out.splitlines()[-1])
    refused, caught, loaded = total
    assert refused > count / 4
    promise(f"{count} mutated {kind} files: {refused} refused ({caught} by the probe), {loaded} loaded and valid")

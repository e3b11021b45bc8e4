"""Chunks unpacked here hold what libhdf5 unpacks, and nothing where libhdf5 gives what lies in memory."""

import zlib

import h5py
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from deepnet.data.readers.chunks import chunks_of
from deepnet.data.readers.filters import fletcher32, unpack
from deepnet.errors import DataError

FILTERS = [
    {},
    {"shuffle": True},
    {"fletcher32": True},
    {"compression": "gzip"},
    {"compression": "lzf"},
    {"compression": "gzip", "shuffle": True, "fletcher32": True},
    {"compression": "lzf", "shuffle": True, "fletcher32": True},
]
SHAPES = [((7, 5, 3), (3, 2, 2)), ((64,), (10,)), ((9, 4), (1, 4)), ((5, 6), (8, 8)), ((900, 31), (400, 31))]


def values(shape, dtype):
    found = np.random.default_rng(0).integers(0, 50, shape)
    return np.char.mod(b"%d", found).astype(dtype) if dtype[0] == "S" else found.astype(dtype)


@pytest.mark.parametrize("options", FILTERS, ids=str)
@pytest.mark.parametrize("dtype", ["u1", "f4", ">f8", "f2", ">i4", "?", "S5"])
def test_the_same_as_libhdf5(options, dtype, tmp_path):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        for n, (shape, chunks) in enumerate(SHAPES):
            fill = None if dtype[0] == "S" else 1
            maxshape = (None,) * len(shape)
            settings = {"chunks": chunks, "maxshape": maxshape, "fillvalue": fill, **options}
            file.create_dataset(f"full {n}", data=values(shape, dtype), **settings)
            part = file.create_dataset(f"part {n}", shape, dtype, **settings)
            part[: chunks[0]] = values(shape, dtype)[: chunks[0]]
    with h5py.File(tmp_path / "d.h5") as file:
        for name, data in file.items():
            found = chunks_of(data, name, 1 << 20)
            for rows in (slice(None), slice(1, 3), slice(2, -1), slice(4, 4)):
                expected = data[rows]
                assert found[rows].dtype == expected.dtype
                assert found[rows].tobytes() == expected.tobytes()
            assert (found.shape, found.dtype, found.chunks) == (data.shape, data.dtype, data.chunks)


def test_texts_and_numbers_of_other_programs(tmp_path):
    """Padded with spaces, 24 bits in 4 bytes: types of which NumPy knows none."""
    padded, odd = h5py.h5t.C_S1.copy(), h5py.h5t.STD_I32LE.copy()
    padded.set_size(4)
    padded.set_strpad(h5py.h5t.STR_SPACEPAD)
    odd.set_precision(24)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((2,))
        for name, kind, array in ((b"t", padded, np.array([b"ab", b"c", b"defg"])), (b"n", odd, np.arange(-1, 2))):
            made = h5py.h5d.create(file.id, name, kind, h5py.h5s.create_simple((3,)), plist)
            made.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
        for name in "tn":
            expected = file[name][()]
            found = chunks_of(file[name], name, 1 << 20)[:]
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


@given(st.binary(max_size=200), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_filters_of_whatever_bytes(stored, size):
    """Either so many bytes or ValueError, never more memory than they take."""
    for numbers in ((), (1,), (2,), (3,), (32000,), (2, 1, 3), (3, 1), (2, 32000)):
        filters = tuple((number, (4,)) for number in numbers)
        try:
            assert len(unpack(stored, 0, filters, 4 * size, 4)) == 4 * size
        except ValueError:
            continue


def test_a_checksum_is_hdf5_s(tmp_path):
    """Of an even and an odd number of bytes, of zeros, of more than one block, and with a bit flipped."""
    for n, content in enumerate((b"", b"abc", bytes(8), b"\xff" * 1000, bytes(range(256)) * 1500, b"\xff" * 400_001)):
        if not content:
            assert fletcher32(content) == 0
            continue
        with h5py.File(tmp_path / f"{n}.h5", "w") as file:
            data = np.frombuffer(content, np.uint8)
            made = file.create_dataset("x", data=data, chunks=data.shape, fletcher32=True)
            stored = made.id.read_direct_chunk((0,))[1]
        assert fletcher32(content).to_bytes(4, "little") == stored[-4:]
        assert unpack(stored, 0, ((3, ()),), len(content), 1) == content
        old = stored[:-4] + bytes(stored[-4:][k] for k in (1, 0, 3, 2))
        assert unpack(old, 0, ((3, ()),), len(content), 1) == content
        flipped = bytearray(stored)
        flipped[len(content) // 2] ^= 1
        with pytest.raises(ValueError, match="checksum"):
            unpack(bytes(flipped), 0, ((3, ()),), len(content), 1)


def test_a_bomb_is_not_unpacked():
    stored = zlib.compress(bytes(1 << 24))
    with pytest.raises(ValueError, match="more values than it should"):
        unpack(stored, 0, ((1, (6,)),), 4096, 1)


def test_filters_in_an_order_that_has_no_bound_are_refused(tmp_path):
    """gzip of gzip: how large the inner one is could not be told."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 2))
    plist.set_deflate(4)
    plist.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL, ())
    with h5py.File(tmp_path / "d.h5", "w") as file:
        h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((3, 2)), plist)
        with pytest.raises(DataError, match=r"filter \[1, 32000\]"):
            chunks_of(file["x"], "x", 1 << 20)

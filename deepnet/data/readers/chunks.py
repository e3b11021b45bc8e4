"""Arrays that lie in an HDF5 file in chunks, unpacked here: libhdf5 hands the chunks out as they are stored.

libhdf5 2.0 itself gives what happens to lie in memory where a chunk unpacks to less than it should, reads beyond its
end where the checksum is cut off, and unpacks without bound what holds more.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import DataError
from .filters import DEFLATE, FLETCHER32, LZF, PACKERS, SHUFFLE, unpack

LARGEST, MOST = 64 << 20, 1_000_000  # bytes of a chunk; chunks


@dataclass(frozen=True, eq=False)
class Chunks:
    """The array; `[first:last]` gives rows of it, as of an h5py dataset.

    filters: (number, its values) in the order in which they were applied. places: {first row: corners of the chunks}.
    """

    data: object
    filters: tuple[tuple[int, tuple[int, ...]], ...]
    places: dict[int, list[tuple[int, ...]]]
    masks: dict[tuple[int, ...], int]

    @cached_property
    def shape(self):
        """Of the whole array."""
        return self.data.shape

    @cached_property
    def dtype(self):
        """Of the values in memory."""
        return self.data.dtype

    @cached_property
    def chunks(self):
        """The shape of a chunk."""
        return self.data.chunks

    @cached_property
    def kind(self):
        """The type of the values in the file."""
        return self.data.id.get_type()

    @cached_property
    def foreign(self):
        """Whether the values are of a type that NumPy has not."""
        from h5py import h5t

        return not self.kind.equal(h5t.py_create(self.dtype, logical=True))

    @cached_property
    def packed(self):
        """Whether a chunk may stand for more bytes than it has."""
        return any(number in PACKERS for number, _ in self.filters)

    def __getitem__(self, rows):
        """Rows first to last, with the fill value where there is no chunk; ValueError for a damaged one."""
        first, last, _ = rows.indices(self.shape[0])
        out = np.full((max(0, last - first), *self.shape[1:]), self.data.fillvalue, self.dtype)
        step = self.chunks[0]
        for top in range(first - first % step, last, step):
            low, high = max(top, first), min(top + step, last)
            for corner in self.places.get(top, ()):
                lengths = [min(c, n - a) for a, c, n in zip(corner, self.chunks, self.shape, strict=True)][1:]
                inside = (slice(low - top, high - top), *(slice(n) for n in lengths))
                place = (slice(a, a + n) for a, n in zip(corner[1:], lengths, strict=True))
                out[(slice(low - first, high - first), *place)] = self._chunk(corner)[inside]
        return out

    def touch(self, most):
        """Fetch the first chunks, `most` bytes of them, without unpacking them: what a probe does."""
        for corner in self.masks:
            most -= len(self.data.id.read_direct_chunk(corner)[1])
            if most < 0:
                break

    def _chunk(self, corner):
        """One chunk, of the chunks' shape."""
        mask, stored = self.data.id.read_direct_chunk(corner)
        if mask != self.masks[corner]:
            raise ValueError("its chunks are listed twice, and unlike")
        width = self.kind.get_size()
        content = unpack(stored, mask, self.filters, math.prod(self.chunks) * width, width)
        if not self.foreign:
            return np.frombuffer(content, self.dtype).reshape(self.chunks)
        return _converted(content, self.kind, self.dtype).reshape(self.chunks)


def chunks_of(data, where, size):
    """The Chunks of an h5py dataset of a file of `size` bytes; DataError unless its list of chunks can be true."""
    plist = data.id.get_create_plist()
    filters = tuple((found[0], found[2]) for found in map(plist.get_filter, range(plist.get_nfilters())))
    numbers = [number for number, _ in filters]
    alike = [DEFLATE if number == LZF else number for number in numbers]
    if not set(alike) <= {DEFLATE, SHUFFLE, FLETCHER32} or len(set(alike)) < len(alike):
        raise DataError(f"{where} is packed with filter {numbers}; repack it with gzip (`h5repack -f GZIP=4`)")
    full = math.prod(data.chunks) * data.id.get_type().get_size()
    if full > LARGEST:
        raise DataError(f"{where} has chunks of {data.chunks}, more than 64 MiB each; repack it with smaller ones")
    chunks, shape, places, masks, stored = data.chunks, data.shape, {}, {}, 0

    def note(found):
        nonlocal stored
        stored += found.size
        corner = tuple(found.chunk_offset)
        fits = all(a % c == 0 and a < n for a, c, n in zip(corner, chunks, shape, strict=True))
        if not fits or corner in masks or len(masks) >= MOST or stored > size or found.size > full + full // 8 + 1024:
            return True  # to stop
        masks[corner] = found.filter_mask
        places.setdefault(corner[0], []).append(corner)
        return None

    if data.id.get_num_chunks() and data.id.chunk_iter(note):
        raise DataError(f"{where} has chunks that overlap, lie outside, are too large or too many; repack it")
    return Chunks(data, filters, places, masks)


def _converted(stored, kind, dtype):
    """Values as they lie in the file as an array of h5py's type for them."""
    from h5py import h5t

    count = len(stored) // kind.get_size()
    buffer = np.zeros(count * max(kind.get_size(), dtype.itemsize), np.uint8)
    buffer[: len(stored)] = np.frombuffer(stored, np.uint8)
    h5t.convert(kind, h5t.py_create(dtype, logical=True), count, buffer)
    return buffer[: count * dtype.itemsize].view(dtype)

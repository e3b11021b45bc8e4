"""Arrays that lie in an HDF5 file in chunks, unpacked here: libhdf5 hands the chunks out as they are stored.

libhdf5 2.0 itself gives what happens to lie in memory where a chunk unpacks to less than it should, reads beyond its
end where the checksum is cut off, and unpacks without bound what holds more.

Filters: HDF5 File Format Specification 3.0, section IV.A.2.l; LZF: liblzf 3.6, lzf_d.c.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
PACKERS = (DEFLATE, LZF)
LARGEST, MOST = 64 << 20, 1_000_000  # bytes of a chunk; chunks
_BLOCK = 1 << 16  # words of a checksum that are added up at a time


@dataclass(frozen=True, eq=False)
class Chunks:
    """The array; `[first:last]` gives rows of it, as of an h5py dataset.

    filters: (number, its values) in the order in which they were applied. places: {first row: corners of the chunks}.
    """

    data: object
    where: str
    filters: tuple[tuple[int, tuple[int, ...]], ...]
    places: dict[int, list[tuple[int, ...]]]
    masks: dict[tuple[int, ...], int]

    @property
    def shape(self):
        """Of the whole array."""
        return self.data.shape

    @property
    def dtype(self):
        """Of the values in memory."""
        return self.data.dtype

    @property
    def chunks(self):
        """The shape of a chunk."""
        return self.data.chunks

    @property
    def packed(self):
        """Whether a chunk may stand for more bytes than it has."""
        return any(number in PACKERS for number, _ in self.filters)

    def __getitem__(self, rows):
        """Rows first to last, with the fill value where there is no chunk; ValueError for a damaged one."""
        first, last, _ = rows.indices(self.data.shape[0])
        out = np.full((max(0, last - first), *self.data.shape[1:]), self.data.fillvalue, self.data.dtype)
        step = self.data.chunks[0]
        for top in range(first - first % step, last, step):
            low, high = max(top, first), min(top + step, last)
            for corner in self.places.get(top, ()):
                lengths = [min(c, n - a) for a, c, n in zip(corner, self.data.chunks, self.data.shape, strict=True)][1:]
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
        kind = self.data.id.get_type()
        if mask != self.masks[corner]:
            raise ValueError("its chunks are listed twice, and unlike")
        values = unpack(stored, mask, self.filters, math.prod(self.data.chunks) * kind.get_size(), kind.get_size())
        return _values(values, kind, self.data.dtype).reshape(self.data.chunks)


def chunks_of(data, where, size):
    """The Chunks of an h5py dataset of a file of `size` bytes; DataError unless its list of chunks can be true."""
    plist = data.id.get_create_plist()
    filters = tuple((found[0], found[2]) for found in map(plist.get_filter, range(plist.get_nfilters())))
    numbers = [number for number, _ in filters]
    if not set(numbers) <= {DEFLATE, SHUFFLE, FLETCHER32, LZF} or len({n in PACKERS or n for n in numbers}) < len(
        numbers
    ):
        raise DataError(f"{where} is packed with filter {numbers}; repack it with gzip (`h5repack -f GZIP=4`)")
    full = math.prod(data.chunks) * data.id.get_type().get_size()
    if full > LARGEST:
        raise DataError(f"{where} has chunks of {data.chunks}, more than 64 MiB each; repack it with smaller ones")
    places, masks, stored = {}, {}, 0

    def note(found):
        nonlocal stored
        stored += found.size
        corner = tuple(found.chunk_offset)
        fits = all(a % c == 0 and a < n for a, c, n in zip(corner, data.chunks, data.shape, strict=True))
        if not fits or corner in masks or len(masks) >= MOST or stored > size or found.size > full + full // 8 + 1024:
            return True  # to stop
        masks[corner] = found.filter_mask
        places.setdefault(corner[0], []).append(corner)
        return None

    if data.id.get_num_chunks() and data.id.chunk_iter(note):
        raise DataError(f"{where} has chunks that overlap, lie outside, are too large or too many; repack it")
    return Chunks(data, where, filters, places, masks)


def unpack(stored, mask, filters, size, width):
    """The `size` bytes of a chunk of values of `width` bytes; ValueError where it holds more, fewer or damaged ones."""
    numbers = [number for number, _ in filters]
    for n in reversed(range(len(filters))):
        most = size + (4 if FLETCHER32 in numbers[:n] else 0)
        if not mask >> n & 1:
            stored = _UNDO[numbers[n]](stored, most, width if filters[n][1][:1] == (width,) else 0)
    if len(stored) != size:
        raise ValueError("a chunk holds more or fewer values than it should")
    return stored


def _values(stored, kind, dtype):
    """Bytes as they lie in the file as an array of h5py's type for them."""
    from h5py import h5t

    memory = h5t.py_create(dtype, logical=True)
    if kind.equal(memory):
        return np.frombuffer(stored, dtype)
    count = len(stored) // kind.get_size()
    buffer = np.zeros(count * max(kind.get_size(), dtype.itemsize), np.uint8)
    buffer[: len(stored)] = np.frombuffer(stored, np.uint8)
    h5t.convert(kind, memory, count, buffer)
    return buffer[: count * dtype.itemsize].view(dtype)


def _inflate(stored, most, width):
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(stored, most + 1)
    except zlib.error as problem:
        raise ValueError(f"a chunk cannot be unpacked: {problem}") from None
    if not unpacker.eof:
        raise ValueError("a chunk holds more values than it should, or is cut short")
    return out


def _unlzf(stored, most, width):
    """LZF: runs of 1 to 32 bytes as they are, and copies of 3 to 264 bytes from up to 8192 before."""
    out, at = bytearray(), 0
    try:
        while at < len(stored) and len(out) <= most:
            control, at = stored[at], at + 1
            if control < 32:
                out += stored[at : at + control + 1]
                at += control + 1
                continue
            length = 2 + (control >> 5)
            if length == 9:
                length, at = length + stored[at], at + 1
            back, at = ((control & 31) << 8 | stored[at]) + 1, at + 1
            if back > len(out):
                raise ValueError("a chunk cannot be unpacked")
            piece = out[-back:][:length]
            out += (piece * (length // len(piece) + 1))[:length]
    except IndexError:
        raise ValueError("a chunk is cut short") from None
    return bytes(out)


def _unshuffle(stored, most, width):
    """First bytes of all values, second bytes of all values, ...: values again."""
    if width == 0 or len(stored) % width:
        raise ValueError("a chunk was shuffled for values of another size")
    return np.frombuffer(stored, np.uint8).reshape(width, -1).T.tobytes()


def _unchecked(stored, most, width):
    """What the last 4 bytes are the checksum of; HDF5 before 1.6.3 wrote its halves with their bytes swapped."""
    stored, told = stored[:-4], stored[-4:]
    if len(told) < 4 or fletcher32(stored) not in (int.from_bytes(told, "little"), _swapped(told)):
        raise ValueError("the checksum of a chunk does not agree with it")
    return stored


def _swapped(told):
    return int.from_bytes(bytes(told[n] for n in (1, 0, 3, 2)), "little")


def fletcher32(stored):
    """HDF5's Fletcher checksum of bytes, over words of 16 bits whose first byte is the high one."""
    words = np.frombuffer(stored + b"\0" * (len(stored) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for at in range(0, len(words), _BLOCK):
        part = words[at : at + _BLOCK]
        second += len(part) * first + int(part @ np.arange(len(part), 0, -1, dtype=np.uint64))
        first += int(part.sum())
    one, two = ((n - 1) % 0xFFFF + 1 if n else 0 for n in (first, second))
    return two << 16 | one


_UNDO = {DEFLATE: _inflate, SHUFFLE: _unshuffle, FLETCHER32: _unchecked, LZF: _unlzf}

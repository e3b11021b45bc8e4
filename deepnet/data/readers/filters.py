"""What is done to a chunk of an HDF5 file when it is stored, undone within bounds.

Filters: HDF5 File Format Specification 3.0, section IV.A.2.l; checksum: H5checksum.c; LZF: liblzf 3.6, lzf_d.c.
"""

import zlib

import numpy as np

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
PACKERS = (DEFLATE, LZF)
_BLOCK = 1 << 16  # words of a checksum that are added up at a time


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

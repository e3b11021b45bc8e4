"""The trailer that closes a model file, so that a cut, a changed bit or another program's hand is seen."""

import hashlib
import struct

from ..errors import ModelError

VERSION = 1  # of the format
MAGIC = b"deepnet checkpoint\n\x00"  # 20 bytes


class DamagedError(ModelError):
    """A model file whose bytes are not those that were written."""


def seal(body: bytes) -> bytes:
    """The trailer: magic (20 bytes), format version (4), body length (8), SHA-256 (32)."""
    return MAGIC + struct.pack("<IQ", VERSION, len(body)) + hashlib.sha256(body).digest()


def unseal(data: bytes, name: str) -> memoryview:
    """The body of a file whose trailer agrees with it."""
    if not data.startswith(b"\x89HDF\r\n\x1a\n"):
        raise DamagedError(f"{name} is not an HDF5 file; give a model that deepnet wrote")
    trailer = data[-64:]
    if trailer[:20] != MAGIC:
        raise DamagedError(
            f"{name} is no deepnet model, or was cut short or changed by another program (no seal at its end)"
        )
    version, length = struct.unpack("<IQ", trailer[20:32])
    if version > VERSION:
        raise ModelError(f"{name} has format {version}, this deepnet reads up to {VERSION}; install a newer deepnet")
    body = memoryview(data)[:-64]
    if version != VERSION:  # the SHA-256 does not cover it
        raise DamagedError(f"{name} is damaged: there is no format {version}; use a copy, or make it again")
    if length != len(body) or hashlib.sha256(body).digest() != trailer[32:]:
        raise DamagedError(f"{name} is damaged: its bytes do not agree with its seal; use a copy, or make it again")
    return body

"""Data files that must be refused, by format: {what is wrong: (name of the file, its bytes, pattern of the refusal)}.

Bytes may be a function that writes the file at a path. RELIABILITY, section 3, and some of our own.
"""

import gzip
import io
import os
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse
from PIL import Image

PARENT = "good.npz"  # the good data that commands take beside a bad file
X = np.linspace(0, 1, 30, dtype=np.float32).reshape(6, 5)
Y = np.array([0, 1, 2, 2, 1, 0])
IMAGES = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)
LABELS = np.array([2, 0, 1, 2], np.uint8)


def npy(array):
    """The bytes of an NPY file."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text, version=b"\1\0", body=b"", length=None):
    """An NPY file with any text as its header."""
    width = "<H" if version == b"\1\0" else "<I"
    length = len(text) if length is None else length
    return b"\x93NUMPY" + version + struct.pack(width, length) + text.encode() + body


def archive(*members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes); names may come twice."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as file:
        warnings.simplefilter("ignore")
        for name, content in members:
            file.writestr(name, content)
    return stream.getvalue()


def encode(array, code=0x08, dtype=">u1", shape=None):
    """The bytes of an IDX file, with another shape in its header if `shape` is given."""
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.astype(dtype).tobytes()


def patched(content, place, new):
    """Bytes with some of them replaced, `place` bytes from the first."""
    return content[:place] + new + content[place + len(new) :]


def gzipped(text, times, start=b"", end=b""):
    """A gzip file of `start`, then `text` many times, then `end`, at once: of members that follow one another."""
    return gzip.compress(start, mtime=0) + gzip.compress(text, 9, mtime=0) * times + gzip.compress(end, mtime=0)


def sparse(size, start=b""):
    """A function that writes a file of `size` bytes that begins so and goes on with zeros, of which none are stored."""

    def write(path):
        with open(path, "wb") as file:
            file.write(start)
            file.truncate(size)

    return write


def repeated(text, size, start=b""):
    """A function that writes a file of about `size` bytes of repeated text."""

    def write(path):
        with open(path, "wb") as file:
            file.write(start)
            piece = text * ((1 << 20) // len(text))
            for _ in range(size // len(piece)):
                file.write(piece)

    return write


def put(path, content):
    """Write an entry's file."""
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)


PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n"
DEEP = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n"
ZEROS = header(PLAIN % "(262144, 1024)")  # 1 GiB
NPY = {
    "objects": (npy(np.array([[1, None]], object)), "no plain numbers"),
    "records": (npy(np.zeros((2, 2), "i4,f4")), "no plain numbers"),
    "dates": (npy(np.zeros((2, 2), "M8[s]")), "no plain numbers"),
    "durations": (npy(np.zeros((2, 2), "m8[s]")), "no plain numbers"),
    "complex": (npy(np.zeros((2, 2), complex)), "no plain numbers"),
    "text": (npy(np.array([["a", "b"]])), "holds text, not numbers"),
    "bytes of text": (npy(np.array([[b"a", b"b"]])), "holds text, not numbers"),
    "rank 0": (npy(np.float32(1)), "rank 0"),
    "rank 1": (npy(X[0]), "rank 1"),
    "rank 5": (npy(np.zeros((1, 1, 1, 1, 1))), "rank 5"),
    "rank 3000": (header(DEEP % ("1," * 3000), body=bytes(4)), "says shape"),
    "no cases": (npy(X[:0]), "no cases"),
    "no columns": (npy(X[:, :0]), "no cases or no columns"),
    "nan": (npy(np.where(X[3, 1] == X, np.nan, X)), "row 4, column 2 holds nan"),
    "infinite": (npy(np.full((2, 3), -np.inf)), "row 1, column 1 holds -inf"),
    "too large": (npy(np.array([[0.0, 1e39]])), "row 1, column 2 holds inf"),
    "short": (npy(X)[:-1], "120 bytes, but holds 119"),
    "long": (npy(X) + b"x", "120 bytes, but holds 121"),
    "declared": (header(PLAIN % "(1000000000000, 2)", body=b"abcd"), "but holds 4"),
    "overflow": (header(PLAIN % "(4294967296, 4294967296)", body=b"abcd"), "but holds 4"),
    "2^64": (header(PLAIN % "(18446744073709551616, 0)"), "but holds 0"),
    "negative": (header(PLAIN % "(-1, 4)"), "cannot be read"),
    "digits": (header(PLAIN % f"({'9' * 5000}, 4)"), "cannot be read"),
    "brackets": (header("[" * 9000), "cannot be read"),
    "a program for a header": (header("__import__('os').system('touch evil')"), "cannot be read"),
    "4 GiB": (b"\x93NUMPY\2\0\xff\xff\xff\xff{", "header of 4294967295 bytes"),
    "a header longer than the file": (header(PLAIN % "(1, 1)", length=9000), "header of 9000 bytes"),
    "version": (b"\x93NUMPY\x09\0" + bytes(90), "version 1 or 2"),
    "cut": (b"\x93NUMPY\1\0\5", "header of 5 bytes"),
    "magic alone": (b"\x93NUMPY", "version 1 or 2"),
    "more than any memory, all zeros": (sparse(1 << 42, header(PLAIN % "(1, 1)")), "MB of memory"),
    "what it says, more than any memory": (
        sparse(len(header(PLAIN % "(1073741824, 1024)")) + (1 << 42), header(PLAIN % "(1073741824, 1024)")),
        "MB of memory",
    ),
}
NPY = {name: ("x.npy", *entry) for name, entry in NPY.items()}

GOOD = archive(("X.npy", npy(X)), ("y.npy", npy(Y)))
CENTRAL = GOOD.index(b"PK\x01\x02")
NPZ = {
    "duplicate": (archive(("X.npy", npy(X)), ("X.npy", npy(X))), "twice or outside"),
    "member outside": (archive(("../../evil.npy", npy(X)), ("X.npy", npy(X))), "twice or outside"),
    "absolute member": (archive(("/evil.npy", npy(X)), ("X.npy", npy(X))), "twice or outside"),
    "counts differ": (archive(("X.npy", npy(X)), ("y.npy", npy(Y[:5]))), "6 cases but 5 labels"),
    "no arrays": (archive(("readme.txt", b"hello")), "holds no arrays"),
    "nothing": (archive(), "holds no arrays"),
    "no key that is known": (archive(("a.npy", npy(X)), ("b.npy", npy(X))), "holds a, b, none named X"),
    "objects": (archive(("X.npy", npy(np.array([None])))), "no plain numbers"),
    "objects for labels": (archive(("X.npy", npy(X)), ("y.npy", npy(np.array([None] * 6)))), "no plain numbers"),
    "no NPY": (archive(("X.npy", b"hello")), "not an NPY file"),
    "short": (archive(("X.npy", npy(X)[:-4])), "says shape"),
    "long": (archive(("X.npy", npy(X) + b"x")), "says shape"),
    "cut": (GOOD[:-30], "damaged or encrypted"),
    "half": (GOOD[: len(GOOD) // 2], "damaged or encrypted"),
    "bad CRC": (patched(GOOD, CENTRAL + 16, b"\0\0\0\0"), "damaged or encrypted"),
    "encrypted": (patched(GOOD, CENTRAL + 8, b"\1"), "encrypted"),
    "a size that cannot be": (patched(GOOD, CENTRAL + 24, struct.pack("<I", 2**31)), "2147483648 bytes in"),
    "a size that is not so": (patched(GOOD, CENTRAL + 24, struct.pack("<I", 500)), "says shape|damaged"),
    "another way to pack": (patched(GOOD, CENTRAL + 10, b"\x63\0"), "damaged or encrypted|packed"),
    "lzma": (archive(("X.npy", npy(X)), method=zipfile.ZIP_LZMA), "packed"),
    "bzip2": (archive(("X.npy", npy(X)), method=zipfile.ZIP_BZIP2), "packed"),
    "directory far away": (patched(GOOD, len(GOOD) - 6, b"\xff\xff\xff\x7f"), "damaged or encrypted"),
    "many members": (lambda path: path.write_bytes(_members(".npy")), "members"),
    "many members, none read": (lambda path: path.write_bytes(_members("")), "members"),
    "bomb": (lambda path: path.write_bytes(_zip_bomb()), "1073741902 bytes in"),
}  # fmt: skip
NPZ = {name: ("d.npz", *entry) for name, entry in NPZ.items()}


def _members(suffix):
    """A zip of 30,000 empty members, whose making takes a while."""
    return archive(*((f"{n}{suffix}", b"") for n in range(30_000)))


def _zip_bomb():
    """1 MB that hold 1 GiB of zeros, as they say; only the checksum is none."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)  # after which it begins anew
    body = start + zeros * 1024 + packer.flush()
    facts = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, 0, len(body), len(ZEROS) + (1 << 30), 5, 0)
    local = b"PK\3\4" + facts + b"X.npy" + body
    entry = b"PK\1\2" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"X.npy"
    return local + entry + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)


WHOLE = encode(IMAGES)
PACKED = gzip.compress(WHOLE, mtime=0)
IDX = {
    "type": (b"\0\0\x07\x03" + WHOLE[4:], "not with an IDX header"),
    "rank 0": (b"\0\0\x08\x00", "rank 0"),
    "rank 255": (b"\0\0\x08\xff" + bytes(1020), "rank 255"),
    "rank 1": (encode(LABELS), "it holds labels; give the file of images"),
    "magic": (b"\1\0\x08\x03" + WHOLE[4:], "not IDX as its name says"),
    "header": (WHOLE[:9], "ends within its header"),
    "short": (WHOLE[:-1], "24 bytes, but holds at most 23"),
    "long": (WHOLE + b"x", "more follow"),
    "declared": (encode(np.zeros(100), shape=(60000, 28, 28)), r"says shape \(60000, 28, 28\)"),
    "huge": (encode(IMAGES, shape=(2**32 - 1,) * 4), "says shape"),
    "no cases": (encode(IMAGES[:0]), "no cases"),
    "not a number": (encode(np.array([[1.0, np.nan]]), 0x0D, ">f4"), "row 1, column 2 holds nan"),
    "cut gzip": (PACKED[:-9], "damaged gzip"),
    "CRC": (PACKED[:-8] + bytes(4) + PACKED[-4:], "damaged gzip"),
    "gzip short": (gzip.compress(WHOLE[:-1]), "but holds 23"),
    "gzip long": (gzip.compress(WHOLE + b"x"), "more follow"),
    "gzip bomb": (gzip.compress(encode(IMAGES, shape=(2**31, 3, 2))), "holds at most"),
    "gzip bomb that is what it says": (
        gzipped(bytes(1 << 20), 1024, start=encode(IMAGES[:0], shape=(1 << 20, 32, 32))),
        "holds at most",
    ),
    "gzip bomb behind the end": (gzipped(bytes(1 << 20), 1024, start=WHOLE), "more follow"),
    "gzip with rubbish behind": (PACKED + b"rubbish", "damaged gzip"),
    "empty": (b"", "is empty"),
    "empty gzip": (gzip.compress(b""), "is empty"),
    "more than any memory": (
        sparse(16 + (1 << 42), encode(IMAGES[:0], shape=(1 << 20, 1 << 11, 1 << 11))),
        "MB of memory",
    ),
}
IDX = {name: ("x.idx", *entry) for name, entry in IDX.items()}

# A line of 1 GB, plain: what is beyond 48 MB is not stored, and not reached.
CSV = {
    "empty": (b"", "is empty"),
    "empty lines": (b"\n\n\n", "no rows"),
    "header alone": (b"a,b,c\n", "a header but no rows"),
    "ragged": (b"1,2\n3\n", "row 2 has 1 columns, the first row has 2"),
    "NUL": (b"1,2\n3,4\0\n", "row 2 holds a NUL byte"),
    "UTF-16": ("1,2\n3,4\n".encode("utf-16"), "is UTF-16 text"),
    "UTF-16 without a mark": ("1,2\n3,4\n".encode("utf-16-be"), "NUL byte"),
    "UTF-32": ("1,2\n3,4\n".encode("utf-32"), "UTF-16 text|NUL byte"),
    "Latin-1": ("a,größe\n1,2\n".encode("latin-1"), "row 1 is not UTF-8"),
    "a column of nothing": (b"a,b\n1,nan\n2,?\n3,\n", "column 2 'b' has no values"),
    "infinite among missing": (b"a,b\n1,2\n?,4\n-inf,1\n", "row 4, column 1 'a' holds -inf, not a finite"),
    "numbers among texts": (b"a,b\n1,x\n2,7\n", "row 2, column 2 'b' holds 'x' where a number is due"),
    "names": (b"a,b\n" + b"".join(b"%d,name%d\n" % (n, n) for n in range(30)), "column 2 'b' has 30 different texts"),
    "10^5 names": (
        b"a,b\n" + b"".join(b"%d,name%d\n" % (n, n) for n in range(10**5)),
        "column 2 'b' has more than 100 different texts",
    ),
    "free text": (b"a,b\n1," + b"word " * 100 + b"\n2,x\n", "has a text of more than 256 characters"),
    "a text of 10 MB": (b"a,b\n1,x" + b"y" * (10 << 20) + b"\n", "cannot be read|more than 256"),
    "10^5 columns with a gap": (
        b",".join([b"1"] * 10**5) + b"\n" + b",".join([b"2"] * (10**5 - 1)) + b",\n",
        "too many names and texts",
    ),
    "1e999": (b"1,2\n1e999,4\n", "row 2, column 1 holds 1e999"),
    "text among numbers": (b"a,b\n1,2\n3,4x\n", "row 3, column 2 'b' holds '4x' where a number is due"),
    "a formula": (b"a,b\n1,2\n=1+1,4\n", r"holds '=1\+1'"),
    "turned writing": ("a,b\n1,2\n3,\u202e4\n".encode(), r"holds '\\u202e4'"),
    "an open quote": (b'1,2\n3,"4\n', "row 2 cannot be read as CSV"),
    "a line of 1 GB": (
        lambda path: (repeated(b"1,", 48 << 20)(path), sparse_end(path, 1 << 30)),
        "row 1 has a line or a quoted cell of more than 16 MB",
    ),
    "a second line of 1 GB": (
        lambda path: (repeated(b"1,", 48 << 20, b"1,2\n")(path), sparse_end(path, 1 << 30)),
        "row 2 has a line or a quoted cell of more than 16 MB",
    ),
    "a packed line of 1 GB": (gzipped(b"1," * (1 << 19), 1024), "unpacks to"),
    "a quoted cell of 1 GB": (gzipped(b"1,2\n" * (1 << 18), 1024, start=b'1,2\n"'), "unpacks to"),
    "a cell of 10 MB": (b"1,2\n3," + b"4" * (10 << 20) + b"\n", "row 2, column 2|row 2 cannot be read as CSV"),
    "a name of 10 MB": (b"a," + b"b" * (10 << 20) + b"\n1,2\n", "cannot be read|no rows that can be read"),
    "10^6 columns": (b",".join([b"1"] * 10**6) + b"\n" + b",".join([b"1"] * 10**6) + b"\n", "columns"),
    "10^6 columns in the second row": (b"1,2\n" + b"," * 10**6 + b"\n", "row 2 has |more than 250000 columns"),
    "16 million empty cells": (b"," * ((16 << 20) - 9) + b"\n1,2\n", "columns"),
    "16 million quotes": (b'1,2\n"' + b'""' * (8 << 20) + b'",4\n', "row 2"),
    "10^7 empty lines": (b"\n" * 10**7, "no rows"),
    "a packed line of 50 MB": (gzipped(b"1," * (1 << 19), 50), "more than 16 MB"),
    "a packed bomb": (gzipped(b"1,2\n" * (1 << 18), 1024), "unpacks to"),
    "a packed bomb of blanks": (gzipped(b"\n" * (1 << 20), 1024), "unpacks to"),
    "cut gzip": (gzip.compress(b"1,2\n" * 999)[:-9], "damaged gzip"),
}  # fmt: skip
CSV = {name: ("t.csv", *entry) for name, entry in CSV.items()}


def sparse_end(path, size):
    """Let a file seem longer."""
    with open(path, "r+b") as file:
        file.truncate(size)


def parquet(columns, **how):
    """The bytes of a Parquet file."""
    stream = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), stream, **how)
    return stream.getvalue()


ROWS = parquet({"a": list(range(100)), "b": ["x", "y"] * 50})
PLAIN_ROWS = parquet({"a": np.linspace(0, 1, 999), "b": [*"xyz"] * 333}, compression="none", use_dictionary=False)
PARQUET = {
    "cut": (ROWS[:-9], "damaged Parquet"),
    "ends alone": (b"PAR1" + bytes(8) + b"PAR1", "damaged Parquet"),
    "a footer longer than the file": (ROWS[:-8] + b"\xff\xff\xff\x7fPAR1", "damaged Parquet"),
    "a footer of 0": (ROWS[:-8] + bytes(4) + b"PAR1", "damaged Parquet"),
    "a page of rubbish": (patched(ROWS, 30, b"\xff" * 40), "damaged Parquet"),
    "encrypted": (b"PARE" + ROWS[4:-4] + b"PARE", "an encrypted Parquet table"),
    "dates": (parquet({"a": [1], "when": pa.array([0], pa.date32())}), "column 2 'when' holds date32"),
    "lists": (parquet({"a": [[1, 2], [3]]}), "column 1 'a' holds list"),
    "records": (parquet({"a": [{"b": 1}]}), "column 1 'a' holds struct"),
    "bytes": (parquet({"a": [b"x"]}), "column 1 'a' holds binary"),
    "two of a name": (parquet(pa.table([[1], [2]], names=["a", "a"])), "2 columns are named 'a'"),
    "no rows": (parquet({"a": pa.array([], pa.int8())}), "no rows"),
    "no columns": (parquet(pa.table([], names=[])), "no columns|0 columns|none left|damaged"),
    "infinite": (parquet({"a": [1.0, np.inf]}), "row 2, column 1 'a' holds inf"),
    "nothing": (parquet({"a": [1, 2], "b": pa.array([None, None])}), "column 2 'b' has no values"),
    "names": (parquet({"a": [f"name{n}" for n in range(999)]}), "has more than 100 different texts"),
    "10^8 rows": (
        lambda path: pq.write_table(pa.table({"a": np.zeros(10**8, np.int8)}), path),
        "unpacks to 400000000 bytes",
    ),
    "a text of 100 MB": (
        lambda path: pq.write_table(pa.table({"a": ["x" * (100 << 20)]}), path, compression="zstd"),
        "unpacks to|takes more memory",
    ),
    "gzipped": (gzip.compress(ROWS, mtime=0), "gzipped Parquet file"),
    "named as one": (b"1,2\n3,4\n", "is text, not Parquet"),
}
PARQUET = {name: ("t.parquet", *entry) for name, entry in PARQUET.items()}


JSONL = {
    "nested 100,000 deep": (b"[1]\n" + b"[" * 100_000 + b"\n", "row 2 is no JSON"),
    "a list of lists over many lines": (b"[\n [1, 2],\n [3, 4]\n]\n", "row 1 is no JSON array or object"),
    "another thing": (b"[1, 2]\n3\n", "row 2 is no JSON"),
    "an open object": (b'{"a": 1}\n{"a": 2\n', "row 2 is no JSON"),
    "5,000 digits": (b"[1]\n[" + b"9" * 5000 + b"]\n", "row 2, column 1 holds 9"),
    "1e999": (b"[1, 2]\n[1, 1e999]\n", "row 2, column 2 holds 1e999"),
    "infinite": (b"[1, 2]\n[1, -Infinity]\n", "row 2, column 2 holds -Infinity"),
    "ragged": (b"[1, 2]\n[1, 2, 3]\n", "row 2 has 3 columns, the first row has 2"),
    "arrays and objects": (b'[1, 2]\n{"a": 1}\n', "row 2 holds an object, the first row an array"),
    "a new name": (b'{"a": 1}\n{"a": 1, "b\\u202e": 2}\n', r"row 2 has 'b\\u202e', which the first row has not"),
    "a name twice": (b'{"x": [1, 2], "x1": 5}\n', "row 1 has 2 values of the name 'x1'"),
    "an object within": (b'{"a": {"b": 1}}\n', "row 1 holds an object within"),
    "half a character": (b'{"a": 1}\n{"a": "\\ud800"}\n', "row 2 holds half a character"),
    "NUL": (b"[1]\n[2\0]\n", "row 2 holds a NUL byte"),
    "Latin-1": (b'{"a": "x"}\n{"a": "\xe9"}\n', "row 2 is not UTF-8"),
    "UTF-16": ("[1]\n[2]\n".encode("utf-16"), "is UTF-16 text"),
    "empty": (b"", "is empty"),
    "empty lines": (b"\n\n\n", "no rows"),
    "arrays of nothing": (b"[]\n[]\n", "no rows|no columns|none left"),
    "10^6 columns": (b"[" + b"1," * (10**6 - 1) + b"1]\n", "columns"),
    "a line of 1 GB": (
        lambda path: (repeated(b"1,", 48 << 20, b"[1]\n[")(path), sparse_end(path, 1 << 30)),
        "row 2 has a line",
    ),
    "a bomb": (gzipped(b"[1,2]\n" * (1 << 17), 1024), "unpacks to"),
    "cut gzip": (gzip.compress(b"[1,2]\n" * 999)[:-9], "damaged gzip"),
}
JSONL = {name: ("t.jsonl", *entry) for name, entry in JSONL.items()}


def png(width, height):
    """A picture of zeros that says it is this large, in less than 100 bytes."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def drawn(kind="PNG", mode="L", size=(4, 3), **options):
    """The bytes of a good picture."""
    stream = io.BytesIO()
    Image.frombytes("L", size, bytes(range(size[0] * size[1]))).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def tree(**files):
    """A function that makes a folder of these files, {path with __ for a slash: bytes, or a path that it leads to}."""

    def write(path):
        for name, content in files.items():
            place = path / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                place.symlink_to(content)
            else:
                place.write_bytes(content)

    return write


def spoilt(name, content):
    """A function that makes a folder of a good picture and of one file more."""
    return tree(**{"cat__1.png": drawn(), name.replace("/", "__"): content})


PICTURES = {
    "a PNG of 50,000^2": ("x.png", png(50_000, 50_000), "more than 33,554,432 pixels"),
    "a PNG of 6,000^2": ("x.png", png(6_000, 6_000), "more than 33,554,432 pixels"),
    "a PNG named as a table": ("x.csv", png(28, 28), "a damaged picture"),
    "a PNG named as an array": ("x.npy", png(28, 28), "a damaged picture"),
    "a JPEG": ("x.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(50), "a damaged picture"),
    "a GIF": ("x.gif", b"GIF89a" + bytes(50), "a damaged picture"),
    "a BMP": ("x.bmp", b"BM" + struct.pack("<IHHI", 70, 0, 0, 54) + bytes(56), "a damaged picture"),
    "a TIFF": ("x.tif", b"II*\0" + bytes(50), "a damaged picture"),
    "a TIFF of the other end": ("x.tif", b"MM\0*" + bytes(50), "a damaged picture"),
    "a WebP": ("x.webp", b"RIFF\x40\0\0\0WEBPVP8 " + bytes(50), "a damaged picture"),
    "a sound behind .webp": ("x.webp", b"RIFF\x40\0\0\0WAVEfmt " + bytes(50), "a sound or a film"),
    "PostScript behind .png": ("x.png", b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n", "not a picture as its name says"),
    "SVG behind .png": ("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>\n", "not a picture as its name says"),
    "a table behind .png": ("x.png", b"1,2\n3,4\n", "not a picture as its name says"),
    "a GIF behind .png": ("x.png", b"GIF89a" + bytes(50), "a damaged picture"),
    "a pickle behind .png": ("x.png", b"\x80\4" + bytes(50), "a Python pickle"),
    "a program": ("x.dat", b"\x7fELF" + bytes(50), "a program"),
    "a gzipped picture": ("x.png", gzip.compress(drawn()), "a gzipped picture file; unpack it first"),
    "a cut picture": ("x.png", drawn(size=(15, 17))[:-40], "a damaged picture"),
    "a cut JPEG": ("x.jpg", drawn("JPEG", size=(15, 17))[:-40], "a damaged picture"),
    "16 bits": ("x.png", drawn(mode="I;16"), "pixels of mode I;16"),
    "transparent": ("x.png", drawn(mode="P", transparency=0), "has transparent parts"),
}
FOLDERS = {
    "empty": (lambda path: path.mkdir(), "is a folder without pictures"),
    "no pictures": (tree(readme=b"hello", cat__1=b"1"), "cat holds no picture"),
    "a class without pictures": (tree(**{"cat__1.png": drawn(), "dog__readme": b""}), "dog holds no picture"),
    "two sizes": (spoilt("cat/2.png", drawn(size=(3, 4))), "2.png is 4x3 but .*1.png 3x4, height x width; give --size"),
    "grey and colour": (spoilt("cat/2.png", drawn(mode="RGB")), "2.png is in colour but .*1.png grey"),
    "a damaged one": (spoilt("cat/2.png", drawn()[:50]), "2.png is a damaged picture"),
    "another thing behind .png": (spoilt("cat/2.png", b"%!PS-Adobe-3.0\n"), r"2.png is a damaged picture \(no header"),
    "a bomb": (spoilt("cat/2.png", png(50_000, 50_000)), "2.png has more than 33,554,432 pixels"),
    "an empty file": (spoilt("cat/2.png", b""), "2.png is a damaged picture"),
    "a link to a file": (tree(**{"cat__1.png": drawn(), "cat__2.png": "/etc/passwd"}), "2.png is a symbolic link"),
    "a link to a folder": (tree(**{"cat__1.png": drawn(), "dog": "/etc"}), "dog is a symbolic link"),
    "a link that is a ring": (tree(**{"cat__1.png": drawn(), "cat__2.png": "2.png"}), "2.png is a symbolic link"),
    "a pipe": (lambda path: (tree(**{"c__1.png": drawn()})(path), os.mkfifo(path / "c/2.png")), "2.png is a pipe"),
    "a folder within a class": (tree(**{"cat__1.png": drawn(), "cat__small__1.png": drawn()}), "a folder within"),
    "a class with an escape": (tree(**{"\x1b[2J__1.png": drawn()}), r"\\x1b\[2J has a name that cannot be shown"),
    "a class of no UTF-8": (tree(**{"\udcff__1.png": drawn()}), r"\\udcff has a name that cannot be shown"),
    "a file with an escape": (tree(**{"\x1b[2J\u202e.png": b"x"}), r"\\x1b\[2J\\u202e.png is a damaged picture"),
    "a class beside the splits": (tree(**{"train__1.png": drawn(), "cat__1.png": drawn()}), "has cat beside train"),
    "no train": (tree(**{"test__a__1.png": drawn(), "val__a__1.png": drawn()}), "has test, val and no train; give one"),
    "an empty split": (tree(**{"train__1.png": drawn(), "test__readme": b""}), "test is a folder without pictures"),
}  # fmt: skip
FOLDERS = {name: ("photos/", *entry) for name, entry in FOLDERS.items()}

SVMLIGHT = {
    "no pair": (b"1 1:2\n2 3\n", "row 2 holds '3' where index:value is due"),
    "no number": (b"1 1:2\n2 3:x\n", "row 2 holds '3:x' where"),
    "an underscore": (b"1 1:2\n2 3:1_0\n", "row 2 holds '3:1_0' where"),
    "a negative index": (b"1 1:2\n2 -3:1\n", "row 2 holds '-3:1' where"),
    "5,000 digits": (b"1 1:2\n2 " + b"9" * 5000 + b":1\n", "row 2 holds '9999"),
    "two colons": (b"1 1:2\n2 1:2:3\n", "row 2 holds '1:2:3' where"),
    "an index for a label": (b"1 1:2\n1:2 2:3\n", "row 2 holds '1:2' where"),
    "nan": (b"1 1:2\n2 3:nan\n", "row 2, index 3 holds nan, not a number"),
    "infinite": (b"1 1:2\n\n2 1:0 3:-inf\n", "row 3, index 3 holds -inf"),
    "too large": (b"1 1:2\n2 3:1e39\n", "row 2, index 3 holds inf"),
    "falling": (b"1 1:2 2:3\n2 5:1 3:1\n", "row 2 has index 3 after 5"),
    "twice": (b"1 1:2 2:3\n2 5:1 5:1\n", "row 2 has index 5 after 5"),
    "several labels": (b"1 1:2\n1,3 2:1\n", "row 2 has the labels 1,3"),
    "a ranking": (b"1 qid:1 1:2\n2 qid:1 2:1\n", "row 1 has qid:1; deepnet does not learn rankings"),
    "too wide": (b"1 1:2\n2 250001:1\n", "row 2 has index 250001: at most 250,000 columns"),
    "much too wide": (b"1 1:2\n2 999999999:1\n", "row 2 has index 999999999: at most"),
    "too large together": (repeated(b"2 250000:1\n", 12 << 20), "MB of memory|beyond the 5 columns"),
    "a label of 1 MB": (b"1 1:2\n" + b"x" * (1 << 20) + b" 2:1\n", "row 2 has a label of more than"),
    "a label of no UTF-8": (b"1 1:2\n\xff 2:1\n", "row 2 is not UTF-8"),
    "a turned word": ("1 1:2\n2 \u202e:1\n".encode(), r"row 2 holds '\\u202e:1'"),
    "NUL": (b"1 1:2\n2 3:\x004\n", "binary data|row 2 holds"),
    "a comment for a label": (b"1 1:2\n2# 3:4\n1 2 # 3:4\n", "row 3 holds '2' where"),
    "labels alone behind .svm": (b"1\n2\n3\n", "text, not svmlight as its name says"),
    "a line of 1 GB": (
        lambda path: (repeated(b" 1:1", 48 << 20, b"1 1:1\n1")(path), sparse_end(path, 1 << 30)),
        "row 2 has more than 16 MB",
    ),
    "a bomb": (gzipped(b"1 1:2\n" * (1 << 17), 1024), "unpacks to"),
    "cut gzip": (gzip.compress(b"1 1:2\n" * 999)[:-9], "damaged gzip"),
}
SVMLIGHT = {name: ("t.svm", *entry) for name, entry in SVMLIGHT.items()}


def mat(packed=False, **variables):
    """The bytes of a MATLAB file of version 5."""
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=packed)
    return stream.getvalue()


MAT = {
    "a cell": (mat(X=X, y=np.array([1, "a", 2], object)), "x.mat:y is of MATLAB's class cell"),
    "a struct": (mat(X={"a": X}), "x.mat:X is of MATLAB's class struct"),
    "sparse": (mat(X=scipy.sparse.csc_matrix(X)), r"class sparse, not of numbers; save full\(X\)"),
    "text": (mat(X=np.array(["ab", "cd"])), "class char"),
    "complex": (mat(X=X * 1j), "holds complex numbers"),
    "counts differ": (mat(X=X, y=Y[:4]), "6 cases but 4 labels"),
    "no name that is known": (mat(a=X, b=X), "holds a, b, none named X"),
    "nan": (mat(X=np.where(X[3, 1] == X, np.nan, X)), "row 4, column 2 holds nan"),
    "cut": (mat(X=X)[:-9], "a damaged MATLAB file"),
    "packed and cut": (mat(True, X=X)[:-9], "a damaged MATLAB file"),
    "header alone": (mat(X=X)[:128], "holds no arrays|a damaged MATLAB file"),
    "a shape that cannot be": (
        patched(m := mat(X=X), m.index(struct.pack("<ii", 6, 5)), struct.pack("<ii", 1 << 20, 1 << 20)),
        r"says shape \(1048576, 1048576\)",
    ),
    "a negative shape": (
        patched(m, m.index(struct.pack("<ii", 6, 5)), struct.pack("<ii", -6, 5)),
        "says shape|a damaged MATLAB file",
    ),
    "a bomb": (lambda path: path.write_bytes(mat(True, X=np.zeros((1 << 13, 1 << 12)))), "unpacks to more than"),
}
MAT = {name: ("x.mat", *entry) for name, entry in MAT.items()}
TABLES = {"npy": NPY, "npz": NPZ, "idx": IDX, "csv": CSV, "parquet": PARQUET, "jsonl": JSONL, "svmlight": SVMLIGHT,
          "mat": MAT, "pictures": PICTURES, "folders": FOLDERS}  # fmt: skip

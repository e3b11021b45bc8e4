"""Data files that must be refused, by format: {what is wrong: (name of the file, its bytes, pattern of the refusal)}.

Bytes may be a function that writes the file at a path. RELIABILITY, section 3, and some of our own.
"""

import gzip
import io
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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
    "many members": (archive(*((f"{n}.npy", b"") for n in range(30_000))), "members"),
    "many members, none read": (archive(*((f"{n}", b"") for n in range(30_000))), "members"),
    "bomb": (lambda path: path.write_bytes(_zip_bomb()), "1073741902 bytes in"),
}  # fmt: skip
NPZ = {name: ("d.npz", *entry) for name, entry in NPZ.items()}


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
    "a cell of 10 MB": (b"1,2\n3," + b"4" * (10 << 20) + b"\n", "row 2, column 2"),
    "a name of 10 MB": (b"a," + b"b" * (10 << 20) + b"\n1,2\n", "cannot be read|no rows that can be read"),
    "10^6 columns": (b",".join([b"1"] * 10**6) + b"\n" + b",".join([b"1"] * 10**6) + b"\n", "columns"),
    "10^6 columns in the second row": (b"1,2\n" + b"," * 10**6 + b"\n", "row 2 has "),
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
    "gzipped": (gzip.compress(ROWS, mtime=0), "gzipped PARQUET file"),
    "named as one": (b"1,2\n3,4\n", "is text, not PARQUET"),
}
PARQUET = {name: ("t.parquet", *entry) for name, entry in PARQUET.items()}


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


PICTURES = {
    "a PNG of 50,000^2": ("x.png", png(50_000, 50_000), "a PNG picture; "),
    "a PNG named as a table": ("x.csv", png(28, 28), "a PNG picture; "),
    "a PNG named as an array": ("x.npy", png(28, 28), "a PNG picture; "),
    "a JPEG": ("x.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(50), "a JPEG picture; "),
    "a GIF": ("x.gif", b"GIF89a" + bytes(50), "a GIF picture; "),
    "a BMP": ("x.bmp", b"BM" + struct.pack("<IHHI", 70, 0, 0, 54) + bytes(56), "a BMP picture; "),
    "a TIFF": ("x.tif", b"II*\0" + bytes(50), "a TIFF picture; "),
    "a TIFF of the other end": ("x.tif", b"MM\0*" + bytes(50), "a TIFF picture; "),
    "a WebP": ("x.webp", b"RIFF\x40\0\0\0WEBPVP8 " + bytes(50), "a WebP picture; "),
    "PostScript behind .png": ("x.png", b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage\n", "PNG"),
    "SVG behind .png": ("x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>\n", "PNG"),
    "a table behind .png": ("x.png", b"1,2\n3,4\n", "PNG"),
    "a GIF behind .png": ("x.png", b"GIF89a" + bytes(50), "a GIF picture; "),
    "a pickle behind .png": ("x.png", b"\x80\4" + bytes(50), "a Python pickle"),
    "a program": ("x.dat", b"\x7fELF" + bytes(50), "a program"),
}
TABLES = {"npy": NPY, "npz": NPZ, "idx": IDX, "csv": CSV, "parquet": PARQUET, "pictures": PICTURES}

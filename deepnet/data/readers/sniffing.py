"""Which format a file has: by its first bytes, then by its name. FORMATS is the one list of what is read."""

import os
import re

from ...errors import DataError
from .formats import head

FORMATS = {  # name: how it is called in messages, by `inspect` and in README
    "idx": "IDX",
    "npy": "NPY",
    "npz": "NPZ",
    "hdf5": "HDF5",
    "csv": "CSV, TSV",
    "jsonl": "JSON lines",
    "parquet": "Parquet",
    "svmlight": "svmlight",
    "mat5": "MATLAB 5",
    "mat73": "MATLAB 7.3",
    "picture": "picture",
    "folder": "folder of pictures",
}
KNOWN = f"deepnet reads {', '.join(list(FORMATS.values())[:-2])}, pictures and folders of them"
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
_MAGIC = (  # first bytes, format
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PAR1", "parquet"),
    (b"MATLAB 5.0 MAT-file", "mat5"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
)
_FOREIGN = (  # first bytes of what we do not read, its name
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"PARE", "an encrypted Parquet table"),
    (b"ORC\3", "an ORC table"),
    (b"ARROW1", "an Arrow table"),
    (b"SQLite format 3", "an SQLite database"),
    (b"RIFF", "a sound or a film"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x7fELF", "a program"),
)
_SUFFIXES = {".npy": "NPY", ".npz": "NPZ", ".h5": "HDF5", ".hdf5": "HDF5", ".hdf": "HDF5", ".idx": "IDX"}
_SUFFIXES |= {".parquet": "Parquet", ".mat": "MATLAB"}
_SUFFIXES |= {".svm": "svmlight", ".svmlight": "svmlight", ".libsvm": "svmlight"}
_SUFFIXES |= dict.fromkeys(PICTURES, "a picture")
_TABLES = (".csv", ".tsv", ".tab")
_TEXT = (*_TABLES, ".txt", ".data", ".dat")
_LINES = (".jsonl", ".ndjson")
_IDX_NAME = re.compile(r"idx\d-(u?byte|int|float|double|short)$")
_IDX_TYPE = re.compile(rb"\0\0[\x08\x09\x0b-\x0e]")
_PAIR = re.compile(rb"(?:qid|\d+):[-+.\w]+")


def sniff(source):
    """The name of the format, one of FORMATS; DataError for all else."""
    if source.stream is None:
        return "folder"
    first, packed = head(source)
    name = os.path.basename(source.path).lower()
    name = name.removesuffix(".gz") if packed else name
    suffix = os.path.splitext(name)[1]
    claimed = "IDX" if _IDX_NAME.search(name) else _SUFFIXES.get(suffix)
    if not first:
        raise DataError(f"{source} is empty; give a file with data")
    found = _binary(source, first, packed, suffix, claimed)
    if found not in (None, "idx") and packed:
        raise DataError(f"{source} is a gzipped {FORMATS[found]} file; unpack it first with `gunzip`")
    return found or _text(source, first, suffix, claimed)


def _binary(source, first, packed, suffix, claimed):
    """The format that the first bytes tell, or None where they may be text; DataError for one that is not read."""
    found = next((format_ for magic, format_ in _MAGIC if first.startswith(magic)), None)
    if found is None and (first[:4] + first[8:12] == b"RIFFWEBP" or (first[:2] == b"BM" and b"\0" in first)):
        found = "picture"  # a table, too, may begin with these two letters
    if found is None and _has_hdf5_block(source, packed):
        found = "mat73" if first.startswith(b"MATLAB 7.3 MAT-file") else "hdf5"
    foreign = next((words for magic, words in _FOREIGN if first.startswith(magic)), None)
    if found is None and foreign is not None:
        raise DataError(f"{source} is {foreign}; {KNOWN}")
    may_be_idx = first[:2] == b"\0\0" and suffix not in _TEXT + PICTURES
    if found is None and may_be_idx and (claimed in (None, "IDX") or _IDX_TYPE.match(first)):
        found = "idx"  # MATLAB files of version 4, among others, begin so too
    return found


def _has_hdf5_block(source, packed):
    """HDF5 may begin after a block of 512, 1024 ... bytes that belongs to the user, as MATLAB's files do."""
    if packed:
        return False
    places = [512 << n for n in range(6) if 512 << n < source.size]
    found = False
    for place in places:
        source.stream.seek(place)
        found = found or source.stream.read(8) == b"\x89HDF\r\n\x1a\n"
    source.stream.seek(0)
    return found


def _text(source, first, suffix, claimed):
    """The answer "svmlight", "jsonl" or "csv" when it may be text of these, else a DataError that says what it is."""
    wide = first[:2] in (b"\xff\xfe", b"\xfe\xff")
    binary = b"\0" in first and not wide
    if not binary and suffix not in _TABLES + _LINES and _is_sparse(first):
        return "svmlight"
    if claimed is not None:
        found = "binary data of another kind" if binary else "text"
        raise DataError(f"{source} is {found}, not {claimed} as its name says; {KNOWN}, by content")
    if binary and suffix not in _TEXT + _LINES:
        raise DataError(f"{source} is of a format unknown here (it starts with {first[:8]!r}); {KNOWN}")
    opened = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")
    return "jsonl" if suffix in _LINES or (opened and suffix not in _TEXT) else "csv"


def _is_sparse(first):
    """Whether the first line that has more than a label is `label index:value ...`, or as much of it as is there."""
    *lines, last = first.split(b"\n")
    if len(lines) == 0:
        lines = [last.rpartition(b" ")[0]]  # the last word may be cut
    found = next((words for line in lines if len(words := line.partition(b"#")[0].split()) > 1), [b"", b""])
    return all(_PAIR.fullmatch(word) for word in found[1:])

"""READERS: format -> reader, which makes the Dataset of an open Source; STREAMS: those that go piece by piece.

Of a format, its reader and the pages below it:

    csv                 csv; lines (blocks and records), dialects (delimiter, header), cells, arrow (plain lines, fast)
    jsonl               jsonl, which makes lines of csv of it
    parquet             parquet
    svmlight            svmlight
    npy, npz            arrays
    hdf5                hdf5; attributes, chunks, filters (how chunks are packed)
    mat5, mat73         mat; mat73 by hdf5
    idx                 idx
    picture, folder     pictures; folders (which files, of which class)

    all of them         sniffing (which format it is), formats (bytes, unpacked and within bounds)
    tables              table (which column is what), mixed (columns that are not all numbers)
    what streams        faults (what comes before one)
    svmlight, pictures  sizes (the shape of a case, as asked for)

What all arrays are held to is `data.checks`; the names of arrays in files are `data.conventions`.
"""

from dataclasses import replace

from ...errors import DataError, UsageError
from ...files import shown
from ..checks import check_size
from ..dataset import fingerprint
from . import csv, hdf5, idx, jsonl, mat, parquet, pictures, svmlight
from .arrays import read_npy, read_npz, stream_npy
from .sniffing import FORMATS, sniff

READERS = {  # one for each of FORMATS
    "idx": idx.read,
    "npy": read_npy,
    "npz": read_npz,
    "hdf5": hdf5.read,
    "csv": csv.read,
    "jsonl": jsonl.read,
    "parquet": parquet.read,
    "svmlight": svmlight.read,
    "mat5": mat.read_5,
    "mat73": mat.read_73,
    "picture": pictures.read_one,
    "folder": pictures.read_folder,
}
STREAMS = {"npy": stream_npy, "csv": csv.stream, "jsonl": jsonl.stream}  # those read piece by piece
SIZED = ("svmlight", "picture", "folder")  # formats that do not say the size of a case
PARTED = ("npz", "hdf5", "mat5", "mat73")  # formats whose parts have names
WEIGHED = ("csv", "jsonl", "parquet", *PARTED)  # formats that have a place for weights
LARGE = ("hdf5", "mat73", "folder")  # formats that may be larger than memory


def read(source, options):
    """The Dataset of an open file, whatever its format, with its fingerprint."""
    format_ = sniff(source)
    if source.key is not None and format_ not in PARTED:
        raise DataError(f"{source} has no parts to name; leave out :{shown(source.key)}")
    if options.weight is not None and format_ not in WEIGHED:
        raise DataError(
            f"{source}: --weight {shown(options.weight)} is for tables, NPZ, HDF5 and MATLAB files; save it as one"
        )
    if options.size is not None and format_ not in SIZED:
        raise UsageError(f"--size {shown(options.size)} is for pictures and svmlight; drop it")
    if format_ not in LARGE:
        check_size(source, source.size)
    dataset = READERS[format_](source, options)
    found = dataset.fingerprint or fingerprint(dataset.splits)
    return replace(dataset, format=FORMATS[format_], fingerprint=found)

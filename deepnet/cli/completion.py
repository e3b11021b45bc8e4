"""What a shell offers at the Tab key where a data set or a model file is wanted: names that come along, and files."""

import os

DATA_SETS = ("mnist", "curves", "rectangles", "convex", "mnist-basic", "mnist-rot", "mnist-bg-rand")
MODELS = (".h5",)
FILES = (".h5", ".hdf5", ".npz", ".npy", ".csv", ".tsv", ".gz", "-ubyte")
FILES += (".jsonl", ".parquet", ".mat", ".svm", ".svmlight", ".libsvm")


def data(incomplete: str):
    """Data sets that come along, folders, and files of data."""
    return [name for name in DATA_SETS if name.startswith(incomplete)] + _paths(incomplete, FILES)


def model(incomplete: str):
    """Folders, and files that may be models."""
    return _paths(incomplete, MODELS)


def _paths(incomplete, suffixes):
    """Folders, with a slash, and files of these suffixes that begin so; hidden ones where a dot is typed."""
    folder, name = os.path.split(incomplete)
    try:
        with os.scandir(folder or ".") as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if entry.name.startswith(name))
    except OSError:
        return []
    return [
        os.path.join(folder, own) + "/" * is_folder
        for own, is_folder in found
        if (is_folder or own.lower().endswith(suffixes)) and (name or not own.startswith("."))
    ]

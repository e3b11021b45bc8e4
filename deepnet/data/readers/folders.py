"""Folders of pictures: which files they hold, of which class and split. Nothing is followed out of them.

A subfolder is a class; pictures that lie in none have no label. A folder `train` makes the folders beside it splits.
Hidden files and those not named as pictures are passed over.
"""

import io
import itertools
import os
from dataclasses import dataclass

from ...errors import DataError
from ...files import open_input, shown
from .idx import IMAGES
from .sniffing import PICTURES

MOST = 1_000_000  # files and folders in one
SPLITS = {"train": ("train",), "valid": ("valid", "val"), "test": ("test",)}


@dataclass(frozen=True)
class Picture:
    """A picture of `size` bytes: its name within the folder that was given, its class, or "" where it has none."""

    path: str
    name: str
    label: str
    size: int
    content: bytes | None = None

    def open(self):
        """Its bytes as a stream."""
        return open_input(self.path) if self.content is None else io.BytesIO(self.content)


def listed(root):
    """{split: its pictures, sorted by class and name} of a folder."""
    folders, files = _entries(root)
    parts = {split: [name for name in names if name in folders] for split, names in SPLITS.items()}
    known = sorted(itertools.chain.from_iterable(parts.values()))
    if not parts["train"]:
        if known and known == sorted(folders):
            given = os.path.join(root, known[0])
            raise DataError(f"{shown(root)} has {', '.join(known)} and no train; give one, such as {shown(given)}")
        return {"train": _cases(root, "", folders, files)}
    others = [name for name in (*folders, *files) if name not in known]
    if others or len(parts["valid"]) > 1:
        name = shown((others or parts["valid"])[0])
        raise DataError(f"{shown(root)} has {name} beside train; it may have valid and test there, and nothing else")
    return {
        split: _cases(path := os.path.join(root, names[0]), names[0], *_entries(path))
        for split, names in parts.items()
        if names
    }


def _cases(folder, name, folders, files):
    """The pictures of one split."""
    found = [_picture(path, os.path.join(name, own), "") for own, path in files.items()]
    for label, place in folders.items():
        inner, own = _entries(place)
        if inner:
            path = shown(next(iter(inner.values())))
            raise DataError(f"{path} is a folder within the class {label}; put its pictures into {shown(place)}")
        if not own:
            raise DataError(f"{shown(place)} holds no picture ({', '.join(PICTURES)}); take the folder away")
        found += [_picture(path, os.path.join(name, label, base), label) for base, path in own.items()]
        if len(found) > MOST:
            break
    if not found:
        raise DataError(f"{shown(folder)} is a folder without pictures ({', '.join(PICTURES)}) and without {IMAGES[0]}")
    if len(found) > MOST:
        raise DataError(f"{shown(folder)} holds more than {MOST:,} pictures; save them as one HDF5 file")
    return found


def _entries(folder):
    """({name: path} of the folders, {name: path} of the pictures) that a folder holds, sorted."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(itertools.islice(entries, MOST + 1), key=lambda entry: entry.name)
    except OSError as problem:
        raise DataError(f"cannot read the folder {shown(folder)}: {shown(problem.strerror)}; check its mode") from None
    if len(found) > MOST:
        raise DataError(f"{shown(folder)} holds more than {MOST:,} files; save them as one HDF5 file")
    folders, files = {}, {}
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise DataError(f"{shown(entry.path)} is a symbolic link, which may lead anywhere; put what it names there")
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and shown(entry.name) != entry.name:
            raise DataError(f"{shown(entry.path)} has a name that cannot be shown, which a class must have; rename it")
        if is_folder or entry.name.lower().endswith(PICTURES):
            (folders if is_folder else files)[entry.name] = entry.path
    return folders, files


def _picture(path, name, label):
    try:
        return Picture(path, name, label, os.lstat(path).st_size)
    except OSError as problem:
        raise DataError(f"cannot read {shown(path)}: {shown(problem.strerror)}; check the folder") from None

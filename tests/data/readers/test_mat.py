"""MATLAB files of both kinds: axes as MATLAB shows them, classes that are no numbers, the extra."""

import h5py
import numpy as np
import pytest

from deepnet import data, extras
from deepnet.errors import DataError, UsageError
from tests.hostile import MAT, X, Y, mat, put

HEAD = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512, b"\0")


def write(path, kind, **variables):
    """Arrays as MATLAB would save them."""
    if kind == "MATLAB 5":
        path.write_bytes(mat(True, **variables))
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in variables.items():
            file.create_dataset(name, data=np.asarray(array).T, chunks=True, compression="gzip")
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as stream:
        stream.write(HEAD)


@pytest.mark.parametrize("kind", ["MATLAB 5", "MATLAB 7.3"])
def test_axes(tmp_path, kind):
    """Labels lie in a row or a column; images have their cases last, as in MATLAB's own data."""
    images = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    path = tmp_path / "x.mat"
    for variables, inputs, shape in (
        ({"X": X, "y": Y[:, None].astype(float)}, X, (5,)),
        ({"X": X, "y": Y[None].astype(float)}, X, (5,)),
        ({"X": X.T, "y": Y[None].astype(float)}, X, (5,)),
        ({"X": np.moveaxis(images, 0, -1), "y": Y[:, None].astype(np.uint8)}, images.reshape(6, 12), (4, 3)),
    ):
        write(path, kind, **variables)
        found = data.load(path, task="classify")
        np.testing.assert_array_equal(found.splits["train"].inputs, inputs)
        np.testing.assert_array_equal(found.splits["train"].targets, Y)
        assert (found.shape, found.format, found.classes) == (shape, kind, ("0", "1", "2"))
    write(path, kind, a=X, b=X[:2])
    assert len(data.load(f"{path}:/b").splits["train"]) == 2
    with pytest.raises(DataError, match="holds a, b, none named X"):
        data.load(path)
    write(path, kind, x_train=X, x_test=X[:2])
    assert len(data.load(path).splits["test"]) == 2


def test_classes_that_are_no_numbers(tmp_path):
    path = tmp_path / "x.mat"
    for name, words in (
        ("cell", "of MATLAB's class cell"),
        ("char", "class char"),
        ("table", r"save table2array\(X\)"),
    ):
        write(path, "MATLAB 7.3", X=X)
        with h5py.File(path, "r+") as file:
            file["X"].attrs["MATLAB_class"] = np.bytes_(name)
        with pytest.raises(DataError, match=words):
            data.load(path)


def test_without_scipy(tmp_path, monkeypatch):
    write(tmp_path / "x.mat", "MATLAB 5", X=X)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(UsageError, match=r"needs the extra 'mat'.*pip install 'deepnet-cli\[mat\]'"):
        data.load(tmp_path / "x.mat")


@pytest.mark.parametrize("fault", MAT)
def test_faults(tmp_path, fault):
    name, content, words = MAT[fault]
    put(tmp_path / name, content)
    with pytest.raises(DataError, match=words):
        data.load(tmp_path / name)

"""Data that are not those a model was made for are refused by what shows it: width, names of columns, range."""

import numpy as np
import pytest

from deepnet.checkpoint import Preparation
from deepnet.data import Cases, Dataset
from deepnet.errors import DataError
from deepnet.workflows import sources


def preparation(scale=1.0, columns=()):
    return Preparation("auto", np.zeros(2, np.float32), np.full(2, scale, np.float32), (2,), columns=columns)


def dataset(values, columns=()):
    return Dataset("table", {"train": Cases(np.array(values))}, shape=(2,), columns=columns)


def test_what_fits_passes():
    sources.check_width(dataset([[0.5, 2]], ("a", "b")), preparation(columns=("a", "b")), "net.h5")
    sources.check_width(dataset([[0.5, 2]], ("a", "b")), preparation(), "net.h5")
    sources.check_width(dataset([[0.5, 2]]), preparation(columns=("a", "b")), "net.h5")
    sources.check_width(dataset([[7.0, 200]]), preparation(255), "net.h5")
    sources.check_width(Dataset("", {"train": Cases(np.ones((1, 2), np.uint8))}), preparation(255), "net.h5")


@pytest.mark.parametrize(
    ("data", "given", "hint"),
    [
        (dataset([[1.0, 2, 3]]), preparation(), "3 columns"),
        (dataset([[1.0, 2]], ("b", "a")), preparation(columns=("a", "b")), "column 1 is 'b'"),
        (dataset([[0.0, 0.5]]), preparation(255), "bytes"),
    ],
)
def test_what_does_not_is_refused(data, given, hint):
    with pytest.raises(DataError, match=hint):
        sources.check_width(data, given, "net.h5")


def test_classes_without_a_training_case_are_told(flowers, tmp_path, call):
    words = ("finetune", flowers, "--label", "kind, as told", "--layers", "3", "--epochs", "1", "-o", tmp_path / "n.h5")
    assert "no training case" not in call(*words).err
    done = call(*words, "--labels", "2", "--force")
    assert done.code == 0
    assert done.err.count("no training case is of class") == 1

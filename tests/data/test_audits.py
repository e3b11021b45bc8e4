"""The audit finds what was planted."""

import json

import numpy as np
import pytest

from deepnet import data
from deepnet.data import Cases, Dataset


def make(train, test=None, targets=None, shape=None, classes=()):
    splits = {"train": Cases(train, targets)}
    if test is not None:
        splits["test"] = Cases(test, None)
    return Dataset("d", splits, classes, shape or train.shape[1:], (), "f" * 64)


def test_finds_what_was_planted():
    rng = np.random.default_rng(0)
    train = rng.random((200, 6)).astype(np.float32)
    train[:, 3] = 0.25
    test = rng.random((50, 6)).astype(np.float32)
    train[17] = train[3]
    train[18] = train[3]
    train[5, 0], train[6] = 0.0, train[5]
    train[6, 0] = -0.0
    test[4], test[9] = train[100], train[101]
    targets = np.repeat([0, 1, 1, 2], 50)
    found = data.audit(make(train, test, targets, classes=("a", "b", "c", "d")))
    assert found["cases"] == {"train": 200, "test": 50}
    assert found["duplicates"] == {"train": 3, "test": 0}
    assert found["leakage"] == {"test": 2}
    assert found["constant"] == {"count": 1, "first": [4]}
    assert found["balance"] == {"train": {"a": 50, "b": 100, "c": 50, "d": 0}, "test": {}}
    assert (found["visible"], found["scale"]) == ("logistic", "auto")
    assert found["minimum"] == train.min()
    assert found["maximum"] == train.max()
    assert found["mean_of_cells"] == pytest.approx(train.mean(dtype=np.float64))
    assert found["squared_error_of_mean_case"] == pytest.approx(train.astype(float).var(axis=0).sum())
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "inputs,shape,expected",
    [
        (np.arange(12, dtype=np.uint8).reshape(2, 6), (6,), ("logistic", "auto")),
        (np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 6), (6,), ("logistic", "auto")),
        (np.linspace(0, 255, 12, dtype=np.float32).reshape(2, 6), (2, 3), ("logistic", "unit")),
        (np.linspace(0, 255, 12, dtype=np.float32).reshape(2, 6), (6,), ("linear", "standard")),
        (np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6), (2, 3), ("linear", "standard")),
    ],
)
def test_suggests_unit_and_scaling(inputs, shape, expected):
    found = data.audit(make(inputs, shape=shape))
    assert (found["visible"], found["scale"]) == expected

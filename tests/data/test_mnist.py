"""The shipped digits, checked through the whole pipeline by two published-size numbers."""

import hashlib
import time
from pathlib import Path

import numpy as np

from deepnet import data
from deepnet.data import scaling


def test_pipeline():
    dataset = data.load("mnist", task="classify")
    train, test = dataset.splits["train"], dataset.splits["test"]
    assert dataset.name == "mnist"
    assert dataset.shape == (28, 28)
    assert dataset.classes == tuple("0123456789")
    assert train.inputs.shape == (60000, 784)
    assert test.inputs.shape == (10000, 784)
    assert train.inputs.dtype == np.uint8
    np.testing.assert_array_equal(train.targets[:5], [5, 0, 4, 1, 9])
    np.testing.assert_array_equal(np.bincount(test.targets)[:3], [980, 1135, 1032])
    fitted = scaling.fit("auto", train.inputs, dataset.shape)
    data.check_range(train.inputs, fitted, "logistic", dataset.name)

    total, products = np.zeros(784), np.zeros((784, 784))
    for first in range(0, 60000, 10000):
        block = scaling.apply(fitted, train.inputs[first : first + 10000])
        total += block.sum(axis=0, dtype=np.float64)
        products += block.T @ block
    mean = total / 60000
    covariance = products / 60000 - np.outer(mean, mean)
    assert abs(np.trace(covariance) - 52.73) < 0.01
    vectors = np.linalg.eigh(covariance)[1][:, -30:]
    gap = scaling.apply(fitted, test.inputs) - mean
    left = ((gap - gap @ vectors @ vectors.T) ** 2).sum(axis=1).mean()
    assert abs(left - 13.87) < 0.01


def test_the_file_is_the_documented_one():
    path = Path(data.shipped()["mnist"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() in (path.parent / "README.md").read_text()


def test_audit_and_speed():
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        dataset = data.load("mnist", task="classify")
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 2  # 0.3 s measured, on a machine that others use too
    found = data.audit(dataset)
    assert found["duplicates"] == {"train": 0, "test": 0}
    assert found["leakage"] == {"test": 0}
    assert found["constant"]["count"] == 67
    assert (found["visible"], found["scale"]) == ("logistic", "auto")
    assert abs(found["squared_error_of_mean_case"] - 52.73) < 0.01
    assert found["balance"]["train"]["1"] == 6742

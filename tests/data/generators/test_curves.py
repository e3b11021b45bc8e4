"""CURVES: always the same images, and the figures that the paper's had."""

import numpy as np
import pytest

from deepnet import data
from deepnet.data.generators import curves


@pytest.fixture(scope="module")
def made():
    return data.load("curves")


def test_it_is_a_shipped_data_set(made):
    assert {name: len(cases) for name, cases in made.splits.items()} == {"train": 20_000, "test": 10_000}
    assert made.shape == (28, 28)
    assert made.name == "curves"
    for cases in made.splits.values():
        assert cases.inputs.dtype == np.uint8
        assert cases.targets is None
        assert cases.inputs.any(axis=1).all()


def test_it_is_always_the_same(made):
    assert made.fingerprint == "52b127256a495bbfa8e2a446f209421630ff47397fab05345765ea32a706481a"


def test_its_figures_are_the_paper_s(made):
    """Squared error a case of the mean image, about 16, and of 18 principal components, 5.90, on the test cases."""
    train, test = (made.splits[name].inputs / 255 for name in ("train", "test"))
    mean = train.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(train - mean, rowvar=False))
    top = vectors[:, np.argsort(values)[::-1][:18]]
    rest = (test - mean) - (test - mean) @ top @ top.T
    assert ((test - mean) ** 2).sum(axis=1).mean() == pytest.approx(16, abs=0.4)
    assert (rest**2).sum(axis=1).mean() == pytest.approx(5.9, abs=0.15)


def test_curves_go_through_their_points():
    numbers = np.random.default_rng(0).random((50, 6))
    x, y = curves._curves(numbers)
    assert (np.diff(x, axis=1) > 0).all()
    ends = curves.FIRST + (curves.LAST - curves.FIRST) * numbers[:, [3, 5]]
    np.testing.assert_allclose(y[:, [0, -1]], ends)
    middle = curves.FIRST + (curves.LAST - curves.FIRST) * numbers[:, 4]
    nearest = np.abs(y - middle[:, None]).min(axis=1)
    assert nearest.max() < 2
    assert np.abs(np.diff(y, 3, axis=1)).max() < 1  # no corner

"""Neighbours, retrieval and clusters against naive twins and numbers worked out by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest

from deepnet.evaluation import codes as page


def sorted_differences(x, count):
    """The nearest others of each case, difference by difference; of equally near ones the first."""
    x = np.asarray(x, np.float64)
    nearest = []
    for i, own in enumerate(x):
        far = ((x - own) ** 2).sum(axis=1)
        nearest.append(sorted((d, j) for j, d in enumerate(far.tolist()) if j != i)[:count])
    return np.array([[j for _, j in row] for row in nearest])


@pytest.mark.parametrize("count", [1, 2, 10])
@pytest.mark.parametrize("kind", ["normal", "grid", "far", "equal"])
def test_neighbours_are_those_of_plain_differences(kind, count):
    rng = np.random.default_rng(1)
    x = {
        "normal": rng.normal(size=(300, 4)),
        "grid": rng.integers(0, 3, (300, 4)),
        "far": 1e7 + rng.random((300, 4)),
        "equal": np.zeros((30, 4)),
    }[kind]
    np.testing.assert_array_equal(page.neighbours(x, count), sorted_differences(x, count))


def test_all_others_are_neighbours():
    x = np.random.default_rng(2).normal(size=(7, 3))
    assert [sorted(row) for row in page.neighbours(x, 6).tolist()] == [
        [j for j in range(7) if j != i] for i in range(7)
    ]


def test_precision_by_hand():
    nearest, labels = np.array([[1, 2], [0, 2], [3, 0], [2, 1]]), np.array(["a", "a", "b", "b"])
    assert page.retrieval_precision(nearest, labels) == 4 / 8
    assert page.retrieval_precision(nearest[:, :1], labels) == 1


# The example of Manning, Raghavan and Schuetze 2008, figure 16.4: purity 12/17, NMI 0.36.
BOOK = {"clusters": [0] * 6 + [1] * 6 + [2] * 5, "labels": list("xxxxxo" + "xoooo#" + "xx###")}


def test_the_example_of_the_book():
    clusters, labels = np.array(BOOK["clusters"]), np.array(BOOK["labels"])
    assert page.purity(clusters, labels) == 12 / 17
    assert page.normalised_mutual_information(clusters, labels) == pytest.approx(0.36, abs=0.005)


def test_mutual_information_by_hand():
    """Halves against quarters: one bit shared, entropies of one and two bits; and pairs that tell half."""
    halves, quarters = np.array([0, 0, 1, 1]), np.arange(4)
    assert page.normalised_mutual_information(halves, quarters) == pytest.approx(2 * 1 / (1 + 2))
    assert page.normalised_mutual_information(halves, np.array([0, 1, 0, 1])) == pytest.approx(0, abs=1e-15)
    assert page.normalised_mutual_information(halves, halves) == pytest.approx(1)
    assert page.normalised_mutual_information(np.zeros(4, int), halves) == 0
    assert page.normalised_mutual_information(np.zeros(4, int), np.zeros(4, int)) == 1
    skew = np.array([0, 0, 0, 1])
    shared = float(Fraction(1, 2)) * math.log(4 / 3) + 0.25 * math.log(0.25 / (0.5 * 0.75)) + 0.25 * math.log(2)
    entropies = math.log(2) + 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert page.normalised_mutual_information(skew, halves) == pytest.approx(2 * shared / entropies)


def test_names_do_not_matter():
    rng = np.random.default_rng(3)
    clusters, labels = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    other, words = np.array([7, 2, 9, 0])[clusters], np.array(["c", "a", "b"])[labels]
    assert page.purity(other, words) == page.purity(clusters, labels)
    one, two = (page.normalised_mutual_information(*pair) for pair in ((clusters, labels), (other, words)))
    assert one == pytest.approx(two, abs=1e-15)


def test_clusters_that_are_there_are_found():
    """Eight clouds of very unequal size; and the same answer each time."""
    rng = np.random.default_rng(4)
    labels = rng.permutation(np.repeat(np.arange(8), [400, 200, 100, 50, 50, 20, 10, 5]))
    x = 20 * rng.normal(size=(8, 5))[labels] + rng.normal(size=(len(labels), 5))
    found = page.clusters(x, 8, 0)
    assert page.purity(found, labels) == 1
    assert page.normalised_mutual_information(found, labels) == pytest.approx(1)
    np.testing.assert_array_equal(found, page.clusters(x, 8, 0))


def test_clusters_rest():
    """Where k-means ended, each case is nearest to the mean of its own cluster, by differences in float64."""
    x = np.random.default_rng(5).normal(size=(500, 3))
    found = page.clusters(x, 6, 1)
    means = np.array([x[found == c].mean(axis=0) for c in range(6)])
    far = ((x[:, None] - means) ** 2).sum(axis=2)
    assert (far[np.arange(500), found] <= far.min(axis=1) + 1e-5).all()


@pytest.mark.parametrize("x", [np.zeros((9, 2)), np.repeat(np.eye(2), 5, axis=0), np.ones((1, 3))])
def test_fewer_places_than_clusters(x):
    found = page.clusters(x, 4, 0)
    assert found.shape == (len(x),)
    assert page.purity(found, x[:, 0]) == 1


def test_first_centres_lie_far_apart():
    """k-means++ draws a case again never, and an outlier nearly always."""
    x = np.random.default_rng(6).normal(size=(200, 2)).astype(np.float32)
    x[17] = 1000
    squares = (x**2).sum(axis=1)
    drawn = [page._first_centres(x, squares, 5, key) for key in range(50)]
    assert all(len(np.unique(centres, axis=0)) == 5 for centres in drawn)
    assert sum((centres == 1000).any() for centres in drawn) >= 49

"""Rectangles and convex regions: always the same images, of the classes they are said to be."""

import numpy as np
import pytest

from deepnet import data
from deepnet.data.generators import shapes
from deepnet.kernels import random


@pytest.fixture(scope="module")
def rectangles():
    return data.load("rectangles")


@pytest.fixture(scope="module")
def convex():
    return data.load("convex")


def test_they_are_always_the_same(rectangles, convex):
    assert {name: len(cases) for name, cases in rectangles.splits.items()} == shapes.RECTANGLES
    assert {name: len(cases) for name, cases in convex.splits.items()} == shapes.CONVEX
    assert rectangles.fingerprint == "5baf355a5118de60b365bb33667b1fe548a4529527a420536e43276181a1541a"
    assert convex.fingerprint == "d21303015dea3cfc609d0c9f573b53320a3374cde302f70c5cdd3437a11ce63d"


def test_rectangles_are_outlines_of_their_class(rectangles):
    """Each image is drawn anew from where its ink begins and ends."""
    cases = rectangles.splits["test"]
    assert set(np.unique(cases.inputs)) == {0, 255}
    sides = []
    for image, label in zip(cases.inputs[:2000].reshape(-1, 28, 28), cases.targets, strict=False):
        down, across = (np.flatnonzero(image.any(axis=k)) for k in (1, 0))
        drawn = np.zeros((28, 28), np.uint8)
        drawn[down[0] : down[-1] + 1, across[0] : across[-1] + 1] = 255
        drawn[down[0] + 1 : down[-1], across[0] + 1 : across[-1]] = 0
        np.testing.assert_array_equal(image, drawn)
        height, width = down[-1] - down[0] + 1, across[-1] - across[0] + 1
        sides.append((width, height))
        assert abs(height - width) >= shapes.GAP
        assert label == ("tall" if height > width else "wide")
    assert np.min(sides) == 1
    assert np.max(sides) == 28
    assert np.mean(cases.targets == "tall") == pytest.approx(0.5, abs=0.01)


def test_both_classes_are_as_large_and_as_white(convex):
    """Larochelle et al. 2007: the mean number of white pixels gives no class away; within four standard errors."""
    for name, cases in convex.splits.items():
        white = (cases.inputs > 0).sum(axis=1)
        one, other = (white[cases.targets == label] for label in ("convex", "other"))
        assert len(one) == len(other) == shapes.CONVEX[name] // 2
        assert abs(one.mean() - other.mean()) < 4 * np.hypot(one.std(), other.std()) / np.sqrt(len(one))
        assert one.min() >= shapes.ONE[1]


def test_labels_tell_convex_regions_from_others(convex):
    cases = convex.splits["train"]
    np.testing.assert_array_equal(shapes.is_convex(cases.inputs.reshape(-1, 28, 28) > 0), cases.targets == "convex")


def holds_its_hull(mask):
    """The naive twin: whether no black pixel lies within the hull, corner by corner (Andrew's monotone chain)."""
    points = sorted(map(tuple, np.argwhere(mask).tolist()))

    def turn(o, a, b):
        return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])

    def chain(points):
        corners = []
        for point in points:
            while len(corners) > 1 and turn(corners[-2], corners[-1], point) <= 0:
                corners.pop()
            corners.append(point)
        return corners[:-1]

    hull = chain(points) + chain(points[::-1])
    if not hull:
        return True
    edges = list(zip(hull, hull[1:] + hull[:1], strict=True))
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    for pixel in map(tuple, np.argwhere(~mask).tolist()):
        boxed = (low <= pixel).all() and (pixel <= high).all()
        if boxed and all(turn(a, b, pixel) >= 0 for a, b in edges):
            return False
    return True


def test_the_convexity_test_is_that_of_the_hull():
    sets = shapes.pixels_of(*shapes.regions(3, 400, *shapes.MANY))
    dotted = sets[:100] & (random.uniform(5, 0, 100, 784) < 0.98).reshape(100, 28, 28)
    thin = np.zeros((4, 28, 28), bool)
    thin[0, [3, 5], [4, 5]] = True  # no pixel's middle between the two
    thin[1, [3, 5], [4, 6]] = True  # one
    thin[2, 7, 7] = True
    masks = np.concatenate([sets[:100], sets[:200] | sets[200:400], dotted, thin])
    expected = [holds_its_hull(mask) for mask in masks]
    np.testing.assert_array_equal(shapes.is_convex(masks), expected)
    assert 100 < sum(expected) < 300
    assert expected[-4:] == [True, False, True, True]


def test_a_half_plane_is_where_its_product_is_positive():
    """Row by row in integers, against the sign of n (p - point) at every pixel's middle."""
    u = random.uniform(9, 0, 300, 3).astype(np.float64)
    angles, points = 2 * np.pi * u[:, 0], np.floor(u[:, 1:] * 28 * shapes.FINE).astype(np.int64)
    angles[:4] = np.pi / 2 * np.arange(4)
    across, down = (np.rint(shapes.LONG * function(angles)) for function in (np.cos, np.sin))
    across[across == 0] = 1
    middles = shapes.FINE * np.arange(28) + shapes.FINE // 2
    x, y = across[:, None] * (middles - points[:, :1]), down[:, None] * (middles - points[:, 1:])
    np.testing.assert_array_equal(
        shapes.pixels_of(*shapes._half_plane(angles, points)), x[:, None] + y[:, :, None] >= 0
    )

"""The variations of MNIST: always the same images, of digits that no two splits share."""

import numpy as np
import pytest

from deepnet import data
from deepnet.data.generators import variations

FINGERPRINTS = {
    "mnist-basic": "42c32292c168b753e7338080ecdf294d47a8177eae5bcdd6a8f302ed994eee29",
    "mnist-rot": "7193c7833eeb8da2e66fd367c27d4d679abe37f4424539b84c3c091cebfe7a5c",
    "mnist-bg-rand": "ebfc8dfc53f12c66e702ce72b79848be491b6e34aeaa712f7fdfab3cc23567a4",
}


@pytest.fixture(scope="module")
def mnist():
    return data.load("mnist")


@pytest.fixture(scope="module")
def basic(mnist):
    return variations.make("mnist-basic", mnist)


def test_every_rule_is_here():
    assert list(FINGERPRINTS) == list(variations.RULES)


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_they_are_always_the_same(name, basic):
    made = data.load(name)
    assert made.fingerprint == FINGERPRINTS[name]
    assert made.name == name
    assert made.shape == (28, 28)
    for split, cases in made.splits.items():
        assert len(cases) == variations.SIZES[split]
        np.testing.assert_array_equal(cases.targets, basic.splits[split].targets)


def test_each_digit_is_used_once(mnist, basic):
    """As many times as MNIST has it, at most: rows and labels are compared as bytes."""

    def rows(dataset):
        parts = [np.column_stack([c.inputs, c.targets.astype(np.uint8)]) for c in dataset.splits.values()]
        return np.ascontiguousarray(np.concatenate(parts)).view("V785").ravel().tolist()

    there = rows(mnist)
    left = set(there)
    assert len(left) == len(there) == 70_000
    taken = rows(basic)
    assert len(taken) == 62_000
    for row in taken:
        left.remove(row)
    assert len(left) == 8_000


def test_noise_lies_behind_the_digits(basic):
    noisy = data.load("mnist-bg-rand").splits["valid"].inputs
    digits = basic.splits["valid"].inputs
    assert (noisy >= digits).all()
    behind = noisy[digits == 0]
    counts = np.bincount(behind, minlength=256)
    assert abs(counts - len(behind) / 256).max() < 5 * np.sqrt(len(behind) / 256)


def test_quarter_turns_move_pixels_alone(basic):
    images = basic.splits["valid"].inputs[:50]
    squares = images.reshape(-1, 28, 28)
    for quarter, (c, s) in enumerate([(1, 0), (0, 1), (-1, 0), (0, -1)]):
        turned = variations.turn(images, np.full(50, float(c)), np.full(50, float(s)))
        np.testing.assert_array_equal(turned.reshape(-1, 28, 28), np.rot90(squares, -quarter, axes=(1, 2)))


def test_turning_is_bilinear(basic):
    """The naive twin, pixel by pixel."""
    image, angle = basic.splits["valid"].inputs[0], 0.7
    c, s = np.rint(np.array([np.cos(angle), np.sin(angle)]) / variations.STEP) * variations.STEP
    square, expected = image.reshape(28, 28).astype(float), np.zeros((28, 28))
    for row in range(28):
        for column in range(28):
            x = c * (column - 13.5) + s * (row - 13.5) + 13.5
            y = c * (row - 13.5) - s * (column - 13.5) + 13.5
            for i in range(28):
                for j in range(28):
                    expected[row, column] += max(0, 1 - abs(i - y)) * max(0, 1 - abs(j - x)) * square[i, j]
    turned = variations.turn(image[None], np.array([c]), np.array([s]))
    assert np.abs(turned.reshape(28, 28) - expected).max() <= 0.5 + 1e-9


def test_turning_keeps_the_ink(basic):
    """Angles are of every size, and the mean digit loses less than a hundredth of its ink over the edge."""
    turned, digits = data.load("mnist-rot").splits["valid"].inputs, basic.splits["valid"].inputs
    assert turned.mean() == pytest.approx(digits.mean(), rel=0.01)
    assert (turned != digits).any(axis=1).mean() > 0.99


def test_the_validation_cases_come_with_the_data():
    from deepnet.workflows import sources

    dataset, valid = sources.read("mnist-basic", "none", "classify", None, (), 0)
    assert valid == "given"
    assert {name: len(cases) for name, cases in dataset.splits.items()} == variations.SIZES

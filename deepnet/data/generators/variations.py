"""MNIST made harder: fewer digits to learn from, turned digits, digits on noise; made anew from a fixed key.

After Larochelle, Erhan, Courville, Bergstra and Bengio 2007, section 3.1. All three show the same digits in the same
splits. Arithmetic is exact up to the rounding to bytes, so that the images are the same on every machine.
"""

import numpy as np

from ...kernels import random
from ..dataset import Cases, Dataset, fingerprint

SIZES = {"train": 10_000, "valid": 2_000, "test": 50_000}
KEY = 2007
SIDE = 28  # pixels
STEP = 2.0**-20  # cosines are multiples of it: products with coordinates and bytes then fit float64 without rounding
BLOCK = 1000  # images turned at a time


def basic(digits, key):
    """Bytes (N, 784): the digits as they are."""
    return digits


def rot(digits, key):
    """Each digit turned about the image's centre by an angle from U(0, 2 pi), between pixels by bilinear weights."""
    turned = np.empty_like(digits)
    angles = 2 * np.pi * random.uniform(key, 0, 1, len(digits))[0].astype(np.float64)
    cosines, sines = (np.rint(function(angles) / STEP) * STEP for function in (np.cos, np.sin))
    for first in range(0, len(digits), BLOCK):
        rows = slice(first, first + BLOCK)
        turned[rows] = turn(digits[rows], cosines[rows], sines[rows])
    return turned


def bg_rand(digits, key):
    """Each digit before pixels drawn evenly from 0 to 255; of both, the brighter shows."""
    return np.maximum(digits, (random.bits(key, 0, *digits.shape) >> np.uint32(24)).astype(np.uint8))


RULES = {"mnist-basic": basic, "mnist-rot": rot, "mnist-bg-rand": bg_rand}


def make(name, mnist):
    """The Dataset of this name of RULES, uint8 images (28, 28), from the 70,000 digits of MNIST, each used once."""
    pool = mnist.splits.values()
    inputs, targets = (np.concatenate(parts) for parts in zip(*((c.inputs, c.targets) for c in pool), strict=True))
    order = random.permutation(random.fold(KEY, 0), len(inputs))[: sum(SIZES.values())]
    images = RULES[name](inputs[order], random.fold(KEY, 1, list(RULES).index(name)))
    splits, first = {}, 0
    for split, count in SIZES.items():
        rows = slice(first, first + count)
        splits[split] = Cases(images[rows], targets[order[rows]])
        first += count
    return Dataset(name, splits, shape=(SIDE, SIDE), fingerprint=fingerprint(splits))


def turn(images, cosines, sines):
    """Bytes (N, 784) of images (N, 784) turned clockwise by angles of these cosines and sines (N,), black around them.

    Each pixel takes, from where it came, the four nearest ones by their bilinear weights.
    """
    count, edge = len(images), SIDE + 3  # a black pixel before, two behind
    padded = np.zeros((count, edge, edge))
    padded[:, 1 : SIDE + 1, 1 : SIDE + 1] = images.reshape(count, SIDE, SIDE)
    down, across = np.indices((SIDE, SIDE)).reshape(2, 1, -1) - (SIDE - 1) / 2
    c, s = cosines[:, None], sines[:, None]
    x, y = (np.clip(p + (SIDE - 1) / 2, -1, SIDE) + 1 for p in (c * across + s * down, c * down - s * across))
    left, top = np.floor(x), np.floor(y)
    right_share, low_share = x - left, y - top
    at = (top * edge + left).astype(np.int64) + (np.arange(count) * edge * edge)[:, None]
    flat = padded.reshape(-1)
    above = flat[at] * (1 - right_share) + flat[at + 1] * right_share
    below = flat[at + edge] * (1 - right_share) + flat[at + edge + 1] * right_share
    return np.rint(above * (1 - low_share) + below * low_share).astype(np.uint8)

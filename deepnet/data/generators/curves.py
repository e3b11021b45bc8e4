"""CURVES: images of smooth curves through three random points, made anew from a fixed key.

Hinton and Salakhutdinov (2006, supporting material) drew each as a spline through three points with increasing x, six
numbers an image. Their files are gone and the pen is not described; ours is set so that the figures they give for any
pen hold: the mean image is off by about 16 (squared error a case), 18 principal components by about 5.9.
"""

import numpy as np

from ...kernels import random
from ..dataset import Cases, Dataset, fingerprint

SIZES = {"train": 20_000, "test": 10_000}
KEY = 2006
SIDE, FIRST, LAST = 28, 4.0, 24.0  # pixels of an image; where points may lie
GAP = 0.1  # least distance of two points in x, the image being 1 wide
STEPS = 100  # places on a curve where ink is put
SPREAD, INK = 0.92, 0.335  # the pen: its deviation in pixels, and how dark a pixel's length of line makes its middle
BLOCK = 500  # images drawn at a time


def make():
    """The Dataset, uint8 images (28, 28) without labels."""
    splits = {}
    for k, (name, count) in enumerate(SIZES.items()):
        numbers = random.uniform(random.fold(KEY, k), 0, count, 6).astype(np.float64)
        images = np.empty((count, SIDE * SIDE), np.uint8)
        for first in range(0, count, BLOCK):
            images[first : first + BLOCK] = _draw(*_curves(numbers[first : first + BLOCK]))
        splits[name] = Cases(images)
    return Dataset("curves", splits, shape=(SIDE, SIDE), fingerprint=fingerprint(splits))


def _curves(numbers):
    """x, y (N, STEPS) in pixels along the natural cubic spline through three points, from numbers (N, 6) in [0, 1)."""
    x = np.sort(numbers[:, :3], axis=1) * (1 - 2 * GAP) + GAP * np.arange(3)
    y = numbers[:, 3:]
    left, right = x[:, 1] - x[:, 0], x[:, 2] - x[:, 1]
    bend = 3 * ((y[:, 2] - y[:, 1]) / right - (y[:, 1] - y[:, 0]) / left) / (left + right)  # y'' at the middle point
    t = x[:, :1] + (x[:, 2:] - x[:, :1]) * np.linspace(0, 1, STEPS)

    def piece(k, width, bend_left, bend_right):
        width = width[:, None]
        a, b = (x[:, k + 1, None] - t) / width, (t - x[:, k, None]) / width
        sag = (a**3 - a) * bend_left[:, None] + (b**3 - b) * bend_right[:, None]
        return a * y[:, k, None] + b * y[:, k + 1, None] + sag * width**2 / 6

    none = np.zeros_like(bend)
    s = np.where(t < x[:, 1:2], piece(0, left, none, bend), piece(1, right, bend, none))
    return FIRST + (LAST - FIRST) * t, FIRST + (LAST - FIRST) * s


def _draw(x, y):
    """Bytes (N, 784): at each step a Gaussian spot as dark as the step is long, cut at full ink."""
    pixels = np.arange(SIDE, dtype=np.float64)
    across, down = (np.exp(-((pixels[:, None] - p[:, None, :]) ** 2) / (2 * SPREAD**2)) for p in (x, y))
    length = np.hypot(np.gradient(x, axis=1), np.gradient(y, axis=1))
    ink = np.matmul(down * (INK * length)[:, None, :], across.transpose(0, 2, 1))
    return np.rint(255 * np.minimum(ink, 1)).astype(np.uint8).reshape(len(x), -1)

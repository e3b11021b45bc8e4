"""Outlines of rectangles, and convex regions beside others: white on black, made anew from a fixed key.

After Larochelle, Erhan, Courville, Bergstra and Bengio 2007, sections 3.2 and 3.3. Geometry is in integers, so that
the images are the same on every machine.
"""

import numpy as np

from ...kernels import random
from ..dataset import Cases, Dataset, fingerprint

SIDE, WHITE = 28, np.uint8(255)
KEY = 2007
RECTANGLES = {"train": 1_000, "valid": 200, "test": 50_000}
CONVEX = {"train": 6_000, "valid": 2_000, "test": 50_000}
GAP = 3  # least difference of a rectangle's sides
ONE, MANY = (0.195, 19), (0.064, 10)  # of a region: chance that a half-plane is its last, least pixels
FINE, LONG = 64, 4096  # units in a pixel, and in the normal of a half-plane
BLOCK = 2500  # unions drawn at a time


def rectangles():
    """The Dataset of outlines, each `tall` or `wide`: sides U(1, 28), places U where they fit."""
    count = sum(RECTANGLES.values())
    width, height = _sides(random.fold(KEY, 2), count)
    places = random.uniform(random.fold(KEY, 3), 0, count, 2)
    left, top = (np.floor(p * (SIDE + 1 - side)) for p, side in zip(places.T, (width, height), strict=True))
    pixels = np.arange(SIDE)

    def within(first, side):
        far = pixels - first[:, None]
        inside = (far >= 0) & (far < side[:, None])
        return inside, inside & ((far == 0) | (far == side[:, None] - 1))

    (across, sides), (down, ends) = within(left, width), within(top, height)
    lines = (down[:, :, None] & sides[:, None, :]) | (ends[:, :, None] & across[:, None, :])
    return _dataset("rectangles", RECTANGLES, lines, np.where(height > width, "tall", "wide"))


def _sides(key, count):
    """Widths and heights (N,), each pair drawn anew until its sides differ by GAP."""
    sides, draw = np.zeros((count, 2)), 0
    while (again := np.abs(sides[:, 0] - sides[:, 1]) < GAP).any():
        sides[again] = np.floor(random.uniform(key, draw, count, 2) * SIDE)[again] + 1
        draw += 1
    return sides.T


def convex():
    """The Dataset of regions, each `convex` or `other`, a half of each split.

    Convex: the intersection of half-planes. Other: the union of two to four such, where that is not convex itself.
    """
    masks, labels = [], []
    for k, count in enumerate(CONVEX.values()):
        ones = pixels_of(*regions(random.fold(KEY, 4, k), count // 2, *ONE))
        others = unions(random.fold(KEY, 5, k), count - count // 2)
        order = random.permutation(random.fold(KEY, 6, k), count)
        masks.append(np.concatenate([ones, others])[order])
        labels.append(np.where(order < count // 2, "convex", "other"))
    return _dataset("convex", CONVEX, np.concatenate(masks), np.concatenate(labels))


def regions(key, count, end, least):
    """First and last columns (N, 28) of the rows of intersections of half-planes; a row is empty where last < first.

    A half-plane's edge is a line of even direction through an even point of the image. Each is the last one with
    chance `end`; one that would leave fewer than `least` pixels is drawn again.
    """
    first, last = np.zeros((count, SIDE), np.int64), np.full((count, SIDE), SIDE - 1)
    going, draw = np.arange(count), 0
    while len(going):
        u = random.uniform(key, draw, count, 4)[going].astype(np.float64)
        low, high = _half_plane(2 * np.pi * u[:, 0], np.floor(u[:, 1:3] * SIDE * FINE).astype(np.int64))
        low, high = np.maximum(low, first[going]), np.minimum(high, last[going])
        kept = np.maximum(high - low + 1, 0).sum(axis=1) >= least
        first[going[kept]], last[going[kept]] = low[kept], high[kept]
        going, draw = going[~(kept & (u[:, 3] < end))], draw + 1
    return first, last


def _half_plane(angles, points):
    """First and last columns (N, 28) whose middles p have n (p - point) >= 0, n the normal of this angle (N,)."""
    across, down = (np.rint(LONG * function(angles)).astype(np.int64)[:, None] for function in (np.cos, np.sin))
    across[across == 0] = 1  # no edge is quite level, so that each row has one
    middles = FINE * np.arange(SIDE) + FINE // 2
    at_least = across * (points[:, :1] - FINE // 2) - down * (
        middles - points[:, 1:]
    )  # of across times FINE times column
    edge = at_least // (FINE * across)  # rounded down
    first = -(-at_least // (FINE * across))  # rounded up
    return np.where(across > 0, first, 0), np.where(across > 0, SIDE - 1, edge)


def pixels_of(first, last):
    """bool (N, 28, 28) of first and last columns (N, 28)."""
    columns = np.arange(SIDE)
    return (columns >= first[:, :, None]) & (columns <= last[:, :, None])


def unions(key, count):
    """bool (N, 28, 28): unions of two to four regions that are not convex."""
    found, have, block = [], 0, 0
    while have < count:
        parts = pixels_of(*regions(random.fold(key, 0, block), 4 * BLOCK, *MANY)).reshape(-1, 4, SIDE, SIDE)
        wanted = 2 + random.bits(random.fold(key, 1, block), 0, 1, BLOCK)[0] % 3
        parts &= (np.arange(4) < wanted[:, None])[:, :, None, None]
        masks = parts.any(axis=1)
        found.append(masks[~is_convex(masks)])
        have, block = have + len(found[-1]), block + 1
    return np.concatenate(found)[:count]


def is_convex(masks):
    """bool (N,): whether each region (N, 28, 28) holds all pixels with middles in the hull of its pixels' middles."""
    count = masks.sum(axis=2)
    left, right = masks.argmax(axis=2), SIDE - 1 - masks[:, :, ::-1].argmax(axis=2)
    convex = ((count == right - left + 1) | (count == 0)).all(axis=1)  # no row has a gap
    rows = np.flatnonzero(convex)
    left, right, count = left[rows], right[rows], count[rows]
    first, last = _least_start(left, count > 0), -_least_start(-right, count > 0)
    convex[rows] = (np.maximum(last - first + 1, 0) == count).all(axis=1)
    return convex


def _least_start(ends, filled):
    """The leftmost column (N, 28) right of the lines between any two rows' ends (N, 28), SIDE where there are none."""
    least = np.where(filled, ends, SIDE)
    for a in range(SIDE - 2):
        for c in range(a + 2, SIDE):
            b, both = np.arange(a + 1, c), np.flatnonzero(filled[:, a] & filled[:, c])[:, None]
            line = -((ends[both, a] * (b - c) + ends[both, c] * (a - b)) // (c - a))  # rounded up
            least[both, b] = np.minimum(least[both, b], line)
    return least


def _dataset(name, sizes, masks, labels):
    """The Dataset of white pixels where the masks (N, 28, 28) hold, cut into splits."""
    splits, first = {}, 0
    for split, count in sizes.items():
        rows = slice(first, first + count)
        splits[split] = Cases(masks[rows].reshape(count, -1) * WHITE, labels[rows])
        first += count
    return Dataset(name, splits, shape=(SIDE, SIDE), fingerprint=fingerprint(splits))

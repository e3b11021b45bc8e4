"""Arrays for the tests of kernels: guarded on all sides, so that a read or a write out of place shows itself."""

import numpy as np

SENTINEL = np.float32(12345.678)
# Around the widths of vectors, blocks and tiles on every CPU.
EDGES = (
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    *range(13, 18),
    28,
    29,
    *(edge + k for edge in (32, 48, 64, 112, 128) for k in (-1, 0, 1)),
)


def shapes():
    """(cases, inputs, outputs): each at every edge, the others small and odd; every register block; some large."""
    table = [(5, 6, 7)]
    for edge in (1, *EDGES):
        table += [(edge, 3, 5), (3, edge, 5), (5, 3, edge), (edge, 2, edge)]
    table += [(rows, 2, columns) for rows in range(1, 15) for columns in (4, 7, 8, 15, 16, 23, 31, 32, 47)]
    return [(0, 3, 5), (0, 70, 130), (1, 1, 1), *table, (17, 130, 65), (113, 33, 129), (225, 10, 193)]


def draw(seed, *shape):
    """float32 values of the standard normal law; tests need no bits of ours here."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def inside(values, fill=np.nan):
    """The same values as a view into a larger array that is `fill` all around, rows with a stride of their own."""
    rows, columns = values.shape
    whole = np.full((rows + 2, columns + 37), fill, values.dtype)
    view = whole[1 : 1 + rows, 5 : 5 + columns]
    view[...] = values
    return view


def across(values, fill=np.nan):
    """The same values as a transposed view, so that the inner stride is that of rows."""
    return inside(np.ascontiguousarray(values.T), fill).T


def apart(values, fill=np.nan):
    """The same values as every second column of a wider array: neither stride is one."""
    view = inside(np.full((len(values), 2 * values.shape[1]), fill, values.dtype), fill)[:, ::2]
    view[...] = values
    return view


class Guarded:
    """An output (rows, columns) within an array of sentinels; `untouched` says that only the output was written."""

    def __init__(self, rows, columns, dtype=np.float32, values=None):
        self.whole = np.full((rows + 2, columns + 37), SENTINEL, dtype)
        self.out = self.whole[1 : 1 + rows, 5 : 5 + columns]
        if values is not None:
            self.out[...] = values

    @property
    def untouched(self):
        frame = self.whole.copy()
        frame[1 : 1 + self.out.shape[0], 5 : 5 + self.out.shape[1]] = SENTINEL
        return bool((frame == frame.dtype.type(SENTINEL)).all())


def close(found, expected, bound):
    """Assert |found - expected| <= bound element by element; NaN and infinity must stand at the same places."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_array_equal(found[np.isinf(expected)], expected[np.isinf(expected)])
    usual = np.isfinite(expected)
    error, most = np.abs(found[usual] - expected[usual]), np.broadcast_to(bound, expected.shape)[usual]
    assert (error <= most).all(), f"error {error.max()} at bound {most[error.argmax()]}"

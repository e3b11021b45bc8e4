"""Lists of what is not zero: each beside NumPy's."""

import numpy as np
import pytest

from deepnet.kernels.jit import ENABLED
from deepnet.kernels.lists import Lists, list_columns, list_rows, some
from deepnet.kernels.operands import matrix
from deepnet.kernels.tiles import PIECE
from tests.kernels.arrays import draw

pytestmark = pytest.mark.skipif(not ENABLED, reason="without a JIT nothing is listed")
SHAPES = (100, 784), (29, 70), (64, 64), (17, 333), (5, 15), (3, 16), (1, 1), (4, 0), (0, 5)


def _matrix(rows, columns, share):
    """Numbers of which about that share is not zero, among them what is hard to tell from zero."""
    rng, x = np.random.default_rng(rows * columns), matrix(rows, columns)
    x[...] = draw(0, rows, columns) * (rng.random((rows, columns)) < share)
    for value, place in zip((np.nan, -0.0, 1e-42, np.inf), np.ndindex(x.shape), strict=False):
        x[place] = value
    return x


@pytest.mark.parametrize("share", [0, 0.3, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_lists(shape, share):
    x = _matrix(*shape, share)
    for function, given in ((list_rows, x), (list_columns, x.T)):
        values, index, starts = Lists.room(*given.shape)
        function(x, values, index, starts)
        for i, row in enumerate(given):
            (wanted,) = np.nonzero(row)
            count = len(wanted)
            assert index[i, :count].tolist() == wanted.tolist()
            assert values[i, :count].tobytes() == row[wanted].tobytes()
            pieces = [int((wanted < k).sum()) for k in range(0, max(1, len(row)), PIECE)]
            assert starts[i].tolist() == [*pieces, count]


@pytest.mark.parametrize("every", [1, 8])
def test_count(every):
    x = _matrix(29, 70, 0.3)
    assert some(x, every) == np.count_nonzero(x[::every])

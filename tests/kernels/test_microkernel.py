"""The register block: its shapes fit the registers, and each of them is reached by the products' tests."""

import pytest

from deepnet.kernels import microkernel, tiles
from deepnet.kernels.jit import ENABLED
from tests.kernels.arrays import shapes


def test_blocks_fit_the_registers():
    """Sums, the vectors of B and one broadcast of A live at the same time."""
    lanes, rows = microkernel.target()
    registers = 32 if lanes == 16 else 16
    assert 2 * rows + 2 + (lanes != 16) <= registers
    assert lanes == tiles.LANES


def test_shapes_of_the_tests_reach_every_block():
    """The (rows, vectors, last one whole or not) of the blocks that `fill` cuts from the tables' sizes are all."""
    reached = set()
    for rows, steps, columns in shapes():
        down, across = tiles.grid(rows, columns, steps, *tiles.TALL)
        for t in range(down * across):
            first, last, j0, j1 = tiles.edges(t, down, across, rows, columns)
            vectors, some = -(-(j1 - j0) // tiles.LANES), (j1 - j0) % tiles.LANES > 0
            for p in range(first, last):
                height = tiles.row_edge(p + 1, rows) - tiles.row_edge(p, rows)
                reached |= {(height, 2, False)} if vectors > 2 else set()
                reached |= {(height, vectors % 2 or 2, some)}
    heights = range(1, tiles.PANEL + 1)
    assert reached == {(rows, wide, some) for wide in (1, 2) for rows in heights for some in (False, True)}


def test_tiles_cover_a_product_once():
    for rows, columns, steps in ((1, 1, 1), (100, 500, 784), (784, 100, 500), (15, 65, 9), (2048, 2048, 100)):
        down, across = tiles.grid(rows, columns, steps, *tiles.TALL)
        seen = set()
        for t in range(down * across):
            first, last, j0, j1 = tiles.edges(t, down, across, rows, columns)
            assert j0 % 64 == 0
            seen |= {(p, j) for p in range(first, last) for j in range(j0, j1)}
        assert len(seen) == -(-rows // tiles.PANEL) * columns, (rows, columns)


@pytest.mark.skipif(not ENABLED, reason="nothing is compiled")
def test_one_function_holds_all_blocks():
    assert microkernel.block.address == microkernel.block.address != 0

"""The register block: its shapes fit the registers, and each of them is reached by the products' tests."""

import pytest

from deepnet.kernels import microkernel, products
from deepnet.kernels.jit import ENABLED
from tests.kernels.arrays import shapes


def test_blocks_fit_the_registers():
    """Sums, the vectors of B and one broadcast of A live at the same time."""
    lanes, most = microkernel.target()
    registers = 32 if lanes == 16 else 16
    for vectors, rows in most.items():
        assert rows * vectors + vectors + (lanes != 16) <= registers, (lanes, vectors)
    assert lanes == products.LANES


def test_shapes_of_the_tests_reach_every_block():
    """The (rows, vectors) of the blocks that `_fill_tile` cuts from the tables' sizes are all there are."""
    lanes, most = microkernel.target()
    reached = set()
    for rows, _, columns in shapes():
        panels, across = products.panels_of(rows), max(1, columns // products.GROUP)
        heights = {rows * (p + 1) // panels - rows * p // panels for p in range(panels)}
        widths = {products.GROUP if across > 1 else columns, columns - (across - 1) * products.GROUP}
        for vectors in (-(-width // lanes) for width in widths):
            for wide in {3 if vectors == 3 else min(vectors, 2), vectors % 2 or 2} if vectors > 3 else {vectors}:
                for height in heights:
                    parts = -(-height // most[wide])
                    reached |= {(height * (p + 1) // parts - height * p // parts, wide) for p in range(parts)}
    assert reached == {(rows, wide) for wide, highest in most.items() for rows in range(1, highest + 1)}


@pytest.mark.skipif(not ENABLED, reason="nothing is compiled")
def test_one_function_holds_all_blocks():
    assert microkernel.block_address() == microkernel.block_address() != 0

"""Units left out at random: the mask is drawn in the pass that uses it.

Axes: B cases, M units. An element of the mask is 0 or 1 / (1 - rate), and a function of key, case and unit alone, so
threads change nothing. On the way back products take the mask (`products.down_chain`). At 100 x 1024 the pass takes
0.06 ms on one thread, where NumPy's comparison and two multiplications took 0.48 ms.
"""

import math

import numpy as np
from numba import prange

from .exp import ZERO
from .jit import compiled, inner, njit, row_of
from .random import GROUP, fill_group, halves, uniform

ROWS = 16  # cases of a block
FEW = 1 << 13  # elements of a minibatch below which the calling thread does it


@inner
def _drop_block(block, k0, k1, x, least, scale, mask, a):
    cases, units = x.shape
    groups = (units + GROUP - 1) // GROUP
    bits = np.empty(groups * GROUP, np.uint32)
    for i in range(block * ROWS, min((block + 1) * ROWS, cases)):
        for group in range(groups):
            fill_group(k0, k1, 0, i, group, bits[group * GROUP : (group + 1) * GROUP])
        given, kept, out = row_of(x, i, 0, units), row_of(mask, i, 0, units), row_of(a, i, 0, units)
        for j in range(units):
            kept[j] = scale if bits[j] >= least else ZERO
        for j in range(units):
            out[j] = given[j] * kept[j]


@njit(parallel=True)
def _drop(k0, k1, x, least, scale, mask, a):
    blocks = (x.shape[0] + ROWS - 1) // ROWS
    if x.size < FEW:
        for block in range(blocks):
            _drop_block(block, k0, k1, x, least, scale, mask, a)
        return
    for block in prange(blocks):
        _drop_block(block, k0, k1, x, least, scale, mask, a)


def drop(key, x, rate, mask, a):
    """mask (B, M) <- 0 with probability `rate`, else 1 / (1 - rate), drawn from the key; a <- x mask for x (B, M).

    Source: Srivastava et al. 2014, section 10 (scaled while training, as is usual now).
    """
    if compiled(a):
        least = np.uint32(math.ceil(float(np.float32(rate)) * 2**24) << 8)  # a draw's upper 24 bits as a number
        _drop(*halves(key), x, least, np.float32(1 / (1 - rate)), mask, a)
    else:
        np.multiply(uniform(key, 0, *x.shape) >= np.float32(rate), 1 / (1 - rate), out=mask)
        np.multiply(x, mask, out=a)

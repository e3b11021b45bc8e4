"""Units left out at random: the mask is drawn in the pass that uses it.

Axes: B cases, M units. An element of the mask is 0 or 1 / (1 - rate), and a function of key, case and unit alone, so
threads change nothing. On the way back products take the mask (`products.down_chain`). At 100 x 1024 the pass takes
0.06 ms on one thread, where NumPy's comparison and two multiplications took 0.48 ms.
"""

import math

import numpy as np
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import ZERO
from .jit import bits_of, compiled, float_of, native, njit, numbers_at, vector_at, words_at
from .random import GROUP, fill_group, uniform
from .tape import launch, work

ROWS = 16  # cases of a block
MOST = 2**32 - 1  # a draw at most
FEW = 1 << 13  # elements of a minibatch below which the calling thread does it


@native(2)
def _some_cases(part, at):
    """The mask of so many cases, and their product with it: the numbers of `_drop`."""
    (
        each, key, x, x_row, cases, units, least, bits, mask, mask_row, a, a_row,
    ) = to_fixed_tuple(numbers_at(at, 12), 12)  # fmt: skip
    k0, k1 = words_at(key, 2)
    groups, scale = (units + GROUP - 1) // GROUP, float_of(bits)
    draws = np.empty(groups * GROUP, np.uint32)
    for i in range(part * each, min((part + 1) * each, cases)):
        for group in range(groups):
            there = draws[group * GROUP : (group + 1) * GROUP]
            fill_group(np.uint32(k0), np.uint32(k1), 0, i, group, there)
        given, kept = vector_at(x + i * x_row * 4, units), vector_at(mask + i * mask_row * 4, units)
        out = vector_at(a + i * a_row * 4, units)
        for j in range(units):
            kept[j] = scale if draws[j] >= np.uint32(least) else ZERO
        for j in range(units):
            out[j] = given[j] * kept[j]


@njit
def _drop(address, key, x, least, scale, mask, a):
    """The numbers of a mask."""
    each = x.shape[0] if x.size < FEW else ROWS
    return work(
        (
            address, (x.shape[0] + each - 1) // max(each, 1), each, np.int64(key.ctypes.data),
            np.int64(x.ctypes.data), x.strides[0] // 4, x.shape[0], x.shape[1], least, bits_of(scale),
            np.int64(mask.ctypes.data), mask.strides[0] // 4, np.int64(a.ctypes.data), a.strides[0] // 4,
        )
    )  # fmt: skip


@native(2)
def _product(part, at):
    one, one_row, other, other_row, out, out_row, cases, units = to_fixed_tuple(numbers_at(at, 8), 8)
    for i in range(cases):
        x, y = vector_at(one + i * one_row * 4, units), vector_at(other + i * other_row * 4, units)
        both = vector_at(out + i * out_row * 4, units)
        for j in range(units):
            both[j] = x[j] * y[j]


@njit
def _both(address, one, other, out):
    """The numbers of a product of masks."""
    return work(
        (
            address, 1, np.int64(one.ctypes.data), one.strides[0] // 4, np.int64(other.ctypes.data),
            other.strides[0] // 4, np.int64(out.ctypes.data), out.strides[0] // 4, out.shape[0], out.shape[1],
        )
    )  # fmt: skip


def both(one, other, out):
    """out (B, M) <- one * other, two masks one upon the other."""
    if compiled(out):
        given = one, other, out
        launch(_both(_product.address, *given), given)
    else:
        np.multiply(one, other, out=out)


def drop(key, x, rate, mask, a):
    """mask (B, M) <- 0 with probability `rate`, else 1 / (1 - rate), drawn from the key; a <- x mask for x (B, M).

    The key is a number, or an array () of one uint64, which may have changed when a tape makes the call again.
    Source: Srivastava et al. 2014, section 10 (scaled while training, as is usual now).
    """
    if compiled(a):
        least = min(math.ceil(float(np.float32(rate)) * 2**24) << 8, MOST)  # a draw's upper 24 bits as a number
        given = np.asarray(key, np.uint64).reshape(1), x, least, np.float32(1 / (1 - rate)), mask, a
        launch(_drop(_some_cases.address, *given), given)
    else:
        np.multiply(uniform(int(key), 0, *x.shape) >= np.float32(rate), 1 / (1 - rate), out=mask)
        np.multiply(x, mask, out=a)

"""Operands of products in bfloat16: float32 with 16 of its 24 bits of mantissa left off, two numbers a word.

A product in this form multiplies rounded operands, exactly, and adds up in float32 (`microkernel.block_bfloat16`): an
error of 2^-9 in each factor, twice the speed. What is learned stays in float32; each product rounds what it is given.

A word holds two neighbours along the inner index of the product, the earlier one in its lower half. So the left
operand is rounded `along` its rows, (R, K) to (R, K/2), the right one `across` them, (K, J) to (K/2, J); a last one
without a neighbour is paired with 0. Words lie in float32 arrays and are only ever moved.

Axes: R rows, C columns.
"""

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .exp import ZERO
from .jit import ENABLED, inner, njit, row_of

FEW = 1 << 14  # elements below which the calling thread does it


def available():
    """Whether this CPU, or the one that Numba was told to compile for, multiplies bfloat16."""
    return ENABLED and "+avx512bf16" in cpu_target.target_context.codegen().magic_tuple()[2].split(",")


@intrinsic
def _word(typingctx, low, high):
    """Two float32 as one word: each rounded to the nearest bfloat16, ties to even; NaN stays NaN."""

    def emit(context, builder, signature, values):
        word = ir.IntType(32)

        def rounded(value):
            bits = builder.bitcast(value, word)
            odd = builder.and_(builder.lshr(bits, word(16)), word(1))
            near = builder.add(bits, builder.add(odd, word(0x7FFF)))
            nan = builder.or_(bits, word(0x400000))
            return builder.select(builder.fcmp_unordered("uno", value, value), nan, near)

        low, high = rounded(values[0]), rounded(values[1])
        both = builder.or_(builder.lshr(low, word(16)), builder.and_(high, word(0xFFFF0000)))
        return builder.bitcast(both, ir.FloatType())

    return types.float32(types.float32, types.float32), emit


@inner
def _row_along(x, out, i):
    row, words = row_of(x, i, 0, x.shape[1]), row_of(out, i, 0, out.shape[1])
    for k in range(row.size // 2):
        words[k] = _word(row[2 * k], row[2 * k + 1])
    if row.size % 2:
        words[row.size // 2] = _word(row[row.size - 1], ZERO)


@inner
def _row_across(x, out, i):
    row, words = row_of(x, 2 * i, 0, x.shape[1]), row_of(out, i, 0, x.shape[1])
    if 2 * i + 1 < x.shape[0]:
        other = row_of(x, 2 * i + 1, 0, x.shape[1])
        for j in range(row.size):
            words[j] = _word(row[j], other[j])
    else:
        for j in range(row.size):
            words[j] = _word(row[j], ZERO)


@njit(parallel=True)
def _along(x, out):
    if x.size <= FEW:
        for i in range(out.shape[0]):
            _row_along(x, out, i)
        return
    for i in prange(out.shape[0]):
        _row_along(x, out, i)


@njit(parallel=True)
def _across(x, out):
    if x.size <= FEW:
        for i in range(out.shape[0]):
            _row_across(x, out, i)
        return
    for i in prange(out.shape[0]):
        _row_across(x, out, i)


@njit(parallel=True)
def _both(x, out, other):
    for i in prange(other.shape[0]):
        _row_along(x, out, 2 * i)
        if 2 * i + 1 < x.shape[0]:
            _row_along(x, out, 2 * i + 1)
        _row_across(x, other, i)


def along(x, out):
    """out (R, C/2) <- the words of x (R, C), pairs of a row; both with unit inner stride."""
    _along(x, out)


def across(x, out):
    """out (R/2, C) <- the words of x (R, C), pairs of a column; both with unit inner stride."""
    _across(x, out)


def both(x, out, other):
    """out <- the words of x along its rows, other <- across them, in one pass."""
    _both(x, out, other)


def twin(x):
    """x rounded to bfloat16, in float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    near = bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    near = np.where(np.isnan(x), bits | np.uint32(0x400000), near)
    return (near & np.uint32(0xFFFF0000)).view(np.float32)


def halves(words):
    """The two numbers of each word, (lower, upper), in float32."""
    bits = words.view(np.uint32)
    return (bits << np.uint32(16)).view(np.float32), (bits & np.uint32(0xFFFF0000)).view(np.float32)

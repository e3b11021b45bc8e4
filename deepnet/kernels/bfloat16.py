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
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import ZERO
from .jit import ENABLED, inner, native, njit, numbers_at, vector_at
from .tape import launch, work

FEW = 1 << 14  # elements below which the calling thread does it
_NOWHERE = np.zeros((0, 32), np.float32)  # in the place of words that are not asked for


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
def _row_along(x, columns, out):
    row, words = vector_at(x, columns), vector_at(out, (columns + 1) // 2)
    for k in range(row.size // 2):
        words[k] = _word(row[2 * k], row[2 * k + 1])
    if row.size % 2:
        words[row.size // 2] = _word(row[row.size - 1], ZERO)


@inner
def _row_across(x, below, columns, out):
    """The words of a row and the one `below`, an address, or none."""
    row, words = vector_at(x, columns), vector_at(out, columns)
    if below:
        other = vector_at(below, columns)
        for j in range(row.size):
            words[j] = _word(row[j], other[j])
    else:
        for j in range(row.size):
            words[j] = _word(row[j], ZERO)


@native(2)
def _pairs(part, at):
    """The words of `each` pairs of rows, along them and across as far as there is a place, by the numbers of `_all`."""
    each, x, x_row, rows, columns, out, out_row, other, other_row = to_fixed_tuple(numbers_at(at, 9), 9)
    for n in range(part * each, min((part + 1) * each, (rows + 1) // 2)):
        here, last = x + 2 * n * x_row * 4, 2 * n + 1 == rows
        if out:
            _row_along(here, columns, out + 2 * n * out_row * 4)
            if not last:
                _row_along(here + x_row * 4, columns, out + (2 * n + 1) * out_row * 4)
        if other:
            _row_across(here, 0 if last else here + x_row * 4, columns, other + n * other_row * 4)


@njit
def _all(address, x, out, other):
    """The numbers of rounding x."""
    pairs = (x.shape[0] + 1) // 2
    parts = 1 if x.size <= FEW else pairs
    along, across = np.int64(out.ctypes.data) if out.size else 0, np.int64(other.ctypes.data) if other.size else 0
    return work(
        (
            address, parts, pairs if parts == 1 else 1, np.int64(x.ctypes.data), x.strides[0] // 4,
            x.shape[0], x.shape[1], along, out.strides[0] // 4, across, other.strides[0] // 4,
        )
    )  # fmt: skip


def along(x, out):
    """out (R, C/2) <- the words of x (R, C), pairs of a row; both with unit inner stride."""
    both(x, out, _NOWHERE)


def across(x, out):
    """out (R/2, C) <- the words of x (R, C), pairs of a column; both with unit inner stride."""
    both(x, _NOWHERE, out)


def both(x, out, other):
    """out <- the words of x along its rows, other <- across them, in one pass."""
    given = x, out, other
    launch(_all(_pairs.address, *given), given)


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

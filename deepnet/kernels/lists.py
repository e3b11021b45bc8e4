"""Lists of what is not zero in a matrix, row by row or column by column, for products that leave out zeros.

Axes: R rows, K steps; a list holds values, their steps, and where each PIECE of steps begins in it.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.unsafe.ndarray import to_fixed_tuple

from .exp import ZERO
from .jit import call, hold, inner, native, njit, numbers_at, row_of, vector_at, words_at
from .microkernel import FLOAT, INT, WORD, target
from .tape import launch, work
from .tiles import PIECE
from .transpose import SIDE, transpose_at

LANES = target()[0]


class Lists(NamedTuple):
    """What is not zero in the rows of a matrix (R, K): values and their steps (R, K), and where each PIECE begins."""

    values: np.ndarray
    index: np.ndarray
    starts: np.ndarray

    @staticmethod
    def room(rows, steps):
        """Room for the lists of a matrix (rows, steps)."""
        pieces = max(1, -(-steps // PIECE))
        values, index = (np.zeros((rows, steps), kind) for kind in (np.float32, np.int32))
        return Lists(values, index, np.zeros((rows, pieces + 1), np.int32))


# The lanes whose bit is set in each byte, the lowest first, as bytes of a word.
_CHOSEN = [sum(lane << 8 * n for n, lane in enumerate(k for k in range(8) if byte >> k & 1)) for byte in range(256)]


def _chosen(builder, held, some):
    """The lanes of 8 floats whose bit is set, moved to the front, and where they were: AVX2 has a permutation."""
    module, lanes = builder.module, ir.VectorType(WORD, 8)
    kind = ir.ArrayType(ir.IntType(64), len(_CHOSEN))
    table = cgutils.global_constant(module, "deepnet_chosen", ir.Constant(kind, _CHOSEN))
    byte = builder.zext(builder.bitcast(some, ir.IntType(8)), INT)
    order = builder.bitcast(builder.load(builder.gep(table, [INT(0), byte])), ir.VectorType(ir.IntType(8), 8))
    order = builder.zext(order, lanes)
    permute = cgutils.get_or_insert_function(
        module, ir.FunctionType(held.type, [held.type, lanes]), "llvm.x86.avx2.permps"
    )
    return builder.call(permute, [held, order]), order


def _compress(builder, vector, mask):
    """The lanes of a vector whose bit is set, moved to the front: one instruction of AVX-512."""
    name = f"llvm.x86.avx512.mask.compress.v{SIDE}{'f32' if vector.type.element == FLOAT else 'i32'}"
    move = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector.type, [vector.type, vector.type, mask.type]), name
    )
    return builder.call(move, [vector, ir.Constant(vector.type, None), mask])


@intrinsic
def _squeeze(typingctx, source, first, values, places):
    """How many of the SIDE floats at address `source` are not zero.

    They go to address `values`, first + lane to `places`; SIDE places are written at both.
    """
    wide = LANES if LANES >= 8 else 1  # lanes that are moved at once
    vector, words = ir.VectorType(FLOAT, wide), ir.VectorType(WORD, wide)

    def emit(context, builder, signature, arguments):
        source, first, values, places = arguments
        start = builder.insert_element(ir.Constant(words, ir.Undefined), builder.trunc(first, WORD), WORD(0))
        start = builder.shuffle_vector(start, ir.Constant(words, ir.Undefined), ir.Constant(words, [0] * wide))
        total = INT(0)
        for lane in range(0, SIDE, wide):
            here = builder.inttoptr(builder.add(source, INT(4 * lane)), ir.PointerType(vector))
            held = builder.load(here, align=4)
            some = builder.fcmp_unordered("!=", held, ir.Constant(vector, [0.0] * wide))
            order: ir.Value = ir.Constant(words, list(range(wide)))
            if wide == SIDE:
                held, order = (_compress(builder, moved, some) for moved in (held, order))
            elif wide > 1:
                held, order = _chosen(builder, held, some)
            steps = builder.add(builder.add(start, ir.Constant(words, [lane] * wide)), order)
            done = builder.mul(total, INT(4))
            for moved, to in ((held, values), (steps, places)):
                builder.store(moved, builder.inttoptr(builder.add(to, done), ir.PointerType(moved.type)), align=4)
            count = builder.ctpop(builder.bitcast(some, ir.IntType(wide)))
            total = builder.add(total, builder.zext(count, INT))
        return total

    return types.int64(types.int64, types.int64, types.int64, types.int64), emit


@inner
def _list(rows, row, steps, source, values, index, list_row, starts, starts_row):
    """The lists of so many rows, from the address of the first, `row` elements from row to row."""
    for i in range(rows):
        given, kept, places = source + i * row * 4, values + i * list_row * 4, index + i * list_row * 4
        x, begins, n = vector_at(given, steps), words_at(starts + i * starts_row * 4, starts_row), 0
        held, where = vector_at(kept, steps), words_at(places, steps)
        for piece in range(starts_row - 1):
            begins[piece] = n
            first, last = piece * PIECE, min((piece + 1) * PIECE, steps)
            whole = first + (last - first) // SIDE * SIDE
            for k in range(first, whole, SIDE):
                n += _squeeze(given + 4 * k, k, kept + 4 * n, places + 4 * n)
            for k in range(whole, last):
                held[n] = x[k]
                where[n] = k
                n += x[k] != ZERO
        begins[starts_row - 1] = n


@native(2)
def _some_rows(part, at):
    """The lists of SIDE rows, or where there is a `transpose` of as many columns, by the numbers of `_lists`."""
    transpose, x, row, rows, steps, values, index, list_row, starts, starts_row = to_fixed_tuple(numbers_at(at, 10), 10)
    first = part * SIDE
    count = min(SIDE, rows - first)
    there = (
        values + first * list_row * 4, index + first * list_row * 4, list_row,
        starts + first * starts_row * 4, starts_row,
    )  # fmt: skip
    if transpose:
        turned = np.empty((SIDE, steps), np.float32)
        here = np.int64(turned.ctypes.data)
        call(transpose, (x + first * 4, row * 4, here, steps * 4, steps, count))
        _list(count, steps, steps, here, *there)
        hold(turned)
    else:
        _list(count, row, steps, x + first * row * 4, *there)


@njit
def _lists(address, transpose, x, values, index, starts):
    """The numbers of the lists of all rows or columns of x."""
    rows, steps = (x.shape[1], x.shape[0]) if transpose else x.shape
    return work(
        (
            address, (rows + SIDE - 1) // SIDE, transpose, np.int64(x.ctypes.data), x.strides[0] // 4, rows, steps,
            np.int64(values.ctypes.data), np.int64(index.ctypes.data), values.shape[1],
            np.int64(starts.ctypes.data), starts.shape[1],
        )
    )  # fmt: skip


def list_rows(x, values, index, starts):
    """What is not zero in each row of x (R, K), float32."""
    given = x, values, index, starts
    launch(_lists(_some_rows.address, 0, *given), given)


def list_columns(x, values, index, starts):
    """What is not zero in each column of x (K, R), float32."""
    given = x, values, index, starts
    launch(_lists(_some_rows.address, transpose_at.address, *given), given)


@njit
def some(x, every):
    """Elements of every so many rows of x that are not zero."""
    n = 0
    for i in range(0, x.shape[0], every):
        row = row_of(x, i, 0, x.shape[1])
        for k in range(row.size):
            n += row[k] != ZERO
    return n

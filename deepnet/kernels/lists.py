"""Lists of what is not zero in a matrix, row by row or column by column, for products that leave out zeros.

Axes: R rows, K steps; a list holds values, their steps, and where each PIECE of steps begins in it.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from .exp import ZERO
from .jit import inner, njit, row_of
from .microkernel import target
from .tiles import PIECE
from .transpose import SIDE, transpose_tile

INT, FLOAT, WORD, BIT = ir.IntType(64), ir.FloatType(), ir.IntType(32), ir.IntType(1)


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


def _compress(builder, kind, vector, mask):
    """The lanes of a vector whose bit is set, moved to its beginning: one instruction of AVX-512."""
    name = f"llvm.x86.avx512.mask.compress.v{SIDE}{kind}"
    masks = ir.VectorType(BIT, SIDE)
    move = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector.type, [vector.type, vector.type, masks]), name
    )
    return builder.call(move, [vector, ir.Constant(vector.type, None), mask])


@intrinsic
def _squeeze(typingctx, source, first, values, places):
    """How many of the SIDE floats at address `source` are not zero.

    They go to address `values`, first + lane to `places`; SIDE places are written at both.
    """
    vector, words = ir.VectorType(FLOAT, SIDE), ir.VectorType(WORD, SIDE)

    def emit(context, builder, signature, arguments):
        source, first, values, places = arguments
        held = builder.load(builder.inttoptr(source, ir.PointerType(vector)), align=4)
        some = builder.fcmp_unordered("!=", held, ir.Constant(vector, [0.0] * SIDE))
        count = builder.zext(builder.ctpop(builder.bitcast(some, ir.IntType(SIDE))), INT)
        start = builder.insert_element(ir.Constant(words, ir.Undefined), builder.trunc(first, WORD), WORD(0))
        start = builder.shuffle_vector(start, ir.Constant(words, ir.Undefined), ir.Constant(words, [0] * SIDE))
        steps = builder.add(start, ir.Constant(words, list(range(SIDE))))
        if target()[0] == SIDE:
            for kind, moved, to in (("f32", held, values), ("i32", steps, places)):
                moved = _compress(builder, kind, moved, some)
                builder.store(moved, builder.inttoptr(to, ir.PointerType(moved.type)), align=4)
            return count
        for lane in range(SIDE):
            for moved, to in ((held, values), (steps, places)):
                one = builder.extract_element(moved, WORD(lane))
                builder.store(one, builder.inttoptr(to, ir.PointerType(one.type)), align=4)
            on = builder.mul(builder.zext(builder.extract_element(some, WORD(lane)), INT), INT(4))
            values, places = builder.add(values, on), builder.add(places, on)
        return count

    return types.int64(types.int64, types.int64, types.int64, types.int64), emit


@inner
def _list_row(row, values, index, starts):
    values_at, index_at, n = np.int64(values.ctypes.data), np.int64(index.ctypes.data), 0
    for piece in range(starts.size - 1):
        starts[piece] = n
        first, last = piece * PIECE, min((piece + 1) * PIECE, row.size)
        whole = first + (last - first) // SIDE * SIDE
        for k in range(first, whole, SIDE):
            n += _squeeze(np.int64(row.ctypes.data) + 4 * k, k, values_at + 4 * n, index_at + 4 * n)
        for k in range(whole, last):
            values[n] = row[k]
            index[n] = k
            n += row[k] != ZERO
    starts[starts.size - 1] = n


@njit(parallel=True)
def list_rows(x, values, index, starts):
    """What is not zero in each row of x (R, K)."""
    for i in prange(x.shape[0]):
        _list_row(row_of(x, i, 0, x.shape[1]), values[i], index[i], starts[i])


@inner
def _list_block(x, values, index, starts, j0, j1):
    turned = np.empty((j1 - j0, x.shape[0]), np.float32)
    transpose_tile(x[:, j0:j1], 0, x.shape[0], 0, j1 - j0, turned)
    for j in range(j0, j1):
        _list_row(row_of(turned, j - j0, 0, x.shape[0]), values[j], index[j], starts[j])


@njit(parallel=True)
def list_columns(x, values, index, starts):
    """What is not zero in each column of x (K, R)."""
    for block in prange((x.shape[1] + SIDE - 1) // SIDE):
        _list_block(x, values, index, starts, block * SIDE, min((block + 1) * SIDE, x.shape[1]))


@njit
def some(x, every):
    """Elements of every so many rows of x that are not zero."""
    n = 0
    for i in range(0, x.shape[0], every):
        row = row_of(x, i, 0, x.shape[1])
        for k in range(row.size):
            n += row[k] != ZERO
    return n

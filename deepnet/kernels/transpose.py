"""A square transpose in registers, emitted as LLVM IR for this CPU's vectors.

It is called through its address: within each of its callers it took 2 of the 16 s of a first run to compile.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .jit import call, inner, matrix_at, native, njit, row_of, vector_at
from .microkernel import FLOAT, INT, target

SIDE = 16
LANES = target()[0]


@intrinsic
def _square(typingctx, source, source_step, target, target_step):
    """target (LANES, LANES) <- source' (LANES, LANES), from addresses and row steps in bytes."""
    vector, narrow = ir.VectorType(FLOAT, LANES), ir.VectorType(ir.IntType(32), LANES)

    def emit(context, builder, signature, values):
        source, source_step, target, target_step = values

        def row(base, step, i):
            return builder.inttoptr(builder.add(base, builder.mul(step, INT(i))), ir.PointerType(vector))

        rows = [builder.load(row(source, source_step, i), align=4) for i in range(LANES)]
        apart = LANES // 2
        while apart:  # the two blocks off the diagonal change places, in ever smaller squares
            first = ir.Constant(narrow, [n + (LANES - apart if n & apart else 0) for n in range(LANES)])
            other = ir.Constant(narrow, [n + (LANES if n & apart else apart) for n in range(LANES)])
            for i in range(LANES):
                if not i & apart:
                    pair = rows[i], rows[i + apart]
                    rows[i], rows[i + apart] = (builder.shuffle_vector(*pair, lanes) for lanes in (first, other))
            apart //= 2
        for i, value in enumerate(rows):
            builder.store(value, row(target, target_step, i), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), emit


@native(6)
def transpose_at(source, source_step, target, target_step, rows, columns):
    """target (columns, rows) <- source' (rows, columns), from addresses and row steps in bytes.

    The last squares overlap those before them; they give the same.
    """
    if rows >= LANES and columns >= LANES:
        for i in range(0, rows, LANES):
            top = min(i, rows - LANES)
            for j in range(0, columns, LANES):
                left = min(j, columns - LANES)
                here, there = source + top * source_step + left * 4, target + left * target_step + top * 4
                _square(here, source_step, there, target_step)
        return
    given = matrix_at(source, rows, source_step // 4, columns)
    for j in range(columns):
        row = vector_at(target + j * target_step, rows)
        for i in range(rows):
            row[i] = given[i, j]


@inner
def transpose_tile(transpose, a, i0, i1, j0, j1, out):
    """out[j, i] <- a[i, j] for i0 <= i < i1, j0 <= j < j1, by `transpose_at`; both of unit inner stride."""
    source = np.int64(a.ctypes.data) + i0 * a.strides[0] + j0 * 4
    target = np.int64(out.ctypes.data) + j0 * out.strides[0] + i0 * 4
    call(transpose, (source, a.strides[0], target, out.strides[0], i1 - i0, j1 - j0))


@njit
def _transpose(transpose, a, out):
    transpose_tile(transpose, a, 0, a.shape[0], 0, a.shape[1], out)


def transpose_matrix(a, out):
    """out <- a', both whole."""
    _transpose(transpose_at.address, a, out)


@inner
def copy_rows(a, out):
    """The first rows and columns of out <- a; both of unit inner stride."""
    for i in range(a.shape[0]):
        given, row = row_of(a, i, 0, a.shape[1]), row_of(out, i, 0, a.shape[1])
        for j in range(row.size):
            row[j] = given[j]

"""A 16 x 16 transpose in registers, emitted as LLVM IR: four rounds of interleaving, on any vector width.

It is called through its address: within each of its callers it took 2 of the 16 s of a first run to compile.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import call, inner, matrix_at, native, njit, vector_at

SIDE = 16
INT, FLOAT = ir.IntType(64), ir.FloatType()


@intrinsic
def _square(typingctx, source, source_step, target, target_step):
    """target (16, 16) <- source' (16, 16), from addresses and row steps in bytes."""
    vector, narrow = ir.VectorType(FLOAT, SIDE), ir.IntType(32)
    low = ir.Constant(ir.VectorType(narrow, SIDE), [n // 2 + SIDE * (n % 2) for n in range(SIDE)])
    high = ir.Constant(ir.VectorType(narrow, SIDE), [SIDE // 2 + n // 2 + SIDE * (n % 2) for n in range(SIDE)])

    def emit(context, builder, signature, values):
        source, source_step, target, target_step = values

        def row(base, step, i):
            return builder.inttoptr(builder.add(base, builder.mul(step, INT(i))), ir.PointerType(vector))

        rows = [builder.load(row(source, source_step, i), align=4) for i in range(SIDE)]
        for _ in range(4):  # a perfect shuffle of rows and lanes; four of them exchange the two indices
            rows = [
                builder.shuffle_vector(rows[i // 2], rows[i // 2 + SIDE // 2], high if i % 2 else low)
                for i in range(SIDE)
            ]
        for i, value in enumerate(rows):
            builder.store(value, row(target, target_step, i), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), emit


@native(6)
def transpose_at(source, source_step, target, target_step, rows, columns):
    """target (columns, rows) <- source' (rows, columns), from addresses and row steps in bytes."""
    for i in range(0, rows, SIDE):
        for j in range(0, columns, SIDE):
            here, there = source + i * source_step + j * 4, target + j * target_step + i * 4
            if i + SIDE <= rows and j + SIDE <= columns:
                _square(here, source_step, there, target_step)
            else:
                high, wide = min(SIDE, rows - i), min(SIDE, columns - j)
                given = matrix_at(here, high, source_step // 4, wide)
                for p in range(wide):
                    row = vector_at(there + p * target_step, high)
                    for q in range(high):
                        row[q] = given[q, p]


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


@intrinsic
def copy_some(typingctx, source, target, count):
    """Copy `count` floats, at most 16, from address to address."""
    vector, narrow = ir.VectorType(FLOAT, SIDE), ir.IntType(32)
    masks = ir.VectorType(ir.IntType(1), SIDE)

    def emit(context, builder, signature, values):
        source, target, count = values
        pointer = ir.PointerType(vector)
        spread = builder.shuffle_vector(
            builder.insert_element(ir.Constant(ir.VectorType(INT, SIDE), ir.Undefined), count, narrow(0)),
            ir.Constant(ir.VectorType(INT, SIDE), ir.Undefined),
            ir.Constant(ir.VectorType(narrow, SIDE), [0] * SIDE),
        )
        mask = builder.icmp_signed("<", ir.Constant(ir.VectorType(INT, SIDE), list(range(SIDE))), spread)
        load = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [pointer, narrow, masks, vector]), "llvm.masked.load.v16f32.p0"
        )
        written = ir.FunctionType(ir.VoidType(), [vector, pointer, narrow, masks])
        store = cgutils.get_or_insert_function(builder.module, written, "llvm.masked.store.v16f32.p0")
        zero = ir.Constant(vector, [0.0] * SIDE)
        held = builder.call(load, [builder.inttoptr(source, pointer), narrow(4), mask, zero])
        builder.call(store, [held, builder.inttoptr(target, pointer), narrow(4), mask])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@inner
def copy_rows(a, out):
    """The first rows and columns of out <- a; both of unit inner stride."""
    for i in range(a.shape[0]):
        source, target = np.int64(a.ctypes.data) + i * a.strides[0], np.int64(out.ctypes.data) + i * out.strides[0]
        for j in range(0, a.shape[1], SIDE):
            copy_some(source + j * 4, target + j * 4, min(SIDE, a.shape[1] - j))

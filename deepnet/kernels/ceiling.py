"""What the multipliers can do: the register block over data in the first cache, on every thread at once."""

import numpy as np
from numba import prange

from . import jit, operands
from .jit import call, njit
from .microkernel import ONCE, block, target

STEPS, CALLS = 128, 2000
(LANES, ROWS), VECTORS = target(), 2


@njit(parallel=True)
def _peak(address, a, b, c, threads, calls, rows, vectors, lanes):
    for t in prange(threads):
        for _ in range(calls):
            call(
                address,
                (
                    np.int64(a.ctypes.data) + t * a.strides[0] * rows,
                    a.strides[0] // 4,
                    ONCE,
                    np.int64(b.ctypes.data),
                    b.strides[0] // 4,
                    np.int64(c.ctypes.data) + t * c.strides[0] * rows,
                    c.strides[0] // 4,
                    a.shape[1],
                    lanes,
                    0,
                    rows,
                    vectors,
                ),
            )


def peak():
    """A callable that runs CALLS blocks on each thread."""
    threads = jit.threads()
    a = operands.matrix(threads * ROWS, STEPS)
    b, c = operands.matrix(STEPS, VECTORS * LANES), operands.matrix(threads * ROWS, VECTORS * LANES)
    a[...], b[...] = np.float32(0.5), np.float32(0.25)
    return lambda: _peak(block.address, a, b, c, threads, CALLS, ROWS, VECTORS, LANES)


def flops():
    """Operations of one call of `peak`."""
    return jit.threads() * CALLS * 2.0 * ROWS * VECTORS * LANES * STEPS

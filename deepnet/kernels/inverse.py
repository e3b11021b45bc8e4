"""The inverse of a symmetric positive definite matrix, K'K with K the inverse of its Cholesky factor.

Halves of halves down to LEAF rows, which one thread does; all else is `products`, so no bit depends on threads or
vector width. Forming K and not the inverse of each half keeps the error near single precision times the condition
number, where it were times its square; K'K is symmetric to the bit.
"""

import numpy as np

from . import products
from .jit import compiled, fma, njit, row_of
from .operands import matrix
from .units import LINEAR

LEAF = 64


@njit
def _leaf(a, k):
    """k <- the inverse of the Cholesky factor of a: rows eliminated from above, what was done to them done to k."""
    one, none, n = np.float32(1), np.float32(0), a.shape[0]
    k[:] = none
    for i in range(n):
        k[i, i] = one
    for i in range(n):
        row, made = row_of(a, i, 0, n), row_of(k, i, 0, n)
        for other in range(i + 1, n):
            below, own = row_of(a, other, 0, n), row_of(k, other, 0, n)
            factor = -below[i] / row[i]
            for j in range(i, n):
                below[j] = fma(factor, row[j], below[j])
            for j in range(i + 1):
                own[j] = fma(factor, made[j], own[j])
    for i in range(n):
        scale = one / np.sqrt(a[i, i])  # not a number, and so to be seen, where a is not positive definite
        for j in range(i + 1):
            k[i, j] *= scale


def _root(a, k):
    """k <- K of a = [P Q; Q' R], from those of P and of R - Q' P^-1 Q; a is overwritten."""
    if len(a) <= LEAF:
        _leaf(a, k)
        return
    h, none = len(a) // 2, np.zeros(len(a), a.dtype)
    across, below = matrix(h, len(a) - h, a.dtype), matrix(len(a) - h, h, a.dtype)
    taken = matrix(len(a) - h, len(a) - h, a.dtype)
    rest = a[h:, h:]
    _root(a[:h, :h], k[:h, :h])
    products.down(k[:h, :h], a[:h, h:], none[:h], LINEAR, across)
    products.outer(across, across, taken)
    rest -= taken
    _root(rest, k[h:, h:])
    products.outer(across, k[:h, :h], below)
    products.up_negative(k[h:, h:], below, none[:h], LINEAR, k[h:, :h])


def invert(a, out):
    """out (N, N) <- the inverse of a (N, N), symmetric and positive definite; a is overwritten.

    Of another matrix it is not finite.
    """
    if compiled(out):
        k = matrix(*a.shape, a.dtype)
        _root(a, k)
        products.outer(k, k, out)
    else:
        out[...] = np.linalg.inv(a)

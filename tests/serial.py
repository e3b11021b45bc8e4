"""A plugin of pytest, `-p tests.serial`: kernels are compiled without threads.

With NUMBA_BOUNDSCHECK=1 an index out of bounds is an IndexError; one that is raised within a parallel region is lost.
"""

import functools

import numba


@functools.wraps(numba.njit)
def _njit(*arguments, parallel=False, **options):
    return _plain(*arguments, **options)


_plain, numba.njit = numba.njit, _njit

"""What NUMBA_BOUNDSCHECK=1 sees; skipped without it. tests/test_discipline.py runs the tests of kernels with it."""

import sys

import numpy as np
import pytest
from numba import prange
from numba.core import config

from deepnet.kernels.jit import ENABLED, call, native, njit, vector_at

pytestmark = pytest.mark.skipif(not (ENABLED and config.BOUNDSCHECK), reason="NUMBA_BOUNDSCHECK=1 is not set")


@njit
def alone(x, out):
    for i in range(x.size + 1):
        out[i] = x[i]


@njit(parallel=True)
def in_parallel(x, out):
    for i in prange(x.size + 1):
        out[i] = x[i]


@native(2)
def _by_address(x, size):
    row = vector_at(x, size)
    for i in range(size + 1):
        row[i] = row[0]


@njit
def called(address, x):
    call(address, (np.int64(x.ctypes.data), x.size))


@pytest.mark.parametrize("kernel", [alone, in_parallel])
def test_a_read_beyond_the_end_is_seen(kernel):
    with pytest.raises(IndexError, match="out of bounds"):
        kernel(np.zeros(9, np.float32), np.zeros(50, np.float32))


def test_so_is_one_behind_an_address(monkeypatch):
    """There is nobody to raise it to: it is told as an exception that was ignored, which pytest takes for a failure."""
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: told.append(fault.exc_value))
    called(_by_address.address, np.zeros(50, np.float32)[:9])
    assert [str(fault) for fault in told] == ["index is out of bounds"]

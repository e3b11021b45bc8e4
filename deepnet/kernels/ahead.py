"""The long functions of a first run compiled by a second process, while the first compiles what it comes to.

Numba compiles one function at a time in a process. The second one begins with what a training calls last; each finds in
the cache what the other has compiled.
"""

import contextlib
import signal
import subprocess
import sys

from . import jit, losses, operands, outputs, products, units, updates

SPARE = 2  # threads from which on there is a core for the second process
PROGRAM = "import sys; sys.path[:] = {}; from deepnet.kernels.ahead import main; main({!r})"


@contextlib.contextmanager
def compiling(calls):
    """While it is entered, a second process fills an empty cache with what these of CALLS need."""
    helper = None
    if jit.CACHE is not None and not jit.warm() and jit.threads() >= SPARE and sys.executable:
        command = [sys.executable, "-c", PROGRAM.format(sys.path, calls)]
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with contextlib.suppress(OSError):
            helper = subprocess.Popen(command, **quiet)
    try:
        yield
    finally:
        if helper is not None:
            helper.terminate()
            helper.wait()


def _machines():
    x, y, d, W, speed = (operands.matrix(16, 16) for _ in range(5))
    row, sums, rule = operands.vector(16), operands.vector(16), products.descent(0.0, 0.0)
    units.sample(units.LOGISTIC, x, 0, 0, y)
    products.contrast_step(x, d, y, d, 1.0, rule, W, speed)
    losses.sums_step(d, rule, row, sums, 1.0, row)
    units.activate(units.LOGISTIC, d)
    losses.contrast_sums(x, y, row, sums)
    losses.total(row)


def _networks():
    x, y, a, d, d_t, W, speed = (operands.matrix(16, 16) for _ in range(7))
    row, sums, rule = operands.vector(16), operands.vector(16), products.descent(0.0, 0.0)
    outputs.finish(outputs.SOFTMAX_ENTROPY, x, y, 1.0, a, d, d_t, row, sums)
    products.outer_step(x, d, rule, W, speed)
    units.chain(units.LOGISTIC, x, d)
    losses.sums_step(d, rule, row, sums)
    units.activate(units.LOGISTIC, d)
    updates.add(row, sums, 1.0)
    losses.total(row)


# What a training calls once its first product is compiled, on small arrays.
CALLS = {"machines": _machines, "networks": _networks}


def main(calls):
    """What the second process does."""
    signal.signal(signal.SIGTERM, lambda *told: sys.exit())  # so that no half-written file stays in the cache
    CALLS[calls]()

"""Imported by the process that `tests.forked` forks: its kernels are compiled and loaded, so that children have them.

Of Numba's ways to use threads workqueue alone allows a fork after it has run; results do not depend on it.
"""

import os

os.environ.update(NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="1")

import tempfile

import numpy as np

from deepnet import workflows
from deepnet.cli import run


def warm():
    """Train a little of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        data, stack, net = (os.path.join(folder, name) for name in ("data.npz", "stack.h5", "net.h5"))
        np.savez(data, x=np.random.default_rng(0).random((40, 30), np.float32), y=np.arange(40) % 10)
        list(workflows.pretrain(data, stack, layers=(20, 10), epochs=(1,), batch_size=(20,)))
        list(workflows.finetune(data, net, start=stack, epochs=1, batch_size=20))
        workflows.evaluate(net, data)


assert run
warm()

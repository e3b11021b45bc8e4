"""Short trainings whose parameters are hashed; test_bits.py runs it in processes that compile for other CPUs.

Prints a JSON object: the hash for each number of threads named on the command line, the threading layer, and whether
the machine code holds 512-bit registers.
"""

import hashlib
import json
import sys

import numba
import numpy as np
from numba import types

from deepnet.kernels import microkernel, minibatch, random, units
from deepnet.kernels.jit import FLAGS, set_threads
from deepnet.nn.layers import BatchNorm, Dense, Dropout, Maxout
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties, free_energy
from deepnet.optimizers import OPTIMIZERS
from deepnet.training import Course, Good, Meter, begin, fit

CASES, INPUTS, HIDDEN, CLASSES = 300, 150, 210, 10
# Data from integers, so that nothing but the kernels decides a bit; so many zeros that they are listed.
PIXELS = (np.arange(CASES)[:, None] * 37 + np.arange(INPUTS) * 101) % 256
PIXELS[PIXELS < 160] = 0
DATA = (PIXELS / 255).astype(np.float32)
TARGETS = np.eye(CLASSES, dtype=np.float32)[np.arange(CASES) % CLASSES]


def weights(layout):
    """A first theta from integers."""
    arrays = {}
    for s in layout.segments:
        count = int(np.prod(s.shape))
        arrays[s.name] = ((np.arange(count) * 7919 % 2003 - 1001) / np.float32(20_020)).reshape(s.shape)
    return layout.pack(arrays)


def train(objective, optimizer, key):
    """Theta and the tally after two epochs, the last minibatch smaller."""
    theta = weights(objective.layout)
    course = Course("bits", CASES, 128, 2, key)
    state = optimizer.init(theta) | begin()
    list(fit(objective, optimizer, theta, state, Good(), course, lambda: None, Meter()))
    return [theta, *objective.tally.values()]


def machine(visible, hidden, steps):
    """Contrastive divergence with everything that can be added to it; and the free energies at the end."""
    rbm = RBM(INPUTS, HIDDEN, visible, hidden)
    objective = ContrastiveDivergence(
        rbm, lambda rows, v: v.__setitem__(..., DATA[rows]), 128, steps, Penalties(1e-3, 1e-4, 0.1, 0.01)
    )
    rates = OPTIMIZERS["momentum"]()
    out = train(objective, rates if visible == "logistic" else OPTIMIZERS["adam"](), 5)
    return [*out, free_energy(rbm, rbm.layout.views(out[0]), DATA)]


def network():
    """Backpropagation through dropout and every hidden unit; a gradient clipped; a curvature product."""
    layers = (
        Dropout(INPUTS, 0.2),
        Dense(INPUTS, HIDDEN, "logistic"),
        Dense(HIDDEN, 70, "relu"),
        Dropout(70, 0.5),
        Dense(70, 65, "tanh"),
        Maxout(65, 65, 3),
        BatchNorm(65, 65, "relu"),
        *(Dense(65, 65, unit) for unit in ("softplus", "leaky_relu", "elu", "hard_tanh", "square")),
        Dense(65, CLASSES, "softmax"),
    )

    def feed(rows, x, t, key):
        x[...], t[...] = DATA[rows], TARGETS[rows]

    objective = NetworkObjective(Network(layers, "cross_entropy"), feed, 128, 1e-3)
    out = train(objective, OPTIMIZERS["nesterov"](clip=0.5), 6)
    objective.at(np.arange(100), 3)
    return [*out, np.array([objective.value(out[0])]), objective.curvature(out[0])(out[0])]


def prepared():
    """Images of 15 rows of 10 pixels, moved and brought to each contrast."""
    x, one = np.zeros((CASES, INPUTS), np.float32), np.ones(INPUTS, np.float32)
    shifts = random.shifts(9, CASES, 3)
    minibatch.gather_shifted(PIXELS.astype(np.uint8), np.arange(CASES), shifts, (15, 10, 1), one, 255 * one, x)
    out = [x]
    for name in minibatch.CONTRASTS:
        out.append(x.copy())
        minibatch.contrast(name, out[-1])
    return out


def digest():
    """One hash of all."""
    arrays = [*machine("logistic", "logistic", 2), *machine("linear", "relu", 1), *machine("softmax", "linear", 1)]
    arrays += [*machine("logistic", "softmax", 1), *network(), *prepared()]
    if not all(np.isfinite(array).all() for array in arrays):
        raise SystemExit("the run diverged and proves nothing")
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def assembly():
    """Machine code of the register block and of an activation, compiled here and not taken from the cache."""

    @numba.cfunc(types.void(*[types.int64] * 12), nopython=True)
    def block(a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors):
        microkernel._block((a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors))

    activate = numba.njit(units.activate_row, **FLAGS)
    activate.compile((types.int64, types.float32[::1]))
    return block._library.get_asm_str(), next(iter(activate.inspect_asm().values()))


if __name__ == "__main__":
    found = {"hashes": {}}
    for count in sys.argv[2:]:
        set_threads(int(count))
        found["hashes"][count] = digest()
    found["layer"] = numba.threading_layer()
    found["lanes"] = microkernel.target()[0]
    if sys.argv[1] == "assembly":
        found["zmm"], found["ymm"] = ([register in text for text in assembly()] for register in ("zmm", "ymm"))
    sys.stdout.write(json.dumps(found))

"""The steps in NumPy alone: these functions, as they stand here, are what a predictor file is made of.

Each takes and gives float32 arrays of a row a case. Sources: `nn.units`, `kernels.minibatch`.
"""

import numpy as np


def logistic(z):
    """1 / (1 + e^-z)."""
    return np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * z))


def relu(z):
    """max(0, z)."""
    return np.maximum(z, 0)


def softmax(z):
    """e^z over its sum in each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def tanh(z):
    """tanh z."""
    return np.tanh(z)


def softplus(z):
    """log(1 + e^z)."""
    return np.logaddexp(np.float32(0), z)


def leaky_relu(z):
    """z, below zero z / 100."""
    return np.where(z < 0, np.float32(0.01) * z, z)


def elu(z):
    """z, below zero e^z - 1."""
    return np.where(z < 0, np.expm1(np.minimum(z, 0)), z)


def hard_tanh(z):
    """z, held within [-1, 1]."""
    return np.clip(z, -1, 1)


def square(z):
    """z^2."""
    return z * z


def largest(z, pieces):
    """The largest of the pieces of each unit, piece k of unit j of n in column k n + j."""
    return z.reshape(len(z), pieces, -1).max(axis=1)


def contrast_l1(x):
    """Each case less its mean, over the mean of its magnitudes; a constant case becomes 0."""
    x = x - x.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    size = np.abs(x).mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    return x / np.where(size > 0, size, 1)


def contrast_l2(x):
    """Each case less its mean, over its deviation; a constant case becomes 0."""
    x = x - x.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    size = np.sqrt(np.square(x, dtype=np.float64).mean(axis=1, keepdims=True)).astype(np.float32)
    return x / np.where(size > 0, size, 1)


def distance(a, centre):
    """The squared distance of each row from the centre."""
    return np.square(a - centre).sum(axis=1, keepdims=True)

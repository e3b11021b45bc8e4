"""Gibbs sampling: a machine's two sides drawn in turn, each given the other (Geman and Geman 1984; Hinton 2002).

v (B, M) visible, h (B, N) hidden; `_t` marks an array stored transposed.
"""

import numpy as np

from ..kernels import operands
from .rbm import RBM, Chain


class Gibbs:
    """Chains of one machine with parameters W, b, c; all draws come from the key, so the same key, the same chains.

    The visible side is drawn as the hidden side of the machine turned upside down: one law, one kernel for both.
    """

    def __init__(self, rbm: RBM, arrays: dict[str, np.ndarray], cases: int, key: int):
        self._key, self._steps = key, 0
        turned = RBM(rbm.outputs, rbm.inputs, rbm.hidden, rbm.visible)
        self._up, self._down = Chain(rbm, cases), Chain(turned, cases)
        W, W_t = operands.matrix(rbm.inputs, rbm.outputs), operands.matrix(rbm.outputs, rbm.inputs)
        W[...], W_t[...] = arrays["W"], arrays["W"].T
        self._p = {"W": W, "b": arrays["b"], "c": arrays["c"]}
        self._q = {"W": W_t, "b": arrays["c"], "c": arrays["b"]}
        self._h, self.mean = operands.matrix(cases, rbm.outputs), operands.matrix(cases, rbm.inputs)

    def step(self, v: np.ndarray) -> np.ndarray:
        """Draw h given v (B, M), then v given h: the new states (B, M), overwritten by the next step.

        `mean` has E[v | h] then, which is what one looks at.
        """
        n, draw = len(v), 2 * self._steps
        h_t = self._up.hidden_states(self._p, v, self._key, draw, self._h[:n])
        v_t = self._down.hidden_states(self._q, h_t.T, self._key, draw + 1, self.mean[:n])
        self._steps += 1
        return v_t.T

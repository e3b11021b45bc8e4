"""selfcheck passes here, and finds faults that are planted."""

import numpy as np
import pytest

from deepnet import workflows
from deepnet.kernels import jit, products, random, units
from deepnet.nn import layers, losses, rbm
from deepnet.workflows.selfcheck import CHECKS


def test_it_passes():
    lines = []
    found = workflows.selfcheck(say=lines.append)
    assert found["failed"] == {}
    assert found["passed"] == len(CHECKS) == len(lines)
    assert all(line.endswith(": passed") for line in lines)


def steep(code, a, right=units.slope_twin):
    return right(code, a) * 1.001


def forgetful(g, w, x, right=layers.Dense.backward):
    """A gradient of the biases that stays what it was."""
    kept = g["b"].copy()
    right(g, w, x)
    g["b"][...] = kept


def flat(self, a, t, rz):
    """A curvature without the loss's Hessian."""


def late(self, p, v, key, draw, mean, right=rbm.Chain.hidden_states):
    """Draws that do not depend on the machine."""
    states = right(self, p, v, key, draw, mean)
    states[...] = 1
    return states


def weak(x, W, bias, code, out, right=products.up):
    right(x, W, bias, code, out)
    if out.dtype == np.float32 and out.size > 300:
        out[-1, -1] += np.float32(0.01)


FAULTS = {
    "a slope": (products, "slope_twin", steep, "gradients"),
    "a gradient": (layers.Dense, "backward", staticmethod(forgetful), "gradients"),
    "a curvature": (losses.Loss, "curvature", flat, "Gauss-Newton products"),
    "a sampler": (rbm.Chain, "hidden_states", late, "contrastive divergence"),
    "a generator": (random, "_M0", np.uint64(0xD2511F55), "random numbers"),
    "a product": (products, "up", weak, "products"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name, monkeypatch):
    place, what, fault, check = FAULTS[name]
    monkeypatch.setattr(place, what, fault)
    failed = workflows.selfcheck()["failed"]
    assert check in failed
    assert "off by" in failed[check]


def test_a_check_that_cannot_run_has_failed(monkeypatch):
    monkeypatch.setattr(random, "philox", None)
    assert "TypeError" in workflows.selfcheck()["failed"]["random numbers"]


def test_the_number_of_threads_is_left_as_it_was():
    before = jit.threads()
    workflows.selfcheck()
    assert jit.threads() == before

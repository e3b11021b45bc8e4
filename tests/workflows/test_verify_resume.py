"""verify-resume passes here, and finds faults that are planted."""

import importlib

import numpy as np
import pytest

from deepnet import workflows
from deepnet.kernels import jit, products
from deepnet.workflows import runs, stacking, tuning

page = importlib.import_module("deepnet.workflows.verify_resume")  # whose name the function has too
RUNS = page.RUNS


@pytest.mark.promise("R1")
def test_it_passes(promise):
    before, lines = jit.threads(), []
    found = workflows.verify_resume(threads=2, say=lines.append)
    assert found["differ"] == {}
    assert found["identical"] == len(RUNS) == len(lines)
    assert all(line.endswith(": the same") for line in lines)
    assert all(row["cuts"] >= 1 for row in found["runs"])
    assert max(row["cuts"] for row in found["runs"]) > 5
    assert jit.threads() == before
    promise(f"0 of {len(RUNS)} unlike")


def forgetting(*names):
    """A resume at which these parts of the state are lost."""

    def restored(state, theta, fresh, course, right=runs.restored):
        found, good = right(state, theta, fresh, course)
        for name in names:
            found[name][...] = fresh[name]
        return found, good

    return restored


class Forgetful(tuning.Best):
    """A best epoch that no resume remembers."""

    def __init__(self, state):
        super().__init__(tuning.Best.of(state["best_theta"]).state)


def uneven(x, W, bias, code, out, right=products.up):
    """A product whose last bit depends on the number of threads."""
    right(x, W, bias, code, out)
    if out.dtype == np.float32 and jit.threads() == 1:
        out[-1, -1] = np.nextafter(out[-1, -1], np.float32(1))


FAULTS = {
    "a machine's velocity": ("Boltzmann machines", stacking, "restored", forgetting("velocity")),
    "a tally": ("denoising autoencoders", stacking, "restored", forgetting("tally/loss")),
    "a velocity": ("backpropagation", tuning, "restored", forgetting("velocity")),
    "the updates": ("backpropagation", tuning, "restored", forgetting("updates")),
    "a running mean": ("running mean, Adam", tuning, "restored", forgetting("average")),
    "moments": ("running mean, Adam", tuning, "restored", forgetting("square")),
    "the start of CG": ("Hessian-free", tuning, "restored", forgetting("solution")),
    "damping": ("Hessian-free", tuning, "restored", forgetting("damped")),
    "a position": ("deep autoencoder", tuning, "restored", forgetting("position")),
    "the best epoch": ("dropout, early stopping", tuning, "Best", Forgetful),
    "threads": ("deep autoencoder", products, "up", uneven),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name, monkeypatch):
    kind, place, what, fault = FAULTS[name]
    if name == "threads" and jit.most_threads() < 2:
        pytest.skip("there is one thread only")
    monkeypatch.setattr(page, "RUNS", {kind: RUNS[kind]})
    monkeypatch.setattr(place, what, fault)
    found = workflows.verify_resume(threads=2)
    assert list(found["differ"]) == [kind]
    assert found["identical"] == 0


def test_a_run_that_cannot_go_on_has_failed(monkeypatch):
    monkeypatch.setattr(page, "RUNS", {"L-BFGS": RUNS["L-BFGS"]})
    monkeypatch.setattr(tuning, "restored", lambda *words: runs.restored({}, *words[1:]))
    assert "does not fit" in workflows.verify_resume(threads=1)["differ"]["L-BFGS"]


def test_places_are_anywhere():
    """From before the first minibatch to before the last one, in order, one to ten of them."""
    found = [page.places_of(20, key) for key in range(500)]
    assert {len(places) for places in found} == set(range(1, 11))
    assert {place for places in found for place in places} == set(range(20))
    assert all(places == sorted(places) for places in found)
    assert {tuple(page.threads_of(2, key)) for key in range(50)} == {(1, 2), (2, 1)}

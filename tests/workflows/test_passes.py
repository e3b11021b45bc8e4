"""evaluate --mc: the mean of passes with noise, the same on any threads; refused where nothing is drawn."""

import numpy as np
import pytest

from deepnet import checkpoint, data, workflows
from deepnet.workflows import passes
from deepnet.workflows.models import outputs_of


@pytest.fixture(scope="module")
def noisy(folder, digits, stack):
    """A classifier with dropout and noise."""
    path = str(folder / "noisy.h5")
    words = {"dropout": (0.2, 0.3, 0.3), "noise": (0.1,), "epochs": 2, "batch_size": 50}
    list(workflows.finetune(digits, path, start=stack, **words))
    return path


def test_the_mean_of_passes(noisy, digits, monkeypatch):
    """One pass is one pass of the network; more are their mean; probabilities stay probabilities."""
    monkeypatch.setattr("deepnet.workflows.models.CHUNK", 70)
    loaded, cases = checkpoint.load(noisy), data.load(digits, task="classify").splits["test"]
    one, two = (passes.mean_outputs(loaded, cases, "classify", n) for n in (1, 2))
    many = passes.mean_outputs(loaded, cases, "classify", 40)
    for found in (one, two, many):
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert np.abs(one - two).max() > 0.01
    second = 2 * two - one
    np.testing.assert_allclose(second.sum(axis=1), 1, rtol=1e-4)
    assert second.min() > -1e-5
    plain, _ = outputs_of(loaded, cases, "classify")
    assert np.abs(many - plain).mean() < np.abs(one - plain).mean()
    losses = passes.entropies(many, cases.targets)
    np.testing.assert_allclose(losses, -np.log(many[np.arange(200), cases.targets]), rtol=1e-4, atol=1e-6)
    assert np.isfinite(passes.entropies(np.array([[0, 1]], np.float32), np.array([0]))).all()


def test_it_has_one_result(noisy, digits):
    found = [workflows.evaluate(noisy, digits, mc=10, threads=threads) for threads in (1, 2, 1)]
    assert found[0] == found[1] == found[2]
    plain = workflows.evaluate(noisy, digits)
    assert found[0]["mc"] == 10
    assert "mc" not in plain
    assert found[0]["cross_entropy"] != plain["cross_entropy"]
    assert abs(found[0]["error"] - plain["error"]) < 0.1


def test_a_regressor(houses, tmp_path):
    path = str(tmp_path / "a.h5")
    words = {"label": "price", "scale": "standard", "layers": (8,), "task": "regress", "epochs": 5, "noise": (0.1,)}
    list(workflows.finetune(houses, path, **words))
    assert workflows.evaluate(path, houses, mc=5)["rmse"] == pytest.approx(
        workflows.evaluate(path, houses)["rmse"], rel=0.2
    )


def test_refusals(net, stack, digits, tmp_path, call):
    coder = str(tmp_path / "coder.h5")
    list(workflows.finetune(digits, coder, start=stack, task="reconstruct", epochs=1, noise=(0.1,)))
    for model, hint in ((net, "no noise"), (stack, "no noise"), (coder, "made to classify or regress")):
        done = call("evaluate", model, digits, "--mc", "5")
        assert done.code == 2
        assert hint in done.err
        assert done.err.count("\n") == 1
    assert call("evaluate", net, digits, "--mc", "0").code == 2

"""Runs that diverge: the rate is halved and the model says so; what cannot be saved leaves its last good epoch."""

import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import DivergedError

TUNE = {
    "label": "price", "scale": "standard", "layers": (8,), "units": ("linear",), "task": "regress", "epochs": 3,
    "batch_size": 50, "optimizer": "sgd",
}  # fmt: skip
STACK = {"layers": (8,), "units": ("relu",), "visible": "linear", "scale": "standard", "epochs": (3,)}
# Linear units and squared error: above some rate every step leads further out, below it each leads nearer.
WILD, TAME = "2.5", "0.5"


def tune(houses, path, **words):
    return workflows.finetune(houses, str(path), **TUNE | {"learning_rate": WILD} | words)


def test_a_rate_that_is_halved(houses, tmp_path, finish):
    records = finish(tune(houses, tmp_path / "net.h5"))
    warnings = [r.text for r in records if isinstance(r, workflows.Warned)]
    halvings = records[-1].result["rate_halved"]
    assert 1 <= halvings == len(warnings) <= 3
    assert f"{0.5**halvings:g} times the learning rate" in warnings[-1]
    saved = checkpoint.load(str(tmp_path / "net.h5"))
    assert saved.complete
    assert saved.history["fine-tuning"]["halvings"][-1] == halvings
    losses = saved.history["fine-tuning"]["training_loss"]
    assert losses[-1] < 10


def test_halved_and_cut_anywhere(houses, tmp_path, finish, cut):
    """Stopped after every minibatch, in the epochs that fail too: the file of a run that never was."""
    finish(tune(houses, tmp_path / "whole.h5"))
    path, outcome = tmp_path / "cut.h5", ""
    for _ in range(200):
        outcome = list(tune(houses, path, stop=cut(3), resume=True))[-1].outcome
        if outcome == "finished":
            break
    assert outcome == "finished"
    assert path.read_bytes() == (tmp_path / "whole.h5").read_bytes()


def test_the_last_good_epoch_is_kept(houses, tmp_path):
    """A rate that becomes absurd in the second epoch: the first is what the file holds, and it can be evaluated."""
    path = tmp_path / "net.h5"
    with pytest.raises(DivergedError, match=r"epoch 2, minibatch .* halved 3 times"):
        list(tune(houses, path, learning_rate=f"step:{TAME}:1e6:1"))
    saved = checkpoint.load(str(path))
    assert not saved.complete
    assert saved.train["position"].tolist() == [1, 0]
    assert len(saved.history["fine-tuning"]["updates"]) == 1
    assert workflows.evaluate(str(path), houses)["rmse"] > 0


def test_a_stack_goes_back_too(flowers, tmp_path, finish):
    words = {"label": "kind, as told"}
    records = finish(workflows.pretrain(flowers, str(tmp_path / "s.h5"), **STACK, learning_rate=("0.7",), **words))
    assert records[-1].result["layers"][0]["rate_halved"] in (1, 2, 3)
    with pytest.raises(DivergedError):
        list(workflows.pretrain(flowers, str(tmp_path / "t.h5"), **STACK, learning_rate=("1e9",), **words))
    assert not (tmp_path / "t.h5").exists()

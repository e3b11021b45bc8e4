"""Runs that diverge: the rate is halved and the model says so; what cannot be saved leaves its last good epoch."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import DivergedError
from deepnet.optimizers import OPTIMIZERS, Momentum
from deepnet.workflows import runs
from deepnet.workflows.plans import METHODS

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


@pytest.mark.parametrize("words", [{}, {"average": 0.9}])
def test_halved_and_cut_anywhere(words, houses, tmp_path, finish, cut):
    """Stopped after every minibatch, in the epochs that fail too: the file of a run that never was."""
    finish(tune(houses, tmp_path / "whole.h5", **words))
    path, outcome = tmp_path / "cut.h5", ""
    for _ in range(200):
        outcome = list(tune(houses, path, stop=cut(3), resume=True, **words))[-1].outcome
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


@pytest.mark.promise("divergence")
@pytest.mark.parametrize("method", METHODS)
def test_each_method_names_the_rate_and_keeps_what_was_good(method, flowers, tmp_path):
    """The second layer explodes: the first is saved, finite, and the run goes on with another rate for it."""
    path, units = str(tmp_path / "s.h5"), ("logistic",) if method in ("sae", "cae") else ("linear",)
    words = STACK | {"layers": (8, 6), "units": units, "method": method, "label": "kind, as told"}
    with pytest.raises(DivergedError, match=r"^layer 2/2 8-6 diverged .* halved 3 times; its rate is too high: use "
                                            r"--learning-rate [0-9.e+]+$"):  # fmt: skip
        list(workflows.pretrain(flowers, path, **words, learning_rate=("0.001", "1e18")))
    saved = checkpoint.load(path)
    assert not saved.complete
    assert (saved.train["layer"].tolist(), saved.train["position"].tolist()) == ([1], [0, 0])
    assert all(np.isfinite(array).all() for own in saved.arrays for array in own.values())


DEAD = "75 % of the relu units of layer 2 never fire: use --init he or --units leaky_relu"
CAUSES = {
    "rate": ({"learning_rate": "1e6"}, "its rate is too high: use --learning-rate 10000"),
    "rate on the way": ({"learning_rate": "step:0.5:1e6:1"}, "its rate is too high: use --learning-rate 10000"),
    "range": ({"scale": "none", "learning_rate": "0.5"}, "its inputs run from -4"),
    "remedy of a range": ({"scale": "none", "learning_rate": "0.5"}, ": use --scale standard"),
    "dead units": ({"learning_rate": "1e6", "start": "dead"}, DEAD),
    "no rate": ({"optimizer": "wild"}, "look at the range of the data with `deepnet inspect`, or use another --opt"),
}


@dataclass(frozen=True)
class Wild:
    """An optimizer without a rate, and without sense."""

    needs: ClassVar[tuple[str, ...]] = ("gradient",)
    batch: ClassVar[str] = "minibatch"
    vectors: ClassVar[tuple[int, int]] = (0, 1)

    def init(self, theta):
        return {"updates": np.zeros(1, np.int64)}

    def step(self, objective, theta, state):
        objective.gradient(theta)
        theta *= 1e6
        state["updates"] += 1


def dead(houses, folder):
    """A net of relu units, of which 6 of the upper 8 are dead."""
    path = str(folder / "dead.h5")
    words = TUNE | {"layers": (8, 8), "units": ("relu",), "epochs": 1, "learning_rate": "0.001"}
    list(workflows.finetune(houses, path, **words))
    net = checkpoint.load(path)
    net.arrays[1]["b"][:6], net.arrays[1]["b"][6:] = -1000, 10
    checkpoint.save(path, net)
    return path


@pytest.mark.promise("divergence")
@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_is_named(name, houses, tmp_path, monkeypatch):
    """In one sentence, with what to type."""
    words, told = CAUSES[name]
    monkeypatch.setitem(OPTIMIZERS, "wild", Wild)
    words = TUNE | {"learning_rate": None} | words
    if "start" in words:
        words |= {"start": dead(houses, tmp_path), "layers": None, "scale": "auto"}
    warnings = []

    def run():
        for record in workflows.finetune(houses, str(tmp_path / "n.h5"), **words):
            warnings.extend([record.text] if isinstance(record, workflows.Warned) else [])

    with pytest.raises(DivergedError) as raised:
        run()
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(warnings) == (0 if name == "no rate" else 3)
    assert all((told in text) == ("rate" not in name) for text in warnings)


def test_the_rate_that_is_named_trains(houses, tmp_path, finish):
    """Of some absurd ones, often enough typed in again."""
    rate, path = "1e4", str(tmp_path / "n.h5")
    for _ in range(6):
        try:
            records = finish(tune(houses, path, learning_rate=rate, force=True))
        except DivergedError as problem:
            rate = str(problem).split()[-1]
            continue
        assert records[-1].outcome == "finished"
        return
    pytest.fail(f"{rate} is no better")


@pytest.mark.promise("divergence")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["finetune", "pretrain"])
def test_nothing_that_is_not_finite_is_saved(kind, value, flowers, houses, tmp_path, cut):
    """Planted in each array of a run that is cut within an epoch; what was there before stays."""
    path = tmp_path / "m.h5"
    if kind == "finetune":
        more = {"optimizer": "adam", "learning_rate": None, "average": 0.9, "valid": "0.1"}
        records = tune(houses, path, **more, stop=cut(10))
    else:
        more = {"label": "kind, as told", "learning_rate": ("0.001",), "batch_size": (50,)}
        records = workflows.pretrain(flowers, str(path), **STACK | {"layers": (8, 6)}, **more, stop=cut(16))
    list(records)
    whole, content = checkpoint.load(str(path)), path.read_bytes()
    places = [(own, name) for own in whole.arrays for name in own]
    places += [(whole.train, name) for name, array in whole.train.items() if array.dtype.kind == "f"]
    assert len(places) > 10
    for own, name in places:
        own[name], kept = own[name].copy(), own[name]
        own[name].flat[-1] = value
        saver = runs.Saver(str(path), lambda complete: whole)
        if np.isinf(value) and name in runs.UNKNOWN:
            list(saver.now(False))
            path.write_bytes(content)
        else:
            with pytest.raises(DivergedError, match="no longer finite"):
                list(saver.now(False))
        own[name] = kept
        assert path.read_bytes() == content
    for name in ("offset", "scale"):
        array = getattr(whole.preparation, name).copy()
        array[0] = value
        spoilt = replace(whole, preparation=replace(whole.preparation, **{name: array}))
        with pytest.raises(DivergedError, match=name):
            list(runs.Saver(str(path), lambda complete, spoilt=spoilt: spoilt).now(False))


@pytest.mark.promise("divergence")
def test_a_velocity_that_is_not_finite_goes_back(houses, tmp_path, monkeypatch):
    """Though the weights still are: noticed at the end of the epoch."""
    step, planted = Momentum.step, []

    def spoil(self, objective, theta, state):
        step(self, objective, theta, state)
        if not planted and state["updates"][0] == 8:  # the last minibatch of the first epoch
            planted.append(state["velocity"].flat[0])
            state["velocity"][0] = np.inf

    monkeypatch.setattr(Momentum, "step", spoil)
    path = tmp_path / "n.h5"
    records = list(tune(houses, path, optimizer="momentum", learning_rate="0.01"))
    (warned,) = (r.text for r in records if isinstance(r, workflows.Warned))
    assert "in epoch 1: the optimizer's velocity is not finite" in warned
    assert checkpoint.load(str(path)).complete

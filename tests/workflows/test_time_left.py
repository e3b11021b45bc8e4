"""The time left is told within a fifth from the first epoch on: by a clock that goes by the work that is done."""

import pytest

from deepnet import training, workflows
from deepnet.nn import rbm
from deepnet.workflows import loops, runs, tuning

PRODUCT = 1e-9  # seconds of the fake clock for a product of a weight with a case


class Clock:
    """Stands still but where a minibatch is trained on, cases are validated or a file is saved."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Minibatches take 5 products a weight (3 in a net) and some time of their own, first ones a compilation."""
    own = Clock()
    monkeypatch.setattr(training, "time", own)
    monkeypatch.setattr(loops, "time", own)
    own.perf_counter = own.monotonic
    compiled = set()

    def paid(kind, name, price):
        before = getattr(kind, name)

        def call(self, *words, **more):
            own.now += price(self, *words)
            return before(self, *words, **more)

        monkeypatch.setattr(kind, name, call)

    def minibatch(objective, rows, key):
        held_out = key is None
        compiling = 0.0 if held_out in compiled else 3.0
        compiled.add(held_out)
        products = (1 if held_out else 5 if hasattr(objective, "rbm") else 3) * objective.layout.count * len(rows)
        return compiling + PRODUCT * (products + (0 if held_out else 3e7))

    paid(rbm.ContrastiveDivergence, "at", minibatch)
    paid(tuning.NetworkObjective, "at", minibatch)
    paid(runs.Saver, "now", lambda saver, complete: 0.0 if complete else 0.05)
    return own


RUNS = {
    "two layers": ("pretrain", {"layers": (60, 30), "epochs": (3, 6)}, 0.2),
    "wide above narrow": ("pretrain", {"layers": (20, 400), "epochs": (4,)}, 0.2),
    "held out": ("finetune", {"layers": (60, 30), "epochs": 5, "valid": "200"}, 0.2),
    "two stages": ("finetune", {"start": "stack", "epochs": 5, "freeze_epochs": 2}, 0.35),
    "autoencoder": ("finetune", {"start": "stack", "epochs": 5, "task": "reconstruct"}, 0.2),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_time_left_after_an_epoch(name, clock, digits, stack, tmp_path):
    command, words, within = RUNS[name]
    words = {key: stack if value == "stack" else value for key, value in words.items()}
    meter, told = workflows.Meter(), []
    words["batch_size"] = (25,) if command == "pretrain" else 25
    for record in getattr(workflows, command)(digits, str(tmp_path / "a.h5"), meter=meter, **words):
        told += [(clock.now, meter.left())] if isinstance(record, workflows.Epoch) else []
    end = clock.now
    for moment, left in told[:-1]:
        assert left == pytest.approx(end - moment, rel=within)
    assert told[-1][1] == pytest.approx(0, abs=0.01 * end)


def test_a_run_that_goes_on_tells_of_what_is_left(clock, digits, tmp_path, cut):
    words = {"layers": (40,), "epochs": 4, "batch_size": 25, "patience": 3, "valid": "100"}
    path, meter = str(tmp_path / "a.h5"), workflows.Meter()
    list(workflows.finetune(digits, path, stop=cut(40), **words))
    for record in workflows.finetune(digits, path, resume=True, meter=meter, **words):
        if isinstance(record, workflows.Epoch) and record.epoch == 3:
            moment, left = clock.now, meter.left()
    assert meter.early
    assert left == pytest.approx(clock.now - moment, rel=0.2)


def test_nothing_is_told_before_it_is_known():
    meter = workflows.Meter()
    assert meter.left() is None
    meter.whole, meter.each = 100.0, 1.0
    meter.count(0)
    assert meter.left() is None
    meter.count(10)
    assert meter.left() >= 0

"""A classifier that ignores its input is told of, once; one that learns, however slowly it begins, is not."""

import numpy as np
import pytest

from deepnet import workflows
from deepnet.workflows import collapse

TENTH = (float(np.log(10)), 0.9)


def told(losses, errors, each=600, constant=TENTH):
    """The epochs after which it is so, with so many updates in each."""
    count = range(1, len(losses) + 1)
    curves = {"loss": losses, "error": errors, "updates": [each * n for n in count]}
    return [n for n in count if collapse.tells_no_more({k: np.array(v[:n]) for k, v in curves.items()}, constant)]


def test_when_it_is_so():
    assert told([2.31, 2.304, 2.303, 2.303, 2.302], [0.9, 0.89, 0.9, 0.9, 0.9]) == [3, 4, 5]
    assert told([2.4, 2.2, 1.5, 0.7], [0.89, 0.7, 0.5, 0.2]) == []
    assert told([0.7, 2.3, 2.31, 2.3, 2.3], [0.2, 0.9, 0.9, 0.9, 0.9]) == [4, 5]  # it fell into it
    assert told([2.3, 2.3, 1.9, 1.0], [0.9, 0.9, 0.6, 0.3]) == []  # it got out of it
    assert told([2.4, 2.4, 2.4, 2.4], [0.5, 0.5, 0.5, 0.5]) == []  # noise in training: the loss is bad, the net is not
    assert told([np.nan] * 4, [0.9] * 4) == []
    assert told([2.3] * 8, [0.9] * 8, each=100) == [5, 6, 7, 8]  # few cases, few updates
    assert told([1.0] + [2.3] * 8, [0.2] + [0.9] * 8, each=100) == [6, 7, 8, 9]


def test_of_a_constant():
    """The best of all constant outputs, by trial; smoothed targets have their own."""
    targets = np.array([0] * 6 + [1] * 3 + [3])
    for smoothing in (0.0, 0.2):
        loss, error = collapse.of_a_constant(targets, 4, smoothing, "cross_entropy")
        assert error == pytest.approx(0.4)
        t = (1 - smoothing) * np.eye(4)[targets] + smoothing / 4
        best = min(
            -(t * np.log(np.maximum(p, 1e-12))).sum(axis=1).mean()
            for p in np.random.default_rng(0).dirichlet(np.ones(4), 20_000)
        )
        assert loss <= best + 1e-9
        assert loss == pytest.approx(best, abs=0.02)


@pytest.mark.parametrize("loss", ["squared_hinge", "hinge"])
def test_of_a_constant_margin(loss):
    """The best constant of each output, by trial; ten classes alike have 3.6, and MNIST's 3.599 (Tang 2013)."""
    targets, power = np.array([0] * 6 + [1] * 3 + [3]), 2 if loss == "squared_hinge" else 1
    y, total = 2 * np.eye(4)[targets] - 1, 0.0
    for each in y.T:
        total += min((np.maximum(1 - each * z, 0) ** power).mean() for z in np.linspace(-1.5, 1.5, 3001))
    found, error = collapse.of_a_constant(targets, 4, 0.0, loss)
    assert found == pytest.approx(total, abs=1e-6)
    assert error == pytest.approx(0.4)
    alike = collapse.of_a_constant(np.arange(100) % 10, 10, 0.0, loss)
    assert alike == pytest.approx((3.6 if loss == "squared_hinge" else 2.0, 0.9))


def notes(records):
    return [r for r in records if isinstance(r, workflows.Noted)]


WORDS = {"layers": (20, 10), "epochs": 5, "batch_size": 2, "valid": "100"}


# A penalty that leaves nothing of the weights.
LOST = {"init": ("he",), "units": ("relu",), "learning_rate": "0.01", "weight_decay": 0.3}


@pytest.mark.parametrize("words", [
    {},
    {"label_smoothing": 0.2, "dropout": (0.5,)},
    {"loss": "squared_hinge"},
    {"loss": "hinge:100", "learning_rate": "0.003"},
])  # fmt: skip
def test_nets_that_ignore_their_input(words, digits, finish, tmp_path):
    records = finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **WORDS | LOST | words))
    (note,) = notes(records)
    assert note.name == "constant"
    assert "class frequencies" in note.text
    assert "--learning-rate" in note.text
    assert records[-1].result["notes"] == ["constant"]
    assert [r for r in records if isinstance(r, workflows.Epoch | workflows.Noted)].index(note) >= 3


@pytest.mark.parametrize("words", [
    {"init": ("he",), "units": ("relu",), "learning_rate": "0.003"},
    {"init": ("glorot",), "learning_rate": "0.003"},
    {"init": ("glorot",), "batch_size": 100},
    {"init": ("he",), "units": ("relu",), "learning_rate": "0.003", "loss": "squared_hinge"},
    {"init": ("he",), "units": ("relu",), "learning_rate": "0.003", "loss": "hinge"},
    {"init": ("he",), "units": ("relu",), "learning_rate": "0.003", "dropout": (0.2,), "label_smoothing": 0.5},
])  # fmt: skip
def test_nets_that_learn(words, digits, finish, tmp_path):
    assert notes(finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **WORDS | words))) == []


def test_it_is_not_told_again_after_a_cut(digits, finish, cut, tmp_path):
    words, said = WORDS | LOST, []
    for _ in range(3):
        records = finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **words, stop=cut(380), resume=True))
        said += notes(records)
    assert records[-1].outcome == "finished"
    assert len(said) == 1
    assert records[-1].result["notes"] == ["constant"]

"""Same settings, same bytes: on any number of threads, wherever a run was cut, whatever the output is called."""

import itertools
import os
import shutil
from pathlib import Path

import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import UsageError
from deepnet.kernels import bfloat16
from deepnet.workflows import runs

PRETRAIN = {
    "plain": {"layers": (30, 10), "epochs": (2,), "batch_size": (120,)},
    "held out": {"layers": (30, 10), "epochs": (2, 1), "batch_size": (120,), "valid": "0.1"},
    "cd2 sparse": {
        "layers": (20,), "epochs": (2,), "batch_size": (100,), "cd_steps": (2,), "sparsity_target": (0.1,),
        "visible_bias": "mean", "l1": (0.0001,),
    },
    "relu linear": {"layers": (20, 6), "epochs": (2,), "batch_size": (150,), "units": ("relu", "linear")},
    "softmax on logistic": {"layers": (20, 6), "epochs": (1,), "batch_size": (100,), "units": ("logistic", "softmax")},
    "denoising": {"method": "dae", "layers": (20, 6), "epochs": (1,), "batch_size": (100,), "emphasis": (0.5,),
                  "valid": "0.1"},
    "untied": {"method": "dae", "layers": (20, 6), "epochs": (1,), "batch_size": (100,), "untied": True,
               "units": ("relu", "tanh"), "corruption": ("salt_pepper:0.3", "gaussian:0.2")},
    "sparse": {"method": "sae", "layers": (20,), "epochs": (2,), "batch_size": (100,)},
    "contractive": {"method": "cae", "layers": (20,), "epochs": (2,), "batch_size": (100,)},
    "whitened": {"layers": (20,), "epochs": (2,), "batch_size": (100,), "visible": "linear", "zca": 0.1,
                 "contrast": "l2", "valid": "0.1"},
}  # fmt: skip
FINETUNE = {
    "sgd": {"optimizer": "sgd"},
    "momentum": {"optimizer": "momentum"},
    "nesterov": {"optimizer": "nesterov"},
    "adagrad": {"optimizer": "adagrad"},
    "rmsprop": {"optimizer": "rmsprop", "settings": (("decay", 0.8),)},
    "adam": {"optimizer": "adam"},
    "rprop": {"optimizer": "rprop", "epochs": 8, "batch_size": None},
    "cg": {"optimizer": "cg", "epochs": 4, "batch_size": 250, "settings": (("searches", 2),)},
    "lbfgs": {"optimizer": "lbfgs", "epochs": 8, "batch_size": None},
    "hessian_free": {"optimizer": "hessian_free", "settings": (("iterations", 15),)},
    "rising": {"momentum": "rising:0.9:0.5:3"},
    "held out": {"valid": "0.1", "patience": 1, "epochs": 4, "learning_rate": "0.5"},
    "frozen first": {"freeze_epochs": 2},
    "dropout": {"start": None, "layers": (20, 10), "units": ("relu",), "init": ("he",), "dropout": (0.2, 0.5, 0.5)},
    "schedule": {"learning_rate": "cosine:0.1:0.001", "momentum": "step:0.5:0.9:1", "weight_decay": 0.001, "clip": 1.0},
    "autoencoder": {"task": "reconstruct", "valid": "last:50"},
    "from a network": {"start": "net"},
    "limited": {"max_norm": (0.5, 0.4, 0.6), "optimizer": "momentum", "l1": 1e-4, "learning_rate": "warmup:1:0.1"},
    "limited and frozen first": {"max_norm": (0.5,), "freeze_epochs": 2},
    "noise": {"noise": (0.2, 0.1, 0.1), "dropout": (0.0, 0.2, 0.0), "optimizer": "momentum"},
    "noise curvature": {"noise": (0.1,), "optimizer": "hessian_free", "settings": (("iterations", 15),)},
    "fading noise": {"noise": (0.2, 0.1, 0.1), "noise_schedule": "linear:1:0", "freeze_epochs": 1},
    "smoothed": {"label_smoothing": 0.1, "learning_rate": "inverse:0.1:0.5"},
    "averaged": {"average": 0.9, "valid": "0.1", "epochs": 3, "freeze_epochs": 1},
    "averaged adam": {"average": 1.0, "optimizer": "adam"},
    "averaged curvature": {"average": 0.5, "optimizer": "hessian_free", "settings": (("iterations", 15),)},
    "moved": {"jitter": 2, "dropout": (0.2, 0.0, 0.0)},
    "components": {
        "start": None,
        "layers": (20, 10),
        "units": ("relu",),
        "pca": 30,
        "contrast": "l1",
        "jitter": 1,
        "valid": "0.1",
    },
    "components, restored": {
        "start": None,
        "layers": (20, 10),
        "pca": 30,
        "task": "reconstruct",
        "jitter": 1,
        "optimizer": "cg",
        "batch_size": 250,
        "epochs": 4,
    },
    "rates by layer": {"layer_rates": (0.0, 0.1, 1.0), "valid": "0.1"},
    "frozen below for lbfgs": {"layer_rates": (0.0, 1.0, 1.0), "optimizer": "lbfgs", "epochs": 8, "batch_size": None},
}


if bfloat16.available():
    PRETRAIN["bfloat16"] = {"layers": (30, 10), "epochs": (2,), "batch_size": (119,), "precision": "bfloat16"}
    FINETUNE["bfloat16"] = {"precision": "bfloat16", "valid": "0.1"}


@pytest.fixture
def tune(digits, stack, net):
    """finetune on the digits with the settings of a row of FINETUNE."""

    def begin(output, settings, **more):
        words = {"start": "stack", "epochs": 2, "batch_size": 120} | settings | more
        words["start"] = {"stack": stack, "net": net, None: None}[words["start"]]
        return workflows.finetune(digits, output, **words)

    return begin


def whole(begin, path, settings, **more):
    """The bytes of a run without a break."""
    records = list(begin(str(path), settings, **more))
    assert records[-1].outcome in ("finished", "early stop")
    return path.read_bytes()


def in_pieces(begin, path, settings, cut, lengths):
    """The bytes of a run that was cut after so many minibatches, again and again; how often it was cut."""
    for cuts, length in enumerate(lengths):
        end = list(begin(str(path), settings, stop=cut(length), resume=True))[-1]
        if end.outcome != "interrupted":
            assert end.outcome in ("finished", "early stop")
            return path.read_bytes(), cuts
        assert not checkpoint.load(str(path)).complete
    raise AssertionError("the run came to no end")


@pytest.fixture
def start(digits):
    """pretrain on the digits with the settings of a row of PRETRAIN."""
    return lambda output, settings, **more: workflows.pretrain(digits, output, **settings, **more)


@pytest.mark.parametrize("name", PRETRAIN)
def test_pretrain_has_one_result(name, start, cut, tmp_path):
    first = whole(start, tmp_path / "a.h5", PRETRAIN[name], threads=2)
    assert whole(start, tmp_path / "b.h5", PRETRAIN[name], threads=1) == first
    pieces, cuts = in_pieces(start, tmp_path / "c.h5", PRETRAIN[name], cut, itertools.repeat(1))
    assert cuts >= 4
    assert pieces == first


@pytest.mark.parametrize("name", FINETUNE)
def test_finetune_has_one_result(name, tune, cut, tmp_path):
    first = whole(tune, tmp_path / "a.h5", FINETUNE[name], threads=2)
    assert whole(tune, tmp_path / "b.h5", FINETUNE[name], threads=1) == first
    pieces, cuts = in_pieces(tune, tmp_path / "c.h5", FINETUNE[name], cut, itertools.repeat(1))
    assert cuts >= 7
    assert pieces == first


@pytest.mark.parametrize("length", [0, 4, 5, 9, 10, 12])
def test_one_cut_anywhere(length, start, tune, cut, tmp_path):
    """0 before the first minibatch, 5 and 10 after an epoch and between two layers or stages."""
    for begin, settings in ((start, PRETRAIN["plain"]), (tune, FINETUNE["frozen first"])):
        name = begin is start
        first = whole(begin, tmp_path / f"{name}-a.h5", settings)
        pieces, cuts = in_pieces(begin, tmp_path / f"{name}-b.h5", settings, cut, [length, 10**6])
        assert cuts == 1
        assert pieces == first


def test_a_cut_of_no_minibatch_loses_and_adds_nothing(start, cut, tmp_path):
    """A run that is stopped again before it moves leaves the same bytes."""
    path = tmp_path / "a.h5"
    list(start(str(path), PRETRAIN["plain"], stop=cut(7)))
    before = path.read_bytes()
    list(start(str(path), PRETRAIN["plain"], stop=cut(0), resume=True))
    assert path.read_bytes() == before


def test_threads_may_change_at_a_resume(start, cut, tmp_path):
    first = whole(start, tmp_path / "a.h5", PRETRAIN["held out"], threads=2)
    for length, threads in ((3, 1), (4, 2), (10**6, 1)):
        list(start(str(tmp_path / "b.h5"), PRETRAIN["held out"], stop=cut(length), resume=True, threads=threads))
    assert (tmp_path / "b.h5").read_bytes() == first


def test_the_place_and_the_name_of_a_run_leave_no_trace(digits, tmp_path, monkeypatch):
    """Another folder, another output name, data under a relative path, a log beside it: the same bytes."""
    words = {"layers": (10,), "epochs": (1,)}
    list(workflows.pretrain(digits, str(tmp_path / "a.h5"), **words))
    place = tmp_path / "elsewhere, far"
    place.mkdir()
    shutil.copy(digits, place)
    monkeypatch.chdir(place)
    list(workflows.pretrain("./digits.npz", "very-different-name.h5", **words))
    assert Path("very-different-name.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()
    for word in (str(tmp_path), os.path.dirname(digits), "very-different"):
        assert word.encode() not in Path("very-different-name.h5").read_bytes()


def test_another_seed_gives_other_weights(start, tmp_path):
    """So that the tests above cannot pass by a constant."""
    first = whole(start, tmp_path / "a.h5", PRETRAIN["plain"])
    assert whole(start, tmp_path / "b.h5", PRETRAIN["plain"], seed=1) != first


def test_a_finished_run_is_left_alone(start, tune, tmp_path):
    for begin, settings in ((start, PRETRAIN["plain"]), (tune, FINETUNE["held out"])):
        path = tmp_path / f"{begin is start}.h5"
        before = whole(begin, path, settings)
        records = list(begin(str(path), settings, resume=True))
        assert records[-1].outcome == "already finished"
        assert not any(isinstance(r, workflows.Epoch | workflows.Saved) for r in records)
        assert path.read_bytes() == before


def test_more_epochs_go_on_as_if_planned(tune, cut, tmp_path):
    """A cut run may be given a later end, as no constant rate depends on it."""
    first = whole(tune, tmp_path / "a.h5", FINETUNE["momentum"], epochs=3)
    list(tune(str(tmp_path / "b.h5"), FINETUNE["momentum"], stop=cut(6)))
    list(tune(str(tmp_path / "b.h5"), FINETUNE["momentum"], epochs=3, resume=True))
    assert (tmp_path / "b.h5").read_bytes() == first


def test_more_epochs_of_a_stack_are_those_of_every_layer_or_refused(start, cut, tmp_path):
    """The first layer is done with 2 epochs; a file that says 3 for it would not tell the truth."""
    words = {"layers": (30, 10), "batch_size": (120,)}
    list(start(str(tmp_path / "b.h5"), words, epochs=(2,), stop=cut(12)))
    before = (tmp_path / "b.h5").read_bytes()
    with pytest.raises(UsageError, match="epochs"):
        list(start(str(tmp_path / "b.h5"), words, epochs=(3,), resume=True))
    assert (tmp_path / "b.h5").read_bytes() == before
    first = whole(start, tmp_path / "a.h5", words, epochs=(2, 3))
    list(start(str(tmp_path / "b.h5"), words, epochs=(2, 3), resume=True))
    assert (tmp_path / "b.h5").read_bytes() == first


def test_max_time_saves_and_goes_on(start, tmp_path):
    first = whole(start, tmp_path / "a.h5", PRETRAIN["plain"])
    end = list(start(str(tmp_path / "b.h5"), PRETRAIN["plain"], max_time=0.001))[-1]
    assert end.outcome == "out of time"
    assert end.next == ""  # the command line shows the command as it was typed
    end = list(start(str(tmp_path / "b.h5"), PRETRAIN["plain"], resume=True))[-1]
    assert end.outcome == "finished"
    assert (tmp_path / "b.h5").read_bytes() == first


def test_saves_on_the_way_change_nothing(start, tune, tmp_path, monkeypatch):
    """A checkpoint after every epoch, each whole, and the same end."""
    for begin, settings in ((start, PRETRAIN["held out"]), (tune, FINETUNE["frozen first"])):
        path = tmp_path / f"{begin is start}.h5"
        first = whole(begin, path, settings)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "BETWEEN_SAVES", 0.0)
            found = [
                checkpoint.load(str(path)).complete
                for record in begin(str(path), settings, force=True)
                if isinstance(record, workflows.Saved)
            ]
        assert found[-1]
        assert len(found) > 2
        assert not any(found[:-1])
        assert path.read_bytes() == first

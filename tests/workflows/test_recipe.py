"""inspect --toml: the settings of a model make the same file again."""

import shlex
import tomllib

import numpy as np
import pytest

from deepnet import checkpoint
from deepnet.checkpoint import Checkpoint
from deepnet.optimizers import OPTIMIZERS
from deepnet.workflows.plans import METHODS

NETS = {
    "plain": "--layers 8 --epochs 2",
    "autoencoder": "--task reconstruct --layers 9,4 --units tanh,linear --init sparse:5",
    "one class": "--task one_class --layers 9,4 --units relu --normal 3,5",
    "margins": "--layers 8 --units maxout:3 --loss squared_hinge:0.5 --label-smoothing 0 --valid last:50 --patience 1",
    "regularized": "--layers 9,8 --noise 0.1 --noise-schedule linear:1:0 --dropout 0.2,0.5,0.5 --l1 0.001 --max-norm 1 "
    "--label-smoothing 0.1 --average 0.9 --weight-decay 0.001 --layer-rates 1,1,0.5 --clip 1 --jitter 1",
    "prepared": "--layers 8 --units tanh --batch-norm --contrast l2 --pca 9 --labels 60 --valid 0.1 --seed 7",
    "no biases": "--layers 8 --units relu --no-bias --freeze-epochs 1 --scale unit",
} | {name: f"--layers 8 --optimizer {name}" for name in OPTIMIZERS}
STACKS = {
    "sparse": "--layers 9,8 --sparsity-target 0.1 --cd-steps 2 --units relu,logistic --visible-bias mean",
    "scheduled": "--layers 9,8 --learning-rate linear:0.1:0.01,0.05 --epochs 1,2 --valid 50 --seed 3",
} | {method: f"--layers 9 --method {method}" for method in METHODS}


def again(path, data, call, tmp_path, *more):
    """The bytes of the model that the settings of this one make."""
    done = call("inspect", path, "--toml")
    assert done.code == 0, done.err
    (tmp_path / "again.toml").write_text(done.out)
    (table,) = tomllib.loads(done.out)
    words = ("-c", tmp_path / "again.toml", *more, "-o", tmp_path / "again.h5", "--force")
    made = call(table, data, *words)
    assert made.code == 0, made.err
    return (tmp_path / "again.h5").read_bytes()


@pytest.mark.parametrize("words", NETS.values(), ids=NETS)
def test_a_network_is_made_again(words, digits, call, tmp_path):
    path = tmp_path / "n.h5"
    one = () if "--epochs" in words else ("--epochs", "1")
    assert call("finetune", digits, *shlex.split(words), *one, "-o", path).code == 0
    assert again(path, digits, call, tmp_path) == path.read_bytes()


@pytest.mark.parametrize("words", STACKS.values(), ids=STACKS)
def test_a_stack_is_made_again(words, digits, call, tmp_path):
    path = tmp_path / "s.h5"
    one = () if "--epochs" in words else ("--epochs", "1")
    assert call("pretrain", digits, *shlex.split(words), *one, "-o", path).code == 0
    assert again(path, digits, call, tmp_path) == path.read_bytes()


def test_parents_and_teachers_are_named(stack, net, digits, call, tmp_path):
    path = tmp_path / "n.h5"
    assert call("finetune", digits, "--from", stack, "--epochs", "1", "-o", path).code == 0
    assert checkpoint.load(stack).digest in call("inspect", path, "--toml").out
    assert again(path, digits, call, tmp_path, "--from", stack) == path.read_bytes()
    words = ("--task", "mimic", "--teacher", net, "--layers", "5", "--epochs", "1", "--temperature", "4")
    assert call("finetune", digits, *words, "-o", path, "--force").code == 0
    assert f"teacher1.h5: the model of SHA-256 {checkpoint.load(net).digest}" in call("inspect", path, "--toml").out
    assert again(path, digits, call, tmp_path, "--teacher", net) == path.read_bytes()


def test_a_regressor_and_an_autoencoder_of_a_stack(houses, stack, digits, call, tmp_path):
    path = tmp_path / "n.h5"
    words = ("--task", "regress", "--label", "price", "--scale", "standard", "--layers", "4", "--epochs", "1")
    assert call("finetune", houses, *words, "-o", path).code == 0
    assert again(path, houses, call, tmp_path) == path.read_bytes()
    words = ("--task", "reconstruct", "--optimizer", "cg", "--set", "searches=2", "--epochs", "1", "--valid", "60")
    assert call("finetune", digits, "--from", stack, *words, "-o", path, "--force").code == 0
    assert again(path, digits, call, tmp_path, "--from", stack) == path.read_bytes()


def test_a_file_of_held_out_cases(flowers, call, tmp_path):
    path = tmp_path / "n.h5"
    words = ("--label", "kind, as told", "--layers", "4", "--epochs", "1", "--valid", flowers)
    assert call("finetune", flowers, *words, "-o", path).code == 0
    assert again(path, flowers, call, tmp_path, "--valid", flowers) == path.read_bytes()


def test_columns_of_a_table(flowers, call, tmp_path):
    path = tmp_path / "n.h5"
    words = ("--label", "kind, as told", "--ignore", "sepal width", "--layers", "4", "--epochs", "1")
    assert call("finetune", flowers, *words, "-o", path).code == 0
    assert again(path, flowers, call, tmp_path) == path.read_bytes()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"command": "efficiency"},
        {"command": "pretrain"},
        {"command": "pretrain", "units": [], "init": [], "seed = 1\n[finetune]\n": 1},
        {"command": "pretrain", "units": [], "init": [], "scale": {"a": 1}},
        {"command": "finetune", "parent": None, "task": "classify"},
    ],
)
def test_settings_of_another_hand_are_refused(config, net, call, tmp_path):
    model = checkpoint.load(net)
    crafted = Checkpoint(model.model, model.arrays, model.preparation, config, {}, model.provenance)
    checkpoint.save(str(tmp_path / "crafted.h5"), crafted)
    done = call("inspect", tmp_path / "crafted.h5", "--toml")
    assert (done.code, done.out) == (4, "")
    assert len(done.err.splitlines()) == 1


def test_text_is_escaped(net, call, tmp_path):
    model = checkpoint.load(net)
    config = model.config | {"label": 'a "quoted"\n\x7f\x1b[31m = 1 🎉'}
    crafted = Checkpoint(model.model, model.arrays, model.preparation, config, {}, model.provenance)
    checkpoint.save(str(tmp_path / "crafted.h5"), crafted)
    out = call("inspect", tmp_path / "crafted.h5", "--toml").out
    assert tomllib.loads(out)["finetune"]["label"] == config["label"]
    assert "\x1b" not in out
    assert np.count_nonzero([line.startswith("label") for line in out.splitlines()]) == 1
    assert call("inspect", net, "--toml", "--json").code == 2

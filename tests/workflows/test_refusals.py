"""What cannot be done is refused in one line on stderr, with the right exit code, and nothing is written."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import checkpoint, files, workflows
from deepnet.kernels import bfloat16
from deepnet.workflows import memory

ROOT = Path(__file__).parents[2]
USAGE, DATA, MODEL, OUTPUT, DIVERGED = 2, 3, 4, 5, 6


@pytest.fixture
def place(tmp_path, monkeypatch, digits, flowers, stack, net, flower_net):
    """A folder with good files and bad ones."""
    monkeypatch.chdir(tmp_path)
    flower_stack = Path(flower_net).with_name("flower-stack.h5")
    for path in (digits, flowers, stack, net, flower_net, flower_stack):
        shutil.copy(path, tmp_path)
    good = dict(np.load("digits.npz"))
    x, y = good["x_train"], good["y_train"]
    np.savez("wide.npz", x=np.zeros((30, 10), np.float32), y=y[:30])
    np.savez("unlabelled.npz", x=x[:60])
    np.savez("eleven.npz", x=x[:60], y=np.where(y[:60] == 3, 10, y[:60]))
    np.savez("negative.npz", x=x[:60], y=y[:60].astype(np.int64) - 5)
    np.savez("labels.npz", y=y[:60])
    np.savez("halves.npz", x=x[:60], y=y[:60] + 0.5)
    other = good | {"x_train": np.where(np.arange(28) == 13, np.uint8(7), x)}
    np.savez("other.npz", **other)
    np.savez("short-labels.npz", x=x[:60], y=y[:50])
    np.savez("floats.npz", x=x[:200].astype(np.float32), y=y[:200])
    np.savez("one-class.npz", x=x[:200], y=np.zeros(200, np.uint8))
    bad = x[:60].reshape(60, -1).astype(np.float32) / 255
    bad[7, 9] = np.nan
    np.savez("nan.npz", x=bad, y=y[:60])
    with h5py.File("nan-data.h5", "w") as file:
        file["X"], file["y"] = bad, y[:60]
    lines = Path("flowers.csv").read_text().splitlines()
    texts = {
        "nan.csv": [*lines[:5], "5.1,nan,1.4,0.2,late Iris", *lines[5:]],
        "hole.csv": [*lines[:5], "5.1,,1.4,0.2,late Iris", *lines[5:]],
        "word.csv": [*lines[:5], "5.1,much,1.4,0.2,late Iris", *lines[5:]],
        "ragged.csv": [*lines[:5], "5.1,1.4,0.2,late Iris", *lines[5:]],
        "stranger.csv": [*lines[:5], "5.1,3,1.4,0.2,rose", *lines[5:]],
        "header.csv": ["length,width,kind"],
        "five.csv": ["a," + lines[0], *("1," + line for line in lines[1:])],
        "empty.csv": [],
        "column.csv": ["a", *map(str, range(60))],
        "labels.csv": ["label", *("ab"[n % 2] for n in range(60))],
    }
    for name, content in texts.items():
        Path(name).write_text("".join(line + "\n" for line in content))
    Path("text.h5").write_text("not a table, not a model\n")
    Path("cut.h5").write_bytes(Path("net.h5").read_bytes()[:20_000])
    flipped = bytearray(Path("net.h5").read_bytes())
    flipped[30_000] ^= 4
    Path("flipped.h5").write_bytes(flipped)
    Path("drawer").mkdir()
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    return tmp_path


PRE = ["--layers", "8", "--epochs", "1"]
KIND = ["--label", "kind, as told"]
CASES = {
    # Data that are not there or not data.
    "no such data": (DATA, ["pretrain", "nothing.csv", "-o", "o.h5"], "does not exist"),
    "a name that is nearly right": (DATA, ["pretrain", "flower.csv", "-o", "o.h5"], "flowers.csv"),
    "no such shipped data": (DATA, ["pretrain", "mnits", "-o", "o.h5"], "mnist"),
    "text named .h5 as data": (DATA, ["pretrain", "text.h5", "-o", "o.h5"], "text.h5"),
    "empty table": (DATA, ["pretrain", "empty.csv", "-o", "o.h5"], "empty.csv"),
    "header alone": (DATA, ["pretrain", "header.csv", "-o", "o.h5"], "rows"),
    "a folder as data": (DATA, ["pretrain", "drawer/", "-o", "o.h5"], "drawer"),
    "a pipe as data": (DATA, ["pretrain", "./pipe", "-o", "o.h5"], "pipe"),
    "a device as data": (DATA, ["pretrain", "/dev/zero", "-o", "o.h5"], "device"),
    "a loop of links": (DATA, ["pretrain", "./loop", "-o", "o.h5"], "loop"),
    "a NUL in a name": (DATA, ["pretrain", "digits.npz\0.csv", "-o", "o.h5"], "path"),
    "a model as data": (DATA, ["pretrain", "net.h5", "-o", "o.h5"], "model"),
    "ragged": (DATA, ["pretrain", "ragged.csv", *KIND, "-o", "o.h5"], "row 6"),
    # Data with wrong values.
    "nan for a model of numbers": (DATA, ["evaluate", "flower-stack.h5", "nan.csv", *KIND], "row 6"),
    "a hole for a model of numbers": (DATA, ["evaluate", "flower-stack.h5", "hole.csv", *KIND], "row 6"),
    "a word among numbers": (DATA, ["pretrain", "word.csv", *KIND, "-o", "o.h5"], "much"),
    "text labels unsaid": (DATA, ["finetune", "flowers.csv", "--layers", "5", "-o", "o.h5"], "--label"),
    "nan in an npz": (DATA, ["pretrain", "nan.npz", *PRE, "-o", "o.h5"], "column 10"),
    "nan in hdf5": (DATA, ["pretrain", "nan-data.h5", *PRE, "-o", "o.h5"], "column 10"),
    "nan for evaluate": (DATA, ["evaluate", "net.h5", "nan.npz"], "column 10"),
    "nan for predict": (DATA, ["predict", "net.h5", "nan.npz"], "column 10"),
    "pixels unscaled": (DATA, ["pretrain", "digits.npz", *PRE, "--scale", "none", "-o", "o.h5"], "--scale unit"),
    "float pixels": (DATA, ["pretrain", "floats.npz", *PRE, "-o", "o.h5"], "--scale unit"),
    "measures for logistic units": (DATA, ["pretrain", "flowers.csv", *KIND, *PRE, "-o", "o.h5"], "--visible linear"),
    # Labels.
    "labels out of range": (DATA, ["evaluate", "net.h5", "eleven.npz"], "10"),
    "labels below 0": (DATA, ["finetune", "negative.npz", "--layers", "8", "-o", "o.h5"], "below 0"),
    "labels with fractions": (DATA, ["finetune", "halves.npz", "--layers", "8", "-o", "o.h5"], "--task regress"),
    "too few labels": (DATA, ["finetune", "short-labels.npz", "--layers", "8", "-o", "o.h5"], "50 labels"),
    "no labels": (DATA, ["finetune", "unlabelled.npz", "--layers", "8", "-o", "o.h5"], "label"),
    "no labels to evaluate": (DATA, ["evaluate", "net.h5", "unlabelled.npz"], "label"),
    "an unknown class": (DATA, ["evaluate", "flower-net.h5", "stranger.csv", *KIND], "rose"),
    "patience with nothing held out": (USAGE, [
        "finetune", "digits.npz", "--layers", "8", "--patience", "5", "-o", "o.h5"
    ], "--valid"),
    "codes without labels": (DATA, ["evaluate", "stack.h5", "unlabelled.npz", "--codes", "euclidean"], "label"),
    "codes of a regression's labels": (DATA, ["evaluate", "stack.h5", "halves.npz", "--codes", "cosine"], "label"),
    "one class": (DATA, ["finetune", "one-class.npz", "--layers", "8", "-o", "o.h5"], "1 class"),
    "hinge with one class": (
        DATA, ["finetune", "one-class.npz", "--layers", "8", "--loss", "hinge", "-o", "o.h5"], "1 class"),
    "a class that is not there": (DATA, [
        "finetune", "digits.npz", "--layers", "8", "--task", "one_class", "--normal", "x", "-o", "o.h5"], "class 'x'"),
    "scores without a threshold": (DATA, ["predict", "stack.h5", "unlabelled.npz", "--give", "anomaly"], "--calibrate"),
    "a normal class that is not there": (DATA, ["evaluate", "stack.h5", "digits.npz", "--normal", "x"], "no class 'x'"),
    "no such label column": (DATA, [
        "finetune", "flowers.csv", "--label", "sort", "--layers", "8", "-o", "o.h5"
    ], "sort"),
    "numbers wanted": (DATA, ["finetune", "flowers.csv", *KIND, "--layers", "8", "--task", "regress", "-o", "o.h5"],
                       "--task classify"),
    # Data and model that do not fit.
    "wrong width to evaluate": (DATA, ["evaluate", "net.h5", "wide.npz"], "784"),
    "wrong width to predict": (DATA, ["predict", "net.h5", "wide.npz"], "784"),
    "wrong width to draw": (DATA, ["visualize", "net.h5", "wide.npz", "-o", "pictures/"], "784"),
    "wrong width to finetune": (DATA, ["finetune", "wide.npz", "--from", "stack.h5", "-o", "o.h5"], "784"),
    "a column too many": (DATA, ["evaluate", "flower-net.h5", "five.csv", *KIND], "5 columns"),
    # Models that are none.
    "no such model": (MODEL, ["evaluate", "nothing.h5", "digits.npz"], "does not exist"),
    "text named .h5 as model": (MODEL, ["evaluate", "text.h5", "digits.npz"], "text.h5"),
    "data as model": (MODEL, ["evaluate", "digits.npz", "digits.npz"], "model"),
    "hdf5 data as model": (MODEL, ["predict", "nan-data.h5", "digits.npz"], "model"),
    "a folder as model": (MODEL, ["predict", "drawer", "digits.npz"], "folder"),
    "a pipe as model": (MODEL, ["predict", "pipe", "digits.npz"], "pipe"),
    "a cut model": (MODEL, ["evaluate", "cut.h5", "digits.npz"], "cut"),
    "a flipped bit": (MODEL, ["evaluate", "flipped.h5", "digits.npz"], "damaged"),
    "a flipped bit to start from": (MODEL, ["finetune", "digits.npz", "--from", "flipped.h5", "-o", "o.h5"], "damaged"),
    "a flipped bit to resume": (MODEL, ["finetune", "digits.npz", "--from", "stack.h5", "-o", "flipped.h5", "--resume"],
                                "damaged"),
    "a flipped bit to inspect": (MODEL, ["inspect", "flipped.h5"], "damaged"),
    "a cut model to inspect": (None, ["inspect", "cut.h5"], "cut.h5"),
    # Outputs.
    "output exists": (USAGE, ["pretrain", "digits.npz", *PRE, "-o", "stack.h5"],
                      "give --resume to go on with it, --force to replace it or choose another"),
    "output exists that no run goes on with": (USAGE, ["export", "net.h5", "-o", "wide.npz"], "give --force"),
    "output is a folder": (OUTPUT, ["pretrain", "digits.npz", *PRE, "-o", "drawer"], "folder"),
    "output in no folder": (OUTPUT, ["pretrain", "digits.npz", *PRE, "-o", "no/where.h5"], "mkdir"),
    "output is a device": (OUTPUT, ["pretrain", "digits.npz", *PRE, "-o", "/dev/full"], "device"),
    "output below a file": (OUTPUT, ["pretrain", "digits.npz", *PRE, "-o", "text.h5/o.h5"], "text.h5"),
    "output is the data": (USAGE, ["pretrain", "digits.npz", *PRE, "-o", "digits.npz", "--force"], "digits.npz"),
    "output is the parent": (USAGE, ["finetune", "digits.npz", "--from", "stack.h5", "-o", "./stack.h5", "--force"],
                             "stack.h5"),
    "no output": (USAGE, ["pretrain", "digits.npz", *PRE], "-o"),
    "predictions over the data": (USAGE, [
        "predict", "flower-net.h5", "flowers.csv", *KIND, "-o", "flowers.csv", "--force"],
                                  "flowers.csv"),
    "predictions exist": (USAGE, ["predict", "net.h5", "digits.npz", "-o", "text.h5"], "--force"),
    "predictions nowhere": (OUTPUT, ["predict", "net.h5", "digits.npz", "-o", "no/where.csv"], "mkdir"),
    "a picture of unknown type": (USAGE, ["visualize", "net.h5", "-o", "x.docx", "--kind", "filters"], ".png"),
    "a picture over the model": (USAGE, [
        "visualize", "net.h5", "-o", "net.h5", "--kind", "filters", "--force"
    ], "input of this command"),
    "many kinds, one file": (USAGE, ["visualize", "net.h5", "digits.npz", "-o", "x.png"], "x.png"),
    "a folder of pictures nowhere": (OUTPUT, ["visualize", "net.h5", "-o", "no/where/"], "mkdir"),
    # Settings that contradict data, models, or each other.
    "resume with other settings": (USAGE, [
        "pretrain", "digits.npz", "--layers", "40,20", "--epochs", "3", "--valid", "50",
                                           "--batch-size", "25", "-o", "stack.h5", "--resume"], "batch_size"),
    "resume with other data": (USAGE, ["pretrain", "other.npz", "--layers", "40,20", "--epochs", "3", "--valid", "50",
                                       "--batch-size", "50", "-o", "stack.h5", "--resume"], "data"),
    "resume a network as a stack": (USAGE, ["pretrain", "digits.npz", *PRE, "-o", "net.h5", "--resume"], "network"),
    "network of another task": (USAGE, [
        "finetune", "digits.npz", "--from", "net.h5", "--task", "reconstruct", "-o", "o.h5"],
                                "classify"),
    "valid takes all": (None, ["finetune", "digits.npz", "--layers", "8", "--valid", "500", "-o", "o.h5"], "--valid"),
    "valid takes more": (None, ["pretrain", "digits.npz", *PRE, "--valid", "last:9999", "-o", "o.h5"], "--valid"),
    "valid of 0": (USAGE, ["pretrain", "digits.npz", *PRE, "--valid", "0", "-o", "o.h5"], "--valid"),
    "valid of nothing": (DATA, ["pretrain", "digits.npz", *PRE, "--valid", "nothing.npz", "-o", "o.h5"], "nothing.npz"),
    "a batch of more than all": (USAGE, [
        "finetune", "digits.npz", "--layers", "8", "--batch-size", "501", "-o", "o.h5"],
                                 "--batch-size"),
    "softmax inside a network": (USAGE, ["finetune", "digits.npz", "--layers", "8", "--units", "softmax", "-o", "o.h5"],
                                 "softmax"),
    "tanh in a machine": (USAGE, ["pretrain", "digits.npz", *PRE, "--units", "tanh", "-o", "o.h5"], "tanh"),
    "tanh visible": (USAGE, ["pretrain", "digits.npz", *PRE, "--visible", "tanh", "-o", "o.h5"], "tanh"),
    "unknown initializer": (USAGE, [
        "finetune", "digits.npz", "--layers", "8", "--init", "glorto", "-o", "o.h5"
    ], "glorot"),
    "momentum of sgd": (USAGE, ["finetune", "digits.npz", "--layers", "8", "--optimizer", "sgd", "--momentum", "0.9",
                                "-o", "o.h5"], "--momentum"),
    "dropout of too many": (USAGE, [
        "finetune", "digits.npz", "--layers", "8", "--dropout", "0.1,0.1,0.1", "-o", "o.h5"],
                            "--dropout"),
    "a unit for no layer": (USAGE, [
        "pretrain", "digits.npz", "--layers", "8,8", "--units", "relu,relu,relu", "-o", "o.h5"],
                            "--units"),
    "units beside --from": (USAGE, ["finetune", "digits.npz", "--from", "stack.h5", "--units", "relu", "-o", "o.h5"],
                            "--units"),
    "scale beside --from": (USAGE, [
        "finetune", "digits.npz", "--from", "stack.h5", "--scale", "standard", "-o", "o.h5"],
                            "--scale"),
    # Preparation.
    "components beside --from": (USAGE, ["finetune", "digits.npz", "--from", "stack.h5", "--pca", "9", "-o", "o.h5"],
                                 "--pca"),
    "components of logistic units": (USAGE, ["pretrain", "digits.npz", *PRE, "--pca", "9", "-o", "o.h5"],
                                     "--visible linear"),
    "components and whitening": (USAGE, [
        "finetune", "digits.npz", "--layers", "8", "--pca", "9", "--zca", "0.1", "-o", "o.h5"], "--zca 0.1"),
    "more components than cases": (USAGE, ["finetune", "digits.npz", "--layers", "8", "--pca", "600", "-o", "o.h5"],
                                   "at most 499"),
    "images moved away": (USAGE, ["finetune", "digits.npz", "--from", "stack.h5", "--jitter", "28", "-o", "o.h5"],
                          "28 x 28"),
    "a table moved": (DATA, ["finetune", "flowers.csv", *KIND, "--layers", "8", "--jitter", "1", "-o", "o.h5"],
                      "no image"),
    **{f"{flag} {value}": (USAGE, ["finetune", "digits.npz", "--layers", "8", flag, value, "-o", "o.h5"], flag)
       for flag, value in (("--pca", "0"), ("--pca", "1.5"), ("--zca", "0"), ("--zca", "nan"), ("--contrast", "l3"),
                           ("--jitter", "-1"), ("--jitter", "0.5"))},
    "probabilities of a stack": (USAGE, ["predict", "stack.h5", "digits.npz", "--give", "probabilities"], "codes"),
    "reconstructions of a classifier": (USAGE, [
        "predict", "net.h5", "digits.npz", "--give", "reconstructions"
    ], "codes"),
    "confusion of a stack": (USAGE, [
        "visualize", "stack.h5", "digits.npz", "-o", "p/", "--kind", "confusion"
    ], "classifier"),
    "confusion without data": (USAGE, ["visualize", "net.h5", "-o", "p.png", "--kind", "confusion"], "data"),
    "no such split": (None, ["evaluate", "net.h5", "digits.npz", "--split", "tset"], "tset"),
    "a metric that is not there": (USAGE, ["evaluate", "net.h5", "digits.npz", "--require", "rmse<1"], "rmse"),
    # Autoencoders that could copy their inputs, and layers that do not fit.
    "one column to reconstruct": (DATA, [
        "finetune", "column.csv", "--task", "reconstruct", "--layers", "1", "--scale", "unit", "-o", "o.h5"
    ], "--task"),
    "labels alone to reconstruct": (DATA, [
        "finetune", "labels.csv", "--task", "reconstruct", "--layers", "1", "--label", "label", "-o", "o.h5"
    ], "--label"),
    "a column less, to reconstruct": (DATA, [
        "finetune", "column.csv", "--task", "reconstruct", "--layers", "1", "--label", "a", "-o", "o.h5"
    ], "--label"),
    "labels as pixels": (DATA, ["finetune", "labels.npz", "--task", "reconstruct", "--layers", "1", "-o", "o.h5"],
                         "rank 1"),
    "a code as wide as the data": (USAGE, [
        "finetune", "digits.npz", "--task", "reconstruct", "--layers", "900,784", "-o", "o.h5"], "--layers"),
    "a code wider than the data": (USAGE, [
        "finetune", "digits.npz", "--task", "reconstruct", "--layers", "1000,2000", "-o", "o.h5"], "784"),
    "a stack wider than the data": (USAGE, [
        "finetune", "flowers.csv", *KIND, "--from", "flower-stack.h5", "--task", "reconstruct", "-o", "o.h5"
    ], "--from: the narrowest layer has 12 units"),
    "layers beside --from": (USAGE, ["finetune", "digits.npz", "--from", "stack.h5", "--layers", "20", "-o", "o.h5"],
                             "--layers"),
    "other data for --from": (DATA, ["finetune", "flowers.csv", *KIND, "--from", "stack.h5", "-o", "o.h5"],
                              "stack.h5 takes 784"),
    "an optimizer for machines": (USAGE, ["pretrain", "digits.npz", *PRE, "--optimizer", "cg", "-o", "o.h5"],
                                  "--optimizer"),
    # More memory than any machine has.
    "too many pairs": (OUTPUT, [
        "finetune", "digits.npz", "--layers", "8", "--optimizer", "lbfgs", "--set", "memory=1e12", "-o", "o.h5"
    ], "--set memory=100"),
    "too many units": (OUTPUT, ["finetune", "digits.npz", "--layers", "1000000,1000000", "-o", "o.h5"],
                       "give smaller --layers"),
    "too many units, planned": (OUTPUT, ["finetune", "digits.npz", "--layers", "1000000,1000000", "-n"],
                                "MB that this program may have"),
    "logistic PCA of a classifier": (USAGE, ["evaluate", "net.h5", "digits.npz", "--logistic-pca"], "--logistic-pca"),
    "logistic PCA of linear units": (USAGE, [
        "evaluate", "flower-stack.h5", "flowers.csv", *KIND, "--logistic-pca"], "linear units"),
    "parts of a file without parts": (DATA, ["pretrain", "flowers.csv:part", "-o", "o.h5"], "flowers.csv"),
    # Numbers.
    **{f"{flag} {value}": (USAGE, ["pretrain", "digits.npz", *PRE, flag, value, "-o", "o.h5"], flag) for flag,
    value in (
        ("--layers", "0"), ("--layers", "-5"), ("--layers", "1e12"), ("--layers", "784,abc"), ("--layers", "8,,8"),
        ("--learning-rate", "nan"), ("--learning-rate", "inf"), ("--learning-rate", "0"), ("--learning-rate", "-0.1"),
        ("--learning-rate", "step:1"), ("--momentum", "1"), ("--momentum", "1.5"), ("--epochs", "-1"), ("--epochs",
        "0"),
        ("--batch-size", "0"), ("--batch-size", "501"), ("--cd-steps", "0"), ("--weight-decay", "-1"), ("--seed", "-1"),
        ("--seed", str(2**64)), ("--threads", "0"), ("--threads", "1000000"), ("--sparsity-target", "2"),
        ("--max-time", "soon"), ("--valid", "1.5"), ("--init", "gaussian:x"),
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name, place, call, tree):
    code, words, hint = CASES[name]
    before = tree(place)
    done = call(*words)
    assert done.code in ((code,) if code is not None else (USAGE, DATA, MODEL)), done.err
    assert done.err.startswith("deepnet: error: ")
    assert done.err.count("\n") == 1
    assert done.err.endswith("\n")
    assert len(done.err) < 700
    assert hint in done.err
    assert done.out == ""
    assert tree(place) == before


@pytest.mark.parametrize(("words", "hint"), [
    (("--optimizer", "cg", "--learning-rate", "0.1"), "use --optimizer sgd, momentum, nesterov"),
    (("--optimizer", "lbfgs", "--clip", "1"), "--clip: lbfgs has none"),
    (("--optimizer", "rprop", "--momentum", "0.5"), "--momentum: rprop has none; use --optimizer momentum, nesterov"),
    (("--optimizer", "hessian_free", "--set", "kronecker=2"), "kronecker=2: must be 0 or 1"),
    (("--optimizer", "hessian_free", "--set", "kronecker=1", "--set", "damping=0"), "use for example 0.001"),
    (("--optimizer", "hessian_free", "--set", "lambda=3"), "it has damping, damping_factor, least_damping"),
    (("--optimizer", "sgd", "--set", "decay=3"), "it has none"),
    (("--optimizer", "cg", "--set", "searches=1.5"), "must be a whole number above 0"),
    (("--optimizer", "cg", "--set", "searches"), "write NAME=NUMBER"),
    (("--optimizer", "rmsprop", "--set", "decay=-1"), "must be a number of at least 0"),
    (("--optimizer", "rmsprop", "--set", "decay=nan"), "not a finite number"),
    (("--momentum", "rising:1.5:0.9:10"), "must stay below 1"),
    (("--max-norm", "2", "--optimizer", "lbfgs"), "--max-norm: lbfgs searches along lines"),
    (("--l1", "0.1", "--optimizer", "hessian_free"), "use --optimizer sgd, momentum, nesterov"),
    (("--max-norm", "2,2,2"), "give one, or 2"),
    (("--max-norm", "0"), "above 0"),
    (("--label-smoothing", "0.1", "--task", "reconstruct"), "--task reconstruct"),
    (("--label-smoothing", "1"), "from 0 to 0.99"),
    (("--label-smoothing", "0.1", "--loss", "hinge"), "margins"),
    (("--loss", "hing"), "one of cross_entropy, squared_hinge, hinge"),
    (("--loss", "svdd"), "--task one_class"),
    (("--loss", "hinge:0"), "above 0"),
    (("--loss", "cross_entropy:1"), "no number"),
    (("--loss", "hinge", "--task", "reconstruct"), "leave it"),
    (("--loss", "hinge", "--optimizer", "cg"), "corners"),
    (("--normal", "1"), "leave it"),
    (("--average", "1.1"), "from 0 to 1"),
    (("--layer-rates", "0,0"), "nothing to train"),
    (("--layer-rates", "0.1,1", "--optimizer", "cg"), "cg has no learning rate"),
    (("--layer-rates", "0.1,1", "--optimizer", "rprop"), "give 0 or 1"),
    (("--layer-rates", "1,0", "--freeze-epochs", "1"), "leave one of them"),
    (("--layer-rates", "1,1,1"), "give one, or 2"),
    (("--noise", "1,1,1"), "--noise has 3 values; give one, or 2: input, then each hidden layer"),
    (("--noise", "-1"), "0 or more"),
])  # fmt: skip
def test_settings_that_an_optimizer_has_not_are_refused(words, hint, digits, call, tmp_path):
    found = call("finetune", digits, "--layers", "5", "-o", str(tmp_path / "a.h5"), *words)
    assert found.code == USAGE
    assert found.err.count("\n") == 1
    assert hint in found.err
    assert not (tmp_path / "a.h5").exists()


@pytest.mark.parametrize(("words", "free", "remedy"), [
    (("--layers", "40", "--optimizer", "lbfgs"), 12.5, "give --set memory=3 or smaller --layers"),
    (("--layers", "40", "--optimizer", "rprop"), 9, "give --optimizer sgd or smaller --layers"),
    (("--layers", "40", "--optimizer", "hessian_free"), 10, "give --optimizer sgd or smaller --layers"),
    (("--layers", "40", "--optimizer", "lbfgs"), 1, "give smaller --layers"),
    (("--from", "stack.h5", "--optimizer", "lbfgs"), 13, "give --set memory=3 or a smaller net to --from"),
])  # fmt: skip
def test_a_run_that_does_not_fit_the_memory_is_refused(words, free, remedy, place, call, tree, monkeypatch):
    """With so many million bytes free, before its arrays are made; the remedy is one that is taken."""
    free = (memory.KERNELS + free * 10**6) / files.memory.SHARE
    monkeypatch.setattr(files.memory, "free_memory", lambda root: int(free))
    monkeypatch.setattr(files.memory, "resident", lambda root: (0, 0))
    before, words = tree(place), ("finetune", "digits.npz", "--epochs", "1", "-o", "o.h5", *words)
    done = call(*words)
    assert done.code == OUTPUT, done.err
    assert done.err.startswith("deepnet: error: training ")
    assert done.err.count("\n") == 1
    assert remedy in done.err
    assert tree(place) == before
    instead, _, other = remedy.removeprefix("give ").partition(" or ")
    if other:
        done = call(*words, *instead.split())
        assert done.code == 0, done.err


def test_noise_lets_a_code_be_wider_than_the_data(flowers, call, tmp_path):
    """A denoising autoencoder cannot copy what it does not see."""
    words = (
        "finetune",
        flowers,
        *KIND,
        "--task",
        "reconstruct",
        "--layers",
        "9",
        "--scale",
        "standard",
        "--epochs",
        "1",
    )
    assert call(*words, "-o", tmp_path / "a.h5").code == USAGE
    assert call(*words, "-o", tmp_path / "a.h5", "--dropout", "0.2,0").code == 0


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_bfloat16_is_refused_where_the_cpu_lacks_it(command, digits, call, tmp_path, monkeypatch):
    monkeypatch.setattr(bfloat16, "available", lambda: False)
    words = (command, digits, "-o", str(tmp_path / "a.h5"), "--layers", "5", "--precision", "bfloat16")
    found = call(*words)
    assert found.code == 2
    assert found.err.count("\n") == 1
    assert "AVX512-BF16" in found.err
    assert "--precision float32" in found.err
    assert not (tmp_path / "a.h5").exists()


def test_a_full_system_file_is_refused_after_all(digits, call, tmp_path, monkeypatch):
    """A folder that seems open and takes no file: the old files stay, no temporary is left."""
    monkeypatch.chdir(tmp_path)
    done = call("pretrain", digits, *PRE, "-o", "/proc/o.h5", "-q")
    assert done.code == OUTPUT
    assert done.err.startswith("deepnet: error: ")
    assert done.err.count("\n") == 1
    assert done.out == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(digits, call, tmp_path):
    tmp_path.chmod(0o500)
    try:
        done = call("pretrain", digits, *PRE, "-o", str(tmp_path / "o.h5"))
    finally:
        tmp_path.chmod(0o700)
    assert done.code == OUTPUT
    assert "cannot be written" in done.err


def test_a_diverged_run_ends_with_6_and_keeps_the_last_good_file(place, call, tree):
    """Linear units under a rate that is far too large."""
    before = tree(place)
    words = ["finetune", "digits.npz", "--layers", "8", "--units", "linear", "--task", "regress", "--learning-rate",
             "10", "-o"]  # fmt: skip
    done = call(*words, "o.h5", "-q")
    assert done.code == DIVERGED, done.err
    assert done.err.startswith("deepnet: error: ")
    assert done.err.count("\n") == 1
    assert "--learning-rate" in done.err
    assert done.out == ""
    assert tree(place) == before
    assert call(*words, "net.h5", "--force", "-q").code == DIVERGED
    assert tree(place) == before


def test_a_stack_that_diverges_ends_with_6(place, call, tree):
    before = tree(place)
    done = call("pretrain", "flowers.csv", *KIND, "--layers", "8", "--visible", "linear", "--units", "relu", "--scale",
                "standard", "--learning-rate", "100", "--epochs", "50", "-o", "o.h5", "-q")  # fmt: skip
    assert done.code == DIVERGED, done.err
    assert done.err.count("\n") == 1
    assert tree(place) == before


def test_softmax_units_of_a_stack_are_refused_in_a_network(place, call, tree):
    """Their slope is a matrix, which no layer below an output has; silence would train with wrong gradients."""
    assert (
        call("pretrain", "digits.npz", "--layers", "8", "--units", "softmax", "--epochs", "1", "-o", "s.h5").code == 0
    )
    before = tree(place)
    done = call("finetune", "digits.npz", "--from", "s.h5", "--epochs", "1", "-o", "o.h5")
    assert done.code == USAGE, done.err
    assert "softmax" in done.err
    assert tree(place) == before


def test_a_regressor_is_not_trained_on_for_another_number_of_targets(place, house_net, houses, call, tree):
    lines = [line.split(",") for line in Path(houses).read_text().splitlines()]
    Path("two.csv").write_text("".join(",".join([*row, row[-1] if n else "tax"]) + "\n" for n, row in enumerate(lines)))
    before = tree(place)
    done = call("finetune", "two.csv", "--label", "price,tax", "--task", "regress", "--from", house_net, "-o", "o.h5")
    assert done.code in (USAGE, DATA), done.err
    assert done.err.count("\n") == 1
    assert tree(place) == before


def test_requirements_end_with_7_after_the_result(net, digits, call):
    done = call("evaluate", net, digits, "--require", "error<=0.0001")
    assert done.code == 7
    assert "error" in done.out
    assert done.err.startswith("deepnet: error: error is ")
    assert call("evaluate", net, digits, "--require", "error<=1,cross_entropy<100").code == 0


def test_no_refusal_is_met_by_chance(place, call):
    """The files and words that the cases share do work."""
    for words in (
        ["pretrain", "digits.npz", *PRE, "-o", "o1.h5"],
        ["finetune", "digits.npz", "--layers", "8", "--epochs", "1", "-o", "o2.h5"],
        ["finetune", "digits.npz", "--from", "stack.h5", "--epochs", "1", "-o", "o3.h5"],
        ["evaluate", "net.h5", "digits.npz"],
        ["evaluate", "flower-net.h5", "flowers.csv", *KIND],
        ["predict", "net.h5", "unlabelled.npz"],
        ["pretrain", "digits.npz", "--layers", "40,20", "--epochs", "3", "--valid", "50", "--batch-size", "50",
         "-o", "stack.h5", "--resume"],
        ["inspect", "digits.npz"],
    ):  # fmt: skip
        done = call(*words)
        assert done.code == 0, done.err
        assert "error: " not in done.err
        assert done.out


def test_a_refused_resume_names_what_differs(digits, cut, tmp_path, call):
    path = str(tmp_path / "s.h5")
    list(workflows.pretrain(digits, path, layers=(8,), epochs=(2,), stop=cut(3)))
    before = Path(path).read_bytes()
    done = call("pretrain", digits, "-o", path, "--resume", "--layers", "8", "--epochs", "2", "--learning-rate", "0.2")
    assert done.code == USAGE
    assert "learning_rate" in done.err
    assert "0.2" in done.err
    assert "--force" in done.err
    assert "epochs" not in done.err
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer", np.array([7])),
        ("layer", np.array([-1])),
        ("position", np.array([0, 10**6])),
        ("position", np.array([0])),
        ("velocity", np.zeros(3, np.float32)),
        ("velocity", None),
    ],
)
def test_a_state_that_does_not_fit_is_not_resumed(name, value, digits, cut, tmp_path):
    """Made by someone who can make a seal: refused as a model, and left as it is."""
    path = tmp_path / "s.h5"
    list(workflows.pretrain(digits, str(path), layers=(8,), epochs=(2,), stop=cut(3)))
    body = io.BytesIO(path.read_bytes()[:-64])
    with h5py.File(body, "r+") as file:
        del file[f"train/{name}"]
        if value is not None:
            file[f"train/{name}"] = value
    path.write_bytes(body.getvalue() + checkpoint.seal(body.getvalue()))
    before = path.read_bytes()
    # In a process of its own: kernels do not check, so that a short array would end this one.
    words = ["pretrain", digits, "-o", str(path), "--layers", "8", "--epochs", "2", "--resume", "-q"]
    done = subprocess.run([sys.executable, "-m", "deepnet", *words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == MODEL, done.stderr
    assert done.stderr.count("\n") == 1
    assert path.read_bytes() == before

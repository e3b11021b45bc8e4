"""H1: every model file and every HDF5 file of RELIABILITY's section 3, in the commands that take such files."""

import os

import numpy as np
import pytest

from tests.hostile_hdf5 import DATA, LABELS, MODELS, RANGE, X, Y, attributes, groups, hosts
from tests.refusal import check_refused, told

READ_MODELS = {
    "evaluate": "evaluate {} good.npz",
    "predict": "predict {} good.npz -o o.csv",
    "visualize": "visualize {} good.npz -o pictures/",
    "inspect": "inspect {}",
    "finetune --from": "finetune good.npz --from {} --epochs 1 -o o.h5 --log o.jsonl",
    "finetune --resume": "finetune good.npz --layers 3 --epochs 1 -o {} --resume",
    "pretrain --resume": "pretrain good.npz --layers 3 --epochs 1 -o {} --resume",
    "finetune --teacher": "finetune good.npz --teacher {} --task mimic --layers 3 --epochs 1 -o o.h5",
    "compare": "compare good.npz net.h5 {} --split train -o page.html",
}
READ_DATA = {
    "inspect": "inspect {}",
    "pretrain": "pretrain {} --layers 3 --epochs 1 -o o.h5 --log o.jsonl",
    "pretrain --valid": "pretrain good.npz --valid {} --layers 3 --epochs 1 -o o.h5",
    "finetune": "finetune {} --layers 3 --epochs 1 -o o.h5",
    "finetune --from": "finetune {} --from stack.h5 --epochs 1 -o o.h5",
    "evaluate": "evaluate net.h5 {} --split train",
    "predict": "predict net.h5 {} -o o.csv",
    "visualize": "visualize net.h5 {} -o pictures/",
    "compare": "compare {} net.h5 net.h5 --split train -o page.html",
}
CLASSIFY = ("finetune", "finetune --from", "evaluate")
NO_DATA = ("MATLAB 7.3",)  # no models, but good data, which `inspect` shows


@pytest.fixture(scope="module")
def made(tmp_path_factory, apart):
    """Good data, a stack and a network of them, as bytes."""
    folder = tmp_path_factory.mktemp("models")
    np.savez(folder / "good.npz", X=np.tile(X, (5, 1)), y=np.tile(Y, 5))
    for words in (
        "pretrain good.npz --layers 3 --epochs 1 -o stack.h5 -q",
        "finetune good.npz --from stack.h5 --epochs 1 -o net.h5 -q",
    ):
        found = apart(words.split(), folder)
        assert found.code == 0, found
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def place(made, tmp_path):
    """A folder of its own for each test."""
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def refused(apart, place, commands, **more):
    """The outcomes of these commands, each of which refuses bad.h5."""
    found = [apart(words.format("bad.h5").split(), place) for words in commands]
    for one in found:
        check_refused(one, "bad.h5", **more)
    return found


def share(name, commands, size):
    """Every command by turns, or all of them under --torture."""
    words = list(commands.values())
    return size([words[sum(map(ord, name)) % len(words)]], words)


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", MODELS)
def test_models(name, apart, place, size, promise):
    MODELS[name](place / "bad.h5")
    commands = {k: words for k, words in READ_MODELS.items() if k != "inspect" or name not in NO_DATA}
    promise(*told(refused(apart, place, share(name, commands, size))))


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", DATA)
def test_data(name, apart, place, size, promise):
    DATA[name](place / "bad.h5")
    promise(*told(refused(apart, place, share(name, READ_DATA, size))))


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", LABELS)
def test_labels(name, apart, place, size, promise):
    LABELS[name](place / "bad.h5")
    commands = {name: READ_DATA[name] for name in CLASSIFY}
    promise(*told(refused(apart, place, share(name, commands, size), codes=[3])))


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", RANGE)
def test_range(name, apart, place):
    """Of logistic visible units, which are Bernoulli's."""
    RANGE[name](place / "bad.h5")
    words = ["pretrain", "bad.h5", "--layers", "3", "--epochs", "1", "--scale", "none", "-o", "o.h5"]
    check_refused(apart(words, place), "bad.h5", codes=[3])


def pipe(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path)


def device(path):
    path.symlink_to("/dev/zero")


def nobody_s(path):
    path.write_bytes(b"")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")


ODD = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a pipe": pipe,
    "a device": device,
    "a loop of links": loop,
    "unreadable": nobody_s,
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", ["model", "data"])
def test_what_is_no_file(name, kind, apart, place, size, promise):
    ODD[name](place / "bad.h5")
    commands = READ_MODELS if kind == "model" else READ_DATA
    # A run that is to go on from a file that is not there begins anew.
    commands = {k: words for k, words in commands.items() if (name, "--resume" in k) != ("missing", True)}
    promise(*told(refused(apart, place, share(name + kind, commands, size))))


@pytest.mark.promise("H1")
@pytest.mark.parametrize("command", ["evaluate", "inspect"])
@pytest.mark.parametrize("change", [attributes, groups], ids=["attributes", "layers"])
def test_a_million_of_them(change, command, apart, place, size):
    hosts(change, size(20_000, 10**6))(place / "bad.h5")
    check_refused(apart(READ_MODELS[command].format("bad.h5").split(), place), "bad.h5", codes=[4])


@pytest.mark.promise("H1")
def test_no_machine_is_trained_by_hessian_free(apart, place):
    words = ["pretrain", "good.npz", "--layers", "3", "--optimizer", "hessian_free", "-o", "o.h5"]
    check_refused(apart(words, place), "--optimizer", codes=[2])


def test_what_the_tables_are_made_from_is_good(apart, place):
    """So nothing above is refused for another reason."""
    for words in ("pretrain good.npz --layers 3 --epochs 1 -o a.h5", "evaluate net.h5 good.npz --split train",
                  "predict net.h5 good.npz -o o.csv", "finetune good.npz --from stack.h5 --epochs 1 -o b.h5",
                  "compare good.npz net.h5 net.h5 --split train -o page.html", "inspect net.h5"):  # fmt: skip
        found = apart(words.split(), place)
        assert found.code == 0, found

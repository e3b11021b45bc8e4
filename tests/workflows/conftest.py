"""Small data and small models that the tests of the workflows share; each is made once."""

import csv
import gzip
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deepnet import data, workflows
from deepnet.__main__ import main
from deepnet.kernels import jit

FLOWERS = ("Iris, early", "late Iris", "marsh Iris")
COLUMNS = ("sepal length", "sepal width", "petal length, cm", "petal width")
CENTRES = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.1]])


@pytest.fixture(autouse=True)
def _threads():
    """Leave the number of threads as it was."""
    before = jit.threads()
    yield
    jit.set_threads(before)


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and its streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys):
    """Run the command line in this process."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Outcome(code, *capsys.readouterr())

    return run


def tree(folder):
    """{path: hash of its bytes} of all that lies in a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        for path in sorted(Path(folder).rglob("*"))
    }


@pytest.fixture(name="tree")
def _tree():
    return tree


def finish(records):
    """Run a training to its end; its records."""
    return list(records)


@pytest.fixture(name="finish")
def _finish():
    return finish


def cut(minibatches):
    """A `stop` that lets so many minibatches pass."""
    left = [minibatches]

    def stop():
        left[0] -= 1
        return "interrupted" if left[0] < 0 else None

    return stop


@pytest.fixture(name="cut")
def _cut():
    return cut


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where shared data and models lie; tests write elsewhere."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def mnist():
    """All of MNIST."""
    return data.load("mnist", task="classify")


def slice_of(mnist, train, test):
    """Arrays of the first cases."""
    parts = {"x_train": mnist.splits["train"], "x_test": mnist.splits["test"]}
    out = {}
    for (name, cases), count in zip(parts.items(), (train, test), strict=True):
        out[name] = cases.inputs[:count].reshape(-1, 28, 28)
        out[name.replace("x", "y")] = cases.targets[:count].astype(np.uint8)
    return out


@pytest.fixture(scope="session")
def digits(folder, mnist):
    """500 training and 200 test digits, NPZ."""
    path = folder / "digits.npz"
    np.savez(path, **slice_of(mnist, 500, 200))
    return str(path)


def write_idx(path, array, packed):
    """An IDX file of bytes."""
    head = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    content = head + array.tobytes()
    Path(path).write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture(scope="session", params=["plain", "gz"])
def idx(request, folder, mnist):
    """The same digits as a folder of IDX files, plain or gzipped."""
    place = folder / f"idx-{request.param}"
    place.mkdir()
    arrays = slice_of(mnist, 500, 200)
    names = {"x_train": "train-images-idx3", "y_train": "train-labels-idx1", "x_test": "t10k-images-idx3"}
    names["y_test"] = "t10k-labels-idx1"
    for key, name in names.items():
        packed = request.param == "gz"
        path = place / f"{name}-ubyte{'.gz' if packed else ''}"
        write_idx(path, arrays[key], packed)
    return str(place)


def flower_rows(count, seed):
    """(N, 4) measures and N names, drawn around three centres."""
    draw = np.random.default_rng(seed)
    kinds = np.arange(count) % 3
    return CENTRES[kinds] + draw.normal(0, 0.25, (count, 4)), [FLOWERS[k] for k in kinds]


def write_csv(path, header, rows):
    """A table as a spreadsheet writes it: cells with commas in quotes."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture(scope="session")
def flowers(folder):
    """A table of 240 flowers: four measures, their kind as text, a header, commas in names."""
    x, names = flower_rows(240, 1)
    rows = [[*(f"{v:.3f}" for v in row), name] for row, name in zip(x, names, strict=True)]
    return write_csv(folder / "flowers.csv", [*COLUMNS, "kind, as told"], rows)


@pytest.fixture(scope="session")
def meadow(folder):
    """The same flowers with the numbers of their bed and row, which are names, and a colour that is not always told."""
    x, names = flower_rows(240, 3)
    places = np.random.default_rng(4).integers(1, 4, (240, 2)).tolist()
    rows = [[*(f"{v:.3f}" for v in measures[:2]), *place, ("white", "blue", "")[sum(place) % 3], name]
            for measures, place, name in zip(x, places, names, strict=True)]  # fmt: skip
    return write_csv(folder / "meadow.csv", [*COLUMNS[:2], "bed", "row", "colour", "kind, as told"], rows)


@pytest.fixture(scope="session")
def words(folder):
    """240 texts of which 12 words are counted, svmlight: two topics, each with words of its own."""
    draw, lines = np.random.default_rng(5), []
    for n in range(240):
        told = np.flatnonzero(draw.random(12) < np.where(np.arange(12) % 2 == n % 2, 0.6, 0.1))
        lines.append(" ".join([str(n % 2), *(f"{word + 1}:1" for word in told)]) + "\n")
    path = folder / "words.svm"
    path.write_text("".join(lines))
    return str(path)


@pytest.fixture(scope="session")
def houses(folder):
    """A table for regression: five columns of very different size and a price that depends on them."""
    draw = np.random.default_rng(2)
    x = draw.normal(0, 1, (400, 5)) * [1, 10, 100, 0.1, 3] + [5, 50, -200, 1, 0]
    price = 200 + 30 * (x[:, 0] - 5) - 2 * (x[:, 1] - 50) + 15 * np.tanh(x[:, 4]) + draw.normal(0, 5, 400)
    rows = [[*map(repr, row), f"{p:.2f}"] for row, p in zip(x.tolist(), price, strict=True)]
    return write_csv(folder / "houses.csv", ["rooms", "area", "height", "age", "noise", "price"], rows)


@pytest.fixture(scope="session")
def stack(folder, digits):
    """A stack 784-40-20 of the digits."""
    path = str(folder / "stack.h5")
    finish(workflows.pretrain(digits, path, layers=(40, 20), epochs=(3,), batch_size=(50,), valid="50"))
    return path


@pytest.fixture(scope="session")
def net(folder, digits, stack):
    """A classifier 784-40-20-10 that began with the stack, with cases held out."""
    path = str(folder / "net.h5")
    finish(workflows.finetune(digits, path, start=stack, epochs=4, batch_size=50, valid="100"))
    return path


@pytest.fixture(scope="session")
def coder(folder, digits, stack):
    """The stack unrolled: an autoencoder 784-40-20-40-784."""
    path = str(folder / "coder.h5")
    finish(workflows.finetune(digits, path, start=stack, task="reconstruct", epochs=3, batch_size=50))
    return path


@pytest.fixture(scope="session")
def files(folder, digits, flowers, meadow, words, houses, stack, net):
    """{name: path} of the data and models that the kinds of run of `tests.workflows.runs` name."""
    other = str(folder / "other.h5")
    finish(workflows.finetune(digits, other, layers=(12,), epochs=1, seed=1))
    return {"digits": digits, "flowers": flowers, "meadow": meadow, "words": words, "houses": houses, "stack": stack,
            "net": net, "other": other}  # fmt: skip


@pytest.fixture(scope="session")
def flower_net(folder, flowers):
    """A classifier of flowers by the way of a stack with linear visibles."""
    stack, net = str(folder / "flower-stack.h5"), str(folder / "flower-net.h5")
    words = {"label": "kind, as told", "batch_size": (20,)}
    finish(workflows.pretrain(flowers, stack, layers=(12,), epochs=(20,), visible="linear", scale="standard", **words))
    words["batch_size"] = 20
    finish(workflows.finetune(flowers, net, start=stack, epochs=20, **words))
    return net


@pytest.fixture(scope="session")
def house_net(folder, houses):
    """A regressor of prices that began with a stack with linear visibles."""
    stack, net = str(folder / "house-stack.h5"), str(folder / "house-net.h5")
    finish(
        workflows.pretrain(
            houses, stack, layers=(20,), epochs=(20,), visible="linear", scale="standard", label="price",
            batch_size=(20,), ignore=(),
        )
    )  # fmt: skip
    finish(
        workflows.finetune(houses, net, start=stack, task="regress", epochs=40, batch_size=20, learning_rate="0.01",
                           label="price")
    )  # fmt: skip
    return net

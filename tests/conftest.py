"""What all tests share: a surrounding without colours, terminals or the user's own settings."""

import json
import os
from pathlib import Path

import pytest

# Rich and Typer look at these once, when they are imported.
os.environ.update(TTY_COMPATIBLE="0", NO_COLOR="1", COLUMNS="100")
# And LAPACK at these: more threads than one only spin where others work too.
os.environ.update(OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
for name in [name for name in os.environ if name.startswith("DEEPNET_")] + [
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "PY_COLORS",
]:
    os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def _surrounding(monkeypatch):
    """Undo after each test what the command line sets for the libraries it imports."""
    for name in (
        "HDF5_PLUGIN_PRELOAD",
        "NUMBA_NUM_THREADS",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    ):
        value = os.environ.get(name)
        monkeypatch.setenv(name, value or "")
        if value is None:
            monkeypatch.delenv(name)


def pytest_addoption(parser):
    parser.addoption("--torture", action="store_true", help="long forms of the tests of promises (make torture)")
    parser.addoption("--figures", metavar="FILE", help="write what the tests of promises measured to a JSON file")


@pytest.fixture
def size(request):
    """`size(short, long)`: how many trials; the long form under --torture."""
    torture = request.config.getoption("--torture")
    return lambda short, long: long if torture else short


@pytest.fixture(scope="session")
def apart(request):
    """`apart(words, folder)`: the command line in a child that may crash; `check_refused` asserts H1 of its end."""
    from tests.refusal import Apart

    server = Apart(strace=request.config.getoption("--torture"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def hostile_models(tmp_path_factory, apart):
    """Good data and a stack and a network of them."""
    folder = tmp_path_factory.mktemp("models")
    import numpy as np

    from tests.hostile import PARENT, X, Y

    np.savez(folder / PARENT, X=np.tile(X, (5, 1)), y=np.tile(Y, 5))
    for words in (
        "pretrain good.npz --layers 3 --epochs 1 -o stack.h5 -q",
        "finetune good.npz --from stack.h5 --epochs 1 -o net.h5 -q",
        "predict stack.h5 good.npz --give anomaly --calibrate good.npz",
        "compare good.npz net.h5 net.h5 --split train",
    ):
        found = apart(words.split(), folder)
        assert found.code == 0, found
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def place(hostile_models, tmp_path):
    """A folder of their own for each test."""
    for name, content in hostile_models.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def promise(request):
    """`promise(figure)`: note what a test of a promise measured, a short text such as `0 of 30 lost`."""
    name = request.node.get_closest_marker("promise").args[0]
    return lambda figure: request.config.stash[FIGURES].append((name, request.node.nodeid, figure))


FIGURES: pytest.StashKey[list[tuple[str, str, str]]] = pytest.StashKey()


def pytest_configure(config):
    config.stash[FIGURES] = []


def pytest_sessionfinish(session):
    """Write the figures, where a file for them is named."""
    if (path := session.config.getoption("--figures")) is not None:
        rows = [dict(zip(("promise", "test", "figure"), row, strict=True)) for row in session.config.stash[FIGURES]]
        Path(path).write_text(json.dumps(rows, indent=1) + "\n")

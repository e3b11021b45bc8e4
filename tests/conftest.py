"""What all tests share: a surrounding without colours, terminals or the user's own settings."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture(autouse=True, scope="session")
def _listening():
    """Programs that tests start hear signals, also where a background job or `nohup` has us ignore them."""
    quiet = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
             if signal.getsignal(n) is signal.SIG_IGN]  # fmt: skip
    for number in quiet:
        signal.signal(number, lambda *_: None)  # unlike one that is ignored, a handler is not passed on
    yield
    for number in quiet:
        signal.signal(number, signal.SIG_IGN)


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


COMPILED = """
import json, sys
from deepnet.__main__ import main
code = main(sys.argv[2:])
from deepnet.kernels import jit
open(sys.argv[1], "w").write(json.dumps([code, sorted(jit.COMPILED)]))
"""


@pytest.fixture
def deepnet(tmp_path):
    """Run deepnet in a process with a cache of its own, in tmp_path/cache; what it compiled."""
    root = Path(__file__).parents[1]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(root)}

    def run(*words):
        told = tmp_path / "told.json"
        command = [sys.executable, "-c", COMPILED, told, *words]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)
        code, names = json.loads(told.read_text())
        assert code == 0, words
        return names

    return run


@pytest.fixture
def stdin(monkeypatch):
    """`stdin(content)`: these bytes come from standard input."""
    return lambda content: monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))


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
    """`promise(figure)`: note what a test of a promise measured, a short text such as `0 of 30 lost`.

    A test of many parameters gives a number beside it, `promise(f"error {e:.1e}", e)`: the table shows the largest.
    """
    config, (name,) = request.config, request.node.get_closest_marker("promise").args
    form = "long" if config.getoption("--torture") else "short"

    def note(figure, rank=None):
        row = {"promise": name, "test": request.node.nodeid, "figure": figure, "form": form}
        row |= {} if rank is None else {"rank": float(rank)}
        if row not in config.stash[FIGURES][-1:]:  # each example of a property says the same
            config.stash[FIGURES].append(row)

    return note


FIGURES: pytest.StashKey[list[dict]] = pytest.StashKey()
ENDS: pytest.StashKey[dict[tuple, list]] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """How tests of promises end, for those that measure nothing, fail or cannot run."""
    report = yield
    mark = item.get_closest_marker("promise")
    if mark is not None and (report.when == "call" or report.outcome != "passed"):
        why = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
        test = mark.args[0], item.nodeid.partition("[")[0]
        item.config.stash[ENDS].setdefault(test, []).append((report.outcome, why))
    return report


def ended(ends, noted, form):
    """Rows of tests that fail, that noted no figure, or that could not run."""
    for (name, test), own in ends.items():
        outcomes = [outcome for outcome, _ in own]
        row, cases = {"promise": name, "test": test, "form": form}, f" in {len(own)} cases" if len(own) > 1 else ""
        if "failed" in outcomes:
            yield row | {"figure": f"fails in {outcomes.count('failed')} of {len(own)}"}
        elif "passed" not in outcomes:
            yield row | {"figure": f"could not run: {own[0][1]}"}
        elif (name, test) not in noted:
            yield row | {"figure": f"holds{cases}"}


def pytest_configure(config):
    """Figures are collected; properties are tried on the same examples each time, on many more under --torture."""
    config.stash[FIGURES], config.stash[ENDS] = [], {}
    given = {"derandomize": True, "database": None, "deadline": None, "print_blob": False}
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    examples = 2000 if config.getoption("--torture") else 30
    settings.register_profile("ours", max_examples=examples, suppress_health_check=checks, **given)
    settings.load_profile("ours")


def pytest_sessionfinish(session):
    """Write the figures, where a file for them is named; tests that did not run keep theirs."""
    if (path := session.config.getoption("--figures")) is not None:
        file, ran = Path(path), {item.nodeid.partition("[")[0] for item in session.items}
        kept = [row for row in json.loads(file.read_text()) if row["test"] not in ran] if file.exists() else []
        noted = condensed(session.config.stash[FIGURES])
        form = "long" if session.config.getoption("--torture") else "short"
        told = ended(session.config.stash[ENDS], {(row["promise"], row["test"]) for row in noted}, form)
        rows = sorted([*kept, *noted, *told], key=lambda row: row["test"])
        file.write_text(json.dumps(rows, indent=1) + "\n")


def condensed(rows):
    """The rows of each test without its parameters: of those with a rank the highest, and how many there were."""
    out, best = [], {}
    for row in rows:
        row = row | {"test": row["test"].partition("[")[0]}
        if "rank" not in row:
            out += [row] if row not in out else []
            continue
        key = row["promise"], row["test"]
        most = max(best.get(key, row), row, key=lambda row: row["rank"])
        best[key] = most | {"of": best.get(key, {"of": 0})["of"] + 1}
    return out + list(best.values())

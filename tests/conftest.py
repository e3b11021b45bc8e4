"""What all tests share: a surrounding without colours, terminals or the user's own settings."""

import os

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

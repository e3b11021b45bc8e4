"""The one place of compiler flags, the cache folder and threads."""

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from deepnet.kernels import jit
from deepnet.kernels.exp import HALF, ZERO

KERNELS = Path(jit.__file__).parent


def test_no_other_page_compiles():
    """`jit` holds the only njit, with exactly the flags that change no bit with the vector width."""
    assert jit.FLAGS["fastmath"] == {"nsz", "contract"}
    assert jit.FLAGS["error_model"] == "numpy"
    for page in KERNELS.parent.rglob("*.py"):
        text = page.read_text()
        if page.name != "jit.py":
            assert "numba.njit" not in text, page
            assert "numba.jit" not in text, page
            assert "fastmath=" not in text, page


def test_compiled_takes_float32_alone():
    assert jit.compiled(np.zeros(3, np.float32)) == jit.ENABLED
    for dtype in (np.float64, np.complex128, np.complex64, np.uint8):
        assert not jit.compiled(np.zeros(3, dtype))


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_a_matrix_is_one_type_however_it_lies():
    """Rows that are padded or not, one row, one column, a transposed one: one compiled kernel."""

    @jit.njit
    def total(a):
        return a.sum()

    room = np.ones((32, 16), np.float32)
    for matrix in (room, room[:, :5], room[:1], room[:, :1], room.T):
        assert total(matrix) == matrix.size
    assert len(total.signatures) == 1


def test_threads_stay_within_numba_s():
    most = numba.config.NUMBA_NUM_THREADS
    before = jit.threads()
    try:
        for asked, given in ((0, 1), (-5, 1), (1, 1), (most, most), (most + 7, most)):
            jit.set_threads(asked)
            assert jit.threads() == given
    finally:
        jit.set_threads(before)


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_row_of_is_a_contiguous_view():
    from tests.kernels.arrays import inside

    @numba.njit
    def mark(array, i, j0, j1):
        row = jit.row_of(array, i, j0, j1)
        row[:] = np.float32(7)
        return row.size

    array = inside(np.zeros((4, 10), np.float32))
    assert mark(array, 2, 3, 8) == 5
    expected = np.zeros((4, 10))
    expected[2, 3:8] = 7
    np.testing.assert_array_equal(array, expected)


PROBE = """
import numpy as np
from deepnet.kernels import jit, updates
x = np.ones(20, np.float32)
updates.decay(x, 0.5, 0.0, x)
print(jit.CACHE, jit.warm(), x[0])
"""


def probe(environment):
    """CACHE, whether it is warm, and a kernel's result in a process of its own."""
    import os

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE],
        env=os.environ | environment,
        cwd=KERNELS.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.split()


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_cache_folder(tmp_path):
    """Ours alone; where it cannot be had kernels are compiled without it."""
    folder, warm, value = probe({"XDG_CACHE_HOME": str(tmp_path)})
    assert Path(folder).parent == tmp_path / "deepnet"
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert (warm, value) == ("True", "1.5")
    Path(folder).chmod(0o777)
    assert probe({"XDG_CACHE_HOME": str(tmp_path)}) == ["None", "False", "1.5"]
    (tmp_path / "file").write_text("")
    assert probe({"XDG_CACHE_HOME": str(tmp_path / "file")}) == ["None", "False", "1.5"]


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_a_damaged_cache_is_compiled_anew(tmp_path):
    """Emptied, cut, with a flipped bit, or another function's: the answer is right and the file is mended."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    folder = Path(probe(environment)[0])
    good = {path: path.read_bytes() for path in folder.glob("*.nbc")}
    assert good
    longest = max(good.values(), key=len)
    for spoil in (
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: text[:-9] + bytes([text[-9] ^ 4]) + text[-8:],
        lambda text: longest + b"x",
    ):
        for path, text in good.items():
            path.write_bytes(spoil(text))
        assert probe(environment) == [str(folder), "True", "1.5"]
        for path in good:
            text = path.read_bytes()
            assert text[:32] == jit._seal(path, text[32:]), path


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_a_cache_that_cannot_be_written_is_left(tmp_path, monkeypatch):
    """A full disk, or a folder that goes away while kernels compile."""

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jit, "CACHE", tmp_path)
    monkeypatch.setattr(jit.tempfile, "mkstemp", full)

    def nothing(number):
        return

    nothing.__module__ = f"{jit.__package__}.nothing"
    assert jit.Native(nothing, 1).address
    assert list(jit.COMPILED)[-1].startswith("nothing-")
    assert not jit.COMPILED[list(jit.COMPILED)[-1]]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not jit.ENABLED, reason="nothing is compiled")
def test_choose_is_pythons_choice():
    """Also of NaN, infinity and zeros of both signs, in place, as rows of units do it."""

    @jit.njit
    def halve(x):
        for j in range(x.size):
            x[j] = jit.choose(x[j] < ZERO, HALF * x[j], x[j])

    given = np.tile(np.float32([-2, -0.0, 0.0, 3, np.nan, np.inf, -np.inf]), 9)
    found = given.copy()
    halve(found)
    np.testing.assert_array_equal(found.view(np.uint32), np.where(given < 0, given / 2, given).view(np.uint32))

"""The one place of compiler flags, the cache folder and threads."""

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from deepnet.kernels import jit

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

"""Works, or refuses in one line: with few descriptors, no home, no temporary folder, odd names, closed streams."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAIN = "pretrain good.npz --layers 3 --epochs 1 -q --force"
LONG = "n" * 252 + ".h5"
WORKS, REFUSED = {0}, set(range(2, 7))
SHELLS = {  # what stands before and after the command, the words, the codes that may come of it
    "few descriptors": ("ulimit -n 64;", TRAIN + " -o o.h5", "", WORKS),
    "no home": ("unset HOME XDG_CACHE_HOME;", TRAIN + " -o o.h5", "", WORKS),
    "a home that is not there": ("export HOME=/dev/null/no; unset XDG_CACHE_HOME;", "inspect net.h5", "", WORKS),
    "a home that cannot be written": ("export HOME=/proc; unset XDG_CACHE_HOME;", "inspect net.h5", "", WORKS),
    "a cache on a full disk": ("export XDG_CACHE_HOME=/dev/full;", "inspect net.h5", "", WORKS),
    "no temporary folder": ("export TMPDIR=/dev/null/no;", "evaluate net.h5 good.npz --split train", "", WORKS),
    "plain C": ("export LC_ALL=C LANG=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0;", TRAIN + " -o 'größe 🙂.h5'", "", WORKS),
    "a bad locale": ("export LC_ALL=xx_YY.UTF-9;", TRAIN + " -o o.h5", "", WORKS),
    "a name of 255 bytes": ("", TRAIN + f" -o {LONG}", "", WORKS),
    "a name of 256 bytes": ("", TRAIN + f" -o n{LONG}", "", REFUSED),
    "a name that is no text": ("", TRAIN + " -o $(printf 'a\\377.h5')", "", WORKS),
    "stdin closed": ("", TRAIN + " -o o.h5", "<&-", WORKS),
    "data from a closed stdin": ("", "inspect -", "<&-", REFUSED),
    "settings from a closed stdin": ("", "inspect good.npz -c -", "<&-", REFUSED),
    "settings without an end": ("", "inspect good.npz -c -", "</dev/zero", REFUSED),
    "data without an end": ("", "inspect -", "</dev/zero", REFUSED),
    "stdout closed": ("", "inspect good.npz", ">&-", REFUSED),
    "stdout closed, predictions": ("", "predict net.h5 good.npz", ">&-", REFUSED),
    "stdout full": ("", "inspect good.npz", ">/dev/full", REFUSED),
    "stderr closed": ("", TRAIN + " -o o.h5", "2>&-", WORKS),
    "stderr closed, refused": ("", "inspect no.npz", "2>&-", REFUSED),
    "stderr full, refused": ("", "inspect no.npz", "2>/dev/full", REFUSED),
    "all closed": ("", "inspect no.npz", "<&- >&- 2>&-", REFUSED),
    "threads that are none": ("export NUMBA_NUM_THREADS=abc;", "evaluate net.h5 good.npz", "", REFUSED),
    "no threads": ("export NUMBA_NUM_THREADS=0;", "evaluate net.h5 good.npz", "", REFUSED),
    "a million threads": ("export NUMBA_NUM_THREADS=1000000;", TRAIN + " -o o.h5", "", REFUSED),
    "seeds of the environment": ("export DEEPNET_PRETRAIN_SEED=-1;", TRAIN + " -o o.h5", "", REFUSED),
}


@pytest.mark.slow
@pytest.mark.promise("surroundings")
@pytest.mark.parametrize("name", SHELLS)
def test_surroundings(name, place):
    """A process of its own each, by the shell, since much of this is over once Python runs."""
    if "/dev/full" in "".join(map(str, SHELLS[name])) and not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    before, words, after, codes = SHELLS[name]
    python = f"{shlex.quote(sys.executable)} -W error -m deepnet"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["sh", "-c", f"{before} exec {python} {words} {after}"],
        cwd=place,
        env=environment,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode in codes, done
    if codes is REFUSED:
        assert done.stdout == b"", done
        assert done.stderr.count(b"\n") == (0 if "2>" in after else 1), done
        assert b"Traceback" not in done.stderr
    else:
        assert b"rror" not in done.stderr, done
        if " -o " in words:
            assert len(list(place.iterdir())) == 4, done
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.promise("surroundings")
def test_odd_names(place, apart):
    """Of data: spaces, emoji, a colon, quotes, line feeds, 255 bytes; they are read, and shown on one line."""
    for name in (
        "a b.npz",
        "🙂.npz",
        "a:b.npz",
        "'\"$(x).npz",
        "a\nb.npz",
        "\u202egnp.npz",
        "n" * 251 + ".npz",
        "-x.npz",
    ):
        shutil.copy(place / "good.npz", place / name)
        found = apart(["inspect", f"./{name}"], place)
        assert found.code == 0, found
        assert found.err == "", found
        (place / name).unlink()
        found = apart(["inspect", f"./{name}"], place)
        assert found.code == 3, found
        assert found.err.count("\n") == 1, found

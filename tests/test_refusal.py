"""The harness of H1 notices what it is there to notice."""

import os
import shutil

import pytest

from tests.refusal import Apart, check_refused


def leave(out="", err="deepnet: error: no\n", code=3, file=None, megabytes=0, loops=0, number=0, path=None):
    """What a bad refusal might do; runs in a child."""
    import resource
    import sys

    if file is not None:
        with open(file, "w") as stream:
            stream.write("x")
    if number:
        os.kill(os.getpid(), number)
    if path is not None:
        with open(path, "rb"):
            pass
    bytearray(megabytes << 20)
    while loops and resource.getrusage(resource.RUSAGE_SELF).ru_utime < loops:
        pass
    sys.stdout.write(out)
    sys.stderr.write(err)
    return code


WRONG = {
    "success": {"code": 0},
    "a fault of ours": {"code": 1},
    "a signal": {"number": 11},
    "two lines": {"err": "deepnet: error: no\nno\n"},
    "no line": {"err": ""},
    "another line": {"err": "Traceback\n"},
    "a control character": {"err": "deepnet: error: \x1b[31m\n"},
    "output": {"out": "x"},
    "a file": {"file": "new"},
    "a file that was there": {"file": "old"},
    "memory": {"megabytes": 400},
    "time": {"loops": 4.1},
}


def test_a_good_refusal_passes(apart, tmp_path):
    check_refused(apart.call("tests.test_refusal:leave", folder=tmp_path), "no")


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_refusal_is_seen(name, apart, tmp_path):
    (tmp_path / "old").write_text("y")
    found = apart.call("tests.test_refusal:turn", WRONG[name], folder=tmp_path)
    with pytest.raises(AssertionError):
        check_refused(found)


def turn(facts):
    """`leave` with the facts of a table."""
    return leave(**facts)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
def test_a_stranger_that_is_opened_is_seen(tmp_path):
    (tmp_path / "secret").write_text("s")
    (tmp_path / "given").write_text("g")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "secret").write_text("s")
    server = Apart(strace=True)
    try:
        for path, seen in (("secret", True), ("given", False), ("/etc/hostname", False), ("sub/secret", True)):
            found = server.call("tests.test_refusal:turn", {"path": path}, folder=tmp_path, given=["given"])
            assert any(call.endswith(path) for call in found.opened) == seen, found
    finally:
        server.close()

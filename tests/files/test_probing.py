"""The child that looks at a file first: it dies for us, and leaves no trace."""

import faulthandler
import os
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from deepnet.errors import DataError, ModelError
from deepnet.files import probe, probing


@pytest.fixture
def hasty(monkeypatch):
    """No longer than a second of CPU."""
    monkeypatch.setattr(probing, "SECONDS", 1)


def loop():
    while True:
        pass


def told(walk):
    """What `walk()` gives in a child, as text."""
    inward, outward = os.pipe()
    probe(lambda: os.write(outward, str(walk()).encode()), 0, "a file")
    os.close(outward)
    with os.fdopen(inward) as stream:
        return stream.read()


def test_what_comes_through_is_let_through(tmp_path):
    probe(lambda: (tmp_path / "seen").write_text("x"), 100, "a file")
    assert (tmp_path / "seen").exists()


@pytest.mark.parametrize("problem", [ValueError("no"), OSError("no"), ModelError("no"), KeyboardInterrupt()])
def test_what_is_raised_is_left_to_the_real_read(problem):
    def walk():
        raise problem

    probe(walk, 100, "a file")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGKILL])
@pytest.mark.parametrize("error", [DataError, ModelError])
def test_a_crash_becomes_a_sentence(number, error, capfd):
    """Also where Python is to say on stderr what it was doing."""
    faulthandler.enable(2)
    with pytest.raises(error, match=rf"^a\.h5 is damaged .*crashes \({number.name}\)"):
        probe(lambda: os.kill(os.getpid(), number), 100, "a.h5", error)
    faulthandler.disable()
    assert capfd.readouterr() == ("", "")


def test_an_endless_loop_becomes_a_sentence(hasty):
    with pytest.raises(DataError, match="takes too long to read for a file of 100 bytes"):
        probe(loop, 100, "a.h5")


def test_a_wait_without_end_becomes_a_sentence(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE", -1)
    with pytest.raises(DataError, match="takes too long"):
        probe(lambda: time.sleep(60), 100, "a.h5")


def test_memory_without_end_becomes_a_sentence():
    def walk():
        held = []
        while True:
            held.append(bytearray(16 << 20))

    with pytest.raises(DataError, match="takes more memory to read than a file of 1,000 bytes may"):
        probe(walk, 1000, "a.h5")


def test_a_large_file_may_take_more():
    probe(lambda: bytearray(300 << 20), 200 << 20, "a.h5")
    with pytest.raises(DataError, match="more memory"):
        probe(lambda: bytearray(4 << 30), 1 << 20, "a.h5")  # more than may lie free in this process already


def children():
    """Numbers of this process's children, also of those that have ended and were not waited for."""
    return {int(n) for path in Path("/proc/self/task").glob("*/children") for n in path.read_text().split()}


def test_no_child_is_left():
    before = children()
    with pytest.raises(DataError):
        probe(lambda: os.kill(os.getpid(), signal.SIGSEGV), 0, "a.h5")
    probe(lambda: None, 0, "a.h5")
    assert children() == before


def test_the_child_leaves_no_core_and_lets_go_of_streams_and_signals():
    assert told(lambda: resource.getrlimit(resource.RLIMIT_CORE)[0]) in ("0", "1")
    assert told(lambda: [str(Path(f"/proc/self/fd/{n}").readlink()) for n in range(3)]) == str(["/dev/null"] * 3)
    assert told(lambda: [os.kill(os.getpid(), n) for n in (2, 15, 1)]) == "[None, None, None]"
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_nothing_of_the_parent_s_is_run_at_the_end(tmp_path):
    """No exit handler, no finalizer, no flush of what the parent has yet to write."""
    path = tmp_path / "log"
    with open(path, "w") as stream:
        stream.write("once\n")
        probe(lambda: None, 0, "a.h5")
    assert path.read_text() == "once\n"


def test_threads_do_no_harm():
    """Python 3.12 and later warn of a fork beside them, which would be an error here."""
    done = threading.Event()
    workers = [threading.Thread(target=done.wait) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        probe(lambda: None, 0, "a.h5")
        with pytest.raises(DataError):
            probe(lambda: os.kill(os.getpid(), signal.SIGSEGV), 0, "a.h5")
    finally:
        done.set()
        for worker in workers:
            worker.join()


def test_a_ctrl_c_meanwhile_ends_the_child_too(monkeypatch):
    def interrupt(number, options):
        raise KeyboardInterrupt

    before = children()
    monkeypatch.setattr(os, "waitpid", lambda *words: (monkeypatch.undo(), interrupt(*words)))
    with pytest.raises(KeyboardInterrupt):
        probe(loop, 0, "a.h5")
    assert children() == before


def test_without_a_child_nothing_is_done(monkeypatch):
    def fail():
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", fail)
    probe(loop, 0, "a.h5")
    monkeypatch.delattr(os, "fork")
    probe(loop, 0, "a.h5")


def test_where_children_are_not_waited_for():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        probe(lambda: None, 0, "a.h5")
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_limit_is_never_raised():
    """A user's own, as of `ulimit -v`, holds in the child too."""
    kept = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (1000, kept[1]))
    try:
        found = told(lambda: resource.getrlimit(resource.RLIMIT_CPU)[0])
        assert int(found) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, kept)

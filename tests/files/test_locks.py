"""One run to an output: who comes second is refused, who was killed holds nothing, and no two ever hold it at once."""

import errno
import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from deepnet import files
from deepnet.errors import OutputError
from deepnet.files import Disk, locks
from tests import forked

LOCK = ".net.h5.lock"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "net.h5")


def names(path):
    return [each.name for each in Path(path).parent.iterdir()]


@pytest.mark.promise("D6")
def test_the_second_is_refused_and_the_first_named(path):
    with files.hold(path):
        with pytest.raises(OutputError, match=rf"\(process {os.getpid()} on .*\); wait for its end or choose"):
            files.hold(path).__enter__()
        with files.hold(f"{path}.other"):
            pass
        assert names(path) == [LOCK]
    assert names(path) == []
    with files.hold(path):
        assert names(path) == [LOCK]


def test_it_is_given_back_whatever_happens(path):
    with pytest.raises(ZeroDivisionError), files.hold(path):
        raise ZeroDivisionError
    assert names(path) == []


@pytest.mark.promise("D6")
def test_a_lock_of_a_dead_process_stops_nobody(path):
    """Also where its file belongs to somebody else, who let nobody write it."""
    for content in (b"", b"process 1 on elsewhere\n" * 100):
        (Path(path).parent / LOCK).write_bytes(content)
        with files.hold(path):
            assert (Path(path).parent / LOCK).read_text() == f"process {os.getpid()} on {os.uname().nodename}\n"
    (Path(path).parent / LOCK).write_bytes(b"process 1 on elsewhere\n")
    first = []

    def others(name, flags, *mode):
        if not first and flags & os.O_RDWR:
            first.append(name)
            raise PermissionError(errno.EACCES, "permission denied")
        return os.open(name, flags, *mode)

    with files.hold(path, Disk(open=others)):
        assert str(os.getpid()) in (Path(path).parent / LOCK).read_text()
    assert first
    assert names(path) == []


@pytest.mark.promise("D6")
def test_a_lock_removed_between_open_and_flock_is_not_taken_for_one(path, monkeypatch):
    """Its last holder gives it back just then, and a third makes it anew: we must see that one's."""
    lock, third = Path(path).parent / LOCK, []

    def slow(name, flags, *mode):
        number = os.open(name, flags, *mode)
        if not third:
            os.unlink(name)
            third.append(os.open(name, os.O_RDWR | os.O_CREAT))
            fcntl.flock(third[0], fcntl.LOCK_EX)
            os.write(third[0], b"the third")
        return number

    with pytest.raises(OutputError, match=r"another run \(the third\)"):
        files.hold(path, Disk(open=slow)).__enter__()
    assert lock.read_text() == "the third"
    os.close(third.pop())
    # The planted fault: without the second look both hold it.
    monkeypatch.setattr(locks, "_still_at", lambda name, number: True)
    with files.hold(path, Disk(open=slow)):
        assert third
    os.close(third[0])


def _meanwhile(path, write):
    """Write `path`; once its bytes are on the disk another one writes half of its own and waits for the first to end.

    What is there then, and the other one's error, if any.
    """
    half, go, problems = threading.Event(), threading.Event(), []

    def halting(number, content):
        written = os.write(number, content[:500])
        half.set()
        go.wait(60)
        return written

    def other():
        try:
            write(path, b"2" * 1000, disk=Disk(write=halting))
        except OutputError as problem:
            problems.append(str(problem))
        half.set()

    thread = threading.Thread(target=other)

    def fsync(number):
        os.fsync(number)
        if thread.ident is None:
            thread.start()
            half.wait(60)

    write(path, b"1" * 1000, disk=Disk(fsync=fsync))
    found = Path(path).read_bytes()
    go.set()
    thread.join()
    return found, *problems


@pytest.mark.promise("D6")
def test_two_commands_with_one_output(path, promise):
    """Of predict, visualize, compare and export the second is refused and the file of the first is whole.

    The planted fault: without the lock, the first gave its name to what the second had written by then.
    """
    found, problem = _meanwhile(path, files.write_alone)
    assert found == b"1" * 1000
    assert f"is being written by another run (process {os.getpid()} on " in problem
    assert names(path) == ["net.h5"]
    assert _meanwhile(path, files.write_output)[0] == b"2" * 500
    promise("the second is refused; without the lock half a file had the name")


def test_file_systems_without_locks_do_not_stop_a_run(path, monkeypatch):
    def flock(number, how):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with files.hold(path), files.hold(path):
        pass
    assert names(path) == []


@pytest.mark.parametrize("call", ["open", "write"])
def test_a_disk_that_takes_no_lock_takes_no_model(call, path):
    def fail(*words, **more):
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OutputError, match=r"cannot write .*net\.h5: the disk is full"):
        files.hold(path, Disk(**{call: fail})).__enter__()
    assert names(path) == []


def _contend(path, seconds):
    """A child that takes the lock again and again and dies where another has it too."""
    taken, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with files.hold(path):
                os.close(os.open(f"{path}.inside", os.O_CREAT | os.O_EXCL))
                os.unlink(f"{path}.inside")
                taken += 1
        except OutputError:
            pass
    os._exit(0 if taken else 3)


@pytest.mark.promise("D6")
def test_many_at_once(path, size, promise):
    """Processes that take it and give it back without a pause: never two at once."""
    seconds = size(2, 60)
    children = [forked.SERVER.Process(target=_contend, args=(path, seconds)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(seconds + 120)
    assert [child.exitcode for child in children] == [0] * 4
    assert names(path) == []
    promise(f"4 processes for {seconds} s, never two at once")

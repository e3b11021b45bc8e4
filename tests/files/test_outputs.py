"""Promise D2: a failure or a kill at any call of a save leaves a checkpoint that loads, and one line."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deepnet import checkpoint, files
from deepnet.errors import OutputError
from tests.files.disks import Faulty, Killed
from tests.test_checkpoint import MAKE

ROOT = Path(__file__).parents[2]
FAULTS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES)
LINKLESS = {"link": errno.EPERM}
OLDER, OLD, NEW = range(3)


def state(number):
    made = MAKE.network()
    made.config["seed"] = number
    return made


@pytest.fixture
def path(tmp_path):
    """Where a file, the save before it and a temporary that a kill left are put by `reset`."""
    return str(tmp_path / "net.h5")


def names(path):
    return {each.name for each in Path(path).parent.iterdir()}


def reset(path):
    for name in names(path):
        os.unlink(os.path.join(os.path.dirname(path), name))
    checkpoint.save(path, state(OLDER))
    checkpoint.save(path, state(OLD), keep=True)
    Path(files.temporary(path)).write_bytes(b"half")


def seed(path):
    return checkpoint.load(path).config["seed"]


def trial(path, faulty, **more):
    """Save with a faulty disk; what was raised, or None."""
    reset(path)
    try:
        checkpoint.save(path, state(NEW), disk=faulty.disk, **{"keep": True} | more)
    except (OutputError, Killed) as problem:
        return problem
    return None


def test_the_calls_of_a_save_in_their_order(path):
    """The data are on the disk before they get the name, the name is before the save is acknowledged."""
    faulty = Faulty()
    assert trial(path, faulty) is None
    write = ["unlink", "open", "write", "fsync", "close"]
    assert faulty.calls == [*write, "unlink", "link", "rename", "open", "fsync", "close"]
    assert names(path) == {"net.h5", "net.h5.prev"}
    assert (seed(path), seed(files.previous(path))) == (NEW, OLD)
    assert os.stat(path).st_nlink == 1


@pytest.mark.promise("D2")
@pytest.mark.parametrize("never", [{}, LINKLESS], ids=["with links", "without links"])
def test_a_failure_at_each_call(never, path, promise):
    faulty = Faulty(never=never)
    assert trial(path, faulty) is None
    calls, done = faulty.calls, 0
    renamed = len(calls) - 1 - calls[::-1].index("rename")
    for at in range(len(calls)):
        for number in FAULTS:
            faulty = Faulty(at, number, never)
            problem = trial(path, faulty)
            assert isinstance(problem, OutputError), (at, number)
            assert str(problem).startswith("cannot write ")
            assert "net.h5" in str(problem)
            assert len(str(problem).splitlines()) == 1
            assert "fsync" not in faulty.calls[at + 1 :] or calls[at] != "fsync", "a failed fsync is not tried again"
            assert names(path) <= {"net.h5", "net.h5.prev"}, calls[at]
            found, _ = checkpoint.load_last(path)
            assert found.config["seed"] == (NEW if at > renamed else OLD), (at, calls[at])
            if not never:
                assert seed(path) == found.config["seed"]
            done += 1
    promise(f"{done} failures at {len(calls)} calls, the last good file loads")


@pytest.mark.promise("D2")
@pytest.mark.parametrize("never", [{}, LINKLESS], ids=["with links", "without links"])
def test_a_kill_before_each_call(never, path, promise):
    faulty = Faulty(never=never)
    trial(path, faulty)
    calls = faulty.calls
    for at in range(len(calls)):
        assert isinstance(trial(path, Faulty(at, None, never)), Killed)
        assert names(path) <= {"net.h5", "net.h5.prev", ".net.h5.tmp"}
        found, _ = checkpoint.load_last(path)
        assert found.config["seed"] in (OLD, NEW)
        checkpoint.save(path, state(NEW))
        files.tidy(path)
        assert names(path) == {"net.h5"}
        assert seed(path) == NEW
    promise(f"{len(calls)} kills, the last good file loads")


@pytest.mark.promise("D2")
def test_a_failure_while_the_save_before_is_put_back(path):
    for at in range(4):
        reset(path)
        Path(path).write_bytes(b"damaged")
        with pytest.raises(OutputError, match=r"cannot write .*net\.h5"):
            files.restore_previous(path, Faulty(at, errno.EIO).disk)
        found, warning = checkpoint.load_last(path)
        assert found.config["seed"] == OLDER
        assert (warning is None) == (at > 0)


def test_a_disk_that_does_nothing_any_more(path):
    """Where even the temporary cannot be removed, it is still one line."""
    problem = trial(path, Faulty(never=dict.fromkeys(["write", "unlink"], errno.EIO)))
    assert isinstance(problem, OutputError)
    assert seed(path) == OLD


def test_short_writes_go_on(tmp_path):
    sizes = []

    def short(number, data):
        sizes.append(len(data))
        return os.write(number, data[:7])

    files.write_output(tmp_path / "x", bytes(range(100)), disk=files.Disk(write=short))
    assert (tmp_path / "x").read_bytes() == bytes(range(100))
    assert len(sizes) == 15


def test_file_and_folder_are_flushed_in_order(tmp_path):
    calls = []

    def fsync(number):
        calls.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        os.fsync(number)

    def rename(*names):
        calls.append("rename")
        os.replace(*names)

    files.write_output(tmp_path / "x", b"data", disk=files.Disk(fsync=fsync, rename=rename))
    assert calls == ["file", "rename", "folder"]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_flushed_is_no_failure(number, tmp_path):
    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, "no")

    files.write_output(tmp_path / "x", b"data", disk=files.Disk(fsync=fsync))
    assert (tmp_path / "x").read_bytes() == b"data"


def test_names_beside_very_long_ones(tmp_path):
    for length in (244, 250, 251, 255):
        path = str(tmp_path / ("n" * length))
        for number in range(3):
            with files.hold(path):
                files.write_output(path, b"%d" % number, keep=number > 0)
        assert Path(files.previous(path)).read_bytes() == b"1"
        files.tidy(path)
        assert names(path) == {"n" * length}
        os.unlink(path)


def test_a_link_keeps_the_save_before_beside_the_file_it_names(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "link").symlink_to("deep/net.h5")
    for number in range(3):
        files.write_output(tmp_path / "link", b"%d" % number, keep=number > 0)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "deep" / "net.h5.prev").read_bytes() == b"1"


# The same with the kernel's own calls, where strace can make them fail.

SAVE = "import sys; from deepnet import checkpoint as c; c.save(sys.argv[1], c.load(sys.argv[2]), True)"
TRACED = {  # as `only` this: the calls that a name may stand for on this machine
    "open": "openat,open", "write": "write", "fsync": "fsync", "close": "close", "link": "link,linkat",
    "rename": "rename,renameat,renameat2", "unlink": "unlink,unlinkat",
}  # fmt: skip


def traced(path, new, call, fault, when, report):
    """(exit code, whether the fault came) of a process that saves under strace."""
    mine = [path, files.previous(path), files.temporary(path), os.path.dirname(path)]
    how = "signal=KILL" if fault is None else f"error={errno.errorcode[fault]}"
    done = subprocess.run(
        ["strace", "-f", "-o", report, *(word for name in mine for word in ("-P", name)), "-e", f"trace={TRACED[call]}",
         "-e", f"inject={TRACED[call]}:{how}:when={when}", sys.executable, "-c", SAVE, path, new],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    lines = Path(report).read_text()
    return done.returncode, done.stderr, "INJECTED" in lines or "killed by SIGKILL" in lines


def _strace_works():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.promise("D2")
@pytest.mark.parametrize("call", TRACED)
def test_faults_of_the_kernel(call, path, tmp_path_factory, size, promise):
    if not _strace_works():
        pytest.skip("no strace that may trace here; test_a_failure_at_each_call has the faults in Python")
    place = tmp_path_factory.mktemp("other")
    new, report = str(place / "new.h5"), str(place / "report")
    checkpoint.save(new, state(NEW))
    count = 0
    for fault in size((errno.EIO, None), (*FAULTS, None)):
        for when in range(1, size(2, 20)):
            reset(path)
            code, err, came = traced(path, new, call, fault, when, report)
            if not came:
                assert (code, err) == (0, "")
                break
            count += 1
            assert code != 0
            left = {".net.h5.tmp"} if fault is None else set()
            assert names(path) <= {"net.h5", "net.h5.prev"} | left
            assert fault is None or "OutputError: cannot write" in err
            assert seed(path) in (OLD, NEW)
            assert seed(files.previous(path)) in (OLDER, OLD) if os.path.exists(files.previous(path)) else True
    assert count
    promise(f"{count} faults of {call} by strace, the last good file loads")

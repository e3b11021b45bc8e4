"""Promise H1: what cannot be done is refused in one line, soon, in little memory, and nothing is written.

A server, `python -m tests.refusal`, imports deepnet and runs no kernel; each case is a child that it forks. So a case
costs milliseconds instead of a start, a signal or a leak ends the child alone, and the server has no threads that a
fork would leave behind. Under `--torture` it runs below strace, where there is one, and what a child opens is looked
at as well.
"""

import contextlib
import importlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from deepnet.files.outputs import beside
from deepnet.kernels.jit import CACHE

ROOT = Path(__file__).parents[1]
MAIN = "deepnet.__main__:main"
MOST_SECONDS = 4  # of CPU: 5 less the start that a child is spared
MOST_MEMORY = 400 << 20
MOST_CPU = 20  # seconds, after which a child that works is ended
PATIENCE = 120  # seconds by the clock, after which one that sleeps is
SPARE_MEMORY = 4 << 30  # address space beyond the server's, lest a fault takes the machine with it
CODES = range(2, 7)


@dataclass(frozen=True)
class Outcome:
    """What a child left: exit code (below 0: signal), streams, peak bytes, CPU seconds, changed and opened files."""

    code: int
    out: str
    err: str
    memory: int
    seconds: float
    written: tuple[str, ...]
    opened: tuple[str, ...] = ()


def check_refused(found, says="", codes=CODES):
    """Assert H1 of an outcome, and that its line holds the words `says`; the line."""
    assert found.code in codes, found
    assert found.err.startswith("deepnet: error: "), found
    assert found.err.endswith("\n"), found
    assert found.err.count("\n") == 1, found
    assert found.err[:-1].isprintable(), found
    assert len(found.err) < 1000, found
    assert says in found.err, found
    assert found.out == "", found
    assert found.written == (), found
    assert found.opened == (), found
    assert found.seconds <= MOST_SECONDS, found
    assert found.memory <= MOST_MEMORY, found
    return found.err


def told(found):
    """The figure of one bad input in some commands, and the rank by which the worst of all inputs is shown."""
    seconds = max(one.seconds for one in found)
    return f"{len(found)} of {len(found)} commands refuse it in one line, {seconds:.1f} s", seconds


class Apart:
    """The server of children; `apart(words, folder)` runs the command line in one, in this folder."""

    def __init__(self, strace=False):
        """Start the server, below strace where that is wanted and there."""
        self._spare = tempfile.TemporaryDirectory(prefix="apart-")
        self._place = Path(self._spare.name)
        self.traced = strace and shutil.which("strace") is not None
        tracer = ["strace", "-ff", "--seccomp-bpf", "-q", "-s", "0", "-e", f"trace={','.join(CALLS)}",
                  "-e", "signal=none", "-o", str(self._place / "trace")] if self.traced else []  # fmt: skip
        self._server = subprocess.Popen(
            [*tracer, sys.executable, "-W", "error", "-m", "tests.refusal"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pid = self._reply()

    def __call__(self, words, folder, **settings):
        """The outcome of a command line; `environment` {name: text or None}, `stdin` bytes, `limits` {name: number}."""
        return self.call(MAIN, [str(word) for word in words], folder=folder, given=words, **settings)

    def call(self, function, *arguments, folder, given=(), environment=(), stdin=b"", limits=()):
        """The outcome of `module:function` of JSON values; a whole number that it returns is the exit code."""
        before = state(folder)
        (self._place / "in").write_bytes(stdin)
        request = {
            "function": function,
            "arguments": arguments,
            "folder": str(folder),
            "environment": {"TMPDIR": str(folder), **dict(environment)},
            "streams": [str(self._place / name) for name in ("in", "out", "err")],
            "limits": dict(limits),
        }
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        status, memory, seconds = self._reply()
        after = state(folder)
        out, err = ((self._place / name).read_bytes().decode("utf-8", "backslashreplace") for name in ("out", "err"))
        written = tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))
        opened = self._strange(folder, given) if self.traced else ()
        return Outcome(os.waitstatus_to_exitcode(status), out, err, memory, seconds, written, opened)

    def _reply(self):
        line = self._server.stdout.readline()
        assert line, "the server of children has ended"
        return json.loads(line)

    def _strange(self, folder, given):
        """Opened files of the last child that are neither given nor the program's own."""
        found = []
        for path in self._place.glob("trace.*"):
            if path.name != f"trace.{self._pid}":
                found += _strange(_whole(path), Path(folder), given, self._place)
                path.unlink()
        return tuple(found)

    def close(self):
        """End the server."""
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()
        self._spare.cleanup()


def state(folder):
    """{path: what tells whether it was touched} of all that lies in a folder; nothing is read."""
    found = {}
    for path in Path(folder).rglob("*"):
        facts = path.lstat()
        when = None if path.is_dir() else facts.st_mtime_ns  # a folder's changes with what lies in it
        found[str(path.relative_to(folder))] = (facts.st_ino, facts.st_mode, facts.st_size if when else 0, when)
    return found


# What strace tells. Reading is free in what belongs to the system and to Python; in all else only what was named.
CALLS = ("open", "openat", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat",
         "link", "linkat", "symlink", "symlinkat", "truncate", "connect")  # fmt: skip
_CALL = re.compile(r'^(\w+)\((?:AT_FDCWD, |\d+, )?"((?:[^"\\]|\\.)*)"(.*)$')
_OWN = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/null", "/dev/urandom", "/bin/")
_FREE = ("/dev/null", "/dev/shm/sem.")  # written by C libraries; nothing stays there


def _whole(path):
    """The lines that strace wrote of one process, once it has written the last."""
    end = time.monotonic() + 5
    while "+++" not in (text := path.read_text(errors="replace")) and time.monotonic() < end:
        time.sleep(0.01)
    return text.splitlines()


def _strange(lines, folder, given, streams):
    """The calls, as `name path`, that touch what they should not."""
    words = [word for text in map(str, given) for word in (text, text.rpartition(":")[0]) if word and "\0" not in word]
    allowed = {os.path.realpath(os.path.join(folder, word)) for word in words}
    # Made and removed, which `state` would see otherwise: the lock of an output, and what streams into it.
    passing = {beside(path, ".", end) for path in allowed for end in (".lock", ".tmp")}
    own = (
        *_OWN,
        *(f"{ROOT}/{name}/" for name in ("deepnet", "datasets", "tests")),
        *{f"{os.path.realpath(p)}/" for p in _prefixes()},
        f"{CACHE}/",
    )
    searched = {os.path.realpath(p) for p in sys.path}  # an import lists the folders that it looks in
    found = []
    for line in lines:
        call = _CALL.match(line)
        if call is None or "ENOENT" in call[3]:
            continue
        name, path, rest = call[1], call[2].encode().decode("unicode_escape").encode("latin-1"), call[3]
        path = os.path.realpath(os.path.join(os.fsencode(folder), path)).decode("utf-8", "surrogateescape")
        writes = not name.startswith("open") or any(flag in rest for flag in ("O_WRONLY", "O_RDWR", "O_CREAT"))
        fine = path in passing or path.startswith((*_FREE, str(streams)))
        known = path in allowed or path in searched or _beside(path, allowed) or f"{path}/".startswith(own)
        if not fine and (writes or not known):
            found.append(f"{name} {path}")
    return found


def _prefixes():
    """Folders of the interpreter and of its packages."""
    return {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(sys.executable), os.path.dirname(os.__file__)}


def _beside(path, allowed):
    """Whether this is the folder that a given path lies in (for near names), or a part of IDX data named by prefix."""
    return any(path == os.path.dirname(word) or path.startswith(word) for word in allowed)


def _serve():
    """Fork a child for each line of standard input; what became of it is a line of the answer."""
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"
    for name in ("deepnet.cli.run", "deepnet.workflows", "deepnet.figures"):
        importlib.import_module(name)
    answers = os.dup(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def answer(*facts):
        os.write(answers, json.dumps(facts if len(facts) > 1 else facts[0]).encode() + b"\n")

    answer(os.getpid())
    # A child does not have the pages of libraries that the server has read, a process of its own would. (The server's
    # ru_maxrss would count what the test process had when it forked.)
    libraries = 1024 * max(0, _peak() - _child(lambda: 0)[1].ru_maxrss)
    for line in sys.stdin:
        request = json.loads(line)
        status, used = _child(lambda request=request: _case(**request))
        answer(status, 1024 * used.ru_maxrss + libraries, used.ru_utime + used.ru_stime)


def _peak():
    """Most kilobytes that this program has had in memory at once."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


def _child(function):
    """(wait status, resource usage) of a child that ends with what the function returns."""
    number = os.fork()
    if number == 0:
        code = 1
        try:
            code = function()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)
    return os.wait4(number, 0)[1:]


def _case(function, arguments, folder, environment, streams, limits):
    """Put the surrounding in place and call the function."""
    signal.alarm(PATIENCE)
    for number, path in enumerate(streams):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (open(n, mode, encoding="utf-8", closefd=False) for n, mode in enumerate("rww"))
    os.chdir(folder)
    for name, text in environment.items():
        os.environ.pop(name, None)
        if text is not None:
            os.environ[name] = text
    tempfile.tempdir = None
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    usual = {"AS": pages * os.sysconf("SC_PAGE_SIZE") + SPARE_MEMORY, "CPU": MOST_CPU, "CORE": 0}
    for name, number in (usual | limits).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))
    module, name = function.split(":")
    return getattr(importlib.import_module(module), name)(*arguments)


if __name__ == "__main__":
    _serve()

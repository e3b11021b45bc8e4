"""Disks for tests of the writer: one that fails or stops at a call, and one that loses its power.

`Lossy` holds files in memory and knows of each what a power cut may leave: of bytes that no fsync has seen any prefix,
or zeros; of names that no fsync of their folder has seen any subset of the changes. A rename is one change.
"""

import errno
import itertools
import os
from dataclasses import dataclass, field

from deepnet.files import DISK, Disk

CALLS = tuple(vars(DISK))


class Killed(BaseException):
    """Nothing is done any more, as after SIGKILL."""


class Faulty:
    """The real disk with a fault at the call number `at` (from 0): an error number, or None for a kill before it.

    `calls` are the names of all calls made; those in `never` always fail, with the number given there.
    """

    def __init__(self, at=None, fault=None, never=()):
        self.at, self.fault, self.never = at, fault, dict(never)
        self.calls, self.dead = [], False
        self.disk = Disk(**{name: self._through(name, call) for name, call in vars(DISK).items()})

    def _through(self, name, call):
        def made(*words, **more):
            if self.dead:
                raise Killed
            self.calls.append(name)
            if len(self.calls) - 1 == self.at:
                if self.fault is None:
                    self.dead = True
                    raise Killed
                if name == "close":
                    call(*words, **more)  # the descriptor is gone, whatever close says
                raise OSError(self.fault, os.strerror(self.fault))
            if name in self.never:
                raise OSError(self.never[name], os.strerror(self.never[name]))
            return call(*words, **more)

        return made


@dataclass
class File:
    """What a file holds, and how much of that is on the disk for sure."""

    content: bytes = b""
    synced: bytes = b""

    def left(self):
        """All contents that a power cut may leave: lengths in between stand for all lengths."""
        if self.content == self.synced:
            return {self.content}
        pairs = enumerate(zip(self.content, self.synced, strict=False))
        shared = next((n for n, (a, b) in pairs if a != b), min(len(self.content), len(self.synced)))
        new = self.content[shared:]
        cuts = {n for n in (0, 1, len(new) // 2, len(new) - 1, len(new)) if 0 <= n <= len(new)}
        kept = self.content[:shared]
        found = {self.synced, *(kept + new[:n] for n in cuts), *(kept + bytes(n) for n in cuts)}
        return found | {kept + new[:n] + bytes(len(new) - n) for n in cuts}


@dataclass
class Lossy:
    """A disk in memory of one folder; `seen` is called after each change with the disk as it is."""

    seen: object = lambda disk: None
    durable: dict = field(default_factory=dict)  # name -> file, as the folder is on the disk for sure
    names: dict = field(default_factory=dict)  # name -> file, as programs see it
    pending: list = field(default_factory=list)  # changes since the folder was flushed, {name: file or None}
    opened: dict = field(default_factory=dict)  # descriptor -> file, or None for the folder
    linkless: bool = False
    numbers: object = field(default_factory=lambda: itertools.count(100))

    @property
    def disk(self):
        """The calls of the writer."""
        return Disk(**{name: getattr(self, name) for name in CALLS})

    def states(self):
        """{name: content} of every folder that a power cut could leave now; what hidden names hold is left out."""
        found = set()
        for chosen in itertools.product((False, True), repeat=len(self.pending)):
            names = dict(self.durable)
            for change in itertools.compress(self.pending, chosen):
                names |= change
            hidden = {name: b"" for name, file in names.items() if file is not None and name.startswith(".")}
            files = {name: file for name, file in names.items() if file is not None and name not in hidden}
            distinct = list({id(file): file for file in files.values()}.values())
            for contents in itertools.product(*(sorted(file.left()) for file in distinct)):
                of = {id(file): content for file, content in zip(distinct, contents, strict=True)}
                found.add(tuple(sorted((hidden | {name: of[id(file)] for name, file in files.items()}).items())))
        return [dict(state) for state in found]

    def _change(self, change):
        self.pending.append(change)
        self.names |= change
        self.names = {name: file for name, file in self.names.items() if file is not None}
        self.seen(self)

    def _find(self, path):
        try:
            return self.names[os.path.basename(path)]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def open(self, path, flags, mode=0o777):
        number = next(self.numbers)
        if flags & os.O_DIRECTORY:
            self.opened[number] = None
            return number
        name = os.path.basename(path)
        if name in self.names and flags & os.O_EXCL:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        if name not in self.names and flags & os.O_CREAT:
            self._change({name: File()})
        self.opened[number] = self._find(path)
        if flags & os.O_TRUNC:
            self.opened[number].content = b""
            self.seen(self)
        return number

    def write(self, number, data):
        some = bytes(data[: max(1, len(data) // 2)])  # a short write, of which there may always be one
        self.opened[number].content += some
        self.seen(self)
        return len(some)

    def fsync(self, number):
        file = self.opened[number]
        if file is None:
            self.durable, self.pending = dict(self.names), []
        else:
            file.synced = file.content
        self.seen(self)

    def close(self, number):
        del self.opened[number]

    def link(self, path, other):
        if self.linkless:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), other)
        self._change({os.path.basename(other): self._find(path)})

    def rename(self, path, other):
        self._change({os.path.basename(other): self._find(path), os.path.basename(path): None})

    def unlink(self, path):
        self._find(path)
        self._change({os.path.basename(path): None})

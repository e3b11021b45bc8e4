"""Promise D3: whatever a power cut leaves, there is a valid checkpoint, no older than the last that was acknowledged.

The writer saves to a disk in memory; after each of its calls every state that a crash could leave is looked at by the
reader that `--resume` uses. Writers with the faults of real programs are caught.
"""

import os
from pathlib import Path

import pytest

from deepnet import checkpoint, files
from deepnet.errors import ModelError
from tests.files.disks import Lossy
from tests.test_checkpoint import MAKE

PATH = "/nowhere/net.h5"
NAMES = {"net.h5", "net.h5.prev", ".net.h5.tmp"}


def saves(count):
    """Checkpoints that differ, in their order."""
    made = [MAKE.network() for _ in range(count)]
    for i, each in enumerate(made):
        each.config["seed"] = i
    return made


class Reader:
    """What `--resume` takes of a crashed folder; each pair of files is looked at once."""

    def __init__(self, folder):
        self.path, self.known = str(folder / "net.h5"), {}

    def __call__(self, state):
        """(number of the save, warning, whether the file itself is whole); number None where nothing can be read."""
        pair = state.get("net.h5"), state.get("net.h5.prev")
        if pair not in self.known:
            for content, path in zip(pair, (self.path, f"{self.path}.prev"), strict=True):
                Path(path).unlink(missing_ok=True)
                if content is not None:
                    Path(path).write_bytes(content)
            try:
                found, warning = checkpoint.load_last(self.path)
                number = found.config["seed"]
            except ModelError:
                number = warning = None
            self.known[pair] = number, warning, checkpoint.is_whole(self.path)
        return self.known[pair]


class Watch:
    """The states seen and the faults found while a writer saves to a disk."""

    def __init__(self, reader, **disk):
        self.reader, self.acknowledged, self.calls, self.faults = reader, None, 0, []
        self.states, self.lossy = {}, Lossy(seen=self.look, **disk)

    def look(self, lossy):
        """Look at all that a power cut could leave now."""
        self.calls += 1
        for state in lossy.states():
            self.states[tuple(sorted(state.items()))] = self.acknowledged
            number, _, _ = self.reader(state)
            begun = self.acknowledged is not None or "net.h5" in state
            if begun and number is None:
                self.faults.append(f"call {self.calls}: nothing can be read")
            elif self.acknowledged is not None and number < self.acknowledged:
                self.faults.append(f"call {self.calls}: save {self.acknowledged} was acknowledged, {number} is left")
            if not set(state) <= NAMES:
                self.faults.append(f"call {self.calls}: {sorted(state)} are left")

    def run(self, writer, made, first=0):
        """Save from number `first` on; each that returns is acknowledged."""
        for i in range(first, len(made)):
            writer(self.lossy.disk, made[i], i, i + 1 == len(made))
            self.acknowledged = i
            self.look(self.lossy)
        return self


def ours(disk, state, number, last):
    """As `runs.Saver` does."""
    checkpoint.save(PATH, state, keep=number > 0 and not last, disk=disk)
    if last:
        files.tidy(PATH, disk)


def body(state):
    return (content := checkpoint.encode(state)) + checkpoint.seal(content)


def write_all(disk, name, data, flags=os.O_CREAT | os.O_TRUNC):
    """Open and write, and leave it open."""
    number = disk.open(name, os.O_WRONLY | flags)
    while data:
        data = data[disk.write(number, data) :]
    return number


def flush_folder(disk):
    number = disk.open("/nowhere", os.O_RDONLY | os.O_DIRECTORY)
    disk.fsync(number)
    disk.close(number)


TEMP = "/nowhere/.net.h5.tmp"


def in_place(disk, state, number, last):
    file = write_all(disk, PATH, body(state))
    disk.fsync(file)
    flush_folder(disk)


def without_fsync_of_the_file(disk, state, number, last):
    disk.close(write_all(disk, TEMP, body(state)))
    disk.rename(TEMP, PATH)
    flush_folder(disk)


def without_fsync_of_the_folder(disk, state, number, last):
    file = write_all(disk, TEMP, body(state))
    disk.fsync(file)
    disk.rename(TEMP, PATH)


def renamed_before_it_is_written(disk, state, number, last):
    file = disk.open(TEMP, os.O_WRONLY | os.O_CREAT)
    disk.rename(TEMP, PATH)
    data = body(state)
    while data:
        data = data[disk.write(file, data) :]
    disk.fsync(file)
    flush_folder(disk)


def unlinked_before_the_rename(disk, state, number, last):
    file = write_all(disk, TEMP, body(state))
    disk.fsync(file)
    if number:
        disk.unlink(PATH)
    disk.rename(TEMP, PATH)
    flush_folder(disk)


def flushed_after_the_rename(disk, state, number, last):
    file = write_all(disk, TEMP, body(state))
    disk.rename(TEMP, PATH)
    disk.fsync(file)
    flush_folder(disk)


def kept_and_then_written_in_place(disk, state, number, last):
    """The second name is the same file."""
    if number:
        if number > 1:
            disk.unlink(f"{PATH}.prev")
        disk.link(PATH, f"{PATH}.prev")
    file = write_all(disk, PATH, body(state))
    disk.fsync(file)
    flush_folder(disk)


def kept_without_the_file_before(disk, state, number, last):
    """The only copy is moved away and removed before the new one has its name for sure."""
    file = write_all(disk, TEMP, body(state))
    disk.fsync(file)
    if number:
        disk.rename(PATH, f"{PATH}.prev")
    disk.rename(TEMP, PATH)
    if number:
        disk.unlink(f"{PATH}.prev")
    flush_folder(disk)


BAD = [
    in_place,
    without_fsync_of_the_file,
    without_fsync_of_the_folder,
    renamed_before_it_is_written,
    unlinked_before_the_rename,
    flushed_after_the_rename,
    kept_and_then_written_in_place,
    kept_without_the_file_before,
]


@pytest.mark.promise("D3")
@pytest.mark.parametrize("linkless", [False, True], ids=["with links", "without links"])
def test_a_power_cut_at_any_call(linkless, tmp_path, size, promise):
    watch = Watch(Reader(tmp_path), linkless=linkless).run(ours, saves(size(3, 11)))
    assert not watch.faults
    assert set(watch.lossy.names) == {"net.h5"}
    if not linkless:
        assert all(watch.reader(dict(state))[2] for state in watch.states if "net.h5" in dict(state))
        assert all("net.h5" in dict(state) for state, acknowledged in watch.states.items() if acknowledged is not None)
    promise(f"{len(watch.states)} states after {watch.calls} calls, each with a valid checkpoint")


@pytest.mark.promise("D3")
def test_a_power_cut_while_it_goes_on_after_a_power_cut(tmp_path, size, promise):
    made, reader = saves(size(3, 6)), Reader(tmp_path)
    first = Watch(reader).run(ours, made)
    looked = 0
    for state in map(dict, first.states):
        number, warning, whole = reader(state)
        again = Watch(reader)
        again.lossy.durable = {name: _file(content) for name, content in state.items()}
        again.lossy.names, again.acknowledged = dict(again.lossy.durable), number
        if warning is not None:
            files.restore_previous(PATH, again.lossy.disk)

        def onwards(disk, save, i, last, whole=whole or warning is not None, begin=number):
            keep = not last and (whole if i == (begin or -1) + 1 else i > 0)
            checkpoint.save(PATH, save, keep=keep, disk=disk)
            if last:
                files.tidy(PATH, disk)

        again.run(onwards, made, first=0 if number is None else number + 1)
        assert not again.faults
        looked += len(again.states)
    promise(f"{looked} states after restarts from {len(first.states)}")


@pytest.mark.promise("D3")
@pytest.mark.parametrize("writer", BAD, ids=lambda writer: writer.__name__)
def test_a_bad_writer_is_caught(writer, tmp_path, promise):
    assert Watch(Reader(tmp_path)).run(writer, saves(3)).faults
    promise(f"caught: {writer.__name__.replace('_', ' ')}")


@pytest.mark.promise("D3")
def test_a_damaged_file_is_put_right_without_a_gap(tmp_path):
    """NAME damaged by a hand or a disk, the save before it whole: at no call of putting it back is there neither."""
    made, reader = saves(2), Reader(tmp_path)
    watch = Watch(reader)
    good = body(made[0])
    watch.lossy.durable = {"net.h5": _file(body(made[1])[:-100]), "net.h5.prev": _file(good)}
    watch.lossy.names, watch.acknowledged = dict(watch.lossy.durable), 0
    files.restore_previous(PATH, watch.lossy.disk)
    assert not watch.faults
    assert {name: file.content for name, file in watch.lossy.durable.items()} == {"net.h5": good}


def _file(content):
    from tests.files.disks import File

    return File(content, content)

"""Nothing is lost: runs that are killed at any time, damaged files, full disks, two runs at one output; what it costs.

Runs are children of one process that has deepnet imported, see `tests.forked`.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, data, files, workflows
from deepnet.checkpoint import Checkpoint
from deepnet.workflows import runs
from tests import forked

ROOT = Path(__file__).parents[1]
ALWAYS = [("deepnet.workflows.runs", "BETWEEN_SAVES", 0.0)]  # a save after each epoch
BLIND = [*ALWAYS, ("deepnet.files", "check_disk", forked.nothing)]  # and nothing foretold of the disk
PRETRAIN = ["pretrain", "--layers", "40,30", "--epochs", "6"]
FINETUNE = ["finetune", "--layers", "40,30", "--epochs", "12"]
COMMON = ["--batch-size", "20", "--threads", "1", "-q"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """400 digits as an NPZ file."""
    cases = data.load("mnist", task="classify").splits["train"]
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, x=cases.inputs[:400].reshape(-1, 28, 28), y=cases.targets[:400].astype(np.uint8))
    return str(path)


def line(command, digits, *more):
    """The words of a training to net.h5."""
    return [command[0], digits, *command[1:], *COMMON, "-o", "net.h5", *more]


def names(folder):
    return {path.name for path in folder.iterdir()}


def make(folder):
    folder.mkdir()
    return folder


def fine(words, folder, **more):
    """Run to the end; its stdout."""
    code, out, err = forked.finish(words, folder, **more)
    assert code == 0, err
    assert "Traceback" not in err
    return out


def epochs_in(path):
    """Epochs that a file holds, over all stages."""
    history = checkpoint.load(str(path)).history
    return sum(len(part["updates"]) for part in history.values())


def acknowledged(log):
    """Epochs that were over when the log told of its last checkpoint."""
    if not log.exists():
        return 0
    events = []
    for text in log.read_text().splitlines():
        try:
            events.append(json.loads(text)["event"])
        except ValueError:
            break  # the line that the kill cut
    last = max((i for i, event in enumerate(events) if event == "checkpoint"), default=0)
    return events[:last].count("epoch")


# D1: kill -9 at random times.


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """What uninterrupted runs leave, and the seconds they take: {command: (bytes, seconds)}."""
    found = {}
    for command in (PRETRAIN, FINETUNE):
        folder = tmp_path_factory.mktemp(command[0])
        for _ in range(2):  # the first one may compile kernels
            began = time.monotonic()
            fine(line(command, digits, "--force"), folder, patches=ALWAYS)
            seconds = time.monotonic() - began
        found[command[0]] = (folder / "net.h5").read_bytes(), seconds
    return found


def killed(words, folder, seconds):
    """Begin, kill after so many seconds; whether it was still at work."""
    process = forked.start(words, folder, patches=ALWAYS)
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -9), forked.streams(folder)
    return process.exitcode == -9


def check_survivor(folder, before=0):
    """What a kill may leave, and that every acknowledged epoch is there."""
    assert names(folder) <= {"net.h5", "net.h5.prev", ".net.h5.tmp", ".net.h5.lock", "log.jsonl"}
    done = before + acknowledged(folder / "log.jsonl")
    if done or (folder / "net.h5").exists():
        assert epochs_in(folder / "net.h5") >= done
    if (folder / "net.h5.prev").exists():
        assert checkpoint.is_whole(str(folder / "net.h5.prev"))


@pytest.mark.slow
@pytest.mark.promise("D1")
@pytest.mark.parametrize("kind", ["pretrain", "finetune", "resume"])
def test_kill_at_random_times(kind, digits, whole, tmp_path, size, promise):
    """Whatever was acknowledged is there; the next start removes what is left and ends with the same bits."""
    command = FINETUNE if kind == "finetune" else PRETRAIN
    bits, seconds = whole[command[0]]
    draw, hits, temporaries = random.Random(kind), 0, 0
    trials = size(10, 200)
    for trial in range(trials):
        folder, before = make(tmp_path / f"{trial}"), 0
        if kind == "resume":
            while killed(line(command, digits), folder, draw.uniform(0.2, 0.7) * seconds) is False:
                shutil.rmtree(folder)
                folder.mkdir()
            before = epochs_in(folder / "net.h5") if (folder / "net.h5").exists() else 0
        words = line(command, digits, "--log", "log.jsonl", "--resume")
        moment = draw.uniform(0, 1) * seconds
        if killed(words, folder, moment):
            hits += 1
        else:  # it takes less than it took when it was timed
            seconds = moment
        temporaries += (folder / ".net.h5.tmp").exists()
        check_survivor(folder, before)
        fine(line(command, digits, "--resume"), folder, patches=ALWAYS)
        assert (folder / "net.h5").read_bytes() == bits
        assert names(folder) <= {"net.h5", "log.jsonl"}
        shutil.rmtree(folder)
    assert hits > trials / 2
    promise(f"{kind}: 0 of {trials} lost; {hits} killed at work, {temporaries} within a save")


@pytest.mark.promise("D1")
@pytest.mark.parametrize("call", ["write", "rename"])
def test_a_kill_within_a_save(call, digits, whole, tmp_path):
    """Stopped for good where the fourth save has made its temporary, or has written it."""
    killed_within(call, 3, line(PRETRAIN, digits), tmp_path)
    assert names(tmp_path) == {"net.h5", "net.h5.prev", ".net.h5.tmp", ".net.h5.lock"}
    assert epochs_in(tmp_path / "net.h5") == 3
    fine(line(PRETRAIN, digits, "--resume"), tmp_path, patches=ALWAYS)
    assert names(tmp_path) == {"net.h5"}
    assert (tmp_path / "net.h5").read_bytes() == whole["pretrain"][0]


def killed_within(call, number, words, folder):
    """A run that a kill ends at its call of this name and number (from 0)."""
    process = forked.SERVER.Process(target=_until, args=(call, number, words, str(folder)))
    process.start()
    process.join(120)
    assert process.exitcode == -9


def _until(call, number, words, folder):
    """The child of `killed_within`."""
    real, left, save = getattr(files.DISK, call), [number], checkpoint.save

    def mortal(*given):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*given)

    disk = replace(files.DISK, **{call: mortal})
    checkpoint.save = lambda path, state, keep=False: save(path, state, keep, disk)
    forked.run(words, folder, (), ALWAYS)


# NAME.prev: a damaged or missing file.


@pytest.fixture
def cut(digits, tmp_path):
    """A folder with a run that was killed: net.h5, the save before it, a temporary and a lock."""
    folder = make(tmp_path / "cut")
    killed_within("write", 3, line(PRETRAIN, digits), folder)
    return folder


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.promise("D1")
@pytest.mark.parametrize("how", ["a flipped bit", "cut short", "empty", "gone"])
def test_resume_falls_back_with_a_warning(how, cut, digits, whole):
    path = cut / "net.h5"
    if how == "a flipped bit":
        damage(path)
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 5000 * (how == "cut short")])
    words = [word for word in line(PRETRAIN, digits, "--resume", "--log", "log.jsonl") if word != "-q"]
    code, _, err = forked.finish(words, cut, patches=ALWAYS)
    assert code == 0, err
    said = f"net.h5 is {'gone' if how == 'gone' else 'damaged'}: the run goes on from net.h5.prev, the save before it"
    assert err.count(f"deepnet: warning: {said}") == 1
    events = [json.loads(text) for text in (cut / "log.jsonl").read_text().splitlines()]
    assert [event["text"] for event in events if event["event"] == "warning"] == [said]
    assert path.read_bytes() == whole["pretrain"][0]
    assert names(cut) == {"net.h5", "log.jsonl"}


def test_other_commands_refuse_a_damaged_file_and_tell_the_way_out(cut, digits):
    damage(cut / "net.h5")
    before = {path.name: path.read_bytes() for path in cut.iterdir()}
    for words in (
        ["evaluate", "net.h5", digits],
        ["inspect", "net.h5"],
        ["predict", "net.h5", digits],
        ["visualize", "net.h5", "-o", "p/"],
        ["finetune", digits, "--from", "net.h5", "-o", "o.h5"],
    ):
        code, out, err = forked.finish(words, cut)
        assert (code, out, err.count("\n")) == (4, "", 1)
        assert "net.h5 is damaged" in err
        assert "net.h5.prev is the save before it, from which the run goes on with --resume" in err
    assert {path.name: path.read_bytes() for path in cut.iterdir()} == before


def test_where_both_are_damaged(cut, digits):
    damage(cut / "net.h5")
    damage(cut / "net.h5.prev")
    code, _, err = forked.finish(line(PRETRAIN, digits, "--resume"), cut)
    assert (code, err.count("\n")) == (4, 1)
    assert "net.h5 is damaged and net.h5.prev is damaged; use --force" in err


def test_what_is_left_of_a_run_is_not_overwritten_unasked(cut, digits):
    (cut / "net.h5").unlink()
    code, _, err = forked.finish(line(PRETRAIN, digits), cut)
    assert (code, err.count("\n")) == (2, 1)
    assert "net.h5.prev" in err
    assert "--resume" in err
    words = ["finetune", digits, "--from", "net.h5.prev", *COMMON, "-o", "net.h5", "--force"]
    code, _, err = forked.finish(words, cut)
    assert code == 2
    assert "is an input" in err
    other = line(["pretrain", "--layers", "40", "--epochs", "1"], digits, "--resume")
    code, _, err = forked.finish(other, cut)
    assert code == 2
    assert "made otherwise" in err
    assert (cut / "net.h5.prev").exists()
    assert not (cut / "net.h5").exists(), "a refused run has put nothing back"
    fine(line(PRETRAIN, digits, "--force"), cut)
    assert names(cut) == {"net.h5"}


def test_an_interrupted_run_keeps_the_save_before(digits, tmp_path, monkeypatch):
    """It is not finished: it leaves net.h5 and the save before it, no lock and no temporary."""
    monkeypatch.setattr(runs, "BETWEEN_SAVES", 0.0)
    path, left = str(tmp_path / "net.h5"), [0]

    def stop():
        left[0] -= 1
        return "interrupted" if left[0] < 0 else None

    def go(minibatches):
        left[0] = minibatches
        words = {"layers": (20,), "epochs": (3,), "batch_size": (100,), "stop": stop, "resume": True}
        return list(workflows.pretrain(digits, path, **words))[-1].outcome

    assert go(10) == "interrupted"
    assert names(tmp_path) == {"net.h5", "net.h5.prev"}
    assert (epochs_in(path), epochs_in(files.previous(path))) == (2, 2), "within the third epoch, and before it"
    assert go(1) == "interrupted"
    assert names(tmp_path) == {"net.h5", "net.h5.prev"}
    assert go(10) == "finished"
    assert names(tmp_path) == {"net.h5"}
    for name in ("net.h5.prev", ".net.h5.tmp"):
        (tmp_path / name).write_bytes(b"left by a kill after the last save")
    assert go(0) == "already finished"
    assert names(tmp_path) == {"net.h5"}


# D4: full disks, small limits, folders that cannot be written.


@pytest.mark.promise("D4")
def test_a_file_size_limit(digits, tmp_path, promise):
    """It is known before; where it is not, a save that would pass it ends the run and the old file is whole."""
    fine(line(PRETRAIN, digits), tmp_path)
    old = (tmp_path / "net.h5").read_bytes()
    limits = 0, 1, 4096, 60_000, len(old) - 1
    for most, known in [*((most, True) for most in limits), *((most, False) for most in limits[2:])]:
        words = [*line(PRETRAIN, digits, "--force"), "--progress", "plain"]
        words.remove("-q")
        patches = ALWAYS if known else BLIND
        code, out, err = forked.finish(words, tmp_path, limits=[("RLIMIT_FSIZE", most)], patches=patches)
        # Streams are files too, and Python's own words may pass the limit.
        assert code == 5, (most, err)
        assert out == ""
        assert (tmp_path / "net.h5").read_bytes() == old
        assert names(tmp_path) == {"net.h5"}
        if most > 1000:
            assert "ulimit -f" in err
            assert ("epoch 1/6" in err) != known
    promise("5 limits, exit 5, the old file whole")


@pytest.mark.promise("D4")
def test_a_full_disk(digits, tmp_path, promise):
    """A tmpfs of its own: the old file is whole where a new one has no room; a full one is refused before training."""
    place = make(tmp_path / "small")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a tmpfs; test_a_file_size_limit is the nearest that runs everywhere")
    try:
        fine(line(PRETRAIN, digits), place)
        old = (place / "net.h5").read_bytes()
        room = os.statvfs(place)
        (place / "other").write_bytes(bytes(room.f_bavail * room.f_frsize - len(old) // 2))
        for full, known in ((False, False), (False, True), (True, True)):
            if full:
                with open(place / "other", "ab", buffering=0) as other:
                    try:
                        while True:
                            other.write(bytes(4096))
                    except OSError:
                        pass
            words = [*line(PRETRAIN, digits, "--force"), "--progress", "plain"]
            words.remove("-q")
            folder = make(tmp_path / f"elsewhere-{full}-{known}")
            words[words.index("net.h5")] = str(place / "net.h5")
            code, out, err = forked.finish(words, folder, patches=ALWAYS if known else BLIND)
            assert (code, out) == (5, "")
            assert ("of disk, and" if known and not full else "the disk is full") in err
            assert err.count("error") - err.count("reconstruction error") == 1
            assert ("epoch 1/6" in err) != known
            assert (place / "net.h5").read_bytes() == old
            assert names(place) == {"net.h5", "other"}
    finally:
        subprocess.run(["umount", str(place)], check=True)
    promise("refused before training when full, else exit 5, the old file whole")


@pytest.mark.promise("D4")
def test_outputs_that_cannot_be(digits, tmp_path):
    """A folder, a missing one, a file as one, and one that may not be written (by others than root)."""
    (tmp_path / "drawer").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "locked").mkdir(mode=0o555)
    outputs = ["drawer", "drawer/", "no/where.h5", "file/net.h5", "/dev/null"]
    if os.access(tmp_path / "locked", os.W_OK) is False:
        outputs.append("locked/net.h5")
    before = names(tmp_path)
    for output in outputs:
        for command in (PRETRAIN, FINETUNE):
            for more in ((), ("--force",), ("--resume",)):
                words = line(command, digits, *more)
                words[words.index("net.h5")] = output
                code, out, err = forked.finish(words, tmp_path)
                assert (code, out, err.count("\n")) == (5, "", 1), (output, err)
    assert names(tmp_path) == before
    assert not list((tmp_path / "drawer").iterdir())


# D6: two runs at one output.


@pytest.mark.promise("D6")
@pytest.mark.parametrize("more", [(), ("--force",), ("--resume",)], ids=["anew", "force", "resume"])
def test_a_second_run_is_refused_and_names_the_first(more, digits, tmp_path, promise):
    endless = line(["pretrain", "--layers", "40", "--epochs", "100000"], digits)
    first = forked.start(endless, tmp_path, patches=ALWAYS)
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "net.h5").exists() and time.monotonic() < end:
            time.sleep(0.01)
        for command in (PRETRAIN, FINETUNE):
            elsewhere = make(tmp_path.parent / f"{tmp_path.name}-{command[0]}")
            words = line(command, digits, *more)
            words[words.index("net.h5")] = str(tmp_path / "net.h5")
            began = time.monotonic()
            code, out, err = forked.finish(words, elsewhere)
            seconds = time.monotonic() - began
            assert (code, out, err.count("\n")) == (5, "", 1)
            assert f"is being written by another run (process {first.pid} on {os.uname().nodename})" in err
            assert seconds < 2
        assert first.is_alive()
    finally:
        first.kill()
        first.join()
    assert (tmp_path / ".net.h5.lock").exists()
    fine(line(["pretrain", "--layers", "40", "--epochs", "1"], digits, "--force"), tmp_path)
    assert names(tmp_path) == {"net.h5"}
    promise(f"refused after {seconds:.2f} s; the lock of a killed run stops nobody")


@pytest.mark.promise("D6")
def test_a_page_of_efficiency_has_one_run_too(digits, tmp_path):
    with files.hold(tmp_path / "r.html"):
        code, _, err = forked.finish(["efficiency", digits, "-o", "r.html"], tmp_path)
    assert code == 5
    assert f"process {os.getpid()} on" in err


@pytest.mark.promise("D6")
def test_no_other_output_takes_the_place_of_a_run_s(digits, tmp_path):
    """Pictures, tables and exports wait for nobody and change nothing: exit 5, and the name of the run."""
    fine(line(["finetune", "--layers", "10", "--epochs", "1"], digits), tmp_path)
    commands = {
        "o.csv": ["predict", "net.h5", digits],
        "o.html": ["visualize", "net.h5", digits],
        "o.png": ["compare", digits, "net.h5", "net.h5", "--split", "train"],
        "o.npz": ["export", "net.h5"],
    }
    for name, words in commands.items():
        with files.hold(tmp_path / name):
            code, out, err = forked.finish([*words, "-o", name], tmp_path)
            assert (code, out) == (5, ""), err
            assert f"output {name} is being written by another run (process {os.getpid()} on" in err
        fine([*words, "-o", name], tmp_path)
    assert names(tmp_path) == {"net.h5", *commands}


# D7: what saving costs.


@pytest.mark.promise("D7")
def test_a_slow_disk_is_written_to_less_often(tmp_path, monkeypatch):
    """By a clock of our own: where a save takes ten seconds, ten hours of epochs have at most 2 % of them."""
    now, saves = [0.0], []
    monkeypatch.setattr(runs.time, "monotonic", lambda: now[0])

    def slow(*words):
        now[0] += 10
        saves.append(now[0])

    monkeypatch.setattr(runs.files_of_models, "save", slow)
    monkeypatch.setattr(runs, "_not_finite", lambda state: None)
    saver = runs.Saver(str(tmp_path / "net.h5"), lambda complete: Checkpoint(None, [], None, {}), last=0.0)
    while now[0] < 36_000:
        now[0] += 1
        list(saver.in_time())
    assert 10 < len(saves) <= 0.02 * now[0] / 10


@pytest.mark.slow
@pytest.mark.promise("D7")
def test_what_saving_costs(tmp_path, request, promise):
    """Of a run of 3 minutes with everything as it comes, on all of MNIST: the share of the log's checkpoints.

    By the clock, which is fair to training on a busy machine too: a save then takes longer, and saves still lie half a
    minute of the clock apart, so that their share is told too high there, never too low.
    """
    if not request.config.getoption("--torture"):
        pytest.skip("3 minutes of training: in the long form only")
    words = ["finetune", "mnist", "--layers", "500,500,2000", "--epochs", "1000", "--valid", "0.1"]
    words += ["-o", "net.h5", "--log", "log.jsonl", "--max-time", "180s", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "deepnet", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0
    events = [json.loads(text) for text in (tmp_path / "log.jsonl").read_text().splitlines()]
    saves = [event["seconds"] for event in events if event["event"] == "checkpoint"]
    share = sum(saves) / events[-1]["seconds"]
    assert len(saves) >= 2
    assert share <= 0.02
    promise(f"{share:.2%} of {events[-1]['seconds']:.0f} s, {len(saves)} saves")

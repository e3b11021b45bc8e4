"""Same settings, same bytes: on any number of threads, wherever a run was cut, whatever the output is called.

Every kind of run is in the tables of `tests.workflows.runs`.
"""

import contextlib
import itertools
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import UsageError
from deepnet.workflows import models, runs
from tests.workflows.runs import CHANGES, FIELDS, KINDS, PRECISIONS, begun, changed, options, repeated, strict

PLAIN = {"layers": (30, 10), "epochs": (2,), "batch_size": (120,)}
HELD_OUT = PLAIN | {"epochs": (2, 1), "valid": "0.1"}
MOMENTUM = {"optimizer": "momentum"}
EARLY = {"valid": "0.1", "patience": 1, "epochs": 4, "learning_rate": "0.5"}
FROZEN = {"freeze_epochs": 2}


@pytest.fixture(scope="module")
def four():
    """A process with four threads, whatever this machine has; Numba reads their number once, when it is imported."""
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as held:
        patch.setenv("NUMBA_NUM_THREADS", "4")
        patch.setenv("GOMP_SPINCOUNT", "0")  # more threads than cores, which are not to wait for each other awake
        context = multiprocessing.get_context("spawn")
        pool = held.enter_context(ProcessPoolExecutor(1, context, initializer=strict))
        pool.submit(os.getpid).result()  # so that it starts with this variable
        patch.undo()
        yield pool


@pytest.mark.promise("R1, R2")
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_one_result(name, four, files, tmp_path, size, promise):
    """On one to four threads, and cut up to ten times, on other threads after each cut."""
    found = four.submit(repeated, name, files, str(tmp_path), (4, 1, 2, 3), size(1, 50)).result()
    assert found["threads"] == 4
    assert found["differ"] == []
    assert min(found["cuts"]) >= 5
    assert bool(found["halvings"]) == (name == "finetune, halved")
    figure = f"{len(found['differ'])} of {3 + len(found['cuts'])} runs unlike, {sum(found['cuts'])} cuts ({name})"
    promise(figure, len(found["differ"]))


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_every_option_is_in_some_kind_and_has_another_value(command):
    """One that shapes the result; what does not is named in RUNTIME."""
    used = {option for own, settings in KINDS.values() if own == command for option in settings} - {"data"}
    assert used == options(command)
    assert {option for own, option in CHANGES if own == command} == options(command)


@pytest.mark.promise("R6")
@pytest.mark.parametrize(("command", "option"), CHANGES)
def test_a_resume_with_another_option_is_refused(command, option, files, cut, tmp_path):
    """By the name of what differs; the file stays as it is."""
    if option == "precision" and "bfloat16" not in PRECISIONS:
        pytest.skip("this CPU has no other precision")
    path, (before, after) = str(tmp_path / "a.h5"), changed(command, option)
    end = list(begun(command, before, files, output=path, stop=cut(3)))[-1]
    assert end.outcome == "interrupted"
    content = Path(path).read_bytes()
    with pytest.raises(UsageError, match=rf"[(; ]{FIELDS.get((command, option), option)} was ") as refused:
        list(begun(command, after, files, output=path, resume=True))
    assert ("the data are others" in str(refused.value)) == (
        option in ("label", "ignore", "weight", "category", "size")
    )
    assert Path(path).read_bytes() == content
    assert list(begun(command, before, files, output=path, resume=True))[-1].outcome == "finished"


@pytest.mark.promise("R6")
@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_a_resume_with_other_data_is_refused(command, digits, files, cut, tmp_path):
    path, (settings, _) = str(tmp_path / "a.h5"), changed(command, "seed")
    list(begun(command, settings, files, output=path, stop=cut(3)))
    content, arrays = Path(path).read_bytes(), dict(np.load(digits))
    arrays["x_train"][7, 3, 3] ^= 1
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(UsageError, match="the data are others"):
        list(begun(command, settings, files | {"digits": str(tmp_path / "other.npz")}, output=path, resume=True))
    assert Path(path).read_bytes() == content


@pytest.fixture
def start(digits):
    """pretrain on the digits."""
    return lambda output, settings, **more: workflows.pretrain(digits, output, **settings, **more)


@pytest.fixture
def tune(files):
    """finetune on the digits, from a stack."""
    own = {"start": "stack", "epochs": 2, "batch_size": 120}
    return lambda output, settings, **more: begun("finetune", own | settings | more, files, output=output)


def whole(begin, path, settings, **more):
    """The bytes of a run without a break."""
    records = list(begin(str(path), settings, **more))
    assert records[-1].outcome in ("finished", "early stop")
    return path.read_bytes()


def in_pieces(begin, path, settings, cut, lengths):
    """The bytes of a run that was cut after so many minibatches, again and again; how often it was cut."""
    for cuts, length in enumerate(lengths):
        end = list(begin(str(path), settings, stop=cut(length), resume=True))[-1]
        if end.outcome != "interrupted":
            assert end.outcome in ("finished", "early stop")
            return path.read_bytes(), cuts
        assert not checkpoint.load(str(path)).complete
    raise AssertionError("the run came to no end")


def test_cut_after_every_minibatch(start, tune, cut, tmp_path):
    for begin, settings in ((start, HELD_OUT), (tune, EARLY)):
        first = whole(begin, tmp_path / f"{begin is start}-a.h5", settings)
        pieces, cuts = in_pieces(begin, tmp_path / f"{begin is start}-b.h5", settings, cut, itertools.repeat(1))
        assert cuts >= 7
        assert pieces == first


def test_cut_within_a_pass_over_all_cases(start, tune, cut, tmp_path, monkeypatch):
    """Between blocks of what a layer passes up and of the cases held out, where they are many; nothing is lost there.

    The run saves where it stands: a layer is done and the next one has not begun; an epoch is trained and not measured.
    """
    held_out, seen = {"valid": "0.4"}, set()
    for begin, settings in ((start, HELD_OUT | held_out), (tune, EARLY | held_out | {"freeze_epochs": 1})):
        name = begin is start
        first = whole(begin, tmp_path / f"{name}-a.h5", settings)
        with monkeypatch.context() as patch:
            patch.setattr(models, "CHUNK", 60)
            for length in range(1, 14):
                path = tmp_path / f"{name}-b{length}.h5"
                list(begin(str(path), settings, stop=cut(length)))
                position = checkpoint.load(str(path)).train.get("position")
                seen.add((name, None if position is None else int(position[1])))
                assert in_pieces(begin, path, settings, cut, itertools.repeat(17))[0] == first
    assert (True, None) in seen, "while it was passed up"
    assert (False, 3) in seen, "while it was measured"


@pytest.mark.parametrize("length", [0, 4, 5, 9, 10, 12])
def test_one_cut_anywhere(length, start, tune, cut, tmp_path):
    """0 before the first minibatch, 5 and 10 after an epoch and between two layers or stages."""
    for begin, settings in ((start, PLAIN), (tune, FROZEN)):
        name = begin is start
        first = whole(begin, tmp_path / f"{name}-a.h5", settings)
        pieces, cuts = in_pieces(begin, tmp_path / f"{name}-b.h5", settings, cut, [length, 10**6])
        assert cuts == 1
        assert pieces == first


def test_a_cut_of_no_minibatch_loses_and_adds_nothing(start, cut, tmp_path):
    """A run that is stopped again before it moves leaves the same bytes."""
    path = tmp_path / "a.h5"
    list(start(str(path), PLAIN, stop=cut(7)))
    before = path.read_bytes()
    list(start(str(path), PLAIN, stop=cut(0), resume=True))
    assert path.read_bytes() == before


@pytest.mark.promise("R3")
def test_the_place_and_the_name_of_a_run_leave_no_trace(digits, tmp_path, monkeypatch):
    """Another folder, another output name, data under a relative path, a log beside it: the same bytes."""
    words = {"layers": (10,), "epochs": (1,)}
    list(workflows.pretrain(digits, str(tmp_path / "a.h5"), **words))
    place = tmp_path / "elsewhere, far"
    place.mkdir()
    shutil.copy(digits, place)
    monkeypatch.chdir(place)
    list(workflows.pretrain("./digits.npz", "very-different-name.h5", **words))
    assert Path("very-different-name.h5").read_bytes() == (tmp_path / "a.h5").read_bytes()
    for word in (str(tmp_path), os.path.dirname(digits), "very-different"):
        assert word.encode() not in Path("very-different-name.h5").read_bytes()


def test_another_seed_gives_other_weights(start, tmp_path):
    """So that the tests above cannot pass by a constant."""
    first = whole(start, tmp_path / "a.h5", PLAIN)
    assert whole(start, tmp_path / "b.h5", PLAIN, seed=1) != first


def test_a_finished_run_is_left_alone(start, tune, tmp_path):
    for begin, settings in ((start, PLAIN), (tune, EARLY)):
        path = tmp_path / f"{begin is start}.h5"
        before = whole(begin, path, settings)
        records = list(begin(str(path), settings, resume=True))
        assert records[-1].outcome == "already finished"
        assert not any(isinstance(r, workflows.Epoch | workflows.Saved) for r in records)
        assert path.read_bytes() == before


def test_more_epochs_go_on_as_if_planned(tune, cut, tmp_path):
    """A cut run may be given a later end, as no constant rate depends on it."""
    first = whole(tune, tmp_path / "a.h5", MOMENTUM, epochs=3)
    list(tune(str(tmp_path / "b.h5"), MOMENTUM, stop=cut(6)))
    list(tune(str(tmp_path / "b.h5"), MOMENTUM, epochs=3, resume=True))
    assert (tmp_path / "b.h5").read_bytes() == first


def test_more_epochs_of_a_stack_are_those_of_every_layer_or_refused(start, cut, tmp_path):
    """The first layer is done with 2 epochs; a file that says 3 for it would not tell the truth."""
    words = {"layers": (30, 10), "batch_size": (120,)}
    list(start(str(tmp_path / "b.h5"), words, epochs=(2,), stop=cut(12)))
    before = (tmp_path / "b.h5").read_bytes()
    with pytest.raises(UsageError, match="epochs"):
        list(start(str(tmp_path / "b.h5"), words, epochs=(3,), resume=True))
    assert (tmp_path / "b.h5").read_bytes() == before
    first = whole(start, tmp_path / "a.h5", words, epochs=(2, 3))
    list(start(str(tmp_path / "b.h5"), words, epochs=(2, 3), resume=True))
    assert (tmp_path / "b.h5").read_bytes() == first


def test_a_file_of_before_an_option_goes_on(start, tune, cut, tmp_path):
    """Where a run does today what it did then; else it is refused like any other."""
    for begin, settings in ((start, PLAIN), (tune, MOMENTUM)):
        path = tmp_path / f"{begin is start}.h5"
        first = whole(begin, path, settings)
        path.unlink()
        list(begin(str(path), settings, stop=cut(3)))
        old = checkpoint.load(str(path))
        lacking = [name for name in runs.BEFORE if old.config.pop(name, None) is not None]
        assert "precision" in lacking
        checkpoint.save(str(path), old)
        if "bfloat16" in PRECISIONS:
            with pytest.raises(UsageError, match="precision was float32, is bfloat16"):
                list(begin(str(path), settings | {"precision": "bfloat16"}, resume=True))
        assert list(begin(str(path), settings, resume=True))[-1].outcome == "finished"
        assert path.read_bytes() == first


@pytest.mark.promise("--max-time")
def test_max_time_moves_on_and_tells_what_is_left(start, tune, tmp_path):
    """By a minibatch at least: 15 of pre-training, 10 of a net; the pace is that of this start."""
    for begin, settings, left in (
        (start, PLAIN, [3.8, 3.6, 3.4]),
        (tune, FROZEN | {"epochs": 1}, [2.8, 2.6, 2.4]),
    ):
        path, found = str(tmp_path / f"{begin is start}.h5"), []
        for _ in left:
            end = list(begin(path, settings, max_time=1e-9, resume=True))[-1]
            assert end.outcome == "out of time"
            assert end.result["minutes_left"] >= 0
            found.append(end.result["epochs_left"])
        assert found == left
        end = list(begin(path, settings, stop=lambda: "interrupted", resume=True))[-1]
        assert (end.result["epochs_left"], end.result["minutes_left"]) == (left[-1], None)


def test_max_time_saves_and_goes_on(start, tmp_path):
    first = whole(start, tmp_path / "a.h5", PLAIN)
    end = list(start(str(tmp_path / "b.h5"), PLAIN, max_time=0.001))[-1]
    assert end.outcome == "out of time"
    assert end.next == ""  # the command line shows the command as it was typed
    end = list(start(str(tmp_path / "b.h5"), PLAIN, resume=True))[-1]
    assert end.outcome == "finished"
    assert (tmp_path / "b.h5").read_bytes() == first


def test_saves_on_the_way_change_nothing(start, tune, tmp_path, monkeypatch):
    """A checkpoint after every epoch, each whole, and the same end."""
    for begin, settings in ((start, HELD_OUT), (tune, FROZEN)):
        path = tmp_path / f"{begin is start}.h5"
        first = whole(begin, path, settings)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "BETWEEN_SAVES", 0.0)
            found = [
                checkpoint.load(str(path)).complete
                for record in begin(str(path), settings, force=True)
                if isinstance(record, workflows.Saved)
            ]
        assert found[-1]
        assert len(found) > 2
        assert not any(found[:-1])
        assert path.read_bytes() == first

"""The displays: lines where there is no terminal, a picture where there is one, nothing when asked."""

import io
import os
import pty
import select
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from deepnet.cli import headline, live, progress, show
from deepnet.training import Meter
from deepnet.workflows import Epoch

QUIET = SimpleNamespace(number=0)


def meter(**facts):
    return Meter(**{"label": "layer 1/3", "done": 250, "total": 1000, "detail": "epoch 2/10", **facts})


def epoch(number, stage="layer 1/3", of=10, counted="epoch"):
    return Epoch(stage, number, of, {"reconstruction_error": 5.25}, 60_000, 2.0, counted=counted)


def test_plain_speaks_when_nothing_was_said_for_long(capsys):
    display = progress.Plain(meter(), patience=0.05)
    display.start("begin")
    time.sleep(0.3)
    display.close()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "begin"
    assert 2 <= len(lines) <= 8
    assert set(lines[1:]) == {"layer 1/3, epoch 2/10, 250 of 1,000 (25%)"}


def test_the_picture_has_a_row_a_stage(capsys):
    display = live.Live(meter(label="layer 2/3"), QUIET, force=True)
    display.epoch(epoch(10))
    out = io.StringIO()
    Console(file=out, width=100).print(display.render())
    head, first, second = out.getvalue().splitlines()
    assert head.split() == ["stage", "epoch", "reconstruction", "error", "cases/s", "left"]
    assert first.split()[:3] == ["layer", "1/3", "10/10"]
    assert first.split()[-2:] == ["5.25", "30,000"]
    assert second.split()[:2] == ["layer", "2/3"]


def test_what_is_numbered_is_named(capsys):
    display = live.Live(meter(), QUIET, force=True)
    display.epoch(epoch(3, counted="draw"))
    out = io.StringIO()
    Console(file=out, width=100).print(display.render())
    assert out.getvalue().split()[:2] == ["stage", "draw"]
    progress.Plain(meter()).epoch(epoch(3, of=5, counted="draw"))
    assert capsys.readouterr().err.startswith("layer 1/3, draw 3/5, ")


def test_the_picture_tells_the_time_left_and_fits_a_narrow_terminal():
    stage = "layer 1/3 784-1000-500"
    display = live.Live(meter(label=stage), QUIET, force=True)
    display.epoch(epoch(2, stage, of=1000))
    assert live._left(display.meter, display.rows[stage], 0.25) == progress.clock(997.75 * 2)
    for width in (44, 60, 79, 80, 120):
        display.console.width = width
        out = io.StringIO()
        Console(file=out, width=width).print(display.render())
        head, row = out.getvalue().splitlines()
        assert max(len(head), len(row)) <= width
        assert "reconstruction error" in head
        assert {"2/1000", "5.25"} <= set(row.split())  # the stage gives way, no figure does
        assert ("30,000" in row) == (width >= live.WIDE)


def test_the_time_left_is_that_of_the_run(capsys):
    """Beside the stage at work, of the whole run; where it may stop early, up to that."""
    own = meter(whole=4000.0, each=1.0, marks=[(time.monotonic() - 60, 0.0)], early=True)
    display = live.Live(own, QUIET, force=True)
    display.epoch(epoch(2))
    out = io.StringIO()
    Console(file=out, width=80).print(display.render())
    head, row = out.getvalue().splitlines()
    assert head.split()[-2:] == ["up", "to"]
    assert row.split()[-1] == "15:00"
    progress.Plain(own).epoch(epoch(2))
    assert capsys.readouterr().err.rstrip().endswith(", 2.0 s, 30,000 cases/s, up to 15:00 left")
    assert progress.left(meter()) == ""


def test_the_picture_says_that_it_is_stopping():
    display = live.Live(meter(), SimpleNamespace(number=2), force=True)
    display.epoch(epoch(10))
    out = io.StringIO()
    Console(file=out, width=80).print(display.render())
    assert "once more to leave at once" in out.getvalue()
    assert "10/10 " in out.getvalue()  # beside the figures, not in place of them


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("auto", progress.Plain), ("none", progress.Silent), ("plain", progress.Plain), ("rich", live.Live)],
)
def test_modes_without_a_terminal(mode, kind):
    assert isinstance(progress.choose(mode, meter(), QUIET), kind)


def test_on_a_terminal_the_display_draws_and_gives_the_cursor_back(spawn):
    ours, theirs = pty.openpty()
    process = spawn(
        *("pretrain", "mnist", "-o", "stack.h5"),
        stderr=theirs,
        environment={"TTY_COMPATIBLE": "1", "TERM": "xterm", "FAKE_SLEEP": "0.05", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 10)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "\x1b" not in out
    assert b"layer 1/1 784-500" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    # Four pictures a second at most, with one at the start and one at the end.
    assert shown.count(b"cases/s") <= 8


def test_clocks_and_texts():
    assert [progress.clock(s) for s in (0.4, 59.6, 3601)] == ["0:00", "1:00", "1:00:01"]
    assert [show.text(v) for v in (True, 60000, 0.0125, float("nan"), None, [1, 2.5], [], {})] == [
        "yes",
        "60,000",
        "0.0125",
        "nan",
        "-",
        "1, 2.5",
        "-",
        "-",
    ]
    assert show.lines({"layers": [], "outcome": "interrupted"}, verbose=True) == ["outcome  interrupted"]


def test_a_dict_becomes_lines_and_tables():
    facts = {
        "name": "a",
        "few": [1, 2],
        "none": None,
        "many": list(range(20)),
        "deep": {"x": 1},
        "rows": [{"a": 1}, {"a": 22, "b": "c"}],
    }
    assert show.lines(facts) == ["name  a", "few   1, 2"]
    assert show.lines(facts, verbose=True)[-4:] == ["rows", "   a  b", "   1  -", "  22  c"]
    assert show.lines({}, verbose=True) == []


def test_names_from_strangers_keep_to_their_line():
    """Names of classes are text from a file, and may hold what moves the cursor."""
    name = "a\nb\x1b[31m\u202e"
    facts = {"text": name, "few": [name], "rows": [{"class": name, "cases": 1}], "balance": {name: 2},
             "classes": [{"class": name}], "confusion": [[1]]}  # fmt: skip
    found = show.lines(facts, verbose=True)
    assert all(line.isprintable() for line in found + show.markdown(facts))
    assert sum(r"a\nb\x1b[31m\u202e" in line for line in found) == 7


LINE = (
    "finetune: data mnist, cases 50,000 train, 10,000 valid, 10,000 test, network 784-500-500-2000-10, start "
    "pre-trained, task classify, loss cross_entropy, parameters 1,665,010, seed 0"
)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_what_begins_is_broken_between_facts(width):
    lines = headline.wrapped(LINE, width)
    assert 1 < len(lines) <= len(LINE) // width + 3
    assert max(map(len, lines)) <= width
    assert " ".join(line.strip() for line in lines) == LINE
    assert all(line.endswith(",") for line in lines[:-1])


def test_a_fact_longer_than_a_line_is_broken_between_words():
    lines = headline.wrapped("pretrain: data a, stack 784-500-500-2000 of many more layers than fit, seed 0", 30)
    assert " ".join(line.strip() for line in lines).startswith("pretrain: data a, stack 784-500-500-2000 of many more")
    assert max(map(len, lines)) <= 30


def test_what_begins_stays_one_line_off_a_terminal(capsys):
    headline.announce(LINE)
    assert capsys.readouterr().err == LINE + "\n"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("error", 0.0133, "1.33 %"),
        ("validation_error", 0.5, "50.00 %"),
        ("dead_units", 0.0, "0.00 %"),
        ("saturated_units", 0.00004, "0.004 %"),
        ("recall", 1.0, "100.00 %"),
        ("reconstruction_error", 0.25, "0.25"),
        ("validation_reconstruction_error", 0.25, "0.25"),
        ("squared_error", 13.5, "13.5"),
        ("training_squared_error", 13.5, "13.5"),
        ("training_loss", 0.125, "0.125"),
        ("error", None, "-"),
    ],
)
def test_shares_are_percentages_for_people(name, value, shown):
    assert show.text(value, name) == shown
    assert show.table([{name: value}, {name: value}])[1].strip() == shown


def test_shares_in_the_lines_of_an_epoch(capsys):
    display = progress.Plain(meter(), patience=60)
    record = replace(epoch(2), metrics={"training_error": 0.0125, "reconstruction_error": 0.5})
    display.epoch(record)
    assert "training error 1.25 %, reconstruction error 0.5," in capsys.readouterr().err
    assert live._cells(record, None)[2] == "1.25 %"

"""Parsers of single words."""

import pytest
import typer

from deepnet.cli import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("90m", 5400),
        ("1h30m", 5400),
        ("45s", 45),
        ("3600", 3600),
        ("0.5h", 1800),
        ("1H", 3600),
        ("1h1m1s", 3661),
    ],
)
def test_durations(text, seconds):
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "2d", "-1h", "0", "1m2h", "1e3", "nan"])
def test_what_is_no_duration(text):
    with pytest.raises(typer.BadParameter, match="2h"):
        values.duration(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("error<=0.015", ("error", "<=", 0.015)),
        (" r2 >= .9 ", ("r2", ">=", 0.9)),
        ("squared error<13.9", ("squared_error", "<", 13.9)),
        ("wrong==0", ("wrong", "==", 0.0)),
        ("error<5%", ("error", "<", 0.05)),
        ("error <= 1.4 %", ("error", "<=", 0.014)),
        ("auc>=80%", ("auc", ">=", 0.8)),
    ],
)
def test_requirements(text, parts):
    assert values.requirement(text) == parts


@pytest.mark.parametrize(
    "text", ["error", "error<=", "<=1", "error<=x", "error=1", "error<=nan", "error<=inf", "error<%", "error<5%%"]
)
def test_what_is_no_requirement(text):
    with pytest.raises(typer.BadParameter):
        values.requirement(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "", "x", "0_1", "\u0661", "9" * 5000])
def test_numbers_are_finite_and_messages_short(text):
    with pytest.raises(typer.BadParameter) as caught:
        values.number(0, 1)(text)
    assert len(str(caught.value)) < 100


def test_bounds_are_allowed_values():
    assert values.number(0, 1)("1") == 1
    assert values.integer(1)("1") == 1
    with pytest.raises(typer.BadParameter):
        values.number(0, 1)("1.0001")
    assert values.several(values.integer(1))("3, 4") == (3, 4)

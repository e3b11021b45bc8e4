"""Schedules: exact values, bounds that hold at all times, and texts that are refused with the option's name."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet.errors import UsageError
from deepnet.optimizers.schedules import SCHEDULES, constant, parse

# Text, {updates made: value}, with ten updates an epoch and four epochs.
EXACT = [
    ("0.1", {0: 0.1, 7: 0.1, 1000: 0.1}),
    ("constant:0.25", {0: 0.25, 40: 0.25}),
    ("step:0.5:0.9:2", {0: 0.5, 19: 0.5, 20: 0.9, 400: 0.9}),
    ("step:0.1:0.01:1:0.001:3", {9: 0.1, 10: 0.01, 29: 0.01, 30: 0.001}),
    ("step:0.1:0.01:1.5", {14: 0.1, 15: 0.01}),
    ("linear:1:0", {0: 1.0, 10: 0.75, 20: 0.5, 40: 0.0, 80: 0.0}),
    ("exponential:0.8:0.5", {0: 0.8, 10: 0.4, 20: 0.2, 5: 0.8 * 0.5**0.5}),
    ("cosine:1:0.2", {0: 1.0, 20: 0.6, 40: 0.2, 400: 0.2, 10: 0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2}),
    ("inverse:0.8:0.5", {0: 0.8, 20: 0.4, 60: 0.2, 5: 0.64}),
    ("rising:0.7:0.6:3", {0: 0.5, 36: 0.5, 37: 0.6, 39: 0.6, 300: 0.6}),
]


@pytest.mark.parametrize(("text", "values"), EXACT)
def test_values(text, values):
    schedule = parse("--learning-rate", text, 10, 4)
    for updates, value in values.items():
        assert schedule.at(updates) == pytest.approx(value, rel=1e-12, abs=1e-15), updates


def test_warmup_is_a_line_from_0_before_any_schedule():
    """The first update has a share of the value, the last of the warm-up all of it, later ones too."""
    for text, _ in EXACT:
        plain, warm = parse("--x", text, 10, 4), parse("--x", f"warmup:2:{text}", 10, 4)
        for t in range(60):
            assert warm.at(t) == pytest.approx(plain.at(t) * min(1, (t + 1) / 20), rel=1e-12)
        assert warm.needs_total == plain.needs_total
        assert warm.at(25) == plain.at(25)
    assert parse("--x", "warmup:0:0.3", 10, 4).at(0) == 0.3
    assert parse("--learning-rate", "warmup:1.5:0.3", 10, 4, positive=True).at(0) == pytest.approx(0.3 / 15)
    with pytest.raises(UsageError, match="below 1"):
        parse("--momentum", "warmup:5:1.5", 10, 4, most=1)
    with pytest.raises(UsageError, match="above 0"):
        parse("--learning-rate", "warmup:5:0", 10, 4, positive=True)


def test_every_schedule_is_tried():
    assert {text.partition(":")[0] for text, _ in EXACT if ":" in text} == set(SCHEDULES)


def test_rising_is_equation_5():
    """Sutskever et al. 2013: 0.5, from update 250 on 0.75, from 1000 on 0.9, from 12,250 on 0.99; then its bound."""
    schedule = parse("--momentum", "rising:0.995:0.9:1000", 300, 2500)
    expected = {0: 0.5, 249: 0.5, 250: 0.75, 1000: 0.9, 12_250: 0.99, 24_750: 0.995, 700_000: 0.995, 749_000: 0.9}
    for updates, value in expected.items():
        assert schedule.at(updates) == pytest.approx(value, rel=1e-12), updates


def test_numbers_as_they_come_from_a_file():
    assert parse("--momentum", 0.5, 10, 4).at(3) == 0.5
    assert parse("--momentum", 0, 10, 4).at(3) == 0
    assert constant(0.3).at(10**9) == 0.3


def test_who_needs_the_plan():
    needy = {text.partition(":")[0] for text, _ in EXACT if parse("--x", text, 10, 4).needs_total}
    assert needy == {"linear", "cosine", "rising"}
    for text, _ in EXACT:  # the past of the others does not depend on the epochs planned
        few, many = parse("--x", text, 10, 4), parse("--x", text, 10, 400)
        same = all(few.at(t) == many.at(t) for t in range(1, 40))
        assert same != few.needs_total, text


LEVELS = st.floats(0, 0.99)


@st.composite
def texts(draw):
    """A text of any schedule with levels below 1."""
    name = draw(st.sampled_from(sorted(SCHEDULES)))
    if name == "constant":
        return str(draw(LEVELS))
    if name == "step":
        pairs = draw(st.lists(st.tuples(LEVELS, st.floats(0, 100)), min_size=1, max_size=4))
        return ":".join(["step", str(draw(LEVELS)), *(f"{level}:{epoch}" for level, epoch in pairs)])
    last = f":{draw(st.integers(0, 1000))}" if name == "rising" else ""
    warmup = draw(st.sampled_from(["", "warmup:0:", "warmup:3.5:"]))
    return f"{warmup}{name}:{draw(LEVELS)}:{draw(LEVELS)}{last}"


@pytest.mark.promise("properties")
@given(texts(), st.integers(1, 600), st.integers(1, 100), st.integers(0, 10**6))
def test_levels_stay_within_bounds(text, per_epoch, epochs, updates):
    schedule = parse("--momentum", text, per_epoch, epochs, most=1)
    assert 0 <= schedule.at(updates) < 1 + 1e-12


BAD = [
    "", ":", "x", "nan", "inf", "-1", "0.1:0.2", "step:0.1", "step:0.1:0.2", "step:0.1:0.2:3:0.4", "step:0.1:-0.2:3",
    "linear:1", "linear:1:2:3", "cosine:1:nan", "cosine:", "constant:", "constant:1:2", "exponential:1", "warm:1:2",
    "exponential:1:1e300", "exponential:0.1:-1", "inverse:0.1", "inverse:0.1:-1", "warmup", "warmup:", "warmup:5",
    "warmup:0.1:", "warmup::0.1", "warmup:-1:0.1", "warmup:nan:0.1", "warmup:inf:0.1", "warmup:1:warmup:1:0.1",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_bad_texts_name_the_option(text):
    with pytest.raises(UsageError) as refused:
        parse("--learning-rate", text, 10, 4)
    assert f"--learning-rate {text}:" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["1", "1.5", "step:0.5:1:3", "linear:0.5:1", "cosine:1:0.5", "exponential:0.9:1.2", "inverse:1:1"]
)
def test_levels_above_the_bound(text):
    with pytest.raises(UsageError, match=r"--momentum .* must stay below 1$"):
        parse("--momentum", text, 10, 4, most=1)
    parse("--learning-rate", text, 10, 4)


def test_a_rate_of_zero():
    for text in ("0", "linear:0:1", "step:0:0.1:3"):
        with pytest.raises(UsageError, match=r"--learning-rate .* must be above 0"):
            parse("--learning-rate", text, 10, 4, positive=True)
        parse("--momentum", text, 10, 4)
    assert parse("--learning-rate", "linear:0.1:0", 10, 4, positive=True).at(40) == 0


def test_the_message_shows_every_form():
    with pytest.raises(UsageError) as refused:
        parse("--learning-rate", "often", 10, 4)
    for rule in SCHEDULES.values():
        assert rule.form in str(refused.value)
    assert "warmup:EPOCHS:" in str(refused.value)


PLAN = st.integers(1, 60), st.integers(1, 40)  # updates an epoch, epochs


@pytest.mark.promise("properties")
@given(st.sampled_from(["constant", "linear", "cosine", "exponential", "inverse"]), LEVELS, LEVELS, *PLAN)
def test_ends_and_one_direction(name, first, last, per_epoch, epochs):
    """The first update has the first value, the end of the plan the last, and between them it never turns."""
    text = f"{name}:{first}" if name == "constant" else f"{name}:{first}:{last}"
    schedule, total = parse("--rate", text, per_epoch, epochs), per_epoch * epochs
    values = [schedule.at(t) for t in range(total + 5)]
    ends = {
        "constant": first,
        "linear": last,
        "cosine": last,
        "exponential": first * last**epochs,
        "inverse": first / (1 + last * epochs),
    }
    assert values[0] == pytest.approx(first, rel=1e-12, abs=1e-15)
    assert values[total] == pytest.approx(ends[name], rel=1e-9, abs=1e-15)
    falls = name in ("exponential", "inverse") or last < first
    slack = 1e-12 * max(first, last)
    assert all((b <= a + slack) if falls else (b >= a - slack) for a, b in pairwise(values))
    assert name in ("exponential", "inverse") or set(values[total:]) == {values[total]}


@pytest.mark.promise("properties")
@given(LEVELS, LEVELS, st.integers(0, 200), *PLAN)
def test_a_rising_momentum_rises_to_its_bound(most, last, final, per_epoch, epochs):
    schedule, turn = parse("--momentum", f"rising:{most}:{last}:{final}", per_epoch, epochs), per_epoch * epochs - final
    before = [schedule.at(t) for t in range(max(0, turn))]
    assert all(a <= b <= max(most, 0.5) for a, b in pairwise(before))
    assert all(schedule.at(t) == last for t in range(max(0, turn), per_epoch * epochs))


@pytest.mark.promise("properties")
@given(st.floats(0.01, 0.99), st.floats(0, 30), *PLAN)
def test_warmup_rises_to_the_value(value, warmup, per_epoch, epochs):
    schedule = parse("--rate", f"warmup:{warmup}:{value}", per_epoch, epochs)
    values = [schedule.at(t) for t in range(int(warmup * per_epoch) + 3)]
    assert 0 < values[0] <= values[-1] == value
    assert all(a <= b for a, b in pairwise(values))


@pytest.mark.promise("properties")
@given(st.text(max_size=30))
def test_any_text_is_a_schedule_or_refused(text):
    try:
        schedule = parse("--learning-rate", text, 10, 4)
    except UsageError:
        return
    assert 0 <= schedule.at(7) < math.inf

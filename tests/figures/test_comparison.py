"""The chart of compare and its page: panels that all runs have, numbers at line ends; a page that is safe and whole."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from deepnet.figures import comparison, encode, report

NASTY = "<script>alert(1)</script> & \"q' $x_^ \u202e\x00.h5"


def line(name, epochs, **along):
    """A run of so many epochs."""
    steps = np.arange(1, epochs + 1)
    return {"name": name, "values": 0.5 / steps, "along": {"epoch": steps, **{k: v * steps for k, v in along.items()}}}


def row(name, **facts):
    """A row of compare."""
    more = {"difference": None, "difference_interval": None, "p": None, "verdict": "the measure"}
    return {"model": name, "epochs": 4, "error": 0.1, "error_interval": [0.05, 0.2], **more, **facts}


def words(figure):
    return {text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))}


def test_panels_are_what_all_runs_know():
    both = [line("a.h5", 9, updates=60, gradients=1.0), line("b.h5", 4, gradients=30.0)]
    figure = comparison("validation error", both)
    assert [axes.get_xlabel().split(",")[0] for axes in figure.axes] == ["epoch", "gradients"]
    assert "4/3" in figure.axes[1].get_xlabel()
    assert [axes.get_xscale() for axes in figure.axes] == ["linear", "log"]
    assert {"1  a.h5", "2  b.h5", "validation error"} <= words(figure)
    for axes in figure.axes:
        assert {text.get_text() for text in axes.texts} == {"1", "2"}


@pytest.mark.parametrize(("seconds", "unit"), [(2.0, "seconds"), (600.0, "minutes")])
def test_the_clock_is_told_in_a_fitting_unit(seconds, unit):
    figure = comparison("loss", [line("a", 3, seconds=seconds), line("b", 3, seconds=seconds / 2)])
    assert figure.axes[1].get_xlabel() == f"{unit} of training"


def test_numbers_do_not_cover_each_other_also_where_lines_end_together():
    figure = comparison("loss", [line("same", 5) for _ in range(6)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 6
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            across, up = (
                (min(one.x1, other.x1) - max(one.x0, other.x0)),
                (min(one.y1, other.y1) - max(one.y0, other.y0)),
            )
            assert across < 1 or up < 3


@pytest.mark.parametrize("values", [[], [np.nan, np.inf], [0.0, -1.0], [1.0]])
def test_any_values_are_drawn_with_the_same_bytes(values):
    steps = np.arange(1, len(values) + 1)
    lines = [{"name": NASTY, "values": np.array(values), "along": {"epoch": steps}}, line("b", 2)]
    assert encode(comparison(NASTY, lines), "svg") == encode(comparison(NASTY, lines), "svg")


class _Page(HTMLParser):
    """The tags of a page, what they refer to, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.alts, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Keep it."""
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        self.alts += [value for name, value in attrs if name == "alt"]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        """Keep it."""
        self.text += data


@pytest.fixture
def page():
    facts = {"task": "classify", "data": NASTY, "split": "test", "cases": 10_000}
    worse = {"difference": 0.02, "difference_interval": [0.01, 0.03], "p": 0.0, "verdict": "worse"}
    same = {"difference": 0.0, "difference_interval": [-0.01, 0.01], "p": 0.75, "verdict": "no difference"}
    facts["models"] = [row("a.h5"), row(NASTY, **worse), row("c.h5", **same)]
    lines = [line("a.h5", 3, seconds=1.0), line(NASTY, 4, seconds=2.0), line("c.h5", 0, seconds=1.0)]
    settings = {"optimizer": ["cg", "adam", "sgd"], NASTY: [NASTY, "0.1", "-"]}
    made = report(facts, settings, "validation error", lines)
    assert made == report(facts, settings, "validation error", lines)
    return made.decode()


def test_a_page_is_whole_and_asks_for_nothing(page):
    found = _Page(page)
    assert page.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(found.tags)
    assert all(link.startswith(("data:image/svg+xml;base64,", "data:image/png;base64,")) for link in found.links)
    assert len(found.links) == 2
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page
    assert "prefers-color-scheme:dark" in page
    assert "width=device-width" in page
    assert page.count("<td") == page.count("</td>") == 15 + 6


def test_a_page_says_what_was_found(page):
    text = _Page(page).text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NON-BREAKING HYPHEN}", "-")
    for words in ("3 networks on", "10,000 cases", "McNemar", "worse", "an error higher by 2.00 %",
                  "p < 1e-300", "more than chance (p = 0.75)", "0.00 % (−1.00 to 1.00 %)", "adam"):  # fmt: skip
        assert words in text, words
    alts = _Page(page).alts
    assert alts[0].startswith("validation error by epoch: 1, a.h5, ends at 0.1667; 2, ")
    assert "3: no epoch" in alts[0]


def test_text_from_files_cannot_become_markup(page):
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x00" not in page
    assert "\u202e" not in page
    assert len(re.findall(r"<(h1|title)>", page)) == 2


def test_pages_of_squared_errors():
    facts = {"task": "reconstruct", "data": "mnist", "split": "test", "cases": 5}
    own = {"squared_error": 4.5, "squared_error_interval": [4.0, 5.0]}
    less = {"difference": -1.5, "difference_interval": [-2.0, -1.0], "p": 0.001, "verdict": "better"}
    facts["models"] = [row("a", **own), row("b", **own, **less)]
    text = _Page(report(facts, {}, "training squared error", [line("a", 2), line("b", 2)]).decode()).text
    assert "a squared error lower by 1.5 (" in text
    assert "−1.5 (−2 to −1)" in text
    assert "all were trained alike" in text

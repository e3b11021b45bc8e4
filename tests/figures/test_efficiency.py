"""The chart of errors against labels, and the page: what they say, and that text from files stays text."""

import numpy as np

from deepnet.figures import efficiency, efficiency_page, encode


def rows(name="none"):
    made = [(100, name, 0.24, 0.02), (100, "rbm", 0.15, 0.03), (60_000, name, 0.02, 0.0), (60_000, "rbm", 0.0, 0.0)]
    return [{"labels": n, "method": m, "draws": 5, "error": e, "error_interval": [e - r, e + r]} for n, m, e, r in made]


def test_axes_are_logarithmic_and_every_method_has_a_line():
    (axes,) = efficiency(rows()).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["none", "rbm"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "60,000"]
    first, second = (container.lines[0].get_ydata() for container in axes.containers)
    np.testing.assert_allclose(first, [24, 2])
    np.testing.assert_allclose(second, [15, 0.01])  # no error at all stands at the axis
    bars = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(bars[0][:, 1], [22, 26])


def test_same_rows_same_bytes():
    assert encode(efficiency(rows()), "svg") == encode(efficiency(rows()), "svg")


def test_the_page_escapes_what_files_say():
    facts = {"data": "<b>x&", "cases": 10, "split": "test", "verdict": None, "errors": rows(), "differences": []}
    facts["findings"] = [{"finding": "a <script> is text"}]
    page = efficiency_page(facts, {"data": "<i>", "finetuning": {"dropout": (0.2, 0.5)}}).decode()
    assert "&lt;b&gt;x&amp;" in page
    assert "<i>" not in page
    assert "<script" not in page
    assert "finetuning, dropout" in page
    assert "24.00" in page

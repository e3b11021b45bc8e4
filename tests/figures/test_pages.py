"""What the single figures say: the words, numbers and colours that a reader relies on."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text

from deepnet.figures import (
    codes,
    confusion,
    filters,
    gradients,
    growing,
    history,
    landscape,
    page,
    places,
    reconstructions,
    style,
    summary,
    tiles,
)
from deepnet.figures.landscape import heights


def texts(figure):
    found = figure.findobj(lambda part: isinstance(part, Text))
    return {text.get_text() for text in found if text.get_text()}


def test_filters_say_how_many_are_shown():
    figure = filters([("layer 2: 500 units, projected", np.ones((500, 4))), ("layer 3", np.ones((5, 4)))], (2, 2))
    assert {"layer 2", "500 units, projected, 100 shown", "layer 3"} <= texts(figure)


def test_a_filter_is_symmetric_about_white_on_its_own_scale():
    figure = filters([("layer 1", np.array([[0.0, 1.0, -1.0, 0.0], [0.0, 100.0, -100.0, 0.0]]))], (2, 2))
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    left, right = sheet[:, :2], sheet[:, 3:5]
    np.testing.assert_array_equal(left, right)
    assert left[0, 0].min() > 0.95  # zero is white
    assert left[0, 1][0] > left[0, 1][2] + 0.2  # positive is red
    assert left[1, 0][2] > left[1, 0][0] + 0.2  # negative is blue


def test_filters_grow_on_one_scale_with_a_line_each():
    """Of two filters one grows and one shrinks: each has its full colour where its weights are largest."""
    first, last = np.outer([1.0, 4.0], np.ones(4)), np.outer([2.0, 1.0], np.ones(4))
    pictures = growing([("After 1 epoch", [("layer 1", first)]), ("After $2$", [("layer 1", last)])], (2, 2))
    feet = [next(text for text in texts(figure) if "own scale" in text) for figure in pictures]
    assert [foot.split("\n")[0] for foot in feet] == ["After 1 epoch", r"After \$2\$"]
    sheets = [np.asarray(figure.axes[0].images[0].get_array()) for figure in pictures]
    for sheet, shares in zip(sheets, ((0.5, 1.0), (1.0, 0.25)), strict=True):
        for left, share in zip((0, 3), shares, strict=True):
            expected = matplotlib.colormaps[style.SIGNED](0.5 + 0.5 * share)[:3]
            np.testing.assert_allclose(sheet[:, left : left + 2], np.broadcast_to(expected, (2, 2, 3)), atol=1e-6)


def test_many_filters_grow_as_the_still_picture_shows_them():
    many = np.random.default_rng(1).standard_normal((300, 4))
    *_, last = growing([("", [("layer 1", many / 2)]), ("", [("layer 1", many)])], (2, 2))
    still = filters([("layer 1", many)], (2, 2))
    sheets = [np.asarray(figure.axes[0].images[0].get_array()) for figure in (last, still)]
    np.testing.assert_array_equal(*sheets)


def test_history_joins_training_and_validation_and_ends_in_the_last_value():
    metrics = {"training error": [0.5, 0.25], "validation error": [0.6, 0.375], "training loss": [2.0, 1.0]}
    figure = history([{"stage": "fine-tuning", "epoch": [1, 2], "metrics": metrics}])
    assert len([axes for axes in figure.axes if axes.lines]) == 2
    assert {"fine-tuning", "error", "loss", "0.25 training", "0.375 validation", "1 training"} <= texts(figure)


def test_a_page_leaves_out_curves_that_stay_0():
    metrics = {"training error": [0.2, 0.0], "validation error": [0.0, 0.0], "dead units": [0.0, 0.0]}
    found = page.SECTIONS["history"].pieces(([{"stage": "layer 1", "epoch": [1, 2], "metrics": metrics}],))
    assert [list(series[0]["metrics"]) for (series,) in found] == [["training error", "validation error"]]


def test_history_shares_the_range_of_shares_only():
    stages = [
        {"stage": f"layer {i}", "epoch": [1, 2], "metrics": {"energy": [9.0 * i, 8.0], "dead": [0.1 * i, 0.2]}}
        for i in (1, 2)
    ]
    panels = {(row, column): axes for (row, column), axes in zip(np.ndindex(2, 2), history(stages).axes, strict=True)}
    assert panels[1, 0].get_ylim() == panels[1, 1].get_ylim()
    assert panels[0, 0].get_ylim() != panels[0, 1].get_ylim()


@pytest.mark.parametrize(("values", "scale"), [([100.0, 1.0], "log"), ([1.0, 100.0], "linear"), ([9.0, 0.0], "linear")])
def test_history_is_logarithmic_for_values_that_fall_by_decades(values, scale):
    figure = history([{"stage": "layer 1", "epoch": [1, 2], "metrics": {"loss": values}}])
    assert figure.axes[0].get_yscale() == scale


def test_gradients_say_where_they_vanish():
    norms = {1: [1e-4, 0.05], 2: [0.01, 0.1], 3: [0.2, 0.2]}
    figure = gradients([("fine-tuning", norms), ("fine-tuning 1", {1: [0.0, 0.2], 2: [0.1, 0.1]})])
    shown = texts(figure)
    assert (
        "epoch 1: layer 1 gets 2,000 times less than the top\nepoch 2: layer 1 gets 4 times less than the top" in shown
    )
    assert "epoch 1: layer 1 gets no gradient\nepoch 2: no layer gets less than the top" in shown
    assert {"layer 1", "layer 2", "layer 3, top", "layer 2, top"} <= shown
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "log"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    darkness = [sum(line.get_color()[:3]) for line in figure.axes[0].get_lines()]
    assert darkness == sorted(darkness)


def test_gradients_of_many_layers_name_some_and_no_name_covers_another():
    figure = gradients([("fine-tuning", {k: [1.0, 1.0 + k / 1000] for k in range(1, 31)})])
    figure.draw_without_rendering()
    names = [text for text in figure.axes[0].texts if text.get_text().startswith("layer")]
    assert len(names) == 12
    assert {"layer 1", "layer 30, top"} <= {name.get_text() for name in names}
    boxes = sorted((box.y0, box.y1) for box in (name.get_window_extent() for name in names))
    assert all(above[0] >= below[1] - 2 for below, above in pairwise(boxes))


def test_a_landscape_says_what_is_in_its_middle_and_on_its_border():
    steps = np.linspace(-1, 1, 21)
    loss = 0.02 + steps**2 + 2 * steps[:, None] ** 2
    figure = landscape(steps, loss, 0.02, (1.02, 3.02), 500)
    (axes,) = figure.axes
    shown = texts(figure)
    assert any("0.02 in the middle, 1.02 to 3.02 on the border" in text for text in shown)
    assert any("500 cases" in text for text in shown)
    (mark,) = axes.get_lines()
    assert [float(part[0]) for part in mark.get_data()] == [0, 0]
    labels = [text for text in axes.texts if text.get_text().replace(".", "").isdecimal()]
    assert len(labels) > 3
    for label in labels:  # lines stand where the loss is what they say; the next is a factor of 1.6 off
        x, y = label.get_position()
        assert float(label.get_text()) == pytest.approx(0.02 + x**2 + 2 * y**2, rel=0.2)


def test_heights_are_of_logarithms_where_losses_span_decades():
    np.testing.assert_allclose(heights(np.array([[0.01, 0.1], [1.0, np.inf]])), [[0, 0.5], [1, np.nan]])
    np.testing.assert_allclose(heights(np.array([[1.0, 2.0], [4.0, 5.0]])), [[0, 0.25], [0.75, 1]])
    np.testing.assert_array_equal(heights(np.ones((2, 2))), np.zeros((2, 2)))


def test_reconstructions_share_the_range_of_the_first_row():
    rows = [
        ("cases", np.array([[0.0, 0.5, 0.5, 1.0]])),
        ("model: squared error 3.25", np.array([[0.0, 0.5, 2.0, -1.0]])),
    ]
    figure = reconstructions(rows, (2, 2))
    top, below = (np.asarray(axes.images[0].get_array())[..., 0] for axes in figure.axes)
    np.testing.assert_array_equal(top[0], below[0])
    np.testing.assert_array_equal(below[1], [1, 0])
    assert {"cases", "model", "squared error 3.25"} <= texts(figure)


def test_confusion_prints_counts_recall_and_errors():
    figure = confusion(np.array([[90, 10], [0, 300]]), ("ham", "spam"))
    assert {"90", "10", "300", "90.0%", "100.0%", "ham", "spam", "400 cases, 10 wrong (2.50%)"} <= texts(figure)
    assert "0" not in texts(figure)
    colours = np.asarray(figure.axes[0].images[0].get_array())
    assert colours[0, 0][2] > colours[0, 0][0]  # right is blue
    assert colours[0, 1][0] > colours[0, 1][2]  # wrong is orange


def test_codes_name_classes_at_their_medians_and_count_what_is_not_finite():
    points = np.array([[0, 0], [0, 2], [0, 1], [10, 10], [10, 30], [10, 20], [np.nan, 1]], float)
    figure = codes([("PCA", points)], np.array([0, 0, 0, 1, 1, 1, 1]), ("left", "right"))
    assert {"PCA", "1 of 7 cases not finite"} <= texts(figure)
    axes = figure.axes[0]
    places = {text.get_text(): axes.transLimits.inverted().transform(text.get_position()) for text in axes.texts}
    np.testing.assert_allclose(places["left"], (0, 1), atol=0.1)
    np.testing.assert_allclose(places["right"], (10, 20), atol=0.1)


def test_codes_without_names_use_numbers_and_hold_at_most_two_thousand_vector_points():
    labels = np.arange(3000) % 12
    figure = codes([("PCA", np.random.default_rng(0).normal(size=(3000, 2)))], labels, ())
    assert {str(k) for k in range(12)} <= texts(figure)
    assert len(figure.axes[0].collections) == 2  # the eleventh class has the first colour and another shape
    assert all(points.get_rasterized() for points in figure.axes[0].collections)


def test_summary_shows_sizes_and_the_total():
    one = {"name": "layer 1", "kind": "dense", "unit": "relu", "inputs": 784, "outputs": 500, "parameters": 392_500}
    two = {"name": "layer 2", "kind": "dense", "unit": "softmax", "inputs": 500, "outputs": 10, "parameters": 5010}
    rest = {"norm": 1.25, "weights": np.linspace(-1, 1, 50)}
    shown = texts(summary([{**one, **rest}, {**two, **rest}], "a network"))
    assert {"784", "500", "10", "784 → 500", "392,500", "397,510", "1.25", "relu", "softmax", "a network"} <= shown


def test_plain_text_has_no_mathematics_no_controls_and_a_limit():
    assert style.plain("cost in $ or $") == r"cost in \$ or \$"
    assert style.plain("a\nb\x1b\u202e") == r"a\nb\x1b\u202e"
    assert style.plain("中") == r"\u4e2d"
    assert style.plain("äöü → −") == "äöü → −"
    assert style.plain(7) == "7"
    assert style.plain("x" * 30, 10) == "xxxxxx…xxx"
    assert len(style.plain("中" * 30, 24)) <= 24


def test_spread_moves_only_neighbours_that_are_too_near():
    np.testing.assert_allclose(places.spread([0.5, 0.0, 0.9], 0.1), [0.5, 0.0, 0.9])
    np.testing.assert_allclose(places.spread([0.5, 0.5], 0.2), [0.4, 0.6])
    moved = places.spread([0.3, 0.31, 0.32, 0.9], 0.1)
    assert np.diff(np.sort(moved)).min() > 0.099
    assert list(np.argsort(moved)) == [0, 1, 2, 3]


def test_mosaic_places_pictures_row_by_row():
    pictures = np.arange(3, dtype=np.float32)[:, None, None, None] / 10 * np.ones((3, 2, 2, 3), np.float32)
    sheet = tiles.mosaic(pictures, 2, 1)
    assert sheet.shape == (5, 5, 3)
    np.testing.assert_allclose(sheet[0, :, 0], [0, 0, 1, 0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(sheet[4, :, 0], [0.2, 0.2, 1, 1, 1], rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "width", "expected"),
    [
        ((28, 28), 784, (28, 28)),
        ((28, 28, 1), 784, (28, 28)),
        ((8, 8, 3), 192, (8, 8, 3)),
        ((28, 28), 500, None),
        ((120,), 120, None),
        ((1, 120), 120, None),
    ],
)
def test_picture_shape(shape, width, expected):
    assert tiles.picture_shape(shape, width) == expected

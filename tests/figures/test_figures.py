"""Every figure of the table: draws for typical, tiny and large input, keeps its bytes, survives any text."""

import inspect
import os
import subprocess
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepnet.errors import UsageError
from deepnet.figures import FIGURES, encode

NASTY = "a$_^b$ \\alpha % {x} #&~ 中文 é \x1b[0m\n\u202e\ud800" + "long " * 20
RNG = np.random.default_rng(0)
RBM_METRICS = ("reconstruction error", "free-energy gap", "mean activation", "dead", "saturated")


def stage(title, epochs, names):
    return {"stage": title, "epoch": np.arange(1, epochs + 1), "metrics": {n: RNG.random(epochs) for n in names}}


def layer(name, inputs, outputs):
    weights = RNG.normal(size=min(inputs * outputs, 20_000))
    size = {"inputs": inputs, "outputs": outputs, "parameters": (inputs + 1) * outputs}
    return {"name": name, "kind": "dense", "unit": "logistic", **size, "norm": 1.5, "weights": weights}


def networks(*sizes):
    return [layer(f"layer {i + 1}", *pair) for i, pair in enumerate(pairwise(sizes))]


def weights(count, width):
    return RNG.normal(size=(count, width)).astype(np.float32)


def norms(layers, epochs):
    return {k: 10.0 ** (k - layers) * RNG.random(epochs) for k in range(1, layers + 1)}


def binned(values):
    counts, edges = np.histogram(values, 41)
    return {"counts": counts, "edges": edges, "mean": float(values.mean()), "deviation": 1.0, "lost": 0}


def layers_of_numbers(count, names=("weights", "biases", "activations", "weight gradients")):
    return [(f"layer {i}", {name: binned(RNG.normal(size=500)) for name in names}) for i in range(1, count + 1)]


def wrong_cases(count, shape, names=("9", "4"), probable=True):
    cases = RNG.random((count, int(np.prod(shape)))).astype(np.float32)
    return (
        cases,
        [names[0]] * count,
        [names[1]] * count,
        RNG.random(count),
        np.arange(count),
        shape,
        (40, 999),
        probable,
    )


def bins(cases):
    counts = RNG.multinomial(cases, np.arange(1, 16) / 120)
    middle = (np.arange(15) + 0.5) / 15
    return counts, np.where(counts > 0, middle, np.nan), np.where(counts > 0, middle**1.3, np.nan), 0.0123


def valley(steps, cases, narrow=1.0):
    along = np.linspace(-1, 1, steps) if steps > 1 else np.zeros(1)
    loss = 0.01 + narrow * (along**2 + 0.3 * along[:, None] ** 2)
    return along, loss, float(loss[steps // 2, steps // 2]), (float(loss[0].min()), float(loss[0].max())), cases


def chains(steps, count, shape):
    return np.arange(steps), RNG.random((steps, count, int(np.prod(shape)))), shape, "noise"


TUNING = ("training loss", "training error", "validation error")
TYPICAL = {
    "mistakes": (
        wrong_cases(24, (28, 28)),
        wrong_cases(5, (13,)),
        wrong_cases(7, (8, 8, 3), ("versicolor", "virginica")),
    ),
    "calibration": (bins(10_000), bins(7)),
    "samples": (chains(45, 10, (28, 28)), chains(5, 4, (20,)), chains(9, 3, (8, 8, 3))),
    "features": (
        ([("layer 2: 500 units, 100 shown", weights(100, 784)), ("layer 3: 10 units", weights(10, 784))], (28, 28)),
        ([("layer 2: 12 units", weights(12, 13))], (13,)),
    ),
    "histograms": ((layers_of_numbers(4),), (layers_of_numbers(1),), (layers_of_numbers(2, ("weights",)),)),
    "filters": (
        ([("layer 1: 500 units", weights(500, 784)), ("layer 2: 64 units, projected", weights(64, 784))], (28, 28)),
        ([("layer 1", weights(70, 120))], (120,)),
        ([("layer 1", weights(20, 13))], (13,)),
        ([("layer 1", weights(9, 192))], (8, 8, 3)),
        ([("layer 2, not projected", weights(9, 50))], (28, 28)),
    ),
    "history": (
        ([stage(f"layer {i}/3 500-500", 50, RBM_METRICS) for i in (1, 2, 3)],),
        ([stage("layer 1/1 4-3", 5, RBM_METRICS[:2]), stage("fine-tuning 4-3-2", 40, TUNING)],),
    ),
    "gradients": (
        ([("fine-tuning 1", norms(4, 30)), ("fine-tuning", norms(3, 8))],),
        ([("fine-tuning", norms(4, 30))],),
    ),
    "landscape": (valley(15, 500, 0.05), valley(15, 500, 100.0)),
    "reconstructions": (
        ([("test cases", RNG.random((12, 784))), ("autoencoder: squared error 5.8", RNG.random((12, 784)))], (28, 28)),
        ([("spectra", weights(6, 200)), ("autoencoder", weights(6, 200))], (200,)),
        ([("faces", RNG.random((6, 192)))], (8, 8, 3)),
    ),
    "confusion": ((RNG.integers(0, 9, (10, 10)), ()), (RNG.integers(0, 90, (3, 3)), ("ham", "spam", "eggs"))),
    "codes": (
        ([("autoencoder: 784-2", weights(900, 2)), ("PCA", weights(900, 2))], RNG.integers(0, 10, 900), ()),
        ([("no labels", weights(900, 2))], None, ()),
    ),
    "summary": ((networks(784, 500, 500, 2000, 10), "network 784-500-500-2000-10"),),
}
TINY = {
    "mistakes": (wrong_cases(0, (28, 28)), wrong_cases(1, (1,)), wrong_cases(1, (2, 2), probable=False)),
    "calibration": (bins(1), bins(0)),
    "samples": (chains(1, 1, (1,)), chains(2, 1, (2, 2))),
    "features": (([("one", np.zeros((1, 1)))], (1,)),),
    "histograms": (([("layer 1", {"weights": binned(np.zeros(1))})],),),
    "filters": (([("one", np.zeros((1, 1)))], (1,)), ([("one", np.ones((1, 4)))], (2, 2))),
    "history": (([stage("layer 1/1 1-1", 1, ("reconstruction error",))],), ([stage("no epoch yet", 0, ("dead",))],)),
    "gradients": (([("fine-tuning", norms(1, 1))],), ([("no epoch yet", {1: np.zeros(0), 2: np.zeros(0)})],)),
    "landscape": (valley(1, 1), valley(2, 1), valley(3, 1, 0.0)),
    "reconstructions": (([("one", np.zeros((1, 1)))], (1,)), ([("one", np.full((1, 4), 7.0))], (2, 2))),
    "confusion": ((np.array([[1]]), ()), (np.zeros((2, 2), int), ("a", "b"))),
    "codes": (([("one", np.zeros((1, 2)))], np.zeros(1, int), ("only",)), ([("none", np.zeros((0, 2)))], None, ())),
    "summary": ((networks(1, 1), "rbm 1-1"),),
}
LARGE = {
    "mistakes": (wrong_cases(500, (28, 28)),),
    "calibration": (bins(10_000_000),),
    "samples": (chains(300, 100, (28, 28)), chains(20, 12, (500,))),
    "features": (([(f"layer {i}: 2000 units", weights(2000, 784)) for i in range(5)], (28, 28)),),
    "histograms": ((layers_of_numbers(9),),),
    "filters": (([(f"layer {i}: 2000 units", weights(2000, 784)) for i in range(5)], (28, 28)),),
    "history": (([stage(f"layer {i}", 300, RBM_METRICS) for i in range(5)] + [stage("fine-tuning", 2000, TUNING)],),),
    "gradients": (([(f"fine-tuning {i}", norms(40, 2000)) for i in range(5)],),),
    "landscape": (valley(201, 10_000_000, 1e90),),
    "reconstructions": (([(f"model {i}: squared error {i}", RNG.random((500, 784))) for i in range(5)], (28, 28)),),
    "confusion": (
        (
            np.diag(RNG.integers(0, 2000, 50)) + RNG.poisson(0.3, (50, 50)),
            tuple(f"species number {i}" for i in range(50)),
        ),
    ),
    "codes": (([(f"model {i}", weights(20_000, 2)) for i in range(5)], RNG.integers(0, 50, 20_000), ()),),
    "summary": ((networks(*[1000] * 13), "a network of twelve layers"),),
}
NASTY_INPUT = {
    "mistakes": (wrong_cases(3, (28, 28), (NASTY, "$")), wrong_cases(3, (5,), (NASTY, NASTY))),
    "calibration": (bins(90),),
    "samples": (chains(3, 2, (4, 4)),),
    "features": (([(NASTY, weights(3, 784)), (f"b: {NASTY}", weights(200, 784))], (28, 28)),),
    "histograms": (([(NASTY, {NASTY: binned(np.arange(9.0))})],),),
    "filters": (([(NASTY, weights(3, 784)), (f"b: {NASTY}", weights(200, 784))], (28, 28)),),
    "history": (([stage(NASTY, 3, (NASTY, "validation " + NASTY))],),),
    "gradients": (([(NASTY, norms(3, 4)), (f"b: {NASTY}", norms(2, 4))],),),
    "landscape": (valley(15, 500, -3.0),),  # losses below 0; no text comes from files
    "reconstructions": (([(NASTY, RNG.random((2, 784))), (f"b: {NASTY}", RNG.random((2, 784)))], (28, 28)),),
    "confusion": ((np.array([[5, 1], [0, 7]]), (NASTY, "$")), (RNG.integers(0, 3, (9, 9)), (NASTY,) * 9)),
    "codes": (([(NASTY, weights(9, 2))], np.arange(9) % 2, (NASTY, "$")),),
    "summary": (([{**layer(NASTY, 3, 2), "kind": NASTY, "unit": NASTY}], NASTY),),
}
NOT_FINITE = {
    "mistakes": ((np.full((2, 4), np.nan), ["a"] * 2, ["b"] * 2, np.ones(2), np.arange(2), (2, 2), (2, 2), True),),
    "samples": ((np.arange(3), np.full((3, 2, 4), np.nan), (2, 2), "data"),),
    "features": (([("layer 2", np.full((3, 784), np.nan))], (28, 28)),),
    "histograms": (
        ([("layer 1", {"weights": {**binned(np.zeros(3)), "mean": np.nan, "deviation": np.nan, "lost": 7}})],),
    ),
    "filters": (([("layer 1", np.full((3, 784), np.nan))], (28, 28)), ([("layer 1", np.full((3, 9), np.inf))], (9,))),
    "history": (
        ([{"stage": "layer 1", "epoch": [1, 2], "metrics": {"a": [1.0, np.inf], "b": [np.nan, np.nan]}}],),
        ([{"stage": "layer 1", "epoch": [1, 2], "metrics": {"a": [1e30, 1e-30], "b": [-1e308, 1e308]}}],),
    ),
    "gradients": (
        ([("diverged", {1: np.array([1e-300, np.nan]), 2: np.array([1e300, np.inf])})],),
        ([("frozen", {1: np.zeros(3), 2: np.zeros(3)})],),
    ),
    "landscape": (
        (np.arange(-1, 2), np.full((3, 3), np.nan), np.nan, (np.nan, np.nan), 9),
        (np.arange(-1, 2), np.array([[np.inf, 1e300, 3], [2, 0.5, 1], [np.nan, 1, 2]]), 0.5, (1.0, np.inf), 9),
    ),
    "reconstructions": (([("cases", np.ones((2, 9))), ("model", np.full((2, 9), np.nan))], (3, 3)),),
    "codes": (([("model", np.full((4, 2), np.inf))], np.arange(4), ()),),
    "summary": (([{**layer("layer 1", 3, 2), "weights": np.full(6, np.nan), "norm": np.nan}], "diverged"),),
}
KINDS = {"typical": TYPICAL, "tiny": TINY, "large": LARGE, "nasty": NASTY_INPUT, "not finite": NOT_FINITE}
ALL = [
    pytest.param(name, given, id=f"{name}-{kind}-{i}")
    for kind, table in KINDS.items()
    for name, inputs in table.items()
    for i, given in enumerate(inputs)
]


def test_the_samples_cover_the_table():
    for kind in ("typical", "tiny", "large", "nasty"):
        assert set(KINDS[kind]) == set(FIGURES)


@pytest.mark.parametrize(("name", "given"), ALL)
def test_draws(name, given):
    figure = FIGURES[name](*given)
    assert isinstance(figure, Figure)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    width, height = figure.get_size_inches()
    assert 2 <= width <= 16
    assert 0.3 <= height <= 16
    assert encode(figure, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize("name", FIGURES)
def test_same_input_same_bytes(name, suffix):
    given = TYPICAL[name][-1]
    figure = FIGURES[name](*given)
    first = encode(figure, suffix)
    assert len(first) > 1000
    assert encode(figure, suffix) == first
    assert encode(FIGURES[name](*given), suffix) == first


@pytest.mark.parametrize("name", FIGURES)
def test_nasty_text_in_vector_formats(name):
    for given in NASTY_INPUT[name]:
        figure = FIGURES[name](*given)
        for suffix in ("svg", "pdf"):
            assert len(encode(figure, suffix)) > 1000


def words(figure):
    """Every text but the labels of ticks, of which matplotlib keeps some outside the page and never draws them."""
    yield from figure.texts
    for axes in figure.axes:
        yield from (*axes.texts, axes._left_title, axes.xaxis.label, axes.yaxis.label)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_is_cut_off(name):
    seen = 0
    for given in TYPICAL[name] + NASTY_INPUT[name]:
        figure = FIGURES[name](*given)
        figure.draw_without_rendering()  # places of texts beside a picture are known after its aspect is applied
        for text in words(figure):
            box = text.get_window_extent()
            inside = min(box.x0, box.y0) >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
            assert inside or not text.get_text(), (text.get_text(), box.extents, figure.bbox.extents)
            seen += bool(text.get_text())
    assert seen > 3


@pytest.mark.parametrize("name", FIGURES)
def test_arrays_are_not_changed(name):
    def arrays(part):
        if isinstance(part, np.ndarray):
            return [part]
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ()
        return [array for inner in inside for array in arrays(inner)]

    before = [array.copy() for array in arrays(TYPICAL[name])]
    assert before
    for given in TYPICAL[name]:
        FIGURES[name](*given)
    for old, new in zip(before, arrays(TYPICAL[name]), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_described(name):
    assert FIGURES[name].__name__ == name
    assert len(inspect.getdoc(FIGURES[name])) > 100


def test_encode_takes_a_dot_and_capitals_and_refuses_other_formats():
    figure = FIGURES["confusion"](np.array([[2, 1], [0, 3]]), ())
    assert encode(figure, ".PNG") == encode(figure, "png")
    with pytest.raises(UsageError, match=r"'\.bmp'.*\.png, \.svg or \.pdf"):
        encode(figure, ".bmp")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_no_date_and_no_program_in_the_bytes(suffix):
    data = encode(FIGURES["confusion"](np.array([[2, 1], [0, 3]]), ()), suffix)
    for word in (b"Date", b"date>", b"Software", b"matplotlib v", b"Matplotlib v"):
        assert word not in data


def test_hundreds_of_filters_are_quick():
    start = time.process_time()
    encode(FIGURES["filters"](*LARGE["filters"][0]), "png")
    assert time.process_time() - start < 4


FRESH = """
import hashlib, sys
import numpy as np
from deepnet.figures import encode, history, confusion
stages = [{"stage": f"layer {i}", "epoch": [1, 2, 3], "metrics": {"a": [3, 2, i], "b": [i, 0, 1]}} for i in (1, 2, 3)]
data = encode(history(stages), "svg") + encode(confusion(np.eye(3, dtype=int), ()), "pdf")
print(hashlib.sha256(data).hexdigest(), "matplotlib.pyplot" in sys.modules)
"""


def test_same_bytes_in_every_run_and_no_pyplot(tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nbackend: pdf\ntext.usetex: True\n")
    found = set()
    for settings in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "MATPLOTLIBRC": str(tmp_path)}):
        run = subprocess.run(
            [sys.executable, "-c", FRESH], env={**os.environ, **settings}, capture_output=True, text=True, check=True
        )
        found.add(run.stdout)
    assert len(found) == 1
    assert found.pop().endswith(" False\n")

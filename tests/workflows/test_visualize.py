"""visualize: a picture a kind, for every kind of model, with the same bits each time; a page, a GIF, numbers, text."""

import dataclasses
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from deepnet import checkpoint, evaluation, workflows
from deepnet.cli.terminal import KINDS as TERMINAL
from deepnet.cli.terminal import Screen
from deepnet.errors import UsageError
from deepnet.figures import FIGURES, SECTIONS
from deepnet.nn.ascent import ascend
from deepnet.nn.network import Network
from deepnet.workflows import dreams, growth, kinds, maps, models, retrieval, views
from deepnet.workflows.sources import open_split

PNG = b"\x89PNG\r\n\x1a\n"
ALWAYS = {"summary", "history", "filters", "features", "histograms", "codes"}  # of these models, with data
KINDS = {
    "stack": ALWAYS | {"reconstructions", "samples"},
    "net": ALWAYS | {"gradients", "landscape", "confusion", "mistakes", "calibration"},
    "coder": ALWAYS | {"gradients", "landscape", "reconstructions"},
    "house_net": ALWAYS | {"gradients", "landscape"},
    "flower_net": ALWAYS | {"gradients", "landscape", "confusion", "mistakes", "calibration"},
}
REASONS = {  # why the others are not, one sentence with what is needed
    "gradients": "run deepnet finetune",
    "landscape": "deepnet finetune makes a network of it",
    "confusion": "deepnet finetune makes one",
    "mistakes": "deepnet finetune makes one",
    "calibration": "deepnet finetune makes one",
    "reconstructions": "give an autoencoder or a stack",
    "samples": "give the file that deepnet pretrain made",
}
LABELS = {"house_net": "price", "flower_net": "kind, as told"}


def test_a_reason_is_known_for_every_kind_that_may_lack():
    assert set().union(*KINDS.values()) == set(kinds.KINDS) == set(FIGURES) == set(SECTIONS) == set(TERMINAL)
    assert set(REASONS) == set(FIGURES) - ALWAYS


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_a_model_allows(name, request, call, tmp_path):
    model = request.getfixturevalue(name)
    source = {"house_net": "houses", "flower_net": "flowers"}.get(name, "digits")
    words = ["--label", LABELS[name]] if name in LABELS else []
    done = call("visualize", model, request.getfixturevalue(source), *words, "-o", f"{tmp_path}/pictures/")
    assert done.code == 0, done.err
    assert {Path(line).stem for line in done.out.split()} == KINDS[name]
    assert sorted(path.stem for path in (tmp_path / "pictures").iterdir()) == sorted(KINDS[name])
    for path in (tmp_path / "pictures").iterdir():
        assert path.read_bytes().startswith(PNG)


def test_without_data_what_needs_none(net, call, tmp_path):
    done = call("visualize", net, "-o", f"{tmp_path}/p/")
    without = {"filters", "features", "history", "gradients", "histograms", "summary"}
    assert {Path(line).stem for line in done.out.split()} == without


@pytest.mark.parametrize(("suffix", "start"), [("png", PNG), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_file_of_each_type_with_one_result(suffix, start, net, call, tmp_path):
    for name in ("a", "b"):
        assert call("visualize", net, "-o", tmp_path / f"{name}.{suffix}", "--kind", "history").code == 0
    made = (tmp_path / f"a.{suffix}").read_bytes()
    assert made.startswith(start)
    assert (tmp_path / f"b.{suffix}").read_bytes() == made


def test_pictures_are_not_overwritten_unasked(net, call, tmp_path):
    words = ["visualize", net, "-o", f"{tmp_path}/p/", "--kind", "summary,history"]
    assert call(*words).code == 0
    done = call(*words)
    assert done.code == 2
    assert "--force" in done.err
    assert call(*words, "--force").code == 0


def test_an_ending_that_no_figure_has_is_refused_before_a_kind_is_drawn(net, tmp_path):
    output, shown = tmp_path / "a.exe", []
    with pytest.raises(UsageError, match=r"cannot be written as 'exe'; end the output's name with \.png"):
        workflows.visualize(net, None, str(output), kind=("filters",), show=lambda *given: shown.append(given))
    with pytest.raises(UsageError, match=r"cannot be written as 'exe'"):
        workflows.compare("no.npz", ("no.h5", "nor.h5"), str(output))
    assert shown == []


def test_a_model_that_was_cut_can_be_seen(digits, cut, call, tmp_path):
    """Before its first epoch is over, and in the second layer."""
    for minibatches in (2, 7):
        path = tmp_path / f"{minibatches}.h5"
        list(workflows.pretrain(digits, str(path), layers=(12, 6), epochs=(1,), stop=cut(minibatches)))
        done = call("visualize", path, "-o", f"{tmp_path}/{minibatches}/")
        assert done.code == 0, done.err
        assert "filters" in done.out


def test_gradients_are_refused_where_there_are_none(stack, net, call, tmp_path):
    """Of a stack, and of a network whose file was made before they were kept."""
    model = checkpoint.load(net)
    stages = {stage: kinds.metrics_of(part) for stage, part in model.history.items()}
    checkpoint.save(str(tmp_path / "old.h5"), dataclasses.replace(model, history=stages))
    for path in (stack, tmp_path / "old.h5"):
        done = call("visualize", path, "-o", tmp_path / "g.png", "--kind", "gradients")
        assert done.code == 2
        assert "--kind gradients: this model's history tells none" in done.err
        assert "gradients.png" not in call("visualize", path, "-o", f"{tmp_path}/{Path(path).stem}/").out


def test_stages_stand_in_the_order_they_were_run():
    stages = ["fine-tuning", "output layer alone", "fine-tuning 2", "layer 10", "layer 2", "output layer alone 1",
              "fine-tuning 1"]  # fmt: skip
    assert sorted(stages, key=kinds.natural) == [
        "layer 2", "layer 10", "output layer alone 1", "fine-tuning 1", "fine-tuning 2", "output layer alone",
        "fine-tuning",
    ]  # fmt: skip


def test_histories_show_metrics_only(net):
    (series,) = kinds._history(kinds.View(checkpoint.load(net), "classify"))
    assert [entry["stage"] for entry in series] == ["layer 1", "layer 2", "fine-tuning"]
    assert set(series[-1]["metrics"]) == {"training error", "training loss", "validation error", "validation loss"}
    ((stage, norms),) = kinds._gradients(kinds.View(checkpoint.load(net), "classify"))[0]
    assert (stage, list(norms)) == ("fine-tuning", [1, 2, 3])


def test_the_maps_of_an_autoencoder_know_its_classes_and_errors(coder, digits, call, tmp_path):
    """Labels are read for them although reconstruction needs none; the numbers are those of plain code."""
    done = call("visualize", coder, digits, "-o", tmp_path / "codes.png", "--kind", "codes", "--json")
    found = json.loads(done.out)
    assert found["written"] == [str(tmp_path / "codes.png")]
    assert found["neighbour_cases"] == 200
    model = checkpoint.load(coder)
    with np.load(digits) as arrays:
        x, labels = arrays["x_test"].reshape(200, -1).astype(np.float32) / np.float32(255), arrays["y_test"]
        train = arrays["x_train"].reshape(500, -1).astype(np.float32) / np.float32(255)
    code = models.coder(model).all(lambda rows, out: np.copyto(out, x[rows]), 200)
    pca = evaluation.PCA(784, 20)
    pca.add(train)
    plain = pca.fit().codes(x)
    for word, points in (("code", code), ("pca", plain), ("pca_map", plain[:, :2])):
        assert found[f"{word}_neighbour_error"] == pytest.approx(evaluation.neighbour_error(points, labels), abs=0.005)
    assert found["code_map_neighbour_error"] > found["code_neighbour_error"]


@pytest.mark.parametrize(("width", "words"), [(1, "height tells nothing"), (2, "two units"), (3, "of 3 units")])
def test_codes_of_any_width_have_a_map(width, words, digits, tmp_path):
    path = str(tmp_path / "stack.h5")
    list(workflows.pretrain(digits, path, layers=(width,), epochs=(1,)))
    model = checkpoint.load(path)
    dataset, cases, _ = open_split(model, path, digits, None, "test", None, ())
    panels, _, names, facts = maps.codes(model, dataset, cases)
    assert [points.shape for _, points in panels] == [(200, 2)] * 2
    assert words in panels[1][0]
    assert all("nearest neighbour wrong" in title for title, _ in panels)
    assert names == list("0123456789")
    assert ("code_map_neighbour_error" in facts) == (width > 2)
    assert f"{100 * facts['code_neighbour_error']:.1f} %" in panels[1][0]


def test_maps_without_classes_tell_no_errors(houses, house_net, call, tmp_path):
    done = call(
        "visualize", house_net, houses, "--label", "price", "-o", tmp_path / "c.png", "--kind", "codes", "--json"
    )
    assert done.code == 0
    assert not any("neighbour" in name for name in json.loads(done.out))
    labels, names = retrieval.classes_of(np.arange(500), np.arange(500), ())  # a column of numbers, one a case
    assert (labels, names) == (None, [])


class Reader(HTMLParser):
    """What a page holds: pictures, links, anchors, and anything that would be loaded or run."""

    def __init__(self):
        super().__init__()
        self.pictures, self.links, self.anchors, self.foreign = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.pictures.append(attrs)
        if tag == "a":
            self.links.append(attrs["href"].lstrip("#"))
        if "id" in attrs:
            self.anchors.append(attrs["id"])
        given = [attrs[name] for name in ("src", "href", "srcset", "action") if name in attrs]
        outside = not all(link.startswith(("data:image/", "#")) for link in given)
        if tag in ("script", "link", "iframe", "object", "embed") or outside or any(n.startswith("on") for n in attrs):
            self.foreign.append((tag, attrs))


@pytest.mark.parametrize("name", ["stack", "net", "flower_net"])
def test_the_page_holds_every_kind_and_nothing_foreign(name, request, call, tmp_path):
    source = request.getfixturevalue({"flower_net": "flowers"}.get(name, "digits"))
    words = ["--label", LABELS[name]] if name in LABELS else []
    model = request.getfixturevalue(name)
    done = call("visualize", model, source, *words, "-o", tmp_path / "report.html")
    assert (done.code, done.out) == (0, f"{tmp_path}/report.html\n"), done.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    found = Reader()
    found.feed(page)
    assert not found.foreign
    assert KINDS[name] <= set(found.anchors)
    assert not (set(FIGURES) - KINDS[name]) & set(found.anchors)
    assert set(found.links) <= set(found.anchors)
    assert all(attrs["src"].startswith("data:image/") and len(attrs["alt"]) > 15 for attrs in found.pictures)
    assert len(found.pictures) >= len(KINDS[name])
    for kind in set(FIGURES) - KINDS[name]:
        assert f"<b>{SECTIONS[kind].title}</b>: " in page
        assert REASONS[kind] in page
    loaded = checkpoint.load(model)
    assert loaded.digest in page
    assert (loaded.provenance.get("parent") or loaded.digest) in page
    assert f"deepnet {'finetune' if name == 'stack' else 'evaluate'} " in page
    assert ("some or all of which it was trained on" in page) == (name == "flower_net")
    assert f"pictures show {'all its 240 cases,' if name == 'flower_net' else 'the 200 test cases.'}" in page


def test_a_page_has_the_same_bytes_and_what_is_asked_for_alone(net, digits, call, tmp_path):
    for name in ("a.html", "b.html"):
        done = call("visualize", net, digits, "-o", tmp_path / name, "--kind", "confusion,calibration", "--json")
        assert done.code == 0, done.err
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    page = Reader()
    page.feed((tmp_path / "a.html").read_text())
    assert "filters" not in page.anchors
    told, measured = json.loads(done.out), json.loads(call("evaluate", net, digits, "--json").out)
    assert told["error"] == measured["error"]
    assert 0 <= told["calibration_error"] <= 1


@pytest.mark.parametrize("name", KINDS)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(name, request, call, tmp_path):
    source = request.getfixturevalue({"house_net": "houses", "flower_net": "flowers"}.get(name, "digits"))
    words = ["--label", LABELS[name]] if name in LABELS else []
    for kind in sorted(set(FIGURES) - KINDS[name]):
        done = call(
            "visualize", request.getfixturevalue(name), source, *words, "-o", tmp_path / "x.png", "--kind", kind
        )
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert f"--kind {kind}: " in done.err
        assert REASONS[kind] in done.err
    assert not list(tmp_path.iterdir())


def test_margins_are_no_probabilities(net):
    loaded = checkpoint.load(net)
    margins = dataclasses.replace(loaded.model, loss="squared_hinge")
    view = kinds.View(dataclasses.replace(loaded, model=margins), "classify", cases=object())
    assert "margins, no probabilities" in kinds.KINDS["calibration"].lacks(view)
    assert kinds.KINDS["mistakes"].lacks(view) is None


def test_samples_move_in_a_gif_with_the_same_bytes(stack, digits, net, call, tmp_path):
    for name in ("a.gif", "b.gif"):
        assert call("visualize", stack, digits, "-o", tmp_path / name, "--kind", "samples").code == 0
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as moving:
        assert moving.n_frames == len(dreams.LOOKS)
        first = np.asarray(moving.convert("RGB"))
        moving.seek(moving.n_frames - 1)
        assert not np.array_equal(first, np.asarray(moving.convert("RGB")))
    done = call("visualize", net, digits, "-o", tmp_path / "c.gif", "--kind", "confusion")
    assert (done.code, "--kind samples" in done.err) == (2, True)


@pytest.fixture(scope="module")
def grown(digits, folder):
    """A stack of the digits after 1, 2 and 5 epochs."""
    paths = [str(folder / f"grown-{epochs}.h5") for epochs in (1, 2, 5)]
    for path, epochs in zip(paths, (1, 2, 5), strict=True):
        list(workflows.pretrain(digits, path, layers=(12,), epochs=(epochs,), batch_size=(50,)))
    return paths


def test_filters_grow_in_a_gif_with_the_same_bytes(grown, call, tmp_path):
    *earlier, model = grown
    for name in ("a.gif", "b.gif"):
        words = ("--kind", "filters", "--earlier", ",".join(earlier), "-o", tmp_path / name)
        done = call("visualize", model, *words)
        assert (done.code, done.out) == (0, f"{tmp_path / name}\n"), done.err
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as moving:
        assert moving.n_frames == 3
        red = []
        for frame in range(3):
            moving.seek(frame)
            pixels = np.asarray(moving.convert("RGB")).astype(int)
            red.append(np.abs(pixels[..., 0] - pixels[..., 2]).sum())
    assert red == sorted(red)
    assert red[0] < 0.9 * red[2]  # colours come as weights grow, which one scale a picture would hide


def test_states_of_growth_are_the_model_s_own(grown):
    """A line tells the epochs; the beginning of a longer run is a shorter one."""
    model = checkpoint.load(grown[-1])
    found, shape = growth.states(views.of(model, grown[-1], None, None, ()), grown[-1], grown[:-1])
    lines = ["After 1 epoch of layer 1", "After 2 epochs of layer 1", "After 5 epochs of layer 1"]
    assert [line for line, _ in found] == lines
    assert shape == (28, 28)
    for path, (_, ((title, weights),)) in zip(grown, found, strict=True):
        assert title == "layer 1: 12 units"
        np.testing.assert_array_equal(weights, checkpoint.load(path).arrays[0]["W"].T)
    errors = [checkpoint.load(path).history["layer 1"]["reconstruction_error"] for path in grown]
    assert list(errors[0]) == list(errors[2][:1])
    assert list(errors[1]) == list(errors[2][:2])


def test_a_line_tells_every_stage_in_its_order(net):
    model = checkpoint.load(net)
    assert growth._line(model) == "After 3 epochs of layer 1, 3 of layer 2, 4 of fine-tuning"
    assert growth._line(dataclasses.replace(model, history={})) == "Before the end of the first epoch"


def test_what_is_no_earlier_state_is_refused_by_name(grown, stack, net, digits, call, tmp_path):
    with np.load(digits) as arrays:
        np.savez(tmp_path / "others.npz", **{name: array[:100] for name, array in arrays.items()})
    others = str(tmp_path / "others.h5")
    list(workflows.pretrain(str(tmp_path / "others.npz"), others, layers=(12,), epochs=(1,)))
    growing = ("--kind", "filters", "-o", tmp_path / "g.gif")
    cases = [
        (others, growing, "others.h5 has learned from other data than "),
        (stack, growing, "stack.h5 (stack 784-40-20) has other filters than "),
        (net, growing, "784-40-20-10) has other filters than "),
        (digits, growing, "digits.npz is not an HDF5 file"),
        ("gone.h5", growing, "gone.h5"),
        (grown[0], ("--kind", "filters", "-o", tmp_path / "g.png"), "--kind filters -o growing.gif"),
        (grown[0], ("--kind", "samples", "-o", tmp_path / "g.gif"), "--kind filters -o growing.gif"),
        (grown[0], (*growing, "--terminal"), "--terminal shows one file; leave out --earlier"),
        (grown[0], (*growing, "--data-out", tmp_path / "g.json"), "--data-out tells the numbers of one file"),
        (grown[0], ("--kind", "filters", "--data-out", tmp_path / "g.json"), "--kind filters -o growing.gif"),
        (None, ("--kind", "filters", "-o", tmp_path / "g.bmp"), "cannot be written as 'bmp'"),
        (None, ("--kind", "filters", "-o", ""), "--output is empty; give a name"),
        (None, ("--kind", "filters", "--data-out", ""), "--data-out is empty; give a name"),
        (None, ("--kind", "filters", "-o", "-"), "output - is stdout, where only predict writes"),
        (grown[0], ("--kind", "filters", "-o", grown[0], "--force"), "--kind filters -o growing.gif"),
        (None, growing, "--earlier first.h5,second.h5"),
    ]
    for earlier, words, told in cases:
        done = call("visualize", grown[-1], *words, *(() if earlier is None else ("--earlier", earlier)))
        assert done.code == (4 if earlier in (digits, "gone.h5") else 2), done.err
        assert done.err.count("\n") == 1
        assert told in done.err
    assert not list(tmp_path.glob("g.*"))


def test_an_autoencoder_grows_from_the_stack_it_was_made_of(stack, coder, call, tmp_path):
    done = call("visualize", coder, "--kind", "filters", "--earlier", stack, "-o", tmp_path / "g.gif")
    assert done.code == 0, done.err
    with Image.open(tmp_path / "g.gif") as moving:
        assert moving.n_frames == 2
    done = call("visualize", coder, "--kind", "filters", "--earlier", stack, "-o", stack, "--force")
    assert (done.code, Path(stack).read_bytes()[:4]) == (2, b"\x89HDF")


def test_the_numbers_are_those_that_are_drawn(net, digits, call, tmp_path):
    done = call("visualize", net, digits, "--data-out", tmp_path / "n.json", "--kind", "confusion,history,calibration")
    assert (done.code, done.out) == (0, f"{tmp_path}/n.json\n"), done.err
    found = json.loads((tmp_path / "n.json").read_text())
    model = checkpoint.load(net)
    assert found["schema"] == "deepnet.figures/1"
    assert found["model"] == model.digest
    assert set(found["kinds"]) == {"confusion", "history", "calibration"}
    measured = json.loads(call("evaluate", net, digits, "--json").out)
    assert found["kinds"]["confusion"]["matrix"] == measured["confusion"]
    told = next(part for part in found["kinds"]["history"]["series"] if part["stage"] == "fine-tuning")
    np.testing.assert_allclose(told["metrics"]["training loss"], model.history["fine-tuning"]["training_loss"], 1e-6)
    assert sum(found["kinds"]["calibration"]["counts"]) == 200
    again = call("visualize", net, digits, "--data-out", tmp_path / "n.json", "--kind", "confusion")
    assert (again.code, "--force" in again.err) == (2, True)


@pytest.mark.parametrize(("name", "source"), [("stack", "digits"), ("net", "digits"), ("flower_net", "flowers")])
def test_every_kind_is_shown_as_text_within_the_width(name, source, request, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    words = ["--label", LABELS[name]] if name in LABELS else []
    done = call("visualize", request.getfixturevalue(name), request.getfixturevalue(source), *words, "--terminal")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert KINDS[name] <= set(lines)
    assert max(map(len, lines)) <= 60
    assert "\x1b" not in done.out
    assert "▁" in done.out


def test_half_blocks_have_the_colours_of_two_pixels():
    """A picture two by two in colours: each character has the upper pixel before the lower one."""
    console = Console(force_terminal=True, no_color=False, color_system="truecolor", width=40, file=io.StringIO())
    text = Screen(console).draw(
        "reconstructions", {"rows": [("one", np.array([[0.0, 1.0, 1.0, 0.0]]))], "shape": (2, 2)}
    )
    black, white = "0;0;0", "255;255;255"
    assert f"38;2;{black};48;2;{white}m▀" in text
    assert f"38;2;{white};48;2;{black}m▀" in text
    plain = Console(force_terminal=True, no_color=True, width=40, file=io.StringIO())
    shades = Screen(plain).draw(
        "reconstructions", {"rows": [("one", np.array([[0.0, 1.0, 0.0, 1.0]]))], "shape": (2, 2)}
    )
    assert " █ " in shades
    assert "38;2" not in shades


@pytest.mark.parametrize("shape", [(3, 3), (9,)])
def test_mistakes_have_their_classes_beside_them(shape):
    screen = Screen(Console(no_color=True, width=60, file=io.StringIO()))
    numbers = {"cases": np.eye(9)[:2], "true": ["a", "b"], "predicted": ["b", "c"], "sure": [0.9, 0.8], "rows": [0, 1],
               "shape": shape, "wrong": (2, 9), "probable": True}  # fmt: skip
    text = screen.draw("mistakes", numbers)
    assert "a>b" in text
    assert "b>c" in text


@pytest.mark.parametrize(("words", "told"), [((), "--terminal"), (("--terminal", "--json"), "leave one")])
def test_text_needs_a_place_of_its_own(words, told, net, call):
    done = call("visualize", net, *words)
    assert done.code == 2
    assert told in done.err


def test_a_unit_s_favourite_input_beats_its_filter_and_chance(net, digits):
    """At the length given each z is larger than at the projected filter, and than at any of the cases so scaled."""
    model = checkpoint.load(net)
    reader = models.whole(model)
    first, second = (own["W"] for own in model.arrays[:2])
    units, length = np.arange(20), 8.0
    below = Network(reader.network.layers[:2], reader.network.loss)
    start = (first @ second).T[units]
    found = ascend(below, reader.parts[:2], units, start, length)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), length, rtol=1e-5)

    def z(x):
        hidden = 1 / (1 + np.exp(-(x @ first + model.arrays[0]["b"])))
        return hidden @ second + model.arrays[1]["b"]

    scaled = start / np.linalg.norm(start, axis=1, keepdims=True) * length
    assert (z(found)[units, units] >= z(scaled)[units, units] - 1e-3).all()
    _, cases, _ = open_split(model, net, digits, "classify", "test", None, ())
    x = views.View(model, "classify", None, cases).rows(np.arange(200))
    x = x / np.linalg.norm(x, axis=1, keepdims=True) * length
    assert (z(found)[units, units] > z(x)[:, units].max(axis=0)).all()


BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
WRAP = """<iframe id="f" width="360" height="700" src="report.html"></iframe><script>onload = () => {
const page = document.getElementById("f").contentDocument
const bad = [...page.images].filter(i => !i.naturalWidth).length
const root = page.documentElement
document.title = [root.clientWidth, root.scrollWidth, page.images.length, bad]}</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_browser_shows_the_page_without_a_word_and_without_scrolling_sideways(net, digits, call, tmp_path):
    assert call("visualize", net, digits, "-o", tmp_path / "report.html").code == 0
    (tmp_path / "wrap.html").write_text(WRAP)
    words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/browser", "--dump-dom"]
    words += ["--allow-file-access-from-files", "--enable-logging=stderr", f"file://{tmp_path}/wrap.html"]
    run = subprocess.run([BROWSER, *words], capture_output=True, text=True, timeout=120, check=False)
    title = re.search(r"<title>(.*)</title>", run.stdout)
    assert title, run.stderr[-500:]
    inside, wide, pictures, broken = map(int, title[1].split(","))
    assert wide <= inside
    assert (pictures > 10, broken) == (True, 0)
    assert "CONSOLE" not in run.stderr
    paper = ["--no-pdf-header-footer", f"--print-to-pdf={tmp_path}/report.pdf", f"file://{tmp_path}/report.html"]
    subprocess.run([BROWSER, *words[:4], *paper], capture_output=True, timeout=120, check=True)
    pages = (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n")
    assert 3 < pages < 15

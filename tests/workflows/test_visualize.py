"""visualize: a picture a kind, for every kind of model, with the same bits each time."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, evaluation, workflows
from deepnet.workflows import kinds, maps, models, retrieval
from deepnet.workflows.sources import open_split

PNG = b"\x89PNG\r\n\x1a\n"
KINDS = {
    "stack": {"filters", "history", "reconstructions", "codes", "summary"},
    "net": {"filters", "history", "gradients", "confusion", "codes", "summary"},
    "coder": {"filters", "history", "gradients", "reconstructions", "codes", "summary"},
    "house_net": {"filters", "history", "gradients", "codes", "summary"},
    "flower_net": {"filters", "history", "gradients", "confusion", "codes", "summary"},
}
LABELS = {"house_net": "price", "flower_net": "kind, as told"}


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
    assert {Path(line).stem for line in done.out.split()} == {"filters", "history", "gradients", "summary"}


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
    assert sorted(stages, key=kinds._natural) == [
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

"""Contrast, projections and jitter: what minibatches hold, what a model keeps, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deepnet import checkpoint, data, evaluation, files, workflows
from deepnet.checkpoint import PROJECTIONS
from deepnet.data import Cases, Dataset
from deepnet.errors import DataError, OutputError, UsageError
from deepnet.kernels import bfloat16, operands, random
from deepnet.kernels.minibatch import CONTRASTS
from deepnet.workflows import feeds, insides, kinds, models, preparing, views

ASKED = {"pca": 30, "zca": 0.1}


@pytest.fixture(scope="module")
def dataset(digits):
    return data.load(digits, task="classify")


def read(dataset, preparation, split="train"):
    """All prepared cases of a split, minibatch by minibatch."""
    inputs = dataset.splits[split].inputs
    feed = feeds.visible_feed(inputs, preparation)
    out = operands.matrix(len(inputs), preparation.width)
    for rows in np.array_split(np.arange(len(inputs)), min(7, len(inputs))):
        feed(rows, out[rows[0] : rows[-1] + 1])
    return out


def contrasted(x, name):
    """In plain NumPy."""
    if name is None:
        return x
    x = x - x.mean(axis=1, keepdims=True)
    size = np.abs(x).mean(axis=1) if name == "l1" else x.std(axis=1)
    return x / size[:, None]


def test_the_table_has_every_projection():
    assert tuple(ASKED) == PROJECTIONS


@pytest.mark.parametrize("name", [None, *CONTRASTS])
@pytest.mark.parametrize("scale", ["auto", "standard"])
@pytest.mark.parametrize("projection", [None, *PROJECTIONS])
def test_minibatches_are_what_numpy_makes(projection, scale, name, dataset):
    """Scaling, then contrast, then projection, each in float64 from the raw numbers."""
    asked = ({"contrast": name} if name else {}) | ({projection: ASKED[projection]} if projection else {})
    p = preparing.prepare(dataset, scale, "linear", asked)
    raw = {key: cases.inputs.astype(np.float64) for key, cases in dataset.splits.items()}
    if scale == "auto":
        raw = {key: x / 255 for key, x in raw.items()}
    else:
        mean, deviation = raw["train"].mean(axis=0), raw["train"].std(axis=0)
        raw = {key: (x - mean) / np.where(deviation > 0, deviation, 1) for key, x in raw.items()}
    plain = {key: contrasted(x, name) for key, x in raw.items()}
    centre = plain["train"].mean(axis=0)
    values, basis = np.linalg.eigh(np.cov(plain["train"].T, bias=True))
    for split in ("train", "test"):
        found, expected = read(dataset, p, split), plain[split]
        if projection == "pca":
            own = basis[:, ::-1][:, :30]
            expected = (expected - centre) @ (own * np.sign(own[np.abs(own).argmax(axis=0), np.arange(30)]))
        elif projection == "zca":
            expected = (expected - centre) @ (basis / np.sqrt(np.maximum(values, 0) + 0.1)) @ basis.T
        assert found.shape == expected.shape == (len(expected), p.width)
        np.testing.assert_allclose(found, expected, atol=2e-4 * max(1, np.abs(expected).max()))
    assert p.only_scaled == (not asked)


def test_what_components_are(dataset):
    """Training cases have no mean and no covariance along them, and the larger variances first."""
    p = preparing.prepare(dataset, "auto", "linear", {"pca": 30})
    x = read(dataset, p).astype(np.float64)
    covariance = np.cov(x.T, bias=True)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-5)
    assert (np.diff(np.diag(covariance)) < 0).all()
    np.testing.assert_allclose(p.projection.matrix.T @ p.projection.matrix, np.eye(30), atol=1e-5)


def test_what_whitening_makes(dataset):
    """Covariance U (v / (v + e)) U', by a symmetric matrix; undone, the cases are back."""
    p = preparing.prepare(dataset, "auto", "linear", {"zca": 0.1})
    before = dataset.splits["train"].inputs / 255
    values, basis = np.linalg.eigh(np.cov(before.T, bias=True))
    white = read(dataset, p)
    expected = (basis * (values / (values + 0.1))) @ basis.T
    np.testing.assert_allclose(np.cov(white.T.astype(float), bias=True), expected, atol=1e-5)
    np.testing.assert_allclose(p.projection.matrix, p.projection.matrix.T, atol=1e-6)
    np.testing.assert_allclose(preparing.to_columns(p, white), before, atol=1e-4)


def test_components_brought_back_are_pca_s_reconstruction(dataset):
    p = preparing.prepare(dataset, "auto", "linear", {"pca": 30})
    x = (dataset.splits["train"].inputs / 255).astype(np.float32)
    pca = evaluation.PCA(784, 30)
    pca.add(x)
    back = preparing.to_columns(p, read(dataset, p))
    np.testing.assert_allclose(back, pca.fit().reconstruct(x), atol=1e-5)


def test_a_constant_case_has_no_contrast(dataset):
    flat = Dataset("flat", {"train": Cases(np.full((3, 4), 7, np.uint8))}, shape=(4,))
    p = preparing.prepare(flat, "auto", "linear", {"contrast": "l2"})
    assert not read(flat, p).any()


@pytest.mark.skipif(not bfloat16.available(), reason="this CPU has no bfloat16 products")
def test_rounding_does_not_reach_the_preparation(dataset):
    p = preparing.prepare(dataset, "auto", "linear", {"pca": 30})
    plain = read(dataset, p)
    with operands.Rounding():
        np.testing.assert_array_equal(read(dataset, p), plain)


# What models made of prepared data are good for.
KINDS_OF_MODELS = {
    "classifier": {"layers": (20,), "pca": 30},
    "whitened": {"layers": (20,), "zca": 0.1, "contrast": "l1"},
    "autoencoder": {"layers": (20, 8), "task": "reconstruct", "pca": 30, "contrast": "l2"},
}


@pytest.mark.parametrize("name", KINDS_OF_MODELS)
def test_every_command_takes_such_a_model(name, digits, call, finish, tmp_path):
    path = str(tmp_path / "net.h5")
    words = KINDS_OF_MODELS[name]
    finish(workflows.finetune(digits, path, epochs=2, batch_size=100, valid="100", **words))
    model = checkpoint.load(path)
    width = words.get("pca", 784)
    assert model.model.inputs == model.preparation.width == width
    assert {key: model.config[key] for key in ("pca", "zca", "contrast") if key in model.config} == {
        key: words[key] for key in ("pca", "zca", "contrast") if key in words
    }
    facts = json.loads(call("evaluate", path, digits, "--json").out)
    reconstructs = words.get("task") == "reconstruct"
    assert ("squared_error" in facts) == reconstructs
    told = preparing.described(model.preparation)
    if reconstructs:
        assert facts["prepared"] == told == "auto, contrast l2, pca 784 to 30"
        assert 0 < facts["pca_squared_error"] < facts["mean_case_squared_error"]
    inspected = json.loads(call("inspect", path, "--json").out)
    assert inspected["prepared"] == told
    assert inspected["shape"] == [28, 28]
    rows = call("predict", path, digits, "--give", "reconstructions" if reconstructs else "codes").out.splitlines()
    assert len(rows[0].split(",")) == (width if reconstructs else 20)
    done = call("visualize", path, digits, "-o", f"{tmp_path}/pictures/")
    assert done.code == 0, done.err
    if not reconstructs:
        assert call("compare", digits, path, path).code == 0


def test_filters_are_what_acts_on_pixels(digits, dataset, finish, tmp_path):
    """A filter's product with a scaled image is the unit's input, less a constant."""
    path = str(tmp_path / "net.h5")
    finish(workflows.finetune(digits, path, layers=(20,), epochs=1, pca=30))
    model = checkpoint.load(path)
    (panel, *_), shape = insides.filters(views.View(model, "classify"))
    assert (panel[1].shape, shape) == ((20, 784), (28, 28))
    x = dataset.splits["test"].inputs / 255
    inputs = read(dataset, model.preparation, "test") @ model.arrays[0]["W"]
    apart = inputs - x @ panel[1].T
    np.testing.assert_allclose(apart, np.broadcast_to(apart[0], apart.shape), atol=1e-4)


def test_reconstructions_are_shown_as_images(digits, finish, tmp_path):
    path = str(tmp_path / "net.h5")
    finish(workflows.finetune(digits, path, layers=(8,), task="reconstruct", epochs=1, pca=30))
    dataset = data.load(digits)
    view = views.View(checkpoint.load(path), "reconstruct", dataset, dataset.splits["test"])
    rows, shape = kinds._reconstructions(view)
    assert shape == (28, 28)
    assert [cases.shape for _, cases in rows] == [(20, 784)] * 3


def test_a_child_has_its_parent_s_preparation(digits, finish, tmp_path):
    """Through a stack to a classifier and to an autoencoder; other preparation is refused."""
    stack, net, coder = (str(tmp_path / f"{name}.h5") for name in ("stack", "net", "coder"))
    words = {"visible": "linear", "layers": (20, 10), "epochs": (1,), "learning_rate": ("0.001",)}
    finish(workflows.pretrain(digits, stack, pca=30, contrast="l2", **words))
    parent = checkpoint.load(stack).preparation
    for path, task in ((net, "classify"), (coder, "reconstruct")):
        finish(workflows.finetune(digits, path, start=stack, task=task, epochs=1, learning_rate="0.001"))
        p = checkpoint.load(path).preparation
        assert (p.contrast, p.projection.kind) == ("l2", "pca")
        np.testing.assert_array_equal(p.projection.matrix, parent.projection.matrix)
    assert checkpoint.load(coder).model.outputs == 30
    for asked in ({"pca": 20}, {"zca": 0.1}, {"contrast": "l2"}):
        with pytest.raises(UsageError, match="--from prepares data as its file remembers and --"):
            finish(workflows.finetune(digits, str(tmp_path / "x.h5"), start=stack, **asked))


def test_what_was_not_asked_for_leaves_no_trace(net, digits):
    model = checkpoint.load(net)
    assert model.preparation.only_scaled
    assert not {"contrast", "pca", "zca", "jitter"} & set(model.config)
    assert workflows.inspect(net)["prepared"] is None
    assert preparing.settings("none", None, None) == {}


@pytest.mark.parametrize("command", ["finetune", "pretrain"])
def test_a_cut_run_keeps_the_projection_of_its_file(command, digits, cut, finish, tmp_path, monkeypatch):
    """Where LAPACK's last bits are others, the run still ends in the same file."""
    words = {"layers": (10,), "pca": 9} | ({"visible": "linear", "epochs": (2,)} if command == "pretrain" else
                                           {"epochs": 2, "batch_size": 100})  # fmt: skip
    begin, one, two = getattr(workflows, command), str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    finish(begin(digits, one, **words))
    finish(begin(digits, two, **words, stop=cut(3)))
    plain = evaluation.PCA.fit

    def other(pca):
        found = plain(pca)
        found.basis = found.basis * (1 + 1e-6)
        return found

    monkeypatch.setattr(evaluation.PCA, "fit", other)
    finish(begin(digits, two, **words, resume=True))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


REFUSED = {
    "contrast of logistic visibles": (UsageError, {"contrast": "l2"}, "--contrast l2: logistic .* --visible linear"),
    "components of logistic visibles": (UsageError, {"pca": 5}, "--pca 5: logistic .* --visible linear"),
    "whitening of logistic visibles": (UsageError, {"zca": 0.1}, "--zca 0.1: logistic .* --visible linear"),
    "two projections": (UsageError, {"pca": 5, "zca": 0.1, "visible": "linear"}, "leave one of them"),
    "more components than columns": (UsageError, {"pca": 785, "visible": "linear"}, "give at most 499"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_of_preparation(name, digits, finish, tmp_path):
    kind, words, sentence = REFUSED[name]
    with pytest.raises(kind, match=sentence):
        finish(workflows.pretrain(digits, str(tmp_path / "a.h5"), layers=(5,), **words))
    assert list(tmp_path.iterdir()) == []


def test_components_of_one_case():
    one = Dataset("one", {"train": Cases(np.zeros((1, 4), np.uint8))}, shape=(4,))
    with pytest.raises(UsageError, match="leave it out"):
        preparing.prepare(one, "auto", "linear", {"pca": 1})


def test_more_columns_than_memory_can_hold(dataset, monkeypatch):
    monkeypatch.setattr(files.memory, "free_memory", lambda root: 1 << 20)
    with pytest.raises(OutputError, match="covariance of 784 columns"):
        preparing.prepare(dataset, "auto", "linear", {"zca": 0.1})


# Jitter.
def test_shifts_are_those_of_the_key(dataset):
    """Raw pixels move, zeros come in, then they are prepared; without a key, or without jitter, nothing moves."""
    p = preparing.prepare(dataset, "standard", "linear")
    inputs, rows = dataset.splits["train"].inputs, np.arange(40, 80)
    feed = feeds.visible_feed(inputs, p, 2)
    x, still = operands.matrix(40, 784), operands.matrix(40, 784)
    feed(rows, x, 17)
    shifts = random.shifts(17, 40, 2)
    padded = np.pad(inputs[rows].reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
    moved = np.stack([image[2 - d : 30 - d, 2 - r : 30 - r] for image, (d, r) in zip(padded, shifts, strict=True)])
    np.testing.assert_allclose(x, (moved.reshape(40, -1) - p.offset) / p.scale, rtol=1e-5, atol=1e-5)
    feed(rows, still, None)
    plain = operands.matrix(40, 784)
    feeds.visible_feed(inputs, p)(rows, plain, 17)
    np.testing.assert_array_equal(still, plain)
    assert not np.array_equal(x, still)


def test_an_autoencoder_restores_the_moved_image(dataset):
    p = preparing.prepare(dataset, "auto", "linear", {"pca": 30})
    cases, x, t = dataset.splits["train"], operands.matrix(9, 30), operands.matrix(9, 30)
    feeds.network_feed(cases, p, "reconstruct", jitter=3)(np.arange(9), x, t, 5)
    np.testing.assert_array_equal(x, t)


def test_training_moves_images_and_validation_does_not(digits, finish, tmp_path):
    """A rate of nearly 0 leaves the weights: the validation loss is that without jitter, the training loss is not."""
    words = {"layers": (10,), "epochs": 1, "valid": "100", "learning_rate": "1e-12"}
    plain = finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **words))[-1].result
    moved = finish(workflows.finetune(digits, str(tmp_path / "b.h5"), **words, jitter=3))[-1].result
    assert moved["validation_loss"] == pytest.approx(plain["validation_loss"], rel=1e-6)
    assert moved["training_loss"] != pytest.approx(plain["training_loss"], rel=1e-4)
    assert checkpoint.load(str(tmp_path / "b.h5")).config["jitter"] == 3


def test_channels_move_together(dataset):
    colours = replace(dataset, shape=(14, 14, 4))
    feeds.check_jitter(13, colours)
    assert feeds.image_of((14, 14, 4)) == (14, 14, 4)
    assert feeds.image_of((14, 14)) == (14, 14, 1)


def test_refusals_of_jitter(digits, flowers, dataset, finish, tmp_path):
    with pytest.raises(UsageError, match=r"--jitter 28 .* 28 x 28 pixels .* at most 27"):
        finish(workflows.finetune(digits, str(tmp_path / "a.h5"), layers=(5,), jitter=28))
    with pytest.raises(DataError, match=r"--jitter 1: .* shape \(4,\) and is no image"):
        finish(workflows.finetune(flowers, str(tmp_path / "a.h5"), layers=(5,), jitter=1, label="kind, as told"))
    with pytest.raises(UsageError, match="leave it out"):
        feeds.check_jitter(1, replace(dataset, shape=(1, 784)))
    with pytest.raises(DataError, match="is no image"):  # channels that come first
        feeds.check_jitter(1, replace(dataset, shape=(4, 14, 14)))
    assert list(tmp_path.iterdir()) == []
    feeds.check_jitter(0, data.load(flowers, label="kind, as told"))


def test_models_read_prepared_cases(digits, dataset, finish, tmp_path):
    """A reader's outputs are the network's on what NumPy prepares."""
    path = str(tmp_path / "net.h5")
    finish(workflows.finetune(digits, path, layers=(20,), units=("tanh",), epochs=1, pca=30, contrast="l1"))
    model = checkpoint.load(path)
    feed = feeds.visible_feed(dataset.splits["test"].inputs, model.preparation)
    codes = models.coder(model).all(feed, 200)
    x = read(dataset, model.preparation, "test").astype(float)
    np.testing.assert_allclose(codes, np.tanh(x @ model.arrays[0]["W"] + model.arrays[0]["b"]), atol=1e-5)

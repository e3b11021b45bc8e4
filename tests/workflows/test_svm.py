"""Classifiers of margins: trained, measured, predicted, told apart from those of probabilities."""

import csv
import io

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import UsageError
from deepnet.nn.losses import CLASSIFIERS, LOSSES, MARGINS, parse
from deepnet.workflows import sources
from deepnet.workflows.passes import losses_of

WORDS = {"layers": (30,), "units": ("relu",), "init": ("he",), "epochs": 8, "batch_size": 20}


@pytest.fixture(scope="module", params=MARGINS)
def margins(request, digits, tmp_path_factory):
    """A classifier by this loss, and the loss."""
    path = str(tmp_path_factory.mktemp("svm") / "svm.h5")
    for _ in workflows.finetune(digits, path, loss=f"{request.param}:2", valid="100", **WORDS):
        pass
    return path, request.param


def by_hand(path, digits):
    """z (N, 10) and classes of the test cases, written out."""
    model = checkpoint.load(path)
    good = np.load(digits)
    a = good["x_test"].reshape(200, -1).astype(float) / 255
    first, last = model.arrays
    z = np.maximum(a @ first["W"] + first["b"], 0) @ last["W"] + last["b"]
    return z, good["y_test"].astype(int)


def test_it_is_a_classifier(margins, digits):
    path, loss = margins
    model = checkpoint.load(path)
    assert model.model.loss == loss
    assert (model.config["loss"], model.config["C"]) == (loss, 2.0)
    assert sources.task_of(loss, model.preparation) == "classify"
    z, classes = by_hand(path, digits)
    short = np.maximum(1 - (2 * np.eye(10)[classes] - 1) * z, 0)
    facts = workflows.evaluate(path, digits)
    assert facts["error"] == pytest.approx(np.mean(z.argmax(axis=1) != classes))
    assert facts["error"] < 0.4
    assert facts[loss] == pytest.approx((short ** (2 if loss == "squared_hinge" else 1)).sum(axis=1).mean(), rel=1e-4)
    assert "cross_entropy" not in facts


def test_what_is_predicted(margins, digits, call):
    path, _ = margins
    z, _ = by_hand(path, digits)
    header, *rows = csv.reader(io.StringIO(call("predict", path, digits, "--give", "margins").out))
    assert header == [str(n) for n in range(10)]
    np.testing.assert_allclose(np.array(rows, float), z, rtol=1e-4, atol=1e-4)
    labels = call("predict", path, digits).out.split()[1:]
    assert labels == [str(n) for n in z.argmax(axis=1)]
    done = call("predict", path, digits, "--give", "probabilities")
    assert done.code == 2
    assert "has margins" in done.err


def test_a_softmax_has_no_margins(net, digits, call):
    done = call("predict", net, digits, "--give", "margins")
    assert done.code == 2
    assert "has probabilities" in done.err


def test_it_is_compared_and_drawn(margins, net, digits, tmp_path):
    path, _ = margins
    rows = workflows.compare(digits, (net, path))["models"]
    assert rows[1]["error"] == workflows.evaluate(path, digits)["error"]
    drawn = workflows.visualize(path, digits, f"{tmp_path}/")["written"]
    assert any(name.endswith("confusion.png") for name in drawn)


def test_a_resume_keeps_to_loss_and_C(digits, finish, cut, tmp_path):
    whole, path = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    finish(workflows.finetune(digits, whole, loss="squared_hinge:0.5", **WORDS))
    finish(workflows.finetune(digits, path, loss="squared_hinge:0.5", **WORDS, stop=cut(30)))
    for other in ("squared_hinge", "hinge:0.5", None):
        with pytest.raises(UsageError, match="was"):
            finish(workflows.finetune(digits, path, loss=other, **WORDS, resume=True))
    finish(workflows.finetune(digits, path, loss="squared_hinge:0.5", **WORDS, resume=True))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_small_C_holds_the_output_weights_and_no_others(digits, finish, tmp_path):
    lengths = {}
    for C in ("1", "0.001"):
        finish(workflows.finetune(digits, str(tmp_path / "a.h5"), loss=f"squared_hinge:{C}", **WORDS, force=True))
        arrays = checkpoint.load(str(tmp_path / "a.h5")).arrays
        lengths[C] = [np.linalg.norm(own["W"]) for own in arrays]
    assert lengths["0.001"][1] < 0.5 * lengths["1"][1]
    assert lengths["0.001"][0] > 0.8 * lengths["1"][0]


def test_the_default_is_as_it_was(digits, finish, tmp_path):
    finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **WORDS))
    finish(workflows.finetune(digits, str(tmp_path / "b.h5"), loss="cross_entropy", **WORDS))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    assert not {"loss", "C"} & set(checkpoint.load(str(tmp_path / "a.h5")).config)


def test_training_on_keeps_the_loss(margins, digits, finish, tmp_path):
    path, loss = margins
    words = {"start": path, "epochs": 1, "batch_size": 20}
    finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **words))
    found = checkpoint.load(str(tmp_path / "a.h5"))
    assert (found.model.loss, found.config["C"]) == (loss, 1.0)
    with pytest.raises(UsageError, match=f"made for {loss}"):
        finish(workflows.finetune(digits, str(tmp_path / "b.h5"), loss="cross_entropy", **words))


def test_what_cannot_be_asked_for(digits, finish, tmp_path):
    for words, part in (
        ({"loss": "hinge", "optimizer": "hessian_free"}, "corners"),
        ({"loss": "hinge", "optimizer": "lbfgs"}, "corners"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "has margins"),
        ({"loss": "hinge", "task": "reconstruct"}, "leave it"),
        ({"loss": "svdd"}, "one_class"),
    ):
        with pytest.raises(UsageError, match=part):
            finish(workflows.finetune(digits, str(tmp_path / "a.h5"), layers=(5,), epochs=1, **words))
    finish(workflows.finetune(digits, str(tmp_path / "a.h5"), layers=(5,), epochs=1, loss="squared_hinge",
                              optimizer="hessian_free"))  # fmt: skip


def test_mean_outputs_have_their_loss(digits, finish, tmp_path):
    finish(workflows.finetune(digits, str(tmp_path / "a.h5"), loss="squared_hinge", dropout=(0.2,), **WORDS))
    plain, mean = (workflows.evaluate(str(tmp_path / "a.h5"), digits, mc=mc) for mc in (None, 3))
    assert mean["squared_hinge"] != plain["squared_hinge"]
    z, t = np.array([[2, -3, 0.5]], np.float32), np.array([0])
    assert losses_of("squared_hinge", z, t) == pytest.approx([1.5**2])
    assert losses_of("hinge", z, t) == pytest.approx([1.5])


def test_how_losses_are_written():
    assert parse("squared_hinge:0.1") == ("squared_hinge", 0.1)
    assert parse("hinge") == ("hinge", 1.0)
    assert parse("cross_entropy") == ("cross_entropy", None)
    for text in ("hinges", "hinge:", "hinge:0", "hinge:-1", "hinge:nan", "hinge:inf", "hinge:x", "cross_entropy:1"):
        with pytest.raises(UsageError, match=f"--loss {text}: "):
            parse(text)
    assert all(LOSSES[name].counts == "wrong" for name in CLASSIFIERS)

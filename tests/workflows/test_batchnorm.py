"""finetune --batch-norm: faster from random weights, its file, and what it does not go with."""

import shutil

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import ModelError, UsageError
from deepnet.kernels import jit
from deepnet.workflows import models, objectives

WORDS = {"layers": (20, 10), "epochs": 2, "batch_size": 50, "batch_norm": True}


@pytest.fixture
def tune(digits):
    """finetune on the digits, from random weights."""
    return lambda path, **words: workflows.finetune(digits, str(path), **WORDS | words)


def statistics(model, digits):
    """Mean and deviation over all training cases of what each hidden layer's units take in, by plain NumPy."""
    with np.load(digits) as file:
        x = file["x_train"].reshape(len(file["x_train"]), -1) / 255.0
    for own in model.arrays[:-1]:
        z = x @ own["W"].astype(float)
        yield own, z
        y = own["gamma"] * (z - own["mean"]) / np.sqrt(own["variance"] + 1e-5) + own["beta"]
        x = 1 / (1 + np.exp(-y))


def test_the_file_has_the_statistics_of_the_training_cases(tune, digits, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", valid="none"))
    model = checkpoint.load(str(tmp_path / "a.h5"))
    assert model.config["batch_norm"] is True
    for own, z in statistics(model, digits):
        np.testing.assert_allclose(own["mean"], z.mean(axis=0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own["variance"], z.var(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sample", [100, objectives.SAMPLE])
def test_validation_is_what_evaluate_finds(sample, tune, digits, cut, finish, tmp_path, monkeypatch):
    """Exactly where the sample is all cases; of a cut run always, for its file has the sample's statistics."""
    monkeypatch.setattr(objectives, "SAMPLE", sample)
    end = finish(tune(tmp_path / "a.h5", valid="100", average=0.9))[-1]
    found = workflows.evaluate(str(tmp_path / "a.h5"), digits, split="valid")
    assert found["cross_entropy"] == pytest.approx(end.result["validation_loss"], rel=1e-5 if sample > 100 else 0.2)


@pytest.mark.parametrize(
    "words", [{}, {"valid": "0.1", "average": 0.9}, {"dropout": (0.1, 0.2, 0.2), "weight_decay": 1e-3}]
)
def test_a_cut_run_ends_in_the_same_bytes_on_any_number_of_threads(words, tune, cut, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", **words))
    count = jit.threads()
    try:
        for minibatches in (3, 8):
            jit.set_threads(count)
            finish(tune(tmp_path / "b.h5", **words, stop=cut(minibatches), force=True))
            checkpoint.load(str(tmp_path / "b.h5"))
            jit.set_threads(1)
            finish(tune(tmp_path / "b.h5", **words, resume=True))
            assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    finally:
        jit.set_threads(count)


def test_a_resume_keeps_to_it(tune, cut, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", stop=cut(3)))
    shutil.copy(tmp_path / "a.h5", tmp_path / "b.h5")
    with pytest.raises(UsageError, match="batch_norm was"):
        finish(tune(tmp_path / "b.h5", batch_norm=False, resume=True))


def test_it_learns_faster(tune, finish, tmp_path):
    """Three layers of logistic units from Glorot's weights, which alone hardly begin in so few steps."""
    words = {"layers": (100, 100, 100), "epochs": 3, "valid": "100"}
    with_it = finish(tune(tmp_path / "a.h5", **words))[-1].result
    without = finish(tune(tmp_path / "b.h5", **words, batch_norm=False))[-1].result
    assert with_it["training_loss"] < 0.7 * without["training_loss"]
    assert with_it["validation_error"] < without["validation_error"]


@pytest.mark.parametrize("task", ["classify", "reconstruct"])
@pytest.mark.parametrize("optimizer", ["hessian_free", "momentum", "lbfgs", "adam"])
def test_every_use_of_the_model(task, optimizer, tune, digits, finish, tmp_path):
    """Second-order methods too; a last minibatch of one case; limits, rates by layer; and training on from the file."""
    words = {"task": task, "optimizer": optimizer, "batch_size": 99 if optimizer in ("momentum", "adam") else None}
    words |= {"settings": (("iterations", 5),)} if optimizer == "hessian_free" else {}
    words |= {"max_norm": (2.0,), "layer_rates": (0.5, 1, 1)} if optimizer == "momentum" and task == "classify" else {}
    path = str(tmp_path / "a.h5")
    end = finish(tune(path, **words))[-1]
    assert np.isfinite(end.result["training_loss"])
    found = workflows.evaluate(path, digits)
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))
    rows = b"".join(workflows.predict(path, digits)).splitlines()
    assert len(rows) == found["cases"] + 1
    workflows.visualize(path, digits, f"{tmp_path}/pictures/")
    assert workflows.inspect(path)["parameters"] == checkpoint.load(path).model.layout.count
    finish(workflows.finetune(digits, str(tmp_path / "b.h5"), start=path, task=task, epochs=1))
    assert [own.keys() for own in checkpoint.load(str(tmp_path / "b.h5")).arrays[:1]] == [
        {"W", "gamma", "beta", "mean", "variance"}
    ]


def test_what_it_does_not_go_with(tune, stack, finish, tmp_path):
    for words, told in (
        ({"units": ("maxout",)}, "--batch-norm: maxout:5"),
        ({"start": stack, "layers": None}, "--batch-norm with --from"),
        ({"batch_size": 1}, "--batch-size 1: batch normalisation compares"),
    ):
        with pytest.raises(UsageError, match=told):
            finish(tune(tmp_path / "a.h5", **words))
    assert not (tmp_path / "a.h5").exists()


@pytest.mark.parametrize("name", ["mean", "variance"])
@pytest.mark.parametrize("bad", ["gone", "short", "nan", "negative", "double"])
def test_statistics_are_checked_on_loading(name, bad, tune, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", epochs=1))
    model = checkpoint.load(str(tmp_path / "a.h5"))
    own = model.arrays[0]
    if bad == "gone":
        del own[name]
    else:
        own[name] = {
            "short": own[name][:-1],
            "nan": own[name] * np.float32(np.nan),
            "negative": -1 - own[name] ** 2,
            "double": np.stack([own[name]] * 2),
        }[bad]
    checkpoint.save(str(tmp_path / "b.h5"), model)
    if bad == "negative" and name == "mean":
        models.load(str(tmp_path / "b.h5"), None)
        return
    with pytest.raises(ModelError, match="layer 1"):
        models.load(str(tmp_path / "b.h5"), None)

"""What finetune asks of weights beside a low loss: that the saved model has it, and that a resume cannot change it."""

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.data import Cases
from deepnet.errors import UsageError
from deepnet.workflows import feeds

EXTRAS = {
    "noise": (0.2,),
    "layer_rates": (0.5, 1.0, 1.0),
    "l1": 1e-3,
    "max_norm": (0.6,),
    "label_smoothing": 0.1,
    "average": 0.9,
    "jitter": 1,
}


@pytest.fixture
def tune(digits, stack):
    """finetune on the digits, from the stack."""
    return lambda path, **words: workflows.finetune(
        digits, str(path), **{"start": stack, "epochs": 1, "batch_size": 50} | words
    )


def arrays(path):
    """The layers' arrays in a file."""
    return checkpoint.load(str(path)).arrays


@pytest.mark.parametrize("name", EXTRAS)
def test_it_tells_and_a_resume_keeps_to_it(name, tune, cut, finish, tmp_path):
    words = {name: EXTRAS[name]}
    plain, path = tmp_path / "plain.h5", tmp_path / "a.h5"
    finish(tune(plain))
    finish(tune(path, **words))
    assert name not in checkpoint.load(str(plain)).config  # files from before it was there go on
    assert checkpoint.load(str(path)).config[name]
    assert not np.array_equal(arrays(path)[0]["W"], arrays(plain)[0]["W"])
    finish(tune(path, **words, stop=cut(3), force=True))
    with pytest.raises(UsageError, match=f"{name} was"):
        finish(tune(path, resume=True))
    finish(tune(plain, stop=cut(3), force=True))
    with pytest.raises(UsageError, match=f"{name} was"):
        finish(tune(plain, **words, resume=True))


def test_max_norm_holds_in_the_file(tune, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", max_norm=(1.5, 1.0, 0.4)))
    for own, most in zip(arrays(tmp_path / "a.h5"), (1.5, 1.0, 0.4), strict=True):
        lengths = np.sqrt((own["W"].astype(float) ** 2).sum(axis=0))
        assert lengths.max() == pytest.approx(most, rel=1e-6)
    finish(tune(tmp_path / "b.h5", max_norm=(0.5,), freeze_epochs=1, layer_rates=(0, 1, 1)))
    first, parent = arrays(tmp_path / "b.h5")[0], arrays(tmp_path / "a.h5")[0]
    assert np.sqrt((first["W"] ** 2).sum(axis=0)).max() > 1.5  # what is held is not cut
    assert first["W"].shape == parent["W"].shape


def test_layers_of_rate_0_keep_their_bits(tune, stack, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", layer_rates=(0.0, 0.1, 1.0)))
    before, after = arrays(stack), arrays(tmp_path / "a.h5")
    for name in ("W", "b"):
        np.testing.assert_array_equal(after[0][name], before[0][name])
        assert not np.array_equal(after[1][name], before[1][name])


def test_one_value_is_one_a_layer(tune, cut, finish, tmp_path):
    finish(tune(tmp_path / "a.h5", max_norm=(0.6,), stop=cut(3)))
    finish(tune(tmp_path / "a.h5", max_norm=(0.6, 0.6, 0.6), resume=True))


def test_smoothed_targets(digits, net):
    """1 - E for the class and E / K for each; the class stays the largest, so errors are counted as before."""
    p = checkpoint.load(net).preparation
    cases = Cases(np.zeros((3, 784), np.uint8), np.array([4, 0, 9]))
    x, t = np.zeros((2, 784), np.float32), np.zeros((2, 10), np.float32)
    feeds.network_feed(cases, p, "classify", 0.3)(np.array([0, 2]), x, t)
    expected = np.full((2, 10), 0.03)
    expected[[0, 1], [4, 9]] = 0.73
    np.testing.assert_allclose(t, expected, rtol=1e-6)
    feeds.network_feed(cases, p, "classify")(np.array([0, 2]), x, t)
    assert sorted(np.unique(t)) == [0, 1]


def test_the_mean_is_what_is_validated_and_saved(tune, digits, finish, tmp_path):
    """A mean of all updates lies between first and last weights, and the errors told are those of the file."""
    end = finish(tune(tmp_path / "a.h5", average=1.0, valid="100", epochs=2))[-1]
    plain = finish(tune(tmp_path / "b.h5", valid="100", epochs=2))[-1]
    assert end.result["validation_loss"] != plain.result["validation_loss"]
    assert end.result["training_loss"] == plain.result["training_loss"]  # training itself is not changed
    found = workflows.evaluate(str(tmp_path / "a.h5"), digits, split="valid")
    assert found["error"] == pytest.approx(end.result["validation_error"])
    assert found["cross_entropy"] == pytest.approx(end.result["validation_loss"], rel=1e-6)


def test_a_share_of_the_noise(tune, finish, tmp_path):
    """None of it is no noise, all of it is what there is without a schedule; falling, it is another run."""
    words = {"none": {"noise": (0.3,), "noise_schedule": "0"}, "quiet": {}, "all": {"noise": (0.3,)},
             "one": {"noise": (0.3,), "noise_schedule": "1"},
             "falling": {"noise": (0.3,), "noise_schedule": "linear:1:0"}}  # fmt: skip
    found = {}
    for name, own in words.items():
        finish(tune(tmp_path / f"{name}.h5", **own))
        found[name] = [a["W"].tobytes() for a in arrays(tmp_path / f"{name}.h5") if "W" in a]
    assert found["none"] == found["quiet"]
    assert found["one"] == found["all"]
    assert len({*map(tuple, found.values())}) == 3
    assert checkpoint.load(str(tmp_path / "falling.h5")).config["noise_schedule"] == "linear:1:0"
    assert "noise_schedule" not in checkpoint.load(str(tmp_path / "all.h5")).config


def test_a_schedule_of_noise_is_kept_to(tune, cut, finish, tmp_path):
    words = {"noise": (0.3,), "noise_schedule": "linear:1:0"}
    finish(tune(tmp_path / "a.h5", **words, stop=cut(3)))
    with pytest.raises(UsageError, match="noise_schedule was linear:1:0"):
        finish(tune(tmp_path / "a.h5", noise=(0.3,), resume=True))
    with pytest.raises(UsageError, match="epochs was 1, is 2"):  # the past would have been another
        finish(tune(tmp_path / "a.h5", **words, epochs=2, resume=True))
    with pytest.raises(UsageError, match="--noise-schedule 1: there is no noise"):
        finish(tune(tmp_path / "b.h5", noise_schedule="1"))
    with pytest.raises(UsageError, match="--noise-schedule linear:1: not a number"):
        finish(tune(tmp_path / "b.h5", noise=(0.3,), noise_schedule="linear:1"))

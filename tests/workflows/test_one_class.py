"""One-class networks, and scores of anomalies of every model that has them."""

import csv
import io

import numpy as np
import pytest

from deepnet import checkpoint, data, workflows
from deepnet.data import Cases
from deepnet.errors import DataError, UsageError
from deepnet.nn.layers import Dense
from deepnet.nn.network import Network
from deepnet.nn.units import UNITS
from deepnet.workflows import one_class, scores
from deepnet.workflows.records import Warned

WORDS = {"task": "one_class", "epochs": 5, "batch_size": 20, "optimizer": "adam"}


def tell(call, *words):
    """Scores and flags that predict writes."""
    done = call("predict", *words, "--give", "anomaly")
    assert done.code == 0, done.err
    header, *rows = csv.reader(io.StringIO(done.out))
    assert header == ["score", "flag"]
    found = np.array(rows, float)
    return found[:, 0], found[:, 1]


@pytest.fixture(scope="module")
def plain_coder(digits, tmp_path_factory):
    """An autoencoder of threes without biases."""
    path = str(tmp_path_factory.mktemp("one") / "coder.h5")
    words = {"units": ("leaky_relu",), "init": ("he",), "layers": (30, 8), "normal": ("0",), "bias": False}
    for _ in workflows.finetune(digits, path, **WORDS | {"task": "reconstruct"}, **words):
        pass
    return path


@pytest.fixture(scope="module")
def svdd(digits, plain_coder):
    """A one-class network of zeros that began with the autoencoder."""
    path = plain_coder.replace("coder", "svdd")
    for _ in workflows.finetune(digits, path, start=plain_coder, normal=("0",), valid="10", **WORDS):
        pass
    return path


def outputs(model, x):
    """Of a network without biases, leaky rectifiers below a linear top, in float64."""
    *below, top = (own["W"].astype(float) for own in model.arrays)
    for W in below:
        x = x @ W
        x = np.where(x > 0, x, x / 100)
    return x @ top


def test_the_network_and_its_centre(svdd, plain_coder, digits):
    coder, model = checkpoint.load(plain_coder), checkpoint.load(svdd)
    layers = Dense(784, 30, "leaky_relu", False), Dense(30, 8, "linear", False)
    assert model.model == Network(layers, "svdd")
    assert coder.model.widths == (784, 30, 8, 30, 784)
    assert not any("b" in own for own in (*coder.arrays, *model.arrays))
    assert model.preparation.classes == ()
    good = np.load(digits)
    zeros = good["x_train"].reshape(500, -1)[good["y_train"] == 0].astype(float) / 255
    kept = len(zeros) - 10
    first = outputs(checkpoint.Checkpoint(model.model, coder.arrays[:2], model.preparation, {}), zeros)
    centre = model.preparation.centre
    assert np.abs(centre).min() >= 0.1 - 1e-7
    train = data.split(data.Dataset("", {"train": Cases(zeros)}), "10", 0).splits["train"].inputs
    assert len(train) == kept
    mean = outputs(checkpoint.Checkpoint(model.model, coder.arrays[:2], model.preparation, {}), train).mean(axis=0)
    expected = np.where(np.abs(mean) < 0.1, np.where(mean < 0, -0.1, 0.1), mean)
    np.testing.assert_allclose(centre, expected, rtol=1e-4, atol=1e-5)
    before = ((first - centre) ** 2).sum(axis=1).mean()
    after = ((outputs(model, zeros) - centre) ** 2).sum(axis=1).mean()
    assert after < 0.7 * before
    told = model.history["fine-tuning"]
    np.testing.assert_allclose(told["training_squared_distance"], 2 * told["training_loss"], rtol=1e-6)
    assert "validation_squared_distance" in told


def test_scores_are_their_formulas(svdd, plain_coder, stack, digits, call):
    good = np.load(digits)
    x = good["x_test"].reshape(200, -1).astype(float) / 255
    model = checkpoint.load(svdd)
    found, _ = tell(call, svdd, digits)
    np.testing.assert_allclose(found, ((outputs(model, x) - model.preparation.centre) ** 2).sum(axis=1), rtol=1e-3)
    found, _ = tell(call, plain_coder, digits)
    rows = list(csv.reader(io.StringIO(call("predict", plain_coder, digits).out)))[1:]
    np.testing.assert_allclose(found, ((np.array(rows, float) - x) ** 2).sum(axis=1), rtol=1e-4)
    found, _ = tell(call, stack, digits)
    p = {name: a.astype(float) for name, a in checkpoint.load(stack).arrays[0].items()}
    energy = -x @ p["c"] - np.logaddexp(0, x @ p["W"] + p["b"]).sum(axis=1)
    np.testing.assert_allclose(found, energy, rtol=1e-4, atol=1e-3)
    assert workflows.evaluate(stack, digits)["free_energy"] == pytest.approx(found.mean(), rel=1e-4)


def test_scores_of_a_stack_of_autoencoders_are_errors(digits, finish, call, tmp_path):
    path = str(tmp_path / "dae.h5")
    finish(workflows.pretrain(digits, path, layers=(10,), method="dae", epochs=(1,)))
    found, _ = tell(call, path, digits)
    assert found.mean() == pytest.approx(workflows.evaluate(path, digits)["reconstruction_error"], rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_the_share_of_the_calibration_is_flagged(share, stack, digits, call, tmp_path):
    """At most the share of the cases held out lies above, one more would be too many; --calibrate names others."""
    good, dataset = np.load(digits), data.load(digits)
    assert checkpoint.load(stack).config["valid"] == "50"
    held = data.split(dataset, "50", 0).splits["valid"].inputs
    np.savez(tmp_path / "held.npz", x=held.reshape(-1, 28, 28))
    limit = np.sort(tell(call, stack, tmp_path / "held.npz", "--calibrate", digits)[0])[49 - int(50 * share)]
    found, flags = tell(call, stack, digits, "--share", share)
    np.testing.assert_array_equal(flags, found > limit)
    _, flags = tell(call, stack, tmp_path / "held.npz", "--calibrate", digits, "--share", share)
    assert flags.sum() == int(50 * share)
    np.savez(tmp_path / "new.npz", x=good["x_train"][:100])  # other data are not split
    _, flags = tell(call, stack, tmp_path / "new.npz", "--calibrate", tmp_path / "new.npz", "--share", share)
    assert flags.sum() == int(100 * share)


def test_a_table_with_labels_calibrates(flower_net, flowers, call):
    stack = flower_net.replace("flower-net", "flower-stack")
    _, flags = tell(call, stack, flowers, "--calibrate", flowers, "--share", "0.1")
    assert flags.sum() == 24
    done = call("predict", stack, flowers, "--give", "anomaly")
    assert done.code == 3
    assert "--calibrate" in done.err


def test_the_calibration_is_of_normal_cases(svdd, digits):
    loaded = checkpoint.load(svdd)
    cases = scores.calibration(loaded, digits, None, None, (), ())
    good = np.load(digits)
    zeros = {row.tobytes() for row in good["x_train"][good["y_train"] == 0].reshape(-1, 784)}
    assert len(cases) == 10
    assert all(row.tobytes() in zeros for row in cases.inputs)


def test_area_under_the_curve(svdd, plain_coder, stack, digits, call):
    classes = np.load(digits)["y_test"]
    for model, name in ((svdd, "squared distance"), (plain_coder, "squared error"), (stack, "free energy")):
        facts = workflows.evaluate(model, digits, normal=("0",))
        found, _ = tell(call, model, digits)
        others, zeros = found[classes != 0], found[classes == 0]
        assert facts["score"] == name
        assert facts["auc"] == pytest.approx((others[:, None] > zeros).mean(), abs=1e-3)
        assert (facts["cases"], facts["anomalies"]) == (200, len(others))
    assert workflows.evaluate(svdd, digits, normal=("0",))["auc"] > 0.8
    several = workflows.evaluate(stack, digits, normal=("0", "1"))
    assert several["anomalies"] == np.count_nonzero(classes > 1)


def test_evaluate_measures_the_distance(svdd, digits):
    facts = workflows.evaluate(svdd, digits)
    assert facts["cases"] == np.count_nonzero(np.load(digits)["y_test"] == 0)
    assert facts["squared_distance"] > 0


def test_codes_are_the_outputs_and_pictures_are_drawn(svdd, digits, call, tmp_path):
    header, *rows = csv.reader(io.StringIO(call("predict", svdd, digits, "--give", "codes").out))
    assert header == [f"code{n}" for n in range(1, 9)]
    x = np.load(digits)["x_test"].reshape(200, -1).astype(float) / 255
    np.testing.assert_allclose(np.array(rows, float), outputs(checkpoint.load(svdd), x), rtol=1e-3, atol=1e-4)
    drawn = workflows.visualize(svdd, digits, f"{tmp_path}/")["written"]
    assert {"codes.png", "history.png"} <= {name.rpartition("/")[2] for name in drawn}


def test_a_cut_run_goes_on(plain_coder, digits, finish, cut, tmp_path):
    whole, path = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    words = WORDS | {"start": plain_coder, "valid": "10"}
    finish(workflows.finetune(digits, whole, **words))
    finish(workflows.finetune(digits, path, **words, stop=cut(30)))
    with pytest.raises(UsageError, match="normal was"):
        finish(workflows.finetune(digits, path, normal=("0",), **words, resume=True))
    finish(workflows.finetune(digits, path, **words, resume=True))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_trained_on_it_keeps_its_centre(svdd, digits, finish, tmp_path):
    finish(workflows.finetune(digits, str(tmp_path / "a.h5"), start=svdd, **WORDS))
    centres = [checkpoint.load(path).preparation.centre for path in (svdd, str(tmp_path / "a.h5"))]
    np.testing.assert_array_equal(*centres)


def test_units_that_settle_are_told(stack, digits, finish, tmp_path):
    path = str(tmp_path / "a.h5")
    for words, part in (
        ({"start": stack}, "logistic units"),
        ({"layers": (9, 5), "units": ("tanh",)}, "tanh units"),
        ({"layers": (9, 5), "units": ("relu",)}, None),
    ):
        said = [r.text for r in finish(workflows.finetune(digits, path, force=True, **WORDS | {"epochs": 1}, **words))
                if isinstance(r, Warned)]  # fmt: skip
        assert len(said) == (part is not None)
        assert part is None or part in said[0]


def test_sound_units_are_the_unbounded_ones_without_an_offset():
    """Of the catalogue: 0 at 0, and no bound on either side but 0 (Ruff et al. 2018, proposition 3)."""
    sound = []
    for name, unit in UNITS.items():
        if not unit.rowwise:
            z = np.array([[0.0, -1e4, 1e4]], np.float32)
            unit.activate(z)
            middle, low, high = z[0]
            if middle == 0 and all(end == 0 or abs(end) > 10 for end in (low, high)):
                sound.append(name)
    assert sorted(sound) == sorted(one_class.SOUND)


def test_what_cannot_be(svdd, net, stack, digits, unlabelled, finish, tmp_path):
    path, words = str(tmp_path / "a.h5"), WORDS | {"layers": (5,)}
    for error, part, more in (
        (UsageError, "maxout", {"layers": (5, 4), "units": ("maxout",)}),
        (UsageError, "maxout", {"layers": (5, 4), "units": ("maxout",), "bias": False, "task": "classify"}),
        (UsageError, "leave it", {"normal": ("0",), "task": "classify"}),
        (DataError, "no class '12'", {"normal": ("12",)}),
        (UsageError, "no-bias", {"start": stack, "layers": None, "bias": False}),
        (UsageError, "made to one_class", {"start": svdd, "layers": None, "task": "classify"}),
        (UsageError, "leave it", {"loss": "hinge"}),
    ):
        with pytest.raises(error, match=part):
            finish(workflows.finetune(digits, path, **words | more))
    with pytest.raises(DataError, match="no labels"):
        finish(workflows.finetune(unlabelled, path, normal=("0",), **words))
    for error, part, ask in (
        (UsageError, "centre of its own", lambda: workflows.compare(digits, (svdd, svdd))),
        (UsageError, "made to classify", lambda: workflows.evaluate(net, digits, normal=("0",))),
        (UsageError, "made to classify", lambda: list(workflows.predict(net, digits, give="anomaly"))),
        (UsageError, "is for --give anomaly", lambda: list(workflows.predict(net, digits, share=0.1))),
        (UsageError, "is for --give anomaly", lambda: list(workflows.predict(net, digits, calibrate=digits))),
        (UsageError, "codes or anomaly", lambda: list(workflows.predict(svdd, digits, give="labels"))),
        (UsageError, "codes or anomaly", lambda: list(workflows.predict(svdd, digits, give="reconstructions"))),
        (UsageError, "--codes", lambda: workflows.evaluate(svdd, digits, normal=("0",), codes="cosine")),
        (UsageError, "standard input", lambda: list(workflows.predict(svdd, digits, give="anomaly", calibrate="-"))),
        (DataError, "no class 'x'", lambda: workflows.evaluate(svdd, digits, normal=("x",))),
        (DataError, "0 others", lambda: workflows.evaluate(svdd, digits, normal=tuple("0123456789"))),
        (UsageError, "made to one_class", lambda: workflows.evaluate(svdd, digits, logistic_pca=True)),
    ):  # fmt: skip
        with pytest.raises(error, match=part):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_biases_that_a_file_needs_are_told_of(digits, finish, tmp_path):
    coder = str(tmp_path / "coder.h5")
    own = {"layers": (12, 4), "task": "reconstruct", "batch_norm": True, "epochs": 1}
    finish(workflows.finetune(digits, coder, **own))
    with pytest.raises(UsageError, match="--from: its file has layers that need biases"):
        finish(workflows.finetune(digits, str(tmp_path / "a.h5"), start=coder, task="one_class", epochs=1))


@pytest.fixture(scope="module")
def unlabelled(digits, tmp_path_factory):
    """Digits without labels."""
    path = tmp_path_factory.mktemp("one") / "unlabelled.npz"
    np.savez(path, x=np.load(digits)["x_train"][:60])
    return str(path)

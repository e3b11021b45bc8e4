"""evaluate: what is measured for each kind of model, and that it agrees with what training said."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet import checkpoint, data, workflows
from deepnet.checkpoint import Preparation
from deepnet.data import Cases
from deepnet.errors import UsageError
from deepnet.training import Meter
from deepnet.workflows import feeds, logistic_pca, sources

CLASSIFIER = {
    "cases",
    "error",
    "error_interval",
    "wrong",
    "cross_entropy",
    "cross_entropy_interval",
    "classes",
    "confusion",
}
REGRESSOR = {"cases", "rmse", "rmse_interval", "mae", "mae_interval", "r2"}
CODER = {"cases", "code", "squared_error", "squared_error_interval", "pca_squared_error", "mean_case_squared_error"}
STACK = {
    "cases",
    "code",
    "reconstruction_error",
    "reconstruction_error_interval",
    "free_energy",
    "free_energy_interval",
}
ALWAYS = {"schema", "command", "model", "data", "split", "network"}


def measured(call, *words):
    """The JSON object of a call."""
    done = call("evaluate", *words, "--json")
    assert done.code == 0, done.err
    assert done.out.count("\n") == 1
    facts = json.loads(done.out)
    assert list(facts) == sorted(facts)
    assert facts["schema"] == "deepnet.result/1"
    assert facts["command"] == "evaluate"
    for name, value in facts.items():
        if name.endswith("_interval"):
            low, high = value
            assert low <= facts[name.removesuffix("_interval")] <= high
    return facts


def test_a_classifier(net, digits, call):
    facts = measured(call, net, digits)
    assert set(facts) >= ALWAYS | CLASSIFIER
    confusion = np.array(facts["confusion"])
    truth = np.load(digits)["y_test"]
    assert facts["cases"] == confusion.sum() == 200
    assert confusion.sum(axis=1).tolist() == np.bincount(truth, minlength=10).tolist()
    assert facts["wrong"] == 200 - np.trace(confusion)
    assert facts["error"] == facts["wrong"] / 200
    assert [row["class"] for row in facts["classes"]] == list("0123456789")
    for c, row in enumerate(facts["classes"]):
        if row["recall"] is not None:
            assert row["recall"] == pytest.approx(confusion[c, c] / confusion[c].sum())
        if row["precision"] is not None:
            assert row["precision"] == pytest.approx(confusion[c, c] / confusion[:, c].sum())


def test_the_error_is_that_of_the_predictions(net, digits, call):
    """evaluate and predict see the same cases and the same classes."""
    labels = call("predict", net, digits).out.split()[1:]
    truth = np.load(digits)["y_test"].astype(str)
    assert len(labels) == 200
    assert measured(call, net, digits)["wrong"] == int((np.array(labels) != truth).sum())


def test_the_cross_entropy_is_that_of_the_probabilities(net, digits, call):
    lines = call("predict", net, digits, "--give", "probabilities").out.splitlines()
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    assert lines[0] == "0,1,2,3,4,5,6,7,8,9"
    assert np.allclose(table.sum(axis=1), 1, atol=1e-5)
    truth = np.load(digits)["y_test"]
    expected = -np.log(table[np.arange(200), truth]).mean()
    assert measured(call, net, digits)["cross_entropy"] == pytest.approx(expected, rel=1e-4)


def test_a_stack(stack, digits, call):
    facts = measured(call, stack, digits)
    assert set(facts) >= ALWAYS | STACK
    assert facts["code"] == 20
    assert 0 < facts["reconstruction_error"] < 120
    assert facts["pca_squared_error"] < facts["mean_case_squared_error"]


def test_the_free_energy_is_that_of_the_lowest_machine(stack, digits, call):
    with h5py.File(stack) as file:
        W, b, c = (file[f"model/1/{name}"][()].astype(np.float64) for name in "Wbc")
    x = np.load(digits)["x_test"].reshape(200, -1) / 255
    expected = -x @ c - np.logaddexp(0, x @ W + b).sum(axis=1)
    assert measured(call, stack, digits)["free_energy"] == pytest.approx(expected.mean(), rel=1e-5)


def test_an_autoencoder(coder, digits, call):
    """Beside PCA, which is worked out here from all the scaled pixels."""
    facts = measured(call, coder, digits)
    assert set(facts) >= ALWAYS | CODER
    arrays = np.load(digits)
    train, test = (arrays[name].reshape(len(arrays[name]), -1) / 255 for name in ("x_train", "x_test"))
    mean = train.mean(axis=0)
    basis = np.linalg.svd(train - mean, full_matrices=False)[2][:20]
    residual = (test - mean) - (test - mean) @ basis.T @ basis
    assert facts["pca_squared_error"] == pytest.approx((residual**2).sum(axis=1).mean(), rel=1e-5)
    assert facts["mean_case_squared_error"] == pytest.approx(((test - mean) ** 2).sum(axis=1).mean(), rel=1e-5)
    done = call("predict", coder, digits)
    made = np.array([[float(cell) for cell in line.split(",")] for line in done.out.splitlines()[1:]])
    assert facts["squared_error"] == pytest.approx(((made - test) ** 2).sum(axis=1).mean(), rel=1e-4)


@pytest.fixture
def short(monkeypatch):
    """Logistic PCA of fewer steps."""
    monkeypatch.setattr(logistic_pca, "UPDATES", 300)
    monkeypatch.setattr(logistic_pca, "BATCH", 100)


@pytest.mark.parametrize("model", ["coder", "stack"])
def test_logistic_pca_beside_pca(model, short, digits, call, request):
    """It lies below PCA of the same width, says that it is trained, and changes nothing else."""
    path = request.getfixturevalue(model)
    plain = measured(call, path, digits, "--split", "train")
    done = call("evaluate", path, digits, "--split", "train", "--logistic-pca", "--json")
    assert done.code == 0, done.err
    assert done.err == "logistic PCA 784-20-784, 300 minibatches of 100 training cases\n"
    facts = json.loads(done.out)
    rival = facts.pop("logistic_pca_squared_error")
    assert facts == plain
    assert 0.3 * facts["pca_squared_error"] < rival < facts["pca_squared_error"]


def test_logistic_pca_has_the_same_bits_on_any_number_of_threads(short, coder, digits, call):
    words = (coder, digits, "--logistic-pca", "-q", "--threads")
    one, two = (measured(call, *words, n) for n in ("1", "2"))
    assert one == two
    assert call("evaluate", *words, "2", "--require", "logistic_pca_squared_error<1").code == 7


def test_logistic_pca_is_what_it_says(monkeypatch):
    """Trained on few columns it comes to the best that any start finds: no other point nearby has a lower loss."""
    monkeypatch.setattr(logistic_pca, "UPDATES", 3000)
    draw = np.random.default_rng(0)
    x = 1 / (1 + np.exp(-3 * draw.normal(0, 1, (60, 2)) @ draw.normal(0, 1, (2, 6))))
    cases = Cases(x.astype(np.float32), None)
    preparation = Preparation("none", np.zeros(6, np.float32), np.ones(6, np.float32), (6,))
    reader = logistic_pca.fit_logistic_pca(cases, preparation, 2, Meter(), lambda line: None)
    y = reader.all(feeds.visible_feed(cases.inputs, preparation), 60)
    down = reader.parts[1]
    slopes = (y - x).T @ (x @ reader.parts[0]["W"] + reader.parts[0]["b"]) / 60
    assert [layer.unit for layer in reader.network.layers] == ["linear", "logistic"]
    assert np.abs(slopes).max() < 1e-3
    assert np.abs((y - x).mean(axis=0)).max() < 1e-3
    assert np.linalg.matrix_rank(np.log(y / (1 - y)) - down["b"], tol=1e-3) == 2


def test_logistic_pca_starts_at_the_mean_case():
    """Its first output biases are the logits of the means; a pixel that is always 0 has a finite one."""
    x = np.array([[0, 1, 0.25], [0, 1, 0.75]], np.float32)
    preparation = Preparation("none", np.zeros(3, np.float32), np.ones(3, np.float32), (3,))
    network = logistic_pca.network_of(3, 5)
    first = logistic_pca.first_arrays(network, Cases(x, None), preparation)
    assert network.widths == (3, 3, 3)
    np.testing.assert_allclose(first[1]["b"], [-np.log(5), np.log(5), 0], atol=1e-6)


def test_a_regressor(house_net, houses, call):
    facts = measured(call, house_net, houses, "--label", "price")
    assert set(facts) >= ALWAYS | REGRESSOR
    made = np.array(call("predict", house_net, houses, "--label", "price").out.split()[1:], float)
    truth = np.loadtxt(houses, delimiter=",", skiprows=1)[:, -1]
    assert facts["rmse"] == pytest.approx(np.sqrt(((made - truth) ** 2).mean()), rel=1e-4)
    assert facts["mae"] == pytest.approx(np.abs(made - truth).mean(), rel=1e-4)
    assert facts["r2"] == pytest.approx(1 - ((made - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum(), rel=1e-4)


@pytest.mark.parametrize(
    "words", [{"valid": "100"}, {"valid": "0.2", "seed": 5}, {"valid": "last:60"}, {"patience": 1}]
)
def test_the_validation_error_of_the_best_epoch_is_the_models(words, stack, digits, tmp_path, call):
    """On the very cases that were held out, to the last bit; and it is the least of all epochs."""
    path = str(tmp_path / "n.h5")
    words = {"epochs": 6, "batch_size": 50, "learning_rate": "0.5", "valid": "100"} | words
    end = list(workflows.finetune(digits, path, start=stack, **words))[-1]
    model = checkpoint.load(path)
    history, best = model.history["fine-tuning"], model.provenance["best_epoch"]
    facts = measured(call, path, digits, "--split", "valid")
    assert facts["cases"] == {"100": 100, "0.2": 100, "last:60": 60}[words["valid"]]
    assert facts["error"] == history["validation_error"][best - 1] == min(history["validation_error"])
    assert facts["cross_entropy"] == pytest.approx(history["validation_loss"][best - 1], rel=1e-6)
    assert end.result["validation_error"] == facts["error"]
    assert end.result["best_epoch"] == best


def test_the_best_epoch_is_told_apart_from_the_last(stack, digits, tmp_path):
    """A rate so large that it gets worse again: what is saved is not the end."""
    path = str(tmp_path / "n.h5")
    list(workflows.finetune(digits, path, start=stack, epochs=12, batch_size=20, learning_rate="1.5", valid="100"))
    errors = checkpoint.load(path).history["fine-tuning"]["validation_error"]
    assert checkpoint.load(path).provenance["best_epoch"] == 1 + int(np.argmin(errors)) < 12
    assert errors[-1] > errors.min()
    assert workflows.evaluate(path, digits, split="valid")["error"] == errors.min()


def test_a_validation_file_is_evaluated_as_such(stack, digits, tmp_path):
    """--valid FILE: the file itself gives the same figure again."""
    arrays = np.load(digits)
    other, path = str(tmp_path / "held.npz"), str(tmp_path / "n.h5")
    np.savez(other, x=arrays["x_test"], y=arrays["y_test"])
    list(workflows.finetune(digits, path, start=stack, epochs=3, batch_size=50, valid=other))
    model = checkpoint.load(path)
    best = model.history["fine-tuning"]["validation_error"][model.provenance["best_epoch"] - 1]
    assert workflows.evaluate(path, other)["error"] == best


def test_given_validation_cases_are_used(stack, digits, tmp_path):
    arrays = np.load(digits)
    data, path = str(tmp_path / "three.npz"), str(tmp_path / "n.h5")
    np.savez(data, **arrays, x_valid=arrays["x_test"][:70], y_valid=arrays["y_test"][:70])
    list(workflows.finetune(data, path, start=stack, epochs=3, batch_size=50))
    model = checkpoint.load(path)
    facts = workflows.evaluate(path, data, split="valid")
    assert facts["cases"] == 70
    assert facts["error"] == min(model.history["fine-tuning"]["validation_error"])


def test_splits(net, digits, call, tmp_path):
    assert measured(call, net, digits)["split"] == "test"
    assert measured(call, net, digits, "--split", "train")["cases"] in (400, 500)
    assert measured(call, net, digits, "--split", "valid")["cases"] == 100
    arrays = np.load(digits)
    np.savez(tmp_path / "whole.npz", x=arrays["x_test"], y=arrays["y_test"])
    whole = measured(call, net, tmp_path / "whole.npz")
    assert whole["split"] == "all"
    assert whole["error"] == measured(call, net, digits)["error"]


def test_figures_for_a_person(net, digits, call):
    short = call("evaluate", net, digits)
    assert len(short.out.splitlines()) <= 10
    assert "95 % interval" in short.out
    assert "confusion" not in short.out
    long = call("evaluate", net, digits, "-v")
    assert long.out.startswith(short.out.rstrip("\n"))
    assert "precision" in long.out
    assert "confusion" in long.out
    assert max(map(len, long.out.splitlines())) <= 80
    assert short.err == long.err == ""


def test_figures_do_not_depend_on_threads(net, digits, call):
    assert measured(call, net, digits, "--threads", "1") == measured(call, net, digits, "--threads", "2")


def test_columns_left_out_in_training_are_left_out_again(flowers, tmp_path, call):
    """A table with a column of names: what was ignored in training is ignored, or can be, in all other commands."""
    lines = Path(flowers).read_text(encoding="utf-8").splitlines()
    table, net = tmp_path / "named.csv", tmp_path / "n.h5"
    table.write_text("".join(f"{'id' if n == 0 else f'flower {n}'},{line}\n" for n, line in enumerate(lines)))
    words = ["--label", "kind, as told", "--ignore", "id"]
    done = call("finetune", table, "--layers", "8", "--scale", "standard", "--epochs", "3", *words, "-o", net)
    assert done.code == 0, done.err
    for command in (
        ["predict", net, table], ["evaluate", net, table], ["visualize", net, table, "-o", f"{tmp_path}/p/"],
        ["inspect", table],
    ):  # fmt: skip
        done = call(*command, *words)
        assert done.code == 0, f"{command[0]}: {done.err}"


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("model", ["stack", "coder", "net"])
def test_codes_beside_raw_data_and_pca(model, distance, digits, call, request):
    """The figures of each are those of the codes that `predict` gives, and labels are those of the file."""
    path = request.getfixturevalue(model)
    facts = measured(call, path, digits, "--codes", distance)
    truth = np.load(digits)["y_test"]
    rows = call("predict", path, digits, "--give", "codes").out.split()[1:]
    given = {
        "code": np.array([row.split(",") for row in rows], float),
        "raw": np.load(digits)["x_test"].reshape(200, -1) / 255,
    }
    for word, codes in given.items():
        apart = ((codes[:, None] - codes) ** 2).sum(axis=2)
        if distance == "cosine":
            lengths = np.linalg.norm(codes, axis=1)
            apart = -(codes @ codes.T) / np.outer(lengths, lengths)
        np.fill_diagonal(apart, np.inf)
        nearest = truth[np.argsort(apart, axis=1, kind="stable")]
        for k in (1, 10):
            expected = (nearest[:, :k] == truth[:, None]).mean()
            assert facts[f"{word}_precision_at_{k}"] == pytest.approx(expected, abs=0.01)
    for word in ("raw", "pca", "code"):
        assert 0.1 < facts[f"{word}_purity"] < 1
        assert 0 < facts[f"{word}_nmi"] < 1
        assert facts[f"{word}_precision_at_1"] > 0.3
    assert facts["clusters"] == 10
    plain = measured(call, path, digits)
    assert {name: facts[name] for name in plain} == plain


@pytest.mark.parametrize("valid", ["60", "0.1", "last:60"])
def test_codes_of_cases_that_were_held_out(valid, digits, call, tmp_path):
    words = ("--task", "reconstruct", "--layers", "8", "--epochs", "1", "--valid", valid, "-o", tmp_path / "c.h5")
    assert call("finetune", digits, *words).code == 0
    done = call("evaluate", tmp_path / "c.h5", digits, "--codes", "cosine", "--split", "valid", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["cases"] == {"0.1": 50}.get(valid, 60)


@pytest.mark.parametrize("valid", ["60", "0.1", "last:60"])
def test_every_task_holds_out_the_same_cases(valid, digits):
    held_out = {
        task: sources.read(digits, valid, task, None, (), 3)[0].splits["valid"].inputs
        for task in (None, "classify", *sources.BLIND)
    }
    for inputs in held_out.values():
        np.testing.assert_array_equal(inputs, held_out[None])


def test_codes_and_scores_of_all_classes_after_training_on_one(digits, call, tmp_path):
    words = ("--task", "reconstruct", "--layers", "8", "--epochs", "1", "--normal", "0", "--valid", "0.1")
    assert call("finetune", digits, *words, "-o", tmp_path / "c.h5").code == 0
    for own in (("--codes", "cosine"), ("--normal", "0")):
        done = call("evaluate", tmp_path / "c.h5", digits, *own, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["cases"] == len(data.load(digits).splits["test"])
        done = call("evaluate", tmp_path / "c.h5", digits, *own, "--split", "valid")
        assert done.code == 2
        assert "--split test" in done.err


def test_codes_are_refused_an_unknown_distance(stack, digits):
    with pytest.raises(UsageError, match="cosine"):
        workflows.evaluate(stack, digits, codes="manhattan")

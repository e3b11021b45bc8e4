"""The estimators: scikit-learn's whole suite of checks, and what deepnet promises beside it."""

import csv
import inspect
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deepnet import checkpoint, estimators, workflows
from deepnet.__main__ import main
from deepnet.estimators import AutoencoderTransformer, DeepNetClassifier, DeepNetRegressor, StackTransformer

SMALL = {"layers": (16,), "batch_size": 10, "epochs": 30}
ALL = [
    DeepNetClassifier(**SMALL),
    DeepNetRegressor(**SMALL),
    StackTransformer(**SMALL | {"epochs": 2}),
    AutoencoderTransformer(**SMALL | {"layers": (8, 3), "epochs": 2}),
]


# It wants a case of weight 3 to be the case three times. A weight of 0 does leave it out, bit for bit; but scaling
# looks at cases, and a minibatch holds so many of them, in an order drawn for their number. Below, it holds as far as
# it can: without scaling and minibatches.
REPEATED = {
    "check_sample_weight_equivalence_on_dense_data": "minibatches and scaling are of cases, whatever their weight"
}


def unlike(estimator):
    """The checks that must fail."""
    return REPEATED if hasattr(estimator, "predict") else {}


@pytest.mark.slow
@parametrize_with_checks(ALL, expected_failed_checks=unlike)
def test_scikit_learn_s_checks(estimator, check):
    """All of them but what no training by minibatches can pass."""
    check(estimator)


@pytest.mark.parametrize("kind", [DeepNetClassifier, DeepNetRegressor])
def test_weights_of_cases(kind, blobs):
    """0 is left out, a class too; 1 changes nothing; whole numbers repeat cases as far as can be."""
    X, y = blobs
    y = np.unique(y, return_inverse=True)[1]
    net, weights = kind(**SMALL | {"epochs": 2}), np.arange(150) % 3
    kept = weights > 0
    assert theta(clone(net).fit(X, y, np.ones(150))) == theta(clone(net).fit(X, y))
    one = clone(net).fit(X, y, sample_weight=weights)
    left = X[kept], y[kept]
    assert theta(one) == theta(clone(net).fit(*left, weights[kept])) != theta(clone(net).fit(*left))
    if kind is DeepNetClassifier:
        assert one.classes_.tolist() == [0, 2]
    whole = kind(layers=(6,), scale="none", optimizer="lbfgs", epochs=3)
    X = X / [1, 10, 100, 0.1, 3]
    times = np.arange(150) % 4
    one, other = clone(whole).fit(X, y, times), clone(whole).fit(X.repeat(times, 0), y.repeat(times))
    outputs = "predict_proba" if kind is DeepNetClassifier else "predict"
    if kind is DeepNetClassifier:  # a regressor's targets are standardised by cases
        np.testing.assert_allclose(getattr(one, outputs)(X), getattr(other, outputs)(X), atol=1e-4)
    for wrong in (-weights, np.zeros(150), np.full(150, np.nan)):
        with pytest.raises(ValueError, match=r"(?i)weight"):
            clone(net).fit(X, y, wrong)


def test_weights_of_classes(blobs):
    """By labels of any kind, the same as weights of their cases; pipelines and searches pass both on."""
    X, y = blobs
    net, weights = DeepNetClassifier(**SMALL | {"epochs": 2}), np.where(y == "no", 4.0, 1.0)
    by_class = clone(net).set_params(class_weight={"no": 4}).fit(X, y)
    assert theta(by_class) == theta(clone(net).fit(X, y, weights)) != theta(clone(net).fit(X, y))
    balanced = clone(net).set_params(class_weight="balanced")
    assert theta(clone(balanced).fit(X[10:], y[10:])) != theta(clone(net).fit(X[10:], y[10:]))
    full = {"no": 4, "10": 1, "perhaps, yes": 1, "never seen": 2}
    assert theta(clone(net).set_params(class_weight=full).fit(X, y)) == theta(by_class)
    for wrong in ({"never seen": 2}, "balance", {"no": -1}):
        with pytest.raises(ValueError, match=r"class.weight"):
            clone(net).set_params(class_weight=wrong).fit(X, y)
    line = make_pipeline(clone(net)).fit(X, y, deepnetclassifier__sample_weight=weights)
    assert theta(line[-1]) == theta(by_class)
    GridSearchCV(net, {"class_weight": [None, "balanced"]}, cv=2).fit(X, y, sample_weight=weights)


@pytest.fixture(scope="module")
def blobs():
    """150 cases of three kinds, five columns of very different size, kinds as text."""
    draw = np.random.default_rng(0)
    kinds = np.arange(150) % 3
    X = (draw.normal(0, 1, (150, 5)) + 2 * np.eye(3, 5)[kinds]) * [1, 10, 100, 0.1, 3] + [0, 50, 0, 1, 1]
    return X, np.array(["no", "perhaps, yes", "10"])[kinds]


def theta(estimator):
    """The bytes of all parameters."""
    return b"".join(array.tobytes() for own in estimator.model_.arrays for array in own.values())


@pytest.mark.parametrize("estimator", ALL)
def test_parameters_are_the_commands(estimator):
    workflow = workflows.pretrain if isinstance(estimator, StackTransformer) else workflows.finetune
    known = inspect.signature(workflow).parameters
    own = estimator.get_params(deep=False)
    assert set(known) - set(own) - set(estimators.LABELS_ONLY) == set(estimators.ELSEWHERE) & set(known)
    assert set(own) - set(known) == {"random_state"}
    assert set(inspect.signature(type(estimator)).parameters) == set(own)
    fresh = type(estimator)().get_params(deep=False)
    others = {name for name in fresh if name in known and fresh[name] != known[name].default}
    assert others <= {*estimators.DEFAULTS, "visible", "noise"}
    with pytest.raises(TypeError, match="no parameter 'layer'"):
        type(estimator)(layer=3)


@pytest.mark.parametrize("estimator", ALL)
def test_the_same_random_state_gives_the_same_bits(estimator, blobs):
    X, y = blobs
    y = np.unique(y, return_inverse=True)[1]
    quick = clone(estimator).set_params(epochs=2)
    first = theta(clone(quick).fit(X, y))
    assert theta(clone(quick).fit(X, y)) == first
    assert theta(clone(quick).set_params(random_state=1).fit(X, y)) != first
    drawn = [theta(clone(quick).set_params(random_state=np.random.RandomState(5)).fit(X, y)) for _ in range(2)]
    assert drawn[0] == drawn[1] != first


def test_the_command_makes_the_same_model(blobs, tmp_path):
    """The same arrays, the same options, the same bits."""
    X, y = blobs
    np.savez(tmp_path / "blobs.npz", X=X.astype(np.float32), y=np.unique(y, return_inverse=True)[1])
    words = ["--layers", "16", "--batch-size", "10", "--epochs", "3", "--scale", "standard", "--dropout", "0.1", "-q"]
    assert main(["finetune", str(tmp_path / "blobs.npz"), "-o", str(tmp_path / "net.h5"), *words]) == 0
    net = DeepNetClassifier(layers=(16,), batch_size=10, epochs=3, dropout=0.1).fit(X, y)
    arrays = checkpoint.load(str(tmp_path / "net.h5")).arrays
    assert theta(net) == b"".join(array.tobytes() for own in arrays for array in own.values())


def test_a_saved_model_knows_its_classes(blobs, tmp_path, capsys):
    X, y = blobs
    net = DeepNetClassifier(**SMALL).fit(X, y)
    net.save(tmp_path / "net.h5")
    np.savetxt(tmp_path / "new.csv", X, delimiter=",")
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "net.h5"), str(tmp_path / "new.csv")]) == 0
    (header, *rows) = csv.reader(capsys.readouterr().out.splitlines())
    assert header == ["label"]
    assert [row[0] for row in rows] == net.predict(X).tolist()
    assert net.score(X, y) > 0.9
    assert net.classes_.tolist() == ["10", "no", "perhaps, yes"]
    assert np.abs(net.predict_proba(X).sum(axis=1) - 1).max() < 1e-6
    other = pickle.loads(pickle.dumps(net))
    assert (other.predict_proba(X) == net.predict_proba(X)).all()


def test_a_stack_is_trained_first(blobs, tmp_path):
    X, y = blobs
    stack = StackTransformer(layers=(12, 6), batch_size=10, epochs=3)
    net = DeepNetClassifier(start=stack, batch_size=10, epochs=20).fit(X, y)
    assert not hasattr(stack, "model_"), "the parameter is left as it was"
    assert net.model_.model.widths == (5, 12, 6, 3)
    assert net.model_.provenance["parent"]
    assert theta(net.start_) == theta(clone(stack).fit(X))
    net.start_.save(tmp_path / "stack.h5")
    again = DeepNetClassifier(start=tmp_path / "stack.h5", batch_size=10, epochs=20).fit(X, y)
    assert theta(again) == theta(net)
    found = GridSearchCV(net, {"start__layers": [(4,), (6,)], "epochs": [2]}, cv=2).fit(X, y)
    assert found.best_estimator_.model_.model.widths[1] in (4, 6)


def test_codes_serve_others(blobs):
    X, y = blobs
    codes = StackTransformer(layers=(12, 6), batch_size=10, epochs=10)
    line = make_pipeline(codes, LogisticRegression()).fit(X, y)
    assert line.score(X, y) > 0.8
    assert codes.get_feature_names_out().tolist() == [f"stacktransformer{n}" for n in range(6)]
    coder = AutoencoderTransformer(layers=(8, 2), batch_size=10, epochs=10).fit(X)
    assert coder.transform(X).shape == (150, 2)
    assert coder.get_feature_names_out().tolist() == ["autoencodertransformer0", "autoencodertransformer1"]
    assert coder.reconstruct(X).shape == X.shape
    assert codes.reconstruct(X).shape == X.shape


def test_margins_and_several_targets(blobs):
    X, y = blobs
    machine = DeepNetClassifier(**SMALL, loss="squared_hinge:10").fit(X, y)
    assert machine.decision_function(X).shape == (150, 3)
    assert not hasattr(machine, "predict_proba")
    two = DeepNetClassifier(**SMALL, loss="hinge").fit(X, y == "no")
    assert ((two.decision_function(X) > 0) == two.predict(X)).all()
    assert not hasattr(DeepNetClassifier(), "decision_function")
    targets = np.column_stack([X[:, 1], 1000 + X[:, 2]])
    several = DeepNetRegressor(**SMALL | {"epochs": 100}).fit(X, targets)
    assert several.predict(X).shape == (150, 2)
    assert several.score(X, targets) > 0.9


def test_bytes_stay_bytes():
    """Pixels as bytes are scaled as the commands scale them."""
    X = np.random.default_rng(1).integers(0, 256, (40, 9)).astype(np.uint8)
    net = DeepNetClassifier(layers=(4,), epochs=1, scale="auto").fit(X, X[:, 0] > 127)
    assert set(net.model_.preparation.scale.tolist()) == {255.0}


def test_a_small_table_gets_many_epochs(blobs):
    X, y = blobs
    net = DeepNetClassifier(layers=(4,), patience=2, valid=0.2).fit(X, y)
    assert net.model_.config["epochs"] == 1500
    assert net.model_.config["valid"] == "0.2"
    assert DeepNetClassifier(layers=(4,), epochs=1, batch_size=1000).fit(X, y).model_.config["batch_size"] == 150


WRONG = {
    "optimizer": "adamm", "precision": "half", "contrast": "l3", "layers": (0,), "dropout": 1.0, "epochs": 0,
    "batch_size": 0, "units": "reluu", "init": "x", "scale": "x", "loss": "x", "learning_rate": -1, "weight_decay": -1,
    "patience": 3, "noise": "much",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_cannot_be_used_is_a_value_error(name, blobs):
    with pytest.raises(ValueError, match=rf"^--{name.replace('_', '-')}\b") as refused:
        DeepNetClassifier(**{"epochs": 1, name: WRONG[name]}).fit(*blobs)
    assert refused.value.__cause__.exit_code == 2


def test_a_stack_s_settings_too(blobs):
    for name, value in (("method", "x"), ("visible", "x"), ("units", "x"), ("cd_steps", 0), ("corruption", "x")):
        with pytest.raises(ValueError, match=f"^--{name.replace('_', '-')}"):
            StackTransformer(**{"epochs": 1, name: value}).fit(blobs[0])

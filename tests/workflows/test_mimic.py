"""finetune --task mimic and evaluate --teacher: small teachers and students of a slice of MNIST."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.cli.teachers import Temperature
from deepnet.data import Cases
from deepnet.errors import DataError, UsageError
from deepnet.nn.losses import LOSSES
from deepnet.training import Meter
from deepnet.workflows import feeds, models, sources, teachers

SMALL = {"layers": (12,), "units": ("relu",), "init": ("he",), "batch_size": 50, "epochs": 3}
ASKED = {"soft": {"temperature": 4.0}, "logits": {"logits": True, "hard_weight": 0.5, "learning_rate": "0.003"},
         "normalised": {"batch_norm": True}}  # fmt: skip


@pytest.fixture(scope="module")
def big(tmp_path_factory, digits, finish):
    """Two teachers 784-60-10 with dropout, from different seeds."""
    folder = tmp_path_factory.mktemp("teachers")
    settings = SMALL | {"layers": (60,), "epochs": 8, "dropout": (0.2,), "learning_rate": "0.03"}
    for seed in (1, 2):
        finish(workflows.finetune(digits, str(folder / f"{seed}.h5"), seed=seed, **settings))
    return [str(folder / f"{seed}.h5") for seed in (1, 2)]


@pytest.fixture(scope="module")
def finish():
    return list


@pytest.fixture(scope="module")
def transfer(tmp_path_factory, digits):
    """The training digits without labels."""
    path = tmp_path_factory.mktemp("transfer") / "bare.npz"
    np.savez(path, x_train=np.load(digits)["x_train"], x_test=np.load(digits)["x_test"])
    return str(path)


@pytest.fixture(scope="module")
def student(tmp_path_factory, digits, big, finish):
    path = str(tmp_path_factory.mktemp("student") / "small.h5")
    finish(workflows.finetune(digits, path, task="mimic", teacher=big[:1], valid="100", **SMALL | {"epochs": 12}))
    return path


def probabilities(path, cases):
    """A classifier's outputs, by the way of predict."""
    model = checkpoint.load(path)
    return models.whole(model).all(feeds.visible_feed(cases.inputs, model.preparation), len(cases))


def test_a_student_is_an_ordinary_classifier(student, digits, call):
    """It comes nearer to its teacher epoch by epoch, and every command takes it."""
    found = checkpoint.load(student)
    assert found.model.loss == "cross_entropy"
    assert found.model.layers[-1].unit == "softmax"
    assert found.preparation.classes == tuple("0123456789")
    history = found.history["fine-tuning"]
    names = ("training_error", "training_agreement", "training_loss",
             "validation_error", "validation_agreement", "validation_loss")  # fmt: skip
    assert set(names) < set(history)
    assert history["validation_loss"][-1] < 0.5 * history["validation_loss"][0]
    assert history["training_agreement"][-1] > 0.8
    assert found.config["temperature"] == 4
    assert Temperature.__metadata__[0].show_default == "4"
    assert found.config["hard_weight"] == 0.1
    for words in (("evaluate", student, digits), ("predict", student, digits), ("inspect", student)):
        assert call(*words).code == 0, words


def test_figures_are_those_of_the_teacher_and_the_labels(student, digits, big):
    """The last epoch's agreement and error on the held-out cases, worked out from both nets' outputs."""
    found = checkpoint.load(student)
    dataset, _ = sources.read(digits, "100", "mimic", None, (), 0, found.preparation.classes)
    cases, best = dataset.splits["valid"], found.provenance["best_epoch"] - 1
    ours, theirs = (probabilities(path, cases).argmax(axis=1) for path in (student, big[0]))
    history = found.history["fine-tuning"]
    assert history["validation_agreement"][best] == pytest.approx((ours == theirs).mean())
    assert history["validation_error"][best] == pytest.approx((ours != cases.targets).mean())


def test_a_teacher_s_logits_are_centred_and_give_its_probabilities(digits, big):
    cases = sources.read(digits, "none", "classify", None, (), 0)[0].splits["test"]
    both = teachers.load(big)
    one = teachers.load(big[:1]).logits(cases, 20.0, Meter())
    assert np.abs(one.mean(axis=1)).max() < 1e-5
    shares = [probabilities(path, cases).astype(float) for path in big]
    np.testing.assert_allclose(softmax(one), shares[0], atol=1e-5)
    np.testing.assert_allclose(softmax(both.logits(cases, 1.0, Meter())), sum(shares) / 2, atol=1e-5)
    other = teachers.load(big[1:]).logits(cases, None, Meter())
    meter = Meter()
    np.testing.assert_allclose(both.logits(cases, None, meter), (one + other) / 2, atol=1e-4)
    assert meter.done == meter.total == 400
    at = (softmax(one / 3) + softmax(other / 3)) / 2
    np.testing.assert_allclose(softmax(both.logits(cases, 3.0, Meter()) / 3), at, atol=1e-5)


def softmax(z):
    power = np.exp(z.astype(float) - z.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


def test_transfer_data_need_no_labels(transfer, big, tmp_path, finish, call):
    """The classes are the teacher's; there is no error, but agreement; a weight of labels changes nothing."""
    paths = [str(tmp_path / f"{n}.h5") for n in range(2)]
    for path, weight in zip(paths, (0.0, 5.0), strict=True):
        given = {"task": "mimic", "teacher": big, "temperature": 5.0, "hard_weight": weight, "valid": "0.2"}
        finish(workflows.finetune(transfer, path, **given, **SMALL))
    one, other = map(checkpoint.load, paths)
    assert one.preparation.classes == tuple("0123456789")
    assert not any(name.endswith("_error") for name in one.history["fine-tuning"])
    assert "validation_agreement" in one.history["fine-tuning"]
    assert all(np.array_equal(a[n], b[n]) for a, b in zip(one.arrays, other.arrays, strict=True) for n in a)
    done = call("evaluate", paths[0], transfer, "--teacher", ",".join(big), "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    assert facts["cases"] == 200
    assert "error" not in facts
    assert 0 < facts["agreement"] <= 1


@pytest.mark.parametrize("name", ASKED)
def test_cut_and_resumed_it_is_the_same(name, digits, big, tmp_path, finish, cut):
    """Bit for bit, also where the cut lies in an epoch and the teachers are asked again."""
    whole, parts = str(tmp_path / "whole.h5"), str(tmp_path / "parts.h5")
    given = {"task": "mimic", "teacher": big, "valid": "0.1", "average": 0.9} | SMALL | ASKED[name]
    finish(workflows.finetune(digits, whole, **given))
    for minibatches in (4, 11, 1000):
        finish(workflows.finetune(digits, parts, resume=True, threads=1, stop=cut(minibatches), **given))
    assert Path(whole).read_bytes() == Path(parts).read_bytes()


def test_a_teacher_may_be_normalised(digits, big, tmp_path, finish, call):
    """Its statistics are those of its own training; a student of itself agrees with itself."""
    teacher, path = str(tmp_path / "teacher.h5"), str(tmp_path / "student.h5")
    finish(workflows.finetune(digits, teacher, batch_norm=True, **SMALL))
    finish(workflows.finetune(digits, path, task="mimic", teacher=(teacher,), start=teacher, epochs=1, batch_size=50))
    cases = sources.read(digits, "none", "classify", None, (), 0)[0].splits["test"]
    found = teachers.load([teacher]).logits(cases, None, Meter())
    np.testing.assert_allclose(softmax(found), probabilities(teacher, cases), atol=1e-5)
    assert json.loads(call("evaluate", path, digits, "--teacher", teacher, "--json").out)["agreement"] > 0.8


def test_another_teacher_is_another_run(digits, big, tmp_path, finish, cut):
    path = str(tmp_path / "net.h5")
    finish(workflows.finetune(digits, path, task="mimic", teacher=big[:1], stop=cut(3), **SMALL))
    with pytest.raises(UsageError, match="teachers was"):
        finish(workflows.finetune(digits, path, task="mimic", teacher=big[1:], resume=True, **SMALL))


def test_a_stack_and_a_network_to_start_from(stack, net, digits, big, tmp_path, finish):
    """A student may begin with a stack or a classifier; hessian_free and line searches know its loss too."""
    for start, optimizer in ((stack, "hessian_free"), (net, "cg")):
        path = str(tmp_path / f"{optimizer}.h5")
        given = {"start": start, "optimizer": optimizer, "batch_size": 500, "epochs": 2}
        finish(workflows.finetune(digits, path, task="mimic", teacher=big, **given))
        losses = checkpoint.load(path).history["fine-tuning"]["training_loss"]
        assert losses[-1] < losses[0]


def test_beside_its_teacher(student, digits, big, call):
    """What evaluate --teacher tells, worked out from both nets' probabilities; itself is its own equal."""
    done = call("evaluate", student, digits, "--teacher", big[0], "--json")
    assert done.code == 0, done.err
    facts = json.loads(done.out)
    cases = sources.read(digits, "none", "classify", None, (), 0)[0].splits["test"]
    ours, theirs = (probabilities(path, cases).astype(float) for path in (student, big[0]))
    assert facts["agreement"] == pytest.approx((ours.argmax(axis=1) == theirs.argmax(axis=1)).mean())
    assert facts["kl"] == pytest.approx((theirs * np.log(theirs / ours)).sum(axis=1).mean(), rel=1e-3)
    assert facts["teacher_wrong"] == (theirs.argmax(axis=1) != cases.targets).sum()
    assert facts["difference"] == pytest.approx((facts["wrong"] - facts["teacher_wrong"]) / 200)
    assert facts["parameters"] == 785 * 12 + 13 * 10
    assert facts["teacher_parameters"] == 785 * 60 + 61 * 10
    assert facts["bytes"] < facts["teacher_bytes"]
    for batch in (1, 100):
        assert 0 < facts[f"seconds_a_case_in_{batch}"] < 0.1
        assert 0 < facts[f"teacher_seconds_a_case_in_{batch}"] < 0.1
    same = json.loads(call("evaluate", student, digits, "--teacher", student, "--json").out)
    assert (same["agreement"], same["p"], same["verdict"]) == (1, 1, "no difference")
    assert same["kl"] == pytest.approx(0, abs=1e-7)
    told = call("evaluate", student, digits, "--teacher", big[0]).out
    assert "agreement" in told
    assert " %" in next(line for line in told.splitlines() if line.startswith("agreement"))
    assert call("evaluate", student, digits, "--teacher", big[0], "--require", "agreement>=0.999").code == 7


def test_some_cases_may_have_labels(digits, big, tmp_path, finish, call):
    """Errors are of those alone, agreement of all."""
    arrays, path = dict(np.load(digits)), str(tmp_path / "some.h5")
    for name, step in (("y_train", 3), ("y_test", 4)):
        arrays[name] = np.where(np.arange(len(arrays[name])) % step, -1, arrays[name].astype(np.int64))
    np.savez(tmp_path / "some.npz", **arrays)
    finish(workflows.finetune(str(tmp_path / "some.npz"), path, task="mimic", teacher=big[:1], **SMALL))
    history = checkpoint.load(path).history["fine-tuning"]
    assert round(history["training_error"][-1] * 167, 6) % 1 == 0
    assert round(history["training_agreement"][-1] * 500, 6) % 1 == 0
    facts = json.loads(call("evaluate", path, tmp_path / "some.npz", "--teacher", big[0], "--json").out)
    assert (facts["cases"], facts["labelled"]) == (200, 50)
    cases = sources.read(digits, "none", "classify", None, (), 0)[0].splits["test"]
    ours, theirs = (probabilities(net, cases).argmax(axis=1) != cases.targets for net in (path, big[0]))
    assert (facts["wrong"], facts["teacher_wrong"]) == (ours[::4].sum(), theirs[::4].sum())


def test_who_learns_from_it_is_nearer_to_it(student, digits, big, tmp_path, finish, call):
    """Than the same net alone, trained as long on the same cases."""
    alone = str(tmp_path / "alone.h5")
    finish(workflows.finetune(digits, alone, valid="100", **SMALL | {"epochs": 12}))
    near, far = (
        json.loads(call("evaluate", path, digits, "--teacher", big[0], "--json").out) for path in (student, alone)
    )
    assert near["kl"] < 0.7 * far["kl"]
    assert near["agreement"] >= far["agreement"]


REFUSED = {
    "no teacher": (2, (), "add --teacher"),
    "another task": (2, ("--task", "classify", "--teacher", "BIG"), "--task mimic"),
    "a temperature for another task": (2, ("--task", "classify", "--temperature", "3"), "--task mimic"),
    "a weight for another task": (2, ("--task", "regress", "--hard-weight", "0"), "--task mimic"),
    "logits for another task": (2, ("--task", "reconstruct", "--logits"), "--task mimic"),
    "no temperature": (2, ("--teacher", "BIG", "--temperature", "0"), "--temperature 0: must be above 0"),
    "below 0": (2, ("--teacher", "BIG", "--temperature", "-3"), "--temperature -3: must be above 0"),
    "too hot": (2, ("--teacher", "BIG", "--temperature", "1e9"), "to 1000"),
    "both kinds": (2, ("--teacher", "BIG", "--temperature", "3", "--logits"), "leave one of them"),
    "a weight below 0": (2, ("--teacher", "BIG", "--hard-weight", "-1"), "0 or more"),
    "a loss of its own": (2, ("--teacher", "BIG", "--loss", "hinge"), "leave it"),
    "smoothing": (2, ("--teacher", "BIG", "--label-smoothing", "0.1"), "--task classify"),
    "a stack": (2, ("--teacher", "STACK"), "is a stack; give a classifier"),
    "an autoencoder": (2, ("--teacher", "CODER"), "was made to reconstruct by binary_cross_entropy; give"),
    "a regressor": (2, ("--teacher", "HOUSES"), "was made to regress by squared_error; give"),
    "other classes among teachers": (2, ("--teacher", "BIG,FLOWERS"), "the same classes"),
    "other classes and width": (3, ("--teacher", "FLOWERS"), "Iris"),
    "no such file": (4, ("--teacher", "nothing.h5"), "nothing.h5"),
    "the teacher as output": (2, ("--teacher", "OUT", "--force"), "o.h5"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, request, digits, big, tmp_path, tree, call):
    code, words, part = REFUSED[name]
    fixtures = {"STACK": "stack", "CODER": "coder", "HOUSES": "house_net", "FLOWERS": "flower_net"}
    out = tmp_path / "o.h5"
    if "OUT" in words:
        out.write_bytes(Path(big[0]).read_bytes())
    known = {key: fixture for key, fixture in fixtures.items() if any(key in word for word in words)}
    places = {key: request.getfixturevalue(fixture) for key, fixture in known.items()} | {"BIG": big[0], "OUT": out}
    typed = [",".join(str(places.get(part, part)) for part in word.split(",")) for word in words]
    before = tree(tmp_path)
    done = call(
        "finetune", digits, "--layers", "5", "--task", "mimic", *typed, "-o", out, *["--force"][: "OUT" in words]
    )
    assert done.code == code, done.err
    assert part in done.err
    assert done.err.count("\n") == 1
    assert tree(tmp_path) == before


def test_a_student_with_other_classes_or_a_teacher_of_other_data(
    digits, flowers, flower_net, house_net, net, big, call
):
    label = ("--label", "kind, as told")
    done = call("finetune", digits, "--from", net, "--task", "mimic", "--teacher", flower_net, "-n")
    assert done.code == 2
    assert "the same classes" in done.err
    done = call("finetune", flowers, *label, "--layers", "5", "--task", "mimic", "--teacher", big[0], "-n")
    assert done.code == 3
    for words in ((flower_net, flowers, *label, "--teacher", big[0]), (house_net, flowers, "--teacher", flower_net),
                  (net, digits, "--teacher", flower_net), (net, digits, "--teacher", big[0], "--mc", "2")):  # fmt: skip
        assert call("evaluate", *words).code == 2, words


def test_unlabelled_data_of_another_width(transfer, tmp_path, big):
    np.savez(tmp_path / "wide.npz", x_train=np.zeros((20, 9), np.uint8))
    with pytest.raises(DataError, match="takes 784"):
        next(workflows.finetune(str(tmp_path / "wide.npz"), None, task="mimic", teacher=big, layers=(3,), dry_run=True))


def test_targets_are_the_teacher_s_logits_and_the_label(big):
    """What a minibatch is held to."""
    cases = Cases(np.zeros((4, 784), np.uint8), np.array([3, 0, 9, 1]))
    preparation = checkpoint.load(big[0]).preparation
    given, t = np.arange(40, dtype=np.float32).reshape(4, 10), np.empty((2, 11), np.float32)
    x, rows = np.empty((2, 784), np.float32), np.array([2, 1])
    feeds.network_feed(cases, preparation, "mimic", logits=given)(rows, x, t)
    np.testing.assert_array_equal(t, np.column_stack([given[rows], [9, 0]]))
    feeds.network_feed(Cases(cases.inputs), preparation, "mimic", logits=given)(rows, x, t)
    np.testing.assert_array_equal(t[:, -1], [-1, -1])
    assert LOSSES["soft_targets"].targets(10) == 11

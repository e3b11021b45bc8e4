"""Mixed visible units through the commands: which tables get them, what is measured, what is refused."""

import csv
import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import UsageError
from deepnet.workflows.export import program_of

PATIENTS = Path(__file__).parents[1] / "data" / "patients.csv"
OPTIONS = {"label": "state", "ignore": ("id",)}
UNITS = "linear:3 logistic:4 softmax:3"  # age, height, ward; smoker, left, two that tell what is missing; colour


def run(name, *words, **more):
    """Train to the end, on the table."""
    *_, end = getattr(workflows, name)(str(PATIENTS), *words, **OPTIONS, **more)
    return end.result


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A stack, the autoencoder that it unrolls into, and one from random weights."""
    folder = tmp_path_factory.mktemp("mixed")
    stack, coder, other = (str(folder / f"{name}.h5") for name in ("stack", "coder", "other"))
    run("pretrain", stack, layers=(20, 4), epochs=(30,), visible_bias="mean", batch_size=(20,))
    run("finetune", coder, start=stack, task="reconstruct", epochs=30, batch_size=20)
    run("finetune", other, layers=(4,), task="reconstruct", epochs=2)
    return {"stack": stack, "coder": coder, "other": other}


def test_auto_is_mixed_for_a_table_of_mixed_columns(models):
    stack, coder, other = (checkpoint.load(path) for path in models.values())
    assert stack.model.layers[0].visible == UNITS
    assert stack.config["visible"] == "mixed"
    assert stack.config["learning_rate"] == ["0.01", "0.1"]
    assert coder.model.loss == coder.model.layers[-1].unit == UNITS
    assert other.model.loss == UNITS


def test_auto_is_logistic_for_columns_of_one_kind(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((40, 6)).astype(np.float32))
    *_, end = workflows.pretrain(str(tmp_path / "x.npy"), str(tmp_path / "s.h5"), layers=(3,), epochs=(1,))
    assert end.outcome == "finished"
    loaded = checkpoint.load(str(tmp_path / "s.h5"))
    assert (loaded.model.layers[0].visible, loaded.config["visible"]) == ("logistic", "logistic")
    with pytest.raises(UsageError, match=r"--visible mixed: x.npy has columns of one kind; give --visible linear"):
        list(workflows.pretrain(str(tmp_path / "x.npy"), str(tmp_path / "s.h5"), visible="mixed", force=True))


def test_mixed_units_of_projected_columns_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--visible mixed: --pca makes numbers of its columns"):
        run("pretrain", str(tmp_path / "s.h5"), visible="mixed", pca=3)


@pytest.mark.parametrize("name", ["stack", "coder"])
def test_errors_by_kind(models, name):
    """What evaluate says of numbers, flags and categories is what the reconstructions are."""
    found = workflows.evaluate(models[name], str(PATIENTS), label="state", ignore=("id",))
    lines = b"".join(workflows.predict(models[name], str(PATIENTS), give="reconstructions")).decode()
    y = np.array(list(csv.reader(io.StringIO(lines)))[1:], float)
    rows, x = list(csv.DictReader(io.StringIO(PATIENTS.read_text()))), checkpoint.load(models[name]).preparation
    colour = [row["colour"] for row in rows]
    values = [value.removeprefix("colour=") for value in x.columns[-3:]]
    wrong = [values[i] != c for i, c in zip(y[:, -3:].argmax(axis=1), colour, strict=True) if c in values]
    assert found["category_error"] == pytest.approx(np.mean(wrong))
    assert len(wrong) < len(rows), "some colours are missing"
    age = np.array([float(row["age"]) if row["age"].isdecimal() else np.nan for row in rows])
    known = ~np.isnan(age)
    place = x.columns.index("age")
    squared = ((age - x.offset[place]) / x.scale[place] - y[:, place])[known] ** 2
    assert squared.mean() < found["numbers_squared_error"]
    assert 0 <= found["flag_error"] < 0.5
    word = "reconstruction_error" if name == "stack" else "squared_error"
    assert found["numbers_squared_error"] < found[word] < found["mean_case_squared_error"]


def test_fine_tuning_mends_what_unrolling_begins_with(models):
    before, after = (workflows.evaluate(models[name], str(PATIENTS))["category_error"] for name in ("stack", "coder"))
    assert after <= before


def test_reconstructions_have_the_names_of_their_columns(models, tmp_path):
    header = next(workflows.predict(models["coder"], str(PATIENTS))).decode().strip()
    columns = checkpoint.load(models["coder"]).preparation.columns
    assert header.split(",") == list(columns)
    assert {"age", "smoker=yes", "colour=blue"} <= set(columns)


def test_an_exported_page_restores_the_same(models, tmp_path):
    from deepnet.exports import predictor

    loaded = checkpoint.load(models["coder"])
    (tmp_path / "net.py").write_bytes(predictor.write(program_of(loaded)))
    spec = importlib.util.spec_from_file_location("net", tmp_path / "net.py")
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    x = np.random.default_rng(0).normal(size=(7, loaded.preparation.width)).astype(np.float32)
    y = workflows.outputs(loaded, x)
    np.testing.assert_allclose(page.outputs(x), y, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(y[:, -3:].sum(axis=1), 1, rtol=1e-5)
    with pytest.raises(UsageError, match=r"no module of mixed units.*\.onnx"):
        workflows.export(models["coder"], str(tmp_path / "net.safetensors"))


@pytest.mark.parametrize("method", ["rbm", "dae", "sae", "cae"])
def test_every_method_and_every_way_on(method, tmp_path):
    stack, net = str(tmp_path / "s.h5"), str(tmp_path / "n.h5")
    run("pretrain", stack, layers=(8,), epochs=(3,), method=method)
    for optimizer in ("hessian_free", "adam"):
        run("finetune", net, start=stack, task="reconstruct", epochs=2, optimizer=optimizer, force=True)
        assert checkpoint.load(net).model.loss == UNITS
    run("finetune", net, start=stack, epochs=2, force=True)
    assert workflows.evaluate(net, str(PATIENTS))["error"] <= 1


def test_pictures_and_scores(models, tmp_path, call):
    for name in ("stack", "coder"):
        done = call("visualize", models[name], PATIENTS, "-o", tmp_path / f"{name}.html")
        assert (done.code, done.err) == (0, ""), done.err
    done = call("predict", models["stack"], PATIENTS, "--give", "anomaly", "--calibrate", PATIENTS)
    assert done.code == 0, done.err
    done = call("evaluate", models["coder"], PATIENTS, "--logistic-pca")
    assert (done.code, "reconstructs by mixed units" in done.err) == (2, True)
    assert json.loads(call("inspect", models["coder"], "--json").out)["layers"][-1]["unit"] == "mixed"


def test_a_cut_run_goes_on_bit_for_bit(tmp_path):
    """The same file, whether stopped on its way or not."""
    whole, cut = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    run("pretrain", whole, layers=(8, 4), epochs=(4,))
    stops = iter([None] * 3 + ["interrupted"] + [None] * 10_000)
    *_, end = workflows.pretrain(str(PATIENTS), cut, layers=(8, 4), epochs=(4,), **OPTIONS, stop=lambda: next(stops))
    assert end.outcome == "interrupted"
    run("pretrain", cut, layers=(8, 4), epochs=(4,), resume=True)
    assert Path(cut).read_bytes() == Path(whole).read_bytes()

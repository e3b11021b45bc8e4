"""Every model in every format against deepnet itself, and what the formats say beside the numbers."""

import importlib.util
import io
import json

import numpy as np
import pytest

from deepnet.data import columns
from deepnet.errors import UsageError
from deepnet.exports import Largest, Runs, Units, arrays, onnx, predictor, safetensors, tables
from deepnet.workflows.export import program_of
from tests.exports.models import CASES, MODELS, close


def run_onnx(content, cases):
    """{name: array} of what onnxruntime makes of the cases, and the metadata."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [out.name for out in session.get_outputs()]
    return dict(zip(names, session.run(None, {"inputs": cases}), strict=True)), session.get_modelmeta()


def imported(page, tmp_path, name="net"):
    """A predictor file, imported."""
    path = tmp_path / f"{name}.py"
    path.write_bytes(page)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_onnx(model, ours):
    pytest.importorskip("onnx", reason="onnx is not installed")
    program = program_of(model)
    found, meta = run_onnx(onnx.write(program), CASES)
    assert close(found[program.gives], ours(model, CASES))
    assert json.loads(meta.custom_metadata_map["classes"]) == list(model.preparation.classes)
    assert meta.custom_metadata_map["model"] == model.digest
    assert meta.producer_name == "deepnet"
    if program.classes:
        assert found["class"].tolist() == ours(model, CASES).argmax(axis=1).tolist()
    one, _ = run_onnx(onnx.write(program), CASES[:1])
    assert close(one[program.gives], ours(model, CASES[:1]))


def test_a_predictor(model, ours, tmp_path):
    net = imported(predictor.write(program_of(model)), tmp_path)
    found = net.outputs(CASES.astype(np.float64).tolist())
    assert found.dtype == np.float32
    assert close(found, ours(model, CASES))
    assert net.outputs(CASES[:0]).shape == found[:0].shape
    classes = model.preparation.classes
    if classes:
        assert net.predict(CASES).tolist() == [classes[c] for c in ours(model, CASES).argmax(axis=1)]


CELLS = ("1", "01", "-0", "1.0", " 1e3", "+5", "1_0", "0x1", "True", "TRUE ", "inf", "Infinity", "1e39", "1e999", "nan",
         "12345678901234567", "12345678901234568.0", "9" * 38, "9" * 39, "--1", "\u0663", "red", "")  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_a_predictor_takes_the_same_cells_for_the_same(cell):
    """Its page cannot import `data.columns`, and does what that does."""
    for own, theirs in ((tables.same, columns.canonical), (tables.is_number, columns.is_number),
                        (tables.is_missing, columns.is_missing)):  # fmt: skip
        assert own(cell) == theirs(cell)


def unsaid(program):
    """Whether PyTorch has no module of some of its units."""
    return any(step == Units("square") or isinstance(step, Largest | Runs) for step in program.steps)


def modules_of(text):
    """(kind, numbers) of each module in a text such as nn.Sequential(nn.Linear(3, 2), nn.Tanh())."""
    inner = text.removeprefix("nn.Sequential(").removesuffix(")")
    return [part.removeprefix("nn.").rstrip(")").split("(") for part in inner.split(", nn.")]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


TWINS = {  # of PyTorch's modules, by their documentation
    "Sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "ReLU": lambda z: np.maximum(z, 0),
    "Softmax": softmax,
    "Tanh": np.tanh,
    "Softplus": lambda z: np.log1p(np.exp(-abs(z))) + np.maximum(z, 0),
    "LeakyReLU": lambda z: np.where(z > 0, z, 0.01 * z),
    "ELU": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "Hardtanh": lambda z: np.clip(z, -1, 1),
}


def prepared(facts, x):
    """Cases as the metadata say that they are prepared."""
    x = (x - np.array(facts["offset"])) / np.array(facts["scale"])
    if "contrast" in facts:
        x = x - x.mean(axis=1, keepdims=True)
        size = abs(x).mean(axis=1) if facts["contrast"] == "l1" else np.sqrt((x**2).mean(axis=1))
        x = x / np.where(size > 0, size, 1)[:, None]
    return x


def opened(content, tmp_path):
    """The tensors and the metadata of a safetensors file, by the library."""
    library = pytest.importorskip("safetensors", reason="safetensors is not installed")
    (tmp_path / "net.safetensors").write_bytes(content)
    with library.safe_open(tmp_path / "net.safetensors", "np") as file:
        facts = json.loads(file.metadata()["deepnet"])
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118


def test_safetensors(model, ours, tmp_path):
    """The tensors in the modules that the file names, as PyTorch would run them, in float64."""
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    program = program_of(model)
    if unsaid(program):
        with pytest.raises(UsageError, match=r"PyTorch has no module of (square|maxout|mixed) units.*\.onnx"):
            safetensors.write(program)
        return
    tensors, facts = opened(safetensors.write(program), tmp_path)
    a, names = prepared(facts, CASES.astype(np.float64)), []
    for place, (kind, numbers) in enumerate(modules_of(facts["modules"])):
        if kind == "Linear":
            names += [f"layers.{place}.weight", f"layers.{place}.bias"]
            weight, bias = tensors[names[-2]], tensors[names[-1]]
            assert weight.dtype == bias.dtype == np.float32
            assert [weight.shape[1], weight.shape[0]] == [int(n) for n in numbers.split(", ")]
            a = a @ weight.T.astype(np.float64) + bias
        else:
            a = TWINS[kind](a)
    if "centre" in facts:
        a = ((a - np.array(facts["centre"])) ** 2).sum(axis=1, keepdims=True)
    assert sorted(tensors) == sorted(names)
    assert close(a, ours(model, CASES))
    assert facts["classes"] == list(model.preparation.classes)


def test_safetensors_in_pytorch(model, ours, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    loaded = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    program = program_of(model)
    if unsaid(program):
        pytest.skip("PyTorch has no module of these units")
    content = safetensors.write(program)
    facts = opened(content, tmp_path)[1]
    net = torch.nn.ModuleDict({"layers": eval(facts["modules"], {"nn": torch.nn})})
    net.load_state_dict(loaded.load(content))
    with torch.no_grad():
        a = net["layers"](torch.tensor(prepared(facts, CASES.astype(np.float64)).astype(np.float32))).numpy()
    if "centre" not in facts:
        assert close(a, ours(model, CASES))


def test_arrays_tell_what_they_are(model):
    program = program_of(model)
    with np.load(io.BytesIO(arrays.write(program)), allow_pickle=False) as file:
        steps, facts = file["steps"].tolist(), json.loads(file["facts"].item())
        assert steps[0] == "(x - offset1) / scale1"
        assert file["offset1"].tobytes() == model.preparation.offset.tobytes()
        named = {word.strip("()") for step in steps for word in step.split()}
        assert {name for name in file.files if name[-1].isdecimal()} <= named
    assert facts["gives"] == program.gives
    assert facts["classes"] == list(model.preparation.classes)


@pytest.mark.parametrize(
    ("name", "give"),
    [("coder", "codes"), ("machines", "codes"), ("machines", "reconstructions"), ("cross_entropy", "codes"),
     ("svdd", "codes")],
)  # fmt: skip
def test_a_reader_may_ask_for_codes_and_reconstructions(name, give, ours, tmp_path):
    program = program_of(MODELS[name], give)
    assert program.gives == give
    assert program.classes == ()
    assert close(imported(predictor.write(program), tmp_path).outputs(CASES), ours(MODELS[name], CASES, give))


def test_what_a_model_does_not_give_is_refused():
    assert program_of(MODELS["machines"]).gives == "codes"
    with pytest.raises(UsageError, match="made to classify"):
        program_of(MODELS["cross_entropy"], "reconstructions")
    with pytest.raises(UsageError, match="codes or reconstructions"):
        program_of(MODELS["cross_entropy"], "labels")

"""safetensors: weights by the names of PyTorch's `nn.Sequential`, `layers.N.weight` (out, in) and `layers.N.bias`.

N is the place of the layer among the modules, units counted. What is done to cases before them is in the metadata,
JSON by the name deepnet: `offset`, `scale` and `contrast`; a projection is the first layer. `modules` is the network as
one would type it.
"""

import json
from itertools import pairwise

import numpy as np

from ..errors import UsageError
from ..extras import extra
from .steps import Affine, Contrast, Distance, Program, Runs, Scaled, Step, Units

UNITS = {
    "logistic": "nn.Sigmoid()",
    "relu": "nn.ReLU()",
    "softmax": "nn.Softmax(dim=1)",
    "tanh": "nn.Tanh()",
    "softplus": "nn.Softplus()",
    "leaky_relu": "nn.LeakyReLU(0.01)",
    "elu": "nn.ELU()",
    "hard_tanh": "nn.Hardtanh()",
}


def write(program: Program) -> bytes:
    """A safetensors file; UsageError for units that PyTorch has no module of."""
    numpy_face = extra("safetensors.numpy", "safetensors")
    facts = program.facts | {"modules": modules(program)} | _preparation(program)
    return numpy_face.save(_tensors(program), {"deepnet": json.dumps(facts)})  # several names would come in any order


def modules(program: Program) -> str:
    """The network as PyTorch has it: nn.Sequential(nn.Linear(784, 500), nn.Sigmoid(), ...)."""
    return f"nn.Sequential({', '.join(_module(step) for step in _layers(program))})"


def _layers(program: Program) -> list[Step]:
    """The steps that are modules: all but the preparation and the distance from a centre.

    What a projection takes away from each case is in its bias.
    """
    first = program.steps[0]
    layers = []
    for before, step in pairwise(program.steps):
        if isinstance(before, Scaled) and before is not first and isinstance(step, Affine):
            away = (before.offset / before.scale).astype(np.float64) @ step.W
            step = Affine(step.W, (step.b - away).astype(np.float32))
        if not isinstance(step, Scaled | Contrast | Distance):
            layers.append(step)
    return layers


def _module(step) -> str:
    if isinstance(step, Affine):
        return f"nn.Linear({step.W.shape[0]}, {step.W.shape[1]})"
    if not isinstance(step, Units) or step.name not in UNITS:
        name = step.name if isinstance(step, Units) else "mixed" if isinstance(step, Runs) else "maxout"
        raise UsageError(f"PyTorch has no module of {name} units, so .safetensors cannot say them; export .onnx or .py")
    return UNITS[step.name]


def _tensors(program: Program) -> dict[str, np.ndarray]:
    tensors = {}
    for place, step in enumerate(_layers(program)):
        if isinstance(step, Affine):
            tensors[f"layers.{place}.weight"] = np.ascontiguousarray(step.W.T)
            tensors[f"layers.{place}.bias"] = step.b
    return tensors


def _preparation(program: Program) -> dict[str, object]:
    """What is done to cases before the first layer, and the centre that a score is measured from."""
    first = program.steps[0]
    facts: dict[str, object] = {"offset": _short(first.offset), "scale": _short(first.scale)}
    for step in program.steps:
        match step:
            case Contrast(kind):
                facts["contrast"] = kind
            case Distance(centre):
                facts["centre"] = centre.tolist()
    return facts


def _short(values: np.ndarray) -> float | list[float]:
    """One number where all are the same."""
    return float(values[0]) if (values == values[0]).all() else values.tolist()

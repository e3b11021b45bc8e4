"""ONNX: the whole way from cases as they are in their file to the model's outputs, as one graph.

Operators of version 18 (2022), so that runtimes of the last years read it. Source: the ONNX operator specification.
"""

import json

import numpy as np

from ..errors import UsageError
from ..extras import extra
from .steps import Affine, Contrast, Distance, Largest, Program, Runs, Scaled, Step, Units

OPERATORS, FORMAT = 18, 8  # versions of the operators, and of the file format that came with them
MOST = (1 << 31) - (1 << 20)  # bytes of weights: a protocol buffer ends at 2 GB
UNITS = {
    "logistic": ("Sigmoid", {}),
    "relu": ("Relu", {}),
    "softmax": ("Softmax", {"axis": 1}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
}


def write(program: Program) -> bytes:
    """An ONNX file: `inputs` (cases, M) float32 to what the model `gives` (cases, N), of a classifier `class` too."""
    onnx = extra("onnx", "onnx")
    graph, last = _Graph(onnx), "inputs"
    for step in program.steps:
        last = graph.add(step, last)
    if sum(len(tensor.raw_data) for tensor in graph.constants) > MOST:
        raise UsageError("the weights take more than 2 GB, which an ONNX file cannot hold; export .safetensors or .npz")
    graph.node("Identity", last, out=program.gives)
    float32, cases = onnx.TensorProto.FLOAT, "cases"
    given = onnx.helper.make_tensor_value_info("inputs", float32, [cases, program.inputs])
    made = [onnx.helper.make_tensor_value_info(program.gives, float32, [cases, program.outputs])]
    if program.classes:
        graph.node("ArgMax", last, out="class", axis=1, keepdims=0)
        made.append(onnx.helper.make_tensor_value_info("class", onnx.TensorProto.INT64, [cases]))
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, program.title, [given], made, graph.constants),
        producer_name="deepnet",
        producer_version=program.version,
        opset_imports=[onnx.helper.make_opsetid("", OPERATORS)],
        ir_version=FORMAT,
    )
    facts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in program.facts.items()}
    onnx.helper.set_model_props(model, facts)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


class _Graph:
    """Nodes and constants, as they come."""

    def __init__(self, onnx):
        self.onnx, self.nodes, self.constants = onnx, [], []

    def node(self, operator: str, *inputs: str, out: str | None = None, **attributes) -> str:
        """Add one operator on values of these names; the name of its result."""
        out = out or f"{operator.lower()}{len(self.nodes) + 1}"
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [out], **attributes))
        return out

    def constant(self, array) -> str:
        """Add an array; its name."""
        name = f"constant{len(self.constants) + 1}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, step: Step, x: str) -> str:
        """Add a step on the value x; the name of its result."""
        match step:
            case Scaled(offset, scale):
                return self.node("Div", self.node("Sub", x, self.constant(offset)), self.constant(scale))
            case Affine(W, b):
                return self.node("Gemm", x, self.constant(W), self.constant(b))
            case Units("hard_tanh"):
                return self.node("Clip", x, self.constant(np.float32(-1)), self.constant(np.float32(1)))
            case Units("square"):
                return self.node("Mul", x, x)
            case Units(name):
                operator, attributes = UNITS[name]
                return self.node(operator, x, **attributes)
            case Runs(runs):
                return self._runs(runs, x)
            case Largest(pieces):
                apart = self.node("Reshape", x, self.constant(np.array([0, pieces, -1], np.int64)))
                return self.node("ReduceMax", apart, self.constant(np.array([1], np.int64)), keepdims=0)
            case Distance(centre):
                gap = self.node("Sub", x, self.constant(centre))
                return self.node("ReduceSumSquare", gap, self.constant(np.array([1], np.int64)), keepdims=1)
            case Contrast(kind):
                return self._contrast(kind, x)

    def _runs(self, runs, x: str) -> str:
        """Columns apart, each run through its units, and side by side again."""
        names = [f"run{i + 1}" for i in range(len(runs))]
        widths = self.constant(np.array([width for _, width in runs], np.int64))
        self.nodes.append(self.onnx.helper.make_node("Split", [x, widths], names, axis=1))
        pairs = zip(runs, names, strict=True)
        made = [part if unit == "linear" else self.add(Units(unit), part) for (unit, _), part in pairs]
        return self.node("Concat", *made, axis=1)

    def _contrast(self, kind: str, x: str) -> str:
        """A case less its mean, over its size; means in double, so that a constant case is 0 and stays it."""
        float32, double = self.onnx.TensorProto.FLOAT, self.onnx.TensorProto.DOUBLE

        def mean(values: str) -> str:
            return self.node("ReduceMean", values, self.constant(np.array([1], np.int64)), keepdims=1)

        centre = self.node("Cast", mean(self.node("Cast", x, to=double)), to=float32)
        gap = self.node("Sub", x, centre)
        wide = self.node("Cast", gap, to=double)
        size = mean(self.node("Abs", wide)) if kind == "l1" else self.node("Sqrt", mean(self.node("Mul", wide, wide)))
        size = self.node("Cast", size, to=float32)
        some = self.node("Greater", size, self.constant(np.float32(0)))
        return self.node("Div", gap, self.node("Where", some, size, self.constant(np.float32(1))))

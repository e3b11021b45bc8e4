"""FORMATS: what a model or a log is written as for other tools, by the suffix of the file. Steps in, bytes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from . import arrays, onnx, predictor, safetensors, tensorboard
from .safetensors import modules
from .steps import Affine, Contrast, Distance, Largest, Program, Runs, Scaled, Step, Units

__all__ = ["FORMATS", "Affine", "Contrast", "Distance", "Format", "Largest", "Program", "Runs", "Scaled", "Step",
           "Units", "modules"]  # fmt: skip


@dataclass(frozen=True)
class Format:
    """What it is made of, the function that writes it, and what it is.

    A model's takes a Program and the name of the file, a log's its bytes and the log's name; both give bytes.
    """

    source: Literal["model", "log"]
    write: Callable[..., bytes]
    what: str


FORMATS: dict[str, Format] = {
    ".onnx": Format("model", lambda program, name: onnx.write(program), "ONNX"),
    ".safetensors": Format("model", lambda program, name: safetensors.write(program), "safetensors, for PyTorch"),
    ".py": Format("model", predictor.write, "a predictor that needs NumPy alone"),
    ".npz": Format("model", lambda program, name: arrays.write(program), "arrays of NumPy"),
    ".tfevents": Format("log", tensorboard.write, "events for TensorBoard"),
}

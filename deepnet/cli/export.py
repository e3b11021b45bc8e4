"""`deepnet export`: options -> `workflows.export`."""

from typing import Annotated

import typer

from . import options as o
from .options import argument, option

HELP = """Write a model for other tools: ONNX, PyTorch, NumPy alone; or a log for TensorBoard.

[bold]Examples[/]
  deepnet export net.h5 -o net.onnx
  deepnet export net.h5 -o net.safetensors
  deepnet export coder.h5 -o coder.py --give codes
  deepnet export run.jsonl -o runs/one.tfevents

The suffix of the output names the format.
  .onnx         one graph, what is done to the data included
  .safetensors  layers.N.weight and layers.N.bias, for nn.Sequential
  .py           a page of Python that needs NumPy alone, weights inside
  .npz          the plain arrays, and a text of what they are
  .tfevents     curves for TensorBoard, of a log that --log wrote

A classifier gives the probability of each class, a regressor numbers, an
autoencoder reconstructions, a stack its codes, a network of one class its
score. Dropout and noise are left out, batch normalisation is in the weights."""

Source = Annotated[str, argument("FILE", "A model file, or for .tfevents the log of a run.")]
Output = Annotated[
    str,
    option(
        "Output",
        "-o",
        "--output",
        help="The file to write; its suffix is its format.",
        metavar="FILE",
        show_default=False,
    ),
]
Give = Annotated[
    o.Export | None,
    option(
        "Output",
        help=f"What comes out: {', '.join(o.EXPORTS)}.",
        metavar="NAME",
        show_default="what the model is for",
    ),
]


def export(
    ctx: typer.Context,
    file: Source,
    output: Output,
    give: Give = None,
    force: o.Force = False,
    json: o.Json = False,
    config: o.Config = None,
    debug: o.Debug = False,
):
    """Write, and say what was written."""
    from . import console, run

    facts = run.workflows(None).export(file, output, give=give, force=force)
    console.result("export", facts, as_json=json, verbose=False)

"""`deepnet predict`: options -> `workflows.predict`."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from . import options as o
from . import values
from .options import option

NAMED = {".jsonl": "jsonl", ".ndjson": "jsonl", ".npy": "npy"}
HELP = """Apply a model to data and write a line a case.

[bold]Examples[/]
  deepnet predict net.h5 new.csv
  deepnet predict net.h5 new.csv --give probabilities -o answer.csv
  deepnet predict coder.h5 mnist --give codes -o codes.npy
  tail -f rows.csv | deepnet predict net.h5 - --format jsonl
  deepnet predict coder.h5 new.csv --give anomaly --calibrate old.csv

CSV, JSON lines and NPY, files or a pipe (-), are read as they come, however
long they are, and a line is written for each case. A row that cannot be read
ends it with its number (exit code 3), after the lines of those before.
JSON lines hold an array, or an object with the columns' names, each. An NPY
that is written tells first how many cases it has: where data do not tell
that before their end, neither does it.

--give anomaly writes a score, the larger the less like the training, and a
flag: 1 where it is above that of all but 5 % of the cases that set the
threshold, those held out of the training data or else the training cases.
  autoencoder, stack of them  squared error of the reconstruction
  stack of machines           free energy of the lowest
  one class                   squared distance from the centre
A classifier with --loss squared_hinge or hinge has margins and no
probabilities; the class is the one of the largest.

--split valid are also the cases that the model held out of its training data.
The model remembers how the data were scaled and what the classes are called."""

Give = Annotated[
    o.Give | None,
    option(
        "Output",
        help=f"What to write of each case: {', '.join(o.GIVES)}.",
        metavar="NAME",
        show_default="what the model is for",
    ),
]
Share = Annotated[
    str | None,
    option(
        "Output",
        help="With --give anomaly, the share that may be flagged of the cases that set the threshold.",
        metavar="SHARE",
        parser=values.number(0, 0.999),
        show_default="0.05",
    ),
]
Calibrate = Annotated[
    str | None,
    option(
        "Data",
        help="With --give anomaly, the data whose training cases set the threshold.",
        metavar="DATA",
        show_default="those that are scored",
    ),
]
Split = Annotated[
    str | None,
    option(
        "Data",
        help="Which part of the data: train, valid, test.",
        metavar="NAME",
        parser=values.word,
        show_default="test where there is one, else train",
    ),
]
Format = Annotated[
    o.Format | None,
    option(
        "Output",
        "--format",
        help=f"How to write it: {', '.join(o.FORMATS)}.",
        metavar="NAME",
        show_default="as the output is named, else csv",
    ),
]
Destination = Annotated[str, option("Output", "-o", "--output", help="A file; - is stdout.", metavar="FILE|-")]


def predict(
    ctx: typer.Context,
    model: o.Model,
    data: o.Data,
    split: Split = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    give: Give = None,
    share: Share = None,
    calibrate: Calibrate = None,
    format: Format = None,  # noqa: A002 as it is typed
    output: Destination = "-",
    force: o.Force = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Predict, and write each piece as it comes."""
    from deepnet import files

    from . import console, run

    if output != "-":
        files.check_output(output, force, inputs=(model, data))
    pieces = run.workflows(threads).predict(
        model,
        data,
        give=give,
        split=split,
        label=label,
        ignore=ignore or (),
        share=share,
        calibrate=calibrate,
        format=format or NAMED.get(Path(output).suffix.lower(), "csv"),
        threads=threads,
    )
    with contextlib.nullcontext(console.write) if output == "-" else files.writing_alone(output) as write:
        for piece in pieces:
            write(piece)

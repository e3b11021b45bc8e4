"""`deepnet predict`: options -> `workflows.predict`."""

from typing import Annotated

import typer

from . import options as o
from . import values
from .options import option

HELP = """Apply a model to data and write a line a case.

[bold]Examples[/]
  deepnet predict net.h5 new.csv
  deepnet predict net.h5 new.csv --give probabilities -o answer.csv
  deepnet predict coder.h5 mnist --give codes -o codes.csv
  deepnet predict coder.h5 new.csv --give anomaly --calibrate old.csv

--give anomaly writes a score, the larger the less like the training, and a
flag: 1 where it is above that of all but 5 % of the cases that set the
threshold, those held out of the training data or else the training cases.
  autoencoder, stack of them  squared error of the reconstruction
  stack of machines           free energy of the lowest
  one class                   squared distance from the centre
A classifier with --loss squared_hinge or hinge has margins and no
probabilities; the class is the one of the largest.

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
    output: Destination = "-",
    force: o.Force = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Predict, and write each piece as it comes, or the whole to a file."""
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
        threads=threads,
    )
    if output != "-":
        files.write_alone(output, b"".join(pieces))
        return
    for piece in pieces:
        console.write(piece)

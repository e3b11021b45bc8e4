"""`deepnet efficiency`: options -> `workflows.efficiency`."""

from typing import Annotated

import typer

from deepnet.errors import UsageError

from . import options as o
from . import values
from .config import METHODS, borrowed
from .options import option
from .pretrain import Visible

HELP = """Tell whether pre-training helps on these data, by number of labels.

[bold]Examples[/]
  deepnet efficiency mnist -o report.html
  deepnet efficiency mnist --labels 100,1000,all:1 --methods none,rbm -o report.html
  deepnet efficiency own.csv --label kind --visible linear --scale standard -o r.html
  deepnet efficiency mnist -c settings.toml -o report.html --resume

The same net is trained on few labels, from random weights (none) and from
stacks that were pre-trained on all inputs. Every draw chooses labels anew, as
many from each class, the same for all methods; a stack serves all numbers of
labels of its draw. Errors are counted on test cases, or, where the data have
none, on cases held out. The page has verdict, chart and tables.

Of few labels none is left to stop early by: every net is trained for --epochs
passes over its labels, for --updates updates at least, by a rate that falls.
With --self-training 2 a net then teaches one that begins alike what to say of
all inputs, and that one another; the last is measured beside the first.

A file for -c may say more than \\[efficiency]: \\[pretrain] for all methods of
pre-training, \\[rbm], \\[dae], \\[sae], \\[cae] for one, \\[finetune] for all nets.

Finished nets are recorded beside the page (report.json for report.html), so
that --resume goes on after the last one, also with more labels or draws."""

# What this command decides; the tables of -c for the others cannot.
OWN = ("data", "output", "force", "resume", "dry_run", "json", "log", "verbose", "quiet", "seed", "threads", "max_time",
       "progress", "debug", "valid", "scale", "label", "ignore", "category", "size", "layers", "units",
       "precision")  # fmt: skip
STACKS, NETS = (*OWN, "method", "visible"), (*OWN, "labels", "start", "task", "epochs", "patience")


def _count(text):
    """(labels or None for all, draws or None for --seeds) of N, all, N:DRAWS."""
    number, sign, draws = text.partition(":")
    whole = values.integer(1)
    return (None if number == "all" else whole(number)), (whole(draws) if sign else None)


Labels = Annotated[
    str,
    option(
        "Data",
        help="Numbers of labels; all means all there are, all:1 one draw of them.",
        metavar="N,...",
        parser=values.several(_count),
    ),
]
Seeds = Annotated[
    str, option("Data", help="Draws of each number of labels; seeds count from --seed.", metavar="N",
                parser=values.integer(1, 1000))
]  # fmt: skip
HeldOut = Annotated[
    str,
    option("Data", "--valid", help="Where the data have no test cases: the share or number to hold out.", metavar="X"),
]
Methods = Annotated[
    str,
    option(
        "Training",
        help=f"Ways to begin: none, {', '.join(METHODS)}; the first is what the others are held against.",
        metavar="NAME,...",
        parser=values.names(("none", *METHODS)),
    ),
]
Layers = Annotated[
    str,
    option(
        "Architecture",
        help="Hidden units of each layer.",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_UNITS)),
    ),
]
Units = Annotated[
    str,
    option(
        "Architecture",
        help="Hidden units, one name or one a layer, such as all methods have: logistic, relu, linear.",
        metavar="NAME,...",
        parser=values.names(o.HIDDEN[:-1]),
    ),
]
Epochs = Annotated[
    str, option("Training", help="Passes over the labels.", metavar="N", parser=values.integer(1, o.MOST_EPOCHS))
]
Updates = Annotated[
    str,
    option(
        "Training",
        help="Updates at least; few labels get more epochs.",
        metavar="N",
        parser=values.integer(1, o.MOST_EPOCHS),
    ),
]
SelfTraining = Annotated[
    str,
    option(
        "Training",
        help="Students after each net of few labels, each taught by the one before, on all inputs.",
        metavar="N",
        parser=values.integer(0, 100),
    ),
]
PretrainEpochs = Annotated[
    str,
    option(
        "Training",
        help="Epochs of pre-training (per layer).",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_EPOCHS)),
    ),
]
Page = Annotated[str | None, option("Output", "-o", "--output", help="The page to write, .html.", metavar="FILE")]
Keep = Annotated[str | None, option("Output", help="Keep stacks and nets in this folder.", metavar="FOLDER")]


def efficiency(
    ctx: typer.Context,
    data: o.Data,
    labels: Labels = "100,300,1000,3000,all",
    seeds: Seeds = "5",
    valid: HeldOut = "0.2",
    scale: o.Scaling = "auto",
    label: o.Label = None,
    ignore: o.Ignore = None,
    category: o.Category = None,
    size: o.Size = None,
    layers: Layers = "500,500,2000",
    units: Units = "logistic",
    visible: Visible = "auto",
    methods: Methods = "none,rbm,dae",
    epochs: Epochs = "30",
    updates: Updates = "2000",
    self_training: SelfTraining = "0",
    pretrain_epochs: PretrainEpochs = "10",
    precision: o.Products = "float32",
    output: Page = None,
    keep: Keep = None,
    force: o.Force = False,
    resume: o.Resume = False,
    dry_run: o.DryRun = False,
    json: o.Json = False,
    log: o.Log = None,
    quiet: o.Quiet = False,
    config: o.Config = None,
    seed: o.Seed = "0",
    threads: o.Threads = None,
    max_time: o.MaxTime = None,
    progress: o.ShowProgress = "auto",
    debug: o.Debug = False,
):
    """Check what the words say together, then train and show the records."""
    from .run import one_or_each, watch

    one_or_each(ctx, "layers", "units", "pretrain_epochs")
    if len(set(methods)) < len(methods):
        raise UsageError(f"--methods {','.join(methods)} names one twice; leave one of them")
    shared = {"epochs": pretrain_epochs, "visible": visible} | borrowed(ctx, "pretrain", "pretrain", STACKS)
    stacks = {name: shared | borrowed(ctx, "pretrain", name, STACKS) for name in METHODS}
    nets = borrowed(ctx, "finetune", "finetune", NETS)
    if "settings" in nets:
        nets["settings"] = tuple(map(values.pair, nets["settings"]))
    watch(
        ctx,
        lambda workflows, **live: workflows.efficiency(
            data,
            output,
            labels=labels,
            seeds=seeds,
            methods=methods,
            layers=layers,
            units=units,
            epochs=epochs,
            updates=updates,
            self_training=self_training,
            pretraining={name: own for name, own in stacks.items() if name in methods},
            finetuning=nets,
            precision=precision,
            valid=valid,
            scale=scale,
            label=label,
            ignore=ignore or (),
            category=category or (),
            size=size,
            keep=keep,
            force=force,
            resume=resume,
            dry_run=dry_run,
            seed=seed,
            threads=threads,
            max_time=max_time,
            **live,
        ),
    )

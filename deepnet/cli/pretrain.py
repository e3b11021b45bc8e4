"""`deepnet pretrain`: options -> `workflows.pretrain`."""

from typing import Annotated, Literal

import typer

from . import options as o
from . import values
from .options import option

HELP = """Train a stack of restricted Boltzmann machines, layer by layer, without labels.

[bold]Examples[/]
  deepnet pretrain mnist -o stack.h5 --layers 500,500,2000
  deepnet pretrain mnist -o code.h5 --layers 1000,500,250,30 \\
                   --units logistic,logistic,logistic,linear --epochs 50
  deepnet pretrain wine.csv -o wine.h5 --label quality --layers 50 \\
                   --visible linear --scale standard
  deepnet pretrain -c settings.toml -o stack.h5 --resume

Options marked (per layer) take one value, or one a layer: 0.1,0.1,0.001.
A rate or momentum is a number or a schedule over epochs:
  step:0.5:0.9:5  linear:0.1:0.001  exponential:0.1:0.98  cosine:0.1:0.001
The first means 0.5, and 0.9 from epoch 5 on.

Every option has an environment variable: DEEPNET_PRETRAIN_EPOCHS=20."""

Layers = Annotated[
    str,
    option(
        "Architecture",
        help="Hidden units of each layer.",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_UNITS)),
    ),
]
Visible = Annotated[o.Unit, option("Architecture", help=f"Units of the data: {', '.join(o.UNITS)}.", metavar="UNIT")]
Units = Annotated[
    str,
    option(
        "Architecture",
        help=f"Hidden units: {', '.join(o.UNITS)} (per layer).",
        metavar="UNIT,...",
        parser=values.names(o.UNITS),
    ),
]
Init = Annotated[
    str,
    option(
        "Architecture",
        help=f"First weights: {', '.join(o.INITIALIZERS)} (per layer); sparse:0.5 is 15 a unit, of deviation 0.5.",
        metavar="NAME:...",
        parser=values.texts,
    ),
]
VisibleBias = Annotated[
    Literal["zero", "mean"],
    option("Architecture", help="First visible biases: zero, or mean: from the data.", metavar="NAME"),
]
TrainBy = Annotated[o.Method, option("Training", help="How a layer is trained: rbm.", metavar="NAME")]
CdSteps = Annotated[
    str,
    option(
        "Training",
        help="Gibbs steps of contrastive divergence (per layer).",
        metavar="N,...",
        parser=values.several(values.integer(1)),
    ),
]
Epochs = Annotated[
    str,
    option(
        "Training",
        help="Passes over the data (per layer).",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_EPOCHS)),
    ),
]
BatchSize = Annotated[
    str | None,
    option(
        "Training",
        help="Cases in a minibatch (per layer).",
        metavar="N,...",
        parser=values.several(values.integer(1)),
        show_default=o.BATCH,
    ),
]
Rate = Annotated[
    str | None,
    option(
        "Training",
        help="Learning rate (per layer).",
        metavar="RATE,...",
        parser=values.texts,
        show_default="0.1; 0.001 beside linear or relu units",
    ),
]
Momentum = Annotated[str, option("Training", help="Momentum (per layer).", metavar="RATE,...", parser=values.texts)]
WeightDecay = Annotated[
    str,
    option(
        "Training", help="L2 penalty of weights (per layer).", metavar="X,...", parser=values.several(values.number(0))
    ),
]
L1 = Annotated[
    str,
    option(
        "Training",
        "--l1",
        help="L1 penalty of weights (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
    ),
]
SparsityTarget = Annotated[
    str | None,
    option(
        "Training",
        help="Wanted mean activation of hidden units (per layer).",
        metavar="P,...",
        parser=values.several(values.number(0, 1)),
    ),
]
SparsityCost = Annotated[
    str,
    option(
        "Training",
        help="Weight of the sparsity target (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
    ),
]


def pretrain(
    ctx: typer.Context,
    data: o.Data,
    valid: o.Valid = "none",
    scale: o.Scaling = "auto",
    label: o.Label = None,
    ignore: o.Ignore = None,
    layers: Layers = "500,500,2000",
    visible: Visible = "logistic",
    units: Units = "logistic",
    init: Init = "gaussian:0.1",
    visible_bias: VisibleBias = "zero",
    method: TrainBy = "rbm",
    epochs: Epochs = "10",
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    momentum: Momentum = "step:0.5:0.9:5",
    cd_steps: CdSteps = "1",
    weight_decay: WeightDecay = "0.0002",
    l1: L1 = "0",
    sparsity_target: SparsityTarget = None,
    sparsity_cost: SparsityCost = "0.01",
    precision: o.Products = "float32",
    output: o.Output = None,
    force: o.Force = False,
    resume: o.Resume = False,
    dry_run: o.DryRun = False,
    json: o.Json = False,
    log: o.Log = None,
    verbose: o.Verbose = False,
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

    one_or_each(ctx, "layers", "units", "init", "epochs", "batch_size", "learning_rate", "momentum", "cd_steps",
                "weight_decay", "l1", "sparsity_target", "sparsity_cost")  # fmt: skip
    watch(
        ctx,
        lambda workflows, **live: workflows.pretrain(
            data,
            output,
            layers=layers,
            visible=visible,
            units=units,
            init=init,
            visible_bias=visible_bias,
            method=method,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            momentum=momentum,
            cd_steps=cd_steps,
            weight_decay=weight_decay,
            l1=l1,
            sparsity_target=sparsity_target,
            sparsity_cost=sparsity_cost,
            precision=precision,
            valid=valid,
            scale=scale,
            label=label,
            ignore=ignore or (),
            force=force,
            resume=resume,
            dry_run=dry_run,
            seed=seed,
            threads=threads,
            max_time=max_time,
            **live,
        ),
    )

"""`deepnet pretrain`: options -> `workflows.pretrain`."""

from typing import Annotated, Literal

import typer

from . import options as o
from . import values
from .options import option

HELP = """Train a stack of Boltzmann machines or autoencoders, layer by layer, without labels.

[bold]Examples[/]
  deepnet pretrain mnist -o stack.h5 --layers 500,500,2000
  deepnet pretrain mnist -o code.h5 --layers 1000,500,250,30 \\
                   --units logistic,logistic,logistic,linear --epochs 50
  deepnet pretrain wine.csv -o wine.h5 --label quality --layers 50 \\
                   --visible linear --scale standard
  deepnet pretrain mnist -o sda.h5 --layers 1000,1000,1000 --method dae \\
                   --corruption masking:0.25

How a layer is trained (--method):
  rbm  restricted Boltzmann machine, contrastive divergence (Hinton 2006)
  dae  denoising autoencoder (Vincent et al. 2010)
  sae  sparse autoencoder (Ranzato et al. 2007; Ng 2011)
  cae  contractive autoencoder (Rifai et al. 2011)

Options marked (per layer) take one value, or one a layer: 0.1,0.1,0.001.
A rate or momentum is a number or a schedule over epochs:
  step:0.5:0.9:5  linear:0.1:0.001  exponential:0.1:0.98  cosine:0.1:0.001
  inverse:0.1:0.5  warmup:5:cosine:0.1:0.001
The first means 0.5, and 0.9 from epoch 5 on."""

Layers = Annotated[
    str,
    option(
        "Architecture",
        help="Hidden units of each layer.",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_UNITS)),
    ),
]
Visible = Annotated[
    o.VisibleUnit,
    option(
        "Architecture",
        help=f"Units of the data: {', '.join(o.MACHINES)}, mixed; auto: mixed for a table of mixed columns, else "
        "logistic.",
        metavar="UNIT",
    ),
]
Units = Annotated[
    str,
    option(
        "Architecture",
        help=f"Hidden units: {', '.join(o.MACHINES)}; dae, sae, cae: {', '.join(o.ENCODERS)} (per layer).",
        metavar="UNIT,...",
        parser=values.names(o.UNITS),
    ),
]
Init = Annotated[
    str | None,
    option(
        "Architecture",
        help=f"First weights: {', '.join(o.INITIALIZERS)} (per layer); sparse:0.5 is 15 a unit, of deviation 0.5.",
        metavar="NAME:...",
        parser=values.texts,
        show_default="gaussian:0.1 (Hinton 2006); of autoencoders glorot:4, he beside relu",
    ),
]
VisibleBias = Annotated[
    Literal["zero", "mean"] | None,
    option(
        "Architecture",
        help="rbm: first visible biases, zero or from the data's mean.",
        metavar="zero|mean",
        show_default="zero",
    ),
]
Untied = Annotated[bool, option("Architecture", "--untied", help="Autoencoders: the way down has weights of its own.")]
TrainBy = Annotated[
    o.Method, option("Training", help=f"How a layer is trained: {', '.join(o.METHODS)}.", metavar="NAME")
]
CdSteps = Annotated[
    str | None,
    option(
        "Training",
        help="rbm: Gibbs steps of contrastive divergence, CD-k (Hinton 2002; per layer).",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_STEPS)),
        show_default="1",
    ),
]
Corruption = Annotated[
    str | None,
    option(
        "Training",
        help=f"dae: how, and how much, the input is corrupted: {', '.join(o.CORRUPTIONS)} (Vincent 2010; per layer).",
        metavar="NAME:X,...",
        parser=values.texts,
        show_default="masking:0.25",
    ),
]
Emphasis = Annotated[
    str | None,
    option(
        "Training",
        help="dae: weight of errors where the input was not corrupted; 1 where it was (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0, 1)),
        show_default="1",
    ),
]
Contraction = Annotated[
    str | None,
    option(
        "Training",
        help="cae: weight of the squared norm of the code's Jacobian (Rifai et al. 2011; per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
        show_default="0.1",
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
        help="Learning rate or schedule (per layer).",
        metavar="RATE,...",
        parser=values.texts,
        show_default="0.1; 0.01 with mixed units; 0.001 beside linear or relu",
    ),
]
Momentum = Annotated[
    str,
    option("Training", help="Momentum or schedule (Hinton 2006; per layer).", metavar="RATE,...", parser=values.texts),
]
WeightDecay = Annotated[
    str | None,
    option(
        "Training",
        help="L2 penalty of weights (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
        show_default="0.0002 (Hinton 2006); 0 of autoencoders",
    ),
]
L1 = Annotated[
    str | None,
    option(
        "Training",
        "--l1",
        help="L1 penalty of weights (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
        show_default="0",
    ),
]
SparsityTarget = Annotated[
    str | None,
    option(
        "Training",
        help="rbm, sae: mean activation that hidden units are held near; of sae 0 keeps all small (per layer).",
        metavar="P,...",
        parser=values.several(values.number(0, 1)),
        show_default="none; 0.05 of sae",
    ),
]
SparsityCost = Annotated[
    str | None,
    option(
        "Training",
        help="rbm, sae: weight of the sparsity penalty (per layer).",
        metavar="X,...",
        parser=values.several(values.number(0)),
        show_default="0.01; 0.1 of sae",
    ),
]


def pretrain(
    ctx: typer.Context,
    data: o.Data,
    valid: o.Valid = "none",
    scale: o.Scaling = "auto",
    contrast: o.CaseContrast = "none",
    pca: o.Pca = None,
    zca: o.Zca = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    category: o.Category = None,
    size: o.Size = None,
    layers: Layers = "500,500,2000",
    visible: Visible = "auto",
    units: Units = "logistic",
    init: Init = None,
    visible_bias: VisibleBias = None,
    untied: Untied = False,
    method: TrainBy = "rbm",
    epochs: Epochs = "10",
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    momentum: Momentum = "step:0.5:0.9:5",
    cd_steps: CdSteps = None,
    corruption: Corruption = None,
    emphasis: Emphasis = None,
    contraction: Contraction = None,
    weight_decay: WeightDecay = None,
    l1: L1 = None,
    sparsity_target: SparsityTarget = None,
    sparsity_cost: SparsityCost = None,
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
                "corruption", "emphasis", "contraction", "weight_decay", "l1", "sparsity_target",
                "sparsity_cost")  # fmt: skip
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
            corruption=corruption,
            emphasis=emphasis,
            untied=untied,
            contraction=contraction,
            weight_decay=weight_decay,
            l1=l1,
            sparsity_target=sparsity_target,
            sparsity_cost=sparsity_cost,
            precision=precision,
            valid=valid,
            scale=scale,
            contrast=contrast,
            pca=pca,
            zca=zca,
            label=label,
            ignore=ignore or (),
            category=category or (),
            size=size,
            force=force,
            resume=resume,
            dry_run=dry_run,
            seed=seed,
            threads=threads,
            max_time=max_time,
            **live,
        ),
    )

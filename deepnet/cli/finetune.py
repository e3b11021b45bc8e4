"""`deepnet finetune`: options -> `workflows.finetune`."""

from functools import partial
from typing import Annotated

import typer

from deepnet.errors import UsageError

from . import options as o
from . import regularizers as r
from . import teachers as t
from . import values
from .config import given
from .options import option

HELP = """Train a network by backpropagation, from a pre-trained stack or from random weights.

[bold]Examples[/]
  deepnet finetune mnist --from stack.h5 -o net.h5
  deepnet finetune mnist --from stack.h5 -o net.h5 --valid 10000 --patience 5
  deepnet finetune mnist --layers 500,500 --units relu --init he -o net.h5
  deepnet finetune mnist --layers 800 --task mimic --teacher net.h5 -o small.h5

The task chooses the output layer and the loss:
  classify     softmax units, cross-entropy; with --loss squared_hinge:0.1 or
               hinge linear units, each a support vector machine of its class
  regress      linear units, squared error
  Both put their output layer on a stack, or on the code of an autoencoder.
  reconstruct  the stack unrolled into an autoencoder, the loss of its data
  one_class    layers without biases, whose outputs are drawn to a centre
               (Ruff et al. 2018); a stack's or an autoencoder's up to the code
  mimic        a classifier that learns from trained ones, --teacher: their
               probabilities at a --temperature, or their --logits. The data
               need no labels; what is saved is an ordinary classifier.

--cv 5 trains without each of five folds in turn and tells the mean of what
the nets make of the fold left out; none is kept unless -o names a folder.

A rate or momentum is a number or a schedule over epochs:
  step:0.5:0.9:5  linear:0.1:0.001  exponential:0.1:0.98  cosine:0.1:0.001
  inverse:0.1:0.5  warmup:5:cosine:0.1:0.001
The first means 0.5, and 0.9 from epoch 5 on; inverse 0.1 / (1 + 0.5 epochs)
(Robbins and Monro 1951); warmup a line from 0 over 5 epochs before any other
(Goyal et al. 2017). The momentum of Sutskever et al. 2013, bounded by 0.99
and 0.9 for the last 1000 updates: rising:0.99:0.9:1000.

Numbers for --set NAME=NUMBER:
""" + "\n".join(
    f"  {f'{optimizer} {name}':28} {text}" for optimizer, numbers in o.NUMBERS.items() for name, text in numbers.items()
)

From = Annotated[
    str | None,
    option(
        "Architecture",
        "--from",
        help="Start from this stack or network.",
        metavar="FILE",
        envvar="DEEPNET_FINETUNE_FROM",
    ),
]
Layers = Annotated[
    str | None,
    option(
        "Architecture",
        help="Start from random weights: the hidden units of each layer.",
        metavar="N,...",
        parser=values.several(values.integer(1, o.MOST_UNITS)),
    ),
]
Units = Annotated[
    str,
    option(
        "Architecture",
        help=f"With --layers, hidden units: {', '.join(o.HIDDEN)} (of 5 pieces, maxout:3 of 3); one or one a layer.",
        metavar="UNIT,...",
        parser=values.names((*o.UNITS, "maxout"), ("maxout",), o.MOST_PIECES),
    ),
]
Init = Annotated[
    str,
    option(
        "Architecture",
        help=f"First weights: {', '.join(o.INITIALIZERS)}; sparse:0.5 is 15 a unit, of deviation 0.5 (Martens 2010). "
        "One, or one a layer of --layers, the last the output layer's too; with --from the output layer's.",
        metavar="NAME:...",
        parser=values.texts,
    ),
]
Labels = Annotated[
    str | None,
    option(
        "Data",
        help="Train on so many labelled cases, drawn by the seed, as many from each class; the others count as "
        "unlabelled.",
        metavar="N",
        parser=values.integer(1),
    ),
]
Task = Annotated[o.Task, option("Training", help=f"What the network learns: {', '.join(o.TASKS)}.", metavar="NAME")]
Loss = Annotated[
    str | None,
    option(
        "Training",
        help=f"The loss to classify by: {', '.join(o.LOSSES)}; squared_hinge:0.1 has C 0.1 (Tang 2013).",
        metavar="NAME[:C]",
        show_default="the task's",
    ),
]
Normal = Annotated[
    str | None,
    option(
        "Data",
        help="Learn of these classes alone, for --task one_class or reconstruct.",
        metavar="CLASS,...",
        parser=values.texts,
    ),
]
ClassWeight = Annotated[
    str | None,
    option(
        "Training",
        "--class-weight",
        help="How much each class counts: balanced, all the same; or no=1,yes=5, others 1.",
        metavar="CLASS=X,...",
    ),
]
Weight = Annotated[
    str | None,
    option(
        "Data",
        help="The column of a table, or array of a file, that tells how much each training case counts.",
        metavar="COLUMN",
    ),
]
NoBias = Annotated[
    bool, option("Architecture", "--no-bias", help="With --layers, layers without biases, as --task one_class has.")
]
Optimizer = Annotated[
    o.Optimizer, option("Training", help=f"The rule that moves the weights: {', '.join(o.OPTIMIZERS)}.", metavar="NAME")
]
Rate = Annotated[
    str | None,
    option(
        "Training",
        help="Learning rate or schedule.",
        metavar="RATE",
        show_default="0.1 for cross_entropy, else 0.01; adagrad 0.01; adam, rmsprop 0.001",
    ),
]
Momentum = Annotated[
    str | None, option("Training", help="Momentum or schedule (Polyak 1964).", metavar="RATE", show_default="0.9")
]
Set = Annotated[
    list[str] | None,
    option(
        "Training",
        "--set",
        help="One of the optimizer's own numbers, listed above; may be given several times.",
        metavar="NAME=NUMBER",
        parser=values.assignment,
        envvar="DEEPNET_FINETUNE_SET",
    ),
]
BatchSize = Annotated[
    str | None,
    option(
        "Training",
        help="Cases in a minibatch.",
        metavar="N",
        parser=values.integer(1),
        show_default="100; cg 1000; hessian_free 5000, for the curvature; lbfgs, rprop all; or all if there are fewer",
    ),
]
Epochs = Annotated[
    str, option("Training", help="Passes over the data.", metavar="N", parser=values.integer(1, o.MOST_EPOCHS))
]
Patience = Annotated[
    str | None,
    option(
        "Training",
        help="Stop after this many epochs without a lower error on the held-out cases (--valid).",
        metavar="N",
        parser=values.integer(1),
    ),
]
FreezeEpochs = Annotated[
    str,
    option(
        "Training",
        help="Train the output layer alone for this many epochs first.",
        metavar="N",
        parser=values.integer(0, o.MOST_EPOCHS),
    ),
]
CrossValidate = Annotated[
    str | None,
    option(
        "Training",
        "--cv",
        help="Train on all but one of so many folds, in turn, and measure that one; -o, if any, is a folder.",
        metavar="FOLDS",
        parser=values.integer(2, 10_000),
    ),
]


def finetune(
    ctx: typer.Context,
    data: o.Data,
    valid: o.Valid = "none",
    scale: o.Scaling = "auto",
    contrast: o.CaseContrast = "none",
    pca: o.Pca = None,
    zca: o.Zca = None,
    jitter: r.Jitter = "0",
    labels: Labels = None,
    label: o.Label = None,
    weight: Weight = None,
    normal: Normal = None,
    ignore: o.Ignore = None,
    category: o.Category = None,
    size: o.Size = None,
    start: From = None,
    layers: Layers = None,
    units: Units = "logistic",
    init: Init = "glorot",
    no_bias: NoBias = False,
    noise: r.Noise = "0",
    noise_schedule: r.NoiseSchedule = None,
    dropout: r.Dropout = "0",
    batch_norm: r.BatchNorm = False,
    task: Task = "classify",
    loss: Loss = None,
    class_weight: ClassWeight = None,
    teacher: t.Teacher = None,
    temperature: t.Temperature = None,
    logits: t.Logits = False,
    hard_weight: t.HardWeight = None,
    optimizer: Optimizer = "nesterov",
    epochs: Epochs = "30",
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    momentum: Momentum = None,
    layer_rates: r.LayerRates = None,
    weight_decay: r.WeightDecay = "0",
    l1: r.L1 = "0",
    max_norm: r.MaxNorm = None,
    label_smoothing: r.LabelSmoothing = "0",
    average: r.Average = None,
    clip: r.Clip = None,
    settings: Set = None,
    patience: Patience = None,
    freeze_epochs: FreezeEpochs = "0",
    precision: o.Products = "float32",
    cv: CrossValidate = None,
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

    _check(ctx, start, layers)
    if layers is not None:
        one_or_each(ctx, "layers", "units", "init")
    watch(
        ctx,
        lambda workflows, **live: (workflows.finetune if cv is None else partial(workflows.cross_validate, cv=cv))(
            data,
            output,
            start=start,
            layers=layers,
            units=units,
            init=init,
            noise=noise,
            noise_schedule=noise_schedule,
            dropout=dropout,
            bias=not no_bias,
            batch_norm=batch_norm,
            task=task,
            loss=loss,
            class_weight=class_weight,
            normal=normal or (),
            teacher=teacher or (),
            temperature=temperature,
            logits=logits,
            hard_weight=hard_weight,
            optimizer=optimizer,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            momentum=momentum,
            layer_rates=layer_rates,
            weight_decay=weight_decay,
            l1=l1,
            max_norm=max_norm,
            label_smoothing=label_smoothing,
            average=average,
            clip=clip,
            settings=tuple(map(values.pair, settings or ())),
            patience=patience,
            freeze_epochs=freeze_epochs,
            precision=precision,
            valid=valid,
            scale=scale,
            contrast=contrast,
            pca=pca,
            zca=zca,
            jitter=jitter,
            labels=labels,
            label=label,
            weight=weight,
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


def _check(ctx, start, layers):
    """Refuse options that contradict or miss each other."""
    if start is None and layers is None:
        raise UsageError("there is nothing to start from: add --from STACK, or --layers 500,500 for random weights")
    if start is not None and layers is not None:
        raise UsageError("--from takes the layers of its file and --layers makes new ones: leave one of them")
    if start is not None and given(ctx, "units"):
        raise UsageError("--from takes the units of its file and --units is for new layers: leave one of them")
    if start is not None and given(ctx, "scale"):
        raise UsageError("--from scales data as its file remembers and --scale otherwise: leave one of them")

"""Options that commands share, and the names they accept; a test holds the names against the tables.

An option's panel tells what it is about: Data, Architecture, Training, Output, Runtime. Defaults stand in the
commands' signatures, written as a user would type them.
"""

from typing import Annotated, Literal, get_args

import typer

from . import completion, config, values

Unit = Literal["logistic", "linear", "relu", "softmax", "tanh", "softplus", "leaky_relu", "elu", "hard_tanh", "square"]
VisibleUnit = Literal["auto", "mixed", "logistic", "linear", "relu", "softmax", "tanh", "softplus", "leaky_relu", "elu",
                      "hard_tanh", "square"]  # fmt: skip
Task = Literal["classify", "regress", "reconstruct", "one_class", "mimic"]
Loss = Literal["cross_entropy", "squared_hinge", "hinge"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "rprop", "cg", "lbfgs", "hessian_free"]
Initializer = Literal["gaussian", "glorot", "he", "sparse", "uniform"]
Method = Literal["rbm", "dae", "sae", "cae"]
Corruption = Literal["masking", "salt_pepper", "gaussian"]
Precision = Literal["float32", "bfloat16"]
Kind = Literal["summary", "history", "confusion", "mistakes", "calibration", "reconstructions", "codes", "samples",
               "filters", "features", "histograms", "gradients", "landscape"]  # fmt: skip
Scale = Literal["auto", "none", "unit", "standard"]
Contrast = Literal["none", "l1", "l2"]
Give = Literal["labels", "probabilities", "margins", "codes", "reconstructions", "anomaly"]
Format = Literal["csv", "jsonl", "npy"]
Export = Literal["codes", "reconstructions"]
Distance = Literal["euclidean", "cosine"]
Progress = Literal["auto", "rich", "plain", "none"]

UNITS, TASKS, OPTIMIZERS = get_args(Unit), get_args(Task), get_args(Optimizer)
INITIALIZERS, METHODS, KINDS = get_args(Initializer), get_args(Method), get_args(Kind)
CORRUPTIONS, LOSSES = get_args(Corruption), get_args(Loss)
SCALES, GIVES, PRECISIONS = get_args(Scale), get_args(Give), get_args(Precision)
CONTRASTS = get_args(Contrast)
EXPORTS, FORMATS = get_args(Export), get_args(Format)
DISTANCES = get_args(Distance)
MACHINES = UNITS[:4]  # units of Boltzmann machines
ENCODERS = tuple(unit for unit in UNITS if unit not in ("softmax", "square"))  # of a stack's autoencoders
HIDDEN = *(unit for unit in UNITS if unit != "softmax"), "maxout"  # of networks

BATCH = "100, or all cases if there are fewer"
MOST_UNITS, MOST_PIECES, MOST_EPOCHS, MOST_THREADS, MOST_STEPS = 1_000_000, 100, 1_000_000, 1024, 10_000


# The optimizers' own numbers: what they are, and whence.
NUMBERS = {
    "adagrad": {"epsilon": "1e-8, keeps steps finite"},
    "rmsprop": {"decay": "0.9, memory of the mean square", "epsilon": "1e-8, keeps steps finite"},
    "adam": {
        "beta1": "0.9, memory of the mean (Kingma and Ba 2015)",
        "beta2": "0.999, memory of the mean square",
        "epsilon": "1e-8, keeps steps finite",
    },
    "rprop": {
        "first": "0.0125, first step (Igel and Huesken 2003)",
        "increase": "1.2, while a derivative keeps its sign",
        "decrease": "0.5, where it changes",
        "least": "1e-6, smallest step",
        "most": "50, largest step",
    },
    "cg": {
        "searches": "3, line searches a minibatch (Hinton 2006)",
        "evaluations": "20, at most, in one of them",
        "lower": "0.05, share of the slope to be gained (Wolfe)",
        "upper": "0.1, share of the slope that may be left",
    },
    "lbfgs": {
        "memory": "10, pairs kept (Liu and Nocedal 1989)",
        "evaluations": "20, at most, in a line search",
        "lower": "1e-4, share of the slope to be gained (Wolfe)",
        "upper": "0.9, share of the slope that may be left",
    },
    "hessian_free": {
        "damping": "1, first lambda (Martens 2010, 4.1)",
        "damping_factor": "0.6667, by which lambda changes (4.1)",
        "least_damping": "0, below which lambda does not fall",
        "iterations": "250, of conjugate gradients, at most",
        "tolerance": "0.0005, gain at which they end (4.4)",
        "start_decay": "0.95, of the last solution as a start",
        "power": "0.75, of the preconditioner (4.7); 0: none",
        "share": "0, gradient of all cases; else share in curvature",
        "kronecker": "0, else 1: preconditioner of Martens, Grosse 2015",
        "factor_decay": "0.95, of its factors at an update, at most",
    },
}


def argument(metavar, text, complete=completion.data):
    """A positional argument; `complete` is what a shell asks at the Tab key."""
    return typer.Argument(metavar=metavar, help=text, show_default=False, autocompletion=complete)


def option(panel, *flags, **settings):
    """An option in a panel; its environment variable is explained once, at the end of each help page."""
    return typer.Option(*flags, rich_help_panel=panel, show_envvar=False, **settings)


def _remember(ctx: typer.Context, value: bool):
    """Keep --debug where the error line looks for it, also when a later option is wrong."""
    if value:
        ctx.obj["debug"] = True
    return value


SHIPPED = (
    "A data set that comes along (mnist, curves, mnist-rot, convex ...), a file (.csv, .jsonl, .npz, .npy, "
    ".h5, .mat, Parquet, svmlight, IDX), - for one on stdin, or a folder of pictures, a subfolder a class"
)

Data = Annotated[str, argument("DATA", SHIPPED + "; file.h5:/path and file.npz:key name a part.")]
MaybeData = Annotated[str | None, argument("DATA", SHIPPED + ".")]
Model = Annotated[str, argument("MODEL", "A model file written by pretrain or finetune.", completion.model)]

Valid = Annotated[
    str,
    option(
        "Data", help="Held-out cases: a fraction (0.1), a count (10000), last:10000, a file, or none.", metavar="WHICH"
    ),
]
Scaling = Annotated[
    Scale,
    option(
        "Data",
        help="How columns are scaled: auto (bytes to 0-1), none, unit (to 0-1), standard (mean 0, deviation 1).",
        metavar="NAME",
    ),
]
CaseContrast = Annotated[
    Contrast,
    option(
        "Data",
        "--contrast",
        help="After scaling, subtract a case's mean and divide by its deviation (l2) or mean magnitude (l1).",
        metavar="NAME",
    ),
]
Pca = Annotated[
    str | None,
    option(
        "Data",
        "--pca",
        help="Then keep the first N principal components of the training cases.",
        metavar="N",
        parser=values.integer(1),
    ),
]
Zca = Annotated[
    str | None,
    option(
        "Data",
        "--zca",
        help="Or whiten the cases, with this added to every variance, such as 0.1 (Bell and Sejnowski 1997).",
        metavar="EPSILON",
        parser=values.positive,
    ),
]
Label = Annotated[
    str | None,
    option("Data", help="The column of a table that holds the label or target.", metavar="COLUMN", parser=values.word),
]
Ignore = Annotated[
    str | None,
    option("Data", help="Columns of a table to leave out.", metavar="COLUMN,...", parser=values.texts),
]
Category = Annotated[
    str | None,
    option(
        "Data",
        "--category",
        help="Columns of a table whose numbers are names, not amounts.",
        metavar="COLUMN,...",
        parser=values.texts,
    ),
]
Size = Annotated[
    str | None,
    option(
        "Data",
        "--size",
        help="Of a case, where its format leaves it open: pictures are brought to 28x28, height x width; svmlight has "
        "so many columns (123).",
        metavar="HxW|N",
        show_default="as they are",
    ),
]

Products = Annotated[
    Precision,
    option(
        "Training",
        "--precision",
        help="How products are computed: float32; bfloat16 is faster and less exact, on CPUs that have it.",
        metavar="NAME",
    ),
]

Output = Annotated[
    str | None, option("Output", "-o", "--output", help="The model file to write.", metavar="FILE", show_default=False)
]
Force = Annotated[bool, option("Output", "--force", help="Overwrite the output.")]
Resume = Annotated[
    bool, option("Output", "--resume", help="Continue the run that the output holds; start it if there is none.")
]
DryRun = Annotated[
    bool,
    option("Output", "-n", "--dry-run", help="Print the plan, the time it takes, and the origin of each value."),
]
Json = Annotated[bool, option("Output", "--json", help="Print the result as one JSON object.")]
Log = Annotated[
    str | None,
    option(
        "Output",
        "--log",
        help="Write a line of JSON an epoch; - writes them to stdout in place of the result.",
        metavar="FILE",
    ),
]
Verbose = Annotated[bool, option("Output", "-v", "--verbose", help="Print tables too.")]
Quiet = Annotated[bool, option("Output", "-q", "--quiet", help="No progress and no hints; only the result.")]

Config = Annotated[
    str | None,
    option(
        "Runtime",
        "-c",
        "--config",
        help="Take options from the table of this command in a TOML file; - is stdin.",
        metavar="FILE.toml",
        is_eager=True,
        callback=config.read,
    ),
]
Seed = Annotated[
    str,
    option(
        "Runtime",
        help="Same seed, same bits, whatever the threads.",
        metavar="NUMBER",
        parser=values.integer(0, 2**64 - 1),
    ),
]
Threads = Annotated[
    str | None,
    option(
        "Runtime",
        help="Threads to compute with.",
        metavar="NUMBER",
        parser=values.integer(1, MOST_THREADS),
        show_default="all cores",
    ),
]
MaxTime = Annotated[
    str | None,
    option(
        "Runtime", help="Stop and save after 2h, 90m, 1h30m; --resume goes on.", metavar="TIME", parser=values.duration
    ),
]
ShowProgress = Annotated[
    Progress,
    option(
        "Runtime",
        "--progress",
        help="auto (a display on a terminal, lines elsewhere), rich, plain, none.",
        metavar="NAME",
    ),
]
Debug = Annotated[
    bool, option("Runtime", "--debug", help="Show the traceback of an error.", callback=_remember, is_eager=True)
]

"""Options that commands share, and the names they accept; a test holds the names against the tables.

An option's panel tells what it is about: Data, Architecture, Training, Output, Runtime. Defaults stand in the
commands' signatures, written as a user would type them.
"""

from typing import Annotated, Literal, get_args

import typer

from . import config, values

Unit = Literal["logistic", "linear", "relu", "softmax", "tanh"]
Task = Literal["classify", "regress", "reconstruct"]
Optimizer = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "rprop", "cg", "lbfgs", "hessian_free"]
Initializer = Literal["gaussian", "glorot", "he", "sparse"]
Method = Literal["rbm"]
Precision = Literal["float32", "bfloat16"]
Kind = Literal["filters", "history", "reconstructions", "confusion", "codes", "summary"]
Scale = Literal["auto", "none", "unit", "standard"]
Give = Literal["labels", "probabilities", "codes", "reconstructions"]
Progress = Literal["auto", "rich", "plain", "none"]

UNITS, TASKS, OPTIMIZERS = get_args(Unit), get_args(Task), get_args(Optimizer)
INITIALIZERS, METHODS, KINDS = get_args(Initializer), get_args(Method), get_args(Kind)
SCALES, GIVES, PRECISIONS = get_args(Scale), get_args(Give), get_args(Precision)

BATCH = "100, or all cases if there are fewer"
MOST_UNITS, MOST_EPOCHS, MOST_THREADS = 1_000_000, 1_000_000, 1024


def argument(metavar, text):
    """A positional argument."""
    return typer.Argument(metavar=metavar, help=text, show_default=False)


def option(panel, *flags, **settings):
    """An option in a panel; its environment variable is explained once, at the end of each help page."""
    return typer.Option(*flags, rich_help_panel=panel, show_envvar=False, **settings)


def _remember(ctx: typer.Context, value: bool):
    """Keep --debug where the error line looks for it, also when a later option is wrong."""
    if value:
        ctx.obj["debug"] = True
    return value


SHIPPED = "A shipped data set (mnist) or a file: .h5, .npz, .npy, .csv, IDX"

Data = Annotated[str, argument("DATA", SHIPPED + "; file.h5:/path and file.npz:key name a part.")]
MaybeData = Annotated[str | None, argument("DATA", SHIPPED + ".")]
Model = Annotated[str, argument("MODEL", "A model file written by pretrain or finetune.")]

Valid = Annotated[
    str,
    option(
        "Data", help="Held-out cases: a fraction (0.1), a count (10000), last:10000, a file, or none.", metavar="WHICH"
    ),
]
Scaling = Annotated[
    Scale,
    option(
        "Data", help="auto: pixels to 0-1; none; unit: columns to 0-1; standard: mean 0, deviation 1.", metavar="NAME"
    ),
]
Label = Annotated[
    str | None,
    option("Data", help="The column of a table that holds the label or target.", metavar="COLUMN"),
]
Ignore = Annotated[
    str | None,
    option("Data", help="Columns of a table to leave out.", metavar="COLUMN,...", parser=values.texts),
]

Products = Annotated[
    Precision,
    option(
        "Training",
        "--precision",
        help="Of products: float32, or bfloat16: faster and rougher, on CPUs that have it.",
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
    bool, option("Output", "-n", "--dry-run", help="Print the plan and where each value came from; train nothing.")
]
Json = Annotated[bool, option("Output", "--json", help="Print the result as one JSON object.")]
Log = Annotated[
    str | None,
    option(
        "Output",
        "--log",
        help="Write JSON lines while it runs; - puts them in the place of the result.",
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
        help="Take options from the table of a TOML file that has the command's name; - is stdin.",
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
        help="How many threads to use.",
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

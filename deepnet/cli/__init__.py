"""The command line: words in, words out. The app, one line a command; signatures import nothing but Typer."""

import typer

from . import (
    compare,
    doctor,
    efficiency,
    evaluate,
    export,
    finetune,
    inspect,
    predict,
    pretrain,
    prose,
    selfcheck,
    verify_resume,
    visualize,
    warmup,
)

HELP = """Deep belief nets and autoencoders on the CPU.

[bold]Examples[/]
  deepnet pretrain mnist -o stack.h5 --layers 500,500,2000
  deepnet finetune mnist --from stack.h5 -o net.h5
  deepnet evaluate net.h5 mnist
  deepnet visualize net.h5 mnist -o report.html

deepnet COMMAND -h explains a command and its options. Results go to stdout, progress to stderr."""

app = typer.Typer(
    name="deepnet",
    help=prose.fitted(HELP, prose.columns()),
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "DEEPNET"},
)


@app.callback()
def deepnet(
    version: bool = typer.Option(
        False,
        "--version",
        help="Print the version and end.",
        show_envvar=False,
        callback=lambda value: value and _version(),
    ),
):
    """The options that stand before a command."""


def _version():
    """Print the version where --version is not alone (alone it is answered before this page is imported)."""
    from deepnet import __version__

    typer.echo(f"deepnet {__version__}")
    raise typer.Exit


for page in (pretrain, finetune, evaluate, compare, efficiency, visualize, predict, inspect, export, warmup, selfcheck,
             verify_resume, doctor):  # fmt: skip
    own = page.__name__.rpartition(".")[2]
    name = own.replace("_", "-")
    words = {"help": prose.help_page(name, page.HELP), "short_help": prose.summary(page.HELP)}
    app.command(name=name, **words)(getattr(page, own))

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
  deepnet visualize net.h5 mnist -o pictures/

Each command tells its options with -h.
The result goes to stdout, progress to stderr."""

app = typer.Typer(
    name="deepnet",
    help=HELP,
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


app.command(help=pretrain.HELP)(pretrain.pretrain)
app.command(help=finetune.HELP)(finetune.finetune)
app.command(help=evaluate.HELP)(evaluate.evaluate)
app.command(help=compare.HELP)(compare.compare)
app.command(help=efficiency.HELP)(efficiency.efficiency)
app.command(help=visualize.HELP)(visualize.visualize)
app.command(help=predict.HELP)(predict.predict)
app.command(help=inspect.HELP)(inspect.inspect)
app.command(help=export.HELP)(export.export)
app.command(help=warmup.HELP)(warmup.warmup)
app.command(help=selfcheck.HELP)(selfcheck.selfcheck)
app.command(name="verify-resume", help=verify_resume.HELP)(verify_resume.verify_resume)
app.command(help=doctor.HELP)(doctor.doctor)

"""The manual page, made from the commands as they are: `python -m deepnet.cli.man > deepnet.1`.

Source of the format: groff_man(7).
"""

import re
import sys

import typer.main

from deepnet import __version__

from . import HELP, app
from .config import COMMANDS

PANELS = ("Data", "Architecture", "Training", "Output", "Runtime")
EXIT = {
    0: "done, also after early stopping or --max-time",
    1: "a fault of ours",
    2: "usage or configuration",
    3: "data that cannot be read, or are not valid",
    4: "a model that cannot be read, does not fit or is not safe",
    5: "output that cannot be written, or too little memory",
    6: "diverged; the last good model is kept",
    7: "--require not met, or a check failed",
    130: "interrupted (143: terminated) after the run was saved",
    141: "the reader of stdout went away",
}


def page():
    """The text of deepnet(1)."""
    commands = typer.main.get_command(app).commands
    lines = [f'.TH DEEPNET 1 "" "deepnet {__version__}" "User Commands"', ".SH NAME"]
    lines += [r"deepnet \- deep belief nets and autoencoders on the CPU", ".SH SYNOPSIS", ".B deepnet", ".I COMMAND"]
    lines += ["[options]", ".SH DESCRIPTION", *_prose(HELP)]
    for name in COMMANDS:
        lines += [f".SH DEEPNET {name.upper()}", *_prose(_words(commands[name])), *_options(commands[name])]
    lines += [".SH ENVIRONMENT", "Every option has a variable: DEEPNET_COMMAND_OPTION, as DEEPNET_FINETUNE_BATCH_SIZE."]
    lines += ["Compiled kernels are kept in $XDG_CACHE_HOME/deepnet.", ".SH EXIT STATUS"]
    for code, meaning in EXIT.items():
        lines += [".TP", f".B {code}", _escaped(meaning)]
    return "\n".join(lines) + "\n"


def _words(command):
    """The text on top of a command's help page, as its module has it."""
    return sys.modules[command.callback.__module__].HELP


def _prose(text):
    """Paragraphs; lines that begin with a space are examples or lists, and stay as they are."""
    lines, plain = [], True
    for line in re.sub(r"(?<!\\)\[/?\w*\]", "", text).replace("\\[", "[").splitlines():
        if line.startswith("  ") == plain:
            lines, plain = lines + [".nf" if plain else ".fi"], not plain
        lines.append(_escaped(line) if line else ".PP")
    return lines + ([] if plain else [".fi"])


def _options(command):
    """Arguments, then the options panel by panel."""
    parts = {"Arguments": [p for p in command.params if p.param_type_name == "argument"]}
    for panel in PANELS:
        parts[panel] = [p for p in command.params if getattr(p, "rich_help_panel", None) == panel]
    lines = []
    for title, parameters in parts.items():
        lines += [f".SS {title}"] if parameters else []
        for p in parameters:
            names = ", ".join(rf"\fB{_escaped(name)}\fR" for name in p.opts) if title != "Arguments" else ""
            lines += [".TP", " ".join(filter(None, (names, rf"\fI{_escaped(_value(p))}\fR" if _value(p) else "")))]
            lines.append(_escaped(p.help + _default(p)))
    return lines


def _value(parameter):
    """What follows an option."""
    return "" if getattr(parameter, "is_flag", False) else parameter.metavar or "TEXT"


def _default(parameter):
    """Its default in brackets, where the help page shows one."""
    shown = getattr(parameter, "show_default", False)
    value = shown if isinstance(shown, str) else parameter.default if shown else None
    return "" if value in (None, False, "") or callable(value) else f" [default: {value}]"


def _escaped(text):
    """Text that groff takes literally."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201

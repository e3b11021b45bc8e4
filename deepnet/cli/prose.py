"""The words on top of a help page, fitted to the terminal.

Lines of prose make paragraphs, which end with a full stop or colon at the end of a line. A line that begins with two
spaces is an example or an entry of a list; what begins further in goes on with it.
"""

import contextlib
import os
import re
import textwrap

WIDEST = 80
MARGIN = 2
_TERM = re.compile(r"  \S+( \S+)*  +(?=\S)")
_EXAMPLE = "  deepnet "
_SOURCES = r"""

An option comes from the command line, else from the environment (DEEPNET_{} and its name in capitals, _ for -), else from the table \[{}] of a TOML file (-c), else it is the default."""  # noqa: E501


def help_page(name, text):
    """The help of a command: its own text, and where options come from, wrapped for this terminal."""
    return fitted(text + _SOURCES.format(f"{name.upper().replace('-', '_')}_", name), columns())


def summary(text):
    """The first paragraph on one line, which a list of commands wraps by itself."""
    return " ".join(text.partition("\n\n")[0].split())


def fitted(text, width):
    """The text in lines of at most this width (at most WIDEST), less what a help page leaves free at both sides."""
    width = min(width, WIDEST) - MARGIN
    return "\n".join(line for block in _blocks(text.splitlines()) for line in _wrapped(block, width))


def columns(descriptors=range(3)):
    """The width of the terminal, found where Rich finds it, or at one of these descriptors."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            return os.get_terminal_size(descriptor).columns or WIDEST
    return WIDEST


def _blocks(lines):
    """Paragraphs, examples and entries, each on one line; an empty line stays."""
    blocks = [""]
    for line in lines:
        last = blocks[-1]
        goes_on = line.startswith("   ") if last.startswith(" ") else not last.endswith((".", ":", "]"))
        if last and line and goes_on and (last.startswith(" ") or not line.startswith(" ")):
            blocks[-1] = f"{last.removesuffix(chr(92)).rstrip()} {line.strip()}"
        else:
            blocks.append(line)
    return blocks[1:]


def _wrapped(block, width):
    """A block in lines: an example goes on after a backslash, an entry beside its term."""
    if len(block) <= width:
        return [block]
    options = {"break_long_words": False, "break_on_hyphens": False}
    if block.startswith(_EXAMPLE):
        bound = " ".join(part.replace(" ", "\0") for part in re.split(" (?=-)", block.strip()))  # an option, its value
        lines = textwrap.wrap(bound, width - 2, initial_indent="  ", subsequent_indent=" " * 6, **options)
        return [line.replace("\0", " ") + " \\" for line in lines[:-1]] + [lines[-1].replace("\0", " ")]
    term = _TERM.match(block)
    indent = " " * (term.end() if term else len(block) - len(block.lstrip()))
    return textwrap.wrap(block, width, subsequent_indent=indent, **options)

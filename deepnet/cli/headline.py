"""What is said as a run begins: its command and the short facts of its plan, on as many lines as a terminal wants."""

import sys
import textwrap

from .console import say
from .prose import columns
from .show import text


def headline(command, plan, seed):
    """One line on what is about to run: the short facts of the plan."""
    facts = [
        f"{key.replace('_', ' ')} {text(value)}"
        for key, value in plan.items()
        if not isinstance(value, dict | list | tuple)
    ]
    return ", ".join(
        [f"{command}: {facts[0]}" if facts else command, *facts[1:], *([] if "seed" in plan else [f"seed {seed}"])]
    )


def announce(line):
    """Say what begins: on one line, on a terminal on as many as it takes, broken between facts."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    for part in wrapped(line, columns([sys.stderr.fileno()])) if terminal else [line]:
        say(part)


def wrapped(line, width):
    """The lines of a list of facts: broken at its commas, between words only where a fact is longer than a line."""
    bound = ", ".join(fact.replace(" ", "\0") for fact in line.split(", "))
    options = {"break_long_words": False, "break_on_hyphens": False, "subsequent_indent": "  "}
    lines = []
    for part in textwrap.wrap(bound, width, **options):
        inner = part.replace("\0", " ")
        lines += [inner] if len(inner) <= width else textwrap.wrap(inner, width, **options)
    return lines

"""The words on top of help pages, fitted to the terminal."""

import os
import pty
import subprocess
import sys

import pytest

from deepnet.cli import prose

TEXT = """What it does, in a sentence that is longer
than a line of the source.

[bold]Examples[/]
  deepnet finetune mnist --from stack.h5 -o net.h5 --valid 10000 --patience 5
  deepnet finetune mnist \\
          --layers 500 -o net.h5

Kinds:
  rbm        restricted Boltzmann machine, contrastive divergence
  sae        sparse autoencoder, whose code is held
             near a target
A sentence. Another one
that goes on.
The next paragraph."""


def test_the_words_are_the_same_at_every_width():
    kept = " ".join(TEXT.replace("\\", "").split())
    for width in range(30, 100):
        found = prose.fitted(TEXT, width)
        assert " ".join(found.replace("\\", "").split()) == kept
        assert max(map(len, found.splitlines())) <= max(min(width, 80) - 2, len("      --valid 10000 \\"))


def test_lines_go_on_where_they_should():
    assert prose.fitted(TEXT, 50).splitlines() == [
        "What it does, in a sentence that is longer than",
        "a line of the source.",
        "",
        "[bold]Examples[/]",
        "  deepnet finetune mnist --from stack.h5 \\",
        "      -o net.h5 --valid 10000 --patience 5",
        "  deepnet finetune mnist --layers 500 -o net.h5",
        "",
        "Kinds:",
        "  rbm        restricted Boltzmann machine,",
        "             contrastive divergence",
        "  sae        sparse autoencoder, whose code is",
        "             held near a target",
        "A sentence. Another one that goes on.",
        "The next paragraph.",
    ]


def test_a_summary_is_one_line():
    assert prose.summary(TEXT) == "What it does, in a sentence that is longer than a line of the source."


@pytest.mark.parametrize(("asked", "found"), [("61", 61), ("0", 80), ("wide", 80), (None, 80)])
def test_the_width_is_that_of_the_variable(asked, found, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    if asked is not None:
        monkeypatch.setenv("COLUMNS", asked)
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: (_ for _ in ()).throw(OSError))
    assert prose.columns() == found


def test_the_width_is_that_of_the_terminal():
    ours, theirs = pty.openpty()
    try:
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 55, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        words = [sys.executable, "-c", "from deepnet.cli import prose; print(prose.columns())"]
        done = subprocess.run(words, stdin=theirs, capture_output=True, text=True, env=environment)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout == "55\n", done.stderr

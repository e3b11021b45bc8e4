"""What leaves the program: the result on stdout, notices and the error line on stderr, lines of the log.

stdout carries the result only: a few lines for a person, tables with -v, or one JSON object. A reader that went away
ends the program quietly (141); an output that cannot take the result is an error (5). stderr never stops a run.
"""

import contextlib
import errno
import json
import math
import os
import sys
import time
import traceback

import typer

from deepnet.errors import DeepnetError, OutputError, UsageError

from . import show
from .show import printable

SCHEMA = "deepnet.result/1"
BROKEN_PIPE = 128 + 13


def say(text):
    """Write one line to stderr; a stderr that is gone or full is no reason to stop."""
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(printable(text) + "\n")
            sys.stderr.flush()


def write(content):
    """Write text or bytes to stdout and flush."""
    if sys.stdout is None:
        raise OutputError("stdout is closed: there is nowhere to write the result to")
    try:
        if isinstance(content, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(content)
        sys.stdout.flush()
    except OSError as error:
        # What is still in the buffer must not be tried again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            raise SystemExit(BROKEN_PIPE) from None
        raise OutputError(f"stdout cannot be written: {error.strerror}") from None


def object_line(record):
    """A record as one line of JSON with sorted keys; numbers that are not finite become null."""
    return json.dumps(_plain(record), sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value):
    """A value made of what JSON knows: NumPy arrays and scalars are unpacked."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(member) for member in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def result(command, facts, *, as_json, verbose):
    """Print what a command found."""
    if as_json:
        write(object_line({**facts, "schema": SCHEMA, "command": command}))
    else:
        write("".join(line + "\n" for line in show.lines(_plain(facts), verbose)))


def failure(error, debug):
    """Say what went wrong in one line on stderr (with --debug the traceback before it); the exit code."""
    if debug:
        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line)
    if isinstance(error, DeepnetError):
        code, message = error.exit_code, str(error)
    elif isinstance(error, typer.TyperException):
        code, message = 2, _usage(error)
    elif isinstance(error, MemoryError):
        code, message = OutputError.exit_code, "not enough memory: use a smaller batch, net or data set"
    else:
        hint = "" if debug else "; run it again with --debug and report the traceback"
        code, message = 1, f"a fault of ours, {type(error).__name__}: {error}{hint}"
    say(f"deepnet: error: {message}")
    return code


def _usage(error):
    """Typer's sentence on wrong usage, with the file or variable the value came from and the help page to read."""
    from . import config

    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    message = " ".join(error.format_message().split()).rstrip(".")
    where = config.origin(context, parameter) if context is not None and parameter is not None else "default"
    if where not in ("default", "command line"):
        message += f" (from {where})"
    return f"{message}; see {context.command_path if context is not None else 'deepnet'} -h"


def _mend(path):
    """Take away the beginning of a line that a full disk left at the end of a log."""
    if not os.path.isfile(path):
        return
    with open(path, "r+b") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if content.startswith(b"{", end):
            file.truncate(end)


class Journal:
    """The log of a run, one JSON object a line: run_start, epoch, checkpoint, warning, note, run_end.

    Without a path it is silent. On stdout, `failed` is why it cannot be written any more.
    """

    def __init__(self, path, *, force=False, resume=False):
        """Open the log; an existing file is continued with --resume, replaced with --force, else refused."""
        self.path, self.file, self.failed = path, None, None
        self.began = time.monotonic()
        if path in (None, "-"):
            return
        try:
            if resume:
                _mend(path)
            self.file = open(
                path, "a" if resume else "w" if force or not os.path.isfile(path) else "x", encoding="utf-8"
            )
        except FileExistsError:
            raise UsageError(f"--log {path} exists: add --force to overwrite it, --resume to continue it") from None
        except (OSError, ValueError) as error:
            raise OutputError(f"--log {path} cannot be written: {getattr(error, 'strerror', None) or error}") from None

    def write(self, event, **facts):
        """Add a line."""
        line = object_line({"event": event, "time": round(time.time(), 3), **facts}) if self.path is not None else ""
        if self.path == "-" and self.failed is None:
            try:
                write(line)
            except (SystemExit, OutputError) as problem:  # the run has something to save first
                self.failed = problem
        elif self.file is not None:
            try:
                self.file.write(line)
                self.file.flush()
            except OSError as error:
                say(f"deepnet: warning: --log {self.path} cannot be written any more: {error.strerror}")
                self.close()

    def end(self, **facts):
        """Add the last line, with the seconds since the log was opened."""
        self.write("run_end", seconds=round(time.monotonic() - self.began, 3), **facts)
        self.close()

    def close(self):
        """Close the file, whatever state it is in."""
        file, self.file = self.file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

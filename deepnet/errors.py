"""The errors a user can cause, each with its exit code. Any floor may import this page.

A message is one sentence: the file, row or column, what was expected, what was found, and the remedy.
Anything else that is raised is a bug of ours (exit code 1) and keeps its traceback.
"""


class DeepnetError(Exception):
    """A failure that a user can mend; only the command line prints it."""

    exit_code = 1


class UsageError(DeepnetError):
    """An option or a configuration that cannot be used."""

    exit_code = 2


class DataError(DeepnetError):
    """Data that cannot be read or are invalid."""

    exit_code = 3


class DataWarning(UserWarning):
    """Data that can be used, and of which a user should know something."""


class ModelError(DeepnetError):
    """A model file that cannot be read, is unsafe or does not fit."""

    exit_code = 4


class OutputError(DeepnetError):
    """An output that cannot be written, or too little memory."""

    exit_code = 5


class DivergedError(DeepnetError):
    """Training left the finite numbers; the last good checkpoint is kept."""

    exit_code = 6


class RequirementError(DeepnetError):
    """`evaluate --require` is not met, `selfcheck` fails, or `verify-resume` finds a difference."""

    exit_code = 7

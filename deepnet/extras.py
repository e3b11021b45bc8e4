"""What is installed only where it is asked for. Any floor may import this page."""

from importlib import import_module

from .errors import UsageError


def optional(module: str):
    """The module of a package that may be missing, None where it is."""
    try:
        return import_module(module)
    except ImportError:
        return None


def extra(module: str, name: str):
    """The module of a package that the extra `name` brings; UsageError with the line to type where it is missing."""
    found = optional(module)
    if found is None:
        raise UsageError(
            f"this needs the extra {name!r}, which is not installed; install it with: pip install 'deepnet-cli[{name}]'"
        )
    return found

"""Where `deepnet` and `python -m deepnet` begin; `--version` is answered before anything else is imported."""

import sys

from deepnet import __version__


def main(arguments=None):
    """Run the command line (`sys.argv` where no arguments are given) and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments == ["--version"]:
        try:
            print(f"deepnet {__version__}", flush=True)  # noqa: T201
        except BrokenPipeError:
            return 141
        return 0
    try:
        from deepnet.cli.run import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

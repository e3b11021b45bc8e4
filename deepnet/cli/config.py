"""Where the value of an option comes from: flag, environment, TOML file, default, in this order.

A TOML file has a table for each command, its keys are the options' names: `[pretrain]`, `layers = [500, 500, 2000]`.
Lists and single values both fit options that take one value a layer. What Typer would pass over in silence, an
unknown key or table, is refused here with the nearest known one.
"""

import tomllib

import typer

from deepnet.errors import UsageError

from .values import nearest

COMMANDS = ("pretrain", "finetune", "evaluate", "compare", "efficiency", "visualize", "predict", "inspect", "export",
            "warmup", "selfcheck", "verify-resume", "doctor")  # fmt: skip
METHODS = ("rbm", "dae", "sae", "cae")  # tables of `efficiency`: what only one method of pre-training takes
LONGEST = 1 << 16  # bytes of a file of settings
_UNCONFIGURED = {"config", "help"}


def spelled(parameter):
    """The name of an option as a user writes it: `batch-size`; of an argument: `data`."""
    long = [flag for flag in parameter.opts if flag.startswith("--")]
    return long[0].removeprefix("--") if long else parameter.name


def read(ctx: typer.Context, path: str | None):
    """Make the command's table of the TOML file the defaults of this call (a callback of --config)."""
    if path is None or ctx.resilient_parsing:
        return path
    command, shown = ctx.info_name, "standard input" if path == "-" else path
    tables = _parse(path, shown)
    for name, table in tables.items():
        if name not in (*COMMANDS, *METHODS) or not isinstance(table, dict):
            raise UsageError(f"{shown}: {name!r} is not the table of a command: {nearest(name, COMMANDS)}")
    if command not in tables:
        raise UsageError(
            f"{shown} has no table [{command}]; it has {', '.join(f'[{name}]' for name in tables) or 'none'}"
        )
    ctx.default_map = _defaults(ctx.command, tables[command], f"{shown}: [{command}]")
    ctx.obj["config"] = f"{shown} [{command}]"
    ctx.obj["tables"], ctx.obj["file"] = tables, shown
    return path


def _defaults(command, table, where, others=()):
    """{name in Python: words} of a table for a command's options, those in `others` excepted."""
    parameters = {spelled(p): p for p in command.params if p.name not in (*_UNCONFIGURED, *others)}
    defaults: dict[str, object] = {}
    for key, value in table.items():
        parameter = parameters.get(key.replace("_", "-"))
        if parameter is None:
            raise UsageError(f"{where} has no option {key!r}: {nearest(key.replace('_', '-'), [*parameters])}")
        if parameter.name in defaults:
            raise UsageError(f"{where} has {spelled(parameter)!r} twice; leave one of them")
        defaults[parameter.name] = _words(value, parameter, f"{where} {key}")
    return defaults


def borrowed(ctx: typer.Context, name, table, others):
    """{option: value} that the file of --config gives in a table for the command `name`, those in `others` refused."""
    tables, shown = ctx.obj.get("tables", {}), ctx.obj.get("file")
    if table not in tables:
        return {}
    command = ctx.parent.command.get_command(ctx.parent, name)
    defaults = _defaults(command, tables[table], f"{shown}: [{table}]", others)
    facts = {"config": f"{shown} [{table}]", "debug": False}
    own = command.make_context(name, ["data"], default_map=defaults, obj=facts)
    return {option: own.params[option] for option in defaults}


def _parse(path, shown):
    """The tables of a TOML file or of standard input."""
    from deepnet.files import read_input, read_stdin

    content = read_stdin(LONGEST, UsageError) if path == "-" else read_input(path, UsageError, LONGEST)
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not UTF-8 text (byte {error.start}); settings are a TOML file") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise UsageError(f"{shown} is not TOML: {error}") from None


def _words(value, parameter, where):
    """A TOML value as the words that a user would type after an option: lists with commas, numbers as text."""
    switch = getattr(parameter, "is_flag", False)
    if switch and isinstance(value, bool):
        return value
    members = value if isinstance(value, list) and not switch else [value]
    if not all(isinstance(member, str | int | float) and not isinstance(member, bool) for member in members):
        raise UsageError(f"{where} is neither {'true nor false' if switch else 'text, number nor a list of them'}")
    words = list(map(str, members))
    return words if getattr(parameter, "multiple", False) or parameter.nargs != 1 else ",".join(words)


def origins(ctx: typer.Context):
    """Each option's value as text and where it came from, by its spelled name, in the order of the help page."""
    table = {}
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name)
        if parameter.name in ctx.params and source is not None:
            table[spelled(parameter)] = {"value": ctx.params[parameter.name], "from": origin(ctx, parameter)}
    return table


def given(ctx, name):
    """Whether an option, by its name in Python, was set anywhere: not left at its default."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def origin(ctx, parameter):
    """Where the value of one option came from, in words."""
    source = ctx.get_parameter_source(parameter.name)
    name = source.name if source is not None else "DEFAULT"
    if name == "ENVIRONMENT":
        return f"environment {variable(ctx, parameter)}"
    return {"COMMANDLINE": "command line", "DEFAULT_MAP": ctx.obj.get("config", "file")}.get(name, "default")


def variable(ctx, parameter):
    """The environment variable of an option."""
    return parameter.envvar or f"{ctx.auto_envvar_prefix}_{parameter.name.upper()}"

"""The records of a run on their way to the display, the log and the result."""

import contextlib
import dataclasses
import shlex

from deepnet import __version__
from deepnet.errors import DeepnetError

from . import config, console, headline, show

UNFINISHED = ("interrupted", "out of time")


def follow(ctx, rooms, records, display, interruption):
    """Pass the records of a run on to the display and the log, and print its result; the End record, or None.

    Where a log on stdout cannot be written any more, the run is saved before it ends.
    """
    asked, end = ctx.params, None
    journal = console.Journal(None)

    def write(event, **facts):
        journal.write(event, **facts)
        interruption.asked = journal.failed is not None

    with contextlib.closing(records), contextlib.closing(display):
        try:
            for record in records:
                match record:
                    case rooms.Start() if asked["dry_run"]:
                        _print_plan(ctx, record)
                    case rooms.Start():
                        journal = console.Journal(asked["log"], force=asked["force"], resume=asked["resume"])
                        options = {name: entry["value"] for name, entry in config.origins(ctx).items()}
                        write(
                            "run_start", command=record.command, plan=record.plan, options=options, version=__version__
                        )
                        display.start(headline.headline(record.command, record.plan, asked["seed"]))
                    case rooms.Epoch():
                        write("epoch", **vars(record))
                        display.epoch(record)
                    case rooms.Saved():
                        write("checkpoint", **vars(record))
                    case rooms.Warned():
                        write("warning", **vars(record))
                        display.tell("warning", record.text)
                    case rooms.Noted():
                        write("note", **vars(record))
                        display.tell("note", record.text)
                    case rooms.End():
                        end = record
                        if end.outcome in UNFINISHED and asked["output"] is not None:
                            end = dataclasses.replace(end, next=_again(ctx.obj["words"]))
        except DeepnetError as error:
            journal.end(outcome="failed", error=str(error), exit=error.exit_code)
            raise
    if end is not None and not asked["dry_run"]:
        journal.end(outcome=end.outcome, result=end.result, next=end.next)
        if journal.failed is not None:
            raise journal.failed
        _print_end(ctx, end)
    return end


def _again(words):
    """The command line as it was typed, to go on with."""
    kept = [word for word in words if word != "--force"]
    return shlex.join(["deepnet", *kept, *([] if "--resume" in kept else ["--resume"])])


def _print_end(ctx, end):
    """Print the result of a run, unless the log took its place."""
    if ctx.params["log"] != "-":
        as_json, facts = ctx.params["json"], {**end.result, "outcome": end.outcome}
        if as_json or not ctx.params["quiet"]:
            facts["next"] = end.next
        console.result(ctx.info_name, facts, as_json=as_json, verbose=ctx.params.get("verbose", True))


def _print_plan(ctx, start):
    """Print what a run would do, and each option with its value and where that came from."""
    options = config.origins(ctx)
    for name, entry in options.items():
        if entry["value"] is None:
            entry["value"] = _alike(start.options.get(name.replace("-", "_")))
    if ctx.params["json"]:
        return console.result(ctx.info_name, {"plan": start.plan, "options": options}, as_json=True, verbose=False)
    console.result(ctx.info_name, start.plan, as_json=False, verbose=True)
    rows = [{"option": name, "value": typed(entry["value"]), "from": entry["from"]} for name, entry in options.items()]
    console.write("\n" + "".join(line + "\n" for line in show.table(rows)))
    return None


def _alike(value):
    """One value for a list of the same ones, a layer each; None for an empty one."""
    if not isinstance(value, list):
        return value
    return tuple(value) if any(one != value[0] for one in value) else next(iter(value), None)


def typed(value):
    """An option's value as a user would type it."""
    if isinstance(value, tuple):
        return ",".join(map(typed, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)

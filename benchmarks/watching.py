"""What it costs to be watched, and how well the time left is told.

The same run with a display, with lines and with neither, in turns, in a pseudo-terminal; and three runs whose time left
after the first epoch is held against what they then took.
"""

import argparse
import json
import os
import pty
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from deepnet import workflows

MODES = "none", "plain", "rich"
NET = ["finetune", "mnist", "--layers", "300,300", "--epochs", "4", "--force"]


def displayed(mode, folder):
    """(wall seconds, CPU seconds) of a run that shows itself in this mode on a terminal of its own."""
    command = [sys.executable, "-m", "deepnet", *NET, "-o", f"{folder}/{mode}.h5", "--progress", mode]
    began = time.perf_counter()
    child, terminal = pty.fork()
    if not child:
        os.environ["TERM"], os.environ["COLUMNS"] = "xterm-256color", "100"
        os.execv(command[0], command)
    reader = threading.Thread(target=_drain, args=(terminal,))
    reader.start()
    _, status, used = os.wait4(child, 0)
    reader.join()
    os.close(terminal)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime


def _drain(terminal):
    """Read what is shown until the terminal is closed."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        return


def foretold(begin, *words, **settings):
    """(seconds told after the first epoch, seconds taken from there) of a run, and the seconds told at its half."""
    meter, told, count = workflows.Meter(), [], 0
    for record in begin(*words, meter=meter, force=True, **settings):
        if isinstance(record, workflows.Epoch):
            told.append((time.monotonic(), meter.left()))
            count += 1
    end = time.monotonic()
    half = told[count // 2 - 1]
    return {name: (left, end - moment) for name, (moment, left) in (("first epoch", told[0]), ("half", half))}


def runs(folder, epochs):
    """The three runs, by name."""
    stack, net = f"{folder}/stack.h5", f"{folder}/net.h5"
    yield "pretrain 784-500-500", (workflows.pretrain, "mnist", stack), {"layers": (500, 500), "epochs": (epochs,)}
    facts = {"start": stack, "epochs": epochs, "valid": "10000"}
    yield "finetune 784-500-500-10, 10,000 held out", (workflows.finetune, "mnist", net), facts
    facts = {"start": stack, "epochs": epochs, "task": "reconstruct"}
    yield "autoencoder 784-500-500-500-784", (workflows.finetune, "mnist", f"{folder}/coder.h5"), facts


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = {"left": {}, "display": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, words, settings in runs(folder, asked.epochs):
            for when, (left, taken) in foretold(*words, **settings).items():
                found["left"][f"{name}, {when}"] = {"told": left, "taken": taken}
                print(
                    f"{name}, after the {when}: {left:.1f} s left were told, {taken:.1f} taken, {left / taken - 1:+.0%}"
                )
        took = {mode: [] for mode in MODES}
        for _ in range(asked.rounds):
            for mode in MODES:
                took[mode].append(displayed(mode, folder))
        for mode in MODES[1:]:
            pairs = list(zip(took[mode], took["none"], strict=True))
            wall, cpu = (median(a[i] / b[i] for a, b in pairs) - 1 for i in (0, 1))
            found["display"][mode] = {"wall": wall, "cpu": cpu}
            print(f"--progress {mode}: {wall:+.2%} wall clock, {cpu:+.2%} processor time beside none")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

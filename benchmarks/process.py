"""Whole processes, as a user waits for them: start-up, the first run, a pre-training beside peers, memory."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import contest
import contrastive

EPOCHS, ROUNDS = 10, 3
JOB = "CD-1 epoch, MNIST, 784-512, batch 100"
DEEPNET = [sys.executable, "-m", "deepnet"]
TRAIN = ["pretrain", "mnist", "--layers", "512", "--batch-size", "100", "--force"]


def _peer(name):
    """What a peer's process does: read the data, train."""
    epoch = contrastive.CONTESTANTS[name](contrastive.JOBS[JOB])
    for _ in range(EPOCHS):
        epoch()


def usage(command, **options):
    """(wall seconds, CPU seconds, peak memory in MB) of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    memory = used.ru_maxrss / 1024  # Linux counts in KiB
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, memory


def first_epoch(folder, cache):
    """Seconds until the first epoch of a pre-training is logged."""
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    command = [*DEEPNET, *TRAIN, "-o", f"{folder}/first.h5", "--epochs", "1", "-q", "--log", "-"]
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if '"event": "epoch"' in line:
                took = time.perf_counter() - began
    return took


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer")
    parser.add_argument("--only", default="torch,jax scan", help="peers, with commas")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.peer:
        return _peer(asked.peer)
    rows = []

    def tell(what, value, unit):
        rows.append({"job": what, "value": value, "unit": unit})
        print(f"| {what} | {value:.3g} {unit} |", flush=True)

    print(f"\n## Whole processes\n\n{contest.machine()}\n\n| what | |\n|---|---|")
    nothing = median(usage([sys.executable, "-c", "pass"])[1] for _ in range(9))
    for option in ("--version", "--help"):
        took = median(usage([*DEEPNET, option])[1] for _ in range(9))
        tell(f"`deepnet {option}`, CPU time over `python -c pass`", 1e3 * (took - nothing), "ms")
    with tempfile.TemporaryDirectory() as folder:
        cold = first_epoch(folder, f"{folder}/cache")
        warm = median(first_epoch(folder, f"{folder}/cache") for _ in range(3))
        tell("first epoch with an empty cache, beyond a warm one", cold - warm, "s")
        most = 0.0
        for words in (
            [*TRAIN, "-o", "stack.h5", "--epochs", "2"],
            ["finetune", "mnist", "--from", "stack.h5", "-o", "net.h5", "--epochs", "2"],
            ["evaluate", "net.h5", "mnist"],
            ["visualize", "net.h5", "mnist", "-o", "pictures/"],
        ):
            most = max(most, usage([*DEEPNET, *words], cwd=folder)[2])
        tell("peak memory of pretrain, finetune, evaluate, visualize on MNIST", most, "MB")
        commands = {"deepnet": [*DEEPNET, *TRAIN, "-o", f"{folder}/ten.h5", "--epochs", str(EPOCHS)]}
        for name in asked.only.split(","):
            commands[name] = [sys.executable, str(Path(__file__).resolve()), "--peer", name]
        seconds = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                seconds[name].append(usage(command)[0])
        for name, each in seconds.items():
            tell(f"pre-training 784-512, {EPOCHS} epochs, whole process: {name}", median(each), "s")
            pairs = zip(each, seconds["deepnet"], strict=True)
            if name != "deepnet":
                tell(f"the same, {name}'s time over ours", median(a / b for a, b in pairs), "")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        result = {"title": "Whole processes", "machine": contest.machine(), "rows": rows}
        asked.json.write_text(json.dumps(result, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()

"""Predictions by stream: 60,000 cases through `deepnet predict net.h5 -`, beside the same products and parsing alone.

A round is the products (data in memory, kernels warm), the parsing of the CSV, and two whole processes, from NPY and
from CSV; ratios are taken within a round, so that a slow minute of the machine falls on all of it. What is compared
works in processes of their own: one started by a large process would be told that it was as large.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import contest

WIDTHS = (784, 500, 500, 2000, 10)
CASES, ROUNDS = 60_000, 5
JOB = f"{CASES:,} cases, {'-'.join(map(str, WIDTHS))}"


def worker():
    """Makes net and data in this folder; then for every line of standard input, seconds of products and of parsing."""
    import numpy as np

    from deepnet import checkpoint, data
    from deepnet.nn.layers import Dense
    from deepnet.nn.network import Network
    from deepnet.workflows import feeds, models

    inputs = data.load("mnist").splits["train"].inputs[:][:CASES]
    np.save("rows.npy", inputs)
    np.savetxt("rows.csv", inputs, "%d", ",")
    draw, layers, arrays = np.random.default_rng(0), [], []
    for before, after in itertools.pairwise(WIDTHS):  # no training: products take the same time
        layers.append(Dense(before, after, "softmax" if after == WIDTHS[-1] else "logistic"))
        weights = draw.normal(0, 0.1, (before, after)).astype(np.float32)
        arrays.append({"W": weights, "b": np.zeros(after, np.float32)})
    zero = np.zeros(WIDTHS[0], np.float32)
    preparation = checkpoint.Preparation("auto", zero, zero + 255, (28, 28), tuple("0123456789"))
    checkpoint.save("net.h5", checkpoint.Checkpoint(Network(tuple(layers), "cross_entropy"), arrays, preparation, {}))
    reader, feed = models.whole(checkpoint.load("net.h5")), feeds.visible_feed(inputs, preparation)

    def products():
        return sum(len(rows) for rows, _, _ in reader.run(feed, len(inputs)))

    products()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps([timed(products), timed(lambda: data.load("./rows.csv"))]), flush=True)


def timed(function):
    """Seconds that it takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def streamed(folder, name):
    """(wall seconds, CPU seconds, peak memory in MB) of predictions from a file as standard input."""
    from process import DEEPNET, usage

    with open(folder / name, "rb") as file:
        return usage([*DEEPNET, "predict", "net.h5", "-"], stdin=file, cwd=folder)


def rounds(folder, count):
    """Rows of (products, parsing, from NPY, from CSV): seconds, the last two as `streamed` tells."""
    command = [sys.executable, str(Path(__file__).resolve()), "--worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        process.stdout.readline()
        streamed(folder, "rows.npy")
        for n in range(count):
            process.stdin.write("once more\n")
            process.stdin.flush()
            own = json.loads(process.stdout.readline())
            found = *own, streamed(folder, "rows.npy"), streamed(folder, "rows.csv")
            print(f"  round {n + 1}: {found}", file=sys.stderr, flush=True)
            yield found
        process.stdin.close()


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asked = parser.parse_args()
    if asked.worker:
        return worker()
    busy = os.getloadavg()[0]
    title = "Predictions by stream" + (f", beside other work (load {busy:.0f})" if busy > 1 else "")
    with tempfile.TemporaryDirectory() as folder:
        found = list(rounds(Path(folder), asked.rounds))
    from_npy = [npy[0] / own for own, _, npy, _ in found]
    from_csv = [csv[0] / (own + parsing) for own, parsing, _, csv in found]
    rows = [
        {"job": f"{JOB}: products alone", "value": median(own for own, *_ in found), "unit": "s"},
        {"job": "`predict`, NPY on stdin, whole process, over products (at most 2)", "value": median(from_npy)},
        {"job": "`predict`, CSV on stdin, over parsing and products (at most 1.3)", "value": median(from_csv)},
        {"job": "its peak memory (at most 400 MB)", "value": max(csv[2] for *_, csv in found), "unit": "MB"},
    ]
    rows = [{"unit": ""} | row for row in rows]
    print(f"\n## {title}\n\n{contest.machine()}, {asked.rounds} rounds\n\n| what | |\n|---|---|")
    for row in rows:
        print(f"| {row['job']} | {row['value']:.3g} {row['unit']} |")
    print(f"\nnoise: from NPY {contest.spread(from_npy):.0f} %, from CSV {contest.spread(from_csv):.0f} %")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        result = {"title": title, "machine": contest.machine(), "rows": rows}
        asked.json.write_text(json.dumps(result, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()

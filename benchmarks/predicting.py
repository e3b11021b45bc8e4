"""Predictions by stream: 60,000 cases through `deepnet predict net.h5 -`, beside the same products and parsing alone.

A round is the products (data in memory, kernels warm), the parsing of the CSV, and two whole processes, from NPY and
from CSV; ratios are taken within a round, so that a slow minute of the machine falls on all of it.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import contest
import numpy as np
from process import DEEPNET, usage

from deepnet import checkpoint, data
from deepnet.nn.layers import Dense
from deepnet.nn.network import Network
from deepnet.workflows import feeds, models

WIDTHS = (784, 500, 500, 2000, 10)
CASES, ROUNDS = 60_000, 5


def net(path):
    """A network of WIDTHS, of weights that no training made: products take the same time."""
    draw, layers, arrays = np.random.default_rng(0), [], []
    for n, (before, after) in enumerate(zip(WIDTHS, WIDTHS[1:], strict=False)):
        layers.append(Dense(before, after, "softmax" if n == len(WIDTHS) - 2 else "logistic"))
        weights = draw.normal(0, 0.1, (before, after)).astype(np.float32)
        arrays.append({"W": weights, "b": np.zeros(after, np.float32)})
    zero = np.zeros(WIDTHS[0], np.float32)
    preparation = checkpoint.Preparation("auto", zero, zero + 255, (28, 28), tuple("0123456789"))
    checkpoint.save(path, checkpoint.Checkpoint(Network(tuple(layers), "cross_entropy"), arrays, preparation, {}))


def timed(function):
    """Seconds that it takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def products(path, inputs):
    """A function that computes the network's outputs for all inputs."""
    loaded = checkpoint.load(path)
    reader, feed = models.whole(loaded), feeds.visible_feed(inputs, loaded.preparation)
    return lambda: sum(len(rows) for rows, _, _ in reader.run(feed, len(inputs)))


def streamed(path):
    """(wall seconds, CPU seconds, peak memory in MB) of predictions from a file as standard input."""
    with open(path, "rb") as file:
        return usage([*DEEPNET, "predict", "net.h5", "-"], stdin=file, cwd=path.parent)


def rounds(folder, count):
    """Rows of (products, parsing, from NPY, from CSV), seconds, and the peak memory of the last two in MB."""
    inputs = data.load("mnist").splits["train"].inputs[:][:CASES]
    npy, csv = folder / "rows.npy", folder / "rows.csv"
    np.save(npy, inputs)
    np.savetxt(csv, inputs, "%d", ",")
    net(str(folder / "net.h5"))
    compute = products(str(folder / "net.h5"), inputs)
    compute()
    streamed(npy)
    for n in range(count):
        found = timed(compute), timed(lambda: data.load(csv)), streamed(npy), streamed(csv)
        print(f"  round {n + 1}: {found}", file=sys.stderr, flush=True)
        yield found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(rounds(Path(folder), asked.rounds))
    from_npy = [npy[0] / own for own, _, npy, _ in found]
    from_csv = [csv[0] / (own + parsing) for own, parsing, _, csv in found]
    job = f"{CASES:,} cases, {'-'.join(map(str, WIDTHS))}"
    rows = [
        {"job": f"{job}: products alone", "value": median(own for own, *_ in found), "unit": "s"},
        {"job": "`predict` from NPY on stdin, whole process, over products (at most 2)", "value": median(from_npy)},
        {"job": "`predict` from CSV, over parsing and products (at most 1.3)", "value": median(from_csv)},
        {"job": "its peak memory (at most 400 MB)", "value": max(csv[2] for *_, csv in found), "unit": "MB"},
    ]
    rows = [{"unit": ""} | row for row in rows]
    print(f"\n## Predictions by stream\n\n{contest.machine()}, {asked.rounds} rounds\n\n| what | |\n|---|---|")
    for row in rows:
        print(f"| {row['job']} | {row['value']:.3g} {row['unit']} |")
    print(f"\nnoise: from NPY {contest.spread(from_npy):.0f} %, from CSV {contest.spread(from_csv):.0f} %")
    if asked.json:
        asked.json.parent.mkdir(exist_ok=True)
        result = {"title": "Predictions by stream", "machine": contest.machine(), "rows": rows}
        asked.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

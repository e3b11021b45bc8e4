"""How a step's cost grows: with the batch, the width, the depth, the cases of an epoch, and with threads."""

import math

import backprop
import contest
from backprop import job_of as job

AXES = {
    "batch": {b: job((784, 500, 500, 10), b, 1) for b in (10, 30, 100, 300, 1000, 5000)},
    "width": {w: job((w, w, w, 10), 100, 1) for w in (64, 128, 256, 512, 1024, 2048, 4096)},
    "depth": {d: job((256, *[256] * d, 10), 100, 1) for d in (2, 4, 6, 8, 10)},
    "cases": {c: job((64, 64, 10), 1000, c // 1000) for c in (1000, 10_000, 100_000, 1_000_000)},
}
JOBS = {f"{axis} {value}": one for axis, jobs in AXES.items() for value, one in jobs.items()}
CONTESTANTS = {"deepnet": backprop.ours, "jax": backprop.with_jax, "torch": backprop.with_torch}


def slope(points):
    """The exponent p of cost ~ size^p: the least-squares slope in logarithms of (size, cost) pairs."""
    pairs = [(math.log(size), math.log(cost)) for size, cost in points]
    x, y = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    return sum((a - x) * (b - y) for a, b in pairs) / sum((a - x) ** 2 for a, _ in pairs)


def main():
    """The table of all axes at the threads asked for, then the exponents."""
    table = contest.main(__file__, "Growth of backpropagation", CONTESTANTS, JOBS)
    if table is None:
        return
    milliseconds = {row["job"]: row["ms"] for row in table}
    print("\n| axis | exponent |\n|---|---|")
    for axis, jobs in AXES.items():
        points = [(v, milliseconds[f"{axis} {v}"]) for v in jobs if f"{axis} {v}" in milliseconds]
        if len(points) > 1:
            print(f"| {axis} | {slope(points):.2f} |")


if __name__ == "__main__":
    main()

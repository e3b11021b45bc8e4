"""Second-order methods: a Gauss-Newton product beside a gradient of the same cases, and what Hessian-free spends."""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import backprop
import contest
import numpy as np

CASES = 5000
MOST_PRODUCT, MOST_OUTSIDE = 1.5, 0.15


def objective():
    """The autoencoder's objective over CASES cases, activations kept, and a theta."""
    from deepnet.kernels import minibatch
    from deepnet.nn.layers import Dense
    from deepnet.nn.network import Network
    from deepnet.nn.objective import NetworkObjective

    widths = backprop.CODER
    units = ["logistic" if i != len(widths) // 2 - 1 else "linear" for i in range(len(widths) - 1)]
    layers = tuple(Dense(a, b, u) for a, b, u in zip(widths, widths[1:], units, strict=False))
    network = Network(layers, "binary_cross_entropy")
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (CASES, widths[0]), dtype=np.uint8)
    x[rng.random(x.shape, dtype=np.float32) > 0.2] = 0
    offset, scale = np.zeros(widths[0], np.float32), np.full(widths[0], 255, np.float32)

    def feed(rows, v, t, key):
        minibatch.gather(x, rows, offset, scale, v)
        t[...] = v

    made = NetworkObjective(network, feed, CASES, everything=CASES)
    made.at(np.arange(CASES), None)
    arrays = {s.name: rng.normal(size=s.shape).astype(np.float32) * np.float32(0.05) for s in network.layout.segments}
    return made, network.layout.pack(arrays)


def product_over_gradient(made, theta, rounds):
    """Median over alternating rounds of a product's time over a gradient's."""
    v, ratios = made.gradient(theta).copy(), []
    product = made.curvature(theta)
    product(v)
    for _ in range(rounds):
        began = time.perf_counter()
        made.gradient(theta)
        middle = time.perf_counter()
        product = made.curvature(theta)
        ready = time.perf_counter()
        product(v)
        ratios.append((time.perf_counter() - ready) / (middle - began))
    return median(ratios)


def share_outside(made, theta, steps):
    """Share of Hessian-free's time that is not spent in the products of `kernels.products`."""
    from deepnet.kernels import products
    from deepnet.optimizers import OPTIMIZERS

    inside = [0.0]

    def timed(kernel):
        def call(*arguments):
            began = time.perf_counter()
            kernel(*arguments)
            inside[0] += time.perf_counter() - began

        return call

    optimizer = OPTIMIZERS["hessian_free"](iterations=30)
    state = optimizer.init(theta)
    optimizer.step(made, theta, state)
    kept = products._multiply, products._sum_of_two
    products._multiply, products._sum_of_two = map(timed, kept)
    began = time.perf_counter()
    for _ in range(steps):
        optimizer.step(made, theta, state)
    spent = time.perf_counter() - began
    products._multiply, products._sum_of_two = kept
    return 1 - inside[0] / spent


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=contest.ROUNDS)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    made, theta = objective()
    rows = [
        {
            "job": f"Gauss-Newton product over gradient, {CASES} cases (at most {MOST_PRODUCT})",
            "value": product_over_gradient(made, theta, asked.rounds),
            "unit": "",
        },
        {
            "job": f"Hessian-free outside its products, share of time (at most {100 * MOST_OUTSIDE:.0f} %)",
            "value": 100 * share_outside(made, theta, 2),
            "unit": "%",
        },
    ]
    print(f"\n## Second-order methods\n\n{contest.machine()}\n")
    for row in rows:
        print(f"{row['job']}: {row['value']:.3g} {row['unit']}".rstrip())
    if asked.json:
        facts = {"title": "Second-order methods", "machine": contest.machine(), "rows": rows}
        asked.json.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

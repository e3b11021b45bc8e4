"""The three products beside NumPy and torch, and beside what the multipliers can do."""

import contest
import numpy as np

SHAPES = [
    (100, 784, 500),
    (100, 500, 500),
    (100, 500, 2000),
    (100, 784, 1000),
    (100, 1000, 500),
    (128, 784, 1024),
    (128, 1024, 1024),
    (100, 2048, 2048),
    (1000, 784, 500),
    (1000, 500, 2000),
    (1000, 784, 1000),
    (1000, 1000, 500),
    (1000, 500, 250),
]
JOBS = {f"{kind} {b}x{m}x{n}": (kind, b, m, n) for b, m, n in SHAPES for kind in ("up", "down", "outer")}


def arrays(job):
    """x (B, M), W (M, N), d (B, N) of a job, the same for all."""
    _, b, m, n = job
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in ((b, m), (m, n), (b, n))]


def ours(job):
    """`up`, `down` or `outer` on padded arrays, as a model holds them."""
    from deepnet.kernels import operands, products, units

    kind, b, m, n = job
    x, W, d, d_t = (operands.matrix(*shape) for shape in ((b, m), (m, n), (b, n), (n, b)))
    x[...], W[...], d[...] = arrays(job)
    d_t[...] = d.T
    if kind == "up":
        out, bias = operands.matrix(b, n), operands.vector(n)
        return lambda: products.up(x, W, bias, units.LINEAR, out)
    if kind == "down":
        out, bias = operands.matrix(m, b), operands.vector(m)
        return lambda: products.down(W, d_t, bias, units.LINEAR, out)
    out = operands.matrix(m, n)
    return lambda: products.outer(x, d, out)


def with_numpy(job):
    """`np.dot` into an array that is there."""
    kind = job[0]
    x, W, d = arrays(job)
    left, right = {"up": (x, W), "down": (d, W.T), "outer": (x.T, d)}[kind]
    out = left @ right
    return lambda: np.dot(left, right, out=out)


def with_torch(job):
    """`torch.mm` into a tensor that is there."""
    import torch

    kind = job[0]
    x, W, d = (torch.from_numpy(a) for a in arrays(job))
    left, right = {"up": (x, W), "down": (d, W.T), "outer": (x.T, d)}[kind]
    out = left @ right
    return lambda: torch.mm(left, right, out=out)


if __name__ == "__main__":
    contest.main(
        __file__,
        "Matrix products",
        {"deepnet": ours, "numpy": with_numpy, "torch": with_torch},
        JOBS,
        flops=lambda job: 2.0 * job[1] * job[2] * job[3],
    )

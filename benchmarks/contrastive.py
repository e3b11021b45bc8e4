"""Contrastive divergence: a CD-1 step on dense data and an epoch of MNIST, beside what a user would pick instead.

All do the same: hidden probabilities and samples, reconstruction, hidden probabilities, statistics, momentum 0.9
and weight decay; scikit-learn's has a persistent chain and neither momentum nor decay. Inputs are float32 in memory
for the peers, bytes for us (as on disk), converted minibatch by minibatch.
"""

import contest
import numpy as np

RATE, MOMENTUM, DECAY = 0.01, 0.9, 0.0002  # a rate at which noise without zeros saturates no unit
JOBS = {
    f"CD-1 step, dense, 784-{n}, batch {b}": {"hidden": n, "batch": b, "cases": 10 * b, "dense": True}
    for n in (512, 1024)
    for b in (100, 128)
} | {"CD-1 epoch, MNIST, 784-512, batch 100": {"hidden": 512, "batch": 100, "cases": 60_000, "dense": False}}


def data(job):
    """uint8 (cases, 784): noise without zeros, or MNIST."""
    if job["dense"]:
        return np.random.default_rng(0).integers(1, 256, (job["cases"], 784), dtype=np.uint8)
    from deepnet import data as rooms

    return rooms.load("mnist").splits["train"].inputs[: job["cases"]]


def floats(job):
    """float32 (cases, 784) in [0, 1]."""
    return data(job).astype(np.float32) / 255


def weights(job):
    """W (784, N) to begin with."""
    return np.random.default_rng(1).standard_normal((784, job["hidden"]), dtype=np.float32) * np.float32(0.1)


def batches(job, step):
    """A callable that runs `step(first row)` over an epoch, or over its next minibatch where the job is one step."""
    starts = range(0, job["cases"], job["batch"])
    if not job["dense"]:
        return lambda: [step(first) for first in starts]
    ring = iter(())

    def once():
        nonlocal ring
        first = next(ring, None)
        if first is None:
            ring = iter(starts)
            first = next(ring)
        step(first)

    return once


def ours(job, precision="float32"):
    """The objective and the optimizer as `deepnet pretrain` uses them."""
    from deepnet.kernels import minibatch, random
    from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties, start
    from deepnet.optimizers import Momentum
    from deepnet.optimizers.schedules import constant

    x, offset, scale = data(job), np.zeros(784, np.float32), np.full(784, 255, np.float32)
    rbm = RBM(784, job["hidden"], "logistic", "logistic")
    theta = start(rbm, weights(job), None)

    def feed(rows, v):
        minibatch.gather(x, rows, offset, scale, v)

    penalties = Penalties(weight_decay=DECAY)
    objective = ContrastiveDivergence(rbm, feed, job["batch"], 1, penalties, precision=precision)
    rule = Momentum(constant(RATE), constant(MOMENTUM))
    state, order, count = rule.init(theta), random.permutation(0, job["cases"]), iter(range(1 << 60))

    def step(first):
        objective.at(order[first : first + job["batch"]], random.fold(0, next(count)))
        rule.step(objective, theta, state)

    return batches(job, step)


def with_numpy(job):
    """NumPy in place: every array is there before the first step."""
    from scipy.special import expit

    x, W, B = floats(job), weights(job), job["batch"]
    N = job["hidden"]
    b, c, vW, vb, vc = (np.zeros(s, np.float32) for s in (N, 784, W.shape, N, 784))
    h0, h1, hs, v1 = (np.empty((B, n), np.float32) for n in (N, N, N, 784))
    g, g1, u, rng = np.empty_like(W), np.empty_like(W), np.empty((B, N), np.float32), np.random.default_rng(0)

    def step(first):
        v0 = x[first : first + B]
        np.dot(v0, W, out=h0)
        np.add(h0, b, out=h0)
        expit(h0, out=h0)
        rng.random(out=u, dtype=np.float32)
        np.less(u, h0, out=hs, casting="unsafe")
        np.dot(hs, W.T, out=v1)
        np.add(v1, c, out=v1)
        expit(v1, out=v1)
        np.dot(v1, W, out=h1)
        np.add(h1, b, out=h1)
        expit(h1, out=h1)
        np.dot(v0.T, h0, out=g)
        np.dot(v1.T, h1, out=g1)
        np.subtract(g, g1, out=g)
        np.multiply(g, RATE / B, out=g)
        np.multiply(vW, MOMENTUM, out=vW)
        np.add(vW, g, out=vW)
        np.multiply(W, RATE * DECAY, out=g)
        np.subtract(vW, g, out=vW)
        np.add(W, vW, out=W)
        vb[:] = MOMENTUM * vb + RATE / B * (h0.sum(0) - h1.sum(0))
        vc[:] = MOMENTUM * vc + RATE / B * (v0.sum(0) - v1.sum(0))
        np.add(b, vb, out=b)
        np.add(c, vc, out=c)

    return batches(job, step)


def _torch_update(torch, B):
    def update(v0, W, b, c, vW, vb, vc):
        h0 = torch.sigmoid(torch.addmm(b, v0, W))
        hs = torch.bernoulli(h0)
        v1 = torch.sigmoid(torch.addmm(c, hs, W.T))
        h1 = torch.sigmoid(torch.addmm(b, v1, W))
        g = v0.T @ h0
        g.addmm_(v1.T, h1, alpha=-1)
        vW.mul_(MOMENTUM).add_(g, alpha=RATE / B).add_(W, alpha=-RATE * DECAY)
        vb.mul_(MOMENTUM).add_(h0.sum(0) - h1.sum(0), alpha=RATE / B)
        vc.mul_(MOMENTUM).add_(v0.sum(0) - v1.sum(0), alpha=RATE / B)
        W.add_(vW)
        b.add_(vb)
        c.add_(vc)

    return update


def _with_torch(job, compiled):
    import torch

    x, W, B = torch.from_numpy(floats(job)), torch.from_numpy(weights(job)), job["batch"]
    b, c, vW, vb, vc = (torch.zeros(s) for s in (job["hidden"], 784, W.shape, job["hidden"], 784))
    update = _torch_update(torch, B)
    if compiled:
        update = torch.compile(update)

    def step(first):
        with torch.no_grad():
            update(x[first : first + B], W, b, c, vW, vb, vc)

    return batches(job, step)


def with_torch(job):
    """torch, eager."""
    return _with_torch(job, False)


def with_torch_compile(job):
    """torch.compile."""
    return _with_torch(job, True)


def _jax_step():
    import jax
    import jax.numpy as jnp

    def step(state, v0):
        W, b, c, vW, vb, vc, key = state
        B = v0.shape[0]
        key, sub = jax.random.split(key)
        h0 = jax.nn.sigmoid(v0 @ W + b)
        hs = (jax.random.uniform(sub, h0.shape) < h0).astype(jnp.float32)
        v1 = jax.nn.sigmoid(hs @ W.T + c)
        h1 = jax.nn.sigmoid(v1 @ W + b)
        vW = MOMENTUM * vW + RATE * ((v0.T @ h0 - v1.T @ h1) / B - DECAY * W)
        vb = MOMENTUM * vb + RATE * (h0.sum(0) - h1.sum(0)) / B
        vc = MOMENTUM * vc + RATE * (v0.sum(0) - v1.sum(0)) / B
        return (W + vW, b + vb, c + vc, vW, vb, vc, key), None

    return jax, jnp, step


def _jax_state(jax, jnp, job):
    W, N = jnp.asarray(weights(job)), job["hidden"]
    zeros = (jnp.zeros(N), jnp.zeros(784), jnp.zeros(W.shape), jnp.zeros(N), jnp.zeros(784))
    return (W, *zeros, jax.random.key(0))


def with_jax(job):
    """jax, one jitted call a step."""
    jax, jnp, step = _jax_step()
    state, x, B = [_jax_state(jax, jnp, job)], jnp.asarray(floats(job)), job["batch"]
    jitted = jax.jit(lambda s, x, first: step(s, jax.lax.dynamic_slice_in_dim(x, first, B))[0], donate_argnums=0)

    def one(first):
        state[0] = jitted(state[0], x, first)
        if job["dense"] or first + B >= job["cases"]:
            jax.block_until_ready(state[0])

    return batches(job, one)


def with_jax_scan(job):
    """jax, the epoch as one scan."""
    if job["dense"]:
        raise NotImplementedError
    jax, jnp, step = _jax_step()
    state = [_jax_state(jax, jnp, job)]
    x = jnp.asarray(floats(job)).reshape(-1, job["batch"], 784)
    jitted = jax.jit(lambda s, x: jax.lax.scan(step, s, x)[0], donate_argnums=0)

    def epoch():
        state[0] = jax.block_until_ready(jitted(state[0], x))

    return epoch


def with_sklearn(job):
    """scikit-learn's BernoulliRBM at the same batch size."""
    from sklearn.neural_network import BernoulliRBM

    x, B = floats(job), job["batch"]
    rbm = BernoulliRBM(job["hidden"], learning_rate=RATE, batch_size=B, random_state=0)
    rbm.partial_fit(x[:B])
    return batches(job, lambda first: rbm.partial_fit(x[first : first + B]))


def flops(job):
    """Five products a step."""
    steps = 1 if job["dense"] else job["cases"] // job["batch"]
    return steps * 5 * 2.0 * job["batch"] * 784 * job["hidden"]


CONTESTANTS = {
    "deepnet": ours,
    "jax": with_jax,
    "jax scan": with_jax_scan,
    "torch": with_torch,
    "torch.compile": with_torch_compile,
    "numpy": with_numpy,
    "scikit-learn": with_sklearn,
}

if __name__ == "__main__":
    contest.main(
        __file__,
        "Contrastive divergence",
        CONTESTANTS,
        JOBS,
        flops=flops,
    )

"""Dropout and rectifiers: one net beside jax and torch, who draw masks as their users do.

All run the same steps on the same float32 data in memory (bytes for us): relu hidden units, 20 % of the inputs and 50 %
of the hidden units left out, cross-entropy, momentum 0.9. A mask is drawn anew at each step.
"""

import backprop
import contest
import numpy as np
from backprop import MOMENTUM, RATE, bytes_of, floats, job_of, layers, starts

INPUT, HIDDEN = 0.2, 0.5

JOBS = {
    "784-1024-1024-10, batch 100, 50 steps": job_of((784, 1024, 1024, 10), 100, 50),
    "784-898-1532-10, batch 100, 50 steps": job_of((784, 898, 1532, 10), 100, 50),
}


def rates(job):
    """The share left out before each layer of weights."""
    return [INPUT] + [HIDDEN] * (len(job["widths"]) - 2)


def ours(job):
    """The objective and the optimizer as `deepnet finetune --dropout 0.2,0.5,0.5` uses them."""
    from deepnet.kernels import minibatch, random
    from deepnet.nn.layers import Dense
    from deepnet.nn.network import Network
    from deepnet.nn.objective import NetworkObjective
    from deepnet.nn.stack import with_noise
    from deepnet.optimizers import Momentum
    from deepnet.optimizers.schedules import constant

    (x, y), widths, B = bytes_of(job), job["widths"], job["batch"]
    offset, scale = np.zeros(widths[0], np.float32), np.full(widths[0], 255, np.float32)
    units = ["relu"] * (len(widths) - 2) + ["softmax"]
    dense = [Dense(a, b, u) for a, b, u in zip(widths, widths[1:], units, strict=False)]
    network = Network(with_noise(dense, [0.0] * len(dense), rates(job)), "cross_entropy")
    one = np.eye(widths[-1], dtype=np.float32)

    def feed(rows, v, t, key):
        minibatch.gather(x, rows, offset, scale, v)
        t[...] = one[y[rows]]

    objective = NetworkObjective(network, feed, B)
    numbers = [i for i, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    pairs = zip(numbers, layers(job), strict=True)
    arrays = {f"{i}.{n}": a for i, pair in pairs for n, a in zip("Wb", pair, strict=True)}
    theta, rule = network.layout.pack(arrays), Momentum(constant(RATE), constant(MOMENTUM))
    state, order, firsts = rule.init(theta), random.permutation(0, len(x)), starts(job)
    done = [0]

    def run():
        for first in firsts:
            objective.at(order[first : first + B], random.fold(0, done[0]))
            rule.step(objective, theta, state)
            done[0] += 1

    return run


def _jax(job):
    import jax
    import jax.numpy as jnp

    shares = rates(job)

    def loss(parameters, x, y, key):
        a = x
        for i, (W, b) in enumerate(parameters):
            kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - shares[i], a.shape)
            z = jnp.where(kept, a / (1 - shares[i]), 0) @ W + b
            a = jax.nn.relu(z)
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    def step(state, batch):
        parameters, velocity, key = state
        key, own = jax.random.split(key)
        grads = jax.grad(loss)(parameters, *batch, own)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - RATE * g, velocity, grads)
        return (jax.tree.map(lambda p, v: p + v, parameters, velocity), velocity, key), None

    parameters = [(jnp.asarray(W), jnp.asarray(b)) for W, b in layers(job)]
    x, y = (jnp.asarray(a) for a in floats(job))
    state = parameters, jax.tree.map(jnp.zeros_like, parameters), jax.random.key(0)
    return jax, step, [state], x, y


def with_jax(job):
    """jax, one jitted call a step."""
    jax, step, state, x, y = _jax(job)
    B, firsts = job["batch"], starts(job)
    cut = jax.lax.dynamic_slice_in_dim
    jitted = jax.jit(lambda s, x, y, i: step(s, (cut(x, i, B), cut(y, i, B)))[0], donate_argnums=0)

    def run():
        for first in firsts:
            state[0] = jitted(state[0], x, y, first)
        jax.block_until_ready(state[0])

    return run


def with_jax_scan(job):
    """jax, all steps as one scan."""
    jax, step, state, x, y = _jax(job)
    index = np.array(starts(job))[:, None] + np.arange(job["batch"])
    jitted = jax.jit(lambda s, x, y: jax.lax.scan(lambda s, i: step(s, (x[i], y[i])), s, index)[0], donate_argnums=0)

    def run():
        state[0] = jax.block_until_ready(jitted(state[0], x, y))

    return run


def _with_torch(job, compiled):
    import torch
    from torch import nn

    modules = []
    for i, ((W, _), share) in enumerate(zip(layers(job), rates(job), strict=True)):
        dense = nn.Linear(*W.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(W.T.copy()))
            dense.bias.zero_()
        modules += [nn.Dropout(share), dense] if i == 0 else [nn.ReLU(), nn.Dropout(share), dense]
    network, B, firsts = nn.Sequential(*modules).train(), job["batch"], starts(job)
    rule = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    x, y = (torch.from_numpy(a) for a in floats(job))

    def value(x, y):
        return nn.functional.cross_entropy(network(x), y)

    if compiled:
        value = torch.compile(value)

    def run():
        for first in firsts:
            rule.zero_grad()
            value(x[first : first + B], y[first : first + B]).backward()
            rule.step()

    return run


def with_torch(job):
    """torch, eager."""
    return _with_torch(job, False)


def with_torch_compile(job):
    """torch.compile of the loss and its gradient."""
    return _with_torch(job, True)


if __name__ == "__main__":
    contest.main(
        __file__,
        "Dropout and rectifiers",
        {
            "deepnet": ours,
            "jax": with_jax,
            "jax scan": with_jax_scan,
            "torch": with_torch,
            "torch.compile": with_torch_compile,
        },
        JOBS,
        flops=backprop.flops,
    )

"""Backpropagation with momentum: a classifier, an autoencoder and a small net beside jax, torch and scikit-learn.

All run the same steps on the same float32 data in memory (bytes for us), logistic hidden units, cross-entropy,
momentum 0.9.
"""

import contest
import numpy as np

RATE, MOMENTUM = 0.05, 0.9
ALONE = "products alone"
DEEP, CODER, SMALL = (784, 500, 500, 2000, 10), (784, 1000, 500, 250, 30, 250, 500, 1000, 784), (64, 100, 10)


def job_of(widths, batch, steps, coder=False):
    """A job: so many steps of a net of these widths; a coder's targets are its inputs."""
    return {"widths": widths, "batch": batch, "steps": steps, "coder": coder}


JOBS = {
    "784-500-500-2000-10, batch 100, 100 steps": job_of(DEEP, 100, 100),
    "784-500-500-2000-10, batch 1000, 10 steps": job_of(DEEP, 1000, 10),
    "autoencoder 784-1000-500-250-30, batch 200, 50 steps": job_of(CODER, 200, 50, True),
    "autoencoder 784-1000-500-250-30, batch 1000, 10 steps": job_of(CODER, 1000, 10, True),
    "64-100-10, batch 32, 1000 steps": job_of(SMALL, 32, 1000),
}


def bytes_of(job):
    """uint8 (cases, M) with a fifth of the values above 0, as in MNIST, and class indices (cases,)."""
    rng, cases = np.random.default_rng(0), job["batch"] * job["steps"]
    x = rng.integers(0, 256, (cases, job["widths"][0]), dtype=np.uint8)
    x[rng.random(x.shape, dtype=np.float32) > 0.2] = 0
    return x, rng.integers(0, job["widths"][-1], cases)


def floats(job):
    """float32 inputs in [0, 1], class indices."""
    x, y = bytes_of(job)
    return x.astype(np.float32) / 255, y


def layers(job):
    """First W and b of every layer."""
    rng = np.random.default_rng(1)
    sizes = list(zip(job["widths"], job["widths"][1:], strict=False))
    return [(rng.standard_normal(s, dtype=np.float32) * np.float32(0.05), np.zeros(s[1], np.float32)) for s in sizes]


def starts(job):
    """First rows of the minibatches, round the data."""
    cases = job["batch"] * job["steps"]
    return [(i * job["batch"]) % cases for i in range(job["steps"])]


def ours(job, precision="float32"):
    """The objective and the optimizer as `deepnet finetune` uses them."""
    from deepnet.kernels import minibatch, random
    from deepnet.nn.layers import Dense
    from deepnet.nn.network import Network
    from deepnet.nn.objective import NetworkObjective
    from deepnet.optimizers import Momentum
    from deepnet.optimizers.schedules import constant

    (x, y), widths, B = bytes_of(job), job["widths"], job["batch"]
    offset, scale = np.zeros(widths[0], np.float32), np.full(widths[0], 255, np.float32)
    linear = len(widths) // 2 if job["coder"] else None
    top, loss = ("logistic", "binary_cross_entropy") if job["coder"] else ("softmax", "cross_entropy")
    units = ["linear" if i + 1 == linear else "logistic" for i in range(len(widths) - 2)] + [top]
    network = Network(tuple(Dense(a, b, u) for a, b, u in zip(widths, widths[1:], units, strict=False)), loss)
    one = np.eye(widths[-1], dtype=np.float32)

    def feed(rows, v, t, key):
        minibatch.gather(x, rows, offset, scale, v)
        t[...] = v if job["coder"] else one[y[rows]]

    objective = NetworkObjective(network, feed, B, precision=precision)
    arrays = {f"{i}.{n}": a for i, pair in enumerate(layers(job)) for n, a in zip("Wb", pair, strict=True)}
    theta, rule = network.layout.pack(arrays), Momentum(constant(RATE), constant(MOMENTUM))
    state, order, firsts = rule.init(theta), random.permutation(0, len(x)), starts(job)

    def run():
        for i, first in enumerate(firsts):
            objective.at(order[first : first + B], random.fold(0, i))
            rule.step(objective, theta, state)

    return run


def products_alone(job, precision="float32"):
    """A step's products and nothing else, zeros of the inputs left out and listed before: what we cannot do without."""
    from deepnet.kernels import operands, products, units

    if job["widths"] == SMALL:  # its products are a few calls of Python
        raise NotImplementedError
    rng, B, calls = np.random.default_rng(2), job["batch"], []

    def matrix(*shape):
        made = operands.matrix(*shape)
        made[...] = rng.standard_normal(shape, dtype=np.float32)
        return made

    x = matrix(B, job["widths"][0])
    x[...] = floats(job)[0][:B]
    rounding = operands.PRECISIONS[precision]()
    with rounding:
        given, linear = operands.Lister().of(x), units.LINEAR
    for i, (W, _) in enumerate(layers(job)):
        m, n = W.shape
        weights, g, d, d_t = matrix(m, n), matrix(m, n), matrix(B, n), matrix(n, B)
        calls.append((products.up, given, weights, operands.vector(n), linear, d))
        if i:
            calls.append((products.down, weights, d_t, operands.vector(m), linear, matrix(m, B)))
        calls.append((products.outer, given, d, g))
        given = d

    def run():
        for _ in range(job["steps"]):
            with rounding:
                for call, *arguments in calls:
                    call(*arguments)

    return run


def _jax(job):
    import jax
    import jax.numpy as jnp

    linear = len(job["widths"]) // 2 - 1 if job["coder"] else None

    def loss(parameters, x, y):
        a = x
        for i, (W, b) in enumerate(parameters):
            z = a @ W + b
            a = z if i == linear else jax.nn.sigmoid(z)
        if job["coder"]:
            return (jax.nn.softplus(z) - x * z).sum() / x.shape[0]
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    def step(state, batch):
        parameters, velocity = state
        grads = jax.grad(loss)(parameters, *batch)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - RATE * g, velocity, grads)
        return (jax.tree.map(lambda p, v: p + v, parameters, velocity), velocity), None

    parameters = [(jnp.asarray(W), jnp.asarray(b)) for W, b in layers(job)]
    x, y = (jnp.asarray(a) for a in floats(job))
    return jax, step, [(parameters, jax.tree.map(jnp.zeros_like, parameters))], x, y


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


def _with_torch(job, compiled, autocast=False):
    import torch
    from torch import nn

    linear = len(job["widths"]) // 2 - 1 if job["coder"] else None
    modules, pairs = [], layers(job)
    for i, (W, _) in enumerate(pairs):
        dense = nn.Linear(*W.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(W.T.copy()))
            dense.bias.zero_()
        modules += [dense] if i in (linear, len(pairs) - 1) else [dense, nn.Sigmoid()]
    network, B, firsts = nn.Sequential(*modules), job["batch"], starts(job)
    rule = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    x, y = (torch.from_numpy(a) for a in floats(job))

    def value(x, y):
        if job["coder"]:
            return nn.functional.binary_cross_entropy_with_logits(network(x), x, reduction="sum") / len(x)
        return nn.functional.cross_entropy(network(x), y)

    if compiled:
        value = torch.compile(value)

    def run():
        for first in firsts:
            rule.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = value(x[first : first + B], y[first : first + B])
            loss.backward()
            rule.step()

    return run


def with_torch(job):
    """torch, eager."""
    return _with_torch(job, False)


def with_torch_compile(job):
    """torch.compile of the loss and its gradient."""
    return _with_torch(job, True)


def with_torch_bfloat16(job):
    """torch, products in bfloat16 by autocast."""
    return _with_torch(job, False, True)


def with_sklearn(job):
    """scikit-learn's perceptron, a classifier only."""
    if job["coder"]:
        raise NotImplementedError
    from sklearn.neural_network import MLPClassifier

    x, y = floats(job)
    net = MLPClassifier(
        job["widths"][1:-1],
        activation="logistic",
        solver="sgd",
        batch_size=job["batch"],
        learning_rate_init=RATE,
        momentum=MOMENTUM,
    )
    classes = np.arange(job["widths"][-1])
    return lambda: net.partial_fit(x, y, classes=classes)


def flops(job):
    """Three products a layer and step, two in the first."""
    sizes = [a * b for a, b in zip(job["widths"], job["widths"][1:], strict=False)]
    return job["steps"] * 2.0 * job["batch"] * (3 * sum(sizes) - sizes[0])


if __name__ == "__main__":
    contest.main(
        __file__,
        "Backpropagation",
        {
            "deepnet": ours,
            "jax": with_jax,
            "jax scan": with_jax_scan,
            "torch": with_torch,
            "torch.compile": with_torch_compile,
            "scikit-learn": with_sklearn,
            ALONE: products_alone,
        },
        JOBS,
        flops=flops,
        alone=ALONE,
    )

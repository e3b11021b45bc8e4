"""selfcheck: what is computed here and now, held against mathematics that needs none of it."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from ..kernels import bfloat16, jit, operands, products, random
from ..kernels import units as kernels
from ..nn.layers import BatchNorm, Dense, Dropout, of_units
from ..nn.losses import LOSSES, loss_for
from ..nn.mixed import mixed_of
from ..nn.network import Network
from ..nn.objective import NetworkObjective
from ..nn.rbm import RBM, Chain, ContrastiveDivergence, Penalties
from ..nn.units import UNITS
from ..optimizers import OPTIMIZERS

CASES, SEED, MIXED = 7, 2, "linear:2 logistic:1 softmax:3"
# Philox4x32-10: counter, key, words (known answers of Random123, Salmon et al. 2011).
KNOWN = (
    ((0, 0, 0, 0), 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, 0xFFFFFFFFFFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


def selfcheck(*, threads=None, say=lambda line: None) -> dict:
    """Run every check of CHECKS: {"passed": number, "failed": {name: what was found}, "seconds"}; `say` gets lines."""
    if threads is not None:
        jit.set_threads(threads)
    began, failed, passed = time.perf_counter(), {}, 0
    for name, check in CHECKS.items():
        try:
            worst = max(check(), key=lambda pair: pair[1])
        except Exception as problem:  # whatever a broken install may raise is what we are after
            worst = (f"{type(problem).__name__}: {problem}", np.inf)
        what, share = worst
        good = bool(share <= 1)  # NaN is not
        passed += good
        if not good:
            failed[name] = f"{what}: off by {share:.3g} times what is allowed"
        say(f"{name}: {'passed' if good else 'FAILED, ' + failed[name]}")
    return {"passed": passed, "failed": failed, "seconds": round(time.perf_counter() - began, 1)}


def _off(found, expected, bound) -> float:
    """Largest error over the bound."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return np.inf
    error = np.abs(found.astype(np.float64) - expected)
    return float(np.max(error / bound)) if np.isfinite(error).all() else np.inf


def _generator() -> Iterator[tuple[str, float]]:
    """Philox against its known answers, the compiled generator against the plain one, its sums against its law."""
    for counter, key, words in KNOWN:
        yield "a known answer", 0.0 if tuple(int(w) for w in random.philox(counter, key)) == words else np.inf
    yield "compiled draws", 0.0 if (random.bits(99, 3, 5, 70) == random.bits_twin(99, 3, 5, 70)).all() else np.inf
    u = random.uniform(5, 0, 200, 500).astype(np.float64)
    yield "mean of draws", abs(u.mean() - 0.5) * np.sqrt(12 * u.size) / 5


def _functions() -> Iterator[tuple[str, float]]:
    """Unit types in float32 against float64, and their slopes against differences."""
    z = np.linspace(-30, 30, 3000)  # none of them at a corner
    for name, unit in UNITS.items():
        if unit.rowwise:
            continue
        a = z.astype(np.float32)[None, :].copy()
        unit.activate(a)
        exact = kernels.activate_twin(unit.code, z)
        yield f"{name} units", _off(a[0], exact, 4e-7 * (1 + np.abs(exact)))
        step = 1e-30
        slope = kernels.activate_twin(unit.code, z + 1j * step).imag / step
        needed = exact if unit.needs == "a" else z
        yield f"slope of {name} units", _off(kernels.slope_twin(unit.code, needed), slope, 1e-9)
        given = needed.astype(np.float32)[None, :]
        d = np.ones_like(given)
        unit.chain(given, d)
        yield f"compiled slope of {name} units", _off(d[0], slope, 2e-6 * np.maximum(1, np.abs(slope)))


def _products() -> Iterator[tuple[str, float]]:
    """The three products of float32 against float64, also of rounded operands where the CPU multiplies them."""
    rng = np.random.default_rng(1)
    for B, M, N in ((3, 5, 2), (101, 97, 130), (40, 785, 33)):
        x, W, d = (rng.normal(size=shape).astype(np.float32) for shape in ((B, M), (M, N), (B, N)))
        for rounding in (False, True)[: 1 + bfloat16.available()]:
            wide = [(bfloat16.twin(a) if rounding else a).astype(np.float64) for a in (x, W, d)]
            up, down, outer = (np.zeros(shape, np.float32) for shape in ((B, N), (M, B), (M, N)))
            with operands.PRECISIONS["bfloat16" if rounding else "float32"]():
                products.up(x, W, np.zeros(N, np.float32), kernels.LINEAR, up)
                products.down(W, np.ascontiguousarray(d.T), np.zeros(M, np.float32), kernels.LINEAR, down)
                products.outer(x, d, outer)
            word = " of rounded operands" if rounding else ""
            for name, found, (a, b) in (
                ("up", up, (wide[0], wide[1])),
                ("down", down, (wide[1], wide[2].T)),
                ("outer", outer, (wide[0].T, wide[2])),
            ):
                yield name + word, _off(found, a @ b, 1e-6 * (np.abs(a) @ np.abs(b) + 1e-30))


def _networks() -> Iterator[tuple[str, Network]]:
    for loss in LOSSES:
        for name in (*(name for name, unit in UNITS.items() if not unit.rowwise), "maxout:3"):
            layers = of_units(name, 5, 4), Dropout(4, 0.3), of_units(name, 4, 6), Dense(6, 3, LOSSES[loss].unit)
            yield f"{name} units, {loss}", Network(layers, loss)
        normalized = BatchNorm(5, 4, "tanh"), Dropout(4, 0.3), BatchNorm(4, 6, "logistic")
        yield f"batch normalisation, {loss}", Network((*normalized, Dense(6, 3, LOSSES[loss].unit)), loss)
    yield "logistic units, mixed outputs", Network((of_units("logistic", 5, 4), Dense(4, 6, MIXED)), MIXED)


def _cases(network: Network, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and as targets probabilities, which serve every loss; of a teacher logits, and a label or none.

    Of mixed outputs those of each group are probabilities.
    """
    inputs, t = rng.normal(size=(CASES, network.inputs)), rng.random((CASES, network.outputs))
    if mixed := mixed_of(network.loss):
        for unit, span in mixed.spans:
            t[:, span] /= t[:, span].sum(axis=1, keepdims=True) if unit.rowwise else 1
        return inputs, t
    if LOSSES[network.loss].mimics:
        return inputs, np.column_stack([2 * t - 1, np.arange(CASES) % (network.outputs + 1) - 1])
    return inputs, t / t.sum(axis=1, keepdims=True)


def _objective(network: Network, dtype) -> tuple[NetworkObjective, np.ndarray]:
    rng = np.random.default_rng(SEED)
    inputs, targets = _cases(network, rng)

    def feed(rows, x, t, key):
        x[...], t[...] = inputs[rows], targets[rows]

    objective = NetworkObjective(network, feed, CASES, 0.01, dtype, everything=CASES)
    objective.at(np.arange(CASES), 12)
    arrays = {s.name: rng.normal(size=s.shape) / 3 for s in network.layout.segments}
    return objective, network.layout.pack(arrays, dtype)


def _places(network: Network) -> np.ndarray:
    ones = {s.name: np.ones(s.shape) for s in network.layout.segments}
    return np.flatnonzero(network.layout.pack(ones, np.float64))


def _gradients() -> Iterator[tuple[str, float]]:
    """Every network's gradient against central differences of its value, float32 against float64."""
    for name, network in _networks():
        objective, theta = _objective(network, np.float64)
        gradient, inner = objective.gradient(theta).copy(), _places(network)
        numeric = np.zeros_like(theta)
        for i in inner:
            ends = []
            for step in (1e-5, -1e-5):
                moved = theta.copy()
                moved[i] += step
                ends.append(objective.value(moved))
            numeric[i] = (ends[0] - ends[1]) / 2e-5
        yield name, _off(gradient, numeric, 1e-7)
        narrow, same = _objective(network, np.float32)
        yield f"{name} in float32", _off(narrow.gradient(same), gradient, 1e-5 * max(1, np.abs(gradient).max()))


def _spread(z: np.ndarray) -> np.ndarray:
    """diag(s) - s s' of s = softmax(z)."""
    s = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return np.diag(s) - np.outer(s, s)


def _hessian(loss: str, a: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A case's Hessian of the loss at z, as a matrix on changes of a."""
    if mixed := mixed_of(loss):
        pairs = zip(mixed.runs, mixed.spans, strict=True)
        parts = [np.diag(_hessian(loss_for(name), a[span], t[span])) for (name, _), (_, span) in pairs]
        return np.diag(np.concatenate(parts))
    if LOSSES[loss].mimics:
        own = np.eye(len(a)) if loss == "logits" else _spread(a / LOSSES[loss].temperature)
        return own + LOSSES[loss].hard_weight * (t[-1] >= 0) * _spread(a)
    y = 2 * t - 1
    return np.diag({
        "cross_entropy": 1 / a,  # inverse of diag(a) - a a' where sums are kept
        "binary_cross_entropy": 1 / (a * (1 - a)),
        "squared_hinge": 2 * y**2 * (y * a < 1),
        "hinge": 0 * a,
    }.get(loss, np.ones_like(a)))  # fmt: skip


def _curvature() -> Iterator[tuple[str, float]]:
    """Gauss-Newton products against J'HJ, with J from differences of the outputs, and the squares of gradients."""
    for name, network in _networks():
        objective, theta = _objective(network, np.float64)
        inner, outputs = _places(network), []
        objective.value(theta)
        a, t = objective.outputs.copy(), _cases(network, np.random.default_rng(SEED))[1]
        for i in inner:
            ends = []
            for step in (1e-6, -1e-6):
                moved = theta.copy()
                moved[i] += step
                objective.value(moved)
                ends.append(objective.outputs.copy())
            outputs.append((ends[0] - ends[1]) / 2e-6)
        # of the outputs a: with a matching unit J'HJ over z is the sum of (da/dtheta)' (dz/da) (da/dtheta)
        J = np.stack(outputs, axis=-1)
        v = np.zeros_like(theta)
        v[inner] = np.random.default_rng(3).normal(size=len(inner))
        expected = np.zeros_like(theta)
        for case in range(CASES):
            H = _hessian(network.loss, a[case], t[case])
            expected[inner] += J[case].T @ (H @ (J[case] @ v[inner])) / CASES
        for s in network.layout.segments:
            if len(s.shape) == 2:
                expected[s.start : s.stop] += 0.01 * v[s.start : s.stop]
        yield name, _off(objective.curvature(theta)(v), expected, 1e-6 * (1 + np.abs(expected).max()))


def _machines() -> Iterator[tuple[str, float]]:
    """CD-1's mean over many draws against the sum over all hidden states, and the law of the draws."""
    rng = np.random.default_rng(4)
    rbm, copies = RBM(4, 3, "logistic", "logistic"), 400
    theta = rbm.layout.pack({s.name: rng.normal(size=s.shape) for s in rbm.layout.segments})
    p = {name: view.astype(np.float64) for name, view in rbm.layout.views(theta).items()}
    v = (rng.random(4) < 0.5).astype(np.float64)

    def feed(rows, x):
        x[...] = v

    objective = ContrastiveDivergence(rbm, feed, copies, 1, Penalties())
    each = []
    for key in range(100):
        objective.at(np.arange(copies), key)
        views = rbm.layout.views(objective.gradient(theta))
        each.append(np.concatenate([views[name].ravel() for name in ("W", "b", "c")]).astype(np.float64))

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    h = sigmoid(v @ p["W"] + p["b"])
    exact = 0.0
    for state in np.indices((2, 2, 2)).reshape(3, -1).T:
        share = np.prod(np.where(state, h, 1 - h))
        back = sigmoid(p["W"] @ state + p["c"])
        again = sigmoid(back @ p["W"] + p["b"])
        parts = np.outer(back, again) - np.outer(v, h), again - h, back - v
        exact = exact + share * np.concatenate([part.ravel() for part in parts])
    spread = np.std(each, axis=0) / np.sqrt(len(each))
    yield "CD-1", _off(np.mean(each, axis=0), exact, 5 * spread + 1e-6)
    chain, mean = Chain(rbm, 20_000), np.zeros((20_000, 3), np.float32)
    seen = np.repeat(v[None].astype(np.float32), len(mean), axis=0)
    states = chain.hidden_states(rbm.layout.views(theta), seen, 7, 0, mean)
    yield "hidden means", _off(mean[0], h, 1e-6)
    yield "hidden draws", _off(states.mean(axis=1), h, 5 * np.sqrt(h * (1 - h) / len(mean)) + 1e-9)


def _threads() -> Iterator[tuple[str, float]]:
    """The same bits on one thread and on all."""
    rng = np.random.default_rng(5)
    x, W = rng.random((300, 400)).astype(np.float32), rng.normal(size=(400, 300)).astype(np.float32)
    count, results = jit.threads(), []
    try:
        for number in (1, count):
            jit.set_threads(number)
            out = np.zeros((300, 300), np.float32)
            products.up(x, W, np.zeros(300, np.float32), kernels.LOGISTIC, out)
            results.append(out)
    finally:
        jit.set_threads(count)
    yield "a product", np.inf if (results[0] != results[1]).any() else 0.0


def _optimizers() -> Iterator[tuple[str, float]]:
    """Every optimizer lowers the loss of a small network."""
    network = Network((Dense(5, 8, "tanh"), Dense(8, 3, "softmax")), "cross_entropy")
    for name, kind in OPTIMIZERS.items():
        objective, theta = _objective(network, np.float32)
        optimizer, first = kind(), objective.value(theta)
        state = optimizer.init(theta)
        for _ in range(40):
            objective.at(np.arange(CASES), 12)
            optimizer.step(objective, theta, state)
        yield name, objective.value(theta) / first


CHECKS: dict[str, Callable[[], Iterator[tuple[str, float]]]] = {
    "random numbers": _generator,
    "units": _functions,
    "products": _products,
    "gradients": _gradients,
    "Gauss-Newton products": _curvature,
    "contrastive divergence": _machines,
    "threads": _threads,
    "optimizers": _optimizers,
}

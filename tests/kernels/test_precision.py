"""Every float32 kernel within 8 n 2^-24 of its float64 twin, n the number of terms that its longest sum adds.

One table of all of them: what a kernel is given and how many terms it adds. Errors are relative to the size of the
result where that is above 1. `test_every_kernel_is_tried` keeps the table whole.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

from deepnet import kernels
from deepnet.kernels import (
    batchnorm,
    dropout,
    inverse,
    losses,
    maxout,
    mimicry,
    minibatch,
    norms,
    outputs,
    products,
    units,
    updates,
)
from deepnet.kernels.jit import ENABLED
from deepnet.nn.units import UNITS

pytestmark = pytest.mark.skipif(not ENABLED, reason="nothing is compiled, so there is the twin only")

B, M, N = 37, 53, 41
CODES = {name: unit.code for name, unit in UNITS.items() if not unit.rowwise}
RULE = products.descent(0.1, 0.9, 1e-3, 1e-4)
KEY = 0x1234_5678_9ABC_DEF0


class Given:
    """Arrays of one seed, float32 or the same numbers in float64."""

    def __init__(self, seed, dtype):
        self._rng, self.dtype = np.random.default_rng(seed), dtype

    def _as(self, values):
        return values.astype(np.float32).astype(self.dtype)

    def normal(self, *shape, size=1.0):
        return self._as(size * self._rng.normal(size=shape))

    def positive(self, *shape):
        return self._as(self._rng.random(shape) + 0.1)

    def shares(self, *shape):
        values = self._rng.random(shape)
        return self._as(values / values.sum(axis=-1, keepdims=True))

    def chosen(self, count, *shape):
        return self._as(self._rng.integers(count, size=shape))

    def integers(self, count, *shape):
        return self._rng.integers(count, size=shape)

    def zeros(self, *shape):
        return np.zeros(shape, self.dtype)


def weights(g, inputs=M, outputs=N):
    return g.normal(inputs, outputs, size=1 / np.sqrt(inputs))


# Each row: name of the kernel (and of a variant): (terms, function of Given that calls it and returns what it made).
KERNELS = {}


def row(terms, *names):
    """Put a function into the table under its own name and those of its variants."""

    def put(function):
        for name in names or ("",):
            key = function.__name__.replace("__", ".", 1) + (f" {name}" if name else "")
            KERNELS[key] = terms, (lambda g, name=name: function(g, name)) if names else function
        return function

    return put


@row(M + 2, *CODES)
def products__up(g, unit):
    out = g.zeros(B, N)
    products.up(g.normal(B, M), weights(g), g.normal(N), CODES[unit], out)
    return [out]


@row(M + 2, *CODES)
def products__up_negative(g, unit):
    out = g.zeros(B, N)
    products.up_negative(g.normal(B, M), weights(g), g.normal(N), CODES[unit], out)
    return [out]


@row(M + 1)
def products__up_add(g):
    out = g.normal(B, N)
    products.up_add(g.normal(B, M), weights(g), out)
    return [out]


@row(M + 3, "linear", "logistic", "relu")
def products__up_sample(g, unit):
    mean, states = g.zeros(B, N), g.zeros(N, B)
    products.up_sample(g.normal(B, M), weights(g), g.normal(N), CODES[unit], KEY, 1, mean, states)
    return [mean, states]  # no mean of this seed lies between the two roundings of a draw


@row(N + 2, *CODES)
def products__down(g, unit):
    out = g.zeros(M, B)
    products.down(weights(g), g.normal(N, B), g.normal(M), CODES[unit], out)
    return [out]


@row(N + 3, *CODES)
def products__down_chain(g, unit):
    out, out_t, a = g.zeros(B, M), g.zeros(M, B), g.positive(B, M)
    products.down_chain(weights(g), g.normal(N, B), g.positive(B, M), CODES[unit], a, out, out_t)
    return [out, out_t]


@row(B)
def products__outer(g):
    out = g.zeros(M, N)
    products.outer(g.normal(B, M), g.normal(B, N), out)
    return [out]


@row(2 * B)
def products__contrast(g):
    out = g.zeros(M, N)
    products.contrast(g.normal(B, M), g.normal(B, N), g.normal(M, B), g.normal(B, N), 1 / B, out)
    return [out]


@row(B + 3)
def products__outer_step(g):
    x, d, W, velocity = g.normal(B, M), g.normal(B, N, size=1 / B), weights(g), weights(g)
    products.outer_step(x, d, RULE, W, velocity)
    return [W, velocity]


@row(2 * B + 3)
def products__contrast_step(g):
    given, W, velocity = (g.normal(B, M), g.normal(B, N), g.normal(M, B), g.normal(B, N)), weights(g), weights(g)
    products.contrast_step(*given, 1 / B, RULE, W, velocity)
    return [W, velocity]


@row(1, *CODES)
def units__activate(g, unit):
    z = g.normal(B, N)
    units.activate(CODES[unit], z)
    return [z]


@row(2, *CODES)
def units__chain(g, unit):
    given, d = g.positive(B, N), g.normal(B, N)
    units.chain(CODES[unit], given, d)
    return [d]


@row(N)
def units__softmax(g):
    out = g.zeros(B, N)
    units.softmax(g.normal(B, N, size=3), out)
    return [out]


@row(N)
def units__softmax_chain(g):
    a, d = g.shares(B, N), g.normal(B, N)
    units.softmax_chain(a, d)
    return [d]


@row(1, "linear", "logistic", "relu")
def units__sample(g, unit):
    z, states = g.normal(B, N), g.zeros(N, B)
    units.sample(CODES[unit], z, KEY, 1, states)
    return [z, states]


@row(1)
def units__sample_softmax(g):
    states = g.zeros(N, B)
    units.sample_softmax(g.shares(B, N), KEY, 1, states)
    return [states]


@row(N + 2, "logistic", "linear", "relu", "softmax")
def units__log_partition(g, unit):
    out = g.zeros(B)
    units.log_partition(UNITS[unit].partition, g.normal(B, N), out)
    return [out]


@row(N + 4)
def losses__softmax_entropy(g):
    out = g.zeros(B)
    losses.softmax_entropy(g.normal(B, N), g.shares(B, N), out)
    return [out]


@row(N + 4)
def losses__logistic_entropy(g):
    out = g.zeros(B)
    losses.logistic_entropy(g.normal(B, N), g.shares(B, N), out)
    return [out]


@row(N + 2)
def losses__squared_error(g):
    out = g.zeros(B)
    losses.squared_error(g.normal(B, N), g.normal(B, N), out)
    return [out]


@row(1)
def losses__scaled(g):
    d, d_t = g.zeros(B, N), g.zeros(N, B)
    losses.scaled(g.normal(B, N), 1 / B, d, d_t)
    return [d, d_t]


@row(1)
def losses__transpose(g):
    out = g.zeros(N, B)
    losses.transpose(g.normal(B, N), out)
    return [out]


@row(B)
def losses__column_sums(g):
    out = g.zeros(N)
    losses.column_sums(g.normal(B, N), out)
    return [out]


@row(B + 3)
def losses__sums_step(g):
    b, velocity = g.normal(N), g.normal(N)
    losses.sums_step(g.normal(B, N), RULE, b, velocity)
    return [b, velocity]


@row(M)
def losses__dots(g):
    out = g.zeros(B)
    losses.dots(g.normal(B, M), g.normal(M), out)
    return [out]


@row(2 * B)
def losses__contrast_sums(g):
    once, squared = g.zeros(M), g.zeros(M)
    losses.contrast_sums(g.normal(B, M), g.normal(B, M), once, squared)
    return [once, squared]


@row(1)
def losses__logarithm(g):
    x = g.positive(B)
    losses.logarithm(x)
    return [x]


@row(1)
def losses__total(g):
    return [np.array([losses.total(g.normal(B * N))])]


OUTPUTS = {
    "softmax": outputs.SOFTMAX_ENTROPY,
    "logistic": outputs.LOGISTIC_ENTROPY,
    "squared": outputs.SQUARED_ERROR,
    "squared hinge": outputs.SQUARED_HINGE,
    "hinge": outputs.HINGE,
}


@row(N + 4, *OUTPUTS)
def outputs__finish(g, kind):
    made = g.zeros(B, N), g.zeros(B, N), g.zeros(N, B), g.zeros(B), g.zeros(B)
    outputs.finish(OUTPUTS[kind], g.normal(B, N), g.shares(B, N), 1 / B, *made)
    return made


@row(3)
def outputs__squared_hinge_chain(g):
    rz = g.normal(B, N)
    outputs.squared_hinge_chain(g.normal(B, N), g.shares(B, N), rz)
    return [rz]


@row(1)
def outputs__hinge_chain(g):
    rz = g.normal(B, N)
    outputs.hinge_chain(g.normal(B, N), g.shares(B, N), rz)
    return [rz]


MIMICS = {"soft targets": (mimicry.SOFT_TARGETS, 4.0, 0.1), "logits": (mimicry.LOGITS, 1.0, 0.0)}


def teacher(g):
    return np.column_stack([g.normal(B, N), g.chosen(N + 1, B) - 1])


@row(2 * N + 8, *MIMICS)
def mimicry__finish(g, kind):
    made = g.zeros(B, N), g.zeros(B, N), g.zeros(N, B), g.zeros(B), g.zeros(B)
    mimicry.finish(*MIMICS[kind], g.normal(B, N), teacher(g), 1 / B, *made)
    return made


@row(2 * N + 2, *MIMICS)
def mimicry__curvature(g, kind):
    rz = g.normal(B, N)
    mimicry.curvature(*MIMICS[kind], g.normal(B, N), teacher(g), rz)
    return [rz]


@row(M)
def norms__limit_columns(g):
    W = weights(g)
    norms.limit_columns(W, 0.7)
    return [W]


@row(1)
def norms__sum_magnitudes(g):
    return [np.array([norms.sum_magnitudes(g.normal(B * N))])]


@row(1)
def maxout__largest(g):
    a, which = g.zeros(B, N), g.zeros(B, N)
    maxout.largest(g.normal(B, 3 * N), a, which)
    return [a, which]


@row(1)
def maxout__scatter(g):
    out = g.zeros(B, 3 * N)
    maxout.scatter(g.chosen(3, B, N), g.normal(B, N), out)
    return [out]


@row(1)
def maxout__gather(g):
    out = g.zeros(B, N)
    maxout.gather(g.chosen(3, B, N), g.normal(B, 3 * N), out)
    return [out]


@row(B)
def batchnorm__moments(g):
    mean, scale = g.zeros(1, N), g.zeros(1, N)
    batchnorm.moments(g.normal(B, N), mean, scale)
    return [mean, scale]


@row(4)
def batchnorm__normalize(g):
    n, y = g.normal(B, N), g.zeros(B, N)
    batchnorm.normalize(g.normal(1, N), g.positive(1, N), g.normal(N), g.normal(N), n, y)
    return [n, y]


@row(B + 4)
def batchnorm__project(g):
    sums, dots, out = g.zeros(1, N), g.zeros(1, N), g.zeros(B, N)
    batchnorm.project(g.normal(B, N), g.normal(B, N), 1 / B, g.positive(1, N), sums, dots, out)
    return [sums, dots, out]


@row(1)
def dropout__drop(g):
    mask, a = g.zeros(B, M), g.zeros(B, M)
    dropout.drop(KEY, g.normal(B, M), 0.3, mask, a)
    return [mask, a]


@row(2)
def minibatch__gather(g):
    out = g.zeros(B, M)
    minibatch.gather(g.normal(100, M), g.integers(100, B), g.normal(M), g.positive(M), out)
    return [out]


@row(2)
def minibatch__gather_shifted(g):
    out, pixels = g.zeros(B, 48), g.integers(256, 100, 48).astype(np.uint8)
    shifts = g.integers(5, B, 2) - 2
    minibatch.gather_shifted(pixels, g.integers(100, B), shifts, (6, 4, 2), g.normal(48), g.positive(48), out)
    return [out]


@row(1)
def dropout__both(g):
    out = g.zeros(B, M)
    dropout.both(g.positive(B, M), g.positive(B, M), out)
    return [out]


@row(M, *minibatch.CONTRASTS)
def minibatch__contrast(g, name):
    x = g.normal(B, M)
    minibatch.contrast(name, x)
    return [x]


SIZE = updates.CHUNK + 5
RULES = {  # arrays that change, of which so many are positive, settings
    "sgd": (1, 0, (0.1,)),
    "momentum": (2, 0, (0.1, 0.9)),
    "add": (1, 0, (0.9,)),
    "approach": (1, 0, (0.2,)),
    "momentum ahead": (2, 0, (0.1, 0.9, True)),
    "adam": (3, 1, (0.01, 0.875, 0.9375, 1e-8)),
    "scaled_step": (2, 1, (0.01, 0.875, 0.125, 1e-8)),
    "rprop": (3, 1, (1.2, 0.5, 0.0125, 1e-6, 50.0)),
}


def update(name):
    changed, positive, settings = RULES[name]

    def made(g):
        arrays = [g.normal(SIZE) for _ in range(changed - positive)] + [g.positive(SIZE) for _ in range(positive)]
        getattr(updates, name.split()[0])(*arrays, g.normal(SIZE), *settings)
        return arrays

    return made


for _name in RULES:
    KERNELS[f"updates.{_name}"] = 4, update(_name)


@row(3)
def updates__decay(g):
    d = g.normal(SIZE)
    updates.decay(g.normal(SIZE), 0.3, 0.2, d)
    return [d]


@row(1)
def updates__dot(g):
    return [np.array([updates.dot(g.normal(SIZE), g.normal(SIZE))])]


@row(1)
def updates__sum_squares(g):
    return [np.array([updates.sum_squares(g.normal(SIZE))])]


@row(2 * M)
def inverse__invert(g):
    x = g.normal(6 * M, 2 * M).astype(float)
    a, out = g.zeros(2 * M, 2 * M), g.zeros(2 * M, 2 * M)
    a[...] = (x.T @ x / len(x) + np.eye(2 * M)).astype(np.float32)
    inverse.invert(a, out)
    return [out]


def test_every_kernel_is_tried():
    """All that sends float32 one way and float64 another, page by page."""
    known = set()
    for page in pkgutil.iter_modules(kernels.__path__):
        module = importlib.import_module(f"deepnet.kernels.{page.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and page.name != "jit" and "compiled(" in inspect.getsource(function):
                known.add(f"{page.name}.{name}")
    assert {name.partition(" ")[0] for name in KERNELS} >= known
    assert len(known) > 30


def error_of(name, seed):
    """The largest error of a kernel's float32 form, in units of n 2^-24."""
    terms, call = KERNELS[name]
    worst = 0.0
    for found, exact in zip(call(Given(seed, np.float32)), call(Given(seed, np.float64)), strict=True):
        assert found.dtype in (np.float32, np.float64)
        assert np.isfinite(exact).all()
        assert np.abs(exact).max() > 0 or name == "outputs.hinge_chain"
        gap = np.abs(found.astype(float) - exact) / np.maximum(1, np.abs(exact))
        worst = max(worst, gap.max() / (terms * 2.0**-24))
    return worst


@pytest.mark.promise("float32")
@pytest.mark.parametrize("name", KERNELS)
def test_float32_is_within_rounding_of_float64(name, size, promise):
    worst = max(error_of(name, seed) for seed in range(size(2, 50)))
    promise(f"{worst:.2g} n 2^-24 in {name}", worst)
    assert worst <= 8


def test_one_lost_term_is_seen(monkeypatch):
    """A sum that leaves out one of its terms, or adds in half the precision, is far outside."""
    plain = losses.column_sums
    monkeypatch.setattr(losses, "column_sums", lambda d, out: plain(d[1:] if d.dtype == np.float32 else d, out))
    assert error_of("losses.column_sums", 0) > 1e4
    monkeypatch.setattr(losses, "column_sums", lambda d, out: plain(d.astype(np.float16).astype(d.dtype), out))
    assert error_of("losses.column_sums", 0) == 0  # both rounded: no fault
    monkeypatch.setattr(
        losses, "column_sums",
        lambda d, out: plain(d.astype(np.float16).astype(d.dtype) if d.dtype == np.float32 else d, out))  # fmt: skip
    assert error_of("losses.column_sums", 0) > 8

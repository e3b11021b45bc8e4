"""OPTIMIZERS, all by one list: they find known minima, resume bit for bit, leave frozen pieces alone, hold a norm."""

import dataclasses
import math
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from deepnet.errors import UsageError
from deepnet.kernels import jit
from deepnet.nn.initializers import draw
from deepnet.nn.layers import Dense
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties
from deepnet.optimizers import OPTIMIZERS, check
from deepnet.optimizers.schedules import Schedule, constant
from deepnet.optimizers.tools import clipped, count
from tests.optimizers.problems import SETTINGS, Known, Quadratic, Rosenbrock

EVERY = pytest.mark.parametrize("name", OPTIMIZERS)
DIGITS = Path(__file__).parents[2] / "datasets" / "mnist.h5"


def fields(name):
    """Names of an optimizer's settings."""
    return [field.name for field in dataclasses.fields(OPTIMIZERS[name])]


def made(name, problem=0, **more):
    settings = SETTINGS[name][problem]
    return OPTIMIZERS[name](**((settings[0] if problem == 1 else settings) | more))


def test_every_optimizer_has_settings_here():
    assert list(SETTINGS) == list(OPTIMIZERS)


@EVERY
def test_is_a_frozen_record(name):
    optimizer = OPTIMIZERS[name]()
    assert dataclasses.is_dataclass(optimizer)
    with pytest.raises(dataclasses.FrozenInstanceError):
        optimizer.clip = 3
    assert optimizer == OPTIMIZERS[name]()
    theta = np.ones(5, np.float32)
    state = optimizer.init(theta)
    assert state["updates"].dtype == np.int64
    assert state["updates"][0] == 0
    assert all(a.shape in ((5,), (1,), (10, 5)) and not a.any() for a in state.values())
    assert all(a.dtype == np.float32 for a in state.values() if a.shape != (1,))


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quadratic(name, dtype):
    problem, optimizer = Quadratic(dtype=dtype), made(name)
    theta = np.zeros(100, dtype)
    state, first = optimizer.init(theta), problem.value(theta)
    for _ in range(400):
        optimizer.step(problem, theta, state)
    assert problem.value(theta) < 1e-7 * first
    assert theta.dtype == dtype
    assert state["updates"][0] == 400
    assert all(a.dtype == dtype for a in state.values() if a.shape != (1,))


class Frugal(Known):
    """1/2 theta' A theta, A diagonal of bad condition; it has one vector for its gradient and one for its products."""

    name = "a bowl"

    def __init__(self, size):
        self.A = np.geomspace(1e-3, 1, size).astype(np.float32)
        self.spans = [(0, size, 1.0)]
        self.grad, self.product = np.empty_like(self.A), np.empty_like(self.A)

    def gradient(self, theta):
        return np.multiply(self.A, theta, out=self.grad)

    def gradient_squares(self, theta, share=1.0):
        return np.multiply(self.A, self.A, out=self.product)

    def value(self, theta, share=1.0):
        return 0.5 * float(np.einsum("i,i,i->", self.A, theta, theta))

    def curvature(self, theta, share=1.0):
        return lambda v: np.multiply(self.A, v, out=self.product)


@pytest.mark.skipif(not jit.ENABLED, reason="twins of kernels make arrays of their own")
@EVERY
def test_holds_as_many_vectors_as_it_says(name):
    """In its state exactly; in a step at most, and few less."""
    hard = {"iterations": 60, "tolerance": 0.0, "damping": 1e-5, "power": 0.0} if name == "hessian_free" else {}
    size, optimizer = 100_000, made(name, **hard)
    kept, worked = optimizer.vectors
    problem, theta = Frugal(size), np.ones(size, np.float32)
    state = optimizer.init(theta)
    assert sum(a.size for a in state.values() if a.shape[-1] == size) == kept * size
    optimizer.step(problem, theta, state)  # what it compiles takes memory too
    tracemalloc.start()
    try:
        for _ in range(6):
            optimizer.step(problem, theta, state)
        peak = tracemalloc.get_traced_memory()[1] / theta.nbytes
    finally:
        tracemalloc.stop()
    assert worked - 4 <= peak + 0.1
    assert peak <= worked + 0.1


@EVERY
def test_rosenbrock(name):
    problem, optimizer = Rosenbrock(), made(name, 1)
    theta = np.array([-1.2, 1.0])
    state = optimizer.init(theta)
    for _ in range(SETTINGS[name][1][1]):
        optimizer.step(problem, theta, state)
    assert np.abs(theta - 1).max() < 0.02, theta


def net(cases=300):
    """784-30-10 on the first training digits."""
    with h5py.File(DIGITS) as file:
        x = file["x_train"][:cases].reshape(cases, -1).astype(np.float32) / 255
        t = np.eye(10, dtype=np.float32)[file["y_train"][:cases]]
    network = Network((Dense(784, 30, "logistic"), Dense(30, 10, "softmax")), "cross_entropy")

    def feed(rows, inputs, targets, key):
        inputs[...], targets[...] = x[rows], t[rows]

    objective = NetworkObjective(network, feed, cases, 1e-4)
    layers = [{"W": draw("glorot", k, layer.inputs, layer.outputs), "b": 0} for k, layer in enumerate(network.layers)]
    return objective, network.layout.pack({f"{k}.{n}": a for k, part in enumerate(layers) for n, a in part.items()})


@EVERY
def test_digits(name):
    """A small net learns 300 digits by heart; its padding stays zero; the path is a function of the start."""
    objective, theta = net()
    optimizer, rng = made(name, 2), np.random.default_rng(0)
    state = optimizer.init(theta)
    objective.at(np.arange(300), None)
    first = objective.value(theta)
    for _ in range(200 if optimizer.batch == "minibatch" else 40):
        objective.at(rng.permutation(300)[: 100 if optimizer.batch in ("minibatch", "large") else 300], None)
        optimizer.step(objective, theta, state)
    objective.at(np.arange(300), None)
    assert first > 2
    assert objective.value(theta) < 0.5
    padding(objective.layout, theta, *vectors(state, theta))


def vectors(state, theta):
    """All vectors of theta's length that a state holds."""
    return [row for a in state.values() if a.shape[-1:] == theta.shape for row in a.reshape(-1, theta.size)]


def padding(layout, *vectors):
    """Assert that all but the named arrays is zero."""
    for vector in vectors:
        rest = vector.copy()
        for view in layout.views(rest).values():
            view[...] = 0
        assert not rest.any()


@EVERY
def test_padding_of_a_machine_stays_zero(name):
    machine = RBM(19, 33, "logistic", "logistic")
    v = np.random.default_rng(1).random((10, 19)).astype(np.float32)
    penalties = Penalties(1e-3, 1e-3, 0.1, 0.1)
    objective = ContrastiveDivergence(machine, lambda rows, out: out.__setitem__(..., v), 10, 1, penalties)
    theta = machine.layout.pack({"W": draw("gaussian", 1, 19, 33), "b": 0, "c": 0})
    optimizer = made(name, **({"clip": 1.0} if "clip" in fields(name) else {}))
    if optimizer.needs != ("gradient",):
        pytest.skip("machines have a gradient only")
    state = optimizer.init(theta)
    for key in range(5):
        objective.at(np.arange(10), key)
        optimizer.step(objective, theta, state)
    padding(machine.layout, theta, *vectors(state, theta))


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_goes_on_bit_for_bit_from_copies(name, dtype):
    """Theta and state are all there is: copied after any number of steps, they lead to the same bits."""
    changing = {
        "learning_rate": Schedule("cosine", (0.2, 0.01), 5, 4),
        "momentum": Schedule("step", (0.5, 0.9, 1), 5, 4),
        "clip": 2.0,
    }
    optimizer = OPTIMIZERS[name](**{n: value for n, value in changing.items() if n in fields(name)})

    def steps(theta, state, number):
        problem = Quadratic(37, dtype)
        for _ in range(number):
            optimizer.step(problem, theta, state)
        return theta, state

    start = np.full(37, 3, dtype)
    whole, whole_state = steps(start.copy(), optimizer.init(start), 20)
    for cut in (0, 1, 7, 19):
        theta, state = steps(start.copy(), optimizer.init(start), cut)
        other, other_state = steps(theta.copy(), {n: a.copy() for n, a in state.items()}, 20 - cut)
        np.testing.assert_array_equal(other, whole)
        assert all(np.array_equal(other_state[n], a) for n, a in whole_state.items())


@EVERY
def test_frozen_pieces_do_not_move(name):
    """Only what lies in a span moves, and a span's factor scales its rate."""
    optimizer = made(name)
    for spans in ([(16, 48, 1.0), (80, 96, 1.0)], []):
        problem = Quadratic()
        problem.spans = spans
        theta = np.full(100, 5, np.float32)
        state = optimizer.init(theta)
        for _ in range(5):
            optimizer.step(problem, theta, state)
        moved = np.zeros(100, bool)
        for a, b, _ in spans:
            moved[a:b] = True
        np.testing.assert_array_equal(theta != 5, moved)
        for vector in vectors(state, theta):
            assert not vector[~moved].any()
    if "learning_rate" not in fields(name):
        return
    whole, half = Quadratic(), Quadratic()
    half.spans = [(0, 50, 1.0), (50, 100, 0.5)]
    one, other = np.full(100, 5, np.float32), np.full(100, 5, np.float32)
    optimizer.step(whole, one, optimizer.init(one))
    optimizer.step(half, other, optimizer.init(other))
    np.testing.assert_array_equal(one[:50], other[:50])
    np.testing.assert_allclose(5 - other[50:], 0.5 * (5 - one[50:]), rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if "clip" in fields(name)])
def test_clip(name):
    """A gradient longer than `clip` is scaled to it, a shorter one is left as it is."""
    lengths = []

    class Steep(Quadratic):
        def gradient(self, theta):
            g = 1000 * super().gradient(theta)
            lengths.append(g)  # scaled in place
            return g

    theta = np.full(100, 5, np.float32)
    optimizer = made(name, clip=0.5)
    optimizer.step(Steep(), theta, optimizer.init(theta))
    assert np.linalg.norm(lengths[0]) == pytest.approx(0.5, rel=1e-5)
    one, other = np.full(100, 5, np.float32), np.full(100, 5, np.float32)
    for target, clip in ((one, None), (other, 1e6)):
        plain = made(name, clip=clip)
        plain.step(Quadratic(), target, plain.init(target))
    np.testing.assert_array_equal(one, other)


def test_clipped_keeps_the_direction():
    g = np.array([3, -4], np.float32)
    np.testing.assert_allclose(clipped(g.copy(), 1.0), [0.6, -0.8], rtol=1e-6)
    np.testing.assert_array_equal(clipped(g.copy(), 5.0), g)
    np.testing.assert_array_equal(clipped(g.copy(), None), g)
    assert np.isnan(clipped(np.array([np.nan, 1], np.float32), 1.0)[0])
    assert not np.isfinite(clipped(np.array([np.inf, 1], np.float32), 1.0)).all()


def test_count():
    state = {"updates": np.array([41])}
    assert [count(state), count(state)] == [41, 42]


def test_nesterov_looks_ahead():
    """The gradient is taken at theta + mu velocity, and theta is where the paper's equations put it."""
    optimizer = OPTIMIZERS["nesterov"](learning_rate=constant(0.1), momentum=constant(0.5))
    problem, theta = Quadratic(3, np.float64), np.array([1.0, 2.0, 3.0])
    state = optimizer.init(theta)
    velocity = state["velocity"]
    velocity[:] = [0.2, 0.4, -0.6]
    before, v = theta.copy(), velocity.copy()
    optimizer.step(problem, theta, state)
    np.testing.assert_allclose(problem.calls[0], before + 0.5 * v)
    v = 0.5 * v - 0.1 * problem.A * (before + 0.5 * v - problem.goal)
    np.testing.assert_allclose(velocity, v)
    np.testing.assert_allclose(theta, before + v)


def test_adam_is_algorithm_1():
    """Kingma and Ba 2015, written out with both corrections."""
    optimizer, problem = OPTIMIZERS["adam"](learning_rate=constant(0.1), epsilon=1e-3), Quadratic(4, np.float64)
    theta, state = np.full(4, 2.0), None
    state = optimizer.init(theta)
    x, m, s = theta.copy(), np.zeros(4), np.zeros(4)
    for t in range(1, 12):
        g = problem.A * (x - problem.goal)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        x -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-3)
        optimizer.step(problem, theta, state)
        np.testing.assert_allclose(theta, x, rtol=1e-12)


def test_check_refuses_with_a_remedy():
    """An objective without the method an optimizer needs, named before the first epoch."""

    class Needy:
        needs = ("gradient", "curvature")

    machine = RBM(3, 2, "logistic", "logistic")
    objective = ContrastiveDivergence(machine, lambda rows, v: None, 2, 1, Penalties())
    with pytest.raises(UsageError) as refused:
        check("hessian_free", Needy(), objective)
    message = str(refused.value)
    able = [name for name, kind in OPTIMIZERS.items() if kind.needs == ("gradient",)]
    for word in ("--optimizer hessian_free", "curvature", "contrastive divergence", *able):
        assert word in message
    assert "cg" not in message.split("use one of")[1]
    network = NetworkObjective(Network((Dense(3, 2, "linear"),), "squared_error"), lambda rows, x, t, key: None, 2)
    check("hessian_free", Needy(), network)


@EVERY
def test_machines_take_what_needs_no_value(name):
    """Contrastive divergence has a gradient and no value: line searches and Newton steps have no place there."""
    machine = RBM(3, 2, "logistic", "logistic")
    objective = ContrastiveDivergence(machine, lambda rows, v: None, 2, 1, Penalties())
    if name in ("cg", "lbfgs", "hessian_free"):
        with pytest.raises(UsageError, match=f"--optimizer {name} needs the objective's value_and_gradient"):
            check(name, OPTIMIZERS[name](), objective)
    else:
        check(name, OPTIMIZERS[name](), objective)


@EVERY
def test_check_lets_pass_what_fits(name):
    check(name, OPTIMIZERS[name](), Quadratic())

    class Blind:
        name, spans = "a blind one", ()

    with pytest.raises(UsageError, match=f"--optimizer {name} needs the objective's {OPTIMIZERS[name].needs[0]}"):
        check(name, OPTIMIZERS[name](), Blind())


def shared(**settings):
    """(objective, values, state): twelve updates of an autoencoder of digits by half of a minibatch's curvature."""
    with h5py.File(DIGITS) as file:
        images = file["x_train"][:2000].reshape(2000, -1) / np.float32(255)
    network = Network((Dense(784, 20, "logistic"), Dense(20, 784, "logistic")), "binary_cross_entropy")

    def feed(rows, x, t, key):
        x[...] = t[...] = images[rows]

    objective = NetworkObjective(network, feed, 2000, everything=2000)
    theta = network.layout.pack(
        {"0.W": draw("sparse", 1, 784, 20), "0.b": 0, "1.W": draw("sparse", 2, 20, 784), "1.b": 0}
    )
    optimizer = OPTIMIZERS["hessian_free"](share=0.5, **settings)
    state, reached = optimizer.init(theta), []
    for _ in range(12):
        objective.at(np.arange(2000), None)
        optimizer.step(objective, theta, state)
        reached.append(objective.value(theta))
    return objective, reached, state


def test_hessian_free_from_shares():
    """With a share of a minibatch for curvature it learns what it learns from all cases, and asks for no others."""
    objective, reached, _ = shared(damping=10.0, iterations=10)
    assert objective._all is None
    assert objective.tally["curvature_products"][0] <= 12 * 11 * 1000
    assert reached[-1] < 0.5 * reached[0]
    with pytest.raises(UsageError, match=r"share=1\.5"):
        OPTIMIZERS["hessian_free"](share=1.5)


def test_the_least_damping_holds():
    """Lambda falls to it where it would fall further."""
    free, held = (shared(damping=1.0, damping_factor=0.1, least_damping=least, iterations=10)[2] for least in (0, 0.05))
    assert free["damped"] < math.log(0.05) == pytest.approx(float(held["damped"][0]))
    with pytest.raises(UsageError, match=r"least_damping=2: at most the first damping, which is 1"):
        OPTIMIZERS["hessian_free"](least_damping=2.0)


def test_kronecker_factors_save_iterations():
    """Three iterations an update with them bring more than ten with the diagonal alone."""
    _, reached, _ = shared(damping=0.5, iterations=3, kronecker=True)
    _, diagonal, _ = shared(damping=10.0, iterations=10)
    assert reached[-1] < diagonal[-1]
    with pytest.raises(UsageError, match="damping=0: the Kronecker factors"):
        OPTIMIZERS["hessian_free"](damping=0.0, kronecker=True)
    with pytest.raises(UsageError, match=r"factor_decay=1\.5"):
        OPTIMIZERS["hessian_free"](factor_decay=1.5)

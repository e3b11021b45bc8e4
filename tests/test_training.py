"""fit(): the same bits however often it was cut, every case once an epoch, divergence noticed, early stopping."""

from dataclasses import replace

import numpy as np
import pytest

from deepnet.errors import DivergedError
from deepnet.kernels.jit import ENABLED
from deepnet.nn.layers import Dense, Dropout
from deepnet.nn.network import Network
from deepnet.nn.objective import NetworkObjective
from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties
from deepnet.optimizers import OPTIMIZERS
from deepnet.optimizers.schedules import constant, parse
from deepnet.training import EXPLODED, HALVINGS, Best, Course, Good, Halved, Meter, begin, fit

CASES, BATCH, EPOCHS = 23, 7, 3
X = np.random.default_rng(1).random((CASES, 12)).astype(np.float32)
T = np.eye(3, dtype=np.float32)[np.arange(CASES) % 3]
COURSE = Course("layer 1", CASES, BATCH, EPOCHS, 42)


def machine():
    rbm = RBM(12, 9, "logistic", "logistic")
    feed = lambda rows, v: v.__setitem__(..., X[rows])  # noqa: E731
    return ContrastiveDivergence(rbm, feed, BATCH, 2, Penalties(1e-3, 0.0, 0.1, 0.1))


def network():
    layers = (Dropout(12, 0.2), Dense(12, 9, "tanh"), Dropout(9, 0.5), Dense(9, 3, "softmax"))

    def feed(rows, x, t, key):
        x[...], t[...] = X[rows], T[rows]

    return NetworkObjective(Network(layers, "cross_entropy"), feed, BATCH, 1e-3)


MODELS = {"machine": machine, "network": network}


def begun(make, optimizer):
    """Theta and the whole state of a new run."""
    objective = make()
    theta = objective.layout.pack(
        {s.name: np.sin(np.arange(np.prod(s.shape))).reshape(s.shape) / 4 for s in objective.layout.segments}
    )
    tally = {f"tally/{name}": array for name, array in objective.tally.items()}
    return theta, optimizer.init(theta) | getattr(objective, "state", {}) | begin() | tally


def go(make, optimizer, theta, state, minibatches=None, good=None, spoil=None):
    """Run in a new objective, as after a restart, for so many minibatches; the records that were yielded."""
    objective = make()
    if spoil is not None:
        spoil(objective)
    if hasattr(objective, "state"):
        objective.state = {name: state[name] for name in objective.state}
    objective.tally = {name: state[f"tally/{name}"] for name in objective.tally}
    left = iter(range(10**9 if minibatches is None else minibatches))

    def stop():
        return None if next(left, None) is not None else "cut"

    return list(fit(objective, optimizer, theta, state, good or Good(), COURSE, stop, Meter()))


FITTING = [(m, n) for m in MODELS for n, kind in OPTIMIZERS.items() if all(hasattr(MODELS[m](), x) for x in kind.needs)]


@pytest.mark.parametrize(("model", "name"), FITTING)
def test_cut_anywhere_and_gone_on(model, name):
    """Stopped at every minibatch in turn, also twice, against never."""
    optimizer = OPTIMIZERS[name]()
    whole, whole_state = begun(MODELS[model], optimizer)
    records = go(MODELS[model], optimizer, whole, whole_state)
    assert [(r.epoch, r.stopped) for r in records] == [(1, None), (2, None), (3, None)]
    assert whole_state["position"].tolist() == [EPOCHS, 0]
    assert whole_state["updates"][0] == EPOCHS * COURSE.minibatches
    start, _ = begun(MODELS[model], optimizer)
    assert np.abs(whole - start).max() > 1e-3
    for cut in range(EPOCHS * COURSE.minibatches):
        theta, state = begun(MODELS[model], optimizer)
        for minibatches in (cut // 2, cut - cut // 2):
            last = go(MODELS[model], optimizer, theta, state, minibatches)[-1]
            assert last.stopped == "cut"
            theta, state = theta.copy(), {n: a.copy() for n, a in state.items()}
        assert state["position"].tolist() in (
            [cut // COURSE.minibatches, cut % COURSE.minibatches],
            [cut // COURSE.minibatches - 1, COURSE.minibatches],
        )
        go(MODELS[model], optimizer, theta, state)
        np.testing.assert_array_equal(theta, whole)
        assert all(np.array_equal(state[n], a) for n, a in whole_state.items()), cut


@pytest.mark.parametrize("kept", [0.8, 1.0])
def test_the_running_mean(kept):
    """Plain until it is as long as it is to be, then with the share kept; theta goes its own way; what a cut leaves."""
    optimizer, course = OPTIMIZERS["nesterov"](), replace(COURSE, average=kept)

    def run(stops):
        theta, state = begun(network, optimizer)
        state["average"] = theta.copy()
        seen, good = [], Good()
        for length in [*stops, 10**9]:
            objective, left = network(), iter(range(length))
            objective.tally = {name: state[f"tally/{name}"] for name in objective.tally}

            def stop(left=left, theta=theta):
                seen.append(theta.copy())
                return None if next(left, None) is not None else "cut"

            list(fit(objective, optimizer, theta, state, good, course, stop, Meter()))
            seen.append(theta.copy())
        return theta, state["average"], seen

    theta, mean, seen = run([])
    plain, state = begun(network, optimizer)
    go(network, optimizer, plain, state)
    np.testing.assert_array_equal(theta, plain)
    expected = np.zeros(theta.size)
    for t, passed in enumerate(seen[1:], 1):
        expected += max(1 - kept, 1 / t) * (passed - expected)
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    assert np.abs(mean - theta).max() > 1e-3
    for cut in (1, 4, 6):
        np.testing.assert_array_equal(run([cut])[1], mean)


def test_project_follows_every_step():
    """Also where weights went too far at once; an optimizer knows nothing of it."""
    objective = network()
    held = NetworkObjective(objective.network, objective._feed, BATCH, max_norm=(0.5, 0.3))
    for name, kind in OPTIMIZERS.items():
        if kind.needs != ("gradient",):
            continue
        theta, state = begun(lambda: held, kind())
        list(fit(held, kind(), theta, state, Good(), COURSE, lambda: None, Meter()))
        for part, most in zip((p for p in held.network.split(theta) if p), (0.5, 0.3), strict=True):
            lengths = np.sqrt((part["W"] ** 2).sum(axis=0))
            assert lengths.max() <= most * (1 + 1e-6), name


class Watcher:
    """An objective that notes which rows and keys it was moved to."""

    name, spans = "a watcher", ()

    def __init__(self, losses=None):
        self.rows, self.keys, self.losses = [], [], losses
        self.tally = {"loss": np.zeros(1), "cases": np.zeros(1)}

    def at(self, rows, key):
        self.rows.append(rows.copy())
        self.keys.append(key)

    def gradient(self, theta):
        self.tally["cases"][0] += 1
        if self.losses is not None:
            self.tally["loss"][0] += self.losses[len(self.rows) - 1]
        return np.zeros_like(theta)


def watch(course=COURSE, watcher=None, meter=None, stop=lambda: None, name="sgd"):
    watcher, optimizer, theta = watcher or Watcher(), OPTIMIZERS[name](), np.zeros(4, np.float32)
    state = optimizer.init(theta) | begin()
    records = list(fit(watcher, optimizer, theta, state, Good(), course, stop, meter or Meter()))
    return watcher, records


def test_every_case_once_an_epoch():
    watcher, _ = watch()
    sizes = [len(rows) for rows in watcher.rows]
    assert sizes == [7, 7, 7, 2] * EPOCHS
    epochs = [np.concatenate(watcher.rows[4 * e : 4 * e + 4]) for e in range(EPOCHS)]
    for order in epochs:
        np.testing.assert_array_equal(np.sort(order), np.arange(CASES))
    assert len({tuple(order) for order in epochs}) == EPOCHS
    assert len(set(watcher.keys)) == len(watcher.keys) == 4 * EPOCHS


def test_the_key_decides_order_and_noise():
    same, other = watch()[0], watch(Course("layer 1", CASES, BATCH, EPOCHS, 43))[0]
    again = watch()[0]
    assert again.keys == same.keys
    assert not set(other.keys) & set(same.keys)
    assert not np.array_equal(np.concatenate(other.rows), np.concatenate(same.rows))


@pytest.mark.parametrize(("cases", "size", "sizes"), [(6, 3, [3, 3]), (5, 9, [5]), (1, 1, [1]), (7, 3, [3, 3, 1])])
def test_minibatches(cases, size, sizes):
    course = Course("x", cases, size, 1, 1)
    assert course.minibatches == len(sizes)
    assert [len(rows) for rows in watch(course)[0].rows] == sizes


def test_noise_follows_its_schedule():
    """At every minibatch, before it, the share for the updates made so far."""
    watcher, seen = Watcher(), []
    watcher.set_noise = lambda share: seen.append((len(watcher.rows), share))
    watch(replace(COURSE, noise=parse("--noise-schedule", "linear:1:0", 4, EPOCHS)), watcher)
    total = 4 * EPOCHS
    assert seen == [(t, pytest.approx(1 - t / total)) for t in range(total)]


def test_no_epochs_do_nothing():
    watcher, records = watch(Course("x", 5, 2, 0, 1))
    assert records == watcher.rows == []


def test_meter():
    """Counters for a display: the stage, the cases done of this epoch, at last all."""
    seen, meter = [], Meter()

    def stop():
        seen.append((meter.label, meter.done, meter.total))

    watch(meter=meter, stop=stop)
    assert [done for _, done, _ in seen[1:4]] == [7, 14, 21]
    assert {(label, total) for label, _, total in seen} == {("layer 1", CASES)}
    assert meter.done == CASES


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e9])
@pytest.mark.parametrize("at", [1, 5, 11])
def test_divergence_in_its_minibatch(bad, at):
    """Noticed where it happens; the epoch is begun anew with half the rate, three times, and then it ends."""
    epoch, minibatch = at // 4, at % 4
    losses = [1.0] * (4 * epoch) + ([1.0] * minibatch + [bad]) * (HALVINGS + 1)
    watcher, told = Watcher(losses), []
    optimizer, theta = OPTIMIZERS["sgd"](), np.zeros(4, np.float32)
    run = fit(watcher, optimizer, theta, optimizer.init(theta) | begin(), Good(), COURSE, lambda: None, Meter())

    def follow():
        for record in run:
            told.append(record)
            watcher.tally["loss"][:] = watcher.tally["cases"][:] = 0  # as a caller does who takes an epoch's figures

    with pytest.raises(DivergedError) as raised:
        follow()
    assert [r.factor for r in told if isinstance(r, Halved)] == [0.5, 0.25, 0.125]
    assert len(watcher.rows) == len(losses)
    message = str(raised.value)
    assert f"epoch {epoch + 1}, minibatch {minibatch + 1}" in message
    assert "layer 1" in message


def test_a_loss_that_only_rises_is_no_divergence():
    watch(watcher=Watcher([1.0] + [EXPLODED * 0.9] * 11))


def test_no_rate_to_halve():
    class Told(Watcher):
        def value_and_gradient(self, theta):
            return np.nan, self.gradient(theta)

    with pytest.raises(DivergedError, match="the loss is not finite"):
        watch(watcher=Told([np.nan]), name="cg")


class Spoilt:
    """Makes one minibatch of an objective come out as not a number, the first time that it is seen."""

    def __init__(self, at):
        self.left = at

    def __call__(self, objective):
        plain = objective.at

        def at(rows, key):
            plain(rows, key)
            self.left -= 1
            if self.left == -1:
                objective.tally["loss"][0] = np.nan

        objective.at = at


@pytest.mark.parametrize("name", ["momentum", "adam"])
@pytest.mark.parametrize("model", MODELS)
def test_going_back_is_exact(model, name):
    """An epoch that diverged once ends as one that began with half the rate, also when it was cut on the way."""
    optimizer = OPTIMIZERS[name]()

    def run(cuts, spoilt):
        theta, state = begun(MODELS[model], optimizer)
        good, halvings = Good(), 0
        for minibatches in [*cuts, None]:
            records = go(MODELS[model], optimizer, theta, state, minibatches, good, spoilt)
            halvings += sum(isinstance(r, Halved) for r in records)
            saved = {n: a.copy() for n, a in (state | good.packed(state)).items()}
            theta, good, state = theta.copy(), Good.taken_from(saved), saved
            assert good.fits(theta, state)
        return theta, state, halvings

    whole, whole_state, halvings = run([], Spoilt(6))
    assert halvings == 1
    assert whole_state["halvings"][0] == 1
    plain = run([], None)[0]
    assert np.abs(whole - plain).max() > 1e-5
    for cut in range(1, 7):
        theta, state, halvings = run([cut], Spoilt(6))
        assert halvings == 1
        np.testing.assert_array_equal(theta, whole)
        assert all(np.array_equal(state[n], a) for n, a in whole_state.items()), cut


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.skipif(not ENABLED, reason="the twins of the update rules let NumPy warn of an overflow")
def test_models_that_diverge(model):
    """A rate far too high, or parameters that are not numbers: noticed within the minibatch where they are used."""
    for rate in (1e10, 1e20, 1e30, 1e38):
        optimizer = OPTIMIZERS["momentum"](learning_rate=constant(rate))
        theta, state = begun(MODELS[model], optimizer)
        with pytest.raises(DivergedError):
            go(MODELS[model], optimizer, theta, state)
    optimizer = OPTIMIZERS["sgd"]()
    theta, state = begun(MODELS[model], optimizer)
    theta[3] = np.nan
    with pytest.raises(DivergedError, match="epoch 1, minibatch 1:"):
        go(MODELS[model], optimizer, theta, state)


def test_best():
    """The lowest score, compared first number first; equal ones do not replace it; NaN never does."""
    best = Best.of(np.zeros(3))
    scores = [(0.5, 2.0), (0.4, 3.0), (0.4, 2.5), (0.4, 2.5), (np.nan, 0.0), (0.6, 0.0), (np.inf, 0.0)]
    epochs = []
    for epoch, score in enumerate(scores, 1):
        best.see(epoch, score, np.full(3, float(epoch)))
        epochs.append(best.epoch)
    assert epochs == [1, 2, 3, 3, 3, 3, 3]
    assert best.state["best_score"].tolist() == [0.4, 2.5]
    assert best.state["best_theta"].tolist() == [3, 3, 3]


def test_best_holds_a_copy_and_goes_on_from_its_arrays():
    theta = np.zeros(3, np.float32)
    best = Best.of(theta)
    best.see(4, (0.5, 1.0), theta)
    theta[:] = 9
    assert not best.state["best_theta"].any()
    again = Best({name: array.copy() for name, array in best.state.items()})
    again.see(5, (0.6, 0.0), theta)
    assert again.epoch == 4
    again.see(6, (0.1, 0.0), theta)
    assert again.epoch == 6
    assert again.state["best_theta"].tolist() == [9, 9, 9]
    assert best.epoch == 4

"""Calls that are made again: the same bits as calls of the functions themselves."""

import gc

import numpy as np
import pytest

from deepnet.kernels import losses, operands, outputs, products
from deepnet.kernels import tape as tape_page
from deepnet.kernels.jit import ENABLED
from deepnet.kernels.tape import AGAIN, Tape, Tapes
from deepnet.kernels.units import LOGISTIC, RELU

pytestmark = pytest.mark.skipif(not ENABLED, reason="nothing is compiled, so there is nothing to call")

B, M, N = 33, 20, 18


class Net:
    """M-N-M with logistic units: arrays of one seed, and a step of momentum by kernels that are launched."""

    def __init__(self, scale=1):
        rng, (b, m, n) = np.random.default_rng(0), (scale * size for size in (B, M, N))

        def draw(*shape):
            return rng.standard_normal(shape).astype(np.float32)

        self.x, self.t = draw(b, m), (draw(b, m) > 0).astype(np.float32)
        self.theta = [draw(m, n), draw(n), draw(n, m), draw(m)]
        self.speeds = [np.zeros_like(a) for a in self.theta]
        self.a, self.d, self.d_t = draw(b, n), draw(b, n), draw(n, b)
        self.z, self.y, self.e, self.e_t = draw(b, m), draw(b, m), draw(b, m), draw(m, b)
        self.values, self.errors, self.rule = draw(b), draw(b), products.descent(0.1, 0.9, 0.01, 0.001)

    def step(self, kind=outputs.LOGISTIC_ENTROPY):
        """One step."""
        (W, b, V, c), (dW, db, dV, dc) = self.theta, self.speeds
        products.up(self.x, W, b, LOGISTIC, self.a)
        products.up(self.a, V, c, 0, self.z)
        outputs.finish(kind, self.z, self.t, 1 / len(self.x), self.y, self.e, self.e_t, self.values, self.errors)
        products.down_chain(V, self.e_t, None, LOGISTIC, self.a, self.d, self.d_t)
        for x, d, w, v, bias, speed in ((self.a, self.e, V, dV, c, dc), (self.x, self.d, W, dW, b, db)):
            products.outer_step(x, d, self.rule, w, v)
            losses.sums_step(d, self.rule, bias, speed)

    def arrays(self):
        """All that a step changes."""
        return [*self.theta, *self.speeds, self.a, self.d, self.d_t, self.z, self.y, self.e, self.values, self.errors]


def check(one, other):
    for a, b in zip(one.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", range(5))
def test_calls_again_are_the_calls_themselves(kind):
    """On what the arrays hold by then, the rule among them."""
    played, plain, tapes = Net(), Net(), Tapes()
    for i in range(4):
        for net in (played, plain):
            net.x[...] = np.roll(net.x, i)
            net.rule[:2] = 0.1 / (i + 1), 0.1 * i
        tapes.play((played.x,), played.step, kind)
        plain.step(kind)
        check(played, plain)
    (tape, _), *others = tapes._known.values()
    assert tape.left == AGAIN - 3
    assert not others


def test_products_that_only_store():
    """Both ways of one and of two products, and sums that are stored."""
    net, tape = Net(), Tape()
    sums, off, square = np.empty(N, np.float32), np.empty(M, np.float32), np.empty(M, np.float32)
    out, both, total = np.empty((M, N), np.float32), np.empty((M, N), np.float32), np.ones((B, N), np.float32)
    with tape:
        products.outer(net.x, net.d, out)
        products.contrast(net.x, net.d, np.ascontiguousarray(net.x.T), net.d, 0.5, both)
        products.up_add(net.x, net.theta[0], total)
        products.up_negative(net.x, net.theta[0], net.theta[1], RELU, net.a)
        losses.column_sums(net.d, sums, 0.5, net.theta[1])
        losses.contrast_sums(net.x, net.t, off, square)
    before, stored = total.copy(), (out, both, net.a, sums, off, square)
    expected = [a.copy() for a in stored]
    for a in stored:
        a[...] = 0
    gc.collect()  # the transposed copy is kept by the tape alone
    tape.repeat()
    for a, b in zip(stored, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    products.up_add(net.x, net.theta[0], before)
    np.testing.assert_array_equal(total, before)


def test_other_arrays_have_a_tape_of_their_own():
    tapes, nets = Tapes(), [Net() for _ in range(30)]
    for _ in range(3):
        for net in nets:
            tapes.play((net.x,), net.step)
    for net in nets[1:]:
        check(nets[0], net)


def test_calls_whose_parts_are_shared_among_threads():
    tapes, large, plain = Tapes(), Net(20), Net(20)
    for _ in range(3):
        tapes.play((large.x,), large.step)
        plain.step()
        check(large, plain)
    ((tape, _),) = tapes._known.values()
    assert max(row[0, 1] for row in tape._calls) > 1


def test_lists_are_made_again_too(monkeypatch):
    """Of what is not zero by then, in rows and in columns; the draws are those of the key by then."""
    monkeypatch.setattr(operands, "FEW", 0)
    net, tape, lister, key = Net(), Tape(), operands.Lister(), np.zeros((), np.uint64)
    out, states_t, (W, b, *_) = np.empty((M, N), np.float32), np.empty((N, B), np.float32), net.theta

    def act(x):
        products.up_sample(x, W, b, LOGISTIC, key, 0, net.a, states_t)
        products.outer(x, net.a, out)

    net.x[:, 3:] = 0
    with tape:
        listed = lister.of(net.x)
        assert isinstance(listed, operands.Listed)
        act(listed)
    net.x[...] = np.roll(net.x, 5, axis=1)
    key[...] = 7 << 32 | 3
    tape.repeat()
    found = [a.copy() for a in (net.a, states_t, out)]
    act(net.x)
    for a, b in zip(found, (net.a, states_t, out), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_tape_is_made_anew_from_time_to_time(monkeypatch):
    """What its calls took for zeros may be none any more."""
    monkeypatch.setattr(tape_page, "AGAIN", 3)
    made, tapes, net = [], Tapes(), Net()
    for _ in range(9):
        tapes.play((net.x,), lambda: made.append(net.step()))
    assert len(made) == 3


def test_nothing_is_kept_of_an_act_that_failed():
    tapes, net, plain = Tapes(), Net(), Net()

    def broken():
        net.step()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tapes.play((net.x,), broken)
    assert Tape.active is None
    tapes.play((net.x,), net.step)
    tapes.play((net.x,), net.step)
    for _ in range(3):
        plain.step()
    check(net, plain)

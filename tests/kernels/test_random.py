"""Philox against Random123's known answers, draws that depend on nothing but key and position, and their laws."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet.kernels import random
from deepnet.kernels.jit import ENABLED, njit
from tests.kernels.arrays import shapes

KEYS = st.integers(0, 2**64 - 1)
# Counter, key, answer: kat_vectors of Random123, philox4x32 with ten rounds.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@njit
def one_block(c0, c1, c2, c3, k0, k1):
    return random.block(c0, c1, c2, c3, k0, k1)


@pytest.mark.promise("R5")
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter, key, answer):
    assert tuple(int(w) for w in random.philox(counter, key[0] | key[1] << 32)) == answer
    if ENABLED:
        words = one_block(*(np.uint32(w) for w in (*counter, *key)))
        assert tuple(int(w) for w in words) == answer


@pytest.mark.promise("R5")
def test_known_answers_by_position():
    """The layout of counters that the page promises, word by word."""
    key, draw = 0x299F31D0A4093822, 5
    drawn = random.bits(key, draw, 3, 200)
    for row, unit in ((0, 0), (2, 15), (1, 16), (0, 63), (2, 64), (1, 199)):
        words = random.philox((16 * (unit // 64) + unit % 16, row, draw, 0), key)
        assert drawn[row, unit] == words[unit % 64 // 16]


@pytest.mark.promise("R5")
@given(KEYS, st.integers(0, 2**32 - 1), st.integers(0, 7), st.integers(1, 300))
def test_compiled_is_the_twin(key, draw, rows, units):
    found = random.bits(key, draw, rows, units)
    assert found.shape == (rows, units)
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, random.bits_twin(key, draw, rows, units))


def test_a_draw_depends_on_its_position_alone():
    """Any smaller array is the corner of a larger one, whatever tile or thread draws it."""
    whole = random.bits(99, 1, 225, 200)
    for rows, _, units in shapes():
        np.testing.assert_array_equal(random.bits(99, 1, rows, units), whole[:rows, :units])


@pytest.mark.promise("R5")
@given(KEYS, st.lists(KEYS, min_size=1, max_size=4))
def test_fold_is_the_twin_and_a_branch(key, words):
    folded = random.fold(key, *words)
    assert 0 <= folded < 2**64
    for word in words:
        new = random.philox((word & 0xFFFFFFFF, word >> 32, 0, 0), key)
        key = int(new[0]) | int(new[1]) << 32
    assert folded == key


@pytest.mark.promise("R5")
def test_keys_of_runs_are_distinct():
    """Seeds, purposes, layers, epochs and minibatches: no two of them share a key, nor in another order."""
    purposes = (random.ORDER, random.SAMPLE, random.INITIALIZE, random.SPLIT, random.NOISE, random.PROBE)
    assert len(set(purposes)) == len(purposes)
    keys = [random.fold(seed, purpose, epoch) for seed in range(20) for purpose in purposes for epoch in range(20)]
    keys += [random.fold(1, 2, 3, b) for b in range(500)] + [random.fold(seed) for seed in range(500, 600)]
    assert len(set(keys)) == len(keys)
    assert random.fold(7, 1, 2) != random.fold(7, 2, 1)
    assert random.fold(7, 1 << 32) != random.fold(7, 1)
    assert random.fold(7) == 7


@pytest.mark.promise("R5")
def test_counters_of_an_epoch_are_distinct(monkeypatch):
    """Every (counter, key) that the training of a machine hands to Philox in an epoch is used once."""
    from deepnet.nn.rbm import RBM, ContrastiveDivergence, Penalties
    from deepnet.optimizers import OPTIMIZERS
    from deepnet.training import Course, Good, Meter, begin, fit

    machine, cases, batch, steps, width = RBM(5, 130, "logistic", "logistic"), 23, 7, 3, 130
    asked, plain = [], ContrastiveDivergence.at

    def at(self, rows, key):
        asked.append((key, len(rows)))
        plain(self, rows, key)

    monkeypatch.setattr(ContrastiveDivergence, "at", at)
    objective = ContrastiveDivergence(machine, lambda rows, v: v.fill(0.5), batch, steps, Penalties(), dtype=np.float32)
    theta = machine.layout.zeros()
    optimizer = OPTIMIZERS["sgd"]()
    course = Course("test", cases, batch, 2, 11)
    state = optimizer.init(theta) | begin()
    list(fit(objective, optimizer, theta, state, Good(), course, lambda: None, Meter()))
    assert [rows for _, rows in asked] == [7, 7, 7, 2] * 2
    counters = {
        (16 * (unit // 64) + unit % 16, row, draw, unit % 64 // 16, key)
        for key, rows in asked
        for draw in range(steps)
        for row in range(rows)
        for unit in range(width)
    }
    assert len(counters) == 2 * cases * steps * width


@pytest.mark.promise("properties")
@given(KEYS, st.integers(0, 3000))
def test_permutation(key, count):
    order = random.permutation(key, count)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(count))
    np.testing.assert_array_equal(order, random.permutation(key, count))
    draws = random.bits_twin(key, 0, 1, count)[0]
    assert [(int(draws[i]), int(i)) for i in order] == sorted((int(d), i) for i, d in enumerate(draws))


def test_permutations_are_fair():
    """All 24 orders of four rows come equally often, and two keys agree on about one row in a thousand."""
    seen = {}
    for key in range(4800):
        order = tuple(random.permutation(random.fold(key, 1), 4))
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert sum((n - 200) ** 2 / 200 for n in seen.values()) < 80  # chi-square of 23 degrees: p = 3e-8
    assert np.count_nonzero(random.permutation(1, 1000) == random.permutation(2, 1000)) < 12


def test_uniform():
    values = random.uniform(3, 0, 1000, 640)
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() < 1
    np.testing.assert_array_equal(values * 2**24, np.floor(values * np.float32(2**24)))
    wide = values.astype(float)
    count = wide.size
    assert abs(wide.mean() - 0.5) < 5 * np.sqrt(1 / 12 / count)
    assert abs(wide.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / count)
    table = np.histogram(wide, 256, (0, 1))[0]
    assert ((table - count / 256) ** 2 / (count / 256)).sum() < 255 + 5.5 * np.sqrt(510)


def test_neighbours_are_independent():
    """No correlation along units, rows, draws and keys."""
    values = random.uniform(3, 0, 1000, 640).astype(float) - 0.5
    others = [
        (values[:, 1:], values[:, :-1]),
        (values[:, 16:], values[:, :-16]),
        (values[:, 64:], values[:, :-64]),
        (values[1:], values[:-1]),
        (values, random.uniform(3, 1, 1000, 640) - 0.5),
        (values, random.uniform(4, 0, 1000, 640) - 0.5),
        (values, random.uniform(3 | 1 << 32, 0, 1000, 640) - 0.5),
    ]
    for one, other in others:
        assert abs((one * other).mean() * 12) < 5 / np.sqrt(one.size)


def test_normal():
    values = random.normal(3, 0, 100, 650)
    assert values.dtype == np.float32
    wide = values.astype(float)
    assert abs(wide.mean()) < 5 / np.sqrt(wide.size)
    assert abs(wide.var() - 1) < 5 * np.sqrt(2 / wide.size)
    assert abs((wide**3).mean()) < 5 * np.sqrt(15 / wide.size)
    assert abs((wide**4).mean() - 3) < 5 * np.sqrt(96 / wide.size)
    np.testing.assert_allclose(wide, random.normal_twin(random.bits(3, 0, 100, 650)), atol=2e-6, rtol=3e-6)
    law = NormalDist()
    edges = [law.inv_cdf(k / 64) for k in range(1, 64)]
    table = np.bincount(np.searchsorted(edges, wide.ravel()), minlength=64)
    assert ((table - wide.size / 64) ** 2 / (wide.size / 64)).sum() < 63 + 5.5 * np.sqrt(126)
    assert all(a < b for a, b in pairwise(edges))


def test_shifts_are_whole_numbers_all_alike():
    for most in (1, 2, 27):
        found = random.shifts(7, 50_000, most)
        values, counts = np.unique(found, return_counts=True)
        np.testing.assert_array_equal(values, np.arange(-most, most + 1))
        wanted = found.size / (2 * most + 1)
        assert (np.abs(counts - wanted) < 5 * np.sqrt(wanted)).all()
        assert abs(np.corrcoef(found.T)[0, 1]) < 0.03
    np.testing.assert_array_equal(random.shifts(7, 10, 2), random.shifts(7, 50, 2)[:10])  # a row has its own
    assert not np.array_equal(random.shifts(7, 50, 2), random.shifts(8, 50, 2))

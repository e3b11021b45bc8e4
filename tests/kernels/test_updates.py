"""Update rules against their twins, element by element; nothing else is written."""

import numpy as np
import pytest

from deepnet.kernels import updates
from tests.kernels.arrays import close, draw

SIZES = (0, 1, 15, 17, 1000, updates.CHUNK - 1, updates.CHUNK, 3 * updates.CHUNK + 5)
# Name: arrays it changes, arrays it reads, settings.
RULES = {
    "sgd": (1, 1, (0.1,)),
    "momentum": (2, 1, (0.1, 0.9)),
    "add": (1, 1, (0.9,)),
    "approach": (1, 1, (0.2,)),
    "rprop": (3, 1, (1.2, 0.5, 0.0125, 1e-6, 50.0)),
    "scaled_step": (2, 1, (0.01, 0.9, 0.1, 1e-8)),
    "momentum ahead": (2, 1, (0.1, 0.9, True)),
    "adam": (3, 1, (0.01, 0.9, 0.999, 1e-8)),
}


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule):
    changed, read, settings = RULES[rule]
    for size in SIZES:
        given = [draw(k, size) for k in range(changed + read)]
        if rule in ("adam", "rprop", "scaled_step"):
            given[-2] = np.abs(given[-2])
        framed = [np.full(size + 2, 7, np.float32) for _ in given]
        for frame, values in zip(framed, given, strict=True):
            frame[1:-1] = values
        wide = [values.astype(float) for values in given]
        step = getattr(updates, rule.split()[0])
        step(*(frame[1:-1] for frame in framed), *settings)
        step(*wide, *settings)
        for k, (frame, exact) in enumerate(zip(framed, wide, strict=True)):
            # in float32 1 - 0.999 is off by 5e-5
            close(frame[1:-1], exact, (1e-5 if rule == "adam" else 1e-6) * (1 + np.abs(exact)))
            assert (frame[[0, -1]] == 7).all()
            if k >= changed:
                np.testing.assert_array_equal(frame[1:-1], given[k])
        assert size == 0 or not np.array_equal(framed[0][1:-1], given[0])


def test_dot():
    for size in SIZES:
        x, y = draw(1, size), draw(2, size)
        wide = x.astype(float) @ y.astype(float)
        assert updates.dot(x, y) == pytest.approx(wide, rel=1e-12, abs=1e-12)
        assert updates.dot(x.astype(float), y.astype(float)) == pytest.approx(wide, rel=1e-12, abs=1e-12)


def test_rprop_by_hand():
    """A first step, a longer one while the sign stays, a rest where it turns, then a shorter one."""
    theta, last, width = (np.zeros(1) for _ in range(3))
    at = []
    for g in (1.0, 2.0, -1.0, -1.0, -1.0):
        updates.rprop(theta, last, width, np.array([g]), 1.2, 0.5, 0.1, 1e-6, 50.0)
        at.append((theta[0], width[0]))
    expected = [(-0.1, 0.1), (-0.22, 0.12), (-0.22, 0.06), (-0.16, 0.06), (-0.088, 0.072)]
    np.testing.assert_allclose(at, expected, rtol=1e-12)


def test_rules_are_the_papers():
    theta, velocity, g = (draw(k, 9).astype(float) for k in range(3))
    t, v = theta.copy(), velocity.copy()
    updates.momentum(t, v, g, 0.1, 0.9)
    np.testing.assert_allclose(v, 0.9 * velocity - 0.1 * g)
    np.testing.assert_allclose(t, theta + 0.9 * velocity - 0.1 * g)
    t, v = theta.copy(), velocity.copy()
    updates.add(t, v, 0.9)
    updates.momentum(t, v, g, 0.1, 0.9, ahead=True)
    np.testing.assert_allclose(v, 0.9 * velocity - 0.1 * g)
    np.testing.assert_allclose(t, theta + v)
    t, m, s = theta.copy(), velocity.copy(), velocity**2
    updates.adam(t, m, s, g, 0.01, 0.9, 0.99, 1e-8)
    np.testing.assert_allclose(m, 0.9 * velocity + 0.1 * g)
    np.testing.assert_allclose(s, 0.99 * velocity**2 + 0.01 * g * g)
    np.testing.assert_allclose(t, theta - 0.01 * m / (np.sqrt(s) + 1e-8))


@pytest.mark.parametrize("rule", RULES)
def test_nan_stays_in_its_place(rule):
    changed, read, settings = RULES[rule]
    arrays = [np.abs(draw(k, 100)) for k in range(changed + read)]
    arrays[-1][37] = np.nan
    getattr(updates, rule.split()[0])(*arrays, *settings)
    for array in arrays[:changed]:
        assert np.flatnonzero(np.isnan(array)).tolist() == [37] or (rule == "rprop" and array is arrays[2])


def test_zeros_stay_zero():
    """Padding: zero parameters with zero gradients do not move, under any rule."""
    for rule, (changed, read, settings) in RULES.items():
        arrays = [np.zeros(100, np.float32) for _ in range(changed + read)]
        getattr(updates, rule.split()[0])(*arrays, *settings)
        assert not any(array.any() for array in arrays)
    theta, g = np.zeros(50, np.float32), np.zeros(50, np.float32)
    updates.decay(theta, 0.1, 0.1, g)
    assert not g.any()


def test_decay():
    theta, g = draw(1, 333), draw(2, 333)
    theta[::7] = 0
    expected = g.astype(float) + 0.3 * theta.astype(float) + 0.2 * np.sign(theta.astype(float))
    wide = g.astype(float)
    updates.decay(theta.astype(float), 0.3, 0.2, wide)
    updates.decay(theta, 0.3, 0.2, g)
    np.testing.assert_allclose(wide, expected, rtol=1e-13)
    close(g, expected, 1e-6 * (1 + np.abs(expected)))


def test_sum_squares():
    for size in SIZES:
        x = draw(1, size)
        exact = float((x.astype(float) ** 2).sum())
        assert updates.sum_squares(x) == pytest.approx(exact, rel=1e-12)
        assert updates.sum_squares(x.astype(float)) == pytest.approx(exact, rel=1e-12)
    assert np.isnan(updates.sum_squares(np.array([1, np.nan], np.float32)))
    assert updates.sum_squares(np.full(3, 1e30, np.float32)) == pytest.approx(3e60, rel=1e-6)

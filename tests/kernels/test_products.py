"""Every product against its twin: the float32 form against the lines of NumPy that float64 arrays go to."""

import numpy as np
import pytest

from deepnet.kernels import operands, products, random, units
from deepnet.kernels.jit import ENABLED
from deepnet.nn.units import UNITS
from tests.kernels.arrays import Guarded, across, apart, close, draw, inside, shapes

CODES = {name: unit.code for name, unit in UNITS.items() if not unit.rowwise}
SAMPLED = ("linear", "logistic", "relu")
ULP = 2.0**-24
KEY = 0x1234_5678_9ABC_DEF0


def wide(*arrays):
    """Copies in float64, which go to the twin."""
    return [np.array(a, np.float64) for a in arrays]


def reach(x, W, bias=0.0):
    """What 8 n 2^-24 is relative to: the sum of the sizes of all that is added."""
    return 8 * (W.shape[0] + 1) * ULP * (np.abs(x).astype(float) @ np.abs(W).astype(float) + np.abs(bias))


def factors(B, M, N, seed=0):
    """x (B, M), W (M, N), b (N,), c (M,), d (B, N)."""
    return draw(seed, B, M), draw(seed + 1, M, N) / 3, draw(seed + 2, N), draw(seed + 3, M), draw(seed + 4, B, N)


def steepest(unit, z):
    """What an error is multiplied by in a unit of this input, at most."""
    return 1 + 3 * np.abs(z) if unit == "square" else 1


@pytest.mark.parametrize("unit", CODES)
@pytest.mark.parametrize("place", [inside, across, apart])
def test_up(unit, place):
    code = CODES[unit]
    for B, M, N in shapes():
        x, W, b, _, _ = factors(B, M, N)
        guard = Guarded(B, N)
        products.up(place(x), inside(W), b, code, guard.out)
        expected = np.zeros((B, N))
        products.up(*wide(x, W, b), code, expected)
        close(guard.out, expected, (reach(x, W, b) + 8 * ULP) * steepest(unit, wide(x)[0] @ W + b))
        assert guard.untouched, (B, M, N)


@pytest.mark.parametrize("unit", CODES)
def test_up_negative(unit):
    for B, M, N in shapes():
        x, W, b, _, _ = factors(B, M, N)
        guard, positive = Guarded(B, N), np.zeros((B, N), np.float32)
        products.up_negative(across(x), inside(W), b, CODES[unit], guard.out)
        products.up(across(x), inside(W), b, CODES[unit], positive)
        np.testing.assert_array_equal(guard.out, -positive)
        assert guard.untouched, (B, M, N)
    exact = np.zeros((B, N))
    products.up_negative(*wide(x, W, b), CODES[unit], exact)
    close(guard.out, exact, (reach(x, W, b) + 8 * ULP) * steepest(unit, wide(x)[0] @ W + b))


@pytest.mark.parametrize("place", [inside, across, apart])
def test_up_add(place):
    for B, M, N in shapes():
        x, W, _, _, first = factors(B, M, N)
        guard = Guarded(B, N, values=first)
        products.up_add(place(x), inside(W), guard.out)
        close(guard.out, first.astype(float) + wide(x)[0] @ W, reach(x, W) + 8 * M * ULP * np.abs(first))
        assert guard.untouched, (B, M, N)


@pytest.mark.parametrize("unit", SAMPLED)
@pytest.mark.parametrize("place", [inside, across, apart])
def test_up_sample(unit, place):
    code = CODES[unit]
    for B, M, N in shapes():
        x, W, b, _, _ = factors(B, M, N)
        mean, states = Guarded(B, N), Guarded(N, B)
        products.up_sample(place(x), inside(W), b, code, KEY, 3, mean.out, states.out)
        bound = reach(x, W, b)
        z = wide(x)[0] @ W + b
        close(mean.out, units.activate_twin(units.SOFTPLUS if unit == "relu" else code, z), bound + 8 * ULP)
        bits = random.bits_twin(KEY, 3, B, N)
        if unit == "logistic":
            expected = (bits >> 8) * 2.0**-24 < mean.out
            np.testing.assert_array_equal(states.out.T, expected)
        else:
            noise = random.normal_twin(bits)
            deviation = 1.0 if unit == "linear" else np.sqrt(units.activate_twin(units.LOGISTIC, z))
            expected = z + deviation * noise
            expected = np.maximum(expected, 0) if unit == "relu" else expected
            close(states.out.T, expected, (1 + np.abs(noise)) * (bound + 16 * ULP) + 2e-6)
        assert mean.untouched, (B, M, N)
        assert states.untouched, (B, M, N)


def test_samples_are_the_twin_s():
    for unit in SAMPLED:
        z = draw(7, 130, 200)
        mean, states = np.zeros_like(z), np.zeros(z.T.shape, np.float32)
        products.up_sample(
            z, np.eye(200, dtype=np.float32), np.zeros(200, np.float32), CODES[unit], KEY, 0, mean, states
        )
        twin_mean, twin_states = units.sample_twin(CODES[unit], z.astype(float), KEY, 0)
        close(mean, twin_mean, 1e-6)
        if unit == "logistic":  # a draw between the two roundings of a mean may fall on either side
            assert np.count_nonzero(twin_states != states.T) <= 1
        else:
            close(states.T, twin_states, 1e-5)


@pytest.mark.parametrize("unit", CODES)
def test_down(unit):
    code = CODES[unit]
    for B, M, N in shapes():
        _, W, _, c, d = factors(B, M, N)
        guard, alone, straight = Guarded(M, B), Guarded(M, B), Guarded(B, M)
        products.down(inside(W), inside(np.ascontiguousarray(d.T)), c, code, guard.out, straight.out)
        products.down(inside(W), inside(np.ascontiguousarray(d.T)), c, code, alone.out)
        assert alone.out.tobytes() == guard.out.tobytes() == np.ascontiguousarray(straight.out.T).tobytes()
        expected = np.zeros((M, B))
        products.down(*wide(W, d.T, c), code, expected)
        close(
            guard.out, expected, (reach(W, d.T, c[:, None]) + 8 * ULP) * steepest(unit, wide(W)[0] @ d.T + c[:, None])
        )
        assert all(g.untouched for g in (guard, alone, straight)), (B, M, N)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("unit", CODES)
def test_down_chain(unit, masked):
    code = CODES[unit]
    for B, M, N in shapes():
        a, W, _, _, d = factors(B, M, N)
        if UNITS[unit].needs == "a":
            units.activate(code, a)
        straight, turned = Guarded(B, M), Guarded(M, B)
        mask = (np.random.default_rng(B).random((B, M)) < 0.5).astype(np.float32) * 2 if masked else None
        kept = inside(mask) if masked else None
        products.down_chain(
            inside(W), inside(np.ascontiguousarray(d.T)), kept, code, inside(a), straight.out, turned.out
        )
        out, out_t = np.zeros((B, M)), np.zeros((M, B))
        products.down_chain(*wide(W, d.T), mask, code, *wide(a), out, out_t)
        np.testing.assert_array_equal(out, out_t.T)
        close(straight.out, out, (1 + masked) * (reach(W, d.T).T * steepest(unit, a) + 8 * ULP * (1 + np.abs(out))))
        if masked:
            assert not straight.out[mask == 0].any()
        np.testing.assert_array_equal(straight.out, turned.out.T)
        assert straight.untouched, (B, M, N)
        assert turned.untouched, (B, M, N)


@pytest.mark.parametrize("place", [inside, across, apart])
def test_outer(place):
    for B, M, N in shapes():
        x, _, _, _, d = factors(B, M, N)
        guard = Guarded(M, N)
        products.outer(place(x), inside(d), guard.out)
        close(guard.out, wide(x)[0].T @ d, reach(x.T, d))
        assert guard.untouched, (B, M, N)


@pytest.mark.parametrize("place", [inside, across, apart])
def test_contrast(place):
    for B, M, N in shapes():
        x, _, _, _, d = factors(B, M, N)
        y, _, _, _, e = factors(B, M, N, seed=9)
        guard = Guarded(M, N)
        products.contrast(place(x), inside(d), place(np.ascontiguousarray(y.T)), inside(e), -0.25, guard.out)
        expected = np.zeros((M, N))
        products.contrast(*wide(x, d, y.T, e), -0.25, expected)
        close(guard.out, expected, reach(x.T, d) + reach(y.T, e))
        assert guard.untouched, (B, M, N)


def test_empty_sums_are_zero():
    """Nothing is read where the inner index is empty, though rows lie behind the end."""
    behind, out = np.full((3, 5), 7, np.float32), np.full((5, 5), 9, np.float32)
    products.outer(behind[:0], behind[:0], out)
    assert not out.any()
    products.up(behind[:, :0], behind[:0], np.ones(5, np.float32), units.LINEAR, out[:3])
    assert (out[:3] == 1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("unit", CODES)
def test_nan_and_infinity_reach_what_depends_on_them(unit, bad):
    code, B, M, N = CODES[unit], 20, 30, 70
    x, W, b, c, d = factors(B, M, N)
    d_t = np.ascontiguousarray(d.T)
    spoiled_x, spoiled_W, spoiled_d = x.copy(), W.copy(), d_t.copy()
    spoiled_x[7, 11], spoiled_W[11, 66], spoiled_d[66, 7] = bad, bad, bad
    with np.errstate(invalid="ignore"):
        for given, weights in ((spoiled_x, W), (x, spoiled_W), (spoiled_x, spoiled_W)):
            found, expected = np.zeros((B, N), np.float32), np.zeros((B, N))
            products.up(given, weights, b, code, found)
            products.up(*wide(given, weights, b), code, expected)
            close(found, expected, 1e-4)
            if np.isnan(bad):
                touched = np.isnan(given).any(axis=1)[:, None] | np.isnan(weights).any(axis=0)
                np.testing.assert_array_equal(np.isnan(found), touched)
        found, expected = np.zeros((M, B), np.float32), np.zeros((M, B))
        products.down(W, spoiled_d, c, code, found)
        products.down(*wide(W, spoiled_d, c), code, expected)
        close(found, expected, 1e-4)
        assert np.isfinite(np.delete(found, 7, axis=1)).all()
        found, expected = np.zeros((M, N), np.float32), np.zeros((M, N))
        products.outer(spoiled_x, d, found)
        products.outer(*wide(spoiled_x, d), expected)
        close(found, expected, 1e-4)
        assert not np.isfinite(found[11]).any()
        assert np.isfinite(np.delete(found, 11, axis=0)).all()


@pytest.mark.parametrize("unit", SAMPLED)
def test_nan_in_the_sampler(unit):
    x, W, b, _, _ = factors(9, 5, 70)
    x[4, 2] = np.nan
    mean, states = np.zeros((9, 70), np.float32), np.zeros((70, 9), np.float32)
    products.up_sample(x, W, b, CODES[unit], KEY, 0, mean, states)
    assert np.isnan(mean[4]).all()
    assert np.isfinite(np.delete(mean, 4, axis=0)).all()
    assert np.isfinite(np.delete(states, 4, axis=1)).all()
    if unit == "logistic":  # a state is 0 or 1 whatever the mean is
        assert not states[:, 4].any()
    else:
        assert np.isnan(states[:, 4]).all()


def test_draws_depend_on_key_and_draw_number():
    x, W, b, _, _ = factors(20, 5, 70)
    kinds = []
    for key, number in ((1, 0), (2, 0), (1 << 33, 0), (1, 1), (1, 0)):
        mean, states = np.zeros((20, 70), np.float32), np.zeros((70, 20), np.float32)
        products.up_sample(x, W, b, units.LOGISTIC, key, number, mean, states)
        kinds.append(states.tobytes())
    assert len(set(kinds)) == 4
    assert kinds[0] == kinds[4]


def test_complex_steps_go_through_the_twin():
    """Derivatives by the complex step, exact to rounding, through up and down (Squire and Trapp 1998)."""
    x, W, b, c, d = wide(*factors(6, 4, 5))
    direction = wide(draw(20, 6, 4))[0]
    slopes = {
        "linear": lambda z: np.ones_like(z),
        "logistic": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
        "relu": lambda z: (z > 0).astype(float),
        "softplus": lambda z: 1 / (1 + np.exp(-z)),
        "tanh": lambda z: 1 / np.cosh(z) ** 2,
        "leaky_relu": lambda z: np.where(z > 0, 1, 0.01),
        "elu": lambda z: np.exp(np.minimum(z, 0)),
        "hard_tanh": lambda z: (np.abs(z) < 1).astype(float),
        "square": lambda z: 2 * z,
    }
    for unit, code in CODES.items():
        out = np.zeros((6, 5), np.complex128)
        products.up(x + 1e-30j * direction, W, b, code, out)
        np.testing.assert_allclose(out.imag / 1e-30, slopes[unit](x @ W + b) * (direction @ W), rtol=1e-12, atol=1e-14)
        out_t = np.zeros((4, 6), np.complex128)
        products.down(W, d.T + 0j, c + 1e-30j, code, out_t)
        np.testing.assert_allclose(out_t.imag / 1e-30, slopes[unit](W @ d.T + c[:, None]), rtol=1e-12, atol=1e-14)


def test_float64_is_exact_to_rounding():
    x, W, b, _, _ = wide(*factors(33, 21, 17))
    out = np.zeros((33, 17))
    products.up(x, W, b, units.LOGISTIC, out)
    np.testing.assert_allclose(out, 1 / (1 + np.exp(-(x @ W + b))), rtol=1e-14)


@pytest.mark.skipif(not ENABLED, reason="the chain of fused multiply-adds is that of the compiled form")
def test_a_product_is_one_chain_over_the_inner_index():
    """The order of the sum is the inner index's, with one rounding a step: the same bits as an exact emulation.

    A product of two float32 numbers is exact in float64, and so nearly always is its sum with a float32: the only
    rounding of a step is the one to float32.
    """
    x, W, _, _, _ = factors(37, 50, 70)
    chain = np.zeros((37, 70), np.float32)
    for k in range(50):
        chain = (chain.astype(float) + x[:, k, None].astype(float) * W[k].astype(float)).astype(np.float32)
    out = np.zeros((37, 70), np.float32)
    products.outer(np.ascontiguousarray(x.T), W, out)
    np.testing.assert_array_equal(out, chain)


def test_padding_rule():
    for columns in range(1, 2000):
        width = operands.stride(columns)
        assert width > columns
        assert width % 16 == 0
        assert width // 16 % 2 == 1
        assert width <= columns + 32
    for rows, columns in ((0, 3), (4, 16), (5, 100)):
        for dtype in (np.float32, np.float64, np.complex128):
            array = operands.matrix(rows, columns, dtype)
            assert array.shape == (rows, columns)
            assert array.dtype == dtype
            assert rows == 0 or array.strides == (operands.stride(columns) * array.itemsize, array.itemsize)
            assert rows == 0 or array.ctypes.data % 64 == 0


def test_few_elements_are_not_listed():
    assert isinstance(operands.Lister().of(np.zeros((32, 64), np.float32)), np.ndarray)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.3])
def test_steps_left_out_change_no_bit(density, monkeypatch):
    """`Listed` against the bare array, for minibatches of odd sizes, also of nothing but zeros."""
    monkeypatch.setattr(operands, "FEW", 0)
    for B, M, N in ((1, 5, 3), (29, 70, 65), (100, 64, 130), (113, 33, 129)):
        x, W, b, _, d = factors(B, M, N)
        x[np.random.default_rng(B).random(x.shape) >= density] = 0
        kept = operands.matrix(B, M)
        kept[...] = x
        own = operands.Lister().of(kept)
        assert isinstance(own, operands.Listed) == ENABLED
        if ENABLED:
            assert own.steps.starts[:, -1].tolist() == (x != 0).sum(axis=1).tolist()
            assert own.cases.starts[:, -1].tolist() == (x != 0).sum(axis=0).tolist()
        found, expected = (
            [np.empty((B, N), np.float32) for _ in range(2)],
            [np.empty((M, N), np.float32) for _ in range(2)],
        )
        products.up(own, W, b, units.LOGISTIC, found[0])
        products.up(kept, W, b, units.LOGISTIC, found[1])
        np.testing.assert_array_equal(*found)
        products.outer(own, d, expected[0])
        products.outer(kept, d, expected[1])
        np.testing.assert_array_equal(*expected)
        states = [np.empty((N, B), np.float32) for _ in range(2)]
        products.up_sample(own, W, b, units.LOGISTIC, KEY, 1, found[0], states[0])
        products.up_sample(kept, W, b, units.LOGISTIC, KEY, 1, found[1], states[1])
        np.testing.assert_array_equal(*states)
        products.contrast(own, d, kept.T, found[0], 0.5, expected[0])
        products.contrast(kept, d, kept.T, found[0], 0.5, expected[1])
        np.testing.assert_array_equal(*expected)


@pytest.mark.skipif(not ENABLED, reason="nothing is listed")
def test_dense_minibatches_end_the_search_for_zeros(monkeypatch):
    """For some time: what a layer gives becomes sparse as it learns."""
    monkeypatch.setattr(operands, "FEW", 0)
    lister, x = operands.Lister(), np.ones((30, 40), np.float32)
    assert lister.of(x) is x
    x[...] = 0
    assert [lister.of(x) is x for _ in range(operands.REST)] == [True] * operands.REST
    assert isinstance(lister.of(x), operands.Listed)


def test_lists_are_made_once_for_a_minibatch(monkeypatch):
    monkeypatch.setattr(operands, "FEW", 0)
    lister, x, other = operands.Lister(), draw(0, 30, 40), draw(1, 30, 40)
    x[:, 1:], other[:, 1:] = 0, 0
    first = lister.of(x)
    assert lister.again(x) is first
    assert lister.again(other) is not first
    np.testing.assert_array_equal(products._array(lister.again(x)), x)


def test_a_step_within_the_product_is_gradient_and_momentum():
    """`outer_step` and `contrast_step` against gradient, decay and momentum one after the other, and their twins."""
    for B, M, N in ((0, 3, 5), (1, 1, 1), (33, 70, 65), (100, 130, 193), (450, 40, 129)):
        x, W, _, _, d = factors(B, M, N)
        y, e, speed = draw(8, B, M), draw(9, B, N), draw(10, M, N)
        for pair in ((None, None), (np.ascontiguousarray(y.T), e)):
            for l2, l1, ahead in ((0.0, 0.0, False), (0.3, 0.0, False), (0.3, 0.2, False), (0.3, 0.2, True)):
                rule = products.descent(0.1, 0.9, l2, l1, ahead)
                found, exact = (W.copy(), speed.copy()), wide(W, speed)
                products.contrast_step(x, d, *pair, 0.5, rule, *found)
                others = [None if a is None else a.astype(float) for a in pair]
                products.contrast_step(*wide(x, d), *others, 0.5, rule, *exact)
                g = 0.5 * (x.T.astype(float) @ d + (0 if pair[0] is None else y.T.astype(float) @ e))
                velocity = 0.9 * speed - 0.1 * (g + l2 * W + l1 * np.sign(W))
                np.testing.assert_allclose(exact[1], velocity, rtol=1e-6, atol=1e-6)
                moved = velocity - 0.9 * speed if ahead else velocity
                np.testing.assert_allclose(exact[0], W + moved, rtol=1e-6, atol=1e-6)
                for a, b in zip(found, exact, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4)

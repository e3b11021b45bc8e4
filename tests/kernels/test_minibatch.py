"""The data's way into a minibatch against plain NumPy, case by case; nothing else is written."""

import numpy as np
import pytest

from deepnet.kernels import minibatch
from deepnet.kernels.jit import set_threads, threads
from tests.kernels.arrays import Guarded, close, draw


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_gather(dtype):
    for count, columns in ((1, 1), (40, 17), (300, 64)):
        inputs = (np.random.default_rng(3).random((count, columns)) * 255).astype(dtype)
        offset, scale = draw(1, columns), 1 + np.abs(draw(2, columns))
        for rows in (np.arange(0), np.random.default_rng(5).permutation(count)[: count // 2 + 1]):
            guard, wide = Guarded(len(rows), columns), np.zeros((len(rows), columns))
            minibatch.gather(inputs, rows, offset, scale, guard.out)
            minibatch.gather(inputs, rows, offset, scale, wide)
            expected = (inputs[rows].astype(float) - offset) / scale
            close(guard.out, expected, 4 * 2.0**-24 * (1 + np.abs(inputs[rows]) + np.abs(offset)))
            close(wide, expected, 4 * 2.0**-24 * (1 + np.abs(inputs[rows]) + np.abs(offset)))
            assert guard.untouched


def test_gather_divides():
    """Pixels are divided by 255, correctly rounded, not multiplied by its reciprocal: one result on every CPU."""
    inputs = np.arange(256, dtype=np.uint8)[:, None]
    out = np.zeros((256, 1), np.float32)
    minibatch.gather(inputs, np.arange(256), np.zeros(1, np.float32), np.full(1, 255, np.float32), out)
    np.testing.assert_array_equal(out[:, 0], np.arange(256, dtype=np.float32) / np.float32(255))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7, 1), (6, 4, 3), (1, 9, 1), (28, 28, 1)])
def test_gather_shifted(shape, dtype):
    """As if each image lay in a frame of zeros and a window over it moved the other way."""
    height, width, channels = shape
    inputs = (np.random.default_rng(3).random((30, height * width * channels)) * 255).astype(dtype)
    offset, scale = draw(1, inputs.shape[1]), 1 + np.abs(draw(2, inputs.shape[1]))
    most = min(height, width, 4) - 1 if height > 1 else 0
    rows = np.random.default_rng(5).permutation(30)[:25]
    shifts = np.random.default_rng(6).integers(-most, most + 1, (25, 2))
    shifts[0], shifts[1, 0] = 0, -most
    if height == 1:
        shifts[:, 1] = np.arange(25) % 17 - 8  # up to all but one pixel moved out
    frame = 9
    padded = np.pad(inputs.reshape(-1, *shape), ((0, 0), (frame, frame), (frame, frame), (0, 0)))
    expected = np.stack([
        padded[row, frame - down : frame - down + height, frame - right : frame - right + width].reshape(-1)
        for row, (down, right) in zip(rows, shifts, strict=True)
    ]).astype(float)  # fmt: skip
    expected = (expected - offset) / scale
    guard, wide = Guarded(25, inputs.shape[1]), np.zeros(expected.shape)
    minibatch.gather_shifted(inputs, rows, shifts, shape, offset, scale, guard.out)
    minibatch.gather_shifted(inputs, rows, shifts, shape, offset, scale, wide)
    bound = 4 * 2.0**-24 * (256 + np.abs(offset))
    close(guard.out, expected, bound)
    close(wide, expected, bound)
    assert guard.untouched
    plain = np.zeros_like(guard.out)
    minibatch.gather(inputs, rows, offset, scale, plain)
    minibatch.gather_shifted(inputs, rows, np.zeros_like(shifts), shape, offset, scale, guard.out)
    np.testing.assert_array_equal(guard.out, plain)


@pytest.mark.parametrize("name", minibatch.CONTRASTS)
def test_contrast(name):
    x = draw(4, 60, 300) * np.abs(draw(5, 60, 1)) * 10 + draw(6, 60, 1) * 5
    x[3], x[4, 1:], x[5] = np.float32(0.1), 0, 0
    guard, wide = Guarded(60, 300, values=x), x.astype(float)
    minibatch.contrast(name, guard.out)
    minibatch.contrast(name, wide)
    assert guard.untouched
    assert not guard.out[[3, 5]].any()  # 0.1 as float32 is no noise of rounding
    kept = np.arange(60) != 3
    close(guard.out[kept], wide[kept], 2e-5)
    sizes = np.abs(wide).mean(axis=1) if name == "l1" else wide.std(axis=1)
    np.testing.assert_allclose(sizes[np.setdiff1d(np.arange(60), [3, 5])], 1, rtol=1e-12)
    np.testing.assert_allclose(wide.mean(axis=1), 0, atol=1e-12)


def test_contrast_of_nan_and_of_nothing():
    x = draw(4, 3, 8)
    x[1, 2] = np.nan
    minibatch.contrast("l2", x)
    assert np.isnan(x[1]).any()
    assert np.isfinite(x[[0, 2]]).all()
    minibatch.contrast("l1", np.zeros((0, 8), np.float32))


def test_threads_change_nothing():
    """Arrays large enough for several of them."""
    inputs = np.random.default_rng(3).integers(0, 256, (100, 784), dtype=np.uint8)
    rows, shifts = np.arange(100), np.random.default_rng(1).integers(-3, 4, (100, 2))
    found, before = [], threads()
    for count in (1, 2):
        set_threads(count)
        out = np.zeros((100, 784), np.float32)
        minibatch.gather_shifted(
            inputs, rows, shifts, (28, 28, 1), np.zeros(784, np.float32), np.full(784, 255, np.float32), out
        )
        minibatch.contrast("l2", out)
        found.append(out.tobytes())
    set_threads(before)
    assert found[0] == found[1]

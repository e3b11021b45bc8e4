"""Scaling against NumPy, and the range that logistic units need."""

import numpy as np
import pytest

from deepnet.data import check_range, scaling
from deepnet.errors import DataError, UsageError

rng = np.random.default_rng(0)
FLOATS = (rng.normal(size=(20_000, 300)) * 7 + 3).astype(np.float32)  # several blocks
FLOATS[:, 5] = 0.1
BYTES = rng.integers(3, 250, (5_000, 784), dtype=np.uint8)


def test_auto_and_none():
    for kind, inputs, scale in (
        ("auto", BYTES, 255),
        ("auto", FLOATS, 1),
        ("auto", BYTES % 2, 1),  # bits stored as bytes
        ("none", BYTES, 1),
        ("none", FLOATS, 1),
    ):
        found = scaling.fit(kind, inputs, (inputs.shape[1],))
        assert found.kind == kind
        assert found.offset.dtype == found.scale.dtype == np.float32
        np.testing.assert_array_equal(found.offset, np.zeros(inputs.shape[1]))
        np.testing.assert_array_equal(found.scale, np.full(inputs.shape[1], scale))
        np.testing.assert_array_equal(scaling.apply(found, inputs), inputs.astype(np.float32) / np.float32(scale))


@pytest.mark.parametrize("inputs", [FLOATS, BYTES], ids=["floats", "bytes"])
def test_unit(inputs):
    columns = scaling.fit("unit", inputs, (inputs.shape[1],))
    np.testing.assert_array_equal(columns.offset, inputs.min(axis=0))
    scaled = scaling.apply(columns, inputs)
    constant = inputs.min(axis=0) == inputs.max(axis=0)
    assert scaled.min() == 0
    assert scaled.max() == 1
    np.testing.assert_array_equal(scaled.max(axis=0), np.where(constant, 0, 1))
    images = scaling.fit("unit", inputs, (inputs.shape[1] // 4, 4))
    assert (images.offset == inputs.min()).all()
    scaled = scaling.apply(images, inputs)
    assert (scaled.min(), scaled.max()) == (0, 1)


@pytest.mark.parametrize("inputs", [FLOATS, BYTES], ids=["floats", "bytes"])
def test_standard(inputs):
    found = scaling.fit("standard", inputs, (inputs.shape[1],))
    wide = inputs.astype(np.float64)
    constant = inputs.min(axis=0) == inputs.max(axis=0)
    np.testing.assert_allclose(found.offset, wide.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.scale, np.where(constant, 1, wide.std(axis=0)), rtol=1e-6)
    scaled = scaling.apply(found, inputs)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0)[~constant], 1, rtol=1e-5)
    assert (scaled[:, constant] == 0).all()


def test_columns_far_from_zero_and_one_case():
    column = np.array([[1e6], [1e6 + 1], [1e6 + 2]], np.float32)
    np.testing.assert_allclose(scaling.fit("standard", column, (1,)).scale, np.sqrt(2 / 3), rtol=1e-6)
    for kind in scaling.KINDS:
        found = scaling.fit(kind, column[:1], (1,))
        assert np.isfinite(scaling.apply(found, column)).all()
    with pytest.raises(DataError, match="column 1 does not fit in float32"):
        scaling.fit("unit", np.array([[-3e38], [3e38]], np.float32), (1,))
    with pytest.raises(UsageError, match="one of auto, none, unit, standard"):
        scaling.fit("minmax", column, (1,))


def test_blocks_do_not_change_the_bits(monkeypatch):
    from deepnet.data import dataset

    whole = scaling.moments(FLOATS)
    plain = FLOATS.astype(np.float64)
    np.testing.assert_allclose(whole[0], plain.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole[1], plain.var(axis=0), rtol=1e-10, atol=1e-14)
    assert len(dataset.blocks(FLOATS)) > 1
    np.testing.assert_array_equal(whole[0], scaling.moments(np.asfortranarray(FLOATS).copy("C"))[0])


def test_range():
    width = (784,)
    check_range(BYTES, scaling.fit("auto", BYTES, width), "logistic", "d")
    check_range(FLOATS, scaling.fit("unit", FLOATS, (300,)), "logistic", "d")
    check_range(FLOATS, scaling.fit("none", FLOATS, (300,)), "linear", "d")
    with pytest.raises(DataError, match=r"d: case .*--scale unit, or --visible linear --scale standard"):
        check_range(BYTES, scaling.fit("none", BYTES, width), "logistic", "d")
    small = np.full((4, 3), 0.5, np.float32)
    small[2, 1] = 1.5
    with pytest.raises(DataError, match=r"case 3, column 2 is 1\.5 after --scale auto"):
        check_range(small, scaling.fit("auto", small, (3,)), "logistic", "d")
    small[2, 1] = -0.25
    with pytest.raises(DataError, match=r"case 3, column 2 is -0\.25"):
        check_range(small, scaling.fit("auto", small, (3,)), "logistic", "d")


def test_the_remedy_is_the_callers():
    inputs = np.array([[2.0]], np.float32)
    plan = scaling.fit("none", inputs, (1,))
    with pytest.raises(DataError, match=r"; give --scale unit, or --visible linear --scale standard$"):
        check_range(inputs, plan, "logistic", "d")
    with pytest.raises(DataError, match=r"values in \[0, 1\]; give --scale unit$"):
        check_range(inputs, plan, "logistic", "d", remedy="give --scale unit")

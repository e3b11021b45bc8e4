"""INITIALIZERS: their laws, and that they depend on the key alone."""

import math

import numpy as np
import pytest

from deepnet.errors import UsageError
from deepnet.nn.initializers import INITIALIZERS, draw

INPUTS, OUTPUTS = 300, 200
DEVIATIONS = {
    "gaussian": 0.01,
    "glorot": math.sqrt(6 / (INPUTS + OUTPUTS)) / math.sqrt(3),
    "he": math.sqrt(2 / INPUTS),
    "sparse": math.sqrt(15 / INPUTS),
    "uniform": 0.01 / math.sqrt(3),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_law(name):
    weights = draw(name, 7, INPUTS, OUTPUTS)
    assert weights.shape == (INPUTS, OUTPUTS)
    assert weights.dtype == np.float32
    wide = weights.astype(float)
    expected = DEVIATIONS[name]
    assert abs(wide.mean()) < 5 * expected / math.sqrt(wide.size)
    assert wide.std() == pytest.approx(expected, rel=0.03)
    np.testing.assert_array_equal(weights, draw(name, 7, INPUTS, OUTPUTS))
    assert not np.array_equal(weights, draw(name, 8, INPUTS, OUTPUTS))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_number_takes_the_place_of_the_default(name):
    default = INITIALIZERS[name][1]
    np.testing.assert_array_equal(draw(f"{name}:{default}", 7, 30, 20), draw(name, 7, 30, 20))
    np.testing.assert_allclose(draw(f"{name}:{2 * default}", 7, 30, 20), 2 * draw(name, 7, 30, 20), rtol=1e-6)
    assert not draw(f"{name}:0", 7, 30, 20).any()


def test_glorot_bound():
    weights = draw("glorot", 3, INPUTS, OUTPUTS)
    bound = math.sqrt(6 / (INPUTS + OUTPUTS))
    assert np.abs(weights).max() <= bound * (1 + 1e-6)
    assert np.abs(weights).max() > 0.999 * bound


def test_uniform_bound():
    weights = draw("uniform:0.05", 3, INPUTS, OUTPUTS)
    assert 0.0499 < np.abs(weights).max() <= 0.05 * (1 + 1e-6)


@pytest.mark.parametrize("inputs", [1, 10, 15, 16, 784])
def test_sparse_gives_every_unit_fifteen(inputs):
    weights = draw("sparse", 3, inputs, 40)
    np.testing.assert_array_equal((weights != 0).sum(axis=0), min(15, inputs))
    if inputs == 784:  # places differ from unit to unit, and all inputs have their chance
        places = {tuple(np.flatnonzero(column)) for column in weights.T}
        assert len(places) == 40
        assert ((weights != 0).sum(axis=1) > 0).mean() > 0.4


@pytest.mark.parametrize("text", ["xavier", "gaussian:x", "gaussian:-1", "he:nan", "glorot:inf", ""])
def test_bad_texts(text):
    with pytest.raises(UsageError, match="--init"):
        draw(text, 1, 3, 3)

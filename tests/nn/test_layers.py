"""Layers by the names of their units."""

import numpy as np
import pytest

from deepnet.errors import UsageError
from deepnet.nn.layers import MOST_PIECES, Dense, Maxout, of_units
from deepnet.nn.units import UNITS


def test_names_and_back():
    assert [of_units(name, 3, 4) for name in UNITS] == [Dense(3, 4, name) for name in UNITS]
    assert of_units("maxout", 3, 4) == Maxout(3, 4, 5)
    for layer in (Maxout(3, 4, 2), Maxout(5, 1, MOST_PIECES), Dense(2, 2, "elu")):
        assert of_units(layer.unit, layer.inputs, layer.outputs) == layer


@pytest.mark.parametrize("text", ["maxout:", "maxout:1", "maxout:101", "maxout:x", "maxout:-2", "maxout:2.5"])
def test_pieces_are_a_number(text):
    with pytest.raises(UsageError, match="maxout has 2 to 100 pieces a unit; write for example maxout:3"):
        of_units(text, 3, 4)


@pytest.mark.parametrize("text", ["", "sigmoid", "relu:2", "max"])
def test_others_are_refused_with_the_names(text):
    with pytest.raises(UsageError, match=r"use one of logistic, .*, maxout"):
        of_units(text, 3, 4)


def test_maxout_of_two_pieces_makes_a_rectifier():
    """Goodfellow et al. 2013, section 3: max(0, z) is the larger of z and a piece of zeros."""
    layer, rng = Maxout(3, 2, 2), np.random.default_rng(0)
    W = rng.normal(size=(3, 2))
    p = {"W": np.hstack([W, np.zeros((3, 2))]), "b": np.zeros(4)}
    x = rng.normal(size=(6, 3))
    a = layer.forward(p, layer.workspace(6, np.dtype(np.float64)), x, None)
    np.testing.assert_allclose(a, np.maximum(0, x @ W), rtol=1e-14)

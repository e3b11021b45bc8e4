"""What the tests of exports share: the models, and what deepnet itself makes of their cases."""

import numpy as np
import pytest

from deepnet.workflows import outputs
from tests.exports.models import MODELS


@pytest.fixture(params=MODELS)
def model(request):
    """Each of the models."""
    return MODELS[request.param]


@pytest.fixture
def ours():
    """What deepnet makes of cases: of a network of one class the score."""

    def make(model, cases, give=None):
        found = outputs(model, cases, give=give or "outputs")
        centre = model.preparation.centre
        return found if centre is None or give else ((found - centre) ** 2).sum(axis=1, keepdims=True, dtype=np.float64)

    return make

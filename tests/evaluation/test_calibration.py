"""Calibration: bins and the expected calibration error, by hand."""

import numpy as np
import pytest

from deepnet.evaluation import calibration


def test_bins_and_the_error_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.91, 0.09], [0.4, 0.6], [0.45, 0.55]])
    found = calibration(probabilities, np.array([0, 1, 1, 1]), bins=10)
    assert found["counts"].tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert found["confidence"][9] == pytest.approx(0.93)
    assert (found["accuracy"][9], found["accuracy"][5]) == (0.5, 1.0)
    assert found["error"] == pytest.approx((2 * abs(0.5 - 0.93) + 2 * abs(1 - 0.575)) / 4)
    assert np.isnan(found["accuracy"][0])

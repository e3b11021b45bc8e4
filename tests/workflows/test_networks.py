"""What a network begins with: an autoencoder cut at its code."""

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.nn.layers import Dense

HOURGLASS = {"layers": (20, 4), "units": ("logistic", "linear"), "task": "reconstruct", "epochs": 1, "seed": 3}


def trained(*words, **settings):
    """The checkpoint of a run."""
    end = list(workflows.finetune(*words, **settings))[-1]
    assert end.outcome == "finished"
    return checkpoint.load(words[1])


@pytest.mark.parametrize("dropout", [(0.0,), (0.2,)])
def test_an_autoencoder_is_cut_at_its_code(dropout, digits, tmp_path):
    first, second = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    coder = trained(digits, first, dropout=dropout, **HOURGLASS)
    frozen = {"epochs": 1, "learning_rate": "1e-30", "momentum": "0"}
    net = trained(digits, second, start=first, task="classify", dropout=dropout, **frozen)
    widths = [784, 20, 4, 10]
    assert [784, *(layer.outputs for layer in net.model.layers if isinstance(layer, Dense))] == widths
    assert [layer.unit for layer in net.model.layers if isinstance(layer, Dense)] == ["logistic", "linear", "softmax"]
    below = [own for own in coder.arrays if own][:2]
    for own, kept in zip([own for own in net.arrays if own], below, strict=False):
        np.testing.assert_allclose(own["W"], kept["W"], atol=1e-6)
        np.testing.assert_allclose(own["b"], kept["b"], atol=1e-6)


def test_a_better_code_makes_a_better_classifier(digits, tmp_path):
    """Trained on, the cut network learns its training cases."""
    first, second = str(tmp_path / "a.h5"), str(tmp_path / "b.h5")
    trained(digits, first, **(HOURGLASS | {"epochs": 5}), optimizer="cg", batch_size=250)
    trained(digits, second, start=first, task="classify", epochs=30, optimizer="cg", batch_size=250)
    assert workflows.evaluate(second, digits, split="train")["error"] < 0.2

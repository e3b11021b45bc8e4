"""pretrain --method: stacks of autoencoders from the shell to a classifier, and options that a method has not."""

import numpy as np
import pytest

from deepnet import checkpoint, workflows
from deepnet.errors import UsageError
from deepnet.nn import stack as stacks
from deepnet.nn.autoencoder import Autoencoder
from deepnet.workflows.plans import METHODS

SMALL = {"layers": (40, 20), "epochs": (10,), "batch_size": (20,)}
AUTOENCODERS = [name for name in METHODS if name != "rbm"]


@pytest.mark.parametrize("untied", [False, True])
@pytest.mark.parametrize("method", AUTOENCODERS)
def test_a_stack_is_worth_having(digits, tmp_path, finish, method, untied):
    """It restores better than the mean digit, its codes classify, it unrolls, and evaluate knows it."""
    path, net = str(tmp_path / "s.h5"), str(tmp_path / "n.h5")
    end = finish(workflows.pretrain(digits, path, method=method, untied=untied, **SMALL))[-1]
    first = end.result["layers"][0]
    history = checkpoint.load(path).history["layer 1"]
    assert history["reconstruction_error"][-1] < history["reconstruction_error"][0]
    assert first["loss"] > 0
    found = workflows.evaluate(path, digits)
    assert found["reconstruction_error"] < found["mean_case_squared_error"]
    assert "free_energy" not in found
    tuned = finish(workflows.finetune(digits, net, start=path, epochs=8, batch_size=20, learning_rate="0.1"))[-1]
    assert tuned.result["training_error"] < 0.3
    again = finish(workflows.finetune(digits, net, start=path, task="reconstruct", epochs=2, force=True))[-1]
    assert again.result["training_squared_error"] < found["mean_case_squared_error"]


def test_unrolled_stacks_give_what_their_layers_give(digits, tmp_path, finish):
    """The hourglass of an untied stack goes down by the weights of the way down, through the units of the way up."""
    path = str(tmp_path / "s.h5")
    finish(workflows.pretrain(digits, path, method="dae", untied=True, units=("relu", "tanh"), **SMALL))
    model = checkpoint.load(path)
    assert [type(layer) for layer in model.model.layers] == [Autoencoder, Autoencoder]
    assert [layer.visible for layer in model.model.layers] == ["logistic", "linear"]
    network, arrays = stacks.unroll(model.model, model.arrays)
    assert [layer.unit for layer in network.layers] == ["relu", "tanh", "relu", "logistic"]
    np.testing.assert_array_equal(arrays[2]["W"], model.arrays[1]["V"])
    np.testing.assert_array_equal(arrays[3]["W"], model.arrays[0]["V"])


def test_held_out_cases_are_restored_whole(digits, tmp_path, finish):
    path = str(tmp_path / "s.h5")
    finish(workflows.pretrain(digits, path, method="dae", valid="100", corruption=("masking:0.5",), **SMALL))
    held_out = checkpoint.load(path).history["layer 1"]["validation_reconstruction_error"]
    assert held_out[-1] < 0.8 * held_out[0]
    one_layer = SMALL | {"layers": (40,)}
    finish(workflows.pretrain(digits, path, method="dae", valid="100", force=True, **one_layer))
    found = workflows.evaluate(path, digits, split="valid")
    held_out = checkpoint.load(path).history["layer 1"]["validation_reconstruction_error"]
    assert found["reconstruction_error"] == pytest.approx(held_out[-1], rel=1e-5)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ({"method": "rbm", "corruption": ("masking",)}, ["--corruption", "--method dae"]),
        ({"method": "rbm", "untied": True}, ["--untied", "--method dae"]),
        ({"method": "dae", "cd_steps": (1,)}, ["--cd-steps", "--method rbm"]),
        ({"method": "dae", "visible_bias": "mean"}, ["--visible-bias", "--method rbm"]),
        ({"method": "cae", "sparsity_cost": (1.0,)}, ["--sparsity-cost", "--method sae"]),
        ({"method": "dae", "corruption": ("masking:1",)}, ["--corruption masking:1", "below 1"]),
        ({"method": "dae", "corruption": ("salt:0.1",)}, ["--corruption salt", "masking"]),
        ({"method": "cae", "units": ("relu",)}, ["--units relu", "logistic and tanh"]),
        ({"method": "sae", "units": ("relu",)}, ["--units relu", "--sparsity-target"]),
        ({"method": "dae", "units": ("softmax",)}, ["--units softmax"]),
        ({"method": "dae", "units": ("square",)}, ["--units square", "use one of logistic"]),
        ({"method": "rbm", "units": ("tanh",)}, ["--units tanh", "Boltzmann"]),
    ],
)
def test_options_that_do_not_fit(digits, tmp_path, words, parts):
    path = tmp_path / "s.h5"
    with pytest.raises(UsageError) as raised:
        list(workflows.pretrain(digits, str(path), **SMALL | words))
    assert all(part in str(raised.value) for part in parts)
    assert not path.exists()


def test_sparsity_without_a_target(digits, tmp_path, finish):
    """0 stands for the mean of |h|, for any unit; more of it leaves less activity."""
    found = []
    for cost in (0.0, 1.0):
        path = str(tmp_path / f"{cost}.h5")
        words = {"method": "sae", "units": ("relu",), "sparsity_target": (0.0,), "sparsity_cost": (cost,)}
        end = finish(workflows.pretrain(digits, path, **SMALL | words))[-1]
        found.append(end.result["layers"][0]["mean_activation"])
    assert found[1] < 0.8 * found[0]

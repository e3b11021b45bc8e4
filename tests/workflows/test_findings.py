"""The doctor in the loop: planted faults are told of, each as itself and once; healthy runs are left alone."""

import re
from dataclasses import replace

import numpy as np
import pytest
import typer.main

from deepnet import checkpoint, cli, workflows
from deepnet.workflows import checkup, loops, models, vitals, watching
from deepnet.workflows.findings import FINDINGS, first
from deepnet.workflows.vitals import Figures, InputFigures, LayerFigures

LAYERS = tuple(LayerFigures(f"layer {i}", "logistic") for i in (1, 2)) + (LayerFigures("the output layer", ""),)
FALLING = {
    "loss": np.array([2.0, 1.0, 0.8, 0.7, 0.6, 0.55, 0.5]),
    "updates": 600.0 * np.arange(1, 8),
    "error": np.full(7, 0.1),
}
HEALTHY = Figures(LAYERS, FALLING, InputFigures(0.0, 1.0, 0.33, 0.26), constant=(2.3, 0.9))
STANDING = FALLING | {"loss": np.full(7, 2.3), "error": np.full(7, 0.9)}
WORSE = np.array([1.0, 0.5, 0.52, 0.55, 0.6, 0.65, 0.7])
FITTED = FALLING | {"loss": 0.1 * FALLING["loss"], "validation_loss": WORSE, "score": WORSE}


def slow(*steps):
    return replace(
        HEALTHY, layers=tuple(replace(n, step=s) for n, s in zip(LAYERS, steps, strict=True)), curves=STANDING
    )


def ill(**figures):
    return replace(HEALTHY, layers=(LAYERS[0], replace(LAYERS[1], **figures), LAYERS[2]))


PLANTED = {
    "input_range": replace(HEALTHY, inputs=InputFigures(0.0, 255.0, 80.0, 66.0), below="use --scale standard"),
    "input_flat": replace(HEALTHY, inputs=InputFigures(0.99, 1.01, 1.0, 0.003), below="use --scale standard"),
    "alike": ill(spread=0.0),
    "dead": ill(unit="relu", silent=0.7),
    "saturated": ill(saturated=0.4),
    "always_on": ill(always=0.5),
    "vanishing": slow(1e-5, 1e-3, 1e-2),
    "small_steps": slow(1e-7, 1e-7, 1e-6),
    "large_steps": ill(step=0.3),
    "swings": replace(HEALTHY, curves=FALLING | {"loss": np.array([2.0, 1.0, 1.4, 0.9, 1.5, 0.8, 1.6])}),
    "constant": replace(HEALTHY, curves=STANDING),
    "overfitting": replace(HEALTHY, curves=FITTED),
    "free_energy_gap": replace(HEALTHY, curves=FALLING | {"gap": np.array([-1.0, 3.0, 14.0])}, gap_unit=25.0),
}


def test_each_fault_is_told_as_itself():
    assert set(PLANTED) == set(FINDINGS)
    options = {
        flag for command in typer.main.get_command(cli.app).commands.values() for p in command.params for flag in p.opts
    }
    for name, figures in PLANTED.items():
        found, words = first(figures, [])
        assert found == name
        text = FINDINGS[name].sentence.format(**words)
        named = set(re.findall(r"--[a-z-]+", text))
        assert named, text
        assert named <= options
        assert len(text) < 260
        assert first(figures, [name]) is None
        assert set(FINDINGS[name].covers) <= set(FINDINGS)


@pytest.mark.parametrize("figures", [
    HEALTHY,
    Figures(),
    replace(HEALTHY, inputs=InputFigures(-4.0, 4.0, 1.0, 1.0, "linear")),
    replace(PLANTED["small_steps"], fresh=False, constant=None),  # it goes on with a trained network
    replace(PLANTED["small_steps"], by_rate=False, constant=None),  # and here there is no rate
    replace(PLANTED["overfitting"], watched=True),  # early stopping is at work
    replace(HEALTHY, curves=FITTED | {"score": WORSE[::-1]}),  # surer of its errors, but there are fewer
    replace(PLANTED["small_steps"], curves=STANDING | {"updates": np.arange(1.0, 8.0)}),  # it has hardly begun
])  # fmt: skip
def test_what_is_well(figures):
    assert first(figures, []) is None


def test_effects_are_not_told_beside_their_cause():
    both = replace(PLANTED["dead"], curves=STANDING)
    assert first(both, [])[0] == "dead"
    assert first(both, ["dead"]) is None
    watch = watching.Watch()
    said = [n.name for name in PLANTED for n in watch.notes(PLANTED[name])]
    assert len(said) == watching.MOST == len(set(said))


def test_vitals():
    draw = np.random.default_rng(0)
    W = draw.normal(0, 0.1, (50, 8)).astype(np.float32)
    assert vitals.spread(W) > 0.8
    assert vitals.spread(np.repeat(W[:, :1], 8, axis=1)) == pytest.approx(0, abs=1e-6)
    assert vitals.spread(np.zeros((50, 8), np.float32)) == 0
    before = draw.normal(0, 1, 2 * vitals.PLACES).astype(np.float32)
    assert vitals.steps(before, before * np.float32(1.01)) == pytest.approx([0.0099] * 2, rel=0.01)
    a = np.full((100, 4), 0.5)
    a[:, 0], a[:95, 1], a[:80, 2] = 0.001, 0.999, 0.001
    assert vitals._activity("logistic", a) == {"saturated": 0.5}
    assert vitals._activity("relu", np.array([[0.0, 0.0], [0.0, 1.0]] * 50)) == {"silent": 0.5}
    assert vitals._activity("relu", np.zeros((10, 3))) == {}


def test_looks_are_few():
    for epochs in (1, 5, 30, 100, 10_000):
        assert sum(watching.due(e, epochs) for e in range(1, epochs + 1)) <= watching.OFTEN + 2 * watching.LOOKS
        assert watching.due(1, epochs)


def names(records):
    return [r.name for r in records if isinstance(r, workflows.Noted)]


NET = {"layers": (100, 100), "epochs": 6, "batch_size": 10}
RELU = {"units": ("relu",), "init": ("he",)}
STACK = {"layers": (20,), "epochs": (4,), "batch_size": (10,)}
RUNS = {
    "healthy": ("finetune", NET, []),
    "healthy relu": ("finetune", NET | RELU | {"learning_rate": "0.01"}, []),
    "rate 1": ("finetune", NET | RELU | {"learning_rate": "1"}, ["dead"]),
    "ten times the first weights": ("finetune", NET | {"init": ("glorot:10",)}, ["saturated"]),
    "unscaled": ("finetune", NET | {"scale": "none"}, ["input_range"]),
    "tiny rate": ("finetune", NET | {"learning_rate": "1e-6"}, ["small_steps"]),
    "tiny rate of adam": ("finetune", NET | {"learning_rate": "1e-8", "optimizer": "adam"}, ["small_steps"]),
    "overfitting": ("finetune", NET | {"labels": 100, "valid": "100", "epochs": 60}, ["overfitting"]),
    "early stopping": ("finetune", NET | {"labels": 100, "valid": "100", "epochs": 60, "patience": 5}, []),
    "all alike": ("finetune", NET | {"init": ("gaussian:0",)}, ["alike"]),
    "too deep": ("finetune", NET | {"layers": (100,) * 5, "epochs": 4}, ["vanishing"]),
    "no rate": ("finetune", NET | {"optimizer": "cg", "batch_size": 250}, []),
    "healthy stack": ("pretrain", STACK, []),
    "healthy autoencoder": ("pretrain", STACK | {"method": "dae"}, []),
    "tiny rate of a machine": ("pretrain", STACK | {"learning_rate": ("1e-7",)}, ["small_steps"]),
    "a machine of rate 30": ("pretrain", STACK | {"learning_rate": ("30",)}, ["dead"]),
    "unscaled machine": ("pretrain", STACK | {"visible": "linear", "scale": "none"}, ["input_range"]),
    "a machine that overfits": (
        "pretrain", STACK | {"layers": (200,), "epochs": (60,), "valid": "400"}, ["free_energy_gap"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_planted_runs(name, digits, finish, tmp_path):
    command, words, told = RUNS[name]
    records = finish(getattr(workflows, command)(digits, str(tmp_path / "a.h5"), **words))
    assert names(records) == told
    assert records[-1].result.get("notes", []) == told


@pytest.mark.parametrize("name", ["rate 1", "unscaled machine", "overfitting"])
def test_looking_changes_no_bit(name, digits, finish, tmp_path, monkeypatch):
    command, words, _ = RUNS[name]
    finish(getattr(workflows, command)(digits, str(tmp_path / "a.h5"), **words))
    monkeypatch.setattr(loops, "due", lambda epoch, epochs: False)
    monkeypatch.setattr(watching.Watch, "notes", lambda self, found: iter(()))
    monkeypatch.setattr(checkup.Checkup, "inputs", None)
    finish(getattr(workflows, command)(digits, str(tmp_path / "b.h5"), **words))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize("name", ["rate 1", "unscaled", "unscaled machine"])
def test_what_was_said_is_not_said_again(name, digits, finish, cut, tmp_path):
    """Also where the file of a cut run goes through many hands; what another version said is left out."""
    command, words, told = RUNS[name]
    said = []
    for _ in range(40):
        run = getattr(workflows, command)(digits, str(tmp_path / "a.h5"), **words, stop=cut(37), resume=True)
        said += names(records := finish(run))
        if records[-1].outcome == "finished":
            break
    assert said == told == records[-1].result["notes"]
    state = {"said": np.frombuffer(b"dead,unheard of,\xff", np.uint8)}
    assert watching.Watch.taken_from(state).said == ["dead"]
    assert state == {}


def test_a_run_stopped_while_it_is_measured_is_looked_at_later(digits, finish, cut, tmp_path, monkeypatch):
    monkeypatch.setattr(models, "CHUNK", 20)
    words = NET | {"init": ("gaussian:0",), "epochs": 1, "batch_size": 100, "valid": "100"}
    whole = str(tmp_path / "whole.h5")
    calls = []
    assert names(finish(workflows.finetune(digits, whole, **words, stop=lambda: calls.append(1)))) == ["alike"]
    for call in range(len(calls) - 4, len(calls)):
        path = tmp_path / f"{call}.h5"
        first = finish(workflows.finetune(digits, str(path), **words, stop=cut(call)))
        assert (first[-1].outcome, names(first)) == ("interrupted", [])
        assert "before" in checkpoint.load(str(path)).train
        assert names(finish(workflows.finetune(digits, str(path), **words, resume=True))) == ["alike"]
        assert path.read_bytes() == (tmp_path / "whole.h5").read_bytes()
    state = {"before": np.zeros(3, np.float32)}
    assert watching.Watch.taken_from(state).take(np.arange(4)) is None
    assert state == {}


def test_the_epoch_at_which_patience_ends_is_looked_at(digits, finish, tmp_path, monkeypatch):
    monkeypatch.setattr(loops, "due", lambda epoch, epochs: epoch == 2)
    words = NET | {"init": ("gaussian:0",), "batch_size": 100, "valid": "100", "patience": 1, "learning_rate": "1e-30"}
    records = finish(workflows.finetune(digits, str(tmp_path / "a.h5"), **words))
    assert (records[-1].outcome, records[-1].result["epochs"], names(records)) == ("early stop", 2, ["alike"])


def test_notes_are_shown_and_logged(digits, call, tmp_path):
    words = ["finetune", digits, "--layers", "30", "--epochs", "4", "--learning-rate", "1e-6", "--batch-size", "10"]
    done = call(*words, "-o", tmp_path / "a.h5", "--log", tmp_path / "a.jsonl")
    assert done.err.count("deepnet: note: the loss stands still") == 1
    assert done.err.count("--learning-rate") == 1
    assert "notes" in done.out
    assert '"event": "note"' in (tmp_path / "a.jsonl").read_text()
    assert call(*words, "-o", tmp_path / "b.h5", "-q").err == ""

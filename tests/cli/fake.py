"""Workflows that compute nothing, with the records of the real ones; as a program it is `deepnet` on top of them.

FAKE_EPOCHS, FAKE_SLEEP (seconds a minibatch; with FAKE_KERNEL in compiled code), FAKE_TELL (of what was saved, on
stderr), FAKE_WARNING, FAKE_NOTE and FAKE_DIVERGE steer it where it runs in a process of its own.
"""

import os
import sys
import time
from dataclasses import dataclass, field

CALLS = []
MINIBATCHES = 10


@dataclass(frozen=True)
class Start:
    command: str
    plan: dict
    options: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    stage: str
    epoch: int
    epochs: int
    metrics: dict
    cases: int
    seconds: float
    counters: dict = field(default_factory=dict)
    counted: str = "epoch"


@dataclass(frozen=True)
class Saved:
    path: str
    seconds: float


@dataclass(frozen=True)
class Warned:
    text: str


@dataclass(frozen=True)
class Noted:
    name: str
    text: str
    figures: dict


@dataclass(frozen=True)
class End:
    outcome: str
    result: dict
    next: str


@dataclass
class Meter:
    label: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""
    early: bool = False

    def left(self):
        return None


def _saved(output):
    """A checkpoint, which costs nothing here."""
    if "FAKE_TELL" in os.environ:
        sys.stderr.write(f"saved: {output}\n")
    return Saved(output, 0.01)


def _sleep():
    """What makes a minibatch wait: Python's sleep, or a kernel that ends only with its process."""
    if "FAKE_KERNEL" not in os.environ:
        return time.sleep
    import numba

    @numba.njit(nogil=True)
    def kernel(seconds):
        total = 0.0
        for i in range(int(seconds * 1e10)):
            total += (i * 1.5) % 7.0
        return total

    kernel(0.0)
    return kernel


def _train(command, data, output, options):
    """Epochs of minibatches that sleep."""
    stop, meter = options["stop"], options["meter"]
    epochs, pause = int(os.environ.get("FAKE_EPOCHS", "2")), float(os.environ.get("FAKE_SLEEP", "0"))
    sleep = _sleep()
    yield Start(command, {"data": data, "network": "784-500", "parameters": 393284, "layers": [{"inputs": 784}]})
    if options["dry_run"]:
        return
    stage = "layer 1/1 784-500"
    for epoch in range(1, epochs + 1):
        meter.label, meter.total, meter.detail = stage, 1000 * MINIBATCHES, f"epoch {epoch}/{epochs}"
        for batch in range(MINIBATCHES):
            sleep(pause)
            meter.done = 1000 * (batch + 1)
            if stop():
                yield _saved(output)
                yield End("interrupted", {"epochs": epoch}, f"deepnet {command} ... --resume")
                return
        if "FAKE_WARNING" in os.environ:
            yield Warned("layer 1 diverged in epoch 1: the loss is not finite")
        if "FAKE_NOTE" in os.environ:
            yield Noted("dead", "51 % of the relu units of layer 1 are dead: use another --init", {"share": "51 %"})
        if "FAKE_DIVERGE" in os.environ:
            from deepnet.errors import DivergedError

            raise DivergedError("layer 1 diverged in epoch 1; lower --learning-rate")
        yield Epoch(stage, epoch, epochs, {"reconstruction_error": 5.0 / epoch, "gap": float("nan")}, 10_000, 0.5)
    yield _saved(output)
    yield End("finished", {"best_epoch": epochs, "reconstruction_error": 2.5}, "deepnet finetune mnist --from stack.h5")


def pretrain(data, output, **options):
    CALLS.append(("pretrain", (data, output), options))
    return _train("pretrain", data, output, options)


def finetune(data, output, **options):
    CALLS.append(("finetune", (data, output), options))
    return _train("finetune", data, output, options)


def cross_validate(data, output, **options):
    CALLS.append(("cross_validate", (data, output), options))
    return _train("finetune", data, output, options)


def efficiency(data, output, **options):
    CALLS.append(("efficiency", (data, output), options))
    return _train("efficiency", data, output, options)


def evaluate(model, data, **options):
    CALLS.append(("evaluate", (model, data), options))
    return {
        "error": 0.0125,
        "error_interval": [0.0105, 0.0149],
        "wrong": 125,
        "classes": [{"class": "0", "precision": 0.5}, {"class": "1", "precision": float("nan")}],
        "confusion": [[9, 1], [0, 10]],
    }


def visualize(model, data, output, **options):
    CALLS.append(("visualize", (model, data, output), options))
    return {"written": [f"{output}filters.png", f"{output}history.png"], "code_neighbour_error": 0.25}


def predict(model, data, **options):
    CALLS.append(("predict", (model, data), options))
    for row in range(int(os.environ.get("FAKE_EPOCHS", "3"))):
        yield b"%d,cat\n" % row


def inspect(file, **options):
    CALLS.append(("inspect", (file,), options))
    return {"kind": "stack", "parameters": 1234567, "history": [{"epoch": 1, "error": 0.5}]}


def verify_resume(**options):
    CALLS.append(("verify_resume", (), options))
    differ = {"dropout": "W of layer 1 differs"} if "FAKE_FAULT" in os.environ else {}
    bits = "W of layer 1 differs" if differ else "the same"
    options["say"](f"dropout: cut 3 times: {bits}")
    runs = [{"run": "dropout", "minibatches": 10, "cuts": 3, "threads": "2 1", "bits": bits}]
    return {"identical": 1 - len(differ), "differ": differ, "runs": runs, "seconds": 1.0}


def warmup(**options):
    CALLS.append(("warmup", (), options))
    options["say"]("machines: 3 compiled, 1.0 s")
    return {"compiled": 3, "seconds": 1.0, "note": "every kernel is compiled; commands start at once"}


def compare(data, nets, output, **options):
    CALLS.append(("compare", (data, nets, output), options))
    rows = [{"model": net, "error": 0.02, "difference": None, "verdict": "better"} for net in nets]
    return {"task": "classify", "cases": 100, "chart": output, "models": rows}


def selfcheck(**options):
    CALLS.append(("selfcheck", (), options))
    options["say"]("products: passed")
    failed = {"units": "a slope: off by 3 times what is allowed"} if os.environ.get("FAKE_FAULT") else {}
    return {"passed": 2 - len(failed), "failed": failed, "seconds": 1.0}


def doctor(**options):
    CALLS.append(("doctor", (), options))
    return {"deepnet": "0.1.0", "threads": 2, "advice": "nothing looks wrong"}


if __name__ == "__main__":
    import deepnet

    deepnet.workflows = sys.modules["deepnet.workflows"] = sys.modules["__main__"]
    from deepnet.__main__ import main

    sys.exit(main())

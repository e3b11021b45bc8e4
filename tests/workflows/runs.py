"""All kinds of run, from the tables of the house, and how each is repeated, whole and in pieces.

A method, optimizer, task, loss, unit or precision has its row here by being in its table. A new option has none, and
`test_repeats` says so until it is in a row of KINDS and in CHANGES.
"""

import inspect
import itertools
import warnings
from pathlib import Path

import numba

from deepnet import checkpoint, workflows
from deepnet.cli.options import HIDDEN, TASKS
from deepnet.kernels import bfloat16, operands
from deepnet.nn.losses import CLASSIFIERS
from deepnet.optimizers import BATCHES, OPTIMIZERS
from deepnet.workflows.plans import METHODS
from deepnet.workflows.verify_resume import difference, in_pieces, places_of, threads_of, whole

# What decides where and when a run goes on, and nothing of its result.
RUNTIME = {"data", "output", "force", "resume", "dry_run", "threads", "max_time", "stop", "meter"}
PRECISIONS = [name for name in operands.PRECISIONS if name != "bfloat16" or bfloat16.available()]

_STACK = {"layers": (20, 6), "epochs": (2, 1), "batch_size": (120,)}
_NET = {"start": "stack", "epochs": 2, "batch_size": 120}
_NEW = {"start": None, "layers": (20, 10)}
_WORDS = {"data": "words", "size": "14"}
_MIXED = {"data": "meadow", "label": "kind, as told", "category": ("bed", "row")}
_TABLE = {"data": "flowers", "label": "kind, as told", "ignore": ("sepal width",), "scale": "standard"}
# What a row of a table needs beside its name, where it needs anything.
_OPTIMIZERS = {
    "rmsprop": {"settings": (("decay", 0.8),)},
    "cg": {"batch_size": 250, "settings": (("searches", 2),), "epochs": 4},
    "hessian_free": {"settings": (("iterations", 15),)},
}
_TASKS = {
    "regress": {"valid": "0.1"},
    "reconstruct": {"valid": "last:50"},
    "one_class": {"normal": ("1", "7"), "batch_size": 20},
    "mimic": {"teacher": ("net",), "temperature": 4.0, "average": 0.9},
}

PRETRAIN = {
    **{f"method {name}": {"method": name, "valid": "0.1"} for name in METHODS},
    **{f"precision {name}": {"precision": name, "batch_size": (119,)} for name in PRECISIONS},
    "CD-2, sparse": {
        "layers": (20,), "epochs": (2,), "cd_steps": (2,), "sparsity_target": (0.1,), "sparsity_cost": (0.1,),
        "visible_bias": "mean", "l1": (0.0001,), "weight_decay": (0.001,), "init": ("gaussian:0.05",),
    },
    "relu on relu": {"units": ("relu", "linear"), "learning_rate": ("cosine:0.001:0.0001",), "seed": 3},
    "softmax on logistic": {"units": ("logistic", "softmax"), "epochs": (1,), "momentum": ("rising:0.9:0.5:2",)},
    "untied": {
        "method": "dae", "untied": True, "units": ("relu", "tanh"), "emphasis": (0.5,),
        "corruption": ("salt_pepper:0.3", "gaussian:0.2"),
    },
    "contraction": {"method": "cae", "contraction": (0.5,)},
    "whitened": {"visible": "linear", "zca": 0.1, "contrast": "l2", "valid": "0.1"},
    "components": {"visible": "linear", "pca": 30},
    "table": _TABLE | {"visible": "linear", "layers": (6,), "epochs": (4,), "batch_size": (50,)},
    "svmlight": _WORDS | {"layers": (6,), "epochs": (2,), "batch_size": (50,)},
    "mixed table": _MIXED | {"layers": (6,), "epochs": (4,), "batch_size": (50,)},
    "mixed table, autoencoder": _MIXED | {"method": "dae", "layers": (6,), "epochs": (4,), "batch_size": (50,)},
}  # fmt: skip
FINETUNE = {
    **{
        f"optimizer {name}": {"optimizer": name}
        | ({} if BATCHES[kind.batch] else {"batch_size": None, "epochs": 8})
        | _OPTIMIZERS.get(name, {})
        for name, kind in OPTIMIZERS.items()
    },
    **{f"task {name}": {"task": name} | _TASKS.get(name, {}) for name in TASKS},
    **{f"loss {name}": {"loss": name, "learning_rate": "0.01"} for name in CLASSIFIERS},
    **{f"precision {name}": {"precision": name, "valid": "0.1"} for name in PRECISIONS},
    "every unit": _NEW | {"layers": (10,) * len(HIDDEN), "units": HIDDEN, "learning_rate": "0.001"},
    "rising": {"momentum": "rising:0.9:0.5:3"},
    "early stopping": {"valid": "0.1", "patience": 1, "epochs": 4, "learning_rate": "0.5"},
    "frozen first": {"freeze_epochs": 2},
    "dropout": _NEW | {"units": ("relu",), "init": ("he",), "dropout": (0.2, 0.5, 0.5), "seed": 5},
    "batch normalisation": _NEW | {"batch_norm": True, "valid": "0.1"},
    "schedule": {"learning_rate": "cosine:0.1:0.001", "momentum": "step:0.5:0.9:1", "weight_decay": 0.001, "clip": 1.0},
    "from a network": {"start": "net", "labels": 240},
    "limited": {"max_norm": (0.5, 0.4, 0.6), "optimizer": "momentum", "l1": 1e-4, "learning_rate": "warmup:1:0.1"},
    "limited and frozen first": {"max_norm": (0.5,), "freeze_epochs": 2},
    "noise curvature": {"noise": (0.1,), "optimizer": "hessian_free", "settings": (("iterations", 15),)},
    "fading noise": {
        "noise": (0.2, 0.1, 0.1), "dropout": (0.0, 0.2, 0.0), "noise_schedule": "linear:1:0", "freeze_epochs": 1,
    },
    "smoothed": {"label_smoothing": 0.1, "learning_rate": "inverse:0.1:0.5"},
    "averaged": {"average": 0.9, "valid": "0.1", "epochs": 3, "freeze_epochs": 1},
    "averaged adam": {"average": 1.0, "optimizer": "adam"},
    "averaged curvature": {"average": 0.5, "optimizer": "hessian_free", "settings": (("iterations", 15),)},
    "Kronecker curvature": {
        "optimizer": "hessian_free", "settings": (("kronecker", 1), ("share", 0.5), ("iterations", 3)), "valid": "0.1",
    },
    "moved": {"jitter": 2, "dropout": (0.2, 0.0, 0.0)},
    "components": _NEW | {"units": ("relu",), "pca": 30, "contrast": "l1", "jitter": 1, "valid": "0.1"},
    "components, restored": _NEW
    | {"pca": 30, "task": "reconstruct", "jitter": 1, "optimizer": "cg", "batch_size": 250, "epochs": 4},
    "whitened": _NEW | {"zca": 0.1},
    "rates by layer": {"layer_rates": (0.0, 0.1, 1.0), "valid": "0.1"},
    "frozen below for lbfgs": {
        "layer_rates": (0.0, 1.0, 1.0), "optimizer": "lbfgs", "epochs": 8, "batch_size": None,
    },
    "mimic of logits": {
        "task": "mimic", "teacher": ("net",), "logits": True, "hard_weight": 0.5, "learning_rate": "0.003",
    },
    "without biases": _NEW | {"bias": False, "units": ("relu",)},
    "table": _TABLE | _NEW | {"batch_size": 50},
    "svmlight": _WORDS | _NEW | {"layers": (6,), "batch_size": 50},
    "mixed table": _MIXED | _NEW | {"batch_size": 50, "valid": "0.1"},
    "mixed table, restored": _MIXED | _NEW | {"batch_size": 50, "task": "reconstruct", "noise": (0.1,)},
    "weighted": _TABLE
    | _NEW
    | {"batch_size": 50, "weight": "sepal width", "ignore": (), "class_weight": "balanced", "valid": "0.2"},
    "weighted curvature": _TABLE
    | _NEW
    | {"weight": "sepal width", "ignore": (), "optimizer": "hessian_free", "settings": (("iterations", 15),)},
    # Squared error and linear units: the first rates are too high, and are halved.
    "halved": {
        "data": "houses", "label": "price", "scale": "standard", "start": None, "layers": (8,), "units": ("linear",),
        "task": "regress", "epochs": 3, "batch_size": 50, "optimizer": "sgd", "learning_rate": "2.5",
    },
}  # fmt: skip
KINDS = {
    **{f"pretrain, {name}": ("pretrain", _STACK | row) for name, row in PRETRAIN.items()},
    **{f"finetune, {name}": ("finetune", _NET | row) for name, row in FINETUNE.items()},
}

# Another value of each option, and of others that both runs need; what the refusal calls it where that is another name.
_SMALL = {"pretrain": {"layers": (12,), "epochs": (2,), "batch_size": (120,)},
          "finetune": {"layers": (12,), "epochs": 2, "batch_size": 120}}  # fmt: skip
_MIMIC = {"task": "mimic", "teacher": ("net",)}
_PRICES = {"data": "flowers", "task": "regress", "label": "petal width", "ignore": ("kind, as told",), "scale": "none"}
_DAE, _LINEAR = {"method": "dae"}, {"visible": "linear"}
_BOTH = {
    "seed": (1, {}),
    "precision": ("bfloat16", {}),
    "valid": ("0.2", {"valid": "0.1"}),
    "scale": ("unit", {}),
    "weight_decay": {"pretrain": ((0.1,), {}), "finetune": (0.1, {})},
    "l1": {"pretrain": ((0.1,), {}), "finetune": (0.1, {})},
    "contrast": {"pretrain": ("l2", _LINEAR), "finetune": ("l2", {})},
    "pca": {"pretrain": (30, _LINEAR), "finetune": (30, {})},
    "zca": {"pretrain": (0.1, _LINEAR), "finetune": (0.1, {})},
    "label": {"pretrain": ("petal width", _TABLE | _LINEAR | {"label": "sepal length", "ignore": ("kind, as told",)}),
              "finetune": ("sepal length", _PRICES)},
    "ignore": {"pretrain": (("petal width",), _TABLE | _LINEAR),
               "finetune": (("kind, as told", "sepal width"), _PRICES)},
    "epochs": {"pretrain": ((1,), {}), "finetune": (1, {})},
    "batch_size": {"pretrain": ((100,), {}), "finetune": (100, {})},
    "learning_rate": {"pretrain": (("0.05",), {}), "finetune": ("0.05", {})},
    "momentum": {"pretrain": (("0.5",), {}), "finetune": ("0.5", {})},
    "layers": ((13,), {}),
    "units": (("relu",), {}),
    "init": (("sparse",), {}),
    "category": (("bed",), _MIXED),
    "size": ("15", _WORDS),
}  # fmt: skip
_PRETRAIN = {
    "method": ("dae", {}),
    "visible": ("linear", {}),
    "visible_bias": ("mean", {}),
    "cd_steps": ((2,), {}),
    "corruption": (("gaussian:0.2",), _DAE),
    "emphasis": ((0.5,), _DAE),
    "untied": (True, _DAE),
    "contraction": ((0.2,), {"method": "cae"}),
    "sparsity_target": ((0.1,), {}),
    "sparsity_cost": ((0.2,), {"method": "sae"}),
}
_FINETUNE = {
    "start": ("net", {"start": "stack", "layers": None}),
    "noise": ((0.2,), {"noise": (0.1,)}),
    "noise_schedule": ("linear:1:0.5", {"noise": (0.1,)}),
    "dropout": ((0.1,), {}),
    "bias": (False, {}),
    "batch_norm": (True, {}),
    "task": ("reconstruct", {}),
    "loss": ("squared_hinge", {}),
    "normal": (("1",), {"task": "reconstruct", "normal": ("0",), "batch_size": 20}),
    "teacher": (("other",), _MIMIC),
    "temperature": (5.0, _MIMIC),
    "logits": (True, _MIMIC),
    "hard_weight": (0.5, _MIMIC),
    "optimizer": ("momentum", {}),
    "layer_rates": ((0.5, 1.0), {}),
    "max_norm": ((0.5,), {}),
    "label_smoothing": (0.1, {}),
    "average": (0.9, {}),
    "clip": (1.0, {}),
    "patience": (1, {"valid": "0.1"}),
    "freeze_epochs": (1, {}),
    "settings": ((("decay", 0.8),), {"optimizer": "rmsprop"}),
    "jitter": (1, {}),
    "labels": (200, {"labels": 300}),
    "weight": ("sepal width", _TABLE | {"ignore": (), "weight": "sepal length"}),
    "class_weight": ("balanced", {}),
}
FIELDS = {("finetune", "layers"): "widths", ("finetune", "start"): "parent", ("finetune", "teacher"): "teachers"}
CHANGES = {
    **{("pretrain", n): row["pretrain"] if isinstance(row, dict) else row for n, row in _BOTH.items()},
    **{("finetune", n): row["finetune"] if isinstance(row, dict) else row for n, row in _BOTH.items()},
    **{("pretrain", n): row for n, row in _PRETRAIN.items()},
    **{("finetune", n): row for n, row in _FINETUNE.items()},
}


def changed(command, option):
    """The settings of a run, and of the other one that may not go on with it."""
    value, beside = CHANGES[command, option]
    own = _SMALL[command] | beside
    return own, own | {option: value}


def options(command):
    """The names of a workflow's options that shape its result."""
    return set(inspect.signature(getattr(workflows, command)).parameters) - RUNTIME


def begun(command, settings, files, **live):
    """The records of a run; `files` has the paths of the data and models that the settings name."""
    words = dict(settings)
    if words.get("start") is not None:
        words["start"] = files[words["start"]]
    if words.get("teacher"):
        words["teacher"] = [files[name] for name in words["teacher"]]
    return getattr(workflows, command)(files[words.pop("data", "digits")], **words, **live)


def strict():
    """In a process that repeats runs: what the tests' own process does with warnings."""
    warnings.simplefilter("error")


def repeated(name, files, folder, numbers, trials):
    """Train a kind on each of these numbers of threads, then so many times in pieces: what differed, and how often cut.

    The numbers of threads change at each cut.
    """
    command, settings = KINDS[name]
    paths = (str(Path(folder, f"{n}.h5")) for n in itertools.count())
    first, differ, cuts = next(paths), [], []

    def begin(path, **live):
        return begun(command, settings, files, output=path, **live)

    minibatches = whole(begin, first, numbers[0])
    for number in numbers[1:]:
        whole(begin, path := next(paths), number)
        differ.append(f"{found} on {number} threads" if (found := difference(first, path)) else None)
    for trial in range(trials):
        places, threads = places_of(minibatches, trial), threads_of(max(numbers), trial)
        cuts.append(in_pieces(begin, path := next(paths), places, threads))
        differ.append(f"{found}, cut at {places}" if (found := difference(first, path)) else None)
        Path(path).unlink()
    saved = checkpoint.load(first)
    return {
        "threads": numba.config.NUMBA_NUM_THREADS,
        "minibatches": minibatches,
        "cuts": cuts,
        "differ": [found for found in differ if found],
        "halvings": max(float(part["halvings"].max()) for part in saved.history.values()),
    }

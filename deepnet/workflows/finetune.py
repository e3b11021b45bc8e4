"""finetune: a network trained by backpropagation, from a stack, from another network, or from random weights."""

from collections.abc import Iterator
from dataclasses import fields, replace

from .. import checkpoint
from ..checkpoint import Checkpoint
from ..errors import UsageError
from ..kernels import jit
from ..nn.layers import Weighted
from ..nn.losses import MARGINS
from ..nn.losses import parse as parse_loss
from ..optimizers import BATCHES, OPTIMIZERS
from ..optimizers.objective import Optimizer
from ..optimizers.schedules import constant, parse
from ..training import Meter
from . import bounds, feeds, networks, one_class, preparing, regularizers, sources, teachers, weighting
from .memory import check_network, of_network
from .models import pack
from .plans import written
from .records import Start, Told, Warned
from .runs import FINE, TOP, Clock, check_precision, check_resume
from .starting import alone, open_run, settle
from .tuning import Tuning

# The default rate of plain gradient rules where outputs are numbers, pixels, margins or logits: at 0.1, right for a
# softmax, first steps saturate the layers below and the net gives one constant.
GENTLE = "0.01"
NUMBERS = {int: "a whole number above 0", float: "a number of at least 0", bool: "0 or 1"}  # that --set takes


@alone
def finetune(
    data,
    output=None,
    *,
    start=None,
    layers=None,
    units=("logistic",),
    init=("glorot",),
    noise=(0.0,),
    noise_schedule=None,
    dropout=(0.0,),
    bias=True,
    batch_norm=False,
    task="classify",
    loss=None,
    class_weight=None,
    normal=(),
    teacher=(),
    temperature=None,
    logits=False,
    hard_weight=None,
    optimizer="nesterov",
    epochs=30,
    batch_size=None,
    learning_rate=None,
    momentum=None,
    layer_rates=None,
    weight_decay=0.0,
    l1=0.0,
    max_norm=None,
    label_smoothing=0.0,
    average=None,
    clip=None,
    patience=None,
    freeze_epochs=0,
    settings=(),
    precision="float32",
    valid="none",
    scale="auto",
    contrast="none",
    pca=None,
    zca=None,
    jitter=0,
    labels=None,
    label=None,
    weight=None,
    ignore=(),
    category=(),
    size=None,
    force=False,
    resume=False,
    dry_run=False,
    seed=0,
    threads=None,
    max_time=None,
    stop=lambda: None,
    meter=None,
) -> Iterator[Told]:
    """Train and save a network; yields Start, Epoch, Saved and End records. Options as on the command line.

    To classify or regress, it trains on the cases that have a label, with `labels` on so many; scaling is by all.
    `class_weight` may be a mapping too. With weights, losses and errors while training are of weighted cases.
    """
    bounds.check("finetune", locals())
    if threads is not None:
        jit.set_threads(threads)
    check_precision(precision)
    old, warning = open_run(output, "network", force, resume, dry_run, (data, valid, start, *teacher))
    parent = checkpoint.load(start) if start is not None else None
    asked_loss, C = _loss(loss, task)
    _check_normal(normal, task)
    by_class = weighting.parse(class_weight, task)
    mimicry = teachers.mimicry(task, teacher, temperature, logits, hard_weight, parent)
    known = networks.known_classes(parent, task) if mimicry is None else mimicry.teachers.classes
    words = {"weight": weight, "category": category, "size": size, "like": networks.like(parent, mimicry)}
    dataset, held_out = sources.read(data, valid, task, label, ignore, seed, known, normal=normal, **words)
    weights, dataset = weighting.digest(dataset), weighting.counted(dataset)
    if mimicry is not None:
        mimicry.teachers.check_data(dataset)
    if patience is not None and "valid" not in dataset.splits:
        raise UsageError("--patience looks at held-out cases: add --valid 0.1, or another choice of them")
    feeds.check_jitter(jitter, dataset)
    prepared = preparing.settings(contrast, pca, zca)
    preparation = networks.preparation_of(parent, dataset, scale, prepared, task, start)
    if task in ("classify", "regress"):
        dataset = sources.labelled(dataset, ("train", "valid"), labels, seed)
    elif labels is not None:
        raise UsageError(f"--labels is for --task classify or regress, not for {task}; leave it out")
    dataset = weighting.settled(dataset, by_class)
    cases = len(dataset.splits["train"])
    batch_size = _batch_size(batch_size, optimizer, cases)
    made = "classify" if mimicry is not None else task  # a student is an ordinary classifier
    network, arrays = networks.build(
        parent, dataset, preparation, made, layers, units, init, noise, dropout, asked_loss, bias, batch_norm
    )
    regularizers.check_mixed(network, batch_size)
    per_epoch = -(-cases // batch_size)
    trained_by = "logits" if logits else network.loss
    rule = _optimizer(optimizer, trained_by, learning_rate, momentum, clip, settings, per_epoch, epochs)
    share = regularizers.noise_schedule(noise_schedule, network, per_epoch, epochs)
    asked = regularizers.settings(network, task, optimizer, noise, layer_rates, l1, max_norm, label_smoothing, average)
    asked |= prepared | ({"jitter": jitter} if jitter else {}) | ({"noise_schedule": written(share)} if share else {})
    asked |= mimicry.settings if mimicry is not None else {}
    asked |= {"normal": list(normal)} if normal else {}
    weighed = {"weight": weight, "weights": weights, "class_weight": weighting.written(by_class)}
    asked |= {name: value for name, value in weighed.items() if value is not None}
    asked |= {} if bias else {"bias": False}
    asked |= {"category": list(category)} if category else {}
    asked |= {} if size is None else {"size": size}
    asked |= {"loss": network.loss, "C": C or 1.0} if network.loss in MARGINS else {}
    moving = regularizers.spans(network, asked.get("layer_rates", ()), optimizer)
    smaller = "smaller --layers" if parent is None else "a smaller net to --from"
    sizes = {name: len(c) for name, c in dataset.splits.items()}
    facts = asked | {"batch_size": batch_size, "precision": precision}
    said = len(dataset.classes) if mimicry is not None else 0
    need = check_network(
        lambda other: of_network(network, other, sizes, preparation, facts, said),
        rule,
        network.layout.count,
        smaller,
    )
    asked |= {"batch_norm": True} if batch_norm else {}
    theta = pack(network, networks.draw(network, arrays, seed))
    if task == "one_class" and preparation.centre is None:
        train = dataset.splits["train"]
        preparation = replace(preparation, centre=one_class.centre(network, theta, train, preparation))
    config = {
        "command": "finetune",
        "task": task,
        "widths": list(network.widths),
        "units": [layer.unit for layer in network.layers if isinstance(layer, Weighted)],
        "init": list(init) if parent is None else "parent",
        "dropout": list(dropout),
        "optimizer": optimizer,
        "epochs": epochs,
        "batch_size": batch_size,
        "settings": dict(sorted(settings)),
        "learning_rate": written(rule.learning_rate) if hasattr(rule, "learning_rate") else None,
        "momentum": written(rule.momentum) if hasattr(rule, "momentum") else None,
        "weight_decay": weight_decay,
        "clip": clip,
        "patience": patience,
        "freeze_epochs": freeze_epochs,
        "precision": precision,
        "valid": held_out,
        "scale": scale,
        "label": label,
        "ignore": list(ignore),
        "seed": seed,
        "parent": parent.digest if parent else None,
    } | asked
    if labels is not None:
        config["labels"] = labels
    history = _earlier(parent) if parent else {}
    run = Tuning(dataset, preparation, network, theta, rule, moving, config, history, meter or Meter(), mimicry)
    done = False
    if old is not None:
        schedules = [getattr(rule, name) for name in ("learning_rate", "momentum") if hasattr(rule, name)]
        schedules += [share] if share else []
        check_resume(old, config, dataset.fingerprint, not any(s.needs_total for s in schedules))
        done = old.complete and (old.config["epochs"] == epochs or run.ended_early(old))
        if not done:
            run.restore(old)
    if not (dry_run or done):
        need.check_disk(output)
    yield Start("finetune", run.summary(optimizer) | need.plan() | (run.trial() if dry_run else {}), config)
    yield from map(Warned, dataset.notes)
    said = one_class.warning(network.layers) if task == "one_class" else None
    said = sources.missing_classes(dataset) if task == "classify" else said
    if said is not None:
        yield Warned(said)
    if dry_run:
        return
    yield from settle(output, warning, done)
    if done:
        yield run.end("already finished", data, output, old)
        return
    yield from run.train(Clock(stop, max_time), data, output)


def _earlier(parent: Checkpoint) -> dict:
    """The parent's history; its own fine-tuning under a number, since a new one begins."""
    count = 1 + sum(stage.startswith(f"{FINE} ") for stage in parent.history)
    numbered = {FINE: f"{FINE} {count}", TOP: f"{TOP} {count}"}
    return {numbered.get(stage, stage): dict(metrics) for stage, metrics in parent.history.items()}


def _loss(given: str | None, task: str) -> tuple[str | None, float | None]:
    """The name of the loss that was asked for, and its C."""
    if given is None:
        return None, None
    if task != "classify":
        raise UsageError(f"--loss is for classes, and --task {task} has a loss of its own; leave it")
    return parse_loss(given)


def _check_normal(normal, task: str) -> None:
    """UsageError for tasks that are about all classes, or about none."""
    if normal and task not in sources.BLIND:
        raise UsageError(f"--normal is for --task one_class and reconstruct, and this is {task}; leave it")


def _batch_size(given: int | None, optimizer: str, cases: int) -> int:
    """Cases in a minibatch: as given, or what the optimizer wants, at most all."""
    if given is None:
        given = min(cases, BATCHES[OPTIMIZERS[optimizer].batch] or cases)
    return sources.batch_of(given, cases)


def _optimizer(name: str, loss: str, rate, momentum, clip, more, per_epoch: int, epochs: int) -> Optimizer:
    """The optimizer with its settings; None leaves its default, for the steeper losses GENTLE."""
    kind, settings = OPTIMIZERS[name], {}
    own = {field.name: field.default for field in fields(kind)}
    for option, value in (("learning_rate", rate), ("momentum", momentum), ("clip", clip)):
        if value is not None and option not in own:
            able = ", ".join(n for n, other in OPTIMIZERS.items() if option in other.__dataclass_fields__)
            raise UsageError(f"--{option.replace('_', '-')}: {name} has none; use --optimizer {able}")
    if rate is None and loss != "cross_entropy" and own.get("learning_rate") == constant(0.1):
        rate = GENTLE
    if rate is not None:
        settings["learning_rate"] = parse("--learning-rate", rate, per_epoch, epochs, positive=True)
    if momentum is not None:
        settings["momentum"] = parse("--momentum", momentum, per_epoch, epochs, most=1.0)
    if clip is not None:
        settings["clip"] = clip
    return kind(**settings, **_set(name, {n: d for n, d in own.items() if type(d) in NUMBERS}, more))


def _set(name: str, own: dict, given) -> dict:
    """The numbers of --set NAME=VALUE, of the types that the optimizer's settings have."""
    found = {}
    for setting, value in given:
        if setting not in own:
            names = ", ".join(own) or "none"
            raise UsageError(f"--set {setting}={value:g}: {name} has no such number; it has {names}")
        kind = type(own[setting])
        if kind(value) != value or value < 0 or (kind is int and value < 1):
            raise UsageError(f"--set {setting}={value:g}: must be {NUMBERS[kind]}")
        found[setting] = kind(value)
    return found

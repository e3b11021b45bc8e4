"""pretrain: a stack of machines or autoencoders, each on the mean activations of the one below.

Sources: Hinton, Osindero and Teh 2006; Bengio et al. 2007; Vincent et al. 2010.
"""

from collections.abc import Iterator

from ..kernels import jit
from ..training import Meter
from . import bounds, preparing, sources
from .memory import check_stack
from .plans import own_options, plans_of, spread, written
from .records import Start, Told, Warned
from .runs import Clock, check_precision, check_resume
from .stacking import Stacking
from .starting import alone, open_run, settle


@alone
def pretrain(
    data,
    output=None,
    *,
    layers=(500, 500, 2000),
    method="rbm",
    visible="auto",
    units=("logistic",),
    init=None,
    visible_bias=None,
    epochs=(10,),
    batch_size=None,
    learning_rate=None,
    momentum=("step:0.5:0.9:5",),
    cd_steps=None,
    corruption=None,
    emphasis=None,
    untied=False,
    contraction=None,
    weight_decay=None,
    l1=None,
    sparsity_target=None,
    sparsity_cost=None,
    precision="float32",
    valid="none",
    scale="auto",
    contrast="none",
    pca=None,
    zca=None,
    label=None,
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
    """Train and save a stack.

    Yields Start, Epoch, Saved and End records. Options as on the command line, one value or one a layer.
    """
    bounds.check("pretrain", locals())
    if threads is not None:
        jit.set_threads(threads)
    check_precision(precision)
    old, warning = open_run(output, "stack", force, resume, dry_run, (data, valid))
    dataset, held_out = sources.read(data, valid, None, label, ignore, seed, category=category, size=size)
    prepared = preparing.settings(contrast, pca, zca)
    visible = preparing.visible_of(visible, dataset, prepared)
    preparation = preparing.prepare(dataset, scale, visible, prepared)
    per_layer = {
        "layers": layers,
        "units": units,
        "init": init,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "momentum": momentum,
    }
    given = {
        "cd_steps": cd_steps,
        "visible_bias": visible_bias,
        "corruption": corruption,
        "emphasis": emphasis,
        "untied": untied,
        "contraction": contraction,
        "weight_decay": weight_decay,
        "l1": l1,
        "sparsity_target": sparsity_target,
        "sparsity_cost": sparsity_cost,
    }
    each = {name: spread(value, len(layers)) for name, value in per_layer.items()}
    own = own_options(method, given, len(layers))
    seen, shape = preparing.units_of(visible, preparation), (len(dataset.splits["train"]), preparation.width)
    plans = list(plans_of(method, each, own, seen, shape))
    each["learning_rate"] = [written(p.learning_rate) for p in plans]
    config = (
        each
        | own
        | {
            "command": "pretrain",
            "method": method,
            "visible": visible,
            "precision": precision,
            "valid": held_out,
            "scale": scale,
            "label": label,
            "ignore": list(ignore),
            "seed": seed,
        }
        | prepared
        | ({"category": list(category)} if category else {})
        | ({} if size is None else {"size": size})
    )
    need = check_stack(plans, {name: len(c) for name, c in dataset.splits.items()}, preparation, config)
    run = Stacking(dataset, preparation, plans, config, seed, meter or Meter())
    done = False
    if old is not None:
        extendable = not any(p.learning_rate.needs_total or p.momentum.needs_total for p in plans)
        check_resume(old, config, dataset.fingerprint, extendable)
        done = old.complete and list(old.config["epochs"]) == each["epochs"]
        if not done:
            run.restore(old)
    if not (dry_run or done):
        need.check_disk(output)
    yield Start("pretrain", run.summary() | need.plan() | (run.trial() if dry_run else {}), config)
    yield from map(Warned, dataset.notes)
    if dry_run:
        return
    yield from settle(output, warning, done)
    if done:
        yield run.end("already finished", data, output, old)
        return
    yield from run.train(Clock(stop, max_time), data, output)

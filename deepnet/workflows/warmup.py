"""warmup: every kernel compiled before it is needed, by running small cases of all that the tables hold."""

import re
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from ..checkpoint import load
from ..kernels import bfloat16, jit
from ..kernels.minibatch import CONTRASTS
from ..nn.corruptions import CORRUPTIONS
from ..nn.gibbs import Gibbs
from ..nn.losses import MARGINS
from ..nn.units import UNITS
from ..optimizers import OPTIMIZERS
from .doctor import doctor
from .evaluate import evaluate
from .finetune import finetune
from .plans import METHODS
from .predict import predict
from .pretrain import pretrain

UNUSED_DAYS = 30
TASKS = "classify", "regress", "reconstruct", "one_class", "mimic"
_FOLDER = re.compile(r"[0-9a-f]{16}")
_SMALL = {"epochs": 1, "batch_size": 16, "layers": (20, 3), "force": True}


def warmup(*, threads=None, say=lambda line: None) -> dict:
    """Compile what the cache lacks and say what there is now; cache folders not used for UNUSED_DAYS are removed.

    `say` gets a line a group of kernels, as it is done.
    """
    if threads is not None:
        jit.set_threads(threads)
    began, before = time.perf_counter(), set(jit.COMPILED)
    with tempfile.TemporaryDirectory() as folder:
        for label, cases in _groups(Path(folder)):
            since, known = time.perf_counter(), len(jit.COMPILED)
            cases()
            say(f"{label}: {len(jit.COMPILED) - known} compiled, {time.perf_counter() - since:.1f} s")
    new = set(jit.COMPILED) - before
    files = list(jit.CACHE.glob("*.nbc")) if jit.CACHE is not None else []
    return {
        "compiled": len(new),
        "seconds": round(time.perf_counter() - began, 1),
        "cache": str(jit.CACHE) if jit.CACHE is not None else None,
        "kernels": len(files),
        "megabytes": round(sum(_size(path) for path in files) / 1e6, 1),
        "removed": _purge(jit.CACHE),
        "note": _note(new),
    }


def _groups(folder: Path):
    """(label, function that runs its cases), in an order that has what later ones start from."""
    pixels, shades, table = (str(folder / name) for name in ("pixels.npz", "shades.npz", "table.csv"))
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (33, 32, 32), dtype=np.uint8)
    images[random.random(images.shape) < 0.8] = 0  # as many zeros as make steps worth leaving out
    classes = np.arange(33) % 3
    np.savez(pixels, x_train=images, y_train=classes, x_test=images, y_test=classes)
    np.savez(shades, x=images.astype(np.float32), y=classes)
    rows = random.standard_normal((33, 4))
    lines = (f"{','.join(map(str, row))},{i % 3}\n" for i, row in enumerate(rows))
    Path(table).write_text("a,b,c,d,label\n" + "".join(lines))
    mixed = str(folder / "mixed.csv")
    lines = (f"{row[0]},{'ny'[i % 2]},{'rgb'[i % 3]},{i % 3}\n" for i, row in enumerate(random.random((41, 1))))
    Path(mixed).write_text("a,b,c,label\n" + "".join(lines))
    stack, net, first, blend = (str(folder / f"{name}.h5") for name in ("stack", "net", "first", "blend"))

    scaled = {"scale": "standard", "valid": "0.2"}

    def machines():
        for unit in (name for name, kind in UNITS.items() if kind.rate is not None):
            _run(pretrain(table, stack, **_SMALL, visible="linear", units=(unit,), **scaled))
            _use(stack, table, "train")
            _run(pretrain(pixels, stack, **_SMALL, units=(unit,), sparsity_target=(0.1,), cd_steps=(2,)))
            _use(stack, pixels)
        _run(pretrain(pixels, stack, **_SMALL, valid="0.2"))
        for method in (name for name in METHODS if name != "rbm"):
            for untied in (False, True):
                _run(pretrain(pixels, stack, **_SMALL, method=method, untied=untied))
        for corruption in CORRUPTIONS:
            _run(pretrain(pixels, stack, **_SMALL, method="dae", corruption=(corruption,), emphasis=(0.5,)))

    def fields():
        _run(pretrain(mixed, blend, **_SMALL, **scaled))
        _use(blend, mixed, "train")
        loaded = load(blend)
        Gibbs(loaded.model.layers[0], loaded.arrays[0], 2, 0).step(np.zeros((2, loaded.model.widths[0]), np.float32))
        _run(pretrain(mixed, blend, **_SMALL, method="dae", **scaled))
        _run(finetune(mixed, net, start=blend, task="reconstruct", epochs=1, optimizer="hessian_free", force=True))
        _use(net, mixed, "train")

    def networks():
        _run(finetune(table, first, **_SMALL, **scaled))
        for logits in (False, True):
            mimicked = {"task": "mimic", "teacher": (first, first), "logits": logits, "hard_weight": 0.1}
            _run(finetune(table, net, **_SMALL, **mimicked, **scaled))
            _run(finetune(table, net, **_SMALL, **mimicked, optimizer="hessian_free", **scaled))
        evaluate(net, table, split="train", teacher=(first,))
        for task in (task for task in TASKS if task != "mimic"):
            _run(finetune(table, net, **_SMALL, task=task, weight_decay=0.1, **scaled))
            _use(net, table, "train", table if task == "one_class" else None)
            if task != "regress":
                _run(finetune(pixels, net, start=stack, task=task, epochs=2, freeze_epochs=1, force=True))
                _use(net, pixels)
        for loss in MARGINS:
            _run(finetune(pixels, net, **_SMALL, loss=loss))
            _use(net, pixels)
        _run(finetune(pixels, net, **_SMALL, loss=MARGINS[0], optimizer="hessian_free"))
        _run(finetune(pixels, net, **_SMALL, optimizer="hessian_free", settings=(("kronecker", 1),)))
        for unit in (*(name for name, kind in UNITS.items() if not kind.rowwise), "maxout"):
            _run(finetune(pixels, net, **_SMALL, units=(unit,), dropout=(0.5,), valid="0.2"))
        _run(finetune(pixels, net, **_SMALL, noise=(0.1,), max_norm=(0.1,), l1=0.1, average=0.9))
        evaluate(net, pixels, mc=1)
        for kind in CONTRASTS:
            _run(finetune(pixels, net, **_SMALL, contrast=kind, pca=9, jitter=2))
            _use(net, pixels)
        _run(finetune(shades, net, **_SMALL, jitter=2, scale="unit"))
        _run(finetune(pixels, net, **_SMALL, batch_norm=True, optimizer="hessian_free"))
        _use(net, pixels)

    def optimizers():
        for name, kind in OPTIMIZERS.items():
            if hasattr(kind, "clip"):
                _run(finetune(pixels, net, **_SMALL, optimizer=name, clip=1.0))
            _run(finetune(pixels, net, **_SMALL, optimizer=name))

    def rounded():
        if bfloat16.available():
            _run(pretrain(pixels, stack, **_SMALL, precision="bfloat16"))
            _run(finetune(pixels, net, start=stack, epochs=1, force=True, precision="bfloat16"))

    groups = {
        "machines": machines,
        "mixed columns": fields,
        "networks": networks,
        "optimizers": optimizers,
        "bfloat16": rounded,
    }
    return *groups.items(), ("doctor", doctor)


def _run(records):
    """Go through a generator to its end."""
    for _ in records:
        pass


def _use(model: str, data: str, split: str = "test", calibrate: str | None = None) -> None:
    """What is done with a model that is there."""
    evaluate(model, data, split=split)
    _run(predict(model, data, split=split, calibrate=calibrate))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _purge(cache: Path | None) -> int:
    """Remove the cache folders beside ours that no start has dated for UNUSED_DAYS; how many they were."""
    if cache is None:
        return 0
    count, limit = 0, time.time() - UNUSED_DAYS * 86400
    for folder in cache.parent.iterdir():
        if folder != cache and _FOLDER.fullmatch(folder.name) and folder.is_dir() and folder.stat().st_mtime < limit:
            shutil.rmtree(folder, ignore_errors=True)
            count += not folder.exists()
    return count


def _note(new: set[str]) -> str:
    """What the user should know of the cache, in a sentence."""
    if not jit.ENABLED:
        return "NUMBA_DISABLE_JIT is set: nothing is compiled, and everything is slow"
    if jit.CACHE is None:
        return "there is no cache folder that only you can write to: each run compiles anew; set XDG_CACHE_HOME to one"
    if not all(jit.COMPILED[name] for name in new):
        return f"{jit.CACHE} did not take all kernels: each run compiles the rest; free space or set XDG_CACHE_HOME"
    return "every kernel is compiled; commands start at once"

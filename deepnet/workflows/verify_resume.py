"""verify-resume: that runs which are cut and go on have the bits of those that were not, shown here and now.

Each kind of RUNS is trained whole, and again cut at minibatches drawn by the seed, on another number of threads after
each cut; the two files must be the same, byte for byte.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .. import checkpoint, data
from ..errors import DeepnetError
from ..kernels import jit, random
from .finetune import finetune
from .pretrain import pretrain
from .records import End

CASES, MOST_CUTS, MOST_THREADS = 500, 10, 4
Begin = Callable[..., Iterator]

_STACK = {"layers": (40, 20), "batch_size": (50,)}
_NET = {"layers": (40, 20), "batch_size": 50, "epochs": 3}
# Each with what it alone must carry over a cut.
RUNS: dict[str, tuple[Begin, dict]] = {
    "Boltzmann machines": (pretrain, _STACK | {"epochs": (3, 2), "cd_steps": (1, 2), "valid": "0.1"}),
    "denoising autoencoders": (pretrain, _STACK | {"method": "dae", "epochs": (2,)}),
    "backpropagation": (finetune, _NET | {"freeze_epochs": 1, "learning_rate": "cosine:0.1:0.001"}),
    "dropout, early stopping": (
        finetune,
        _NET
        | {"dropout": (0.2, 0.5, 0.5), "valid": "0.2", "epochs": 8, "patience": 3, "learning_rate": "step:0.1:1:2"},
    ),  # it gets worse after its second epoch
    "running mean, Adam": (finetune, _NET | {"optimizer": "adam", "average": 0.9, "jitter": 1}),
    "batch normalisation": (finetune, _NET | {"batch_norm": True, "noise": (0.1,)}),
    "deep autoencoder": (finetune, _NET | {"task": "reconstruct", "optimizer": "momentum"}),
    "Hessian-free": (finetune, _NET | {"optimizer": "hessian_free", "settings": (("iterations", 10),)}),
    "L-BFGS": (finetune, _NET | {"optimizer": "lbfgs", "batch_size": None, "epochs": 12}),
}


@dataclass
class Poll:
    """A `stop` that lets `left` minibatches pass (None: all) and counts them."""

    left: int | None = None
    count: int = field(default=0, init=False)

    def __call__(self) -> str | None:
        """Why the run is to end at this minibatch, or None."""
        if self.left is not None and self.count >= self.left:
            return "interrupted"
        self.count += 1
        return None


def whole(begin: Begin, path: str, threads: int) -> int:
    """Run without a break; how many minibatches it took."""
    poll = Poll()
    end = _end(begin(path, stop=poll, threads=threads))
    assert end.outcome in ("finished", "early stop"), end.outcome
    return poll.count


def in_pieces(begin: Begin, path: str, places: Sequence[int], threads: Sequence[int]) -> int:
    """Run until so many minibatches are done, again and again, on each number of threads in turn; how often it was cut.

    `places` are minibatches since the start, in order. Each piece begins from the file, and with nothing else.
    """
    done, cuts = 0, 0
    for turn, place in enumerate([*places, None]):
        poll = Poll(None if place is None else place - done)
        end = _end(begin(path, stop=poll, resume=True, threads=threads[turn % len(threads)]))
        done += poll.count
        cuts += end.outcome == "interrupted"
    return cuts


def places_of(minibatches: int, key: int) -> list[int]:
    """Where a run of so many minibatches is cut: one to MOST_CUTS places, in order; two may be the same."""
    draws = random.uniform(key, 0, 1, 1 + MOST_CUTS)[0]
    count = 1 + int(draws[0] * MOST_CUTS)
    return sorted(int(u * minibatches) for u in draws[1 : 1 + count])


def threads_of(most: int, key: int) -> list[int]:
    """Every number of threads from 1 to `most`, in an order drawn by the key."""
    return [int(n) + 1 for n in random.permutation(random.fold(key, 1), most)]


def difference(one: str, other: str) -> str | None:
    """What differs first between two model files, or None where they are the same bytes."""
    if Path(one).read_bytes() == Path(other).read_bytes():
        return None
    a, b = checkpoint.load(one), checkpoint.load(other)
    for n, (own, theirs) in enumerate(zip(a.arrays, b.arrays, strict=False), 1):
        for name in own:
            if name not in theirs or not np.array_equal(own[name], theirs[name]):
                return f"{name} of layer {n}"
    return next((part for part in ("history", "config", "provenance") if _unlike(a, b, part)), "the rest of the file")


def _unlike(a, b, part: str) -> bool:
    """Whether two checkpoints have another history, or other settings."""
    return repr(getattr(a, part)) != repr(getattr(b, part))


def _end(records: Iterator) -> End:
    """The last record of a run."""
    *_, end = records
    return end


def verify_resume(*, threads=None, seed=0, say=lambda line: None) -> dict:
    """Compare every kind of RUNS: {"identical": number, "differ": {name: what}, "runs": rows, "seconds"}.

    On 1 to `threads` threads, MOST_THREADS where none are given; `say` gets a line a kind.
    """
    before, most = jit.threads(), min(threads or MOST_THREADS, jit.most_threads())
    began, differ, rows = time.perf_counter(), {}, []
    cases = data.load("mnist")
    cases = replace(cases, splits={"train": cases.splits["train"].at(slice(CASES))})
    try:
        with tempfile.TemporaryDirectory(prefix="deepnet-") as folder:
            for n, (name, (workflow, settings)) in enumerate(RUNS.items()):
                begin = _beginning(workflow, cases, settings | {"seed": seed})
                row = {"run": name} | _compare(begin, os.path.join(folder, str(n)), random.fold(seed, n), most)
                rows.append(row)
                if row["bits"] != "the same":
                    differ[name] = row["bits"]
                say(f"{name}: cut {row['cuts']} times on threads {row['threads']}: {row['bits']}")
    finally:
        jit.set_threads(before)
    seconds = round(time.perf_counter() - began, 1)
    return {"identical": len(rows) - len(differ), "differ": differ, "runs": rows, "seconds": seconds}


def _beginning(workflow: Begin, cases, settings: dict) -> Begin:
    """The workflow on these cases with these settings."""
    return lambda path, **live: workflow(cases, path, **settings, **live)


def _compare(begin: Begin, path: str, key: int, most: int) -> dict:
    """One kind of run, whole and in pieces: a row of the table."""
    order = threads_of(most, key)
    minibatches, cuts = whole(begin, f"{path}-whole.h5", most), 0
    try:
        cuts = in_pieces(begin, f"{path}-cut.h5", places_of(minibatches, key), order)
        found = difference(f"{path}-whole.h5", f"{path}-cut.h5")
        bits = "the same" if found is None else f"{found} differs"
    except DeepnetError as problem:
        bits = f"it did not go on: {problem}"
    used = order[: cuts + 1]
    return {"minibatches": minibatches, "cuts": cuts, "threads": " ".join(map(str, used)), "bits": bits}

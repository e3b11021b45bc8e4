"""doctor: what a bug report needs to know of an installation, and what in it makes deepnet slow."""

import os
import platform
import time
from contextlib import suppress
from importlib import metadata
from statistics import median

import numpy as np

from .. import __version__
from ..files import free_memory
from ..kernels import bfloat16, ceiling, jit, operands, products, units
from ..kernels.microkernel import target

PACKAGES = ("numpy", "numba", "llvmlite", "h5py", "typer", "rich", "matplotlib")
CASES, WIDTH = 1000, 1000  # of the product that is timed
ROUNDS, MOST_LOAD = 9, 0.5  # the load is that of other programs, a core


def doctor(*, threads=None) -> dict:
    """Versions, CPU, threads, kernels chosen, their speed against the ceiling in GFLOP/s, cache; what looks wrong.

    The ceiling is what the multipliers do with data in the first cache, on all threads in use.
    """
    if threads is not None:
        jit.set_threads(threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    most, ours = _speeds() if jit.ENABLED else (None, None)
    lanes, rows = target()
    found = {
        "deepnet": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "cpu": _cpu(),
        "cores": _cores(),
        "load": load,
        "free_memory_megabytes": free_memory() >> 20,
        "threads": jit.threads(),
        "threading_layer": jit.layer(),
        "kernels": f"blocks of {rows} rows, vectors of {lanes} float32" if jit.ENABLED else "none compiled",
        "bfloat16": bfloat16.available(),
        "ceiling_gflops": most,
        "product_gflops": ours,
        "of_ceiling": f"{100 * ours / most:.0f} %" if most else None,
        "cache": str(jit.CACHE) if jit.CACHE is not None else None,
        "cached_kernels": len(list(jit.CACHE.glob("*.nbc"))) if jit.CACHE is not None else 0,
    }
    return found | {"advice": " ".join(_advice(found)) or "nothing looks wrong"}


def _version(package: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def _cpu() -> str:
    """The processor's name."""
    with suppress(OSError, StopIteration), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        return next(line for line in file if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _speeds() -> tuple[float, float]:
    """GFLOP/s of the bare register block and of a product of 1000 x 1000 x 1000, by turns, medians of ROUNDS."""
    x, W, out = (operands.matrix(*shape) for shape in ((CASES, WIDTH), (WIDTH, WIDTH), (CASES, WIDTH)))
    rng = np.random.default_rng(0)
    x[...], W[...] = (rng.random(a.shape, np.float32) for a in (x, W))
    bias, bare, times = operands.vector(WIDTH), ceiling.peak(), ([], [])
    calls = bare, lambda: products.up(x, W, bias, units.LINEAR, out)
    for turn in range(1 + ROUNDS):
        for call, seconds in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            if turn:  # the first one compiles
                seconds.append(time.perf_counter() - began)
    most, ours = (median(seconds) for seconds in times)
    return round(ceiling.flops() / most / 1e9, 1), round(2.0 * CASES * WIDTH * WIDTH / ours / 1e9, 1)


def _advice(found: dict) -> list[str]:
    """Sentences on what makes runs slow here."""
    said = []
    if not jit.ENABLED:
        said.append("NUMBA_DISABLE_JIT is set, so nothing is compiled and everything is slow: unset it.")
    if target()[0] < 8 and platform.machine() in ("x86_64", "AMD64"):
        said.append("This CPU, or the one that NUMBA_CPU_NAME names, has no AVX2: products take several times as long.")
    if found["threads"] > found["cores"]:
        said.append(f"{found['threads']} threads share {found['cores']} cores: give --threads {found['cores']}.")
    if found["load"] is not None and found["load"] > MOST_LOAD * found["cores"]:
        said.append(f"Other programs keep {found['load']:.1f} cores busy, so speeds told here are too low.")
    if jit.ENABLED and jit.CACHE is None:
        said.append("There is no cache folder that only you can write to: set XDG_CACHE_HOME to one.")
    if found["threading_layer"] == "workqueue":
        said.append("Numba found no OpenMP, and its own threads take longer to start: install libgomp1.")
    return said

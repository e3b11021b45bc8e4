"""Contestants in processes of their own, timed in alternation; medians, spread and ratios as a table.

A benchmark page names JOBS and CONTESTANTS, {name: function(job) -> callable that does the job once}, and calls
`main`. Run as a page, it starts a process a contestant (`--worker NAME`), asks them in turn, several rounds a job,
and never has two at work at once: two thread pools in one process, or two busy processes, would measure each other.
A page that knows a job's operations gives `flops`; then what the multipliers can do (`ceiling`) is a contestant too.
One that is not installed, or dies, has a dash in the table.
"""

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS = 9
LEAST_SECONDS = 0.15  # of one measurement; short jobs are repeated within it
CEILING = "ceiling"
SLOW, TRIES = 1.4, 4  # a measurement that takes so many times the contestant's best is made again, so many times in all
BUSY = 0.85  # share of its threads' time that a contestant should compute in; less: they may sit on one core
REST = 0.3  # between two contestants, so that the last one sleeps: OpenBLAS spins on for 0.1 s

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode: ours and the peers' alike


def vectors():
    """The vector instructions that kernels are compiled for: the folder of the figures."""
    from deepnet.kernels.microkernel import target

    return {16: "avx512", 8: "avx2"}.get(target()[0], "plain")


def machine():
    """Processor, vectors, cores and threads of this run, as a table states them."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        name = next(
            (x.split(":")[1].strip() for x in info.read_text().splitlines() if x.startswith("model name")), name
        )
    return f"{name} ({vectors()}), {os.cpu_count()} cores, {threads()} threads"


def threads():
    """How many threads the contestants have."""
    return int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))


def limit(count):
    """Give all processes started from here on `count` threads, and as many cores: jax obeys nothing else."""
    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    os.environ.update(dict.fromkeys(names, str(count)))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def _ceiling(job):
    from deepnet.kernels.ceiling import peak

    return peak()


def _ceiling_flops():
    from deepnet.kernels.ceiling import flops

    return flops()


def _once(job):
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def _spread():
    """Move the threads of this process that computed most to cores of their own, and leave them free again.

    Threads that sleep and are woken every half millisecond are never moved apart by Linux where they once sat on one
    core of two; it then looks like one that is idle half of the time.
    """
    cores, tasks = sorted(os.sched_getaffinity(0)), Path("/proc/self/task")
    stats = {int(task.name): (task / "stat").read_text().rpartition(")")[2].split() for task in tasks.iterdir()}
    ran = {task: int(fields[11]) + int(fields[12]) for task, fields in stats.items()}
    for task, core in zip(sorted(ran, key=ran.__getitem__, reverse=True), cores, strict=False):
        os.sched_setaffinity(task, [core])
        os.sched_setaffinity(task, cores)


def _timed(job, repeats):
    """The median of so many times of a job, in seconds; again, threads spread, while they compute too little."""
    for _ in range(TRIES):
        wall, own = time.perf_counter(), time.process_time()
        took = median(_once(job) for _ in range(repeats))
        busy = (time.process_time() - own) / (time.perf_counter() - wall)
        if busy > BUSY * threads() or not Path("/proc/self/task").exists():
            break
        _spread()
    return took


def _serve(contestants, jobs, name):
    """A worker: reads `job repeats` lines, answers with the median of so many times, in seconds."""
    made = {}
    for line in sys.stdin:
        job, repeats = json.loads(line)
        try:
            if job not in made:
                made[job] = contestants[name](jobs[job])
                made[job]()
            answer = _timed(made[job], repeats)
        except (NotImplementedError, ImportError):
            answer = None
        print(json.dumps(answer), flush=True)


class _Worker:
    """A contestant's process."""

    def __init__(self, page, name):
        self.name, self.dead = name, False
        self.process = subprocess.Popen(
            [sys.executable, page, "--worker", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, job, repeats):
        """Seconds that a job takes, the median of so many repeats, or None where it is not for this contestant."""
        try:
            self.process.stdin.write(json.dumps([job, repeats]) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        if not answer and not self.dead:
            print(f"  {self.name} died in {job}", file=sys.stderr)
            self.dead = True
        return json.loads(answer) if answer else None

    def close(self):
        """End the process."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait()


def _calm(worker, job, repeats, best):
    """A measurement, made again while it looks as if the machine had taken a core away."""
    for _ in range(TRIES):
        time.sleep(REST)
        took = worker.time(job, repeats)
        if took is None or best is None or took < SLOW * best:
            break
    return took


def measure(page, contestants, jobs, rounds=ROUNDS):
    """{job: {contestant: [seconds of one repeat, a round each]}}, by alternation."""
    workers = [_Worker(page, name) for name in contestants]
    out = {}
    for job in jobs:
        repeats, own = {}, [w for w in workers if w.time(job, 1) is not None]
        for worker in own:
            once = worker.time(job, 1)
            repeats[worker.name] = max(1, round(LEAST_SECONDS / max(once, 1e-7)))
        seconds = {worker.name: [] for worker in own}
        for _ in range(rounds):
            for worker in own:
                took = _calm(worker, job, repeats[worker.name], min(seconds[worker.name], default=None))
                if took is not None:
                    seconds[worker.name].append(took)
        out[job] = {name: each for name, each in seconds.items() if len(each) == rounds}
        seconds = out[job]
        print(f"  {job}: {', '.join(f'{n} {1e3 * median(s):.3g} ms' for n, s in seconds.items())}", file=sys.stderr)
    for worker in workers:
        worker.close()
    return out


def ratio(results, job, ours, other):
    """Median over rounds of other's time over ours: above 1 we are faster."""
    pairs = zip(results[job][ours], results[job][other], strict=True)
    return median(b / a for a, b in pairs)


def spread(values):
    """Half the distance of the quartiles over the median, in percent: how noisy it was."""
    ordered = sorted(values)
    n = len(ordered)
    return 50 * (ordered[(3 * n) // 4] - ordered[n // 4]) / median(ordered)


def main(page, title, contestants, jobs, ours="deepnet", flops=None, alone=None):
    """Measure and print a Markdown table: milliseconds of each, ratio to each, share of the ceiling.

    `alone` is a contestant that does only what we could not leave out; it is no peer, but tells how far ahead of the
    best peer we could be at most.
    """
    ceiling = CEILING if flops else None
    contestants = contestants | ({CEILING: _ceiling} if flops else {})
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--worker", choices=list(contestants))
    parser.add_argument("--only", help="contestants, with commas")
    parser.add_argument("--jobs", help="jobs whose name contains this")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, help="threads, and cores, of every contestant")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asked = parser.parse_args()
    if asked.worker:
        _serve(contestants, jobs, asked.worker)
        return None
    if asked.threads:
        limit(asked.threads)
    names = asked.only.split(",") if asked.only else list(contestants)
    chosen = {job: spec for job, spec in jobs.items() if not asked.jobs or asked.jobs in job}
    results = measure(page, names, chosen, asked.rounds)
    peers = [n for n in names if n not in (ours, ceiling, alone)]
    print(f"\n## {title}\n\n{machine()}; medians of {asked.rounds} alternating rounds; x: that peer's time over ours\n")
    head = ["job", "ours, ms", "noise"] + (["GFLOP/s"] if flops else []) + (["of ceiling"] if ceiling else [])
    last = ["x best peer"] + ([f"x {alone}", "at most"] if alone in names else [])
    print("| " + " | ".join([*head, *(f"x {p}" for p in peers), *last]) + " |")
    print("|" + "---|" * (len(head) + len(peers) + len(last)))
    table = []
    for job, seconds in results.items():
        mine = median(seconds[ours])
        row = {"job": job, "ms": 1e3 * mine, "noise": spread(seconds[ours])}
        cells = [job, f"{1e3 * mine:.3g}", f"{row['noise']:.0f} %"]
        if flops:
            row["gflops"] = flops(jobs[job]) / mine / 1e9
            cells.append(f"{row['gflops']:.0f}")
        if ceiling in seconds:
            row["of_ceiling"] = ratio(results, job, ours, ceiling) * flops(jobs[job]) / _ceiling_flops()
            cells.append(f"{100 * row['of_ceiling']:.0f} %")
        elif ceiling:
            cells.append("-")
        row["ratios"] = {p: ratio(results, job, ours, p) for p in peers if p in seconds}
        best = min(row["ratios"].values(), default=None)
        row["best"] = best
        cells += [f"{row['ratios'][p]:.2f}" if p in row["ratios"] else "-" for p in peers]
        cells.append("-" if best is None else f"{best:.2f}")
        if alone in seconds and best is not None:
            row["alone"] = ratio(results, job, ours, alone)
            row["at_most"] = best / row["alone"]
            cells += [f"{row['alone']:.2f}", f"{row['at_most']:.2f}"]
        elif len(last) > 1:
            cells += ["-", "-"]
        print("| " + " | ".join(cells) + " |", flush=True)
        table.append(row)
    for what, key in (("of the ceiling", "of_ceiling"), ("of the best peer's speed", "best")):
        values = [row[key] for row in table if row.get(key) is not None]
        if len(values) > 1:
            print(f"\n{what}: median {100 * median(values):.0f} %, worst {100 * min(values):.0f} %")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"title": title, "machine": machine(), "rows": table}, indent=1) + "\n")
    return table


if __name__ == "__main__":
    print(vectors())

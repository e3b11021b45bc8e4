"""Mutation testing: faults are planted in the source of a package, one at a time, and its tests are to see each.

    python tests/mutants.py --count 100 checkpoint       # a sample of deepnet/checkpoint, by tests/test_checkpoint.py

Prints those that lived and how many did not. A mutant is one place of the syntax tree that is changed: a comparison
shifted by one or turned over, an operator or a number another one, a condition always true or always false, a `raise`
or an assignment to an attribute left out. Each runs in a process forked from one that has NumPy, Numba, h5py and
pytest loaded; it sees the changed page in the place of the one on disk, and is a survivor if its tests pass. Weighed
against mutmut and cosmic-ray: both rewrite copies of the tree and start Python anew for each mutant, 10 s here.
Sampling is by seed (DeMillo, Lipton and Sayward 1978 for the idea; Jia and Harman 2011 for samples).
"""

import argparse
import ast
import contextlib
import copy
import importlib.machinery
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = {  # a package, the tests that are to see its faults
    "checkpoint": ["tests/checkpoint", "tests/test_checkpoint.py", "tests/test_round_trips.py"],
    "data": ["tests/data", "tests/test_round_trips.py"],
}
BUSY, LIMIT = 90, 900  # seconds of CPU, and of the clock, for the tests of a mutant; one that hangs is seen
_SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
            ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}  # fmt: skip
_OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
          ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift}  # fmt: skip


def changed(node):
    """The ways in which one node may be changed: pairs of words and a new node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SHIFTED:
        yield (
            "other comparison",
            ast.Compare(node.left, [_SHIFTED[type(node.ops[0])](), *node.ops[1:]], node.comparators),
        )
    if isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
        yield "other operator", ast.BinOp(node.left, _OTHER[type(node.op)](), node.right)
    if isinstance(node, ast.BoolOp):
        yield "and for or", ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        yield "last condition left out", ast.BoolOp(node.op, [*node.values[:-1], node.values[-2]])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not left out", node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "number plus one", ast.Constant(node.value + 1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "true for false", ast.Constant(not node.value)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        for value in (True, False):
            if not (isinstance(node, ast.While) and value):
                other = copy.copy(node)
                other.test = ast.Constant(value)
                yield f"always {value}".lower(), other
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)):
        yield f"{type(node).__name__.lower()} left out", ast.Pass()


class Replace(ast.NodeTransformer):
    """Puts a node in the place of another one."""

    def __init__(self, old, new):
        self._old, self._new = old, new

    def visit(self, node):
        """The new node where the old one is met."""
        return ast.copy_location(self._new, node) if node is self._old else self.generic_visit(node)


def mutants(package):
    """(path, line, words, index of the node, index of the change) of every mutant of a package."""
    out = []
    for path in sorted((ROOT / "deepnet" / package).rglob("*.py")):
        for n, node in enumerate(ast.walk(ast.parse(path.read_text()))):
            out += [(path, node.lineno, words, n, k) for k, (words, _) in enumerate(changed(node))]
    return out


def code_of(path, n, k):
    """The compiled page with one change."""
    tree = ast.parse(path.read_text())
    node = list(ast.walk(tree))[n]
    new = list(changed(node))[k][1]
    return compile(ast.fix_missing_locations(Replace(node, new).visit(tree)), str(path), "exec", dont_inherit=True)


def _child(mutant, tests):
    """In a forked process: put the changed page in place, run its tests, leave with what pytest says."""
    if mutant is not None:
        path, _, _, n, k = mutant
        plain, code = importlib.machinery.SourceFileLoader.get_code, code_of(path, n, k)
        importlib.machinery.SourceFileLoader.get_code = lambda self, name: (
            code if Path(self.path) == path else plain(self, name)
        )
    import pytest

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
        status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
    os._exit(int(status))


def survives(mutant, tests):
    """Whether the tests pass in spite of the fault; None is no fault."""
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (BUSY, BUSY))
        try:
            _child(mutant, tests)
        finally:
            os._exit(99)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def warm():
    """Load what all children need, but none of the packages that are changed."""
    sys.path.insert(0, str(ROOT))
    for name in ("numpy", "h5py", "pytest", "deepnet.nn.objective", "deepnet.nn.rbm", "deepnet.files"):
        importlib.import_module(name)
    loaded = [name for name in sys.modules for package in TESTS if name.startswith(f"deepnet.{package}")]
    assert not loaded, loaded


def sample(package, count, seed=0):
    """(mutants tried, those that lived), which are told as they are found."""
    every = mutants(package)
    chosen = random.Random(seed).sample(every, min(count, len(every)))
    tests = [test for test in TESTS[package] if (ROOT / test).exists()]
    os.chdir(ROOT)
    if not survives(None, tests):
        raise SystemExit(f"the tests of {package} fail without any fault; mend that first")
    lived = []
    for mutant in chosen:
        if survives(mutant, tests):
            path, line, change, _, _ = mutant
            print(f"{path.relative_to(ROOT)}:{line}: {change}", flush=True)
            lived.append(mutant)
    return chosen, lived


def main():
    """Try a sample of each package named; tell of survivors."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("packages", nargs="*", default=list(TESTS))
    asked.add_argument("--count", type=int, default=100, help="mutants of each package")
    asked.add_argument("--seed", type=int, default=0)
    words = asked.parse_args()
    warm()
    for package in words.packages:
        chosen, lived = sample(package, words.count, words.seed)
        print(f"{package}: {len(chosen) - len(lived)} of {len(chosen)} seen", flush=True)


if __name__ == "__main__":
    main()

"""The wheel, and the borders that import-linter cannot draw."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import deepnet

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported(page):
    """The top-level names that a page imports from elsewhere."""
    for node in ast.walk(ast.parse(page.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_kernels_import_no_third_party_but_their_own():
    pages = list((ROOT / "deepnet/kernels").rglob("*.py"))
    assert pages
    allowed = {"numpy", "numba", "llvmlite", *sys.stdlib_module_names}
    assert {(page.name, name) for page in pages for name in imported(page) if name not in allowed} == set()


def test_the_package_imports_nothing_but_what_it_requires():
    required = {text.split(">")[0].split("<")[0] for text in PROJECT["dependencies"]}
    assert required == {"typer", "rich", "numpy", "numba", "h5py", "matplotlib"}
    # llvmlite is numba's own, Pillow is matplotlib's.
    allowed = {"deepnet", "llvmlite", "PIL", *required, *sys.stdlib_module_names}
    pages = list((ROOT / "deepnet").rglob("*.py"))
    found = {(page.name, name) for page in pages for name in imported(page) if name not in allowed}
    assert found == {("estimators.py", "sklearn")}, "extras are asked for by deepnet.extras"


def test_every_extra_is_in_the_project_s_list():
    asked = {
        tuple(argument.value for argument in node.args)
        for page in (ROOT / "deepnet").rglob("*.py")
        for node in ast.walk(ast.parse(page.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "extra"
    }
    assert len(asked) >= 4
    listed = PROJECT["optional-dependencies"]
    dev = {text.split(">")[0] for text in listed["dev"]}
    for module, name in asked:
        (package,) = (text.split(">")[0] for text in listed[name])
        assert package.replace("scikit-learn", "sklearn") == module.partition(".")[0]
        assert package in dev, "what has a test is there when tests run"


def test_click_is_not_used():
    pages = list((ROOT / "deepnet/cli").rglob("*.py"))
    assert len(pages) > 5
    assert [page.name for page in pages if "click" in set(imported(page)) or "typer._" in page.read_text()] == []


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_the_data(tmp_path):
    # A copy without caches and environments, so that nothing of this checkout is touched.
    source = tmp_path / "source"
    leave = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "runs", "raw")
    shutil.copytree(ROOT, source, ignore=leave)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"deepnet_cli-{deepnet.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
        assert archive.read("deepnet/datasets/mnist.h5") == (ROOT / "datasets/mnist.h5").read_bytes()
    assert "deepnet = deepnet.__main__:main" in entry
    assert f"deepnet_cli-{deepnet.__version__}.data/data/share/man/man1/deepnet.1" in names
    assert sum(item.file_size for item in zipfile.ZipFile(wheel).infolist()) < 16 << 20
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "deepnet").rglob("*.py")}
    assert pages | {"deepnet/py.typed"} <= set(names)
    assert [name for name in names if not name.startswith(("deepnet/", "deepnet_cli-"))] == []
    assert [name for name in names if name.startswith("deepnet/datasets/") and name.endswith(".py")] == []

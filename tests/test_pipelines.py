"""Pipelines of README and models/*/card.md, run as they stand there.

A block of code that begins with ```sh run is run; with ```sh slow too, by `make test-slow`. Those of a section are one
script, in a folder that is empty but for the model files that lie beside the page.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("models/*/card.md"))]
# Sections whose commands want data of the reader's own, or hours, or are run by test_readme.py.
OTHERS = {
    "First steps",
    "Commands",
    "Your own data",
    "Rare classes, weights, small tables",
    "Few labels",
    "Anomalies",
    "Beside other tools",
    "What there is",
}
BASH = shutil.which("bash")
SECONDS = 300


def scripts():
    """{section of a page: (page, "run" or "slow", script)}."""
    found = {}
    for page in PAGES:
        for section in page.read_text().split("\n## ")[1:]:
            title = section.partition("\n")[0]
            for kind in ("run", "slow"):
                blocks = re.findall(rf"^```sh {kind}\n(.*?)^```", section, re.M | re.S)
                if blocks:
                    found[f"{page.parent.name if page != PAGES[0] else 'README'}: {title}, {kind}"] = (
                        page,
                        kind,
                        "".join(blocks),
                    )
    return found


SCRIPTS = scripts()


def run(script, folder):
    """What a shell that stops at the first failure makes of it; `deepnet` and `python` are those of these tests."""
    tools = folder / "tools"
    tools.mkdir()
    for name, words in (("deepnet", "-m deepnet "), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}"$@"\n')
        (tools / name).chmod(0o755)
    place = folder / "here"
    place.mkdir(exist_ok=True)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    return subprocess.run(
        [BASH, "-euo", "pipefail", "-c", script], cwd=place, env=environment, capture_output=True, text=True,
        timeout=SECONDS,
    )  # fmt: skip


@pytest.mark.skipif(BASH is None, reason="there is no bash, which knows pipefail")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if kind == "slow" else name for name, (_, kind, _) in SCRIPTS.items()],
)
def test_a_pipeline_runs(name, tmp_path):
    page, _, script = SCRIPTS[name]
    (tmp_path / "here").mkdir()
    for model in page.parent.glob("*.h5"):
        shutil.copy(model, tmp_path / "here")
    done = run(script, tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "deepnet: error" not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout


def test_a_pipeline_that_fails_is_seen(tmp_path):
    if BASH is None:
        pytest.skip("there is no bash")
    assert run("deepnet predict none.h5 - </dev/null | tail -n 1\n", tmp_path).returncode == 4


def test_the_pipelines_are_there():
    """Those that users want; and every other block of commands is of a section that is known to be none."""
    (script,) = (script for name, (_, _, script) in SCRIPTS.items() if name == "README: In a pipe, run")
    for wanted in ("--require", "predict pump.h5 - ", "uniq -c", "--give anomaly", "awk", "--give codes", "mimic"):
        assert wanted in script
    assert len(SCRIPTS) >= 3
    for page in PAGES:
        for section in page.read_text().split("\n## ")[1:]:
            assert "```sh\n" not in section or section.partition("\n")[0] in OTHERS, section[:80]

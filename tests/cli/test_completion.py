"""What a shell is offered at the Tab key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepnet.cli import completion, options
from deepnet.data.generators import GENERATORS
from deepnet.data.loading import shipped

ROOT = Path(__file__).parents[2]


def test_the_data_sets_are_those_that_come_along():
    assert set(completion.DATA_SETS) == {*GENERATORS, *shipped()}


def offered(words, folder):
    """The lines of a completion in bash, the last word being the one that is typed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_DEEPNET_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("deepnet", *words)),
        "COMP_CWORD": str(len(words)),
    }
    code = "import sys; from deepnet.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_names_files_options_and_values(tmp_path):
    for name in ("own.csv", "net.h5", ".hidden.h5", "notes.txt", "rows.idx3-ubyte"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "deep.h5").touch()
    assert offered(("evaluate", ""), tmp_path) == ["more/", "net.h5"]
    assert offered(("evaluate", "more/"), tmp_path) == ["more/deep.h5"]
    assert offered(("pretrain", "m"), tmp_path) == ["mnist", "mnist-basic", "mnist-rot", "mnist-bg-rand", "more/"]
    assert offered(("inspect", "o"), tmp_path) == ["own.csv"]
    assert offered(("evaluate", "net.h5", "--sp"), tmp_path) == ["--split"]
    assert offered(("finetune", "--optimizer", ""), tmp_path) == list(options.OPTIMIZERS)


def test_a_folder_that_cannot_be_read_offers_nothing(tmp_path):
    assert completion.model(str(tmp_path / "nowhere" / "x")) == []
    assert completion.model(str(tmp_path) + "/.") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_DEEPNET_COMPLETE": f"source_{shell}"}
    code = "import sys; from deepnet.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"complete_{shell}" in done.stdout

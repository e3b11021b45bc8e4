"""H1: every option of every command with every number that is none or too large; and the arguments of section 3."""

import shutil

import pytest
import typer

from deepnet.cli import app
from tests.refusal import CODES, check_refused

BASES = {
    "pretrain": "pretrain good.npz --layers 3 --epochs 1 -o o.h5 -q",
    "finetune": "finetune good.npz --layers 3 --epochs 1 -o o.h5 -q",
    "evaluate": "evaluate net.h5 good.npz --split train",
    "compare": "compare good.npz net.h5 net.h5 --split train",
    "efficiency": "efficiency good.npz --layers 3 --labels 3 --seeds 1 -o page.html -n",
    "visualize": "visualize net.h5 good.npz -o p.png --kind filters",
    "predict": "predict net.h5 good.npz",
    "inspect": "inspect good.npz",
    "export": "export net.h5 -o net.py",
    "warmup": "warmup",
    "selfcheck": "selfcheck",
    "verify-resume": "verify-resume",
    "doctor": "doctor",
}
HUGE = "1" + 30 * "0"
VALUES = ("0", "-1", "nan", "inf", "1e308", HUGE, "much", "")
# Where such a value is one: paths and names, of which only the empty one is wrong; 0 of what may be none; large reals.
NAMES = {"--output", "--log", "--keep", "--data-out"}
ZERO = {"--momentum", "--weight-decay", "--l1", "--sparsity-target", "--sparsity-cost", "--jitter", "--noise",
        "--dropout", "--label-smoothing", "--average", "--freeze-epochs", "--seed", "--hard-weight", "--share",
        "--emphasis", "--contraction"}  # fmt: skip
LARGE = {"--learning-rate", "--weight-decay", "--l1", "--sparsity-cost", "--zca", "--noise", "--layer-rates", "--clip",
         "--max-norm", "--max-time", "--temperature", "--contraction", "--patience"}  # fmt: skip
LONG = ("verify-resume",)  # a minute with values that are right
OPTIONS = [
    (name, parameter.opts[-1])
    for name, command in typer.main.get_command(app).commands.items()
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.is_flag
]


def valid(flag, value):
    """Whether an option may take this value."""
    if flag in NAMES:
        return value != ""
    return (value == "0" and flag in ZERO) or (value == HUGE and flag in LARGE)


@pytest.mark.promise("H1 options")
@pytest.mark.parametrize("command", BASES)
def test_numbers(command, apart, place, size, promise):
    """Refused, or a number that the option can have; each option is tested by being there."""
    count = refused = 0
    flags = [flag for name, flag in OPTIONS if name == command]
    for n, flag in enumerate(flags):
        for value in [VALUES[(n + k) % len(VALUES)] for k in range(size(2, len(VALUES)))]:
            if command in LONG and valid(flag, value):
                continue
            found = apart([*BASES[command].split(), f"{flag}={value}"], place)
            count += 1
            if valid(flag, value) and found.code == 0:
                for name in found.written:
                    shutil.rmtree(place / name) if (place / name).is_dir() else (place / name).unlink(missing_ok=True)
                continue
            check_refused(found, codes=CODES)
            refused += 1
    promise(f"{count} values of {len(flags)} options: {refused} refused in one line, {count - refused} valid")


NO_THREADS = ("inspect", "export")
TRAIN = ("pretrain", "finetune")
WRITE = (*TRAIN, "predict")
ARGUMENTS = [
    *(("pretrain", "--layers", value) for value in ("0", "-5", "1e12", "784,abc", "3,,3", "9" * 5000)),
    *(("finetune", "--layers", value) for value in ("0", "-5", "1e12", "784,abc")),
    *((command, "--learning-rate", value) for command in TRAIN for value in ("nan", "inf", "0", "-1", "1e39")),
    *((command, "--momentum", value) for command in TRAIN for value in ("1", "1.5", "-0.1", "nan", "9" * 5000)),
    *((command, "--batch-size", value) for command in TRAIN for value in ("0", "31", "-1")),
    *((command, "--epochs", "-1") for command in ("pretrain", "finetune", "efficiency")),
    *((command, "--seed", seed) for command in TRAIN for seed in ("-1", str(2**64))),
    *((command, "--threads", value) for command in BASES if command not in NO_THREADS for value in ("0", "1000000")),
    *((command, "-o", "good.npz", "--force") for command in WRITE),
    *((command, "-o", name) for command in WRITE for name in ("no/where.h5", "a\0b", ".", "/dev/full", "/proc/o.h5")),
    *((command, "-c", "a\0b") for command in BASES),
    ("finetune", "--label", "a\0b"),
    ("finetune", "--from", "a\0b"),
    ("finetune", "--layers", "1000000,1000000"),
    ("pretrain", "--optimizer", "hessian_free"),
    ("finetune", "--set", "damping=" + "9" * 5000),
    ("pretrain", "--valid", "0." + "9" * 5000),
    ("pretrain", "--cd-steps", "1" + "_0" * 9),
]  # fmt: skip


@pytest.mark.promise("H1 arguments")
@pytest.mark.parametrize("words", ARGUMENTS, ids=lambda words: " ".join(words)[:40].encode("unicode_escape").decode())
def test_arguments(words, apart, place):
    """As section 3 lists them, in the commands that take them."""
    command, *others = words
    check_refused(apart([*BASES[command].split(), *others], place))

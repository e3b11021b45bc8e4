"""H1: every data file of RELIABILITY's section 3 but HDF5, in every command that takes data."""

import dataclasses
import re

import pytest

from deepnet.data.readers.sniffing import FORMATS
from tests.hostile import PARENT, TABLES, put
from tests.refusal import check_refused, told

COMMANDS = {
    "inspect": "inspect {0}",
    "pretrain": "pretrain {0} --layers 3 --epochs 1 -o o.h5",
    "pretrain --valid": f"pretrain {PARENT} --valid {{0}} --layers 3 --epochs 1 -o o.h5 --log o.jsonl",
    "finetune": "finetune {0} --layers 3 --epochs 1 -o o.h5",
    "finetune --valid": f"finetune {PARENT} --valid {{0}} --from stack.h5 --epochs 1 -o o.h5",
    "evaluate": "evaluate net.h5 {0} --split train",
    "predict": "predict net.h5 {0}",
    "predict -o": "predict stack.h5 {0} --give codes -o o.csv",
    "predict --calibrate": f"predict stack.h5 {PARENT} --give anomaly --calibrate {{0}}",
    "visualize": "visualize net.h5 {0} -o pictures/",
    "compare": "compare {0} net.h5 net.h5 -o chart.png --split train",
    "efficiency": "efficiency {0} --layers 3 --labels 3 --seeds 1 -o page.html --keep kept",
}
FILES = {f"{format_}: {name}": entry for format_, table in TABLES.items() for name, entry in table.items()}


def refuse(apart, place, name, command):
    """One file in one command."""
    file, content, pattern = FILES[name]
    if not (place / file).exists():
        put(place / file, content)
    # Where labels are due, a table must say where they are before its cells are looked at.
    unsaid = (
        "does not say which column|shape|column"
        if file.endswith((".csv", ".jsonl", ".parquet")) and command != "inspect"
        else pattern
    )
    found = apart(COMMANDS[command].format(file).split(), place)
    if command.startswith("predict") and file.endswith(".npy"):
        unsaid = "says shape|has .* columns"  # it is read as it comes, whatever its size
    # What lies before a faulty row is predicted, a line a case.
    before = command == "predict" and re.fullmatch(r"label\n(\w+\n)*", found.out)
    line = check_refused(dataclasses.replace(found, out="") if before else found)
    assert re.search(pattern, line) or re.search(unsaid, line), (line, pattern)
    return found


def test_every_format_is_tried():
    """HDF5 and its sister MATLAB 7.3 have a page of their own."""
    others = {"mat": "mat5", "pictures": "picture", "folders": "folder"}
    assert {others.get(name, name) for name in TABLES} == set(FORMATS) - {"hdf5", "mat73"}


@pytest.mark.promise("H1")
@pytest.mark.parametrize("name", FILES)
def test_refused(name, apart, place, size, promise):
    """In one command after the other; in all of them under --torture."""
    names = list(COMMANDS)
    chosen = size([names[sum(map(ord, name)) % len(names)]], names)
    promise(*told([refuse(apart, place, name, command) for command in chosen]))

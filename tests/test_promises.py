"""tests/README.md: each promise has a test, each marked test a promise, and the tables are what the script writes."""

import importlib.util
from pathlib import Path

import pytest


def _script():
    spec = importlib.util.spec_from_file_location("promises", Path(__file__).with_name("promises.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()


def test_promises_and_tests_fit():
    assert not SCRIPT.faults(*SCRIPT.sources())


def test_the_tables_are_the_script_s():
    assert SCRIPT.page(*SCRIPT.sources()) == SCRIPT.README.read_text(), "run `python tests/promises.py`"


LISTED = {"promises": {"D1": "Nothing is lost."}, "bugs": [{"found": "A bug.", "test": "test_a.py::test_b"}]}
KNOWN = {"test_a.py::test_b": ({"D1"}, True), "test_a.py::test_c": (set(), False)}


@pytest.mark.parametrize(
    ("listed", "known", "noted", "fault"),
    [
        (LISTED | {"promises": {"D1": "", "D2": ""}}, KNOWN, {}, "no test is marked as holding D2"),
        (LISTED, KNOWN | {"test_a.py::test_c": ({"D9"}, False)}, {}, "holds D9, which promises.toml does not list"),
        (LISTED | {"bugs": [{"found": "", "test": "test_a.py::test_d"}]}, KNOWN, {}, "no test test_a.py::test_d"),
        (LISTED, KNOWN, {("D1", "test_a.py::test_c"): []}, "which is marked so no more"),
    ],
)
def test_what_does_not_fit_is_seen(listed, known, noted, fault):
    assert not SCRIPT.faults(LISTED, KNOWN, {("D1", "test_a.py::test_b"): []})
    (said,) = SCRIPT.faults(listed, known, noted)
    assert fault in said


def test_figures_in_a_row():
    short, long = {"figure": "0 of 3 lost", "form": "short"}, {"figure": "0 of 9 lost", "form": "long"}
    assert SCRIPT.measured([short, short]) == ("0 of 3 lost", "short")
    assert SCRIPT.measured([short, long]) == ("0 of 3 lost; 0 of 9 lost", "long short")
    ranked = {"figure": "error 3", "form": "short", "rank": 3.0, "of": 3}
    assert SCRIPT.measured([ranked]) == ("error 3, the worst of 3", "short")
    lines = SCRIPT.tables(LISTED, KNOWN, {("D1", "test_a.py::test_b"): [long]})
    assert "| D1 | Nothing is lost. | [b](test_a.py) (slow) | 0 of 9 lost | long |" in lines
    assert "| A bug. | [b](test_a.py) |" in lines


def test_marks_are_read_from_the_source():
    import ast

    text = (
        "@pytest.mark.slow\n@pytest.mark.promise('D1')\n"
        "@pytest.mark.parametrize('x', [pytest.param(f, marks=pytest.mark.promise(f'H2 {f}')) for f in F])\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.promise('R1, data read'))])\ndef t(x): pass"
    )
    assert SCRIPT.marks(ast.parse(text).body[0], {"data read": ""}) == {"D1", "H2", "R1", "data read"}


def test_figures_of_many_parameters_are_the_worst():
    from tests.conftest import condensed

    rows = [{"promise": "R1", "test": f"a.py::b[{n}]", "figure": f"{n}", "form": "short", "rank": n} for n in (1, 3, 2)]
    same = [{"promise": "R1", "test": f"a.py::c[{n}]", "figure": "0 lost", "form": "short"} for n in (1, 2)]
    worst = {"promise": "R1", "test": "a.py::b", "figure": "3", "form": "short", "rank": 3, "of": 3}
    assert condensed(rows + same) == [same[0] | {"test": "a.py::c"}, worst]


def test_tests_without_a_figure_say_how_they_ended():
    from tests.conftest import ended

    passed, failed, skipped = ("passed", ""), ("failed", ""), ("skipped", "no strace")
    ends = {("D1", "a"): [passed], ("D1", "b"): [passed, passed], ("D1", "c"): [passed, failed],
            ("D1", "d"): [skipped, skipped], ("D1", "e"): [passed, skipped]}  # fmt: skip
    told = {row["test"]: row["figure"] for row in ended(ends, {("D1", "e")}, "short")}
    assert told == {"a": "holds", "b": "holds in 2 cases", "c": "fails in 1 of 2", "d": "could not run: no strace"}

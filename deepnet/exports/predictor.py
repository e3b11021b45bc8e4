"""A predictor: one page of Python that needs nothing but NumPy, its weights at the end of it.

`python net.py cases.csv` prints what `deepnet predict` prints, `from net import predict` is the same in Python. The
weights are an NPZ file in base64, so that the page is one file, which is read without running what it does not show.
"""

import base64
import inspect
import textwrap
from types import ModuleType

from ..files import as_cell
from ..nn.fields import places
from . import arithmetic, tables
from .arrays import packed
from .steps import Affine, Contrast, Distance, Largest, Program, Runs, Scaled, Step, Units, arrays_of

PAGE = '''\
"""The network {title}, as deepnet {version} trained it (model {model}). It needs NumPy alone.

    python {name} cases.csv              a line for each case; - is standard input
    from {module} import outputs, predict

A case is a row of {inputs} numbers, {case}. `outputs` gives {gives}.
"""

import base64
import csv
import io
import signal
import sys

import numpy as np

CLASSES = {classes}
CELLS = {cells}
COLUMNS = {columns}
{fields}

def outputs(x):
    """{gives} (cases, {outputs}) of x (cases, {inputs})."""
    x = np.asarray(x, np.float32).reshape(len(x), {inputs})
    blocks = [forward(x[i : i + 1000]) for i in range(0, len(x), 1000)]
    return np.concatenate(blocks) if blocks else np.zeros((0, {outputs}), np.float32)


def predict(x):
    """What `python {name}` prints of x (cases, {inputs}): {told}."""
{answer}


def forward(x):
    """The steps from the data up."""
{body}
    return x


{functions}


def read(lines):
    """The rows of a CSV file as rows of {inputs} numbers."""
    return {read}


{reading}


def main():
    """Predict what the file on the command line holds."""
    if len(sys.argv) != 2:
        sys.exit("usage: python {name} cases.csv")
    try:
        with open(0 if sys.argv[1] == "-" else sys.argv[1], newline="", encoding="utf-8-sig") as lines:
            found = predict(read(lines))
    except (OSError, ValueError, IndexError, csv.Error) as problem:
        sys.exit(f"{{sys.argv[1]}} cannot be read: {{problem}}")
    written = csv.writer(sys.stdout, lineterminator="\\n")
    written.writerow({header})
    written.writerows([[CELLS[name]] for name in found] if CLASSES else [[f"{{v:.7g}}" for v in row] for row in found])


WEIGHTS = """
{weights}
"""
P = np.load(io.BytesIO(base64.b64decode(WEIGHTS)), allow_pickle=False)
P = {{name: P[name] for name in P.files}}

if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # a reader that goes away ends it quietly
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
'''
SHARED = "chosen", "is_header", "is_number", "is_missing"
READ = "numbers(lines, COLUMNS)", ("numbers", *SHARED)
READ_MIXED = "encoded(lines, FIELDS, UNITS)", ("encoded", *SHARED, "unit_of", "same")
COLUMN = {"codes": "code", "reconstructions": "x", "score": "score"}  # as `predict` calls them


def write(program: Program, name: str = "net.py") -> bytes:
    """The page, as UTF-8; `name` is that of its file."""
    name = name if name.removesuffix(".py").isidentifier() else "net.py"
    calls = {word for step in program.steps for word in _called(step)}
    functions = [text for word, text in _functions(arithmetic).items() if word in calls]
    read, words = READ_MIXED if program.fields else READ
    weights = base64.b64encode(packed(arrays_of(program))).decode()
    page = PAGE.format(
        title=program.title,
        gives=program.gives,
        classes=repr(program.classes),
        cells=repr({name: as_cell(name) for name in program.classes}),
        columns=repr(program.columns),
        case="which `read` makes of the table's" if program.fields else "as they were in the training data",
        fields=_fields(program),
        read=read,
        reading="\n\n\n".join(_functions(tables)[word] for word in words),
        model=program.model[:12] or "not in a file",
        version=program.version,
        name=name,
        module=name.removesuffix(".py"),
        inputs=program.inputs,
        outputs=program.outputs,
        told="the name of its class" if program.classes else program.gives,
        answer=_indented(_answer(program)),
        body=_indented("\n".join(_line(number, step) for number, step in enumerate(program.steps, 1))),
        functions="\n\n\n".join(functions) or "# No more functions are needed.",
        header=_header(program),
        weights="\n".join(textwrap.wrap(weights, 116)),
    )
    return page.encode()


def _fields(program: Program) -> str:
    """What the columns of a table of mixed ones are, and what each input is of them, as Python."""
    if not program.fields:
        return ""
    fields = tuple((field.name, field.kind, field.values, field.fill) for field in program.fields)
    return (
        f"FIELDS = {fields!r}  # name, kind, values, what stands for a missing one\n"
        f"UNITS = {tuple(places(program.fields))!r}  # which field, what of it\n"
    )


def _functions(page: ModuleType) -> dict[str, str]:
    """The text of each function of a page, in its order."""
    made = {name: function for name, function in vars(page).items() if inspect.isfunction(function)}
    return {name: inspect.getsource(function).rstrip() for name, function in made.items()}


def _called(step: Step) -> list[str]:
    """The functions of `arithmetic` that a step calls."""
    match step:
        case Contrast(kind):
            return [f"contrast_{kind}"]
        case Units(name):
            return [name]
        case Runs(runs):
            return [name for name, _ in runs if name != "linear"]
        case Largest():
            return ["largest"]
        case Distance():
            return ["distance"]
    return []


def _line(number: int, step: Step) -> str:
    """A step as a line of Python."""
    match step:
        case Scaled():
            return f'x = (x - P["offset{number}"]) / P["scale{number}"]'
        case Affine():
            return f'x = x @ P["W{number}"] + P["b{number}"]'
        case Runs():
            return f"x = np.hstack([{', '.join(_run(*run) for run in step.spans)}])"
        case Largest(pieces):
            return f"x = largest(x, {pieces})"
        case Distance():
            return f'x = distance(x, P["centre{number}"])'
    return f"x = {_called(step)[0]}(x)"


def _run(name: str, first: int, last: int) -> str:
    """A run of columns through its units, as Python."""
    part = f"x[:, {first}:{last}]"
    return part if name == "linear" else f"{name}({part})"


def _answer(program: Program) -> str:
    if program.classes:
        return "return np.array(CLASSES)[outputs(x).argmax(axis=1)]"
    return "return outputs(x)"


def _header(program: Program) -> str:
    """The header of the lines that are printed, as Python."""
    if program.classes:
        return '["label"]'
    restored = program.gives == "reconstructions" and sum(isinstance(step, Scaled) for step in program.steps) == 1
    if restored and program.columns:
        return repr([as_cell(name) for name in program.columns])
    if program.targets:
        return repr([as_cell(name) for name in program.targets])
    word = COLUMN[program.gives]
    if word == "score":
        return '["score"]'
    return f'[f"{word}{{i + 1}}" for i in range({program.outputs})]'


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")

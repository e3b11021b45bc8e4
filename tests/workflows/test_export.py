"""export: files for other tools, from the shell, and what is refused."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepnet import extras, load, workflows
from deepnet.errors import DataError, OutputError, UsageError
from deepnet.exports import FORMATS, modules
from deepnet.workflows.export import program_of

PATIENTS = Path(__file__).parents[1] / "data" / "patients.csv"


@pytest.mark.parametrize("suffix", [name for name, row in FORMATS.items() if row.source == "model"])
def test_the_same_model_gives_the_same_bytes(suffix, net, tmp_path):
    if suffix in (".onnx", ".safetensors"):
        pytest.importorskip(suffix[1:])
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        workflows.export(net, tmp_path / name / f"net{suffix}")
        written.append((tmp_path / name / f"net{suffix}").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("kind", ["flower_net", "house_net", "coder", "stack"])
def test_a_stranger_runs_the_page(kind, request, tmp_path, call, flowers, houses, digits):
    """Without deepnet on the path, from a folder of its own, it prints what `deepnet predict` prints."""
    model = request.getfixturevalue(kind)
    data = {"flower_net": flowers, "house_net": houses}.get(kind)
    if data is None:
        data = str(tmp_path / "digits.csv")
        np.savetxt(data, np.load(digits)["x_test"][:30].reshape(30, -1), "%d", ",")
    page = tmp_path / "away" / "net.py"
    page.parent.mkdir()
    assert call("export", model, "-o", page).code == 0
    words = [sys.executable, "-I", str(page), data]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found, expected = done.stdout.splitlines(), call("predict", model, data).out.splitlines()
    assert found[0] == expected[0]
    if kind == "flower_net":
        assert found == expected
    else:
        numbers = [np.array([line.split(",") for line in lines[1:]], float) for lines in (found, expected)]
        assert np.abs(numbers[0] - numbers[1]).max() <= 2e-5 * max(1.0, np.abs(numbers[1]).max())
    piped = subprocess.run([*words[:-1], "-"], input=Path(data).read_text(), capture_output=True, text=True, timeout=60)
    assert piped.stdout == done.stdout
    reader, writer = os.pipe()
    os.close(reader)
    left = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (left.returncode, left.stderr) == (-signal.SIGPIPE, b"")


def test_a_page_reads_a_table_of_mixed_columns(tmp_path, call):
    """Columns in another order, one more, missing cells, texts that training did not see: as `deepnet predict` does."""
    rows = [row.split(",") for row in PATIENTS.read_text().splitlines()]
    words = ("--label", "state", "--ignore", "id", "--category", "ward", "--layers", "6", "--epochs", "30")
    assert call("finetune", PATIENTS, *words, "-o", tmp_path / "n.h5").code == 0
    assert call("export", tmp_path / "n.h5", "-o", tmp_path / "page.py").code == 0
    place = rows[0].index("colour")
    for n, row in enumerate(rows[1:]):
        row[place] = ("violet", "?", row[place])[n % 3]
    new = tmp_path / "new.csv"
    new.write_text("\n".join(",".join(row[::-1]) for row in rows))

    def away(data):
        words = [sys.executable, "-I", str(tmp_path / "page.py"), str(data)]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    done = away(new)
    assert done.stdout == call("predict", tmp_path / "n.h5", new).out
    assert len(set(done.stdout.splitlines())) > 2
    new.write_text("\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows))
    assert "new.csv cannot be read: it has no column colour, or several; give the columns of" in away(new).stderr
    assert away(new).returncode == 1
    new.write_text("\n".join([",".join(rows[0]), *(",".join(["much"] * len(rows[0])) for _ in rows)]))
    assert "new.csv cannot be read: could not convert string to float: 'much'" in away(new).stderr


TABLES = {  # data, options of finetune, the same inputs as another tool may write them
    "two columns of one name": ("a,a,y\n.2,0,n\n.2,9,p\n.7,0,n\n.8,9,p\n", [], "a,a\n.2,0\n.2,9\n"),
    "a column without a name": (",b,c,y\n0,.2,u,n\n9,.2,v,p\n0,.7,w,n\n9,.8,u,p\n", [], ",b,c\n9,.2,u\n0,.2,v\n"),
    "numbers of accounts": (
        "n,b,y\n12345678901234567,.1,n\n12345678901234568,.2,p\n22345678901234569,.7,n\n12345678901234568,.8,p\n",
        ["--category", "n"],
        "n,b\n12345678901234568,.2\n12345678901234567,.2\n",
    ),
    "flags of 0 and 1": (
        "f,c,y\n0,u,n\n1,v,p\n0,w,n\n1,u,p\n",
        [],
        "c,f\nu,true\nv,False\nw,01\nu,maybe\n",
    ),
    "a mark before the names": ("a,b,y\n0,.2,n\n9,.2,p\n0,.7,n\n9,.8,p\n", [], "\ufeffa,b\n9,.2\n0,.2\n"),
    "a mark before a number": ("a,b,y\n0,.2,n\n9,.2,p\n0,.7,n\n9,.8,p\n", [], "\ufeff9,.2\n0,.2\n"),
    "classes that a spreadsheet would run": ("a,b,y\n0,.2,=n\n9,.2,-p\n0,.3,=n\n", [], "a,b\n9,.2\n0,.2\n"),
    "no names for a table of mixed ones": ("a,c,y\n0,u,n\n9,v,p\n0,w,n\n9,u,p\n", [], "9,u\n0,w\n"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_page_reads_what_predict_reads(name, tmp_path, call):
    train, words, given = TABLES[name]
    data, new, page = tmp_path / "t.csv", tmp_path / "new.csv", tmp_path / "page.py"
    data.write_text(train + train.partition("\n")[2] * 9)
    new.write_text(given, encoding="utf-8")
    own = ["--scale", "standard", "--layers", "6", "--learning-rate", "1", "--epochs", "40", "-o", tmp_path / "n.h5"]
    assert call("finetune", data, *words, *own).code == 0
    assert call("export", tmp_path / "n.h5", "-o", page).code == 0
    expected = call("predict", tmp_path / "n.h5", new).out
    assert len(set(expected.splitlines())) == 3, "a label and both classes"
    for source, stdin in ((str(new), None), ("-", given.encode())):
        done = subprocess.run([sys.executable, "-I", str(page), source], input=stdin, capture_output=True, timeout=60)
        assert done.stdout.decode() == expected


REFUSED_TABLES = {
    "other names": "p,q\n1,2\n",
    "names twice": "a,a,b\n1,2,3\n",
    "more columns without names": "1,2,3\n",
    "an empty cell in the first row": "1,\n2,3\n",
    "a quote without end": 'a,b\n1,"2\n' + "9" * 200_000,
    "no file": None,
}


@pytest.mark.parametrize("name", REFUSED_TABLES)
def test_a_page_refuses_a_table_in_one_line(name, tmp_path, call):
    (tmp_path / "t.csv").write_text("a,b,y\n" + "0,.2,n\n9,.2,p\n" * 9)
    assert (
        call("finetune", tmp_path / "t.csv", "--scale", "standard", "--layers", "6", "-o", tmp_path / "n.h5").code == 0
    )
    assert call("export", tmp_path / "n.h5", "-o", tmp_path / "page.py").code == 0
    if REFUSED_TABLES[name] is not None:
        (tmp_path / "new.csv").write_text(REFUSED_TABLES[name])
    words = [sys.executable, "-I", str(tmp_path / "page.py"), str(tmp_path / "new.csv")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "new.csv cannot be read: " in done.stderr


def test_the_page_is_told_apart_by_its_file_name(net, tmp_path):
    workflows.export(net, tmp_path / "digits.py")
    assert b"python digits.py cases.csv" in (tmp_path / "digits.py").read_bytes()
    workflows.export(net, tmp_path / 'a""" + x.py')
    assert b"python net.py cases.csv" in (tmp_path / 'a""" + x.py').read_bytes()
    compile((tmp_path / 'a""" + x.py').read_bytes(), "net.py", "exec")


def test_what_was_written_is_told(net, tmp_path, call):
    facts = json.loads(call("export", net, "-o", tmp_path / "net.npz", "--json").out)
    assert (facts["inputs"], facts["outputs"], facts["gives"]) == (784, 10, "probabilities")
    assert facts["bytes"] == (tmp_path / "net.npz").stat().st_size
    layers = "nn.Linear(784, 40), nn.Sigmoid(), nn.Linear(40, 20), nn.Sigmoid(), nn.Linear(20, 10), nn.Softmax(dim=1)"
    assert modules(program_of(load(net))) == f"nn.Sequential({layers})"
    pytest.importorskip("safetensors")
    assert layers in call("export", net, "-o", tmp_path / "net.safetensors").out


def test_refusals(net, tmp_path, call):
    done = call("export", net, "-o", tmp_path / "net.pt")
    assert done.code == 2
    assert all(f"{suffix} (" in done.err for suffix in FORMATS)
    (tmp_path / "there.npz").write_bytes(b"mine")
    done = call("export", net, "-o", tmp_path / "there.npz")
    assert (done.code, "--force" in done.err) == (2, True)
    assert (tmp_path / "there.npz").read_bytes() == b"mine"
    assert call("export", net, "-o", tmp_path / "there.npz", "--force").code == 0
    assert call("export", tmp_path / "none.h5", "-o", tmp_path / "a.npz").code == 4
    assert call("export", net, "-o", tmp_path / "none" / "a.npz").code == OutputError.exit_code
    assert not (tmp_path / "a.npz").exists()


def test_a_missing_extra_is_named_with_the_line_to_type(net, tmp_path, call, monkeypatch):
    for module, name in (("onnx", "onnx"), ("safetensors", "safetensors"), ("tensorboardX", "tensorboard")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=rf"the extra {name!r}, .*: pip install 'deepnet-cli\[{name}\]'"):
            extras.extra(module, name)
    done = call("export", net, "-o", tmp_path / "net.onnx")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert done.err.endswith("pip install 'deepnet-cli[onnx]'\n")
    assert list(tmp_path.iterdir()) == []
    code = "import sys; sys.modules['sklearn'] = None\nimport deepnet.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'deepnet-cli[sklearn]'" in done.stderr


def events_of(path):
    """The events of a file: length, its checksum, the event, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    content, place = path.read_bytes(), 0
    while place < len(content):
        size = int.from_bytes(content[place : place + 8], "little")
        yield Event.FromString(content[place + 12 : place + 12 + size])
        place += 12 + size + 4


def test_a_log_becomes_events(digits, tmp_path, call):
    """Of a run's log, also of one that is being written, the curves that TensorBoard draws."""
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    log = tmp_path / "run.jsonl"
    words = ("--epochs", 3, "--layers", 8, "--valid", 50, "-o", tmp_path / "net.h5", "--log", log, "-q")
    assert call("finetune", digits, *words).code == 0
    records = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text(log.read_text() + '{"event": "epo')
    assert call("export", log, "-o", tmp_path / "run.tfevents").code == 0
    events = [event for event in events_of(tmp_path / "run.tfevents") if event.summary.value]
    found = [(v.tag, e.step, v.simple_value, e.wall_time) for e in events for v in e.summary.value]
    expected = [
        (f"fine-tuning_784-8-10/{name}", r["epoch"], float(np.float32(value)), r["time"])
        for r in records if r["event"] == "epoch"
        for name, value in (r["metrics"] | {"seconds": r["seconds"]}).items()
    ]  # fmt: skip
    assert len(found) == len(expected) >= 9
    assert found == expected


def test_what_is_no_log_is_refused(net, tmp_path, call):
    done = call("export", net, "-o", tmp_path / "a.tfevents")
    assert (done.code, "is a model" in done.err) == (2, True)
    for content in (b"", b"no json\n", b'{"event": "epoch"}\n', b"[1]\n", b'{"event": "run_start"}\n'):
        (tmp_path / "log").write_bytes(content)
        done = call("export", tmp_path / "log", "-o", tmp_path / "a.tfevents")
        assert (done.code, "--log" in done.err) == (DataError.exit_code, True), content
    done = call("export", tmp_path / "log", "-o", tmp_path / "a.tfevents", "--give", "codes")
    assert (done.code, "is for a model" in done.err) == (2, True)
    assert not (tmp_path / "a.tfevents").exists()

"""predict in a pipe: lines as rows come, one by one or all at once the same bits, a fault after what is before it."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

GIVES = {"net": ("labels", "probabilities", "codes"), "stack": ("codes", "anomaly"), "coder": ("anomaly",)}
WAIT = 60  # seconds, at most, for a line


@pytest.fixture(scope="session")
def rows(folder, digits):
    """{format: path} of 200 digits."""
    x = np.load(digits)["x_test"].reshape(200, -1)
    np.save(folder / "rows.npy", x)
    np.savetxt(folder / "rows.csv", x, "%d", ",")
    (folder / "rows.jsonl").write_text("".join(json.dumps({"pixel": row}) + "\n" for row in x.tolist()))
    return {name: folder / f"rows.{name}" for name in ("npy", "csv", "jsonl")}


@pytest.fixture
def drip(monkeypatch):
    """Standard input comes line by line, or 1,000 bytes at a time."""

    def each(stream, most):
        lines = stream.peek(1)[:1] in b"0123456789{"
        return iter((lambda: stream.readline()) if lines else (lambda: stream.read(1000)), b"")

    monkeypatch.setattr("deepnet.data.readers.csv.pieces", each)
    monkeypatch.setattr("deepnet.data.readers.arrays.pieces", each)


@pytest.mark.parametrize("model,give", [(model, give) for model, gives in GIVES.items() for give in gives])
def test_row_by_row_is_as_all_at_once(model, give, rows, digits, call, drip, stdin, request):
    model = request.getfixturevalue(model)
    words = ["--give", give, *(["--calibrate", digits] if give == "anomaly" else [])]
    whole = call("predict", model, digits, "--split", "test", *words)
    assert whole.out.count("\n") == 201
    for path in rows.values():
        stdin(path.read_bytes())
        assert call("predict", model, "-", *words) == whole


def test_json_lines_say_what_csv_says(net, flower_net, rows, call):
    for model, give in ((net, "probabilities"), (net, "labels")):
        header, *lines = call("predict", model, rows["csv"], "--give", give).out.splitlines()
        objects = [json.loads(line) for line in call("predict", model, rows["csv"], "--give", give, "--format", "jsonl")
                   .out.splitlines()]  # fmt: skip
        assert all(list(case) == header.split(",") for case in objects)
        found = [list(case.values()) for case in objects]
        assert found == [[float(c) for c in line.split(",")] if give == "probabilities" else [line] for line in lines]


def test_classes_in_json_are_as_they_are_called(flower_net, flowers, call):
    kinds = {json.loads(line)["label"] for line in call("predict", flower_net, flowers, "--label", "kind, as told",
                                                        "--format", "jsonl").out.splitlines()}  # fmt: skip
    assert kinds == {"Iris, early", "late Iris", "marsh Iris"}


def test_arrays_have_the_bits(net, rows, digits, call, tmp_path):
    """By the output's name; numbers are float32, classes text; whether the number of cases is known or not."""
    for source in (digits, rows["npy"], rows["csv"]):
        assert call("predict", net, source, "--give", "probabilities", "-o", tmp_path / "p.npy", "--force").code == 0
        found = np.load(tmp_path / "p.npy")
        assert (found.shape, found.dtype) == ((200, 10), np.float32)
        text = call("predict", net, source, "--give", "probabilities").out.splitlines()[1:]
        assert [",".join(f"{p:.7g}" for p in row) for row in found] == text
        assert call("predict", net, source, "-o", tmp_path / "l.npy", "--force").code == 0
        assert np.load(tmp_path / "l.npy").tolist() == [str(c) for c in found.argmax(axis=1)]


def test_anomalies_and_reconstructions_in_json(stack, coder, rows, digits, call):
    line = call("predict", stack, rows["csv"], "--give", "anomaly", "--calibrate", digits, "--format", "jsonl").out
    assert set(json.loads(line.splitlines()[0])) == {"score", "flag"}
    line = call("predict", coder, rows["csv"], "--format", "jsonl").out.splitlines()[0]
    assert len(json.loads(line)) == 784


def test_a_fault_comes_after_the_lines_before_it(net, rows, call, stdin, tmp_path):
    content = rows["csv"].read_bytes()
    for _ in range(2):
        stdin(content + b"1,2\n" + content)
        done = call("predict", net, "-")
        assert done.code == 3
        assert (
            done.err == "deepnet: error: standard input: row 201 has 2 columns, the first row has 784; mend that row\n"
        )
        assert done.out == call("predict", net, rows["csv"]).out
    stdin(content + b"1,2\n")
    done = call("predict", net, "-", "-o", tmp_path / "p.csv")
    assert (done.code, list(tmp_path.iterdir())) == (3, [])


def test_mixed_columns_come_one_by_one(call, tmp_path, drip, stdin):
    """By the fields of the model: in another order, with names and cells that it never saw."""
    draw, colours = np.random.default_rng(0), ("red", "green", "blue")
    lines = [f"{draw.normal(n % 3, 0.2):.3f},{colours[n % 3]},k{n % 3}\n" for n in range(90)]
    (tmp_path / "t.csv").write_text("size,colour,label\n" + "".join(lines))
    net = tmp_path / "n.h5"
    assert call("finetune", tmp_path / "t.csv", "--layers", "8", "--epochs", "9", "-o", net, "-q").code == 0
    new = [{"colour": "green", "more": 1, "size": 1.1}, {"colour": "pink", "more": 1, "size": 0.1}]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(case) + "\n" for case in new * 3))
    whole = call("predict", net, tmp_path / "new.jsonl", "--give", "probabilities")
    assert (whole.code, whole.out.count("\n")) == (0, 7)
    stdin((tmp_path / "new.jsonl").read_bytes())
    assert call("predict", net, "-", "--give", "probabilities").out == whole.out


def spawn(*words, **streams):
    command = [sys.executable, "-m", "deepnet", *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **streams)


@pytest.fixture
def going(net):
    """A predict that waits at its standard input."""
    process = spawn("predict", net, "-")
    yield process
    process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    process.wait()


def test_a_line_comes_while_the_pipe_stays_open(going, rows, net, call):
    expected = call("predict", net, rows["csv"]).out.splitlines(keepends=True)
    lines = rows["csv"].read_bytes().splitlines(keepends=True)
    for n in range(3):
        going.stdin.write(lines[n])
        going.stdin.flush()
        assert [going.stdout.readline().decode() for _ in range(2 if n == 0 else 1)] == expected[
            n + 1 - (n == 0) : n + 2
        ]
    going.stdin.close()
    assert going.wait(WAIT) == 0
    assert going.stderr.read() == b""


def test_it_ends_quietly_when_its_reader_goes(going, rows):
    lines = rows["csv"].read_bytes().splitlines(keepends=True)
    going.stdin.write(lines[0])
    going.stdin.flush()
    assert going.stdout.readline() == b"label\n"
    going.stdout.close()
    while going.poll() is None:
        try:
            going.stdin.write(lines[0])
            going.stdin.flush()
        except BrokenPipeError:
            break
        time.sleep(0.1)
    assert going.wait(WAIT) == 141
    assert going.stderr.read() == b""


def test_a_signal_ends_it(going, rows):
    going.stdin.write(rows["csv"].read_bytes()[:3000])
    going.stdin.flush()
    assert going.stdout.readline() == b"label\n"
    going.terminate()
    assert going.wait(WAIT) == 143
    assert going.stderr.read() == b""


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell a process's memory")
@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(net, rows):
    """Three times the rows, more than a block of them already: no more memory than some pieces."""
    peaks, lines = {}, rows["csv"].read_bytes()
    for times in (300, 900):
        process = subprocess.Popen(
            [sys.executable, "-m", "deepnet", "predict", net, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        for _ in range(times):
            process.stdin.write(lines)
        process.stdin.close()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks[times] = used.ru_maxrss >> 10
    assert peaks[900] - peaks[300] < 40, peaks

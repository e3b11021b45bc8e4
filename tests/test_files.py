"""The guarded open and the atomic write."""

import os
import time

import pytest

from deepnet import files
from deepnet.errors import DataError, ModelError, OutputError, UsageError


def test_reads_what_was_written(tmp_path):
    path = tmp_path / "a.bin"
    files.write_output(path, b"\0\1\2" * 1000)
    assert files.read_input(path) == b"\0\1\2" * 1000
    files.write_output(path, b"")
    assert files.read_input(str(path)) == b""
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "digits.h5").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"digit\.h5 does not exist; did you mean .*digits\.h5\?"):
        files.open_input(tmp_path / "digit.h5", ModelError)
    with pytest.raises(DataError, match="does not exist, nor can its folder"):
        files.open_input(tmp_path / "nowhere" / "digit.h5")


def test_only_regular_files_are_read(tmp_path):
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    began = time.monotonic()
    for path, words in (
        (pipe, "is a pipe"),
        (tmp_path, "is a folder"),
        ("/dev/zero", "is a device"),
        (loop, "loop of symbolic links"),
        (f"{tmp_path}/a\0b", "no file name can have"),
        ("n" * 5000, "too long"),
        (f"{pipe}/x", "not a folder"),
    ):
        with pytest.raises(DataError, match=words) as caught:
            files.open_input(path)
        assert len(str(caught.value).splitlines()) == 1
    assert time.monotonic() - began < 2


def test_symbolic_links_are_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    files.write_output(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == files.read_input(tmp_path / "link") == b"new"


def test_shown_escapes_what_would_mislead():
    assert files.shown("a\nb\x1b[31m\u202egnp.exe\ud800\u2028") == "a\\nb\\x1b[31m\\u202egnp.exe\\ud800\\u2028"
    assert files.shown("größe 大 🎉") == "größe 大 🎉"
    assert files.shown("a\xa0b\u3000c\ue000d\u0378") == "a\\xa0b\\u3000c\\ue000d\\u0378", (
        "spaces like none, and unknown"
    )
    for long in ("x" * 10**6, "\U0010fffd" * 10**6):
        assert len(files.shown(long)) < files.LONGEST + 10


def test_output_is_refused_before_any_work(tmp_path):
    there = tmp_path / "there.h5"
    there.write_bytes(b"old")
    with pytest.raises(UsageError, match="give --force"):
        files.check_output(there)
    files.check_output(there, force=True)
    files.check_output(tmp_path / "new.h5")
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "is a folder"),
        (f"{tmp_path}/new/", "is a folder"),
        ("", "is a folder"),
        (tmp_path / "nowhere" / "x.h5", "mkdir -p"),
        (tmp_path / "pipe", "a pipe or a device"),
        (there / "x.h5", "a part of the path is a file"),
        ("a\0b", "no file name"),
    ):
        with pytest.raises(OutputError, match=words):
            files.check_output(path, force=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["pipe", "there.h5"]


def test_read_only_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(OutputError, match="cannot be written"):
        files.check_output(tmp_path / "x.h5")


def test_a_stale_temporary_is_replaced(tmp_path):
    path = tmp_path / "x.h5"
    assert files.temporary(path) == str(tmp_path / ".x.h5.tmp")
    (tmp_path / ".x.h5.tmp").symlink_to(tmp_path / "elsewhere")
    files.write_output(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.h5"]


def test_long_and_strange_names(tmp_path):
    for name in ("n" * 255, "with space 🎉", "\udcff"):
        files.check_output(tmp_path / name)
        files.write_output(tmp_path / name, b"data")
        assert files.read_input(tmp_path / name) == b"data"
        os.unlink(tmp_path / name)
    with pytest.raises(OutputError, match="too long"):
        files.check_output(tmp_path / ("n" * 256))


def test_full_disk():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputError, match="pipe or a device"):
        files.check_output("/dev/full", force=True)


def test_is_one_of_sees_through_names_and_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a.npz")
    assert files.is_one_of("link", ["mnist", None, "a.npz:x_train"])
    assert files.is_one_of("a.npz", ["./link"])
    assert not files.is_one_of("b.npz", ["a.npz", "b.npz"])
    assert not files.is_one_of("a.npz", ["mnist", None, ""])


def test_free_memory_is_more_than_nothing_and_less_than_all():
    pages, size = (os.sysconf(f"SC_{name}") for name in ("PHYS_PAGES", "PAGE_SIZE"))
    assert 1 << 20 < files.free_memory() <= pages * size


def test_free_memory_without_what_linux_tells(monkeypatch):
    def no_file(*words, **more):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", no_file)
    assert 1 << 20 < files.free_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
